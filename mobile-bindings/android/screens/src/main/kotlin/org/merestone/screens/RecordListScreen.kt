package org.merestone.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import org.merestone.Change
import org.merestone.Form
import org.merestone.PageMark
import org.merestone.Phone
import org.merestone.RecordId
import org.merestone.RecordQuery
import org.merestone.RecordSummary
import org.merestone.RecordsPage
import org.merestone.Scope

/** The list of records. */
public data class RecordListState(
    /** The records that were read so far, newest change first. */
    public val lines: List<RecordSummary> = emptyList(),
    /** Whether there are more: [RecordListScreen.more]. */
    public val hasMore: Boolean = false,
    /** What the list is filtered and searched by. */
    public val query: RecordQuery = OPEN,
    /** The record that the person is at; it stays so while others come and go above it. */
    public val place: RecordId? = null,
    /** How many records have a conflict, up to [conflictsMax]. */
    public val conflicts: Int = 0,
    /** Whether there are more conflicts than are counted. */
    public val hasMoreConflicts: Boolean = false,
    /** Whether so much was received that the list does not show all of it yet. */
    public val isBehind: Boolean = false,
    /** Whether the list was read at least once: empty then means that there is nothing. */
    public val isRead: Boolean = false,
    /** What can be filtered by. */
    public val forms: List<Form> = emptyList(),
    public val scopes: List<Scope> = emptyList(),
    override val isBusy: Boolean = false,
    override val trouble: Trouble? = null,
) : ScreenState {
    /** Whether something is searched or filtered, so that an empty list says little. */
    public val isFiltered: Boolean get() = query != OPEN

    /** What the badge says; nothing without a conflict. */
    public val badge: Message?
        get() =
            when {
                conflicts == 0 -> null
                hasMoreConflicts -> Message.counting("list.conflicts-more", conflicts.toLong())
                else -> Message.counting("list.conflicts", conflicts.toLong())
            }

    public companion object {
        /** Everything that is not withdrawn. */
        public val OPEN: RecordQuery = RecordQuery(isWithdrawn = false)

        /** Most conflicts that are counted. */
        public const val CONFLICTS_MAX: Int = 100
    }
}

/**
 * The records of this phone: paged, searched, filtered, live.
 *
 * While [follow] runs, what is saved or received shows by itself, and the person's place stays.
 */
public class RecordListScreen(private val phone: Phone, scope: CoroutineScope, private val pageLines: Int = 50) :
    ScreenModel<RecordListState>(scope, RecordListState()) {
    private var mark: PageMark? = null

    /** Reads the first page. To be called first. */
    public fun open(): Job = intent {
        val (forms, scopes) = Pair(phone.forms.all(), phone.mission().scopes)
        show { copy(forms = forms, scopes = scopes) }
        read(pageLines)
    }

    /** Reads again what changed, until the screen is left. */
    public fun follow(): Job = listening { phone.changes().collect { changed(it) } }

    /** Reads one more page. */
    public fun more(): Job = intent { readMore() }

    /** Searches for words; nothing shows all again. */
    public fun search(text: String): Job = filter { copy(text = text.trim().ifEmpty { null }) }

    /** Changes the filter. */
    public fun filter(change: RecordQuery.() -> RecordQuery): Job = intent {
        show { copy(query = query.change(), place = null) }
        read(pageLines)
    }

    /** Shows everything again. */
    public fun clear(): Job = filter { RecordListState.OPEN }

    /** The person is at this record. */
    public fun point(record: RecordId): Unit = show { copy(place = record) }

    /** Moves the person's place by so many lines, and reads more at the end. */
    public fun move(by: Int): Job = intent {
        if (now.lines.isEmpty()) return@intent
        val at = (now.at() + by).coerceAtLeast(0)
        while (at >= now.lines.size && mark != null) readMore()
        show { copy(place = lines[at.coerceAtMost(lines.lastIndex)].id) }
    }

    override fun RecordListState.marked(isBusy: Boolean, trouble: Trouble?): RecordListState =
        copy(isBusy = isBusy, trouble = trouble)

    private suspend fun changed(change: Change) {
        if (change.records.isEmpty() && !change.isEverything && !change.hasStatements) return
        intent { read(now.lines.size.coerceAtLeast(pageLines)) }.join()
    }

    /** Reads as many lines as were shown, so that nobody's place is lost. */
    private suspend fun read(lines: Int) {
        phone.records
            .page(now.query, null, 1)
            .takeIf { it.isBehind }
            ?.let { phone.records.catchUp() }
        val fresh = mutableListOf<RecordSummary>()
        var page: RecordsPage
        mark = null
        do {
            page = phone.records.page(now.query, mark, (lines - fresh.size).coerceIn(1, LINES_MAX))
            fresh += page.lines
            mark = page.next
        } while (mark != null && fresh.size < lines)
        val (conflicts, hasMoreConflicts) = conflicts()
        show {
            copy(
                lines = fresh.distinctBy { it.id },
                hasMore = mark != null,
                place = placeIn(fresh),
                conflicts = conflicts,
                hasMoreConflicts = hasMoreConflicts,
                isBehind = page.isBehind,
                isRead = true,
            )
        }
    }

    private suspend fun readMore() {
        val after = mark ?: return
        val page = phone.records.page(now.query, after, pageLines)
        mark = page.next
        show { copy(lines = (lines + page.lines).distinctBy { it.id }, hasMore = page.next != null) }
    }

    private suspend fun conflicts(): Pair<Int, Boolean> {
        val query = RecordListState.OPEN.copy(hasConflict = true)
        val page = phone.records.page(query, null, RecordListState.CONFLICTS_MAX)
        return Pair(page.lines.size, page.next != null)
    }

    /** Where the person is in new lines: at the same record, or at what stands where it stood. */
    private fun RecordListState.placeIn(fresh: List<RecordSummary>): RecordId? {
        val place = place ?: return null
        if (fresh.any { it.id == place }) return place
        return fresh.getOrNull(at().coerceAtMost(fresh.lastIndex))?.id
    }

    private companion object {
        /** Most lines that the library gives at once. */
        const val LINES_MAX = 1_000
    }
}

/** The index of the person's place; the first line while there is none. */
public fun RecordListState.at(): Int = lines.indexOfFirst { it.id == place }.coerceAtLeast(0)
