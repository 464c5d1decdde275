package org.merestone.terminal.views

import org.merestone.screens.EndPage
import org.merestone.screens.FillEnd
import org.merestone.screens.FillScreen
import org.merestone.screens.FillStart
import org.merestone.screens.FillState
import org.merestone.screens.Input
import org.merestone.screens.Page
import org.merestone.screens.QuestionPage
import org.merestone.screens.RowPage
import org.merestone.terminal.Menu
import org.merestone.terminal.Step
import org.merestone.terminal.View
import org.merestone.terminal.Work
import org.merestone.terminal.tty.Drawing
import org.merestone.terminal.tty.Field
import org.merestone.terminal.tty.Ink
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Size
import org.merestone.terminal.tty.isLetter

/** A form, one page at a time. What is typed is kept with Enter; leaving keeps everything that was. */
class FillView(private val work: Work, start: FillStart) : View(work.app.scope) {
    private val screen = FillScreen(work.app.phone, work.observer, start, scope, work.app.languages)
    private val menu = Menu()
    private var field = Field()

    /** The page that [field] and [menu] belong to. */
    private var entered: String? = null

    init {
        screen.open()
    }

    override val changes get() = screen.state

    override fun draw(size: Size): Drawing {
        val state = screen.state.value
        enter(state.page)
        val page = state.page
        val (body, cursor) = FillPage(work.app, state.isRightToLeft, size.columns).draw(page, field, menu)
        val place = page?.let { "${(it.at + 1).coerceAtMost(it.of)} of ${it.of}" }.orEmpty()
        val focus =
            cursor?.first ?: body.indexOfFirst { line -> line.spans.any { it.ink == Ink.PICKED } }.coerceAtLeast(0)
        return Drawing(titleOf(state), body, place, work.app.noticeOf(state), keysOf(page), focus, state.isBusy, cursor)
    }

    override fun press(key: Key): Step {
        val page = screen.state.value.page
        when {
            key == Key.Escape -> return if (page == null) Step.Back else Step.To { menuView() }
            key == Key.Control('l') -> return Step.To { languages() }
            key == Key.PageUp -> screen.back()
            key == Key.PageDown -> screen.next()
            page is QuestionPage && page.question.input == Input.PHOTO -> return pressPhoto(page, key)
            page is QuestionPage -> pressQuestion(page, key)
            page is RowPage && key.isLetter('y') -> screen.addRow()
            page is RowPage && (key == Key.Enter || key.isLetter('n')) -> screen.next()
            page is EndPage -> pressEnd(page, key)
        }
        return Step.Stay
    }

    override fun step(): Step = when (val end = screen.state.value.end) {
        null -> Step.Stay
        is FillEnd.Done -> Step.Instead { SavedView(work, end.saved) }
        FillEnd.Left, FillEnd.Discarded -> Step.Back
    }

    private fun pressQuestion(page: QuestionPage, key: Key) {
        val question = page.question
        when {
            question.input.isChoosing -> {
                pressChoices(page, key)
            }

            question.input == Input.ACKNOWLEDGE && key ==
                Key.Typed(
                    " ",
                )
            -> {
                screen.answer(if (question.typed.isEmpty()) "OK" else "")
            }

            question.input == Input.ACKNOWLEDGE || question.input == Input.OTHER_FILE -> {
                if (key ==
                    Key.Enter
                ) {
                    screen.next()
                }
            }

            key == Key.NewLine && question.input == Input.LINES -> {
                field.press(Key.Typed("\n"))
            }

            key == Key.Enter && field.text == question.typed && page.refusal == null -> {
                screen.next()
            }

            key == Key.Enter -> {
                screen.answerAndGoOn(field.text)
            }

            else -> {
                field.press(key)
            }
        }
    }

    private fun pressChoices(page: QuestionPage, key: Key) {
        val choices = page.question.choices
        val number = (key as? Key.Typed)?.text?.toIntOrNull()?.minus(1)
        val isOne = page.question.input == Input.ONE_OF
        when {
            menu.press(key, choices.size) -> {
                Unit
            }

            number != null && number in choices.indices -> {
                menu.at = number
                screen.choose(choices[number].name)
            }

            key == Key.Typed(" ") -> {
                choices.getOrNull(menu.at)?.let { screen.choose(it.name) }
            }

            key == Key.Erase -> {
                screen.answer("")
            }

            key == Key.Enter && isOne &&
                choices.none {
                    it.isChosen
                }
            -> {
                choices.getOrNull(menu.at)?.let { screen.answerAndGoOn(it.name) }
            }

            key == Key.Enter && isOne -> {
                choices.getOrNull(menu.at)?.let {
                    if (it.isChosen) screen.next() else screen.answerAndGoOn(it.name)
                }
            }

            key == Key.Enter -> {
                screen.next()
            }
        }
    }

