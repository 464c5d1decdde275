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
        for reader in readers {
            // One change waits for a slow reader at most; what it pushes out is added to it.
            if case .dropped(let earlier) = reader.yield(change) {
                reader.yield(earlier + change)
            }
        }
    }

    func changes() -> Events<Change> {
        Events {
            AsyncThrowingStream(bufferingPolicy: .bufferingNewest(1)) { reader in
                guard let number = self.add(reader) else { return reader.finish() }
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
