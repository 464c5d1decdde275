import Foundation
internal import MerestoneCrossing

/// Tells every reader what changed in a store.
final class ChangeHub: MerestoneCrossing.ChangeListener, @unchecked Sendable {
    private typealias Reader = AsyncThrowingStream<Change, any Error>.Continuation

    private let lock = NSLock()
    /// `nil` when the phone is closed.
    private var readers: [Int: Reader]? = [:]
    private var readersMade = 0

    func onChanged(change: MerestoneCrossing.Change) {
        let change = Change(change)
        let readers = lock.withLock { self.readers?.values.map { $0 } ?? [] }
        for reader in readers { tell(reader, change) }
    }

    /// - Parameter isOpen: whether the phone is, at the moment of the call
    func changes(_ isOpen: @escaping @Sendable () -> Bool) -> Events<Change> {
        Events {
            AsyncThrowingStream(bufferingPolicy: .bufferingNewest(1)) { reader in
                guard isOpen() else { return reader.finish(throwing: Self.closed(isPaused: !self.isOver)) }
                guard let number = self.add(reader) else { return reader.finish(throwing: Self.closed(isPaused: false)) }
                self.tell(reader, Change(records: [], isEverything: true, hasStatements: true))
                reader.onTermination = { _ in
                    self.lock.withLock { self.readers?[number] = nil }
                }
            }
        }
    }

    /// Ends all readers, and those that come later at once.
    func finish() {
        let readers = lock.withLock {
            defer { self.readers = nil }
            return self.readers?.values.map { $0 } ?? []
        }
        readers.forEach { $0.finish() }
    }

    /// One change waits for a slow reader at most; what it pushes out is added to it.
    private func tell(_ reader: Reader, _ change: Change) {
        if case .dropped(let earlier) = reader.yield(change) { reader.yield(earlier + change) }
    }

    private var isOver: Bool { lock.withLock { readers == nil } }

    private static func closed(isPaused: Bool) -> MerestoneError {
        .closed(isPaused: isPaused, reason: isPaused ? "the phone is paused" : "the phone is closed")
    }

    private func add(_ reader: Reader) -> Int? {
        lock.withLock {
            guard readers != nil else { return nil }
            readersMade += 1
            readers?[readersMade] = reader
            return readersMade
        }
    }
}

/// Tells the reader of one meeting how far it is, and how it ended.
final class MeetingListener: MerestoneCrossing.SyncListener, @unchecked Sendable {
    private let lock = NSLock()
    private let reader: AsyncThrowingStream<SyncEvent, any Error>.Continuation
    private var isOver = false

    init(_ reader: AsyncThrowingStream<SyncEvent, any Error>.Continuation) {
        self.reader = reader
    }

    func onProgress(state: MerestoneCrossing.SyncState) {
        lock.withLock {
            // The library may tell the last state after the call has returned; the report has it too.
            if !isOver { reader.yield(.progress(SyncState(state))) }
        }
    }

    func end(_ report: SyncReport) {
        lock.withLock {
            isOver = true
            reader.yield(.ended(report))
            reader.finish()
        }
    }
}

/// Tells the reader of one search what is found.
final class SearchListener: MerestoneCrossing.NearbyListener {
    private let reader: AsyncThrowingStream<NearbyDevice, any Error>.Continuation

    init(_ reader: AsyncThrowingStream<NearbyDevice, any Error>.Continuation) {
        self.reader = reader
    }

    func onFound(peer: MerestoneCrossing.NearbyLine) {
        reader.yield(NearbyDevice(peer))
    }
}
