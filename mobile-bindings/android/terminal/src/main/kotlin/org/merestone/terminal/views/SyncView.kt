package org.merestone.terminal.views

import org.merestone.NearbyDevice
import org.merestone.screens.SyncGrade
import org.merestone.screens.SyncOutcome
import org.merestone.screens.SyncScreen
import org.merestone.screens.progress
import org.merestone.terminal.App
import org.merestone.terminal.Menu
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

/** Meets another device: one that is nearby, or by what it shows. */
class SyncView(private val work: Work) : View(work.app.scope) {
    private val screen = SyncScreen(work.app.phone, work.observer, scope)
    private val menu = Menu()

    init {
        screen.look()
    }

    override val changes get() = screen.state

    override fun draw(size: Size): Drawing {
        val state = screen.state.value
        val body = mutableListOf<Line>()
        val meeting = state.meeting
        if (meeting != null) {
            meeting.peer?.let { body += Line("With ${it.observer} (${it.device})") }
            body +=
                listOf(
                    Line(work.app.say(meeting.progress())),
                    Line(),
                    Line("What came is on the disk already; it can be ended at any time.", Ink.DIM),
                )
            return Drawing("Meeting", body, keys = listOf("x" to "end it"))
        }
        state.outcome?.let { body += outcomeLines(work.app, it, size.columns) + Line() }
        state.refusal?.let { body += listOf(work.app.refused(it.message), Line()) }
        body += Line(if (state.isLooking) "Looking around …" else "Found nearby", Ink.BOLD)
        if (state.nearby.isEmpty()) body += Line(if (state.isLooking) "" else "  Nobody yet: l looks around.", Ink.DIM)
        state.nearby.forEachIndexed { index, device -> body += menu.line(index, said(device)) }
        val keys = mutableListOf("t" to "ticket or address", "w" to "wait for others", "l" to "look around")
        if (state.nearby.isNotEmpty()) keys.add(0, "Enter" to "meet it")
        val notice = work.app.noticeOf(state)
        return Drawing("Sync", body, notice = notice, keys = keys + ("Esc" to "back"))
    }

    override fun press(key: Key): Step {
        val state = screen.state.value
        when {
            state.isMeeting -> if (key.isLetter('x') || key == Key.Escape || key == Key.Control('c')) screen.stop()
            key == Key.Escape -> return Step.Back
            menu.press(key, state.nearby.size) -> Unit
            key == Key.Enter -> state.nearby.getOrNull(menu.at)?.let { screen.meet(it) }
            key.isLetter('l') -> screen.look()
            key.isLetter('t') -> return Step.To { ticket() }
            key.isLetter('w') -> return Step.To { WaitView(work) }
        }
        return Step.Stay
    }

    private fun ticket(): View {
        val words =
            listOf(
                "The other device shows its ticket: merestone serve prints it, and so does w here. An address is written HOST:PORT.",
            )
        return PromptView(work.app, "Meet by ticket", "Ticket or address", { typed ->
            screen.call(typed)
            null
        }, words)
    }

    private fun said(device: NearbyDevice): String {
        val version = if (device.speaksOurs) "" else "  (another version: update both)"
        return "${device.addresses.firstOrNull().orEmpty()}$version"
    }
}

/** What a meeting came to, in lines. */
internal fun outcomeLines(app: App, outcome: SyncOutcome, columns: Int): List<Line> {
    val ink =
        when (outcome.grade) {
            SyncGrade.FULL -> Ink.GOOD
            SyncGrade.AS_WANTED -> Ink.PLAIN
            SyncGrade.UNFINISHED -> Ink.WARN
            SyncGrade.BROKEN -> Ink.BAD
        }
    val head = wrap(app.say(outcome.message), columns - 2).map { Line(it, ink) }
    return head + outcome.lines.flatMap { wrap(app.say(it), columns - INDENT) }.map { Line("  $it") }
}

private const val INDENT = 4
