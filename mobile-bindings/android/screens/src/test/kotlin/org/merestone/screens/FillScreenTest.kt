package org.merestone.screens

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.UnconfinedTestDispatcher
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.merestone.Answer
import org.merestone.MerestoneException
import org.merestone.StorageFault
import java.io.File

@OptIn(ExperimentalCoroutinesApi::class)
class FillScreenTest {
    private val phone = FakePhone()
    private val new = FillStart.New(NORTH.id, FORM.hash)

    private suspend fun TestScope.open(
        start: FillStart = new,
        languages: List<String> = emptyList(),
        scope: CoroutineScope = backgroundScope,
    ) = FillScreen(phone, OLENA, start, scope, languages).also { it.open().join() }

    private val FillScreen.asked get() = (state.value.page as QuestionPage).question
    private val interview get() = phone.interviews.last()

    @Test
    fun `one question is asked at a time, below the titles that lead to it`() = runTest {
        val screen = open()
        assertEquals("post", screen.asked.key)
        assertEquals(
            listOf(Heading(HeadingKind.GROUP, "Place and day")),
            screen.state.value.page
                ?.above,
        )
        screen.answerAndGoOn("North gate").join()
        assertEquals("queue", screen.asked.key)
        screen.next().join()
        assertEquals("lanes", screen.asked.key)
        assertEquals(
            listOf(HeadingKind.VALUE),
            screen.state.value.page
                ?.above
                ?.map { it.kind },
        )
        screen.back().join()
        assertEquals("queue", screen.asked.key)
        screen.jump("photo").join()
        assertEquals(Input.PHOTO, screen.asked.input)
        screen.jump("nothing of that name").join()
        assertEquals("photo", screen.asked.key)
    }

    @Test
    fun `what the form does not take stands beside the question, and what stood there stays`() = runTest {
        val screen = open()
        screen.jump("queue").join()
        screen.answer("7").join()
        screen.answerAndGoOn("seven").join()
        val page = screen.state.value.page as QuestionPage
        assertEquals("seven", page.refusal?.typed)
        assertEquals("Write a whole number, in digits.", English.book.say(page.refusal!!.message))
        assertEquals("7", page.question.shown)
        assertEquals(Answer.Number(7), interview.draft.answers["queue"])
        assertNull(screen.state.value.trouble)
        screen.answerAndGoOn("8").join()
        assertEquals("why", screen.asked.key)
    }

    @Test
    fun `what is wrong is said once, and can be left so`() = runTest {
        val screen = open()
        assertFalse((screen.state.value.page as QuestionPage).isProblemShown)
        screen.next().join()
        val page = screen.state.value.page as QuestionPage
        assertTrue(page.isProblemShown)
        assertEquals("post", page.question.key)
        screen.next().join()
        assertEquals("queue", screen.asked.key)
        screen.answerAndGoOn("-1").join()
        assertEquals("problem.constraint", (screen.state.value.page as QuestionPage).problem?.code)
        screen.answerAndGoOn("-1").join()
        assertEquals("lanes", screen.asked.key)
        screen.toEnd().join()
        val end = screen.state.value.page as EndPage
        assertEquals(
            listOf("post" to "Post", "queue" to "Vehicles waiting"),
            end.problems.map {
                it.key to it.label
            },
        )
        assertEquals(interview.info().screens, end.at)
        screen.back().join()
        assertEquals("vehicles", (screen.state.value.page as RowPage).repeat)
        screen.save().join()
        assertTrue(screen.state.value.end is FillEnd.Done)
    }

    @Test
    fun `an answer that waits for its turn is kept although the screen is left`() = runTest {
        val scope = CoroutineScope(UnconfinedTestDispatcher(testScheduler) + Job())
        val screen = open(scope = scope)
        val disk = CompletableDeferred<Unit>()
        interview.disk = disk
        screen.answer("North gate")
        screen.answer("South gate")
        val last = screen.leave()
        scope.cancel()
        disk.complete(Unit)
        last.join()
        assertEquals(1, interview.left)
        val again = open(FillStart.GoOn(interview.draft.id))
        assertEquals(Answer.Text("South gate"), interview.draft.answers["post"])
        assertEquals("queue", again.asked.key)
    }

