package org.merestone.bridge

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import org.merestone.Answer
import org.merestone.Custody
import org.merestone.EntryId
import org.merestone.HeldAlone
import org.merestone.ObserverKey
import org.merestone.PageMark
import org.merestone.RecordId
import org.merestone.RecordQuery
import org.merestone.RecordSheet
import org.merestone.RecordSummary
import org.merestone.Records
import org.merestone.RecordsPage
import org.merestone.SaveId
import org.merestone.Saved
import org.merestone.Speech
import org.merestone.SpeechKind
import org.merestone.Step
import org.merestone.crossing.CustodyLine
import org.merestone.crossing.SpeechOrder
import java.io.File
import org.merestone.crossing.Phone as RawPhone
import org.merestone.crossing.SpeechKind as RawSpeechKind

internal class CrossingRecords(private val raw: RawPhone) : Records {
    override suspend fun page(query: RecordQuery, after: PageMark?, max: Int): RecordsPage =
        crossing { raw.records(query.raw(), after?.text, max.counted("max")) }.told()

    override fun all(query: RecordQuery, pageSize: Int): Flow<RecordSummary> = flow {
        var after: PageMark? = null
        if (page(query, after, 1).isBehind) catchUp()
        do {
            val page = page(query, after, pageSize)
            page.lines.forEach { emit(it) }
            after = page.next
        } while (after != null)
    }

    override suspend fun catchUp(): Unit = crossing { raw.catchUp() }

    override suspend fun sheet(record: RecordId, language: Int?): RecordSheet? =
        crossing { raw.record(record.hex, language?.toUInt()) }?.told()

    override suspend fun history(record: RecordId, language: Int?): List<Step> =
        whole { raw.history(record.hex, language?.toUInt(), it, LINES_AT_ONCE) }.map { it.told() }

    override suspend fun resolve(
        observer: ObserverKey,
        record: RecordId,
        key: String,
        answer: Answer,
        once: SaveId?,
    ): Saved = crossing { raw.resolve(observer.hex, record.hex, key, answer.raw(), once?.hex) }.told()

    override suspend fun withdraw(observer: ObserverKey, record: RecordId, once: SaveId?): Saved =
        crossing { raw.withdraw(observer.hex, record.hex, once?.hex) }.told()

    override suspend fun say(observer: ObserverKey, speech: Speech, once: SaveId?): Saved =
        crossing { raw.say(observer.hex, speech.raw(), once?.hex) }.told()

    override suspend fun restate(observer: ObserverKey, entry: EntryId, once: SaveId?): Saved =
        crossing { raw.restate(observer.hex, entry.hex, once?.hex) }.told()

    override suspend fun custody(entry: EntryId): Custody? = crossing { raw.custody(entry.hex) }?.told()

    override suspend fun custody(record: RecordId): List<Custody> =
        whole { raw.custodyOf(record.hex, it, LINES_AT_ONCE) }.map { it.told() }

    override suspend fun heldAlone(): HeldAlone = crossing { raw.heldAlone() }.run {
        HeldAlone(entries.size(), entriesNotAtCamp.size(), photos.size(), photosNotAtCamp.size())
    }

    override suspend fun writeExhibit(entry: EntryId, questions: List<String>, file: File): Unit =
        crossing { raw.writeExhibit(entry.hex, questions, file.absolutePath) }
}

private fun CustodyLine.told() = Custody(
    entry = EntryId(entry),
    peers = peers.count(),
    isAtBaseCamp = isAtBaseCamp,
    photos = photos.count(),
    photosElsewhere = photosElsewhere.count(),
    photosAtBaseCamp = photosAtBaseCamp.count(),
    isOnlyHere = isOnlyHere,
    isHandedOver = isHandedOver,
)

private fun Speech.raw() = SpeechOrder(
    record = record.hex,
    about = about.map { it.hex },
    kind = when (kind) {
        SpeechKind.RECEIPT -> RawSpeechKind.RECEIPT
        SpeechKind.HOST_COMMENT -> RawSpeechKind.HOST_COMMENT
        SpeechKind.CONCURRENCE -> RawSpeechKind.CONCURRENCE
        SpeechKind.OBJECTION -> RawSpeechKind.OBJECTION
        SpeechKind.DISSENT -> RawSpeechKind.DISSENT
        SpeechKind.RULING -> RawSpeechKind.RULING
        SpeechKind.CO_AUTHORSHIP -> RawSpeechKind.CO_AUTHORSHIP
    },
    reason = reason?.toULong(),
    text = text,
)
