package org.merestone.terminal.views

import org.merestone.screens.Visit
import org.merestone.screens.WaitScreen
import org.merestone.terminal.Step
import org.merestone.terminal.View
import org.merestone.terminal.Work
import org.merestone.terminal.tty.Drawing
import org.merestone.terminal.tty.Ink
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Size
import org.merestone.terminal.tty.isLetter
import org.merestone.terminal.tty.wrap
import java.io.File

/** Lets others come here, for as long as it is shown. */
class WaitView(private val work: Work) : View(work.app.scope) {
    private val screen = WaitScreen(work.app.phone, work.observer, scope)

    /** Where the ticket was written. */
    private var written: String? = null

    init {
        screen.open()
    }

    override val changes get() = screen.state

    override fun draw(size: Size): Drawing {
        val state = screen.state.value
        val body = mutableListOf<Line>()
        val ticket = state.ticket
        if (ticket == null) {
            body += Line("…", Ink.DIM)
        } else {
            body +=
                listOf(
                    Line("Others can come here, at port ${state.address.orEmpty().substringAfterLast(':')}.", Ink.GOOD),
                    Line("On the other phone: s, then l; or t and this ticket:"),
                    Line(),
                )
            body += wrap(ticket.text, size.columns - 2).map { Line(it, Ink.KEY) }
            body += Line()
        }
        written?.let { body += listOf(Line("Written into $it.", Ink.GOOD), Line()) }
        if (state.visits.isEmpty()) body += Line("Nobody came yet.", Ink.DIM)
        state.visits.takeLast(VISITS_MAX).forEach { body += visit(it, size.columns) }
        val notice = work.app.noticeOf(state)
        return Drawing(
            "Waiting for others",
            body,
            notice = notice,
            keys =
            listOf(
                "q" to "QR code",
                "f" to "ticket into a file",
                "Esc" to "stop",
            ),
        )
    }

    override fun press(key: Key): Step {
        val ticket = screen.state.value.ticket
        return when {
            key == Key.Escape -> {
                Step.Back
            }

            ticket == null -> {
                Step.Stay
            }

            key.isLetter('q') -> {
                Step.To { QrView(work.app, "Ticket", ticket.qr) }
            }

            key.isLetter('f') -> {
                Step.To {
                    PromptView(work.app, "Write the ticket", "Path of a new file", {
                        writeNew(File(it.trim()), ticket.text).also { wrong -> if (wrong == null) written = it.trim() }
                    })
                }
            }

            else -> {
                Step.Stay
            }
        }
    }

    private fun visit(visit: Visit, columns: Int): List<Line> {
        val peer = visit.caller.state.peer
        val who = peer?.let { "${it.observer} (${it.device})" } ?: "Somebody at ${visit.caller.address}"
        val how =
            visit.outcome?.let { outcomeLines(work.app, it, columns) }
                ?: listOf(Line("  ${work.app.say(visit.progress)}"))
        return listOf(Line(who, Ink.BOLD)) + how
    }

    private companion object {
        /** Most visits that are shown, the newest. */
        const val VISITS_MAX = 5
    }
}
