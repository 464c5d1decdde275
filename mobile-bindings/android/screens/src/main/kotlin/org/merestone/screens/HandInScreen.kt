package org.merestone.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import org.merestone.Phone
import java.io.File

/** Handing in this phone: is everything elsewhere, and is it to be removed? */
public data class HandInState(
    /** What would be lost; nothing while it was not looked at. */
    public val loss: Loss? = null,
    /** What the person must write to remove the phone although something is lost; nothing when nothing is. */
    public val confirmation: Message? = null,
    /** Why it was not removed, when it was asked for. */
    public val refusal: Message? = null,
    /** Everything is removed; the phone is closed. */
    public val isWiped: Boolean = false,
    /** Files in the phone's folder that are none of its own, and are still there. */
    public val leftAlone: List<File> = emptyList(),
    override val isBusy: Boolean = false,
    override val trouble: Trouble? = null,
) : ScreenState {
    /** Whether base camp has everything: the phone can be removed without another word. */
    public val isHandedOver: Boolean get() = loss?.isNothing ?: false
}

/**
 * Hands in this phone: looks at custody, and removes everything only when base camp has it all, or when the person wrote
 * out what is lost. What a courier's file or a bag carries counts once a receipt for it came back, and not before.
 *
 * @param phrases the words that the person reads and writes
 */
public class HandInScreen(private val phone: Phone, private val phrases: Phrasebook, scope: CoroutineScope) :
    ScreenModel<HandInState>(scope, HandInState()) {
    /** Looks what is elsewhere. To be called first, and after each sync. */
    public fun look(): Job = intent { told(lossOf(phone)) }

    /**
     * Removes everything from this phone: keys first, then records, photos and drafts.
     *
     * It is looked again first: when more would be lost than was told, it is told and nothing is removed.
     *
     * @param written what the person wrote to confirm the loss; nothing is needed when nothing is lost
     */
    public fun wipe(written: String = ""): Job = lasting {
        val told = now.loss
        val loss = lossOf(phone)
        told(loss)
        val refusal =
            when {
                told == null || loss.lines() != told.lines() -> Message("hand-in.changed")
                !loss.isNothing && !isWritten(written) -> Message("hand-in.not-confirmed")
                else -> null
            }
        show { copy(refusal = refusal) }
        if (refusal != null) return@lasting
        val leftAlone = phone.wipe()
        show { copy(isWiped = true, leftAlone = leftAlone) }
    }

    override fun HandInState.marked(isBusy: Boolean, trouble: Trouble?): HandInState =
        copy(isBusy = isBusy, trouble = trouble)

    private fun told(loss: Loss) = show { copy(loss = loss, confirmation = confirmationOf(loss), refusal = null) }

    /** Case, spaces and a full stop do not matter: what matters is that the person wrote what is lost. */
    private fun isWritten(written: String): Boolean {
        val wanted = now.confirmation?.let { plain(phrases.say(it)) } ?: return false
        return wanted.isNotEmpty() && plain(written) == wanted
    }

    private fun plain(text: String) = text
        .lowercase()
        .split(Regex("\\s+"))
        .joinToString(" ")
        .trim(' ', '.')

    private fun confirmationOf(loss: Loss): Message? {
        if (loss.isNothing) return null
        val counts =
            listOf(
                "count.entries" to loss.entriesOnlyHere + loss.entriesNotAtCamp,
                "count.photos" to loss.photosNotAtCamp,
                "count.drafts" to loss.drafts.toLong(),
            )
        val said =
            counts
                .filter { it.second > 0 }
                .map { (code, count) -> phrases.say(Message.counting(code, count)) }
        return Message.of("hand-in.confirmation", "what" to said.joinToString(", "))
    }
}
