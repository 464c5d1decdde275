package org.merestone

/** What is being filled on this phone and was not saved. Every answer is on the disk before its call returns. */
public interface Drafts {
    /** All drafts, or those of one observer. */
    public suspend fun all(observer: ObserverKey? = null): List<Draft>

    /** Drafts whose file cannot be read any more. */
    public suspend fun damaged(): List<DamagedDraft>

    /**
     * Begins a new record. Whether the observer may save in [scope] is asked when it is saved, and not before.
     *
     * @throws MerestoneException.NotThere if there is no such observer
     * @throws MerestoneException.Refused with code `form-not-asked` if the form's questions are not here; [saveNew] works
     *   all the same
     */
    public suspend fun begin(observer: ObserverKey, scope: ScopeId, form: FormHash): Interview

    /**
     * Begins an edit of [record], with its answers filled in. A question whose answers are in conflict stands empty.
     *
     * @throws MerestoneException.NotThere if there is no such observer
     * @throws MerestoneException.Refused with code `not-editable` if there is no such record or it cannot be edited,
     *   `form-not-asked` if its form's questions are not here
     */
    public suspend fun beginEdit(observer: ObserverKey, record: RecordId): Interview

    /**
     * Goes on where a draft was left, after a restart too.
     *
     * @throws MerestoneException.NotThere if there is no such draft
     */
    public suspend fun goOn(draft: DraftId): Interview

    /**
     * Throws a draft away, with its photos. Again, or after it was saved, it changes nothing.
     *
     * @throws MerestoneException.Refused with code `saving` while it is being saved
     */
    public suspend fun discard(draft: DraftId)

    /**
     * Saves a whole new record in one call: checked and calculated as if each answer had been given in an [Interview].
     *
     * @param answers by question, as in `remarks` or `vehicles[1]/plate`
     * @param once for asking again
     * @throws MerestoneException.Refused with code `answer` if an answer is none to such a question at all; nothing is
     *   saved then
     * @throws MerestoneException.NotEnrolled if the observer may not save
     * @throws MerestoneException.Locked if the observer's key is locked
     */
    public suspend fun saveNew(
        observer: ObserverKey,
        scope: ScopeId,
        form: FormHash,
        answers: Map<String, Answer>,
        once: SaveId? = null,
    ): Saved
}

/**
 * A draft in a list.
 *
 * @property record what it edits; `null` if it begins a new record
 * @property answers how many questions have one
 * @property photos how many are attached
 * @property isImport whether it came from another program's file
 */
public data class Draft(
    public val id: DraftId,
    public val observer: ObserverKey,
    public val scope: ScopeId,
    public val form: FormHash,
    public val record: RecordId?,
    public val answers: Int,
    public val photos: Int,
    public val isImport: Boolean,
)

/**
 * A draft that cannot be read any more. [Drafts.discard] removes it.
 *
 * @property bytes how large its file is
 */
public data class DamagedDraft(public val id: DraftId, public val bytes: Long)

/**
 * What was saved: signed, on the disk, and part of the next sync.
 *
 * @property isRoomLow whether a person should be told that the disk is nearly full
 */
public data class Saved(public val entry: EntryId, public val record: RecordId, public val isRoomLow: Boolean)
