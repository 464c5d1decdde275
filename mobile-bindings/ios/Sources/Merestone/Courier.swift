import Foundation

/// Files that carry entries on a stick where there is no network. They are not encrypted: whoever finds one reads it.
public protocol Courier: Sendable {
    /// Writes a file for another device.
    ///
    /// - Throws: ``MerestoneError/storage(_:reason:)`` if the disk is full; then no file is left
    func write(_ observer: ObserverKey, _ order: CourierOrder) async throws -> CourierWritten

    /// Says what a file holds, and takes nothing.
    func inspect(_ file: URL) async throws -> CourierContents

    /// Takes what a file holds; each entry is judged by its own signatures. Reading twice changes nothing.
    ///
    /// - Throws: ``MerestoneError/refused(code:reason:)`` if it is no such file, or of another mission
    func read(_ observer: ObserverKey, _ file: URL) async throws -> CourierRead
}

/// What to write.
public struct CourierOrder: Hashable, Sendable {
    /// Must not exist yet.
    public let file: URL
    /// The key of a device: then only what it lacked when it signed the receipt that is held here.
    public var madeFor: ObserverKey?
    /// Whether camera files stay out.
    public var withoutOriginals: Bool
    /// The most bytes; what does not fit is counted in ``CourierWritten/leftOut``.
    public var bytesMax: UInt64?

    /// Made of its parts.
    public init(file: URL, madeFor: ObserverKey? = nil, withoutOriginals: Bool = false, bytesMax: UInt64? = nil) {
        self.file = file
        self.madeFor = madeFor
        self.withoutOriginals = withoutOriginals
        self.bytesMax = bytesMax
    }
}

/// What was written.
public struct CourierWritten: Hashable, Sendable {
    public let bytes: UInt64
    /// Certificates and other statements about observers.
    public let statements: UInt64
    public let entries: UInt64
    /// Photos and smaller pictures.
    public let blobs: UInt64
    /// What did not fit or was not wanted.
    public let leftOut: UInt64
    /// What this phone's disk does not give back as it was written.
    public let damaged: UInt64

    /// Made of its parts.
    public init(bytes: UInt64, statements: UInt64, entries: UInt64, blobs: UInt64, leftOut: UInt64, damaged: UInt64) {
        self.bytes = bytes
        self.statements = statements
        self.entries = entries
        self.blobs = blobs
        self.leftOut = leftOut
        self.damaged = damaged
    }
}

/// What a file holds, see ``CourierWritten``; and who made it, as it says. Nobody signed that; what is inside proves itself.
public struct CourierContents: Hashable, Sendable {
    public let makerObserver: String
    public let makerDevice: String
    public let isMakerCut: Bool
    public let scopes: [ScopeID]
    public let bytes: UInt64
    public let statements: UInt64
    public let entries: UInt64
    public let blobs: UInt64
    public let leftOut: UInt64
    public let damaged: UInt64

    /// Made of its parts.
    public init(
        makerObserver: String,
        makerDevice: String,
        isMakerCut: Bool,
        scopes: [ScopeID],
        bytes: UInt64,
        statements: UInt64,
        entries: UInt64,
        blobs: UInt64,
        leftOut: UInt64,
        damaged: UInt64
    ) {
        self.makerObserver = makerObserver
        self.makerDevice = makerDevice
        self.isMakerCut = isMakerCut
        self.scopes = scopes
        self.bytes = bytes
        self.statements = statements
        self.entries = entries
        self.blobs = blobs
        self.leftOut = leftOut
        self.damaged = damaged
    }
}

/// What was taken.
public struct CourierRead: Hashable, Sendable {
    /// Those that were not here before.
    public let entriesNew: UInt64
    public let statementsNew: UInt64
    public let blobsNew: UInt64
    /// Those that this phone's observer is not certified for.
    public let entriesOfOtherScopes: UInt64
    /// Stable codes of what was not taken.
    public let refused: [String]

    /// Made of its parts.
    public init(
        entriesNew: UInt64,
        statementsNew: UInt64,
        blobsNew: UInt64,
        entriesOfOtherScopes: UInt64,
        refused: [String]
    ) {
        self.entriesNew = entriesNew
        self.statementsNew = statementsNew
        self.blobsNew = blobsNew
        self.entriesOfOtherScopes = entriesOfOtherScopes
        self.refused = refused
    }
}
