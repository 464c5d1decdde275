/// This phone, listening for others. ``Sync/answer(_:address:isAdvertised:)`` gives it.
public protocol Answering: AnyObject, Sendable {
    /// Where it listens, `host:port`.
    var address: String { get }

    /// Whether phones nearby can find this one; not if it was not asked for, or the system does not let it speak there.
    var isAdvertised: Bool { get }

    /// What another phone scans to come here.
    ///
    /// - Parameter name: shown by the other phone before they meet; `nil` for none
    func ticket(name: String?) async throws -> Ticket

    /// Who came so far, newest last.
    func callers() async throws -> [Caller]

    /// Ends the meetings and stops listening.
    func stop() async throws
}

extension Answering {
    /// ``callers()``, whenever it differs, looked at each `every`. Ends with an error when listening ends.
    public func callersNow(every: Duration = .milliseconds(250)) -> Events<[Caller]> {
        Events {
            AsyncThrowingStream { continuation in
                let watching = Task {
                    var last: [Caller]?
                    do {
                        while true {
                            let now = try await self.callers()
                            if now != last { continuation.yield(now) }
                            last = now
                            try await Task.sleep(for: every)
                        }
                    } catch {
                        continuation.finish(throwing: error is CancellationError ? nil : error)
                    }
                }
                continuation.onTermination = { _ in watching.cancel() }
            }
        }
    }
}

/// How to come to a device. It proves nothing: who answers is proved when the devices meet.
public struct Ticket: Hashable, Sendable {
    public let text: String
    /// ``text`` as a QR code; `nil` if it does not fit into one.
    public let qr: QrCode?

    /// Made of its parts.
    public init(text: String, qr: QrCode?) {
        self.text = text
        self.qr = qr
    }
}

/// A device that came.
public struct Caller: Hashable, Sendable {
    /// Where it came from.
    public let address: String
    /// How often it connected.
    public let connections: Int
    public let state: SyncState
    /// `nil` while the meeting lasts.
    public let report: SyncReport?

    /// Made of its parts.
    public init(address: String, connections: Int, state: SyncState, report: SyncReport?) {
        self.address = address
        self.connections = connections
        self.state = state
        self.report = report
    }
}
