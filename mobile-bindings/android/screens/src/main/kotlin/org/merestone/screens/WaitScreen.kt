package org.merestone.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import org.merestone.Caller
import org.merestone.ObserverKey
import org.merestone.Phone
import org.merestone.Ticket

/** Waiting for other devices to come here. */
public data class WaitState(
    /** Where this phone answers; nothing while it does not. */
    public val address: String? = null,
    /** What the other device scans or types. */
    public val ticket: Ticket? = null,
    /** Who came, in the order of their transport keys. */
    public val visits: List<Visit> = emptyList(),
    override val isBusy: Boolean = false,
    override val trouble: Trouble? = null,
) : ScreenState

/** A device that came. */
public data class Visit(
    public val caller: Caller,
    /** Who it is, and how far it is. */
    public val progress: Message,
    /** What it came to; nothing while it lasts. */
    public val outcome: SyncOutcome?,
)

/** Lets other devices meet this one while it is shown. */
public class WaitScreen(private val phone: Phone, private val observer: ObserverKey, scope: CoroutineScope) :
    ScreenModel<WaitState>(scope, WaitState()) {
    private var waiting: Job? = null

    /**
     * Answers until [stop], until the screen is left, or until the phone is paused or closed.
     *
     * @param address where; port 0 takes any that is free
     * @param isAdvertised whether the local network is told, without any name, key or mission
     */
    public fun open(address: String = "0.0.0.0:0", isAdvertised: Boolean = true): Job {
        waiting?.cancel()
        val job =
            listening {
                val answering = phone.sync.answer(observer, address, isAdvertised)
                try {
                    val ticket = answering.ticket()
                    show { copy(address = answering.address, ticket = ticket) }
                    answering.callersNow().collect { callers -> show { copy(visits = callers.map(::visit)) } }
                } finally {
                    withContext(NonCancellable) { answering.stop() }
                    show { copy(address = null, ticket = null) }
                }
            }
        waiting = job
        return job
    }

    /** Stops answering; meetings under way end, and what came stays. */
    public fun stop() {
        waiting?.cancel()
    }

    override fun WaitState.marked(isBusy: Boolean, trouble: Trouble?): WaitState =
        copy(isBusy = isBusy, trouble = trouble)

    private fun visit(caller: Caller) = Visit(caller, caller.state.progress(), caller.report?.outcome())
}
