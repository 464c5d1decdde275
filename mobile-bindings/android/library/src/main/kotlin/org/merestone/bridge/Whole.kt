package org.merestone.bridge

/** Lines that are asked for at once: as many as the library gives. */
internal const val LINES_AT_ONCE: UInt = 1_000u

/** A whole list of which one call gives a part: [part] gives the lines from a place on, and fewer only at the end. */
internal inline fun <T> whole(part: (from: UInt) -> List<T>): List<T> = buildList {
    do {
        val lines = crossing { part(size.toUInt()) }
        addAll(lines)
    } while (lines.size == LINES_AT_ONCE.toInt())
}
