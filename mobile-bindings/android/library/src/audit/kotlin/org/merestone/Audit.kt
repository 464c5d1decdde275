package org.merestone

import kotlinx.coroutines.flow.Flow
import org.merestone.bridge.CrossingAudit
import org.merestone.bridge.explained
import java.io.File

/**
 * Judges a bag by the mission's id alone. A bad bag is a verdict, not an exception.
 *
 * It and all of this file is absent where the library was built without the audit, for phones that only hand bags over.
 *
 * @throws MerestoneException.Refused with code `no-bag` if [bag] is none at all
 */
public suspend fun Merestone.audit(
    bag: File,
    mission: MissionId,
    options: AuditOptions = AuditOptions(),
): AuditReport = CrossingAudit.of(bag, mission, options)

/** What a code of a report means; `null` if it is none. */
public fun Merestone.explain(code: String): Explanation? = explained(code)

/**
 * How much of a bag to judge.
 *
 * @property isFast whether what entries say and photos is left out; records are then not judged
 * @property recordsMax how many records [AuditReport.json] and [AuditReport.html] show in full; [AuditReport.records]
 *   gives all
 */
public data class AuditOptions(public val isFast: Boolean = false, public val recordsMax: Int = 1_000)

/** What an audit says. */
public enum class Verdict {
    /** Nothing contradicts the signatures. */
    PASSED,

    /** Something is forged or damaged. */
    FAILED,

    /** What is there is not enough to say. */
    INDETERMINATE,
}

/** The report of an audit; the same on every machine for the same bag. */
public interface AuditReport : AutoCloseable {
    /** What it comes to. */
    public val verdict: Verdict

    /** What was found, the heaviest first; of each code and weight at most 1 000. */
    public val findings: List<Finding>

    /** Whether records were judged: not if [AuditOptions.isFast], and not where the charter could not be read. */
    public val hasRecords: Boolean

    /** The report as lines to read in a terminal. */
    public fun text(): String

    /** The report for programs. */
    public fun json(): String

    /** The report as one page for any browser, without any other file. */
    public fun html(): String

    /**
     * Every record of the bag as a JSON object, ascending by id; read from the bag as it is collected.
     *
     * @throws MerestoneException.Refused from collecting, with code `changed`, if the bag is no longer what was judged
     */
    public fun records(): Flow<String>

    /** One of [records]; `null` if no entry of the bag belongs to it, or records were not judged. */
    public suspend fun record(record: RecordId): String?
}

/**
 * Something that is there and wrong, or not as it should be.
 *
 * @property code stable; [Merestone.explain] tells more
 * @property weight how bad it is: `failure`, `doubt` or `note`
 * @property place what it is about, in words
 * @property says one sentence in English
 */
public data class Finding(
    public val code: String,
    public val weight: String,
    public val place: String,
    public val says: String,
)

/**
 * What a finding means, for somebody who is not an engineer.
 *
 * @property weight what it usually weighs: `failure`, `doubt` or `note`
 * @property does what to do about it
 */
public data class Explanation(
    public val code: String,
    public val weight: String,
    public val means: String,
    public val does: String,
)
