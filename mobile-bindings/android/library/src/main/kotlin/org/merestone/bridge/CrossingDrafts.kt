package org.merestone.bridge

import org.merestone.Answer
import org.merestone.DamagedDraft
import org.merestone.Draft
import org.merestone.DraftId
import org.merestone.Drafts
import org.merestone.EntryId
import org.merestone.FormHash
import org.merestone.Interview
import org.merestone.ObserverKey
import org.merestone.RecordId
import org.merestone.SaveId
import org.merestone.Saved
import org.merestone.ScopeId
import org.merestone.crossing.DraftLine
import org.merestone.crossing.SavedLine
import org.merestone.crossing.Phone as RawPhone

internal class CrossingDrafts(private val raw: RawPhone) : Drafts {
    override suspend fun all(observer: ObserverKey?): List<Draft> =
        whole { raw.drafts(observer?.hex, it, LINES_AT_ONCE) }.map { it.told() }

    override suspend fun damaged(): List<DamagedDraft> =
        crossing { raw.damagedDrafts() }.map { DamagedDraft(DraftId(it.id), it.bytes.size()) }

    override suspend fun begin(observer: ObserverKey, scope: ScopeId, form: FormHash): Interview =
        CrossingInterview(crossing { raw.begin(observer.hex, scope.hex, form.hex) })

    override suspend fun beginEdit(observer: ObserverKey, record: RecordId): Interview =
        CrossingInterview(crossing { raw.beginEdit(observer.hex, record.hex) })

    override suspend fun goOn(draft: DraftId): Interview = CrossingInterview(crossing { raw.goOn(draft.hex) })

    override suspend fun discard(draft: DraftId): Unit = crossing { raw.discard(draft.hex) }

    override suspend fun saveNew(
        observer: ObserverKey,
        scope: ScopeId,
        form: FormHash,
        answers: Map<String, Answer>,
        once: SaveId?,
    ): Saved = crossing {
        raw.saveNew(observer.hex, scope.hex, form.hex, answers.mapValues { it.value.raw() }, once?.hex)
    }.told()
}

internal fun SavedLine.told() = Saved(EntryId(entry), RecordId(record), lowRoom)

private fun DraftLine.told() = Draft(
    id = DraftId(id),
    observer = ObserverKey(observer),
    scope = ScopeId(scope),
    form = FormHash(form),
    record = record?.let(::RecordId),
    answers = answers.count(),
    photos = photos.count(),
    isImport = isImport,
)
