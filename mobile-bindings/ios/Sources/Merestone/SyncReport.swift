/// How far a meeting is.
public struct SyncState: Hashable, Sendable {
    /// `nil` until it proved who it is.
    public let peer: Peer?
    public let entriesSent: UInt64
    public let entriesReceived: UInt64
    public let photosSent: UInt64
    public let photosReceived: UInt64
    /// Of photos.
    public let bytesSent: UInt64
    /// Of photos.
    public let bytesReceived: UInt64
    /// Whether at this moment both have the same.
    public let isFullySynced: Bool

    /// Made of its parts.
    public init(
        peer: Peer?,
        entriesSent: UInt64,
        entriesReceived: UInt64,
        photosSent: UInt64,
        photosReceived: UInt64,
        bytesSent: UInt64,
        bytesReceived: UInt64,
        isFullySynced: Bool
    ) {
        self.peer = peer
        self.entriesSent = entriesSent
        self.entriesReceived = entriesReceived
        self.photosSent = photosSent
        self.photosReceived = photosReceived
        self.bytesSent = bytesSent
        self.bytesReceived = bytesReceived
        self.isFullySynced = isFullySynced
    }
}

/// Who was met, as certificates say.
public struct Peer: Hashable, Sendable {
    /// The party's name.
    public let party: String
    public let observer: String
    public let device: String
    /// `observer`, `reviewer`, `arbiter`, `camp` or `auditor`.
    public let role: String
    /// Whether a party cut that key off.
    public let isCut: Bool

    /// Made of its parts.
    public init(party: String, observer: String, device: String, role: String, isCut: Bool) {
        self.party = party
        self.observer = observer
        self.device = device
        self.role = role
        self.isCut = isCut
    }
}

/// What is missing of one person's work.
public struct Missing: Hashable, Sendable {
    /// The name; `nil` while no certificate says whose it is.
    public let observer: String?
    /// The party's name.
    public let party: String?
    public let device: String?
    /// Entries that are not held.
    public let entries: UInt64
    /// What entries say that are held.
    public let bodies: UInt64
    /// Photos and smaller pictures.
    public let photos: UInt64

    /// Made of its parts.
    public init(observer: String?, party: String?, device: String?, entries: UInt64, bodies: UInt64, photos: UInt64) {
        self.observer = observer
        self.party = party
        self.device = device
        self.entries = entries
        self.bodies = bodies
        self.photos = photos
    }
}

/// How a meeting went.
public struct SyncReport: Hashable, Sendable {
    public let state: SyncState
    /// Whether both have the same of the scopes that they share, and nothing is missing; only then may a screen say
    /// "synced".
    public let isFullySynced: Bool
    /// Whether all came that the options asked for.
    public let isSyncedAsWanted: Bool
    /// Stable: why it ended; `done` or `stopped` if nothing went wrong.
    public let endCode: String
    /// The same as a sentence in English.
    public let endSays: String
    /// What to do, as a sentence in English; empty if nothing.
    public let advice: String
    /// Scopes of this phone that the other one is not certified for.
    public let scopesNotShared: [ScopeID]
    /// Devices of which nothing came though the other one knows of them.
    public let missingLogs: Int
    /// Entries that are known and did not come.
    public let missingBodies: Int
    /// Photos that are known and did not come.
    public let missingPhotos: Int
    /// Stable codes of what was not taken.
    public let refused: [String]
    /// Why the peer was not told by a receipt what is here; `nil` if it was.
    public let noReceipt: String?
    /// What is missing on this phone, by person.
    public let missingHere: [Missing]
    /// What the peer does not have, by person, as far as it told.
    public let missingThere: [Missing]
    /// Photos and smaller pictures that were not asked for because of ``SyncOptions/photoBytesMax``.
    public let photosLeftOut: UInt64
    /// Everything included.
    public let networkBytesSent: UInt64
    /// Everything included.
    public let networkBytesReceived: UInt64

    /// Made of its parts.
    public init(
        state: SyncState,
        isFullySynced: Bool,
        isSyncedAsWanted: Bool,
        endCode: String,
        endSays: String,
        advice: String,
        scopesNotShared: [ScopeID],
        missingLogs: Int,
        missingBodies: Int,
        missingPhotos: Int,
        refused: [String],
        noReceipt: String?,
        missingHere: [Missing] = [],
        missingThere: [Missing] = [],
        photosLeftOut: UInt64 = 0,
        networkBytesSent: UInt64 = 0,
        networkBytesReceived: UInt64 = 0
    ) {
        self.state = state
        self.isFullySynced = isFullySynced
        self.isSyncedAsWanted = isSyncedAsWanted
        self.endCode = endCode
        self.endSays = endSays
        self.advice = advice
        self.scopesNotShared = scopesNotShared
        self.missingLogs = missingLogs
        self.missingBodies = missingBodies
        self.missingPhotos = missingPhotos
        self.refused = refused
        self.noReceipt = noReceipt
        self.missingHere = missingHere
        self.missingThere = missingThere
        self.photosLeftOut = photosLeftOut
        self.networkBytesSent = networkBytesSent
        self.networkBytesReceived = networkBytesReceived
    }
}