    @Test
    fun `a failure of the disk is said, and nothing that was answered is lost`() = runTest {
        val screen = open()
        screen.answer("North gate").join()
        interview.failure = MerestoneException.Storage(StorageFault.FULL, "no space")
        screen.answer("South gate").join()
        assertEquals(
            Remedy.MAKE_ROOM,
            screen.state.value.trouble
                ?.remedy,
        )
        assertEquals("North gate", screen.asked.shown)
        interview.failure = MerestoneException.Locked("locked")
        screen.save().join()
        assertEquals(
            Remedy.UNLOCK,
            screen.state.value.trouble
                ?.remedy,
        )
        assertNull(screen.state.value.end)
        interview.failure = null
        screen.save().join()
        assertNull(screen.state.value.trouble)
        assertTrue(screen.state.value.end is FillEnd.Done)
    }

    @Test
    fun `choices are chosen and given up, in the form's order`() = runTest {
        val screen = open()
        screen.jump("lanes").join()
        listOf("foot", "bus", "car", "car").forEach { screen.choose(it).join() }
        assertEquals(Answer.Text("bus foot"), interview.draft.answers["lanes"])
        assertEquals(listOf(true, false, true), screen.asked.choices.map { it.isChosen })
    }

    @Test
    fun `rows are added where they are offered, and taken away from within`() = runTest {
        val screen = open()
        screen.jump("photo").join()
        screen.next().join()
        assertEquals("Vehicle", (screen.state.value.page as RowPage).label)
        screen.addRow().join()
        assertEquals("vehicles/0/plate", screen.asked.key)
        assertEquals(
            listOf(Heading(HeadingKind.ROW, "Vehicle", row = 1)),
            screen.state.value.page
                ?.above,
        )
        screen.withdrawRow().join()
        assertEquals("vehicles", (screen.state.value.page as RowPage).repeat)
        assertTrue(interview.draft.rows.isEmpty())
        screen.back().join()
        screen.withdrawRow().join()
        assertEquals("photo", screen.asked.key)
    }

    @Test
    fun `the form speaks the person's language, from right to left where that is written so`() = runTest {
        val screen = open(languages = listOf("uk", "ar", "en"))
        assertEquals(1, screen.state.value.language)
        assertTrue(screen.state.value.isRightToLeft)
        assertEquals("المركز", screen.asked.label)
        screen.speak(0).join()
        assertFalse(screen.state.value.isRightToLeft)
        assertEquals("Post", screen.asked.label)
    }

    @Test
    fun `a photo is attached by path, and its warnings are said`(@TempDir folder: File) = runTest {
        val picture = File(folder, "a.heic").apply { writeText("picture") }
        val small = File(folder, "a.jpg").apply { writeText("small") }
        val screen = open()
        screen.jump("photo").join()
        val camera = screen.camera({ file -> small.takeIf { file.extension == "heic" } })!!
        camera.open().join()
        assertEquals("Room for about 12 photos.", English.book.say(camera.state.value.roomLeft!!))
        camera.choose(picture, " ").join()
        assertEquals(
            small,
            interview.draft.photos
                .single()
                .preview,
        )
        assertNull(
            interview.draft.photos
                .single()
                .caption,
        )
        assertEquals(
            listOf("photo.location-may-be-removed"),
            camera.state.value.warnings
                .map { it.code },
        )
        assertTrue(screen.asked.isAnswered)
        camera.take(picture).join()
        assertTrue(
            camera.state.value.warnings
                .isEmpty(),
        )
        camera.choose(File(folder, "absent.jpg")).join()
        assertEquals(
            "photo.not-there",
            camera.state.value.refusal
                ?.message
                ?.code,
        )
        camera.choose(File(folder, "empty.jpg").apply { writeText("") }).join()
        assertEquals(
            "refused.photo",
            camera.state.value.refusal
                ?.message
                ?.code,
        )
    }

    @Test
    fun `the overview names every question, and leads to it`() = runTest {
        val screen = open()
        screen.openOverview().join()
        val lines = screen.state.value.overview!!
        assertEquals(listOf("where", "post", "queue", "total", "lanes", "photo"), lines.map { it.key })
        assertTrue(lines[1].hasProblem)
        screen.jump("lanes").join()
        assertNull(screen.state.value.overview)
    }

    @Test
    fun `a draft that is thrown away is gone, and what cannot be opened is said`() = runTest {
        val screen = open()
        screen.discard().join()
        assertEquals(FillEnd.Discarded, screen.state.value.end)
        assertTrue(phone.begun.isEmpty())
        val lost = open(FillStart.GoOn(interview.draft.id))
        assertEquals(
            Remedy.REPORT,
            lost.state.value.trouble
                ?.remedy,
        )
        assertNull(lost.state.value.page)
    }
}
