package org.merestone.terminal

import org.merestone.terminal.tty.Ink
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Span
import org.merestone.terminal.tty.line

/** Which of some items the person is at. */
class Menu {
    /** The item's number, from 0. */
    var at = 0

    /** Moves as the key says among [count] items; tells whether it was for the menu. */
    fun press(key: Key, count: Int): Boolean {
        val to =
            when (key) {
                Key.Up -> at - 1
                Key.Down -> at + 1
                Key.PageUp -> at - PAGE
                Key.PageDown -> at + PAGE
                Key.Home -> 0
                Key.End -> count - 1
                else -> return false
            }
        at = to.coerceIn(0, (count - 1).coerceAtLeast(0))
        return true
    }

    /** A line of the menu; the one that the person is at stands out. */
    fun line(index: Int, text: String, ink: Ink = Ink.PLAIN): Line =
        if (index == at) line(Span("▸ ", Ink.KEY), Span(text, Ink.PICKED)) else line(Span("  "), Span(text, ink))

    private companion object {
        const val PAGE = 10
    }
}
