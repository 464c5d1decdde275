package org.merestone.terminal.views

import kotlinx.coroutines.flow.MutableStateFlow
import org.merestone.terminal.App
import org.merestone.terminal.Menu
import org.merestone.terminal.Step
import org.merestone.terminal.View
import org.merestone.terminal.tty.Drawing
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Size
import org.merestone.terminal.tty.isLetter
import org.merestone.terminal.tty.wrap

/** Something that can be chosen: with the arrows, or by its letter. */
class Item(val label: String, val letter: Char? = null, val choose: () -> Step)

/** A menu. Choosing leads where the item says; staying leads back. */
class ChoiceView(
    app: App,
    private val title: String,
    private val items: List<Item>,
    private val above: List<String> = emptyList(),
) : View(app.scope) {
    private val menu = Menu()

    override val changes = MutableStateFlow(0)

    override fun draw(size: Size): Drawing {
        val words = above.flatMap { wrap(it, size.columns - 2) }.map { Line(it) }
        val head = if (words.isEmpty()) words else words + Line()
        val lines =
            items.mapIndexed { index, item ->
                menu.line(index, said(item))
            }
        val keys = listOf("↑↓" to "move", "Enter" to "choose", "Esc" to "back")
        return Drawing(title, head + lines, keys = keys, focus = head.size + menu.at)
    }

    private fun said(item: Item) =
        if (items.any { it.letter != null }) "${item.letter ?: " "}  ${item.label}" else item.label

    override fun press(key: Key): Step {
        if (key == Key.Escape) return Step.Back
        if (menu.press(key, items.size)) return Step.Stay
        val item =
            items.getOrNull(menu.at).takeIf { key == Key.Enter }
                ?: items.find { it.letter?.let(key::isLetter) ?: false }
        return when (val step = item?.choose?.invoke() ?: return Step.Stay) {
            Step.Stay -> Step.Back
            is Step.To -> Step.Instead(step.view)
            else -> step
        }
    }
}

/** Asks whether something is meant that is not easily taken back. */
fun confirm(app: App, title: String, words: String, yes: String, then: () -> Step): View =
    ChoiceView(app, title, listOf(Item("No, go back", 'n') { Step.Stay }, Item(yes, 'y', then)), listOf(words))
