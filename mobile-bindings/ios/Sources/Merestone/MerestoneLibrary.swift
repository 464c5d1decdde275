import Foundation

/// Where everything begins.
public enum MerestoneLibrary {
    /// The version of the library, for example `0.1.0`.
    public static var version: String { Entrance.version }

    /// Whose code is inside of the library, under which licences: to be shown by the app.
    public static var licences: URL? { Bundle.module.url(forResource: "LICENCES", withExtension: "txt") }

    /// A marker inside of `folder`, for a ``PhoneHome`` that need not notice being copied: tests and desktops.
    public static func marker(in folder: URL) -> URL {
        Entrance.marker(in: folder)
    }

    /// Opens the phone that lives in `home`. Where its marker is gone this is a copy, or what a backup brought back: it is
    /// opened as a phone of its own, and begins logs of its own.
    ///
    /// - Throws: ``MerestoneError/storage(_:reason:)`` with ``StorageFault/inUse`` if a process has it open,
    ///   ``StorageFault/damaged`` if it cannot be read, ``StorageFault/newer`` if a newer version wrote it;
    ///   ``MerestoneError/notThere(reason:)`` if nothing is there; ``MerestoneError/refused(code:reason:)`` with the code
    ///   `half-wiped` if wiping it was interrupted: wipe it to the end
    public static func open(_ home: PhoneHome, settings: PhoneSettings = PhoneSettings()) async throws -> any Phone {
        try await Entrance.open(home, settings)
    }

    /// Makes a phone of a mission in `home` and opens it.
    ///
    /// - Parameter charter: the bytes of the mission's `charter.cbor`, signed by all parties
    /// - Throws: ``MerestoneError/refused(code:reason:)`` if it is none, or a phone is there already
    public static func create(
        _ home: PhoneHome, charter: Data, settings: PhoneSettings = PhoneSettings()
    ) async throws -> any Phone {
        try await Entrance.create(home, charter, settings)
    }

    /// Removes a phone that is not open: keys first, then everything. One that is half removed is removed to the end.
    ///
    /// - Parameter vault: is told to forget the keys of the phone's observers
    /// - Returns: files of others that lay in its folder and were left alone
    /// - Throws: ``MerestoneError/storage(_:reason:)`` with ``StorageFault/inUse`` if it is open
    @discardableResult
    public static func wipe(_ home: PhoneHome, vault: (any KeyVault)? = nil) async throws -> [URL] {
        try await Entrance.wipe(home, vault)
    }

    /// Judges a bag by the mission's id alone. A bad bag is a verdict, not an error.
    public static func audit(
        _ bag: URL, mission: MissionID, options: AuditOptions = AuditOptions()
    ) async throws -> any AuditReport {
        try await Entrance.audit(bag, mission, options)
    }

    /// What a code of a report means; `nil` if it is none.
    public static func explain(_ code: String) -> Explanation? {
        Entrance.explain(code)
    }

    /// Sends the library's log to `sink` from now on, or nowhere.
    public static func log(to sink: (any LogSink)?) {
        Entrance.log(to: sink)
    }
}
