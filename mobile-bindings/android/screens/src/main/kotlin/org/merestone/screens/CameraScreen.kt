package org.merestone.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import org.merestone.Attached
import org.merestone.Interview
import org.merestone.MerestoneException
import org.merestone.Phone
import org.merestone.PhotoFile
import org.merestone.Room
import java.io.File

/** Makes a JPEG of a picture that only the system can read (HEIC, AVIF): the library signs it as the observer's word. */
public fun interface PreviewMaker {
    /** The JPEG's file; nothing for a picture that needs none, or when the system cannot read it either. */
    public suspend fun previewOf(photo: File): File?

    public companion object {
        /** For systems that read no more formats than the library. */
        public val None: PreviewMaker = PreviewMaker { null }
    }
}

/** A photo that is being taken or chosen. */
public data class CameraState(
    /** The question that it answers; nothing when it belongs to the record as a whole. */
    public val question: String? = null,
    /** Room on the disk; nothing while it is not known. */
    public val room: Room? = null,
    /** What was attached last. */
    public val attached: Attached? = null,
    /** What to tell about it: the place was taken out of it, there is no small picture. */
    public val warnings: List<Message> = emptyList(),
    /** What was chosen and is no photo, and why. */
    public val refusal: Refusal? = null,
    override val isBusy: Boolean = false,
    override val trouble: Trouble? = null,
) : ScreenState {
    /** How many photos still fit, in words; nothing while it is not known. */
    public val roomLeft: Message?
        get() = room?.photosAbout?.let { Message.counting(if (room.isLow) "room.low" else "room.photos", it) }
}

/**
 * Takes or chooses photos by path. A photo is attached, hashed and durable when its intent is done.
 *
 * @param question the key of the question that the photo answers
 * @param onAttached told after each photo
 */
public class CameraScreen(
    private val phone: Phone,
    private val interview: Interview,
    question: String?,
    private val previews: PreviewMaker,
    scope: CoroutineScope,
    private val onAttached: suspend () -> Unit = {},
) : ScreenModel<CameraState>(scope, CameraState(question)) {
    /** Reads how much room there is. To be called first. */
    public fun open(): Job = intent { readRoom() }

    /** Attaches what this app's camera wrote into this app's files: its place is as the camera gave it. */
    public fun take(file: File, caption: String? = null): Job = attach(file, caption, isAppCaptured = true)

    /** Attaches a photo of another app; a system that takes places out of such photos is warned of. */
    public fun choose(file: File, caption: String? = null): Job = attach(file, caption, isAppCaptured = false)

    /** Takes off what was attached last. */
    public fun takeOff(): Job = lasting {
        val attached = now.attached ?: return@lasting
        interview.detach(attached.row)
        show { copy(attached = null, warnings = emptyList()) }
        onAttached()
    }

    override fun CameraState.marked(isBusy: Boolean, trouble: Trouble?): CameraState =
        copy(isBusy = isBusy, trouble = trouble)

    private fun attach(file: File, caption: String?, isAppCaptured: Boolean): Job = lasting {
        show { copy(refusal = null) }
        val photo =
            PhotoFile(
                file,
                previews.previewOf(file),
                caption?.trim()?.ifEmpty {
                    null
                },
                now.question,
                isAppCaptured,
            )
        try {
            val attached = interview.attach(photo)
            val warnings = attached.warnings.map { Message("photo.$it", detail = it) }
            show { copy(attached = attached, warnings = warnings) }
            onAttached()
        } catch (refused: MerestoneException.Refused) {
            show { copy(refusal = Refusal(file.path, refusalMessage(refused))) }
        } catch (absent: MerestoneException.NotThere) {
            show { copy(refusal = Refusal(file.path, Message("photo.not-there", mapOf("path" to file.path)))) }
        }
        readRoom()
    }

    private suspend fun readRoom() {
        val room = phone.room()
        show { copy(room = room) }
    }
}
