package org.merestone.terminal.tty

/** What a view wants on the screen; the frame around it is always the same. */
data class Drawing(
    /** What this is, at the left of the bar. */
    val title: String,
    val body: List<Line>,
    /** What matters wherever one is, at the right of the bar. */
    val aside: String = "",
    /** Something to tell the person, above the keys. */
    val notice: List<Line> = emptyList(),
    /** Keys and what they do. */
    val keys: List<Pair<String, String>> = emptyList(),
    /** The line of the body that must be seen. */
    val focus: Int = 0,
    /** Something that was asked for is still being done. */
    val isBusy: Boolean = false,
    /** Where the cursor stands in the body: line and column; nowhere while nothing is typed. */
    val cursor: Pair<Int, Int>? = null,
)

/** A drawing in its frame, line by line, and where the cursor is. */
data class Framed(val lines: List<Line>, val cursor: Pair<Int, Int>?)

/** Puts the bar above a drawing and its notice and keys below; scrolls the body so that its focus is seen. */
fun frame(drawing: Drawing, size: Size): Framed {
    val bar = bar(drawing, size.columns)
    val notice = drawing.notice.flatMap { wrapped(it, size.columns - 2) }.take(NOTICE_MAX)
    val keys = keyLines(drawing.keys, size.columns - 2)
    val below = notice.size + keys.size + 1
    val room = (size.rows - TOP - below).coerceAtLeast(1)
    val last = (drawing.body.size - room).coerceAtLeast(0)
    val focus = drawing.cursor?.first ?: drawing.focus
    val from = (focus - room + 1 + SEEN_BELOW.coerceAtMost(room / 2)).coerceIn(0, last)
    val seen = drawing.body.drop(from).take(room)
    val lines = mutableListOf(bar, Line())
    lines += seen.map { indented(it, size.columns) }
    repeat(room - seen.size) { lines += Line() }
    lines += Line(if (from < last) " ↓ more" else "", Ink.DIM)
    lines += (notice + keys).map { indented(it, size.columns) }
    return Framed(lines, drawing.cursor?.let { (row, column) -> Pair(row - from + TOP, column + 1) })
}

private fun bar(drawing: Drawing, columns: Int): Line {
    val said = if (drawing.isBusy) "working …  ${drawing.aside}".trimEnd() else drawing.aside
    val aside = clip(plain(said), columns / 2)
    val title = clip(plain(" ${drawing.title}"), columns - aside.columns - 2)
    val gap = " ".repeat((columns - title.columns - aside.columns - 1).coerceAtLeast(1))
    return Line("$title$gap$aside ", Ink.BAR)
}

private fun indented(line: Line, columns: Int): Line = if (line.isRight) {
    line.copy(
        spans =
        listOf(Span(" ".repeat((columns - 1 - line.width).coerceAtLeast(1)))) + line.spans,
        isRight = false,
    )
} else {
    line.copy(spans = listOf(Span(" ")) + line.spans)
}

private fun wrapped(line: Line, columns: Int): List<Line> {
    val span = line.spans.singleOrNull() ?: return listOf(line)
    return wrap(span.text, columns).map { Line(it, span.ink) }
}

private fun keyLines(keys: List<Pair<String, String>>, columns: Int): List<Line> {
    val lines = mutableListOf<List<Span>>()
    var line = mutableListOf<Span>()
    var used = 0
    for ((key, does) in keys) {
        val width = key.columns + does.columns + 3
        if (used > 0 && used + width > columns) {
            lines += line
            line = mutableListOf()
            used = 0
        }
        line += listOf(Span(key, Ink.KEY), Span(" $does  "))
        used += width
    }
    if (line.isNotEmpty()) lines += line
    return lines.map { Line(it) }
}

/** The bar and the empty line below it. */
private const val TOP = 2

/** Most lines of a notice. */
private const val NOTICE_MAX = 4

/** Lines that are seen below the focus. */
private const val SEEN_BELOW = 3
