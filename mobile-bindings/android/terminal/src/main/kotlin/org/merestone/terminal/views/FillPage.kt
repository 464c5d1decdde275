package org.merestone.terminal.views

import org.merestone.screens.EndPage
import org.merestone.screens.Heading
import org.merestone.screens.HeadingKind
import org.merestone.screens.Input
import org.merestone.screens.Page
import org.merestone.screens.Pick
import org.merestone.screens.Question
import org.merestone.screens.QuestionPage
import org.merestone.screens.RowPage
import org.merestone.terminal.App
import org.merestone.terminal.Menu
import org.merestone.terminal.tty.Field
import org.merestone.terminal.tty.Ink
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Span
import org.merestone.terminal.tty.line
import org.merestone.terminal.tty.wrap

/** Draws one page of a form. */
internal class FillPage(private val app: App, private val isRightToLeft: Boolean, private val columns: Int) {
    private val lines = mutableListOf<Line>()
    private var cursor: Pair<Int, Int>? = null

    fun draw(page: Page?, field: Field, menu: Menu): Pair<List<Line>, Pair<Int, Int>?> {
        page?.above?.let(::headings)
        when (page) {
            null -> lines += Line("…", Ink.DIM)
            is QuestionPage -> question(page, field, menu)
            is RowPage -> words("Add another: ${page.label}?", Ink.BOLD)
            is EndPage -> end(page, menu)
        }
        return Pair(lines, cursor)
    }

    private fun headings(above: List<Heading>) {
        for (heading in above) {
            when (heading.kind) {
                HeadingKind.GROUP -> words(heading.text, Ink.KEY)
                HeadingKind.ROW -> words("${heading.text} ${heading.row ?: ""}", Ink.KEY)
                HeadingKind.NOTE -> words(heading.text, Ink.PLAIN)
                HeadingKind.VALUE -> words("${heading.text}: ${heading.value.ifEmpty { "—" }}", Ink.DIM)
            }
        }
        if (above.isNotEmpty()) lines += Line()
    }

    private fun question(page: QuestionPage, field: Field, menu: Menu) {
        val question = page.question
        words(question.label.ifEmpty { question.name } + if (question.isRequired) " *" else "", Ink.BOLD)
        question.hint?.let { words(it, Ink.DIM) }
        question.guidance?.let { words(it, Ink.DIM) }
        shapeOf(question.input)?.let { words(it, Ink.DIM) }
        lines += Line()
        when {
            question.input.isChoosing -> {
                choices(question, menu)
            }

            question.input == Input.ACKNOWLEDGE -> {
                lines += Line(if (question.typed.isEmpty()) "[ ] OK" else "[x] OK")
            }

            question.input == Input.OTHER_FILE -> {
                words("A sound, a film or a file cannot be attached here.", Ink.WARN)
            }

            question.input == Input.PHOTO -> {
                words(
                    if (question.typed.isEmpty()) "No photo yet: p attaches one." else "A photo is attached.",
                    Ink.PLAIN,
                )
            }

            else -> {
                typed(field)
            }
        }
        wrong(page)
    }

    private fun typed(field: Field) {
        val (shown, column) = field.shown(columns - FIELD_MARGIN)
        cursor = Pair(lines.size, column + 2)
        lines += line(Span("> ", Ink.KEY), Span(shown))
    }

    private fun choices(question: Question, menu: Menu) {
        question.choices.forEachIndexed { index, choice -> lines += menu.line(index, said(choice, index, question)) }
        if (question.choices.isEmpty()) words("There is nothing to choose here yet.", Ink.DIM)
    }

    private fun said(choice: Pick, index: Int, question: Question): String {
        val order = question.typed.split(' ').indexOf(choice.name) + 1
        val mark =
            when {
                question.input == Input.ORDER -> if (choice.isChosen) "($order)" else "( )"
                question.input == Input.ONE_OF -> if (choice.isChosen) "(•)" else "( )"
                else -> if (choice.isChosen) "[x]" else "[ ]"
            }
        return "$mark ${index + 1}  ${choice.label.ifEmpty { choice.name }}"
    }

    private fun wrong(page: QuestionPage) {
        val refusal = page.refusal
        val problem = page.problem?.takeIf { page.isProblemShown }
        if (refusal == null && problem == null) return
        lines += Line()
        refusal?.let { words("! ${app.say(it.message)} It was not taken.", Ink.BAD) }
        problem?.let { words("! ${app.say(it)} Mend it, or go on with PgDn and leave it so.", Ink.WARN) }
    }

    private fun end(page: EndPage, menu: Menu) {
        if (page.problems.isEmpty()) {
            words("Everything that the form asks for is there.", Ink.GOOD)
            words("s signs and saves it. After that it can be changed, but never unsaid.", Ink.PLAIN)
            return
        }
        words("Still to mend (${page.problems.size}). It can be saved as it is, too.", Ink.BOLD)
        lines += Line()
        page.problems.forEachIndexed { index, problem ->
            lines += menu.line(index, "${problem.label.ifEmpty { "The form" }}: ${app.say(problem.message)}")
        }
    }

    private fun words(text: String, ink: Ink) {
        wrap(text, columns - 2).mapTo(lines) { Line(listOf(Span(it, ink)), isRightToLeft) }
    }
}

/** How an answer is to be written, where that is not plain. */
private fun shapeOf(input: Input): String? = when (input) {
    Input.DAY -> "As 2026-03-02."
    Input.TIME -> "As 14:05."
    Input.MOMENT -> "As 2026-03-02T14:05."
    Input.PLACE -> "Latitude and longitude: 51.1772 23.8046; then height and accuracy in metres."
    Input.PLACES -> "Places with semicolons between: 51.1 23.8; 51.2 23.9."
    Input.WHOLE_NUMBER -> "A whole number."
    Input.NUMBER -> "A number."
    else -> null
}
