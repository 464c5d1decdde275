package org.merestone

/**
 * A QR code with its quiet zone: draw every module, the light border too.
 *
 * @property modules how many modules a side has, the border included
 */
public class QrCode internal constructor(public val modules: Int, private val dark: ByteArray) {
    /** Whether a module is dark. [x] counts from the left, [y] from the top; outside of the code everything is light. */
    public fun isDark(x: Int, y: Int): Boolean =
        x in 0 until modules && y in 0 until modules && dark[y * modules + x] != 0.toByte()

    public companion object {
        /** A code of given modules, row by row, for previews and fakes. Its size is the square root of [dark]. */
        public fun of(dark: BooleanArray): QrCode {
            val modules = kotlin.math.sqrt(dark.size.toDouble()).toInt()
            require(modules * modules == dark.size) { "a QR code is square" }
            return QrCode(modules, ByteArray(dark.size) { if (dark[it]) 1 else 0 })
        }
    }
}
