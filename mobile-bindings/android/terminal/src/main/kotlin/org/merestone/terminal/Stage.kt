package org.merestone.terminal

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.plus
import kotlinx.coroutines.selects.select
import org.merestone.terminal.tty.Drawing
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Size
import org.merestone.terminal.tty.Terminal
import org.merestone.terminal.tty.frame

/** Where a key or a change leads. */
sealed interface Step {
    data object Stay : Step

    /** To another view; this one is there again afterwards. */
    data class To(val view: () -> View) : Step

    /** To another view in this one's place. */
    data class Instead(val view: () -> View) : Step

    /** Back to the view below. */
    data object Back : Step

    /** To this view alone, with nothing below it. */
    data class Anew(val view: () -> View) : Step

    data object Quit : Step
}

/** One view on the screen; its scope ends when it is left. */
abstract class View(parent: CoroutineScope) {
    protected val scope: CoroutineScope = parent + SupervisorJob(parent.coroutineContext.job)

    /** Whenever something changed that is drawn. */
    abstract val changes: Flow<Any?>

    abstract fun draw(size: Size): Drawing

    abstract fun press(key: Key): Step

    /** Where a change leads by itself. */
    open fun step(): Step = Step.Stay

    /** It is on top, for the first time or again. */
    open fun shown() = Unit

    fun close() = scope.cancel()
}

/** Draws the view on top and gives it the keys, until there is none. */
class Stage(private val terminal: Terminal, private val keys: Channel<Key>, private val resized: Channel<Unit>) {
    private val views = ArrayDeque<View>()
    private val changed = Channel<Unit>(Channel.CONFLATED)
    private var watch: Job? = null
    private var size = terminal.size()

    suspend fun play(first: View, scope: CoroutineScope) {
        push(first, scope)
        while (views.isNotEmpty()) {
            draw()
            val step =
                select<Step> {
                    keys.onReceive { if (it == Key.Gone) Step.Quit else views.last().press(it) }
                    changed.onReceive { views.last().step() }
                    resized.onReceive {
                        size = terminal.size()
                        terminal.forget()
                        Step.Stay
                    }
                }
            take(step, scope)
        }
    }

    private fun take(step: Step, scope: CoroutineScope) {
        when (step) {
            Step.Stay -> {
                Unit
            }

            is Step.To -> {
                push(step.view(), scope)
            }

            is Step.Instead -> {
                views.removeLast().close()
                push(step.view(), scope)
            }

            is Step.Anew -> {
                clear()
                push(step.view(), scope)
            }

            Step.Back -> {
                views.removeLast().close()
                views.lastOrNull()?.let { top(it, scope) }
            }

            Step.Quit -> {
                clear()
            }
        }
        if (views.isEmpty()) watch?.cancel()
    }

    private fun push(view: View, scope: CoroutineScope) {
        views.addLast(view)
        top(view, scope)
    }

    private fun top(view: View, scope: CoroutineScope) {
        watch?.cancel()
        watch = scope.launch { view.changes.collect { changed.trySend(Unit) } }
        view.shown()
    }

    private fun clear() {
        while (views.isNotEmpty()) views.removeLast().close()
    }

    private fun draw() {
        val framed = frame(views.last().draw(size), size)
        terminal.draw(framed.lines, size, framed.cursor)
    }
}
