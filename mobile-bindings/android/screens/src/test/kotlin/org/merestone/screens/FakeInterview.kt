package org.merestone.screens

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import org.merestone.Answer
import org.merestone.Answered
import org.merestone.Attached
import org.merestone.Choice
import org.merestone.DraftId
import org.merestone.EntryId
import org.merestone.Form
import org.merestone.Interview
import org.merestone.InterviewInfo
import org.merestone.MerestoneException
import org.merestone.ObserverKey
import org.merestone.PhotoFile
import org.merestone.PhotoHash
import org.merestone.Problem
import org.merestone.RecordId
import org.merestone.Saved
import org.merestone.Screen
import org.merestone.ScreenKind

/** What is durable of a draft: it outlives the interviews that show it. */
class FakeDraft(val id: DraftId, val record: RecordId? = null) {
    val answers = linkedMapOf<String, Answer>()
    val rows = mutableListOf<String>()
    val photos = mutableListOf<PhotoFile>()
}

/**
 * A small form: a group, a required text, a number that opens a second text, a choice, a photo, and a repeat with one
 * question. The number is refused unless it is made of digits, and wrong below zero.
 */
class FakeInterview(private val form: Form, val draft: FakeDraft) : Interview {
    /** Completed at once unless a test puts another in its place: what an answer waits for. */
    var disk = CompletableDeferred(Unit)
    var failure: MerestoneException? = null
    var left = 0
    private var language: Int? = null

    override suspend fun info() = InterviewInfo(
        draft.id,
        OLENA,
        NORTH.id,
        form,
        draft.record,
        all().size,
        all()
            .indexOfFirst {
                it.kind == ScreenKind.QUESTION && it.answer == null && !it.isReadOnly
            }.coerceAtLeast(0),
        language,
    )

    override suspend fun screens(from: Int, max: Int): List<Screen> = all().drop(from).take(max)

    override fun allScreens(): Flow<Screen> = all().asFlow()

    override suspend fun find(nameOrKey: String): Int? =
        all().indexOfFirst { it.key == nameOrKey || it.name == nameOrKey }.takeIf { it >= 0 }

    override suspend fun speak(language: Int?) {
        this.language = language
    }

    override suspend fun answer(key: String, answer: Answer): Answered {
        disk.await()
        failure?.let { throw it }
        draft.answers[key] = answer
        return Answered(all().size, all().find { it.key == key })
    }

    override suspend fun answerTyped(key: String, typed: String): Answered = when {
        typed.isEmpty() -> {
            answer(key, Answer.Blank)
        }

        key != "queue" -> {
            answer(key, Answer.Text(typed))
        }

        else -> {
            val number =
                typed.toLongOrNull()
                    ?: throw MerestoneException.Refused("answer", "write a whole number, in digits")
            answer(key, Answer.Number(number))
        }
    }

    override suspend fun attach(photo: PhotoFile): Attached {
        if (!photo.file.exists()) throw MerestoneException.NotThere("cannot read ${photo.file}")
        if (photo.file.length() == 0L) throw MerestoneException.Refused("photo", "no picture")
        draft.photos += photo
        photo.question?.let { draft.answers[it] = Answer.Text("5a".repeat(32)) }
        val warnings = if (photo.isAppCaptured) emptyList() else listOf("location-may-be-removed")
        return Attached("row", PhotoHash("5a".repeat(32)), 4, 3, null, null, warnings)
    }

    override suspend fun detach(row: String) {
        draft.photos.clear()
    }

    override suspend fun addRow(repeat: String, within: String?): String {
        val row = "vehicles/${draft.rows.size}"
        draft.rows += row
        return row
    }

    override suspend fun withdrawRow(key: String) {
        draft.rows -= key.substringBeforeLast('/')
    }

    override suspend fun problems(): List<Problem> = all().mapNotNull { it.problem }

    override suspend fun save(): Saved {
        failure?.let { throw it }
        return Saved(EntryId("e1"), RecordId("e1"), isRoomLow = false)
    }

    override suspend fun leave() {
        left += 1
    }

    override fun close() = Unit

    private fun all(): List<Screen> {
        val words = { english: String, arabic: String -> if (language == 1) arabic else english }
        val queue = draft.answers["queue"]
        val lines =
            mutableListOf(
                line(ScreenKind.GROUP, "where", "Place and day"),
                line(ScreenKind.QUESTION, "post", words("Post", "المركز"), isRequired = true),
                line(ScreenKind.QUESTION, "queue", "Vehicles waiting", type = "integer"),
            )
        if (queue is Answer.Number && queue.number > 0) lines += line(ScreenKind.QUESTION, "why", "Why they wait")
        lines += line(ScreenKind.QUESTION, "total", "Total", isReadOnly = true)
        lines += line(ScreenKind.QUESTION, "lanes", "Open for", type = "select_multiple")
        lines += line(ScreenKind.QUESTION, "photo", "Photo", type = "image")
        draft.rows.forEachIndexed { at, row ->
            lines += line(ScreenKind.ROW, row, "Vehicle").copy(rowNumber = at + 1)
            lines += line(ScreenKind.QUESTION, "$row/plate", "Plate")
        }
        lines += line(ScreenKind.ADD_ROW, "vehicles", "Vehicle")
        return lines.mapIndexed { at, line -> line.copy(index = at) }
    }

    private fun line(
        kind: ScreenKind,
        key: String,
        label: String,
        type: String = "text",
        isRequired: Boolean = false,
        isReadOnly: Boolean = false,
    ): Screen {
        val answer = draft.answers[key]
        val problem =
            when {
                isRequired && (answer == null || answer == Answer.Blank) -> {
                    Problem(
                        key,
                        "missing",
                        "an answer is required",
                    )
                }

                answer is Answer.Number && answer.number < 0 -> {
                    Problem(key, "constraint", "None below 0.")
                }

                else -> {
                    null
                }
            }
        val choices =
            if (type ==
                "select_multiple"
            ) {
                listOf("bus", "car", "foot").map { Choice(it, it) }
            } else {
                listOf()
            }
        return Screen(
            0,
            kind,
            key,
            null,
            key.substringAfterLast('/'),
            type,
            label,
            null,
            null,
            answer,
            answer?.typed().orEmpty(),
            choices,
            isRequired,
            isReadOnly,
            type == "image",
            "",
            null,
            problem,
        )
    }
}

val OLENA = ObserverKey("aa".repeat(32))