    private fun pressPhoto(page: QuestionPage, key: Key): Step {
        val isAnswered = page.question.typed.isNotEmpty()
        when {
            key.isLetter('p') || (key == Key.Enter && !isAnswered && page.question.isRequired) -> {
                return screen.camera()?.let { Step.To { CameraView(work.app, it) } } ?: Step.Stay
            }

            key == Key.Enter -> {
                screen.next()
            }

            key.isLetter('r') && isAnswered -> {
                screen.detachPhoto()
            }
        }
        return Step.Stay
    }

    private fun pressEnd(page: EndPage, key: Key) {
        when {
            menu.press(key, page.problems.size) -> Unit
            key.isLetter('s') -> screen.save()
            key == Key.Enter -> page.problems.getOrNull(menu.at)?.let { screen.jump(it.key) }
        }
    }

    /** A page that was not shown before begins with what stands there. */
    private fun enter(page: Page?) {
        val question = (page as? QuestionPage)?.question
        val now = question?.let { "${it.key} ${it.typed}" } ?: page?.let { "${it::class.simpleName} ${it.at}" }
        if (now == entered) return
        val isSamePage = question != null && entered?.substringBefore(' ') == question.key
        entered = now
        field = Field(question?.typed.orEmpty())
        if (!isSamePage) menu.at = question?.choices?.indexOfFirst { it.isChosen }?.coerceAtLeast(0) ?: 0
    }

    private fun menuView(): View {
        val isInRow = (screen.state.value.page as? QuestionPage)?.question?.isInRow ?: false
        val items =
            listOfNotNull(
                Item("Leave; everything that was answered is kept", 'l') { Step.Stay.also { screen.leave() } },
                Item("All questions", 'a') { Step.To { OverviewView(work.app, screen, scope) } },
                Item("To the end: what is wrong, and save", 'e') { Step.Stay.also { screen.toEnd() } },
                Item("Another language", 'g') {
                    Step.To { languages() }
                }.takeIf { screen.state.value.languages.size > 1 },
                Item("Take this row away", 'r') { Step.Stay.also { screen.withdrawRow() } }.takeIf { isInRow },
                Item("Throw this draft away", 'd') { Step.To { discard() } },
            )
        return ChoiceView(work.app, screen.state.value.title, items)
    }

    private fun discard(): View =
        confirm(work.app, "Throw away", "Its answers and photos are nowhere else.", "Throw it away") {
            Step.Stay.also { screen.discard() }
        }

    private fun languages(): View {
        val items =
            screen.state.value.languages.mapIndexed { index, language ->
                Item(language.name) { Step.Stay.also { screen.speak(index) } }
            }
        return ChoiceView(work.app, "Language of the form", items)
    }

    private fun titleOf(state: FillState): String = if (state.isEdit) "Change: ${state.title}" else state.title

    private fun keysOf(page: Page?): List<Pair<String, String>> = when (page) {
        null -> {
            emptyList()
        }

        is QuestionPage -> {
            questionKeys(page)
        }

        is RowPage -> {
            listOf("y" to "add", "Enter" to "no, go on")
        }

        is EndPage -> {
            val mend = listOf("Enter" to "mend it").filter { page.problems.isNotEmpty() }
            mend + ("s" to if (page.problems.isEmpty()) "sign and save" else "sign and save it as it is")
        }
    } + listOf("PgUp" to "back", "PgDn" to "skip", "Esc" to "menu")

    private fun questionKeys(page: QuestionPage): List<Pair<String, String>> = when (page.question.input) {
        Input.ONE_OF -> listOf("↑↓" to "move", "Enter" to "choose and go on", "⌫" to "blank")
        Input.ANY_OF, Input.ORDER -> listOf("↑↓" to "move", "Space" to "choose", "Enter" to "go on")
        Input.ACKNOWLEDGE -> listOf("Space" to "OK", "Enter" to "go on")
        Input.PHOTO -> photoKeys(page)
        Input.OTHER_FILE -> listOf("Enter" to "go on")
        Input.LINES -> listOf("Enter" to "keep and go on", "Ctrl-J" to "new line")
        else -> listOf("Enter" to "keep and go on")
    }

    private fun photoKeys(page: QuestionPage): List<Pair<String, String>> {
        val isAnswered = page.question.typed.isNotEmpty()
        val photo = "p" to if (isAnswered) "another photo" else "photo"
        return listOf(photo, "Enter" to "go on") + if (isAnswered) listOf("r" to "take it off") else emptyList()
    }
}
