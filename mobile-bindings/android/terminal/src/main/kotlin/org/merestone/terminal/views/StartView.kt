package org.merestone.terminal.views

import org.merestone.screens.BegunDraft
import org.merestone.screens.FillStart
import org.merestone.screens.StartScreen
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

/** What to fill: a draft to go on with, or a form. */
class StartView(private val work: Work) : View(work.app.scope) {
    private val screen = StartScreen(work.app.phone, work.observer, scope)
    private val menu = Menu()

    override val changes get() = screen.state

    override fun shown() {
        screen.open()
    }

    override fun draw(size: Size): Drawing {
        val state = screen.state.value
        val body = mutableListOf<Line>()
        var (index, focus) = Pair(0, 0)

        fun item(text: String) {
            if (index == menu.at) focus = body.size
            body += menu.line(index, text)
            index += 1
        }
        if (state.drafts.isNotEmpty()) body += Line("Go on with what was begun", Ink.BOLD)
        state.drafts.forEach { item(work.app.say(it.message)) }
        if (state.drafts.isNotEmpty()) body += Line()
        body += Line("Begin something new", Ink.BOLD)
        state.forms.forEach { item(it.title) }
        if (state.damaged.isNotEmpty()) {
            body +=
                listOf(Line(), Line("${state.damaged.size} drafts cannot be read any more.", Ink.BAD))
        }
        if (state.scopes.isEmpty() && !state.isBusy) {
            body += listOf(Line(), Line("You have no scope to write in yet: see your officer.", Ink.BAD))
        }
        val scope =
            state.scopes
                .find { it.id == state.scope }
                ?.name
                .orEmpty()
        val keys = mutableListOf("↑↓" to "move", "Enter" to "fill it")
        if (draft() != null) keys += "d" to "throw away"
        if (state.scopes.size > 1) keys += "s" to "scope"
        return Drawing(
            "Fill a form",
            body,
            scope,
            work.app.noticeOf(state),
            keys + ("Esc" to "back"),
            focus,
            state.isBusy,
        )
    }

    override fun press(key: Key): Step {
        val state = screen.state.value
        return when {
            key == Key.Escape -> Step.Back
            menu.press(key, state.drafts.size + state.forms.size) -> Step.Stay
            key == Key.Enter -> start()?.let { start -> Step.To { FillView(work, start) } } ?: Step.Stay
            key.isLetter('s') && state.scopes.size > 1 -> Step.To { scopes() }
            key.isLetter('d') -> draft()?.let { begun -> Step.To { discard(begun) } } ?: Step.Stay
            else -> Step.Stay
        }
    }

    private fun draft(): BegunDraft? = screen.state.value.drafts
        .getOrNull(menu.at)

    private fun start(): FillStart? {
        draft()?.let { return screen.goOn(it.draft.id) }
        val state = screen.state.value
        return state.forms.getOrNull(menu.at - state.drafts.size)?.let { screen.new(it.hash) }
    }

    private fun scopes(): View {
        val items =
            screen.state.value.scopes.map { scope ->
                Item(scope.name) { Step.Stay.also { screen.choose(scope.id) } }
            }
        return ChoiceView(work.app, "Scope of what is begun", items)
    }

    private fun discard(begun: BegunDraft): View = confirm(
        work.app,
        "Throw away",
        "${work.app.say(begun.message)}. Its answers and photos are nowhere else.",
        "Throw it away",
    ) {
        Step.Stay.also { screen.discard(begun.draft.id) }
    }
}
