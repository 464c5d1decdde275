package org.merestone.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import org.merestone.Custody
import org.merestone.EntryId
import org.merestone.ObserverKey
import org.merestone.Phone
import org.merestone.PhotoHash
import org.merestone.RecordId
import org.merestone.RecordSheet
import org.merestone.SheetAnswer
import org.merestone.Speech
import org.merestone.SpeechKind
import org.merestone.Step
import java.io.File

/** One record. */
public data class RecordState(
    /** The record; nothing while it is being read, or when it is not here. */
    public val sheet: RecordSheet? = null,
    /** Whether it was looked for and nothing of it is here. */
    public val isAbsent: Boolean = false,
    /** Each step that was signed, oldest first; nothing until it is asked for. */
    public val history: List<Step>? = null,
    /** Where each entry of it is held. */
    public val custody: List<Custody> = emptyList(),
    /** What the observer may say of it, by the role in the certificate. */
    public val speeches: List<SpeechKind> = emptyList(),
    /** What was done last, in words. */
    public val done: Message? = null,
    override val isBusy: Boolean = false,
    override val trouble: Trouble? = null,
) : ScreenState {
    /** Where the record is, in words. */
    public val whereabouts: Message? get() = custody.message()

    /** The answers to show, in the sheet's order: photos and their captions are shown as photos, unless in conflict. */
    public val answers: List<SheetAnswer>
        get() = sheet?.answers.orEmpty().filter { it.isConflict || !it.key.startsWith("photos/") }

    /** How many questions have several answers. */
    public val conflicts: Int get() = sheet?.conflicts?.size ?: 0
}

/**
 * Shows a record with who signed each value, and lets the observer settle conflicts, withdraw it, or say something of it.
 */
public class RecordScreen(
    private val phone: Phone,
    private val observer: ObserverKey,
    private val record: RecordId,
    scope: CoroutineScope,
) : ScreenModel<RecordState>(scope, RecordState()) {
    /** Reads the record. To be called first. */
    public fun open(): Job = intent {
        val role =
            phone.observers
                .all()
                .find { it.key == observer }
                ?.role
        show { copy(speeches = speechesOf(role)) }
        read()
    }

    /** Reads it again when something of it changed, until the screen is left. */
    public fun follow(): Job = listening {
        phone.changes().collect { change ->
            if (change.isEverything || change.hasStatements || record in change.records) intent { read() }.join()
        }
    }

    /** Shows or hides the history. */
    public fun toggleHistory(): Job = intent {
        val history = if (now.history == null) phone.records.history(record) else null
        show { copy(history = history) }
    }

    /** Settles a conflict by one of the values that stand: the one that [entry] put. The others stay in the history. */
    public fun resolve(key: String, entry: EntryId): Job = saving("record.resolved") {
        val values =
            now.sheet
                ?.answers
                ?.find { it.key == key }
                ?.values
                .orEmpty()
        val chosen = values.find { it.entry == entry } ?: return@saving false
        phone.records.resolve(observer, record, key, chosen.answer)
        true
    }

    /** Says that the record should not count. Nothing is removed. */
    public fun withdraw(): Job = saving("record.withdrawn") {
        phone.records.withdraw(observer, record)
        true
    }

    /** Signs what the observer thinks of the record as it is shown; a later edit voids it visibly. */
    public fun say(kind: SpeechKind, text: String = ""): Job = saving("record.said") {
        val heads = now.sheet?.heads ?: return@saving false
        phone.records.say(observer, Speech(record, kind, heads, text = text.trim().ifEmpty { null }))
        true
    }

    /** Writes the bytes of a photo into a new file. */
    public fun savePhoto(photo: PhotoHash, file: File): Job = intent {
        phone.photos.saveTo(photo, file)
        show { copy(done = Message("record.photo-saved", mapOf("path" to file.path))) }
    }

    override fun RecordState.marked(isBusy: Boolean, trouble: Trouble?): RecordState =
        copy(isBusy = isBusy, trouble = trouble)

    private fun saving(done: String, work: suspend () -> Boolean): Job = lasting {
        show { copy(done = null) }
        if (!work()) return@lasting
        read()
        show { copy(done = Message(done)) }
    }

    private suspend fun read() {
        val sheet = phone.records.sheet(record)
        val custody = if (sheet == null) emptyList() else phone.records.custody(record)
        val history = now.history?.let { phone.records.history(record) }
        show { copy(sheet = sheet, isAbsent = sheet == null, custody = custody, history = history) }
    }
}

/** What to offer to a role, what is said most first; whether it may is judged by the library when it is signed. */
private fun speechesOf(role: String?): List<SpeechKind> {
    val spoken =
        listOf(
            SpeechKind.CONCURRENCE,
            SpeechKind.OBJECTION,
            SpeechKind.DISSENT,
            SpeechKind.HOST_COMMENT,
            SpeechKind.RECEIPT,
        )
    return when (role) {
        "observer" -> spoken + SpeechKind.CO_AUTHORSHIP
        "reviewer" -> spoken
        "arbiter" -> spoken + SpeechKind.RULING
        else -> emptyList()
    }
}
