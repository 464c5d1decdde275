package org.merestone

import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.withContext
import java.io.File
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * One installation of the app, open. [Merestone.open] gives it.
 *
 * All functions may be called from any thread and from several at once; none blocks the caller's thread, except [close].
 * Cancelling the coroutine of a call ends a link at once; what a disk operation already began ends by itself, whole, and
 * its result is dropped.
 * After [close] and [wipe] everything answers [MerestoneException.Closed].
 */
public interface Phone : AutoCloseable {
    /** Who works on this phone, and their keys. */
    public val observers: Observers

    /** Which forms can be filled. */
    public val forms: Forms

    /** What is being filled. */
    public val drafts: Drafts

    /** What was saved and received. */
    public val records: Records

    /** Pictures of records. */
    public val photos: Photos

    /** Meeting other devices. */
    public val sync: Sync

    /** Files that carry entries where there is no network. */
    public val courier: Courier

    /** What auditors get. */
    public val bags: Bags

    /** Whether calls are taken: not closed, not wiped and not paused. */
    public val isOpen: Boolean

    /** What the parties agreed on. */
    public suspend fun mission(): Mission

    /** How much room is left for photos. */
    public suspend fun room(): Room

    /**
     * What changes in the store, at most ten times in a second; changes in between come as one.
     *
     * The first says that everything may have changed, as soon as no later change can be missed: read what you show
     * whenever one comes. Each collector gets all of them; one that is slow gets them added up. It lasts across a [pause], and
     * ends when the phone is closed or wiped.
     *
     * @throws MerestoneException.Closed from collecting, if the phone is not open when that begins
     */
    public fun changes(): Flow<Change>

    /**
     * Leaves the disk alone, for a system that ends apps which hold files open in the background.
     *
     * Meetings end, calls that are running finish or are rolled back, and no file of the store is open afterwards. Keys
     * that are unlocked stay so. Until [resume] other calls answer [MerestoneException.Closed] with `isPaused`.
     *
     * @param budget how long running calls may take to finish before they are rolled back; if it was too short for that, the
     *   report says so: pause again
     */
    public suspend fun pause(budget: Duration = 2.seconds): PauseReport

    /** Ends a [pause]. */
    public suspend fun resume()

    /**
     * Closes and removes everything: keys first, then store, photos, drafts and marker. What no other device has is lost:
     * ask [Records.heldAlone] before. Each vault that an observer was made or unlocked with since the phone was opened
     * forgets that observer's key.
     *
     * @return files in its folder that are none of its own and were left alone
     * @throws MerestoneException.Storage if something could not be removed; the keys are gone by then, and
     *   [Merestone.wipe] goes on
     */
    public suspend fun wipe(): List<File>

    /**
     * Ends meetings, lets running disk operations finish and closes. Blocks for as long; call it away from the main thread,
     * or call [shut] or [whileOpen]. Closing twice changes nothing.
     *
     * @throws MerestoneException.Storage with [StorageFault.IN_USE] if a call that hangs keeps the store open after 20
     *   seconds: then the phone is paused, and may be closed again
     */
    override fun close()

    /** [close] for coroutines. */
    public suspend fun shut()
}

/**
 * Does [work] with the phone and [Phone.shut]s it, however that ends: what `use` is, without blocking the thread.
 *
 * If both fail, what [work] threw is thrown, and what [Phone.shut] threw is suppressed in it.
 */
public suspend fun <T> Phone.whileOpen(work: suspend (Phone) -> T): T {
    val done = runCatching { work(this) }
    val shut = runCatching { withContext(NonCancellable) { shut() } }
    val failure = done.exceptionOrNull() ?: shut.exceptionOrNull() ?: return done.getOrThrow()
    shut.exceptionOrNull()?.takeIf { it !== failure }?.let(failure::addSuppressed)
    throw failure
}

/**
 * What [Phone.pause] did.
 *
 * @property wasBusy whether something was running
 * @property isClosed whether no file of the store is open any more
 * @property tookMs milliseconds
 */
public data class PauseReport(public val wasBusy: Boolean, public val isClosed: Boolean, public val tookMs: Long)

/**
 * Room on the disk.
 *
 * @property freeBytes `null` if the system does not say
 * @property photosAbout about how many photos of usual size still fit
 * @property isLow whether a person should be told
 */
public data class Room(public val freeBytes: Long?, public val photosAbout: Long?, public val isLow: Boolean)

/**
 * What changed in the store.
 *
 * @property records those that have new entries or pictures
 * @property isEverything whether all that is shown should be read again; then [records] may be incomplete
 * @property hasStatements whether certificates, cuts or other statements about observers came
 */
public data class Change(
    public val records: Set<RecordId>,
    public val isEverything: Boolean,
    public val hasStatements: Boolean,
) {
    /** Both changes as one. */
    public operator fun plus(next: Change): Change = Change(
        records + next.records,
        isEverything || next.isEverything,
        hasStatements || next.hasStatements,
    )
}
