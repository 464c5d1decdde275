package org.merestone.screens

import org.merestone.Custody

/** How safe an entry and its photos are, as signed receipts say: the worst comes first. */
public enum class Safety {
    /** Losing this phone loses the entry or a photo of it. */
    ONLY_HERE,

    /** Other phones have all of it; base camp does not. */
    WITH_PEERS,

    /** Base camp has all of it. */
    AT_BASE_CAMP,
}

/** How safe an entry is. */
public val Custody.safety: Safety
    get() =
        when {
            isHandedOver -> Safety.AT_BASE_CAMP
            isOnlyHere -> Safety.ONLY_HERE
            else -> Safety.WITH_PEERS
        }

/** Where an entry is, in words; its photos are told apart where they are not where the entry is. */
public fun Custody.message(): Message {
    val photosMissing = (photos - photosAtBaseCamp).toLong()
    return when {
        isHandedOver -> Message("custody.base-camp")
        isAtBaseCamp -> Message.counting("custody.base-camp-photos-missing", photosMissing)
        peers == 0 -> Message("custody.only-here")
        photosElsewhere < photos -> Message.counting("custody.photos-only-here", (photos - photosElsewhere).toLong())
        else -> Message.counting("custody.peers", peers.toLong())
    }
}

/** Where all entries of a record are, in words: what is told of the least safe one. */
public fun List<Custody>.message(): Message? {
    val worst = minByOrNull { it.safety } ?: return null
    val likeIt = count { it.safety == worst.safety }.toLong()
    return if (worst.safety == Safety.AT_BASE_CAMP || size == 1) {
        worst.message()
    } else {
        Message.counting("custody.some.${worst.safety.code}", likeIt, "entries" to size.toString())
    }
}

/** What losing this phone would lose, as far as is known; and what was looked at. */
public data class Loss(
    /** Records that were looked at. */
    public val records: Int = 0,
    /** Entries that were looked at. */
    public val entries: Int = 0,
    /** Entries that no other device has signed a receipt for. */
    public val entriesOnlyHere: Int = 0,
    /** Photos, originals with their small pictures, that no other device holds whole. */
    public val photosOnlyHere: Int = 0,
    /** Entries that other phones hold and base camp does not. */
    public val entriesNotAtCamp: Int = 0,
    /** Photos that base camp does not hold; those of [photosOnlyHere] included. */
    public val photosNotAtCamp: Int = 0,
    /** What was begun and not saved: it never leaves this phone. */
    public val drafts: Int = 0,
) {
    /** Whether base camp has everything, and nothing was begun. */
    public val isNothing: Boolean
        get() = entriesOnlyHere == 0 && entriesNotAtCamp == 0 && photosNotAtCamp == 0 && drafts == 0

    /** What would be lost, a line each; empty when nothing would. */
    public fun lines(): List<Message> = listOfNotNull(
        counted("loss.entries-only-here", entriesOnlyHere),
        counted("loss.photos-only-here", photosOnlyHere),
        counted("loss.entries-not-at-camp", entriesNotAtCamp),
        counted("loss.photos-not-at-camp", photosNotAtCamp - photosOnlyHere),
        counted("loss.drafts", drafts),
    )

    /** This and one more entry. */
    internal fun with(custody: Custody): Loss {
        val isNowhereElse = custody.peers == 0 && !custody.isAtBaseCamp
        return copy(
            entries = entries + 1,
            entriesOnlyHere = entriesOnlyHere + if (isNowhereElse) 1 else 0,
            photosOnlyHere = photosOnlyHere + custody.photos - custody.photosElsewhere,
            entriesNotAtCamp = entriesNotAtCamp + if (!custody.isAtBaseCamp && !isNowhereElse) 1 else 0,
            photosNotAtCamp = photosNotAtCamp + custody.photos - custody.photosAtBaseCamp,
        )
    }

    private fun counted(code: String, count: Int): Message? =
        count.takeIf { it > 0 }?.let { Message.counting(code, it.toLong()) }
}

private val Safety.code: String get() = name.lowercase().replace('_', '-')
