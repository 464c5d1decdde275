package org.merestone.screens

import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.merestone.Custody
import org.merestone.HeldAlone

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
    fun `a phone that is removed says which files were left alone`() = runTest {
        val screen = HandInScreen(phone, English.book, backgroundScope)
        screen.look().join()
        assertTrue(screen.state.value.isHandedOver)
        assertNull(screen.state.value.confirmation)
        screen.wipe().join()
        assertTrue(screen.state.value.isWiped && phone.isWiped)
        assertEquals(phone.strangers, screen.state.value.leftAlone)
    }

    @Test
    fun `when more would be lost than was told, that is told and nothing is removed`() = runTest {
        val screen = HandInScreen(phone, English.book, backgroundScope)
        screen.look().join()
        phone.alone = HeldAlone(1, 1, 0, 0)
        screen.wipe().join()
        assertEquals("remove 1 entry", English.book.say(screen.state.value.confirmation!!))
        assertFalse(phone.isWiped)
    }

    @Test
    fun `the custody screen lists what is not at base camp, the least safe first`() = runTest {
        hold(listOf(custody(isAtCamp = true)), listOf(custody(peers = 1)), listOf(custody()))
        phone.alone = HeldAlone(1, 2, 0, 0)
        val screen = CustodyScreen(phone, backgroundScope)
        screen.look().join()
        assertTrue(screen.state.value.isDone)
        assertEquals(
            listOf(Safety.ONLY_HERE, Safety.WITH_PEERS),
            screen.state.value.lines
                .map { it.safety },
        )
        assertEquals(3, screen.state.value.looked)
        assertEquals(
            Loss(entriesOnlyHere = 1, entriesNotAtCamp = 1),
            screen.state.value.loss,
        )
    }
}
