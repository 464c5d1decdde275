package org.merestone.terminal.tty

import java.io.PrintStream

/** How large the screen is, in characters. */
data class Size(val columns: Int, val rows: Int)

/** The terminal that the program was started in: raw while it is open, and as it was before afterwards. */
class Terminal(private val out: PrintStream, private val hasColours: Boolean) : AutoCloseable {
    private val before = stty("-g")
    private val restore = Thread { reset() }
    private var shown = emptyList<String>()

    /** Keys are given one by one and not shown. */
    fun open() {
        Runtime.getRuntime().addShutdownHook(restore)
        stty("raw", "-echo")
        out.print("\u001B[?1049h\u001B[2J")
        out.flush()
    }

    /** Size of the window; as large as the smallest usual one where it is not known. */
    fun size(): Size {
        val said = stty("size").trim().split(' ').mapNotNull { it.toIntOrNull() }
        val (rows, columns) = if (said.size == 2 && said.all { it > 0 }) said else listOf(24, 80)
        return Size(columns.coerceAtLeast(20), rows.coerceAtLeast(8))
    }

    /** Draws lines from the top; only those that changed are written, so that nothing flickers. */
    fun draw(lines: List<Line>, size: Size, cursor: Pair<Int, Int>?) {
        val drawn = lines.take(size.rows).map { ansi(it, size.columns) }
        val text = StringBuilder("\u001B[?25l")
        if (shown.size != drawn.size) text.append("\u001B[2J")
        drawn.forEachIndexed { row, line ->
            if (shown.size != drawn.size ||
                shown[row] != line
            ) {
                text.append("\u001B[${row + 1};1H").append(line).append("\u001B[0m\u001B[K")
            }
        }
        cursor?.let { (row, column) -> text.append("\u001B[${row + 1};${column + 1}H\u001B[?25h") }
        out.print(text)
        out.flush()
        shown = drawn
    }

    /** Forgets what is on the screen: it was resized, or something else wrote there. */
    fun forget() {
        shown = emptyList()
    }

    override fun close() {
        Runtime.getRuntime().removeShutdownHook(restore)
        reset()
    }

    private fun reset() {
        out.print("\u001B[?25h\u001B[0m\u001B[?1049l")
        out.flush()
        stty(before.trim())
    }

    private fun ansi(line: Line, columns: Int): String {
        val text = StringBuilder()
        var room = columns
        if (line.isRight) text.append(" ".repeat((columns - line.width).coerceAtLeast(0)))
        for (span in line.spans) {
            val shown = clip(plain(span.text), room)
            room -= shown.columns
            val code =
                if (hasColours &&
                    span.ink.colour.isNotEmpty()
                ) {
                    "${span.ink.code};${span.ink.colour}"
                } else {
                    span.ink.code
                }
            text.append("\u001B[0;${code}m").append(shown)
            if (room <= 0) break
        }
        return text.toString()
    }

    private companion object {
        fun stty(vararg arguments: String): String {
            val process =
                ProcessBuilder(
                    "sh",
                    "-c",
                    "exec stty \"$@\" < /dev/tty",
                    "stty",
                    *arguments,
                ).redirectErrorStream(true).start()
            val said = process.inputStream.bufferedReader().readText()
            process.waitFor()
            return said
        }
    }
}
