import Foundation

/// One installation of the app, open. ``MerestoneLibrary/open(_:settings:)`` gives it.
///
/// All calls may come from any thread and from several at once; none blocks the caller's thread.
/// Cancelling the task of a call that waits for another device, or for its turn, ends it with `CancellationError`; what a
/// disk operation already began ends by itself, whole, and its result is dropped.
/// After ``close()`` and ``wipe()`` everything answers ``MerestoneError/closed(isPaused:reason:)``.
public protocol Phone: AnyObject, Sendable {
    /// Who works on this phone, and their keys.
    var observers: any Observers { get }
    /// Which forms can be filled.
    var forms: any Forms { get }
    /// What is being filled.
    var drafts: any Drafts { get }
    /// What was saved and received.
    var records: any Records { get }
    /// Pictures of records.
    var photos: any Photos { get }
    /// Meeting other devices.
    var sync: any Sync { get }
    /// Files that carry entries where there is no network.
    var courier: any Courier { get }
    /// What auditors get.
    var bags: any Bags { get }

    /// Whether calls are taken: not closed, not wiped and not paused.
    var isOpen: Bool { get }

    /// What the parties agreed on.
    func mission() async throws -> Mission

    /// How much room is left for photos.
    func room() async throws -> Room

    /// What is no longer as it was shown; first of all that everything may be so, and then what changes from now on.
    ///
    /// It comes at most ten times in a second. Each reader gets all of it; one that is slow gets it added up. It lasts across a
    /// pause, and ends when the phone is closed or wiped.
    ///
    /// - Throws: from the loop, ``MerestoneError/closed(isPaused:reason:)`` if the phone is closed or paused already
    func changes() -> Events<Change>

    /// Leaves the disk alone, for a system that ends apps which hold files open in the background.
    ///
    /// Meetings end, calls that are running finish or are rolled back, and no file of the store is open afterwards. Keys
    /// that are unlocked stay so. Until ``resume()`` other calls answer ``MerestoneError/closed(isPaused:reason:)``.
    ///
    /// - Parameter budget: how long running calls may take to finish before they are rolled back
    @discardableResult
    func pause(budget: Duration) async throws -> PauseReport

    /// Ends a ``pause(budget:)``.
    func resume() async throws

    /// Closes and removes everything: keys first, then store, photos, drafts and marker. What no other device has is lost:
    /// ask ``Records/heldAlone()`` before. Each vault that an observer was made or unlocked with since the phone was opened
    /// forgets that observer's key.
    ///
    /// - Returns: files of others that lay in its folder and were left alone
    @discardableResult
    func wipe() async throws -> [URL]

    /// Ends meetings, lets running disk operations finish and closes. Closing twice changes nothing.
    ///
    /// - Throws: ``MerestoneError/storage(_:reason:)`` with ``StorageFault/inUse`` if a call that hangs keeps the store open
    ///   after 20 seconds: then the phone is paused, and may be closed again
    func close() async throws
}

extension Phone {
    /// Leaves the disk alone within two seconds, see ``pause(budget:)``: the system gives a few when an app goes to the
    /// background, and some of them belong to the app.
    @discardableResult
    public func pause() async throws -> PauseReport {
        try await pause(budget: .seconds(2))
    }
}

/// What ``Phone/pause(budget:)`` did.
public struct PauseReport: Hashable, Sendable {
    /// Whether something was running.
    public let wasBusy: Bool
    /// Whether no file of the store is open any more. If not, the time was too short: pause it again.
    public let isClosed: Bool
    /// How many milliseconds it took.
    public let tookMs: Int

    /// Made of its parts.
    public init(wasBusy: Bool, isClosed: Bool, tookMs: Int) {
        self.wasBusy = wasBusy
        self.isClosed = isClosed
        self.tookMs = tookMs
    }
}

/// Room on the disk.
public struct Room: Hashable, Sendable {
    /// `nil` if the system does not say.
    public let freeBytes: UInt64?
    /// About how many photos of usual size still fit.
    public let photosAbout: UInt64?
    /// Whether a person should be told.
    public let isLow: Bool

    /// Made of its parts.
    public init(freeBytes: UInt64?, photosAbout: UInt64?, isLow: Bool) {
        self.freeBytes = freeBytes
        self.photosAbout = photosAbout
        self.isLow = isLow
    }
}

/// What changed in the store.
public struct Change: Hashable, Sendable {
    /// Those that have new entries or pictures.
    public let records: Set<RecordID>
    /// Whether all that is shown should be read again; then ``records`` may be incomplete.
    public let isEverything: Bool
    /// Whether certificates, cuts or other statements about observers came.
    public let hasStatements: Bool

    /// Made of its parts.
    public init(records: Set<RecordID>, isEverything: Bool, hasStatements: Bool) {
        self.records = records
        self.isEverything = isEverything
        self.hasStatements = hasStatements
    }
}

extension Change {
    /// Both changes as one.
    public static func + (earlier: Change, later: Change) -> Change {
        Change(
            records: earlier.records.union(later.records),
            isEverything: earlier.isEverything || later.isEverything,
            hasStatements: earlier.hasStatements || later.hasStatements
        )
    }
}
