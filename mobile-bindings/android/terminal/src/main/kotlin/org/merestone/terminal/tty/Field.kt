package org.merestone.terminal.tty

/** A text that a person types, on one line of the screen. */
class Field(
    text: String = "",
    /** Dots stand for its characters. */
    private val isSecret: Boolean = false,
) {
    private var before = text
    private var after = ""

    /** What was typed. */
    var text: String
        get() = before + after
        set(value) {
            before = value
            after = ""
        }

    /** Does what the key says; tells whether it was for the field. */
    fun press(key: Key): Boolean {
        when (key) {
            is Key.Typed -> before += key.text
            Key.Erase -> before = before.dropLastPoint()
            Key.Clear -> text = ""
            Key.Left -> before = before.dropLastPoint().also { after = before.substring(it.length) + after }
            Key.Right -> after = after.dropFirstPoint().also { before += after.dropLast(it.length) }
            Key.Home -> after = text.also { before = "" }
            Key.End -> text = text
            else -> return false
        }
        return true
    }

    /** As it is shown in so many columns: what is around the cursor, and the cursor's column in it. */
    fun shown(columns: Int): Pair<String, Int> {
        val (head, tail) = Pair(mask(before), mask(after))
        var from = 0
        while (head.substring(from).columns >= columns) from += Character.charCount(head.codePointAt(from))
        val begin = head.substring(from)
        return Pair(clip(begin + tail, columns), begin.columns)
    }

    private fun mask(text: String): String {
        val seen = plain(text.replace("\n", "⏎"))
        return if (isSecret) "•".repeat(seen.codePointCount(0, seen.length)) else seen
    }

    private fun String.dropLastPoint() = if (isEmpty()) this else substring(0, offsetByCodePoints(length, -1))

    private fun String.dropFirstPoint() = if (isEmpty()) this else substring(offsetByCodePoints(0, 1))
}
