package org.merestone.terminal.views

import org.merestone.RecordId
import org.merestone.SheetAnswer
import org.merestone.SpeechKind
import org.merestone.screens.FillStart
import org.merestone.screens.Message
import org.merestone.screens.RecordScreen
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
import java.io.File

/** A record: every value and who signed it, conflicts to settle, where it is. */
class RecordView(private val work: Work, private val record: RecordId, private val title: String) :
    View(work.app.scope) {
    private val screen = RecordScreen(work.app.phone, work.observer, record, scope)
    private val menu = Menu()

    /** The cursor was put on the first conflict. */
    private var isEntered = false

    init {
        screen.open()
        screen.follow()
    }

    override val changes get() = screen.state

    override fun draw(size: Size): Drawing {
        val state = screen.state.value
        if (!isEntered && state.sheet != null) {
            isEntered = true
            menu.at = state.answers.indexOfFirst { it.isConflict }.coerceAtLeast(0)
        }
        val page = RecordPage(work.app, menu, size.columns)
        val (body, focus) = page.draw(state)
        val aside =
            if (state.conflicts >
                0
            ) {
                work.app.say(Message.counting("record.conflicts", state.conflicts.toLong()))
            } else {
                ""
            }
        val done = state.done?.let { listOf(Line(work.app.say(it), Ink.GOOD)) }.orEmpty()
        val notice = work.app.noticeOf(state).ifEmpty { done }
        return Drawing(title.ifEmpty { "Record" }, body, aside, notice, keys(), focus, state.isBusy)
    }

    override fun press(key: Key): Step {
        val state = screen.state.value
        val sheet = state.sheet
        when {
            key == Key.Escape -> return Step.Back
            menu.press(key, state.answers.size) -> Unit
            sheet == null -> Unit
            key == Key.Enter -> answer()?.takeIf { it.isConflict }?.let { answer -> return Step.To { resolve(answer) } }
            key.isLetter('e') -> return Step.To { FillView(work, FillStart.Edit(record)) }
            key.isLetter('a') && state.speeches.isNotEmpty() -> return Step.To { speeches() }
            key.isLetter('y') -> screen.toggleHistory()
            key.isLetter('w') -> return Step.To { withdraw() }
            key.isLetter('p') && sheet.photos.isNotEmpty() -> return Step.To { savePhoto() }
        }
        return Step.Stay
    }

    private fun answer(): SheetAnswer? = screen.state.value.answers
        .getOrNull(menu.at)

    private fun resolve(answer: SheetAnswer): View {
        val items =
            answer.values.map { value ->
                Item("${shown(value)}   signed by ${value.observer}") {
                    Step.Stay.also { screen.resolve(answer.key, value.entry) }
                }
            }
        val words =
            listOf(
                labelOf(answer),
                "Which value stands from now on? You sign the choice; the others stay in the history.",
            )
        return ChoiceView(work.app, "Settle a conflict", items, words)
    }

    private fun speeches(): View {
        val items =
            screen.state.value.speeches.map { kind ->
                Item(work.app.say(Message("speech.${kind.code}"))) { Step.To { say(kind) } }
            }
        val words =
            listOf("What do you sign about this record as it is now? A later change of it makes that void, visibly.")
        return ChoiceView(work.app, "Say something", items, words)
    }

    private fun say(kind: SpeechKind): View {
        val title = work.app.say(Message("speech.${kind.code}"))
        return PromptView(work.app, title, "In words (- for none)", { text ->
            screen.say(kind, text.takeIf { it.trim() != "-" }.orEmpty())
            null
        })
    }

    private fun withdraw(): View = confirm(
        work.app,
        "Withdraw",
        "You sign that this record should not count. Nothing is removed, and an edit takes it back.",
        "Withdraw it",
    ) {
        Step.Stay.also { screen.withdraw() }
    }

    private fun savePhoto(): View {
        val photos =
            screen.state.value.sheet
                ?.photos
                .orEmpty()
        val items =
            photos.map { photo ->
                Item("${photo.captions.firstOrNull() ?: photo.row}, ${photo.mediaType}, ${photo.bytes / KILO} kB") {
                    Step.To {
                        PromptView(work.app, "Save a photo", "Path of a new file", { path ->
                            screen.savePhoto(photo.original, File(path.trim()))
                            null
                        })
                    }
                }
            }
        return ChoiceView(work.app, "Photos", items)
    }

    private fun keys(): List<Pair<String, String>> = listOfNotNull(
        ("Enter" to "settle the conflict").takeIf { answer()?.isConflict ?: false },
        "↑↓" to "move",
        "e" to "change it",
        "a" to "say something",
        "y" to "history",
        ("p" to "photos").takeIf {
            screen.state.value.sheet
                ?.photos
                ?.isNotEmpty() ?: false
        },
        "w" to "withdraw",
        "Esc" to "back",
    )

    private companion object {
        const val KILO = 1_000
    }
}

private val SpeechKind.code get() = name.lowercase().replace('_', '-')
