package org.merestone.terminal.views

import org.merestone.screens.CameraScreen
import org.merestone.terminal.App
import org.merestone.terminal.Step
import org.merestone.terminal.View
import org.merestone.terminal.tty.Drawing
import org.merestone.terminal.tty.Field
import org.merestone.terminal.tty.Ink
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Size
import org.merestone.terminal.tty.Span
import org.merestone.terminal.tty.line
import org.merestone.terminal.tty.wrap
import java.io.File

/** Chooses a photo by its path. */
class CameraView(private val app: App, private val screen: CameraScreen) : View(app.scope) {
    private val field = Field()

    init {
        screen.open()
    }

    override val changes get() = screen.state

    override fun draw(size: Size): Drawing {
        val state = screen.state.value
        val body = mutableListOf(Line("Path of a photo (JPEG, PNG, WebP, HEIC, AVIF)", Ink.BOLD))
        val (shown, column) = field.shown(size.columns - FIELD_MARGIN)
        val cursor = Pair(body.size, column + 2)
        body += listOf(line(Span("> ", Ink.KEY), Span(shown)), Line())

        fun words(text: String, ink: Ink) = wrap(text, size.columns - 2).mapTo(body) { Line(it, ink) }
        state.refusal?.let { words("! ${app.say(it.message)}", Ink.BAD) }
        state.attached?.let { attached ->
            val pixels = listOfNotNull(attached.width, attached.height).joinToString(" × ")
            words("Attached and on the disk${if (pixels.isEmpty()) "" else ": $pixels pixels"}.", Ink.GOOD)
        }
        state.warnings.forEach { words("! ${app.say(it)}", Ink.WARN) }
        state.roomLeft?.let { words(app.say(it), Ink.DIM) }
        val enter = if (state.attached != null && field.text.isBlank()) "done" else "attach"
        return Drawing(
            "Photo",
            body,
            notice = app.noticeOf(state),
            isBusy = state.isBusy,
            keys = listOf("Enter" to enter, "Esc" to "back"),
            cursor = cursor,
        )
    }

    override fun press(key: Key): Step {
        when (key) {
            Key.Escape -> {
                return Step.Back
            }

            Key.Enter -> {
                if (field.text.isBlank()) return if (screen.state.value.attached == null) Step.Stay else Step.Back
                screen.choose(File(field.text.trim()))
                field.text = ""
            }

            else -> {
                field.press(key)
            }
        }
        return Step.Stay
    }
}
