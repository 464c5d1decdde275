package org.merestone.screens

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.merestone.MerestoneException
import org.merestone.SyncEvent
import org.merestone.SyncTarget

@OptIn(ExperimentalCoroutinesApi::class)
class SyncScreenTest {
    private val phone = FakePhone()

    @Test
    fun `synced is said of nothing but a full sync`() {
        val all =
            listOf("done", "stopped", "link-lost", "busy", "a code of tomorrow").flatMap { code ->
                listOf(true, false).flatMap { isFull -> listOf(true, false).map { report(isFull, it, code, 3) } }
            }
        for (report in all) {
            val outcome = report.outcome()
            val said = English.book.say(outcome.message)
            assertEquals(report.isFullySynced, said.startsWith("Synced"), said)
            assertEquals(report.isFullySynced, outcome.grade == SyncGrade.FULL)
        }
        assertEquals(SyncGrade.AS_WANTED, report(isFull = false).outcome().grade)
        assertEquals(SyncGrade.UNFINISHED, report(isFull = false, isAsWanted = false).outcome().grade)
        assertEquals(SyncGrade.BROKEN, report(isFull = false, endCode = "link-lost").outcome().grade)
        val missing = report(isFull = false, isAsWanted = false, photos = 1).outcome().lines
        assertEquals(listOf("1 photo or picture of Marek, State B is missing here."), missing.map(English.book::say))
    }

    @Test
    fun `a meeting shows how far it is, and then what it came to`() = runTest {
        val end = CompletableDeferred<Unit>()
        val half = report(isFull = false)
        phone.meeting =
            flow {
                emit(SyncEvent.Progress(half.state))
                end.await()
                emit(SyncEvent.Ended(half))
            }
        val screen = SyncScreen(phone, OLENA, backgroundScope)
        val meeting = screen.call(" [fe80::1]:7411 ")
        runCurrent()
        assertEquals(SyncTarget.Typed("[fe80::1]:7411"), phone.met)
        assertEquals(half.state, screen.state.value.meeting)
        assertEquals(
            "Received 2 entries and 0 photos, sent 1 entries and 0 photos.",
            English.book.say(half.state.progress()),
        )
        end.complete(Unit)
        meeting.join()
        assertNull(screen.state.value.meeting)
        assertEquals(
            SyncGrade.AS_WANTED,
            screen.state.value.outcome
                ?.grade,
        )
    }

    @Test
    fun `a meeting that another one took the place of says nothing any more`() = runTest {
        val screen = SyncScreen(phone, OLENA, backgroundScope)
        val first = screen.call("10.0.0.1:7411")
        val second = screen.call("10.0.0.2:7411")
        first.join()
        runCurrent()
        assertTrue(screen.state.value.isMeeting)
        assertEquals(SyncTarget.Typed("10.0.0.2:7411"), phone.met)
        screen.stop()
        second.join()
        assertFalse(screen.state.value.isMeeting)
    }

    @Test
    fun `a ticket that is none stands beside its field, and who is not reached is trouble worth trying again`() =
        runTest {
            val screen = SyncScreen(phone, OLENA, backgroundScope)
            phone.meeting = flow { throw MerestoneException.Refused("mistyped", "not whole") }
            screen.call("MERESTONE").join()
            assertEquals(
                "MERESTONE",
                screen.state.value.refusal
                    ?.typed,
            )
            phone.meeting = flow { throw MerestoneException.Unreachable("no-link", true, "nobody answered") }
            screen.call("10.0.0.1:7411").join()
            assertEquals(
                Remedy.TRY_AGAIN,
                screen.state.value.trouble
                    ?.remedy,
            )
            assertEquals(
                "Nobody was met: nobody answered.",
                English.book.say(
                    screen.state.value.trouble!!
                        .message,
                ),
            )
            assertNull(screen.state.value.refusal)
        }

    @Test
    fun `stopping ends the meeting, and what is found twice is one device`() = runTest {
        val screen = SyncScreen(phone, OLENA, backgroundScope)
        val meeting = screen.call("10.0.0.1:7411")
        runCurrent()
        assertTrue(screen.state.value.isMeeting && screen.state.value.isBusy)
        screen.stop()
        meeting.join()
        assertFalse(screen.state.value.isMeeting || screen.state.value.isBusy)
        screen.look().join()
        assertEquals(
            listOf("b", "a"),
            screen.state.value.nearby
                .map { it.transportKey },
        )
        assertFalse(screen.state.value.isLooking)
    }
}
