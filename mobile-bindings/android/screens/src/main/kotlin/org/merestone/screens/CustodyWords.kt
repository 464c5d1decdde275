package org.merestone.screens

import org.merestone.Custody
import org.merestone.Phone

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

/** What losing this phone would lose, as far as signed receipts say. */
public data class Loss(
    /** Entries that no other device has. */
    public val entriesOnlyHere: Long = 0,
    /** Photos that no other device has. */
    public val photosOnlyHere: Long = 0,
    /** Entries that other phones have and base camp does not. */
    public val entriesNotAtCamp: Long = 0,
    /** Photos that base camp does not have; those of [photosOnlyHere] included. */
    public val photosNotAtCamp: Long = 0,
    /** What was begun and not saved: it never leaves this phone. */
    public val drafts: Int = 0,
) {
    /** Whether base camp has everything, and nothing was begun. */
    public val isNothing: Boolean get() = this == Loss()

    /** What would be lost, a line each; empty when nothing would. */
    public fun lines(): List<Message> = listOfNotNull(
        counted("loss.entries-only-here", entriesOnlyHere),
        counted("loss.photos-only-here", photosOnlyHere),
        counted("loss.entries-not-at-camp", entriesNotAtCamp),
        counted("loss.photos-not-at-camp", photosNotAtCamp - photosOnlyHere),
        counted("loss.drafts", drafts.toLong()),
    )

    private fun counted(code: String, count: Long): Message? =
        count.takeIf { it > 0 }?.let { Message.counting(code, it) }
}

/** What losing [phone] would lose now. */
internal suspend fun lossOf(phone: Phone): Loss {
    val alone = phone.records.heldAlone()
    return Loss(
        entriesOnlyHere = alone.entries,
        photosOnlyHere = alone.photos,
        entriesNotAtCamp = alone.entriesNotAtCamp - alone.entries,
        photosNotAtCamp = alone.photosNotAtCamp,
        drafts = phone.drafts.all().size + phone.drafts.damaged().size,
    )
}

private val Safety.code: String get() = name.lowercase().replace('_', '-')
