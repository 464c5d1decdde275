package org.merestone.screens

import org.merestone.Missing
import org.merestone.Peer
import org.merestone.SyncReport
import org.merestone.SyncState

/** What a meeting came to, for a person: one line that says it, and lines that say what is missing. */
public data class SyncOutcome(
    /** How much is the same on both sides now. */
    public val grade: SyncGrade,
    /** The one line. "Synced" is said only of [SyncGrade.FULL]. */
    public val message: Message,
    /** What is missing or was refused, and what to do, a line each. */
    public val lines: List<Message>,
)

/** How much is the same on both sides after a meeting. */
public enum class SyncGrade {
    /** Both hold the same, and nothing is missing: the one case that is called synced. */
    FULL,

    /** All that both wanted on this link; photos may be missing. */
    AS_WANTED,

    /** Something is missing: meet again. */
    UNFINISHED,

    /** The link broke or was refused: meet again, it goes on where it was cut. */
    BROKEN,
}

/** What a report says, in words. */
public fun SyncReport.outcome(): SyncOutcome {
    val grade =
        when {
            isFullySynced -> SyncGrade.FULL
            endCode != "done" && endCode != "stopped" -> SyncGrade.BROKEN
            isSyncedAsWanted -> SyncGrade.AS_WANTED
            else -> SyncGrade.UNFINISHED
        }
    return SyncOutcome(grade, heading(grade), lines())
}

private fun SyncReport.heading(grade: SyncGrade): Message {
    val who = state.peer?.let { mapOf("who" to it.name) }.orEmpty()
    return when (grade) {
        SyncGrade.FULL -> Message("sync.full", who)
        SyncGrade.AS_WANTED -> Message("sync.as-wanted", who)
        SyncGrade.UNFINISHED -> Message("sync.unfinished", who)
        SyncGrade.BROKEN -> Message("sync.end.$endCode", who + ("reason" to endSays), detail = endSays)
    }
}

private fun SyncReport.lines(): List<Message> = buildList {
    missingHere.forEach { addAll(it.messages("sync.missing-here")) }
    missingThere.forEach { addAll(it.messages("sync.missing-there")) }
    if (photosLeftOut > 0) add(Message.counting("sync.left-out", photosLeftOut))
    if (refused.isNotEmpty()) {
        add(
            Message.counting(
                "sync.refused",
                refused.size.toLong(),
                "codes" to refused.distinct().joinToString(", "),
            ),
        )
    }
    if (scopesNotShared.isNotEmpty()) add(Message.counting("sync.scopes-not-shared", scopesNotShared.size.toLong()))
    noReceipt?.let { add(Message("sync.no-receipt", mapOf("reason" to it))) }
    if (advice.isNotEmpty()) add(Message("sync.advice.$endCode", detail = advice))
}

/** What is missing of one person's work, a line for each kind of thing. */
private fun Missing.messages(code: String): List<Message> {
    val who = "who" to listOfNotNull(observer, party).joinToString(", ")
    val whose = if (observer == null) "$code-unknown" else code
    val counts = listOf("entries" to entries, "bodies" to bodies, "photos" to photos)
    return counts.filter { it.second > 0 }.map { (what, count) -> Message.counting("$whose.$what", count, who) }
}

/** Who was met. */
public val Peer.name: String
    get() = observer.ifEmpty { device }

/** How far a meeting is, in words; nothing before anything moved. */
public fun SyncState.progress(): Message {
    val args =
        mapOf(
            "sent" to entriesSent.toString(),
            "received" to entriesReceived.toString(),
            "photosout" to photosSent.toString(),
            "photosin" to photosReceived.toString(),
        )
    return Message(if (peer == null) "sync.meeting" else "sync.progress", args)
}
