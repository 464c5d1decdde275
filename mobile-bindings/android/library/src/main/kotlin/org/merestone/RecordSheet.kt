package org.merestone

/**
 * Everything about one record.
 *
 * @property kind `null` while its form is not on this phone
 * @property heads the newest entries that build on no other
 * @property standings what became of every entry of it that is here
 */
public data class RecordSheet(
    public val id: RecordId,
    public val scope: ScopeId,
    public val kind: String?,
    public val form: FormHash?,
    public val creator: Person?,
    public val heads: List<EntryId>,
    public val isWithdrawn: Boolean,
    public val answers: List<SheetAnswer>,
    public val photos: List<Photo>,
    public val standings: List<Standing>,
) {
    /** The questions that have several answers which nobody chose between. */
    public val conflicts: List<SheetAnswer> get() = answers.filter { it.isConflict }
}

/**
 * Who signed something.
 *
 * @property observer the name in the certificate; the key while no certificate is here
 * @property device what the device is called; empty while no certificate is here
 * @property party number of the party that certified the key; `null` while no certificate is here
 * @property partyName empty while no certificate is here
 * @property role `observer`, `reviewer`, `arbiter`, `camp` or `auditor`; empty while no certificate is here
 */
public data class Person(
    public val key: ObserverKey,
    public val observer: String,
    public val device: String,
    public val party: Long?,
    public val partyName: String,
    public val role: String,
)

/**
 * A question with every value that stands.
 *
 * @property values more than one is a conflict: show all of them with who signed each
 * @property label the question's text in the language asked for; the key while the form's questions are not here
 */
public data class SheetAnswer(
    public val key: String,
    public val values: List<SignedAnswer>,
    public val label: String = key,
) {
    /** Whether a person has to choose. */
    public val isConflict: Boolean get() = values.size > 1
}

/**
 * An answer and who signed it.
 *
 * @property standing what became of its entry, in the word of the specification, for example `accepted`
 * @property observer name of who signed it
 * @property shown the answer as people read it, of choices their texts; empty where it was left blank
 */
public data class SignedAnswer(
    public val answer: Answer,
    public val entry: EntryId,
    public val standing: String,
    public val observer: String,
    public val shown: String = "",
)

/**
 * A photo of a record.
 *
 * @property row its row, or the key of the question that it answers
 * @property entry the one that attached it
 * @property original what was hashed and signed; [Photos.saveTo] writes it
 * @property bytes size of [original]
 * @property mediaType for example `image/jpeg`
 * @property thumbnail for lists; `null` if there is none
 * @property preview for a screen; `null` if there is none
 * @property captions more than one is a conflict
 */
public data class Photo(
    public val row: String,
    public val entry: EntryId,
    public val original: PhotoHash,
    public val bytes: Long,
    public val mediaType: String,
    public val thumbnail: PhotoHash?,
    public val preview: PhotoHash?,
    public val captions: List<String>,
)

/**
 * What became of an entry, by what this phone knows.
 *
 * @property code in the word of the specification, for example `accepted`
 * @property isApplied whether it is in what the record shows, or in force
 */
public data class Standing(public val entry: EntryId, public val code: String, public val isApplied: Boolean)
