import Foundation
import Merestone

/// A keychain in memory that can only wrap, as the Secure Enclave does. It hides nothing: a test looks at what is called.
final class TestVault: KeyVault, @unchecked Sendable {
    private let lock = NSLock()
    private var held: [Data: Data] = [:]
    private var fails: (@Sendable () throws -> Void)?

    /// What each call does first.
    func before(_ fails: (@Sendable () throws -> Void)?) {
        lock.withLock { self.fails = fails }
    }

    func wrap(_ secret: Data) throws -> Data {
        try begin()
        let wrapped = Data(UUID().uuidString.utf8)
        lock.withLock { held[wrapped] = secret }
        return wrapped
    }

    func unwrap(_ wrapped: Data) throws -> Data {
        try begin()
        guard let secret = lock.withLock({ held[wrapped] }) else {
            throw KeyVaultError.gone(reason: "this vault wrapped no such secret")
        }
        return secret
    }

    func makeSigningKey() throws -> Data? { nil }

    func sign(_ key: Data, message: Data) throws -> Data {
        throw KeyVaultError.gone(reason: "this vault has no signing keys")
    }

    private func begin() throws {
        try lock.withLock { fails }?()
    }
}

/// Counts up from any thread.
final class Tally<Element: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var elements: [Element] = []

    func add(_ element: Element) { lock.withLock { elements.append(element) } }
    var all: [Element] { lock.withLock { elements } }
}
