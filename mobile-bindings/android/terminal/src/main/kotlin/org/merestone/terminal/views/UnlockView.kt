package org.merestone.terminal.views

import org.merestone.Observer
import org.merestone.ObserverState
import org.merestone.screens.UnlockScreen
import org.merestone.terminal.App
import org.merestone.terminal.Menu
import org.merestone.terminal.Step
import org.merestone.terminal.View
import org.merestone.terminal.Work
import org.merestone.terminal.tty.Drawing
import org.merestone.terminal.tty.Field
import org.merestone.terminal.tty.Ink
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Size
import org.merestone.terminal.tty.Span
import org.merestone.terminal.tty.line

/** Who is working, and the passphrase of their key. */
class UnlockView(private val app: App) : View(app.scope) {
    private val screen = UnlockScreen(app.phone, scope)
    private val menu = Menu()
    private var field = Field(isSecret = true)

    override val changes get() = screen.state

    override fun shown() {
        screen.open()
    }

    override fun draw(size: Size): Drawing {
        val state = screen.state.value
        val body = mutableListOf(Line("Mission: ${state.mission}"), Line())
        if (state.isNobodyHere) body += Line("Nobody works on this phone yet: press Enter to enrol.")
        state.observers.forEachIndexed { index, observer -> body += menu.line(index, said(observer)) }
        var cursor: Pair<Int, Int>? = null
        chosen()?.takeIf { it.state != ObserverState.REQUESTED }?.let {
            body += listOf(Line(), Line("Passphrase of ${it.name}", Ink.BOLD))
            val (shown, column) = field.shown(size.columns - FIELD_MARGIN)
            cursor = Pair(body.size, column + 2)
            body += line(Span("> ", Ink.KEY), Span(shown))
        }
        state.refusal?.let { body += listOf(Line(), app.refused(it)) }
        val keys = mutableListOf<Pair<String, String>>()
        if (state.observers.size > 1) keys += "↑↓" to "choose"
        keys += listOf("Enter" to enterDoes(), "Ctrl-N" to "enrol somebody", "Esc" to "leave")
        return Drawing(
            "Merestone",
            body,
            notice = app.noticeOf(state),
            isBusy = state.isBusy,
            keys = keys,
            cursor = cursor,
        )
    }

    override fun press(key: Key): Step {
        val state = screen.state.value
        val observer = chosen()
        when {
            key == Key.Escape -> return Step.Quit
            key == Key.Control('n') -> return enrol()
            menu.press(key, state.observers.size) -> chosen()?.let { screen.choose(it.key) }
            key != Key.Enter -> field.press(key)
            observer == null || observer.state == ObserverState.REQUESTED -> return enrol()
            else -> unlock(observer)
        }
        return Step.Stay
    }

    override fun step(): Step {
        val state = screen.state.value
        val key = state.unlocked ?: return Step.Stay
        val name =
            state.observers
                .find { it.key == key }
                ?.name
                .orEmpty()
        return Step.Instead { HomeView(Work(app, key, name, state.mission)) }
    }

    private fun unlock(observer: Observer) {
        screen.choose(observer.key)
        screen.unlock(field.text)
        field = Field(isSecret = true)
    }

    private fun enrol() = Step.To { EnrolView(app) }

    private fun chosen() = screen.state.value.observers
        .getOrNull(menu.at)

    private fun enterDoes() = when (chosen()?.state) {
        null -> "enrol"
        ObserverState.REQUESTED -> "go on with the request"
        else -> "unlock"
    }

    private fun said(observer: Observer): String {
        val state =
            when (observer.state) {
                ObserverState.REQUESTED -> "  waits for a certificate"
                ObserverState.CUT -> "  cut by its party: can read, cannot save"
                ObserverState.CERTIFIED -> ""
            }
        return "${observer.name} (${observer.device})$state"
    }
}

/** What stands left of a field, and the cursor's own column. */
internal const val FIELD_MARGIN = 5
