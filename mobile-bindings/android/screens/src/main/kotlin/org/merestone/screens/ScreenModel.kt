package org.merestone.screens

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import java.util.concurrent.atomic.AtomicInteger

/** What every screen's state can say besides its own. */
public interface ScreenState {
    /** Something that was asked for is still being done. */
    public val isBusy: Boolean

    /** Why the last thing that was asked for was not done; nothing once something else was. */
    public val trouble: Trouble?
}

/**
 * One screen of an app: a state to draw, and intents that change it.
 *
 * Intents are called on the thread that draws, return at once and are carried out one after the other, in the order of the
 * calls; the [Job] ends when the state shows the outcome. A screen never throws: what went wrong is in the state.
 *
 * @param scope lives as long as the screen is shown; when it is cancelled the screen stops, and saving that was begun or
 * waits for its turn is still done
 */
public abstract class ScreenModel<S : ScreenState>(protected val scope: CoroutineScope, begin: S) {
    private val shown = MutableStateFlow(begin)
    private val turn = Mutex()
    private val running = AtomicInteger()

    /** What to draw. */
    public val state: StateFlow<S> = shown.asStateFlow()

    /** The state now, for decisions. */
    protected val now: S get() = shown.value

    /** Changes the state. */
    protected fun show(change: S.() -> S): Unit = shown.update(change)

    /** The state with these marks; a `copy`. */
    protected abstract fun S.marked(isBusy: Boolean, trouble: Trouble?): S

    /** Takes away what was said of the last thing that went wrong. */
    public fun dismiss(): Unit = show { marked(isBusy, null) }

    /** Does something when its turn comes. */
    protected fun intent(work: suspend () -> Unit): Job =
        scope.launch(start = CoroutineStart.UNDISPATCHED) { turn.withLock { attempt(work) } }

    /** [intent] that is carried out even if the screen is left meanwhile: what a person answered is not lost. */
    protected fun lasting(work: suspend () -> Unit): Job = scope.launch(start = CoroutineStart.UNDISPATCHED) {
        withContext(NonCancellable) { turn.withLock { attempt(work) } }
    }

    /** Does something that takes long beside the other intents, so that they need not wait for it. */
    protected fun beside(work: suspend () -> Unit): Job =
        scope.launch(start = CoroutineStart.UNDISPATCHED) { attempt(work) }

    /** Listens to something until the screen is left, or what it returns is cancelled; nobody is kept waiting for it. */
    protected fun listening(work: suspend () -> Unit): Job = scope.launch(start = CoroutineStart.UNDISPATCHED) {
        try {
            work()
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (error: Exception) {
            show { marked(isBusy, Trouble.of(error)) }
        }
    }

    private suspend fun attempt(work: suspend () -> Unit) {
        running.incrementAndGet()
        show { marked(isBusy = true, trouble = null) }
        var trouble: Trouble? = null
        try {
            work()
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (error: Exception) {
            trouble = Trouble.of(error)
        } finally {
            val isBusy = running.decrementAndGet() > 0
            show { marked(isBusy, trouble ?: this.trouble) }
        }
    }
}
