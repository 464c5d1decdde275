package org.merestone.bridge

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import org.merestone.Answer
import org.merestone.Answered
import org.merestone.Attached
import org.merestone.DraftId
import org.merestone.Interview
import org.merestone.InterviewInfo
import org.merestone.ObserverKey
import org.merestone.PhotoFile
import org.merestone.PhotoHash
import org.merestone.PhotoPlace
import org.merestone.Problem
import org.merestone.RecordId
import org.merestone.Saved
import org.merestone.ScopeId
import org.merestone.Screen
import org.merestone.crossing.AttachedLine
import org.merestone.crossing.Answered as RawAnswered
import org.merestone.crossing.Interview as RawInterview
import org.merestone.crossing.PhotoFile as RawPhotoFile

internal class CrossingInterview(private val raw: RawInterview) : Interview {
    override suspend fun info(): InterviewInfo = crossing { raw.info() }.run {
        InterviewInfo(
            draft = DraftId(draft),
            observer = ObserverKey(observer),
            scope = ScopeId(scope),
            form = form.told(),
            record = record?.let(::RecordId),
            screens = screens.count(),
            firstOpen = firstOpen.count(),
            language = language?.count(),
        )
    }

    override suspend fun screens(from: Int, max: Int): List<Screen> =
        crossing { raw.screens(from.counted("from"), max.counted("max")) }.map { it.told() }

    override fun allScreens(): Flow<Screen> = flow {
        var from = 0
        while (true) {
            val page = screens(from, SCREENS_AT_ONCE)
            page.forEach { emit(it) }
            from += page.size
            if (page.isEmpty()) return@flow
        }
    }

    override suspend fun find(nameOrKey: String): Int? = crossing { raw.find(nameOrKey) }?.count()

    override suspend fun speak(language: Int?): Unit = crossing { raw.setLanguage(language?.counted("language")) }

    override suspend fun answer(key: String, answer: Answer): Answered =
        crossing { raw.answer(key, answer.raw()) }.told()

    override suspend fun answerTyped(key: String, typed: String): Answered =
        crossing { raw.answerTyped(key, typed) }.told()

    override suspend fun attach(photo: PhotoFile): Attached = crossing { raw.attach(photo.raw()) }.told()

    override suspend fun detach(row: String): Unit = crossing { raw.detach(row) }

    override suspend fun addRow(repeat: String, within: String?): String = crossing { raw.addRow(repeat, within) }

    override suspend fun withdrawRow(key: String): Unit = crossing { raw.withdrawRow(key) }

    override suspend fun problems(): List<Problem> = crossing { raw.problems() }.map { it.told() }

    override suspend fun save(): Saved {
        val saved = crossing { raw.save() }.told()
        raw.close()
        return saved
    }

    override suspend fun leave() {
        crossing { raw.leave() }
        raw.close()
    }

    override fun close(): Unit = raw.close()
}

/** Some kilobytes for each screen: one call for any usual form. */
private const val SCREENS_AT_ONCE = 200

private fun RawAnswered.told() = Answered(screens.count(), screen?.told())

private fun PhotoFile.raw() = RawPhotoFile(file.absolutePath, preview?.absolutePath, caption, question, isAppCaptured)

private fun AttachedLine.told() = Attached(
    row = row,
    photo = PhotoHash(photo),
    width = width?.count(),
    height = height?.count(),
    taken = taken,
    place = place?.let { PhotoPlace(it.latE7, it.lonE7) },
    warnings = warnings,
)
