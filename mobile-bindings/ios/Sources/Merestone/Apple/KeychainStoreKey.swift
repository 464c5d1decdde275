#if canImport(Security)
    import Foundation
    import Security

    /// The key of the store, in the keychain of this device alone and only while it is unlocked.
    public enum KeychainStoreKey {
        /// The key that is kept under `service`; drawn and kept if there is none yet.
        ///
        /// - Throws: ``KeyVaultError/refused(reason:)`` while the device is locked
        public static func loadOrMake(service: String = "org.merestone.store-key") throws -> StoreKey {
            if let held = try load(service) { return StoreKey(held) }
            var bytes = Data(count: 32)
            let status = bytes.withUnsafeMutableBytes { buffer in
                SecRandomCopyBytes(kSecRandomDefault, buffer.count, buffer.baseAddress!)
            }
            guard status == errSecSuccess else { throw keychainError(status, "no random bytes") }
            try keep(bytes, service)
            return StoreKey(bytes)
        }

        private static func load(_ service: String) throws -> Data? {
            var found: CFTypeRef?
            var query = item(service)
            query[kSecReturnData] = true
            let status = SecItemCopyMatching(query as CFDictionary, &found)
            if status == errSecItemNotFound { return nil }
            guard status == errSecSuccess, let data = found as? Data, data.count == 32 else {
                throw keychainError(status, "the store key could not be read")
            }
            return data
        }

        private static func keep(_ bytes: Data, _ service: String) throws {
            var query = item(service)
            query[kSecAttrAccessible] = kSecAttrAccessibleWhenUnlockedThisDeviceOnly
            query[kSecValueData] = bytes
            let status = SecItemAdd(query as CFDictionary, nil)
            guard status == errSecSuccess else { throw keychainError(status, "the store key could not be kept") }
        }

        private static func item(_ service: String) -> [CFString: Any] {
            [
                kSecClass: kSecClassGenericPassword, kSecAttrService: service, kSecAttrAccount: "store",
                kSecAttrSynchronizable: false, kSecUseDataProtectionKeychain: true,
            ]
        }
    }

    /// What a status of the keychain means for an app.
    func keychainError(_ status: OSStatus, _ what: String) -> KeyVaultError {
        let reason = "\(what): keychain status \(status)"
        switch status {
        // The item, or the key inside of the enclave, is no more: a reset, or another set of fingers or faces.
        case errSecItemNotFound, errSecInvalidKeyRef, errSecInvalidData, errSecDecode: return .gone(reason: reason)
        default: return .refused(reason: reason)
        }
    }
#endif
