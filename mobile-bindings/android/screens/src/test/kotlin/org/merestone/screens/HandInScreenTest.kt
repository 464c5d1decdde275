package org.merestone.screens

import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.merestone.Custody
import org.merestone.DraftId

class HandInScreenTest {
    private val phone = FakePhone()

    private fun hold(vararg custodies: List<Custody>) {
        phone.held.clear()
        custodies.forEachIndexed { at, custody ->
            phone.held += record(at)
            phone.custodies[record(at).id] = custody
        }
    }

    @Test
    fun `where an entry is, is said as its receipts say`() {
        val rows =
            listOf(
                custody() to "Only on this phone.",
                custody(peers = 2) to "On 2 other devices, not at base camp.",
                custody(
                    peers = 1,
                    photos = 2,
                    elsewhere = 1,
                ) to "Others have the entry; 1 photo is only on this phone.",
                custody(isAtCamp = true) to "At base camp.",
                custody(isAtCamp = true, photos = 3, elsewhere = 3, atCamp = 1) to "At base camp, without 2 photos.",
            )
        for ((custody, wanted) in rows) assertEquals(wanted, English.book.say(custody.message()))
        val record = listOf(custody(), custody(isAtCamp = true), custody())
        assertEquals("2 of 3 entries or their photos are only on this phone.", English.book.say(record.message()!!))
        assertEquals("At base camp.", English.book.say(List(3) { custody(isAtCamp = true) }.message()!!))
        assertNull(emptyList<Custody>().message())
    }

    @Test
    fun `a phone whose work is all at base camp is removed without another word`() = runTest {
        hold(listOf(custody(isAtCamp = true, photos = 1, elsewhere = 1, atCamp = 1)))
        val screen = HandInScreen(phone, English.book, backgroundScope)
        screen.look().join()
        assertTrue(screen.state.value.isHandedOver)
        assertNull(screen.state.value.confirmation)
        screen.wipe().join()
        assertTrue(screen.state.value.isWiped && phone.isWiped)
    }

    @Test
    fun `what would be lost must be written out before it is`() = runTest {
        hold(listOf(custody(), custody(peers = 1)), listOf(custody(photos = 2)))
        phone.begun[DraftId("d")] = FakeDraft(DraftId("d"))
        val screen = HandInScreen(phone, English.book, backgroundScope)
        screen.look().join()
        val said =
            screen.state.value.loss!!
                .lines()
                .map(English.book::say)
        val wanted =
            listOf(
                "2 entries are only on this phone.",
                "2 photos are only on this phone.",
                "1 entry is on other devices, not at base camp.",
                "1 draft was never saved.",
            )
        assertEquals(wanted, said)
        assertEquals("remove 3 entries, 2 photos, 1 draft", English.book.say(screen.state.value.confirmation!!))
        for (written in listOf("", "yes", "remove 3 entries")) {
            screen.wipe(written).join()
            assertEquals(
                "hand-in.not-confirmed",
                screen.state.value.refusal
                    ?.code,
            )
            assertFalse(phone.isWiped)
        }
        screen.wipe(" Remove 3 entries,  2 photos, 1 draft. ").join()
        assertTrue(phone.isWiped)
    }

    @Test
    fun `nothing is removed when more would be lost than was told, or nothing was looked at`() = runTest {
        hold(listOf(custody(isAtCamp = true)))
        val screen = HandInScreen(phone, English.book, backgroundScope)
        screen.wipe().join()
        assertEquals(
            "hand-in.changed",
            screen.state.value.refusal
                ?.code,
        )
        screen.look().join()
        hold(listOf(custody(isAtCamp = true)), listOf(custody()))
        screen.wipe().join()
        assertEquals(
            "hand-in.changed",
            screen.state.value.refusal
                ?.code,
        )
        assertEquals("remove 1 entry", English.book.say(screen.state.value.confirmation!!))
        assertFalse(phone.isWiped)
    }

    @Test
    fun `the custody screen lists what is not at base camp, the least safe first`() = runTest {
        hold(listOf(custody(isAtCamp = true)), listOf(custody(peers = 1)), listOf(custody()))
        val screen = CustodyScreen(phone, backgroundScope)
        screen.look().join()
        assertTrue(screen.state.value.isDone)
        assertEquals(
            listOf(Safety.ONLY_HERE, Safety.WITH_PEERS),
            screen.state.value.lines
                .map { it.safety },
        )
        assertEquals(3, screen.state.value.loss.records)
    }
}
