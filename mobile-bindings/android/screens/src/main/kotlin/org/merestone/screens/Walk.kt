package org.merestone.screens

import org.merestone.Answer
import org.merestone.Interview
import org.merestone.Screen
import org.merestone.ScreenKind

/** Makes [Page]s of an interview's screens, a few at a time: a form may have ten thousand rows. */
internal class Walk(private val interview: Interview) {
    /** The page at the first stop from [from] on: a question to answer, the offer of a row, or the end. */
    suspend fun from(from: Int): Page {
        var at = from.coerceIn(0, interview.info().screens)
        while (true) {
            val lines = interview.screens(at, WINDOW)
            val stop = lines.indexOfFirst { it.isStop }
            if (stop >= 0) return page(lines[stop], above(at + stop))
            if (lines.isEmpty()) return end(at)
            at += lines.size
        }
    }

    /** The page at the stop before [at]; the first one where there is none. */
    suspend fun before(at: Int): Page = from(lastBefore(at) { it.isStop } ?: 0)

    /** Where the row begins that the question at [at] stands in. */
    suspend fun rowOf(at: Int): Int = lastBefore(at) { it.kind == ScreenKind.ROW } ?: at

    /** The page of the question of [key]; nothing when it is not asked now. */
    suspend fun at(key: String): Page? = interview.find(key)?.let { from(it) }

    /** Every question in order, up to [OVERVIEW_MAX] screens. */
    suspend fun overview(): List<OverviewLine> {
        val all = mutableListOf<OverviewLine>()
        var at = 0
        while (at < OVERVIEW_MAX) {
            val lines = interview.screens(at, WINDOW)
            if (lines.isEmpty()) break
            lines.mapNotNullTo(all) { it.overview() }
            at += lines.size
        }
        return all
    }

    private suspend fun lastBefore(at: Int, isIt: (Screen) -> Boolean): Int? {
        var until = at
        while (until > 0) {
            val begin = (until - WINDOW).coerceAtLeast(0)
            val found = interview.screens(begin, until - begin).indexOfLast(isIt)
            if (found >= 0) return begin + found
            until = begin
        }
        return null
    }

    private suspend fun above(at: Int): List<Heading> {
        val begin = (at - ABOVE_MAX).coerceAtLeast(0)
        if (begin == at) return emptyList()
        return interview.screens(begin, at - begin).takeLastWhile { !it.isStop }.mapNotNull { it.heading() }
    }

    private suspend fun page(line: Screen, above: List<Heading>): Page {
        val of = interview.info().screens
        if (line.kind == ScreenKind.ADD_ROW) return RowPage(line.index, of, above, line.key, line.within, line.label)
        return QuestionPage(line.index, of, above, line.question(), problem = line.problem?.let(::problemMessage))
    }

    private suspend fun end(at: Int): EndPage {
        val problems = interview.problems().map { FillProblem(it.key, labelOf(it.key), problemMessage(it)) }
        return EndPage(at, at, emptyList(), problems)
    }

    private suspend fun labelOf(key: String): String {
        val at = key.takeIf { it.isNotEmpty() }?.let { interview.find(it) } ?: return key
        return interview.screens(at, 1).firstOrNull()?.label ?: key
    }

    private companion object {
        /** Screens asked for at once: two or three phone screens of a list. */
        const val WINDOW = 40

        /** Most lines that are shown above a question. */
        const val ABOVE_MAX = 12

        /** Most screens of an overview. */
        const val OVERVIEW_MAX = 2_000
    }
}

private val Screen.isStop: Boolean
    get() = kind == ScreenKind.ADD_ROW || (kind == ScreenKind.QUESTION && !isReadOnly)

private fun Screen.heading(): Heading? = when (kind) {
    ScreenKind.GROUP -> Heading(HeadingKind.GROUP, label).takeIf { label.isNotEmpty() }
    ScreenKind.ROW -> Heading(HeadingKind.ROW, label, row = rowNumber)
    ScreenKind.NOTE -> Heading(HeadingKind.NOTE, label)
    ScreenKind.QUESTION -> Heading(HeadingKind.VALUE, label, shown)
    ScreenKind.ADD_ROW -> null
}

private fun Screen.overview(): OverviewLine? = when (kind) {
    ScreenKind.QUESTION -> {
        OverviewLine(key, label, shown, answer != null, problem != null, isReadOnly)
    }

    ScreenKind.GROUP, ScreenKind.ROW -> {
        OverviewLine(key, listOfNotNull(label, rowNumber?.toString()).joinToString(" "), "", true, false, true)
            .takeIf { label.isNotEmpty() }
    }

    ScreenKind.NOTE, ScreenKind.ADD_ROW -> {
        null
    }
}

private fun Screen.question(): Question {
    val typed = answer?.typed().orEmpty()
    val input = inputOf(questionType, appearance)
    val chosen = if (input == Input.ONE_OF) setOf(typed) else typed.split(' ').toSet()
    return Question(
        key = key,
        name = name,
        label = label,
        hint = hint,
        guidance = guidance,
        input = input,
        shown = shown,
        typed = typed,
        isAnswered = answer != null,
        isRequired = isRequired,
        choices = choices.map { Pick(it.name, it.label, it.name in chosen) },
        appearance = appearance,
        isInRow = key.count { it == '/' } == 2,
    )
}

/** What a person would type to give this answer. */
public fun Answer.typed(): String = when (this) {
    Answer.Blank -> ""
    is Answer.YesNo -> yes.toString()
    is Answer.Number -> number.toString()
    is Answer.Text -> text
}

/** How a question of this type of XLSForm's is answered; what is not known here is a text. */
private fun inputOf(type: String, appearance: String): Input = when (type) {
    "integer" -> Input.WHOLE_NUMBER
    "decimal", "range" -> Input.NUMBER
    "date" -> Input.DAY
    "time" -> Input.TIME
    "dateTime" -> Input.MOMENT
    "select_one" -> Input.ONE_OF
    "select_multiple" -> Input.ANY_OF
    "rank" -> Input.ORDER
    "geopoint" -> Input.PLACE
    "geotrace", "geoshape" -> Input.PLACES
    "image" -> Input.PHOTO
    "audio", "video", "file" -> Input.OTHER_FILE
    "acknowledge", "trigger" -> Input.ACKNOWLEDGE
    "barcode" -> Input.CODE
    else -> if ("multiline" in appearance.split(' ')) Input.LINES else Input.TEXT
}
