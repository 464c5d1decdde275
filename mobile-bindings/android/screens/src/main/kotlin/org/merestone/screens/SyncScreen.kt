package org.merestone.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import org.merestone.MerestoneException
import org.merestone.NearbyDevice
import org.merestone.ObserverKey
import org.merestone.Phone
import org.merestone.SyncEvent
import org.merestone.SyncOptions
import org.merestone.SyncState
import org.merestone.SyncTarget

/** Meeting another device. */
public data class SyncScreenState(
    /** Whether the local network is being searched. */
    public val isLooking: Boolean = false,
    /** Devices that were found there; what they are is proved when they are met. */
    public val nearby: List<NearbyDevice> = emptyList(),
    /** What was typed or scanned and is no ticket and no address, and why. */
    public val refusal: Refusal? = null,
    /** How far the meeting is; nothing while there is none. */
    public val meeting: SyncState? = null,
    /** What the last meeting came to. */
    public val outcome: SyncOutcome? = null,
    override val isBusy: Boolean = false,
    override val trouble: Trouble? = null,
) : ScreenState {
    /** Whether a device is being met. */
    public val isMeeting: Boolean get() = meeting != null
}

/** Finds another device and meets it; one at a time. */
public class SyncScreen(private val phone: Phone, private val observer: ObserverKey, scope: CoroutineScope) :
    ScreenModel<SyncScreenState>(scope, SyncScreenState()) {
    private var search: Job? = null
    private var meeting: Job? = null

    /** The number of the newest meeting: one that was ended for it says nothing any more. */
    private var newest = 0

    /** Looks for devices on the local network for some seconds. Looking twice begins anew. */
    public fun look(): Job {
        search?.cancel()
        val job =
            listening {
                show { copy(isLooking = true, nearby = emptyList()) }
                try {
                    phone.sync.nearby(observer).collect { found -> show { copy(nearby = nearby.with(found)) } }
                } finally {
                    show { copy(isLooking = false) }
                }
            }
        search = job
        return job
    }

    /** Meets a device that was found. */
    public fun meet(device: NearbyDevice, options: SyncOptions = SyncOptions()): Job =
        meet(SyncTarget.Nearby(device), "", options)

    /**
     * Meets by what the other device shows: the ticket of its QR code, or an address as it was typed, `HOST:PORT` or
     * `KEY@HOST:PORT`.
     */
    public fun call(typed: String, options: SyncOptions = SyncOptions()): Job {
        val text = typed.trim()
        return meet(SyncTarget.Typed(text), text, options)
    }

    /** Ends the meeting and the search. What came stays, and the next meeting goes on from there. */
    public fun stop() {
        search?.cancel()
        meeting?.cancel()
    }

    override fun SyncScreenState.marked(isBusy: Boolean, trouble: Trouble?): SyncScreenState =
        copy(isBusy = isBusy, trouble = trouble)

    private fun meet(target: SyncTarget, typed: String, options: SyncOptions): Job {
        meeting?.cancel()
        newest += 1
        val number = newest
        val job =
            beside {
                show { copy(meeting = NOTHING_YET, outcome = null, refusal = null) }
                try {
                    phone.sync.meet(observer, target, options).collect(::heard)
                } catch (refused: MerestoneException.Refused) {
                    show { copy(refusal = Refusal(typed, refusalMessage(refused))) }
                } finally {
                    if (number == newest) show { copy(meeting = null) }
                }
            }
        meeting = job
        return job
    }

    private fun heard(event: SyncEvent) = when (event) {
        is SyncEvent.Progress -> show { copy(meeting = event.state) }
        is SyncEvent.Ended -> show { copy(outcome = event.report.outcome()) }
    }

    private companion object {
        val NOTHING_YET = SyncState(null, 0, 0, 0, 0, 0, 0, false)
    }
}

/** A device that is found again has new addresses. */
private fun List<NearbyDevice>.with(found: NearbyDevice) = filter { it.transportKey != found.transportKey } + found
