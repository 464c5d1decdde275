package org.merestone.terminal.tty

import java.io.InputStream

/** What a person pressed. */
sealed interface Key {
    /** A character. */
    data class Typed(val text: String) : Key

    data object Enter : Key

    /** A new line within a text: Ctrl-J. */
    data object NewLine : Key

    data object Escape : Key

    data object Tab : Key

    data object Erase : Key

    /** Takes away all that was typed: Ctrl-U. */
    data object Clear : Key

    data object Up : Key

    data object Down : Key

    data object Left : Key

    data object Right : Key

    data object PageUp : Key

    data object PageDown : Key

    data object Home : Key

    data object End : Key

    /** A letter with the control key, in lower case. */
    data class Control(val letter: Char) : Key

    /** The keyboard is gone. */
    data object Gone : Key
}

/** Whether it is this letter, in either case. */
fun Key.isLetter(letter: Char): Boolean = this is Key.Typed && text.equals(letter.toString(), ignoreCase = true)

/** Reads keys of a terminal in raw mode, one after the other; blocks. */
class Keyboard(private val input: InputStream) {
    /** A byte that was read to see whether it belongs to an escape, and did not. */
    private var kept: Int? = null

    /** The next key. */
    fun next(): Key {
        while (true) {
            val byte = kept ?: input.read()
            kept = null
            val key = if (byte < 0) Key.Gone else keyOf(byte)
            if (key != null) return key
        }
    }

    private fun keyOf(byte: Int): Key? = when (byte) {
        0x0D -> Key.Enter
        0x0A -> Key.NewLine
        0x09 -> Key.Tab
        0x7F, 0x08 -> Key.Erase
        0x15 -> Key.Clear
        0x1B -> escape()
        in 0x01..0x1A -> Key.Control('a' + (byte - 1))
        in 0x20..0x7E -> Key.Typed(byte.toChar().toString())
        in 0xC2..0xF4 -> Key.Typed(utf8(byte))
        else -> null
    }

    /** A character of several bytes; what is broken is shown as such. */
    private fun utf8(first: Int): String {
        val more =
            if (first < 0xE0) {
                1
            } else if (first < 0xF0) {
                2
            } else {
                3
            }
        val bytes = byteArrayOf(first.toByte()) + input.readNBytes(more)
        return bytes.toString(Charsets.UTF_8)
    }

    /** The escape key is a byte alone; other keys send more at once. */
    private fun escape(): Key? {
        var waited = 0
        while (input.available() == 0) {
            if (waited >= ESCAPE_MS) return Key.Escape
            Thread.sleep(WAIT_MS)
            waited += WAIT_MS.toInt()
        }
        val kind = input.read()
        if (kind != '['.code && kind != 'O'.code) return Key.Escape.also { kept = kind }
        val sequence = StringBuilder()
        do {
            val next = input.read()
            if (next < 0) return Key.Gone
            sequence.append(next.toChar())
        } while (next !in 0x40..0x7E && sequence.length < SEQUENCE_MAX)
        return NAMED[sequence.toString()]
    }

    private companion object {
        /** Longer than any line needs to bring the rest of a key, shorter than a person notices. */
        const val ESCAPE_MS = 40
        const val WAIT_MS = 4L
        const val SEQUENCE_MAX = 16
        val NAMED =
            mapOf(
                "A" to Key.Up,
                "B" to Key.Down,
                "C" to Key.Right,
                "D" to Key.Left,
                "H" to Key.Home,
                "F" to Key.End,
                "1~" to Key.Home,
                "4~" to Key.End,
                "5~" to Key.PageUp,
                "6~" to Key.PageDown,
                "3~" to Key.Erase,
            )
    }
}
