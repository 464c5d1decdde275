package org.merestone.terminal.views

import kotlinx.coroutines.flow.MutableStateFlow
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

/**
 * Asks for one text.
 *
 * [take] gets what was typed and says what is wrong with it; nothing, and the view is left.
 */
class PromptView(
    app: App,
    private val title: String,
    private val label: String,
    private val take: (String) -> String?,
    private val above: List<String> = emptyList(),
    begin: String = "",
) : View(app.scope) {
    private val field = Field(begin)
    private var wrong: String? = null

    override val changes = MutableStateFlow(0)

    override fun draw(size: Size): Drawing {
        val body = above.flatMap { wrap(it, size.columns - 2) }.map { Line(it) }.toMutableList()
        if (above.isNotEmpty()) body += Line()
        body += Line(label, Ink.BOLD)
        val (shown, column) = field.shown(size.columns - FIELD_MARGIN)
        val cursor = Pair(body.size, column + 2)
        body += line(Span("> ", Ink.KEY), Span(shown))
        val notice = listOfNotNull(wrong?.let { Line("! $it", Ink.BAD) })
        return Drawing(
            title,
            body,
            notice = notice,
            keys = listOf("Enter" to "take it", "Esc" to "back"),
            cursor = cursor,
        )
    }

    override fun press(key: Key): Step {
        when (key) {
            Key.Escape -> {
                return Step.Back
            }

            Key.Enter -> {
                wrong = if (field.text.isBlank()) "Type something, or press Esc to go back." else take(field.text)
                if (wrong == null) return Step.Back
            }

            else -> {
                field.press(key)
            }
        }
        return Step.Stay
    }
}
