package org.merestone.terminal.views

import org.merestone.CourierContents
import org.merestone.screens.CourierScreen
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

/** Files on a stick, where no network reaches. */
class CourierView(private val work: Work) : View(work.app.scope) {
    private val screen = CourierScreen(work.app.phone, work.observer, scope)

    override val changes get() = screen.state

    override fun draw(size: Size): Drawing {
        val state = screen.state.value
        val body = mutableListOf<Line>()

        fun words(text: String, ink: Ink = Ink.PLAIN) = wrap(text, size.columns - 2).mapTo(body) { Line(it, ink) }
        words(
            "A courier carries what this phone holds on a stick. What it carried is handed over once a receipt came back, not before.",
        )
        body += Line()
        state.refusal?.let { words("! ${work.app.say(it.message)}", Ink.BAD) }
        state.contents?.let { contents(it).forEach { line -> words(line) } }
        state.done.forEach { words(work.app.say(it), Ink.GOOD) }
        val keys = listOf("w" to "write a file", "i" to "look into a file", "r" to "take a file in", "Esc" to "back")
        return Drawing("Courier", body, notice = work.app.noticeOf(state), isBusy = state.isBusy, keys = keys)
    }

    override fun press(key: Key): Step = when {
        key == Key.Escape -> {
            Step.Back
        }

        key.isLetter('w') -> {
            Step.To { path("Write a courier's file", "Path of a new file") { screen.write(it) } }
        }

        key.isLetter('i') -> {
            Step.To {
                path("Look into a courier's file", "Path of the file") { screen.inspect(it) }
            }
        }

        key.isLetter('r') -> {
            Step.To { path("Take a courier's file in", "Path of the file") { screen.read(it) } }
        }

        else -> {
            Step.Stay
        }
    }

    private fun path(title: String, label: String, take: (File) -> Unit): View =
        PromptView(work.app, title, label, { typed ->
            take(File(typed.trim()))
            null
        })

    private fun contents(contents: CourierContents): List<String> = listOfNotNull(
        "Made by ${contents.makerObserver} on ${contents.makerDevice}${if (contents.isMakerCut) ", whose key was cut" else ""}.",
        "It holds ${contents.entries} entries and ${contents.blobs} photos and pictures, ${contents.bytes} bytes.",
        "${contents.leftOut} photos and pictures were left out.".takeIf { contents.leftOut > 0 },
    )
}
