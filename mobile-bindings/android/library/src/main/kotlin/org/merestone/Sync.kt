package org.merestone

import kotlinx.coroutines.flow.Flow
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Meeting other devices: base camp or another phone. */
public interface Sync {
    /**
     * Meets one device and exchanges what each lacks.
     *
     * The flow is cold: collecting it meets the device, cancelling ends the link at once and keeps what came. It sends
     * [SyncEvent.Progress] at most ten times in a second (older ones are dropped for a slow collector) and ends with
     * [SyncEvent.Ended]. Only a report with `isFullySynced` may be called synced.
     *
     * @throws MerestoneException.Unreachable from collecting, if the device was not met
     * @throws MerestoneException.Locked from collecting, if the observer's key is locked
     */
    public fun meet(observer: ObserverKey, target: SyncTarget, options: SyncOptions = SyncOptions()): Flow<SyncEvent>

    /** [meet] for who needs no progress. */
    public suspend fun meetOnce(
        observer: ObserverKey,
        target: SyncTarget,
        options: SyncOptions = SyncOptions(),
    ): SyncReport

    /**
     * Devices of this program on the local network, each as it is found or its addresses change; ends after [window].
     *
     * Cold; cancelling ends the search. What is found proves nothing about who it is.
     *
     * @param window at most an hour
     */
    public fun nearby(observer: ObserverKey, window: Duration = 10.seconds): Flow<NearbyDevice>

    /**
     * Lets other devices meet this one, until [Answering.stop].
     *
     * @param address where to listen; port 0 takes any that is free
     * @param isAdvertised whether the local network is told, without any name, key or mission
     * @throws MerestoneException.Refused if it is no address
     * @throws MerestoneException.Unreachable if it cannot be listened on
     */
    public suspend fun answer(
        observer: ObserverKey,
        address: String = "0.0.0.0:0",
        isAdvertised: Boolean = true,
    ): Answering

    /**
     * Says that the phone's network changed, so that running meetings move over at once instead of waiting.
     *
     * @param local the new local address, in numbers; `null` if it is not known
     * @throws MerestoneException.Refused if it is no address
     * @throws MerestoneException.Unreachable if a meeting found no socket there: it stays where it was
     */
    public suspend fun networkChanged(local: String? = null)
}

/** Which device to meet. Who answers is proved when the devices meet, whatever the target said. */
public sealed interface SyncTarget {
    /**
     * By what a device shows as a QR code or text.
     *
     * @property text the ticket
     */
    public data class Ticket(public val text: String) : SyncTarget

    /**
     * By address.
     *
     * @property address `host:port`
     * @property transportKey 64 hex digits that must answer there; without it, whoever answers proves that it belongs to the
     *   mission, and learns this phone's transport key
     */
    public data class Address(public val address: String, public val transportKey: String? = null) : SyncTarget

    /**
     * By what a person typed, pasted or scanned.
     *
     * @property text a ticket, `KEY@HOST:PORT` or `HOST:PORT`
     */
    public data class Typed(public val text: String) : SyncTarget

    /** One that [Sync.nearby] found. */
    public data class Nearby(public val device: NearbyDevice) : SyncTarget
}

/**
 * A device on the local network.
 *
 * @property transportKey 64 hex digits; new at each start of that device, and no observer's key
 * @property addresses `host:port`, best first
 * @property speaksOurs whether both have a version of the protocol in common
 */
public data class NearbyDevice(
    public val transportKey: String,
    public val addresses: List<String>,
    public val speaksOurs: Boolean,
)

/**
 * How to meet.
 *
 * @property stay whether to go on exchanging what is saved meanwhile, until cancelled
 * @property attemptsMax how many attempts in a row without progress before giving up; `null` for 16, which is more than three
 *   minutes
 * @property originals whether camera files come too; `null`: unless the link is metered
 * @property photoBytesMax the most bytes of photos to take, small pictures first; `null` for all
 */
public data class SyncOptions(
    public val stay: Boolean = false,
    public val attemptsMax: Int? = null,
    public val originals: Boolean? = null,
    public val photoBytesMax: Long? = null,
)

/** What [Sync.meet] tells. */
public sealed interface SyncEvent {
    /** How far it is. */
    public data class Progress(public val state: SyncState) : SyncEvent

    /** It is over; nothing follows. */
    public data class Ended(public val report: SyncReport) : SyncEvent
}
