import Foundation

/// The people who work on this phone. Each has an own key here, made on this phone.
public protocol Observers: Sendable {
    /// All of them, those who wait for a certificate too.
    func all() async throws -> [Observer]

    /// Makes a key that the passphrase wraps and gives the request that the observer's party must certify. The key is
    /// unlocked.
    ///
    /// - Throws: ``MerestoneError/refused(code:reason:)`` if a name is empty or too long, or the passphrase is empty
    func request(_ asked: Asked, passphrase: Passphrase) async throws -> Enrolment

    /// Makes a key in the vault, or one that the vault wraps if it cannot sign.
    ///
    /// - Throws: ``MerestoneError/provider(isGone:reason:)`` if the vault fails; then nothing was made
    func request(_ asked: Asked, vault: any KeyVault) async throws -> Enrolment

    /// The request of an observer once more; `nil` if it is certified or was never asked for here.
    func requested(_ observer: ObserverKey) async throws -> Enrolment?

    /// Takes the certificate that a party answered with, as text, from a QR code or a file.
    ///
    /// - Throws: ``MerestoneError/refused(code:reason:)`` if it is none, is of another mission or of a key that is not here
    func accept(_ certificate: String) async throws -> Observer

    /// Unlocks a key until ``lock()`` or the phone is closed.
    ///
    /// A wrong passphrase is a result, not an error. Trying one takes most of a second, on purpose.
    ///
    /// - Throws: ``MerestoneError/notThere(reason:)`` if no such key is here; ``MerestoneError/refused(code:reason:)`` with code
    ///   `passphrase` if the passphrase is empty
    func unlock(_ observer: ObserverKey, passphrase: Passphrase) async throws -> Unlocking

    /// Unlocks a key that the vault holds or wraps. A vault that refuses is a result, not an error.
    ///
    /// - Throws: ``MerestoneError/provider(isGone:reason:)`` with `isGone` if the vault lost the key: enrol anew, with
    ///   ``Asked/replaces``
    func unlock(_ observer: ObserverKey, vault: any KeyVault) async throws -> Unlocking

    /// Locks all keys. Drafts stay.
    func lock() async throws

    /// States that an observer goes on under another key of this phone. Both keys are unlocked and certified by one party.
    ///
    /// - Throws: ``MerestoneError/locked(reason:)`` if one of them is locked
    func succeed(_ old: ObserverKey, by new: ObserverKey) async throws

    /// Signs, with the new key, a succession that the party signed in the place of a key that is lost.
    ///
    /// - Parameter proposed: the bytes that the officer handed over
    func acceptSuccession(_ proposed: Data) async throws
}

/// How unlocking a key went.
public enum Unlocking: Hashable, Sendable {
    /// It is unlocked.
    case unlocked
    /// It is still locked; the reason is for a developer.
    case stillLocked(reason: String)
}

/// How far an observer's enrolment is.
public enum ObserverState: Hashable, Sendable {
    /// A request was made, no certificate accepted.
    case requested
    /// A party certified the key.
    case certified
    /// The party cut the key off; what it signs from then on is set aside everywhere.
    case cut
}

/// An observer of this phone.
public struct Observer: Hashable, Sendable {
    public let key: ObserverKey
    /// As the certificate says, or as was asked for.
    public let name: String
    /// The name of this phone in the certificate.
    public let device: String
    public let state: ObserverState
    /// Number of the certifying party; `nil` before.
    public let party: UInt64?
    /// `observer`, `camp` and others; `nil` before a certificate.
    public let role: String?
    /// Where the observer may sign.
    public let scopes: [ScopeID]
    /// Whether the mission certified the key with the role `observer`, and no party cut it: other roles save no records.
    public let canSave: Bool
    public let isUnlocked: Bool

    /// Made of its parts.
    public init(
        key: ObserverKey,
        name: String,
        device: String,
        state: ObserverState,
        party: UInt64?,
        role: String?,
        scopes: [ScopeID],
        canSave: Bool,
        isUnlocked: Bool
    ) {
        self.key = key
        self.name = name
        self.device = device
        self.state = state
        self.party = party
        self.role = role
        self.scopes = scopes
        self.canSave = canSave
        self.isUnlocked = isUnlocked
    }
}

/// What is asked of a party.
public struct Asked: Hashable, Sendable {
    /// The person's name.
    public let observer: String
    /// A name for this phone.
    public let device: String
    /// What the phone's maker states of the key; at most some kilobytes.
    public var attestation: Data?
    /// A key of the same person that was lost or replaced.
    public var replaces: ObserverKey?

    /// Made of its parts.
    public init(observer: String, device: String, attestation: Data? = nil, replaces: ObserverKey? = nil) {
        self.observer = observer
        self.device = device
        self.attestation = attestation
        self.replaces = replaces
    }
}

/// A request for a certificate, to show to one's party.
public struct Enrolment: Hashable, Sendable {
    public let key: ObserverKey
    /// The request itself; signed, not secret.
    public let text: String
    /// Six words that both sides compare, so that nobody exchanges the request on its way.
    public let words: [String]
    /// ``text`` as a QR code; `nil` if it does not fit into one.
    public let qr: QrCode?

    /// Made of its parts.
    public init(key: ObserverKey, text: String, words: [String], qr: QrCode?) {
        self.key = key
        self.text = text
        self.words = words
        self.qr = qr
    }
}
