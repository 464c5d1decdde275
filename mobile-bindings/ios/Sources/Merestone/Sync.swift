/// Meeting other devices: base camp or another phone.
public protocol Sync: Sendable {
    /// Meets one device and exchanges what each lacks.
    ///
    /// Each `for try await` over it meets the device; leaving the loop, or cancelling its task, ends the link at once and
    /// keeps what came. It gives ``SyncEvent/progress(_:)`` at most ten times in a second (older ones are dropped for a slow
    /// reader) and ends with ``SyncEvent/ended(_:)``. Only a report with ``SyncReport/isFullySynced`` may be called synced.
    ///
    /// - Throws: from the loop, ``MerestoneError/unreachable(code:isWorthRetrying:reason:)`` if the device was not met,
    ///   ``MerestoneError/locked(reason:)`` if the observer's key is locked
    func meet(_ observer: ObserverKey, _ target: SyncTarget, options: SyncOptions) -> Events<SyncEvent>

    /// ``meet(_:_:options:)`` for who needs no progress.
    func meetOnce(_ observer: ObserverKey, _ target: SyncTarget, options: SyncOptions) async throws -> SyncReport

    /// Devices of this program on the local network, each as it is found or its addresses change; ends after `window`.
    ///
    /// What is found proves nothing about who it is.
    ///
    /// - Parameter window: at most an hour
    func nearby(_ observer: ObserverKey, window: Duration) -> Events<NearbyDevice>

    /// Lets other devices meet this one, until ``Answering/stop()`` or until the phone is paused or closed.
    ///
    /// - Parameters:
    ///   - address: where to listen; port 0 takes any that is free
    ///   - isAdvertised: whether the local network is told, without any name, key or mission
    /// - Throws: ``MerestoneError/refused(code:reason:)`` if it is no address,
    ///   ``MerestoneError/unreachable(code:isWorthRetrying:reason:)`` if it cannot be listened on
    func answer(_ observer: ObserverKey, address: String, isAdvertised: Bool) async throws -> any Answering

    /// Says that the phone's network changed, so that running meetings move over at once instead of waiting.
    ///
    /// - Parameter local: the new local address; `nil` if it is not known
    /// - Throws: ``MerestoneError/refused(code:reason:)`` with code `address` if it is none;
    ///   ``MerestoneError/unreachable(code:isWorthRetrying:reason:)`` if a meeting found no socket there: it stays where it was
    func networkChanged(local: String?) async throws
}

extension Sync {
    /// Meets one device once, with the usual options.
    public func meet(_ observer: ObserverKey, _ target: SyncTarget) -> Events<SyncEvent> {
        meet(observer, target, options: SyncOptions())
    }

    /// Meets one device once, with the usual options, for who needs no progress.
    public func meetOnce(_ observer: ObserverKey, _ target: SyncTarget) async throws -> SyncReport {
        try await meetOnce(observer, target, options: SyncOptions())
    }

    /// Looks around for ten seconds, which is long enough for a phone that wakes its radio up now and then.
    public func nearby(_ observer: ObserverKey) -> Events<NearbyDevice> {
        nearby(observer, window: .seconds(10))
    }

    /// Listens on any free port of all networks, and tells the local network.
    public func answer(_ observer: ObserverKey) async throws -> any Answering {
        try await answer(observer, address: "0.0.0.0:0", isAdvertised: true)
    }

    /// Says that the phone's network changed to one whose address is not known here.
    public func networkChanged() async throws {
        try await networkChanged(local: nil)
    }
}

/// Which device to meet. Who answers is proved when the devices meet, whatever the target said.
public enum SyncTarget: Hashable, Sendable {
    /// By what a device shows as a QR code or text.
    case ticket(String)
    /// By `host:port`. With a transport key of 64 hex digits, another device at that address is not talked to.
    case address(String, transportKey: String? = nil)
    /// By what a person typed, pasted or scanned: a ticket, `KEY@HOST:PORT` or `HOST:PORT`.
    case typed(String)
    /// One that ``Sync/nearby(_:window:)`` found.
    case nearby(NearbyDevice)
}

/// What ``Sync/meet(_:_:options:)`` tells.
public enum SyncEvent: Hashable, Sendable {
    /// How far it is.
    case progress(SyncState)
    /// It is over; nothing follows.
    case ended(SyncReport)
}

/// A device on the local network.
public struct NearbyDevice: Hashable, Sendable {
    /// 64 hex digits; new at each start of that device, and no observer's key.
    public let transportKey: String
    /// `host:port`, best first.
    public let addresses: [String]
    /// Whether both have a version of the protocol in common.
    public let speaksOurs: Bool

    /// Made of its parts.
    public init(transportKey: String, addresses: [String], speaksOurs: Bool) {
        self.transportKey = transportKey
        self.addresses = addresses
        self.speaksOurs = speaksOurs
    }
}

/// How to meet.
public struct SyncOptions: Hashable, Sendable {
    /// Whether to go on exchanging what is saved meanwhile, until cancelled.
    public var stay: Bool
    /// How often to try; `nil` for the usual number.
    public var attemptsMax: Int?
    /// Whether camera files come too; `nil`: unless the link is metered.
    public var originals: Bool?
    /// The most bytes of photos to take, small pictures first; `nil` for all.
    public var photoBytesMax: UInt64?

    /// Made of its parts.
    public init(stay: Bool = false, attemptsMax: Int? = nil, originals: Bool? = nil, photoBytesMax: UInt64? = nil) {
        self.stay = stay
        self.attemptsMax = attemptsMax
        self.originals = originals
        self.photoBytesMax = photoBytesMax
    }
}
