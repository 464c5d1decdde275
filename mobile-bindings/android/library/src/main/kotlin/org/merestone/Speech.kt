package org.merestone

/**
 * What an observer says of a record, as it is now.
 *
 * @property about the entries it is about; empty for the record's newest
 * @property reason a number of the mission's own list; in an objection, a dissent and a ruling only
 * @property text in words; an objection needs them
 */
public data class Speech(
    public val record: RecordId,
    public val kind: SpeechKind,
    public val about: List<EntryId> = emptyList(),
    public val reason: Long? = null,
    public val text: String? = null,
)

/** What is said. Which of them an observer may say depends on the role in the certificate. */
public enum class SpeechKind {
    /** The speaker took notice; that is no agreement. */
    RECEIPT,

    /** The host comments. */
    HOST_COMMENT,

    /** The speaker agrees. */
    CONCURRENCE,

    /** The speaker objects, and says why in words. */
    OBJECTION,

    /** The speaker sees it differently. */
    DISSENT,

    /** An arbiter decides. */
    RULING,

    /** The speaker made the observation together with its author. */
    CO_AUTHORSHIP,
}
