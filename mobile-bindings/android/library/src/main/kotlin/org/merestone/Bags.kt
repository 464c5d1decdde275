package org.merestone

import java.io.File

/** Folders with everything that an auditor needs. */
public interface Bags {
    /**
     * Writes all that this phone has, with signatures, so that anybody can judge it (`Merestone.audit`, or the auditor's program).
     *
     * @param folder must not exist yet, or be empty
     * @param scopes only these; `null` for all
     */
    public suspend fun write(folder: File, scopes: List<ScopeId>? = null): BagWritten
}

/**
 * What was written.
 *
 * @property logs of keys whose entries are in it
 * @property photos photos and smaller pictures
 * @property notes the ledger's checkpoints
 * @property leaves the ledger's lines
 * @property leftOut what is evidence and not in it: `damaged-photo`, `absent-photo` and `receipt` with an id, `leaves` and
 *   `siblings` with a number
 */
public data class BagWritten(
    public val logs: Long,
    public val entries: Long,
    public val photos: Long,
    public val notes: Long,
    public val leaves: Long,
    public val files: Long,
    public val bytes: Long,
    public val leftOut: List<String>,
)
