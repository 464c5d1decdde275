package org.merestone

import java.time.Instant

/** Tells the time, for a phone that knows better than the system's clock. */
public fun interface ClockProvider {
    /** Now. If it throws, the system's clock is used and no call fails for it. */
    public fun read(): ClockReading
}

/**
 * One look at a clock. No clock is believed: an audit gives intervals with their grounds.
 *
 * @property wall what the clock says, to the millisecond
 * @property uptimeMs milliseconds since the device started, sleep included; never goes back within one [boot]
 * @property boot 8 bytes that are the same until the device restarts, and then others
 * @property offsetMin minutes that local time is ahead of UTC, −1 440 to 1 440
 * @property source where [wall] comes from
 */
public class ClockReading(
    public val wall: Instant,
    public val uptimeMs: Long,
    public val boot: ByteArray,
    public val offsetMin: Int,
    public val source: ClockSource,
)

/** Where a time comes from. */
public enum class ClockSource {
    /** The device's own clock, which its holder can set. */
    DEVICE,

    /** A navigation satellite. */
    SATELLITE,

    /** A time server. */
    NETWORK,
}

/** Tells where the phone is. Asked once for each saved entry, so it must answer from what it knows within milliseconds. */
public fun interface LocationProvider {
    /** Here; `null` if it is not known. If it throws, the entry says no place and is saved all the same. */
    public fun locate(): Place?
}

/**
 * A place, as whoever said it said it: it is no proof of having been there.
 *
 * @property latitudeE7 degrees north times 10 000 000, −900 000 000 to 900 000 000
 * @property longitudeE7 degrees east times 10 000 000, −1 800 000 000 to 1 800 000 000
 * @property accuracyM radius in metres
 * @property source who says so
 */
public data class Place(
    public val latitudeE7: Int,
    public val longitudeE7: Int,
    public val accuracyM: Long,
    public val source: PlaceSource,
)

/** Who says where something was. */
public enum class PlaceSource {
    /** A navigation satellite. */
    SATELLITE,

    /** A person, who typed or pointed. */
    HAND,

    /** A register of posts. */
    REGISTRY,

    /** The system says that another app made this place up. */
    MOCKED,
}

/** Tells what kind of link the phone has. */
public fun interface ConnectivityProvider {
    /** Now. If it throws, the link counts as one that costs nothing. */
    public fun hint(): LinkHint
}

/**
 * What kind of link there is.
 *
 * @property isMetered whether bytes cost money: then a sync takes no camera files unless it is told to
 * @property isWifi whether it is a local network, where phones nearby can be found
 */
public data class LinkHint(public val isMetered: Boolean, public val isWifi: Boolean)
