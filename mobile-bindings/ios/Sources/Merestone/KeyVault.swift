import Foundation

/// Where an observer's key is kept: the app's keychain.
///
/// Called on worker threads, never on the main thread; may block (for a face or a finger, say) and may call back into the
/// phone.
/// Throw ``KeyVaultError``; anything else that is thrown counts as ``KeyVaultError/refused(reason:)``.
public protocol KeyVault: AnyObject, Sendable {
    /// Makes a secret of at most 96 bytes unreadable for everyone but ``unwrap(_:)`` of this vault. Do not keep the secret.
    ///
    /// - Returns: at most 896 bytes, which are kept beside the store; authenticated: changed bytes must not unwrap
    func wrap(_ secret: Data) throws -> Data

    /// Gives back what ``wrap(_:)`` got.
    ///
    /// - Throws: ``KeyVaultError/gone(reason:)`` if it can never be read again, for example after a new finger was enrolled
    func unwrap(_ wrapped: Data) throws -> Data

    /// Makes an Ed25519 key that never leaves the vault, and gives its public half of 32 bytes.
    ///
    /// - Returns: `nil` if the vault can only wrap: then the key is made in Rust and wrapped
    func makeSigningKey() throws -> Data?

    /// Signs with a key that ``makeSigningKey()`` made.
    ///
    /// - Parameters:
    ///   - key: its public half, 32 bytes
    ///   - message: at most some kilobytes; neither hashed nor changed before signing
    /// - Returns: the Ed25519 signature, 64 bytes
    func sign(_ key: Data, message: Data) throws -> Data

    /// Destroys the signing key with this public half, if it holds it: the phone of its observer is being wiped. Of a key that
    /// it does not hold, nothing. What it wraps other secrets with stays. What is thrown keeps nothing from being wiped.
    ///
    /// A vault that only wraps has nothing to do.
    func forget(_ key: Data) throws
}

extension KeyVault {
    /// Nothing: of a vault that only wraps.
    public func forget(_ key: Data) throws {}
}

/// What a ``KeyVault`` throws.
public enum KeyVaultError: Error, Hashable, Sendable {
    /// Not now: the person did not show a face or finger, or the device is locked. Asking again may work.
    case refused(reason: String)
    /// Never again: the key was deleted or made void.
    case gone(reason: String)
}

/// An observer's passphrase. Its text shows in no log.
public struct Passphrase: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let text: String

    /// What the person typed.
    public init(_ text: String) {
        self.text = text
    }

    /// Hides the text.
    public var description: String { "Passphrase(hidden)" }
    /// Hides the text.
    public var debugDescription: String { description }
    /// Hides the text from `dump` and debuggers.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
