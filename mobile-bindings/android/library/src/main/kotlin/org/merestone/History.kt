package org.merestone

import java.time.Instant

/**
 * One signed step in a record's history.
 *
 * @property seq its position in the log of the key that signed it, from 0
 * @property kind what it is, in the word of the specification, for example `change`, `objection`
 * @property standing what became of it, in the word of the specification
 * @property refs entries that it builds on or is about
 * @property wall what the device's clock said; no proof of the time, and `null` while the entry's body is not here
 * @property uptimeMs milliseconds since that device started
 * @property offsetMin minutes between UTC and that device's local time
 * @property place where the device was, as it said
 * @property post the post that was named
 * @property text what was said
 * @property reason a number of the mission's own list
 * @property photos how many it attached
 */
public data class Step(
    public val entry: EntryId,
    public val seq: Long,
    public val kind: String,
    public val standing: String,
    public val by: Person,
    public val refs: List<EntryId>,
    public val wall: Instant?,
    public val uptimeMs: Long?,
    public val offsetMin: Int?,
    public val clockSource: ClockSource?,
    public val place: Place?,
    public val post: String?,
    public val changes: List<AnswerChange>,
    public val text: String?,
    public val reason: Long?,
    public val photos: Int,
)

/**
 * What a step did to one answer.
 *
 * @property before what it replaced; several if it settled a conflict
 * @property after what it put
 * @property settlesConflict whether a person chose here
 * @property label the question's text in the language asked for; the key while the form's questions are not here
 * @property beforeShown what it replaced, as people read it
 * @property afterShown what it put, as people read it
 */
public data class AnswerChange(
    public val key: String,
    public val before: List<Answer>,
    public val after: Answer,
    public val settlesConflict: Boolean,
    public val label: String = key,
    public val beforeShown: List<String> = emptyList(),
    public val afterShown: String = "",
)
