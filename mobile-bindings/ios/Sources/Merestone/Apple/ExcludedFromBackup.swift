#if canImport(Darwin)
    import Foundation

    extension URL {
        /// Keeps this file or folder out of backups. Files that are made in an excluded folder later are out too.
        public func excludeFromBackup() throws {
            var url = self
            var values = URLResourceValues()
            values.isExcludedFromBackup = true
            try url.setResourceValues(values)
        }
    }

    extension PhoneHome {
        /// The home of an app: the store in a folder of Application Support that no backup holds and that nobody reads while
        /// the device is locked, and the marker beside it, excluded from backups on its own.
        ///
        /// Weakness: a transfer from phone to phone is Apple's to define; where it takes excluded files along, the marker
        /// goes too, and only the keys stay behind, because ``KeychainStoreKey`` and ``SecureEnclaveVault`` bind them to the
        /// device. Whoever enrolled by passphrase has to be told to enrol anew on the new phone.
        public static func inApplicationSupport(_ name: String = "Merestone", storeKey: StoreKey) throws -> PhoneHome {
            let files = FileManager.default
            let support = try files.url(for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
            let folder = support.appendingPathComponent(name, isDirectory: true)
            let beside = support.appendingPathComponent("\(name)-marker", isDirectory: true)
            for made in [folder, beside] {
                try files.createDirectory(at: made, withIntermediateDirectories: true)
                try made.excludeFromBackup()
                #if os(iOS)
                    try files.setAttributes([.protectionKey: FileProtectionType.complete], ofItemAtPath: made.path)
                #endif
            }
            return PhoneHome(folder: folder, marker: beside.appendingPathComponent("marker"), storeKey: storeKey)
        }
    }
#endif
