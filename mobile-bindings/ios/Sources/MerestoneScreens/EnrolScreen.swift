import Foundation
import Merestone

/// How far the enrolment of an observer is.
public struct EnrolState: ScreenState {
    /// The mission that the observer asks to join.
    public var mission = ""
    /// What keeps the request from being made, beside its field.
    public var wrong: [EnrolField: Message] = [:]
    /// What to show to the officer: text, QR code and six words to read aloud; nothing before it is asked.
    public var enrolment: Enrolment?
    /// What was handed over as a certificate and is none, and why.
    public var refusal: Refusal?
    /// The observer once certified: records can be saved.
    public var certified: Observer?
    public var isBusy = false
    public var trouble: Trouble?
}

/// A field of the request.
public enum EnrolField: Hashable, Sendable {
    case observer, device, passphrase, again
}

/// Enrols an observer: makes a key and a request, shows it to the officer of a party, takes the certificate.
///
/// Leaving in between loses nothing: ``showAgain(_:)`` shows the same request.
public final class EnrolScreen: ScreenModel<EnrolState> {
    private let phone: any Phone
    private let vault: (any KeyVault)?
    private let attestation: Data?

    /// - Parameters:
    ///   - vault: where the key is kept if not under a passphrase
    ///   - attestation: what the phone's maker states about the keychain
    public init(_ phone: any Phone, vault: (any KeyVault)? = nil, attestation: Data? = nil) {
        self.phone = phone
        self.vault = vault
        self.attestation = attestation
        super.init(EnrolState())
    }

    /// Whether ``askInVault(observer:device:replaces:)`` can be offered.
    public var hasVault: Bool { vault != nil }

    /// Reads the mission, and the request that is waiting for its certificate. To be called first.
    @discardableResult
    public func open() -> Intent {
        intent {
            let mission = try await self.phone.mission().name
            let waiting = try await self.phone.observers.all().last { $0.state == .requested }
            var enrolment: Enrolment?
            if let waiting { enrolment = try await self.phone.observers.requested(waiting.key) }
            self.show {
                $0.mission = mission
                $0.enrolment = enrolment
            }
        }
    }

    /// Makes a key under a passphrase, and the request.
    ///
    /// - Parameters:
    ///   - again: the passphrase once more: a mistyped one could never be unlocked
    ///   - replaces: the observer's key before, which was lost or replaced
    @discardableResult
    public func ask(
        observer: String, device: String, passphrase: String, again: String, replaces: ObserverKey? = nil
    ) -> Intent {
        lasting {
            var wrong = self.missing(observer, device)
            if passphrase.isEmpty { wrong[.passphrase] = Message("enrol.passphrase-missing") }
            if passphrase != again { wrong[.again] = Message("enrol.passphrases-differ") }
            try await self.asking(wrong) {
                try await self.phone.observers.request(
                    self.asked(observer, device, replaces), passphrase: Passphrase(passphrase))
            }
        }
    }

    /// Makes a key in the keychain, and the request.
    @discardableResult
    public func askInVault(observer: String, device: String, replaces: ObserverKey? = nil) -> Intent {
        lasting {
            guard let vault = self.vault else { return }
            try await self.asking(self.missing(observer, device)) {
                try await self.phone.observers.request(self.asked(observer, device, replaces), vault: vault)
            }
        }
    }

    /// Shows the request of an observer who waits for a certificate.
    @discardableResult
    public func showAgain(_ observer: ObserverKey) -> Intent {
        intent {
            let enrolment = try await self.phone.observers.requested(observer)
            self.show { $0.enrolment = enrolment }
        }
    }

    /// Begins another request; the one that is shown stays valid.
    public func askAnother() {
        show {
            $0.enrolment = nil
            $0.wrong = [:]
        }
    }

    /// Takes the certificate, as it was typed, scanned or read from a file.
    @discardableResult
    public func accept(_ certificate: String) -> Intent {
        lasting {
            let text = certificate.trimmed
            if text.isEmpty {
                let missing = Message("enrol.certificate-missing")
                self.show { $0.refusal = Refusal(typed: certificate, message: missing) }
                return
            }
            do {
                let observer = try await self.phone.observers.accept(text)
                self.show {
                    $0.certified = observer
                    $0.refusal = nil
                }
            } catch MerestoneError.refused(let code, let reason) {
                self.show { $0.refusal = Refusal(typed: certificate, message: refusalMessage(code, reason)) }
            }
        }
    }

    private func asked(_ observer: String, _ device: String, _ replaces: ObserverKey?) -> Asked {
        Asked(observer: observer.trimmed, device: device.trimmed, attestation: attestation, replaces: replaces)
    }

    private func missing(_ observer: String, _ device: String) -> [EnrolField: Message] {
        var wrong: [EnrolField: Message] = [:]
        if observer.trimmed.isEmpty { wrong[.observer] = Message("enrol.observer-missing") }
        if device.trimmed.isEmpty { wrong[.device] = Message("enrol.device-missing") }
        return wrong
    }

    private func asking(
        _ wrong: [EnrolField: Message], _ request: @MainActor () async throws -> Enrolment
    ) async throws {
        show { $0.wrong = wrong }
        if !wrong.isEmpty { return }
        let enrolment = try await request()
        show { $0.enrolment = enrolment }
    }
}

extension String {
    /// Without spaces and line breaks around it.
    var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
