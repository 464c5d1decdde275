package org.merestone.terminal.views

import kotlinx.coroutines.CoroutineScope
import org.merestone.screens.FillScreen
import org.merestone.screens.OverviewLine
import org.merestone.terminal.App
import org.merestone.terminal.Menu
import org.merestone.terminal.Step
import org.merestone.terminal.View
import org.merestone.terminal.tty.Drawing
import org.merestone.terminal.tty.Ink
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Size
import org.merestone.terminal.tty.clip
import org.merestone.terminal.tty.plain

/** All questions of a form and their answers, to go to one. */
class OverviewView(app: App, private val screen: FillScreen, parent: CoroutineScope) : View(parent) {
    private val app = app
    private val menu = Menu()

    init {
        screen.openOverview()
    }

    override val changes get() = screen.state

    override fun draw(size: Size): Drawing {
        val state = screen.state.value
        val lines = state.overview.orEmpty()
        val body =
            lines.mapIndexed { index, line ->
                menu.line(index, clip(plain(said(line)), size.columns - MARGIN), inkOf(line))
            }
        val keys = listOf("↑↓" to "move", "Enter" to "go there", "Esc" to "back")
        return Drawing(
            state.title,
            body.ifEmpty {
                listOf(Line("…", Ink.DIM))
            },
            notice = app.noticeOf(state),
            isBusy = state.isBusy,
            keys = keys,
            focus = menu.at,
        )
    }

    override fun press(key: Key): Step {
        val lines =
            screen.state.value.overview
                .orEmpty()
        when {
            key == Key.Escape -> {
                screen.closeOverview()
                return Step.Back
            }

            menu.press(key, lines.size) -> {
                Unit
            }

            key == Key.Enter -> {
                val line = lines.getOrNull(menu.at)?.takeIf { !it.isHeading } ?: return Step.Stay
                screen.jump(line.key)
                return Step.Back
            }
        }
        return Step.Stay
    }

    private fun said(line: OverviewLine): String = when {
        line.isHeading -> line.label
        line.hasProblem -> "  ! ${line.label}: ${line.shown.ifEmpty { "—" }}"
        else -> "    ${line.label}: ${line.shown.ifEmpty { if (line.isAnswered) "left blank" else "—" }}"
    }

    private fun inkOf(line: OverviewLine): Ink = when {
        line.isHeading -> Ink.BOLD
        line.hasProblem -> Ink.WARN
        else -> Ink.PLAIN
    }

    private companion object {
        const val MARGIN = 5
    }
}
