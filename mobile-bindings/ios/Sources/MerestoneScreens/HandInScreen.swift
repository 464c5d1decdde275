import Foundation
import Merestone

/// Handing in this phone: is everything elsewhere, and is it to be removed?
public struct HandInState: ScreenState, Hashable {
    /// What would be lost; nothing while it was not looked at.
    public var loss: Loss?
    /// What the person must write to remove the phone although something is lost; nothing when nothing is.
    public var confirmation: Message?
    /// Why it was not removed, when it was asked for.
    public var refusal: Message?
    /// Everything is removed; the phone is closed.
    public var isWiped = false
    /// Files in the phone's folder that are none of its own, and are still there.
    public var leftAlone: [URL] = []
    public var isBusy = false
    public var trouble: Trouble?

    /// Whether base camp has everything: the phone can be removed without another word.
    public var isHandedOver: Bool { loss?.isNothing ?? false }
}

/// Hands in this phone: looks at custody, and removes everything only when base camp has it all, or when the person wrote
/// out what is lost. What a courier's file or a bag carries counts once a receipt for it came back, and not before.
public final class HandInScreen: ScreenModel<HandInState> {
    private let phone: any Phone
    private let phrases: any Phrasebook

    /// - Parameter phrases: the words that the person reads and writes
    public init(_ phone: any Phone, phrases: any Phrasebook) {
        self.phone = phone
        self.phrases = phrases
        super.init(HandInState())
    }

    /// Looks what is elsewhere. To be called first, and after each sync.
    @discardableResult
    public func look() -> Intent {
        intent { self.tell(try await Loss.of(self.phone)) }
    }

    /// Removes everything from this phone: keys first, then records, photos and drafts.
    ///
    /// It is looked again first: when more would be lost than was told, it is told and nothing is removed.
    ///
    /// - Parameter written: what the person wrote to confirm the loss; nothing is needed when nothing is lost
    @discardableResult
    public func wipe(_ written: String = "") -> Intent {
        lasting {
            let told = self.state.loss
            let loss = try await Loss.of(self.phone)
            self.tell(loss)
            if let refusal = self.refusal(told, loss, written) {
                self.show { $0.refusal = refusal }
                return
            }
            let leftAlone = try await self.phone.wipe()
            self.show {
                $0.isWiped = true
                $0.leftAlone = leftAlone
            }
        }
    }

    private func refusal(_ told: Loss?, _ loss: Loss, _ written: String) -> Message? {
        if told?.lines != loss.lines { return Message("hand-in.changed") }
        return loss.isNothing || isWritten(written) ? nil : Message("hand-in.not-confirmed")
    }

    private func tell(_ loss: Loss) {
        let confirmation = confirmation(of: loss)
        show {
            $0.loss = loss
            $0.confirmation = confirmation
            $0.refusal = nil
        }
    }

    /// Case, spaces and a full stop do not matter: what matters is that the person wrote what is lost.
    private func isWritten(_ written: String) -> Bool {
        guard let wanted = state.confirmation.map({ plain(phrases.say($0)) }), !wanted.isEmpty else { return false }
        return plain(written) == wanted
    }

    private func plain(_ text: String) -> String {
        let words = text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return words.trimmingCharacters(in: [" ", "."])
    }

    private func confirmation(of loss: Loss) -> Message? {
        if loss.isNothing { return nil }
        let counts = [
            ("count.entries", loss.entriesOnlyHere + loss.entriesNotAtCamp),
            ("count.photos", loss.photosNotAtCamp),
            ("count.drafts", loss.drafts),
        ]
        let said = counts.filter { $0.1 > 0 }.map { phrases.say(.counting($0.0, $0.1)) }
        return Message("hand-in.confirmation", ["what": said.joined(separator: ", ")])
    }
}
