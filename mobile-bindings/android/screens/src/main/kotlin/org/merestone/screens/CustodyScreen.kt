package org.merestone.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.filter
import org.merestone.Custody
import org.merestone.Phone
import org.merestone.RecordId
import org.merestone.RecordQuery
import org.merestone.RecordSummary

/** Where copies of what this phone holds are. */
public data class CustodyState(
    /** Records that are not all at base camp, the least safe first. */
    public val lines: List<CustodyLine> = emptyList(),
    /** All that is not at base camp in numbers; nothing while it was not looked at. */
    public val loss: Loss? = null,
    /** How many records were looked at for [lines] so far. */
    public val looked: Int = 0,
    /** Whether everything was looked at. */
    public val isDone: Boolean = false,
    override val isBusy: Boolean = false,
    override val trouble: Trouble? = null,
) : ScreenState

/** A record and where its entries are. */
public data class CustodyLine(
    public val record: RecordSummary,
    public val entries: List<Custody>,
    /** In words, of the least safe entry. */
    public val message: Message,
    public val safety: Safety,
)

/** Looks through all records for what is not at base camp. What no signed receipt says does not count. */
public class CustodyScreen(private val phone: Phone, scope: CoroutineScope) :
    ScreenModel<CustodyState>(scope, CustodyState()) {
    /** Looks at everything, anew; the state shows how far it is. */
    public fun look(): Job = intent {
        show { CustodyState(isBusy = isBusy) }
        val loss = lossOf(phone)
        show { copy(loss = loss) }
        phone.records.catchUp()
        val seen = HashSet<RecordId>()
        phone.records.all(RecordQuery()).filter { seen.add(it.id) }.collect { record ->
            val line = lineOf(record, phone.records.custody(record.id))
            show {
                val unsafe = listOfNotNull(line?.takeIf { lines.size < LINES_MAX })
                copy(lines = (lines + unsafe).sortedBy { it.safety }, looked = looked + 1)
            }
        }
        show { copy(isDone = true) }
    }

    override fun CustodyState.marked(isBusy: Boolean, trouble: Trouble?): CustodyState =
        copy(isBusy = isBusy, trouble = trouble)

    private fun lineOf(record: RecordSummary, entries: List<Custody>): CustodyLine? {
        val safety = entries.minOfOrNull { it.safety }?.takeIf { it != Safety.AT_BASE_CAMP } ?: return null
        return CustodyLine(record, entries, entries.message() ?: return null, safety)
    }

    private companion object {
        /** Most records that are listed; [CustodyState.loss] counts all. */
        const val LINES_MAX = 500
    }
}
