import Foundation

/// Folders with everything that an auditor needs.
public protocol Bags: Sendable {
    /// Writes all that this phone has, with signatures, so that anybody can judge it with
    /// ``MerestoneLibrary/audit(_:mission:options:)``.
    ///
    /// - Parameters:
    ///   - folder: must not exist yet, or be empty
    ///   - scopes: only these; `nil` for all
    func write(to folder: URL, scopes: [ScopeID]?) async throws -> BagWritten
}

extension Bags {
    /// Writes all scopes that this phone has.
    public func write(to folder: URL) async throws -> BagWritten {
        try await write(to: folder, scopes: nil)
    }
}

/// What was written.
public struct BagWritten: Hashable, Sendable {
    /// Of keys whose entries are in it.
    public let logs: UInt64
    public let entries: UInt64
    /// Photos and smaller pictures.
    public let photos: UInt64
    /// The ledger's checkpoints.
    public let notes: UInt64
    /// The ledger's lines.
    public let leaves: UInt64
    public let files: UInt64
    public let bytes: UInt64
    /// What is evidence and not in it: `damaged-photo`, `absent-photo` and `receipt` with an id, `leaves` and `siblings` with
    /// a number.
    public let leftOut: [String]

    /// Made of its parts.
    public init(
        logs: UInt64,
        entries: UInt64,
        photos: UInt64,
        notes: UInt64,
        leaves: UInt64,
        files: UInt64,
        bytes: UInt64,
        leftOut: [String]
    ) {
        self.logs = logs
        self.entries = entries
        self.photos = photos
        self.notes = notes
        self.leaves = leaves
        self.files = files
        self.bytes = bytes
        self.leftOut = leftOut
    }
}
