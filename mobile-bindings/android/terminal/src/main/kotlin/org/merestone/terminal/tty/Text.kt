package org.merestone.terminal.tty

/** How a piece of text looks. */
enum class Ink(
    /** Parameters of the terminal's "select graphic rendition". */
    internal val code: String,
    internal val colour: String = "",
) {
    PLAIN("0"),
    DIM("2"),
    BOLD("1"),
    PICKED("7"),
    BAR("7"),
    KEY("1", "36"),
    GOOD("0", "32"),
    WARN("1", "33"),
    BAD("1", "31"),
}

/** A piece of text of one look. */
data class Span(val text: String, val ink: Ink = Ink.PLAIN)

/** One line of the screen. */
data class Line(
    val spans: List<Span>,
    /** Whether it stands at the right margin, as lines of a language do that is written from right to left. */
    val isRight: Boolean = false,
) {
    constructor(text: String = "", ink: Ink = Ink.PLAIN) : this(listOf(Span(text, ink)))

    /** Columns that it takes. */
    val width: Int get() = spans.sumOf { it.text.columns }
}

/** A line of several pieces. */
fun line(vararg spans: Span): Line = Line(spans.toList())

/** Columns that the text takes on a terminal. */
val String.columns: Int get() = codePoints().map(::columnsOf).sum()

/** The text without what a terminal obeys, and without marks that make a line read otherwise than it is. */
fun plain(text: String): String =
    text.codePoints().toArray().joinToString("") { if (isHidden(it)) "\uFFFD" else String(Character.toChars(it)) }

/** The beginning of the text that takes at most [columns], with an ellipsis where something is left out. */
fun clip(text: String, columns: Int): String =
    if (text.columns <= columns) text else text.cut((columns - 1).coerceAtLeast(0)).first + "…"

/** The text in lines of at most [columns], broken between words where there are any, and at its line feeds. */
fun wrap(text: String, columns: Int): List<String> =
    text.split('\n').flatMap { wrapLine(plain(it), columns.coerceAtLeast(1)) }

private fun wrapLine(text: String, columns: Int): List<String> {
    val lines = mutableListOf<String>()
    var rest = text
    while (rest.columns > columns) {
        val (head, tail) = rest.cut(columns)
        val space = if (tail.startsWith(' ')) head.length else head.lastIndexOf(' ')
        if (space > 0) {
            lines += head.substring(0, space).trimEnd()
            rest = rest.substring(space).trimStart()
        } else {
            lines += head
            rest = tail
        }
    }
    return lines + rest
}

/** The longest beginning of at most so many columns, and the rest. */
private fun String.cut(columns: Int): Pair<String, String> {
    var (at, used) = Pair(0, 0)
    while (at < length) {
        val point = codePointAt(at)
        used += columnsOf(point)
        if (used > columns) break
        at += Character.charCount(point)
    }
    return Pair(substring(0, at), substring(at))
}

private fun isHidden(point: Int): Boolean =
    Character.isISOControl(point) || point == 0x200E || point == 0x200F || point in 0x202A..0x202E ||
        point in 0x2066..0x2069

/** As wcwidth counts them, for the scripts that people here write. */
private fun columnsOf(point: Int): Int = when (Character.getType(point).toByte()) {
    Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.FORMAT -> 0
    else -> if (WIDE.any { point in it }) 2 else 1
}

private val WIDE =
    listOf(
        0x1100..0x115F,
        0x2E80..0xA4CF,
        0xAC00..0xD7A3,
        0xF900..0xFAFF,
        0xFE30..0xFE6F,
        0xFF00..0xFF60,
        0xFFE0..0xFFE6,
        0x1F300..0x1FAFF,
        0x20000..0x3FFFD,
    )
