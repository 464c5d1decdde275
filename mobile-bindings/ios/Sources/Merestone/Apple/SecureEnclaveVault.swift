#if canImport(Security) && canImport(LocalAuthentication)
    import Foundation
    import LocalAuthentication
    import Security

    /// Keeps observers' keys by a key inside of the Secure Enclave.
    ///
    /// The enclave makes P-256 keys only, and an observer signs with Ed25519. So the seed of the signing key is made in Rust
    /// and wrapped: encrypted (ECIES with AES-GCM, so that changed bytes do not unwrap) to a P-256 key that never leaves the
    /// enclave. While an observer is unlocked the seed is in the app's memory.
    ///
    /// The key is usable on this device alone, while it is unlocked, and if wanted only after a face or finger.
    public final class SecureEnclaveVault: KeyVault {
        /// What a person has to show before a key is unwrapped.
        public enum Presence: Hashable, Sendable {
            /// Nothing but the unlocked device.
            case deviceUnlocked
            /// A face or finger, or the device's code.
            case person
            /// A face or finger of those that are enrolled now: another set makes the key void, and the observer enrols anew.
            case biometryOfNow
        }

        private static let algorithm = SecKeyAlgorithm.eciesEncryptionCofactorVariableIVX963SHA256AESGCM

        private let tag: Data
        private let presence: Presence
        private let prompt: String

        /// - Parameters:
        ///   - tag: names the key in the keychain
        ///   - prompt: what the system shows when it asks for a face or finger
        public init(tag: String = "org.merestone.vault", presence: Presence = .person, prompt: String) {
            self.tag = Data(tag.utf8)
            self.presence = presence
            self.prompt = prompt
        }

        public func wrap(_ secret: Data) throws -> Data {
            let key = try held() ?? make()
            guard let publicKey = SecKeyCopyPublicKey(key) else {
                throw KeyVaultError.refused(reason: "the enclave's key has no public half")
            }
            return try done("wrapping failed") {
                SecKeyCreateEncryptedData(publicKey, Self.algorithm, secret as CFData, $0)
            }
        }

        public func unwrap(_ wrapped: Data) throws -> Data {
            guard let key = try held() else {
                throw KeyVaultError.gone(reason: "the enclave's key is no more")
            }
            return try done("unwrapping failed") {
                SecKeyCreateDecryptedData(key, Self.algorithm, wrapped as CFData, $0)
            }
        }

        /// None: the enclave holds no Ed25519 keys.
        public func makeSigningKey() throws -> Data? { nil }

        /// Never called, because ``makeSigningKey()`` makes none.
        public func sign(_ key: Data, message: Data) throws -> Data {
            throw KeyVaultError.gone(reason: "the enclave holds no Ed25519 keys")
        }

        /// Removes the enclave's key: what it wrapped cannot be opened any more. For an app that wiped its phone, if the vault
        /// guards nothing else; a wipe by itself leaves it, because other phones' observers may be under it.
        public func forget() throws {
            let query: [CFString: Any] = [
                kSecClass: kSecClassKey, kSecAttrApplicationTag: tag, kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
                kSecUseDataProtectionKeychain: true,
            ]
            let status = SecItemDelete(query as CFDictionary)
            guard status == errSecSuccess || status == errSecItemNotFound else {
                throw keychainError(status, "the enclave's key was not removed")
            }
        }

        private func held() throws -> SecKey? {
            let context = LAContext()
            context.localizedReason = prompt
            let query: [CFString: Any] = [
                kSecClass: kSecClassKey, kSecAttrApplicationTag: tag, kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
                kSecReturnRef: true, kSecUseAuthenticationContext: context, kSecUseDataProtectionKeychain: true,
            ]
            var found: CFTypeRef?
            let status = SecItemCopyMatching(query as CFDictionary, &found)
            if status == errSecItemNotFound { return nil }
            guard status == errSecSuccess, let found else { throw keychainError(status, "the enclave's key was not given") }
            // The query asks for a key, so nothing else can come.
            return (found as! SecKey)
        }

        private func make() throws -> SecKey {
            var error: Unmanaged<CFError>?
            guard
                let access = SecAccessControlCreateWithFlags(
                    nil, kSecAttrAccessibleWhenUnlockedThisDeviceOnly, flags, &error)
            else { throw failure(error, "the access control was refused") }
            let attributes: [CFString: Any] = [
                kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom, kSecAttrKeySizeInBits: 256,
                kSecAttrTokenID: kSecAttrTokenIDSecureEnclave, kSecUseDataProtectionKeychain: true,
                kSecPrivateKeyAttrs: [
                    kSecAttrIsPermanent: true, kSecAttrApplicationTag: tag, kSecAttrAccessControl: access,
                ] as [CFString: Any],
            ]
            guard let key = SecKeyCreateRandomKey(attributes as CFDictionary, &error) else {
                throw failure(error, "the enclave made no key")
            }
            return key
        }

        private var flags: SecAccessControlCreateFlags {
            switch presence {
            case .deviceUnlocked: [.privateKeyUsage]
            case .person: [.privateKeyUsage, .userPresence]
            case .biometryOfNow: [.privateKeyUsage, .biometryCurrentSet]
            }
        }

        private func done(_ what: String, _ call: (inout Unmanaged<CFError>?) -> CFData?) throws -> Data {
            var error: Unmanaged<CFError>?
            guard let data = call(&error) else { throw failure(error, what) }
            return data as Data
        }

        private func failure(_ error: Unmanaged<CFError>?, _ what: String) -> KeyVaultError {
            guard let error = error?.takeRetainedValue() else { return .refused(reason: what) }
            // A person who cancels, or is not known: asking again may work.
            if CFErrorGetDomain(error) as String == LAError.errorDomain {
                return .refused(reason: "\(what): local authentication \(CFErrorGetCode(error))")
            }
            return keychainError(OSStatus(truncatingIfNeeded: CFErrorGetCode(error)), what)
        }
    }
#endif
