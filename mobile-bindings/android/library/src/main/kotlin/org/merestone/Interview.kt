package org.merestone

import kotlinx.coroutines.flow.Flow
import java.io.File

/**
 * One form being filled, screen by screen.
 *
 * Each call that changes something is on the disk before it returns, so an app that is killed loses nothing; [leave] or
 * [close] only gives up this object.
 * A screen is named by its index among those that are relevant now, or by its key, which stays the same.
 */
public interface Interview : AutoCloseable {
    /** What is filled and how far. */
    public suspend fun info(): InterviewInfo

    /**
     * Screens from index [from], at most [max] of them; fewer or none at the end.
     *
     * @param max 1 to 1 000
     */
    public suspend fun screens(from: Int, max: Int): List<Screen>

    /** All screens that are relevant now, read page by page as they are collected. */
    public fun allScreens(): Flow<Screen>

    /** The index of a question by its name or key; `null` if it is not asked now. */
    public suspend fun find(nameOrKey: String): Int?

    /** Shows labels in this language from now on: an index into [Form.languages], or `null` for the form's own texts. */
    public suspend fun speak(language: Int?)

    /**
     * Answers a question. An answer that breaks the form's rules is kept, and [Screen.problem] says which.
     *
     * @throws MerestoneException.Refused with code `answer` if it is not an answer to such a question at all, the question is
     *   read-only, or there is none; what stood there before still does
     */
    public suspend fun answer(key: String, answer: Answer): Answered

    /**
     * Answers with what a person typed or picked: numbers and dates in local notation, names of choices.
     *
     * @throws MerestoneException.Refused with code `answer` if it cannot be read as one; what stood there before still does
     */
    public suspend fun answerTyped(key: String, typed: String): Answered

    /**
     * Attaches a photo; its bytes are copied and hashed before this returns.
     *
     * @throws MerestoneException.Refused with code `photo` if it is no picture of a kind that is taken, `preview` if the
     *   preview is none, `too-many-photos` if too many are attached
     * @throws MerestoneException.NotThere if the file cannot be read
     * @throws MerestoneException.Storage if the disk is full
     */
    public suspend fun attach(photo: PhotoFile): Attached

    /** Takes a photo off again. */
    public suspend fun detach(row: String)

    /**
     * Adds a row to a repeated group.
     *
     * @param within the row around it, if groups are nested
     * @return the new row's key
     */
    public suspend fun addRow(repeat: String, within: String? = null): String

    /** Takes a row off, with its answers. */
    public suspend fun withdrawRow(key: String)

    /** What is missing or wrong by the form's rules; shown to the observer, who decides whether to save all the same. */
    public suspend fun problems(): List<Problem>

    /**
     * Signs and saves. The draft is gone afterwards; saving again gives the same entry.
     *
     * [problems] never keep an observation from being saved. After an error the draft is there as it was.
     *
     * @throws MerestoneException.Refused with code `nothing-changed`, `not-editable` or `not-a-writer` if there is nothing
     *   that this observer can change, `too-large` if one entry cannot hold it, `saving` while it is being saved,
     *   `draft-changed` if it was changed elsewhere meanwhile: it is shown as it is now, and may be saved
     * @throws MerestoneException.Locked if the observer's key is locked
     * @throws MerestoneException.NotEnrolled if the observer may not save (any more)
     */
    public suspend fun save(): Saved

    /** Gives this object up; the draft stays, and [Drafts.goOn] takes it up. */
    public suspend fun leave()

    /** [leave] without waiting. */
    override fun close()
}

/**
 * What is filled.
 *
 * @property record what it edits; `null` if it begins a new record
 * @property screens how many are relevant now
 * @property firstOpen the index of the first question without an answer; 0 if there is none
 * @property language an index into [Form.languages]; `null` for the form's own texts
 */
public data class InterviewInfo(
    public val draft: DraftId,
    public val observer: ObserverKey,
    public val scope: ScopeId,
    public val form: Form,
    public val record: RecordId?,
    public val screens: Int,
    public val firstOpen: Int,
    public val language: Int?,
)

/**
 * What an answer did.
 *
 * @property screens how many screens are relevant now
 * @property screen the answered one as it is now, with its problem if it has one; `null` if it is not relevant any more
 */
public data class Answered(public val screens: Int, public val screen: Screen?)

/**
 * A photo to attach.
 *
 * @property file the camera's file, unchanged: it is what an auditor will hold
 * @property preview a JPEG of it, made by the system, where the original is of a kind that cannot be read here (HEIC)
 * @property caption what the observer says of it
 * @property question the key of the question that it answers; `null` if it belongs to the record
 * @property isAppCaptured whether this app's camera took it into this app's files. Android takes the place out of photos
 *   that other apps took when it hands them over without a permission; so if this is false and there is no place, the
 *   warning `location-may-be-removed` comes with it.
 */
public data class PhotoFile(
    public val file: File,
    public val preview: File? = null,
    public val caption: String? = null,
    public val question: String? = null,
    public val isAppCaptured: Boolean = false,
)

/**
 * An attached photo.
 *
 * @property row for [Interview.detach]: its row, or the key of the question that it answers
 * @property width pixels; `null` if the picture cannot be read here
 * @property height pixels
 * @property taken when the camera says it was: `YYYY-MM-DDTHH:MM:SS`, with the offset to UTC where the camera gives one
 * @property place where the camera says it was: for the observer to confirm, and no evidence
 * @property warnings stable codes: `location-may-be-removed`, and `no-picture` if no smaller picture could be made: hand over
 *   a preview
 */
public data class Attached(
    public val row: String,
    public val photo: PhotoHash,
    public val width: Int?,
    public val height: Int?,
    public val taken: String?,
    public val place: PhotoPlace?,
    public val warnings: List<String>,
)

/**
 * Where a camera says that it took a photo: how exactly, and how it knew, no camera says.
 *
 * @property latitudeE7 degrees north times 10 000 000
 * @property longitudeE7 degrees east times 10 000 000
 */
public data class PhotoPlace(public val latitudeE7: Int, public val longitudeE7: Int)
