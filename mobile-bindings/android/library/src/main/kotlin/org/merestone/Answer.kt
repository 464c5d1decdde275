package org.merestone

/**
 * The answer to one question.
 *
 * Dates, times, decimals, choices and places are texts in the form's own notation: `2026-03-02`, `12.50`, `bus car`.
 */
public sealed interface Answer {
    /** Asked and left empty. */
    public data object Blank : Answer

    /** Yes or no. */
    @JvmInline
    public value class YesNo(public val yes: Boolean) : Answer

    /** A whole number. */
    @JvmInline
    public value class Number(public val number: Long) : Answer

    /**
     * Any text. What is signed is Unicode NFC with `\n` at the end of lines, without other control characters (a tab too) and
     * without invisible direction marks, so what comes back may differ in its code points from what was given.
     */
    @JvmInline
    public value class Text(public val text: String) : Answer
}
