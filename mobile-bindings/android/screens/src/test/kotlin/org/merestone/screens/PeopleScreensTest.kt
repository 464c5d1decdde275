package org.merestone.screens

import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.merestone.ObserverState

class PeopleScreensTest {
    private val phone = FakePhone()

    @Test
    fun `an only observer is chosen, and a wrong passphrase is said beside the field`() = runTest {
        val screen = UnlockScreen(phone, backgroundScope)
        screen.open().join()
        assertEquals(OLENA, screen.state.value.chosen)
        phone.observers.passphrase = "another"
        screen.unlock("wrong").join()
        assertEquals(
            "unlock.refused",
            screen.state.value.refusal
                ?.code,
        )
        assertNull(screen.state.value.unlocked)
        phone.observers.passphrase = "right"
        screen.unlock("right").join()
        assertEquals(OLENA, screen.state.value.unlocked)
        assertNull(screen.state.value.refusal)
    }

    @Test
    fun `nobody here leads to enrolment, and nobody is chosen among several`() = runTest {
        phone.people = emptyList()
        val screen = UnlockScreen(phone, backgroundScope)
        assertTrue(!screen.state.value.isNobodyHere)
        screen.open().join()
        assertTrue(screen.state.value.isNobodyHere)
        phone.people = listOf(observer(), observer())
        screen.open().join()
        assertNull(screen.state.value.chosen)
        screen.unlock("right").join()
        assertNull(screen.state.value.unlocked)
    }

    @Test
    fun `a request names what is missing beside its field, and makes no key then`() = runTest {
        phone.people = emptyList()
        val screen = EnrolScreen(phone, backgroundScope)
        screen.open().join()
        screen.ask(" ", "", "", "x").join()
        assertEquals(EnrolField.entries.toSet(), screen.state.value.wrong.keys)
        assertNull(screen.state.value.enrolment)
        screen.ask("Olena", "Phone", "right", "right").join()
        assertTrue(
            screen.state.value.wrong
                .isEmpty(),
        )
        assertEquals(
            6,
            screen.state.value.enrolment
                ?.words
                ?.size,
        )
    }

    @Test
    fun `who waits for a certificate sees the request again, and a mistyped certificate is said`() = runTest {
        phone.people = listOf(observer(ObserverState.REQUESTED))
        val screen = EnrolScreen(phone, backgroundScope)
        screen.open().join()
        assertNotNull(screen.state.value.enrolment)
        screen.accept(" ").join()
        assertEquals(
            "enrol.certificate-missing",
            screen.state.value.refusal
                ?.message
                ?.code,
        )
        screen.accept("CERTIFICAT").join()
        assertEquals(
            "CERTIFICAT",
            screen.state.value.refusal
                ?.typed,
        )
        phone.observers.accepted = { observer() }
        screen.accept("CERTIFICATE").join()
        assertEquals(
            "Olena",
            screen.state.value.certified
                ?.name,
        )
        assertNull(screen.state.value.refusal)
    }
}
