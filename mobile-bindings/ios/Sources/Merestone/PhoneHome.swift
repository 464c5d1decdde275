import Foundation

/// Where a phone keeps its things. One process at a time has a home open.
public struct PhoneHome: Sendable {
    /// The store and photos; in the app's own files, excluded from backups (see `ExcludedFromBackup`).
    public let folder: URL

    /// A small file outside of ``folder`` in a place that no backup and no copy to another phone takes along.
    ///
    /// If it is absent while the folder is there, the folder was copied, and the copy begins logs of its own: otherwise
    /// two phones would sign different entries for one position. ``beside(_:storeKey:)`` makes one for tests and desktops.
    public let marker: URL

    /// For the store.
    public let storeKey: StoreKey

    /// A home of these three.
    public init(folder: URL, marker: URL, storeKey: StoreKey) {
        self.folder = folder
        self.marker = marker
        self.storeKey = storeKey
    }

    /// A home whose marker lies in `folder`: whoever copies the folder copies the marker too.
    public static func beside(_ folder: URL, storeKey: StoreKey) -> PhoneHome {
        PhoneHome(folder: folder, marker: MerestoneLibrary.marker(in: folder), storeKey: storeKey)
    }
}

/// The key of a phone's store, for its encryption. Taken already and not used yet: what is stored is in clear.
/// Its bytes show in no log.
public struct StoreKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let bytes: Data

    /// A key of exactly 32 bytes, drawn once by a cryptographic generator and kept in the keychain.
    public init(_ bytes: Data) {
        self.bytes = bytes
    }

    /// Hides the bytes.
    public var description: String { "StoreKey(hidden)" }
    /// Hides the bytes.
    public var debugDescription: String { description }
    /// Hides the bytes from `dump` and debuggers.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a phone asks the app while it works. All are called on worker threads.
public struct PhoneSettings: Sendable {
    /// Minutes between UTC and the local time that is written beside times, −1 440 to 1 440.
    public var offsetMin: Int
    /// If absent the system's clock is used.
    public var clock: (any ClockProvider)?
    /// If absent, entries say no place.
    public var location: (any LocationProvider)?
    /// If absent, no link counts as metered.
    public var connectivity: (any ConnectivityProvider)?

    /// Settings of an app that brings what it has.
    public init(
        offsetMin: Int = TimeZone.current.secondsFromGMT() / 60,
        clock: (any ClockProvider)? = nil,
        location: (any LocationProvider)? = nil,
        connectivity: (any ConnectivityProvider)? = nil
    ) {
        self.offsetMin = offsetMin
        self.clock = clock
        self.location = location
        self.connectivity = connectivity
    }
}
