import Merestone

/// How safe an entry and its photos are, as signed receipts say: the worst comes first.
public enum Safety: Int, Comparable, Hashable, Sendable {
    /// Losing this phone loses the entry or a photo of it.
    case onlyHere
    /// Other phones have all of it; base camp does not.
    case withPeers
    /// Base camp has all of it.
    case atBaseCamp

    public static func < (one: Safety, other: Safety) -> Bool { one.rawValue < other.rawValue }

    fileprivate var code: String {
        switch self {
        case .onlyHere: "only-here"
        case .withPeers: "with-peers"
        case .atBaseCamp: "at-base-camp"
        }
    }
}

extension Custody {
    /// How safe an entry is.
    public var safety: Safety {
        if isHandedOver { return .atBaseCamp }
        return isOnlyHere ? .onlyHere : .withPeers
    }

    /// Where an entry is, in words; its photos are told apart where they are not where the entry is.
    public var message: Message {
        if isHandedOver { return Message("custody.base-camp") }
        if isAtBaseCamp { return .counting("custody.base-camp-photos-missing", photos - photosAtBaseCamp) }
        if peers == 0 { return Message("custody.only-here") }
        if photosElsewhere < photos { return .counting("custody.photos-only-here", photos - photosElsewhere) }
        return .counting("custody.peers", peers)
    }
}

extension [Custody] {
    /// Where all entries of a record are, in words: what is told of the least safe one.
    public var message: Message? {
        guard let worst = self.min(by: { $0.safety < $1.safety }) else { return nil }
        if worst.safety == .atBaseCamp || count == 1 { return worst.message }
        let likeIt = filter { $0.safety == worst.safety }.count
        return .counting("custody.some.\(worst.safety.code)", likeIt, ["entries": String(count)])
    }
}

/// What losing this phone would lose, as far as signed receipts say.
public struct Loss: Hashable, Sendable {
    /// Entries that no other device has.
    public var entriesOnlyHere = 0
    /// Photos that no other device has.
    public var photosOnlyHere = 0
    /// Entries that other phones have and base camp does not.
    public var entriesNotAtCamp = 0
    /// Photos that base camp does not have; those of ``photosOnlyHere`` included.
    public var photosNotAtCamp = 0
    /// What was begun and not saved: it never leaves this phone.
    public var drafts = 0

    /// Nothing would be lost.
    public init() {}

    /// Whether base camp has everything, and nothing was begun.
    public var isNothing: Bool { self == Loss() }

    /// What would be lost, a line each; empty when nothing would.
    public var lines: [Message] {
        [
            ("loss.entries-only-here", entriesOnlyHere),
            ("loss.photos-only-here", photosOnlyHere),
            ("loss.entries-not-at-camp", entriesNotAtCamp),
            ("loss.photos-not-at-camp", photosNotAtCamp - photosOnlyHere),
            ("loss.drafts", drafts),
        ].filter { $0.1 > 0 }.map { .counting($0.0, $0.1) }
    }

    /// What losing `phone` would lose now.
    static func of(_ phone: any Phone) async throws -> Loss {
        let alone = try await phone.records.heldAlone()
        var loss = Loss()
        loss.entriesOnlyHere = alone.entries
        loss.photosOnlyHere = alone.photos
        loss.entriesNotAtCamp = alone.entriesNotAtCamp - alone.entries
        loss.photosNotAtCamp = alone.photosNotAtCamp
        loss.drafts = try await phone.drafts.all().count + phone.drafts.damaged().count
        return loss
    }
}
