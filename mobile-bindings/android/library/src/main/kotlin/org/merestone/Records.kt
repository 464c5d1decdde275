package org.merestone

import kotlinx.coroutines.flow.Flow
import java.io.File
import java.time.Instant

/** The records on this phone, own and received. What saves takes a [SaveId] for asking again. */
public interface Records {
    /**
     * One page of a list, newest change first; of a search, those first that were indexed last.
     *
     * @param after where the page before ended ([RecordsPage.next]); `null` for the first
     * @param max 1 to 1 000
     * @throws MerestoneException.Refused if [after] is of another query
     */
    public suspend fun page(query: RecordQuery, after: PageMark? = null, max: Int = 50): RecordsPage

    /**
     * The whole list, brought up to date first and read page by page as it is collected. What changes meanwhile may be
     * missing or come twice.
     */
    public fun all(query: RecordQuery = RecordQuery(), pageSize: Int = 100): Flow<RecordSummary>

    /** Brings the list up to date with everything received, after [RecordsPage.isBehind]. */
    public suspend fun catchUp()

    /**
     * Everything about one record; `null` if it is not on this phone.
     *
     * @param language of the questions' and choices' texts, by its place in [Form.languages]; `null` for the form's own
     */
    public suspend fun sheet(record: RecordId, language: Int? = null): RecordSheet?

    /** The steps of a record, oldest first; [language] as in [sheet]. */
    public suspend fun history(record: RecordId, language: Int? = null): List<Step>

    /**
     * Settles a conflict: the answer that stands from now on. The others stay in the history.
     *
     * @throws MerestoneException.Refused with code `not-editable` or `not-a-writer` if the observer cannot change the record
     * @throws MerestoneException.NotEnrolled if the observer may not save
     * @throws MerestoneException.Locked if the observer's key is locked
     */
    public suspend fun resolve(
        observer: ObserverKey,
        record: RecordId,
        key: String,
        answer: Answer,
        once: SaveId? = null,
    ): Saved

    /** Says that the record should not count. Nothing is removed, and an edit takes it back. */
    public suspend fun withdraw(observer: ObserverKey, record: RecordId, once: SaveId? = null): Saved

    /**
     * Signs what the observer thinks of a record as it is now; a later edit voids it visibly.
     *
     * @throws MerestoneException.Refused with code `words-needed` if an objection has none, `too-long` if it has too many
     * @throws MerestoneException.NotThere if nothing of the record is here
     * @throws MerestoneException.Locked if the observer's key is locked
     */
    public suspend fun say(observer: ObserverKey, speech: Speech, once: SaveId? = null): Saved

    /**
     * Writes an entry again that was set aside, for example because its author's key was cut.
     *
     * @throws MerestoneException.NotThere if it is no change of a record that is here
     * @throws MerestoneException.Refused with code `applied` if it counts already, `unreadable` if it cannot be read
     */
    public suspend fun restate(observer: ObserverKey, entry: EntryId, once: SaveId? = null): Saved

    /**
     * Who holds a copy of an entry; `null` if the entry is not on this phone.
     *
     * What is not said by a signed receipt does not count.
     */
    public suspend fun custody(entry: EntryId): Custody?

    /** [custody] of each entry of a record. */
    public suspend fun custody(record: RecordId): List<Custody>

    /** What would be lost with this phone now: to be asked before it is handed in or wiped. */
    public suspend fun heldAlone(): HeldAlone

    /**
     * Writes one entry into a file that proves it to somebody who holds nothing but the mission's id.
     *
     * @param questions the answers to show; the others stay hidden
     * @param file must not exist yet
     */
    public suspend fun writeExhibit(entry: EntryId, questions: List<String>, file: File)
}

/**
 * Which records a list shows; what is `null` does not matter.
 *
 * @property text every word of it occurs in the answers, the last perhaps only begun; case, accents and vowel signs do not
 *   matter
 * @property since changed at or after this time, by the clock of who changed it
 */
public data class RecordQuery(
    public val scope: ScopeId? = null,
    public val kind: String? = null,
    public val text: String? = null,
    public val state: RecordState? = null,
    public val hasConflict: Boolean? = null,
    public val isWithdrawn: Boolean? = null,
    public val since: Instant? = null,
)

/** How much of a record this phone has. */
public enum class RecordState {
    /** It shows everything that is here of it. */
    WHOLE,

    /** It shows some of it; [RecordSheet.standings] says what not. */
    PARTIAL,

    /** It shows nothing: what decides about it is not here. */
    UNREADABLE,
}

/** Where a page of a list ended. Only good for the query that gave it. */
@JvmInline
public value class PageMark(internal val text: String)

/**
 * A page of a list.
 *
 * @property next for the next page; `null` if this is the last
 * @property isBehind whether more was saved or received than the list shows yet: ask again, or [Records.catchUp]. On a full
 *   disk it stays so.
 */
public data class RecordsPage(
    public val lines: List<RecordSummary>,
    public val next: PageMark?,
    public val isBehind: Boolean,
)

/**
 * A record in a list.
 *
 * @property kind empty while its form is not on this phone
 * @property title the first text that is answered
 * @property observer who created it; empty while that is not known
 * @property hasConflict whether some question has several answers that nobody chose between
 * @property entries how many signed steps of it are here
 * @property updated when it was changed last, by the clock of who changed it
 */
public data class RecordSummary(
    public val id: RecordId,
    public val scope: ScopeId,
    public val kind: String,
    public val title: String,
    public val observer: String,
    public val state: RecordState,
    public val hasConflict: Boolean,
    public val isWithdrawn: Boolean,
    public val entries: Int,
    public val photos: Int,
    public val updated: Instant,
)
