package org.merestone.terminal.views

import org.merestone.screens.CustodyScreen
import org.merestone.screens.Safety
import org.merestone.terminal.Menu
import org.merestone.terminal.Step
import org.merestone.terminal.View
import org.merestone.terminal.Work
import org.merestone.terminal.tty.Drawing
import org.merestone.terminal.tty.Ink
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Size

/** Where copies of what this phone holds are. */
class CustodyView(private val work: Work) : View(work.app.scope) {
    private val screen = CustodyScreen(work.app.phone, scope)
    private val menu = Menu()

    override val changes get() = screen.state

    override fun shown() {
        screen.look()
    }

    override fun draw(size: Size): Drawing {
        val state = screen.state.value
        val loss = state.loss
        val head = mutableListOf<Line>()
        head += Line("Looked at ${state.looked} records${if (state.isDone) "" else " so far"}.", Ink.DIM)
        if (loss?.isNothing == true) head += Line("All of it is at base camp.", Ink.GOOD)
        loss?.lines().orEmpty().forEach { head += Line(work.app.say(it), Ink.WARN) }
        head += Line()
        val lines =
            state.lines.mapIndexed { index, line ->
                val ink = if (line.safety == Safety.ONLY_HERE) Ink.WARN else Ink.PLAIN
                menu.line(index, "${line.record.title}: ${work.app.say(line.message)}", ink)
            }
        val keys = listOf("Enter" to "open", "s" to "sync", "Esc" to "back")
        return Drawing(
            "Custody",
            head + lines,
            notice = work.app.noticeOf(state),
            isBusy = state.isBusy,
            keys = keys,
            focus =
            head.size + menu.at,
        )
    }

    override fun press(key: Key): Step {
        val lines = screen.state.value.lines
        return when {
            key == Key.Escape -> {
                Step.Back
            }

            menu.press(key, lines.size) -> {
                Step.Stay
            }

            key == Key.Enter -> {
                lines.getOrNull(menu.at)?.record?.let { Step.To { RecordView(work, it.id, it.title) } }
                    ?: Step.Stay
            }

            key == Key.Typed("s") -> {
                Step.To { SyncView(work) }
            }

            else -> {
                Step.Stay
            }
        }
    }
}
