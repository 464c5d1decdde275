import Foundation
internal import MerestoneCrossing

final class CrossingAnswering: Answering, @unchecked Sendable {
    private let answering: MerestoneCrossing.Answering
    private let mayListen: @Sendable () -> Bool
    private let lock = NSLock()
    private var isStopped = false

    /// - Parameter mayListen: whether its phone did not end all listening since this began
    init(_ answering: MerestoneCrossing.Answering, mayListen: @escaping @Sendable () -> Bool) {
        self.answering = answering
        self.mayListen = mayListen
    }

    var address: String { answering.address() }
    var isAdvertised: Bool { answering.isAdvertised() }

    func ticket(name: String?) async throws -> Ticket {
        try await crossing {
            let line = try await answering.ticket(name: name)
            return Ticket(text: line.text, qr: line.qr.map(QrCode.init))
        }
    }

    func callers() async throws -> [Caller] {
        try await crossing { try await answering.callers().map(Caller.init) }
    }

    func callersNow(every: Duration) -> Events<[Caller]> {
        Events {
            AsyncThrowingStream { reader in
                let watching = Task {
                    do {
                        try await self.watch(every) { reader.yield($0) }
                        reader.finish()
                    } catch {
                        reader.finish(throwing: error is CancellationError ? nil : error)
                    }
                }
                reader.onTermination = { _ in watching.cancel() }
            }
        }
    }

    func stop() async throws {
        lock.withLock { isStopped = true }
        try await crossing { try await answering.stop() }
    }

    private var listens: Bool { mayListen() && !lock.withLock { isStopped } }

    private func watch(_ every: Duration, _ tell: @Sendable ([Caller]) -> Void) async throws {
        var last: [Caller]?
        while listens {
            let now = try await callers()
            if now != last { tell(now) }
            last = now
            try await Task.sleep(for: every)
        }
    }
}

/// Counts what ends all listening of a phone: each pause, and its closing or wiping.
final class ListeningEnds: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    var soFar: Int { lock.withLock { count } }

    func add() { lock.withLock { count += 1 } }
}
