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

    /// Who came so far, in the order of their keys; nobody once it is stopped.
    func callers() async throws -> [Caller]

    /// ``callers()``, whenever it differs, looked at each `every`. Ends without an error when nobody listens any more: after
    /// ``stop()``, and when the phone is paused, closed or wiped.
    func callersNow(every: Duration) -> Events<[Caller]>

    /// Ends the meetings and stops listening.
    func stop() async throws
}

extension Answering {
    /// ``callers()``, looked at four times a second, see ``callersNow(every:)``.
    public func callersNow() -> Events<[Caller]> {
        callersNow(every: .milliseconds(250))
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
    /// Where it came from last, `host:port`.
    public let address: String
    /// How many of its conversations are under way.
    public let connections: Int
    /// How far the newest conversation has come.
    public let state: SyncState
    /// What the last one that ended came to; `nil` before one did.
    public let report: SyncReport?

    /// Made of its parts.
    public init(address: String, connections: Int, state: SyncState, report: SyncReport?) {
        self.address = address
        self.connections = connections
        self.state = state
        self.report = report
    }
}
