package org.merestone.bridge

import org.merestone.MerestoneException
import kotlin.time.Duration

/** A count as the crossing takes it. */
internal fun Int.counted(what: String): UInt = if (this >= 0) toUInt() else throw negative(what)

/** A number of bytes as the crossing takes it. */
internal fun Long.counted(what: String): ULong = if (this >= 0) toULong() else throw negative(what)

/** A length of time as the crossing takes it: whole milliseconds, at most 49 days. */
internal fun Duration.millis(what: String): UInt =
    if (isNegative()) throw negative(what) else inWholeMilliseconds.coerceAtMost(UInt.MAX_VALUE.toLong()).toUInt()

private fun negative(what: String) = MerestoneException.Refused("negative", "$what is negative")

/** A size for people; none of ours reaches the end of it. */
internal fun ULong.size(): Long = coerceAtMost(Long.MAX_VALUE.toULong()).toLong()

/** A count for people; none of ours reaches the end of it. */
internal fun UInt.count(): Int = coerceAtMost(Int.MAX_VALUE.toUInt()).toInt()
