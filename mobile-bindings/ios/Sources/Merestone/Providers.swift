import Foundation

/// Tells the time, for a phone that knows better than the system's clock.
public protocol ClockProvider: AnyObject, Sendable {
    /// Now. If it throws, the system's clock is used and no call fails for it.
    func read() throws -> ClockReading
}

/// Where a time comes from.
public enum ClockSource: Hashable, Sendable {
    /// The device's own clock, which its holder can set.
    case device
    /// A navigation satellite.
    case satellite
    /// A time server.
    case network
}

/// Tells where the phone is. Asked once for each saved entry, so it must answer from what it knows within milliseconds.
public protocol LocationProvider: AnyObject, Sendable {
    /// Here; `nil` if it is not known. If it throws, the entry says no place and is saved all the same.
    func locate() throws -> Place?
}

/// Who says where something was.
public enum PlaceSource: Hashable, Sendable {
    /// Navigation satellites, and not a guess from radio masts or wireless networks.
    case satellite
    /// A person, who typed or pointed.
    case hand
    /// A register of posts.
    case registry
    /// The system says that another program made this place up.
    case mocked
}

/// Tells what kind of link the phone has.
public protocol ConnectivityProvider: AnyObject, Sendable {
    /// Now. If it throws, the link counts as one that costs nothing.
    func hint() throws -> LinkHint
}

/// One look at a clock. No clock is believed: an audit gives intervals with their grounds.
public struct ClockReading: Hashable, Sendable {
    /// What the clock says, to the millisecond.
    public let wall: Date
    /// Milliseconds since the device started, sleep included; never goes back within one ``boot``.
    public let uptimeMs: UInt64
    /// 8 bytes that are the same until the device restarts, and then others.
    public let boot: Data
    /// Minutes between UTC and local time.
    public let offsetMin: Int
    /// Where ``wall`` comes from.
    public let source: ClockSource

    /// Made of its parts.
    public init(wall: Date, uptimeMs: UInt64, boot: Data, offsetMin: Int, source: ClockSource) {
        self.wall = wall
        self.uptimeMs = uptimeMs
        self.boot = boot
        self.offsetMin = offsetMin
        self.source = source
    }
}

/// A place, as whoever said it said it: it is no proof of having been there.
public struct Place: Hashable, Sendable {
    /// Degrees north times 10 000 000, −900 000 000 to 900 000 000.
    public let latitudeE7: Int32
    /// Degrees east times 10 000 000, −1 800 000 000 to 1 800 000 000.
    public let longitudeE7: Int32
    /// Radius in metres.
    public let accuracyM: UInt64
    /// Who says so.
    public let source: PlaceSource

    /// Made of its parts.
    public init(latitudeE7: Int32, longitudeE7: Int32, accuracyM: UInt64, source: PlaceSource) {
        self.latitudeE7 = latitudeE7
        self.longitudeE7 = longitudeE7
        self.accuracyM = accuracyM
        self.source = source
    }
}

/// What kind of link there is.
public struct LinkHint: Hashable, Sendable {
    /// Whether bytes cost money: then a sync takes no camera files unless it is told to.
    public let isMetered: Bool
    /// Whether it is a local network, where phones nearby can be found.
    public let isWifi: Bool

    /// Made of its parts.
    public init(isMetered: Bool, isWifi: Bool) {
        self.isMetered = isMetered
        self.isWifi = isWifi
    }
}
