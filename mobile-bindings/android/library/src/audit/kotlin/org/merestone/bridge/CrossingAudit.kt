package org.merestone.bridge

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import org.merestone.AuditOptions
import org.merestone.AuditReport
import org.merestone.Explanation
import org.merestone.Finding
import org.merestone.MissionId
import org.merestone.RecordId
import org.merestone.Verdict
import org.merestone.crossing.auditBag
import org.merestone.crossing.explainCode
import java.io.File
import org.merestone.crossing.AuditOptions as RawOptions
import org.merestone.crossing.AuditReport as RawReport

internal class CrossingAudit(private val raw: RawReport) : AuditReport {
    override val verdict = when (raw.verdict()) {
        "PASSED" -> Verdict.PASSED
        "FAILED" -> Verdict.FAILED
        else -> Verdict.INDETERMINATE
    }

    override val findings: List<Finding> = raw.findings().map { Finding(it.code, it.weight, it.place, it.says) }

    override val hasRecords: Boolean = raw.hasRecords()

    override fun text(): String = crossing { raw.text() }

    override fun json(): String = crossing { raw.json() }

    override fun html(): String = crossing { raw.html() }

    override fun records(): Flow<String> = flow {
        var after: String? = null
        do {
            val page = crossing { raw.records(after, RECORDS_AT_ONCE) }
            page.records.forEach { emit(it) }
            after = page.next
        } while (after != null)
    }

    override suspend fun record(record: RecordId): String? = crossing { raw.record(record.hex) }

    override fun close(): Unit = raw.close()

    companion object {
        suspend fun of(bag: File, mission: MissionId, options: AuditOptions): AuditReport {
            val asked = RawOptions(options.isFast, options.recordsMax.counted("recordsMax"))
            return CrossingAudit(crossing { auditBag(bag.absolutePath, mission.hex, asked) })
        }
    }
}

internal fun explained(code: String): Explanation? =
    crossing { explainCode(code) }?.let { Explanation(it.code, it.weight, it.means, it.does) }

/** Some hundred kilobytes of usual records. */
private const val RECORDS_AT_ONCE = 50u
