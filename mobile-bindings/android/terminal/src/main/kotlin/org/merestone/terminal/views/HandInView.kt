package org.merestone.terminal.views

import org.merestone.screens.HandInScreen
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

/** Handing in this phone: what would be lost, and removing everything. */
class HandInView(private val work: Work) : View(work.app.scope) {
    private val screen = HandInScreen(work.app.phone, work.app.phrases, scope)

    override val changes get() = screen.state

    override fun shown() {
        // After a prompt the state says what came of it; looking again would take that away.
        if (screen.state.value.refusal == null && !screen.state.value.isBusy) screen.look()
    }

    override fun draw(size: Size): Drawing {
        val state = screen.state.value
        val body = mutableListOf<Line>()

        fun words(text: String, ink: Ink = Ink.PLAIN) = wrap(text, size.columns - 2).mapTo(body) { Line(it, ink) }
        if (state.isWiped) {
            words("This phone is empty: keys, records, photos and drafts are removed. It can be handed in.", Ink.GOOD)
            if (state.leftAlone.isNotEmpty()) {
                words(
                    "Left alone, as not of this app: ${state.leftAlone.joinToString(", ")}.",
                    Ink.WARN,
                )
            }
            return Drawing("Hand in", body, keys = listOf("Enter" to "leave"))
        }
        val loss = state.loss
        when {
            loss == null -> {
                body += Line("Looking what is elsewhere …", Ink.DIM)
            }

            loss.isNothing -> {
                words(
                    "Everything on this phone is at base camp. Nothing is lost when it is removed.",
                    Ink.GOOD,
                )
            }

            else -> {
                words("Not everything on this phone is at base camp:", Ink.BOLD)
                loss.lines().forEach { words("  ${work.app.say(it)}", Ink.WARN) }
                body += Line()
                words(
                    "Meet base camp first (s), or carry it there on a stick (k). What a stick carries counts once base camp's receipt came back.",
                )
            }
        }
        state.refusal?.let { body += listOf(Line(), work.app.refused(it)) }
        val keys = listOf("r" to "remove everything", "s" to "sync", "k" to "courier", "Esc" to "back")
        return Drawing(
            "Hand in this phone",
            body,
            notice = work.app.noticeOf(state),
            isBusy = state.isBusy,
            keys = keys,
        )
    }

    override fun press(key: Key): Step {
        val state = screen.state.value
        return when {
            state.isWiped -> if (key == Key.Enter || key == Key.Escape) Step.Quit else Step.Stay
            key == Key.Escape -> Step.Back
            state.loss == null -> Step.Stay
            key.isLetter('s') -> Step.To { SyncView(work) }
            key.isLetter('k') -> Step.To { CourierView(work) }
            key.isLetter('r') -> Step.To { remove() }
            else -> Step.Stay
        }
    }

    private fun remove(): View {
        val confirmation = screen.state.value.confirmation
        if (confirmation == null) {
            return confirm(
                work.app,
                "Remove everything",
                "Keys, records, photos and drafts are removed from this phone.",
                "Remove everything",
            ) {
                Step.Stay.also { screen.wipe() }
            }
        }
        val phrase = work.app.say(confirmation)
        val words =
            listOf(
                "What is named below is then lost for good, unless it is on another device. To do it all the same, write:",
                "  $phrase",
            )
        return PromptView(work.app, "Remove everything", "Write it out", { typed ->
            screen.wipe(typed)
            null
        }, words)
    }
}
