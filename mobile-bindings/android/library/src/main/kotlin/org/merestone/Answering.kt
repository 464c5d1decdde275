package org.merestone

import kotlinx.coroutines.flow.Flow
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** This phone, listening for others. [Sync.answer] gives it. */
public interface Answering : AutoCloseable {
    /** Where it listens, `host:port`. */
    public val address: String

    /** Whether phones nearby can find this one; not if it was not asked for, or the system does not let it speak there. */
    public val isAdvertised: Boolean

    /**
     * What another phone scans to come here.
     *
     * @param name shown by the other phone before they meet; `null` for none
     */
    public suspend fun ticket(name: String? = null): Ticket

    /**
     * Who came so far, in the order of their transport keys.
     *
     * @throws MerestoneException.Closed after [stop] and [close]
     */
    public suspend fun callers(): List<Caller>

    /**
     * [callers], whenever it differs, looked at each [every]. Ends, at the next look, when listening ended: by [stop] or
     * [close], or because the phone was paused, closed or wiped.
     */
    public fun callersNow(every: Duration = 250.milliseconds): Flow<List<Caller>>

    /** Ends the meetings and stops listening. */
    public suspend fun stop()

    /** [stop] without waiting. */
    override fun close()
}

/**
 * How to come to a device. It proves nothing: who answers is proved when the devices meet.
 *
 * @property qr [text] as a QR code; `null` if it does not fit into one
 */
public data class Ticket(public val text: String, public val qr: QrCode?)

/**
 * A device that came.
 *
 * @property address where it came from last, `host:port`
 * @property connections how many of its conversations are under way
 * @property state how far the newest conversation has come
 * @property report what the last one that ended came to; `null` before one did
 */
public data class Caller(
    public val address: String,
    public val connections: Int,
    public val state: SyncState,
    public val report: SyncReport?,
)
