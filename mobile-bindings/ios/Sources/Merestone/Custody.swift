/// Who holds a copy of an entry, as far as signed receipts say.
public struct Custody: Hashable, Sendable {
    public let entry: EntryID
    /// Other devices that have it.
    public let peers: Int
    /// Whether base camp has it.
    public let isAtBaseCamp: Bool
    /// How many camera files belong to it.
    public let photos: Int
    /// How many of them another device has.
    public let photosElsewhere: Int
    /// How many of them base camp has.
    public let photosAtBaseCamp: Int
    /// Whether losing this phone would lose the entry or a photo of it.
    public let isOnlyHere: Bool
    /// Whether base camp has all of it.
    public let isHandedOver: Bool

    /// Made of its parts.
    public init(
        entry: EntryID,
        peers: Int,
        isAtBaseCamp: Bool,
        photos: Int,
        photosElsewhere: Int,
        photosAtBaseCamp: Int,
        isOnlyHere: Bool,
        isHandedOver: Bool
    ) {
        self.entry = entry
        self.peers = peers
        self.isAtBaseCamp = isAtBaseCamp
        self.photos = photos
        self.photosElsewhere = photosElsewhere
        self.photosAtBaseCamp = photosAtBaseCamp
        self.isOnlyHere = isOnlyHere
        self.isHandedOver = isHandedOver
    }
}

/// What would be lost with this phone, whoever wrote it, as far as signed receipts say. Drafts are not among it.
public struct HeldAlone: Hashable, Sendable {
    /// Those that no other device has.
    public let entries: Int
    /// Those that base camp does not have; ``entries`` included.
    public let entriesNotAtCamp: Int
    /// Camera files that no other device has.
    public let photos: Int
    /// Camera files that base camp does not have; ``photos`` included.
    public let photosNotAtCamp: Int

    /// Made of its parts.
    public init(entries: Int, entriesNotAtCamp: Int, photos: Int, photosNotAtCamp: Int) {
        self.entries = entries
        self.entriesNotAtCamp = entriesNotAtCamp
        self.photos = photos
        self.photosNotAtCamp = photosNotAtCamp
    }
}
