package org.merestone

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.merestone.support.TestPhone
import org.merestone.support.TestVault
import org.merestone.support.blocking
import java.time.Instant
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.seconds

/** What the app's own code throws, asks and answers while Rust calls it. */
class CallbackTest {
    @Test
    fun `a vault that throws gives typed errors, and the phone goes on`() = blocking {
        for (canSign in listOf(true, false)) {
            val vault = TestVault(canSign)
            TestPhone.make("Olena", vault = vault).use { olena ->
                olena.phone.observers.lock()
                vault.before = { throw KeyVaultException.Refused("no finger was shown") }
                val refused = olena.phone.observers.unlock(olena.observer, vault)
                if (!canSign) assertTrue("no finger was shown" in (refused as Unlocking.StillLocked).reason)
                vault.before = { throw IllegalArgumentException("Olena's PIN is 1234") }
                if (!canSign) {
                    val told = (olena.unlock(vault) as Unlocking.StillLocked).reason
                    assertTrue("IllegalArgumentException" in told && "1234" !in told, told)
                }
                vault.before = { throw StackOverflowError("deep") }
                assertTrue(canSign || olena.unlock(vault) is Unlocking.StillLocked)
                vault.before = {}
                assertEquals(Unlocking.Unlocked, olena.unlock(vault))
                if (canSign) {
                    for (thrown in listOf(
                        KeyVaultException.Refused("no"),
                        NotImplementedError("an Error, no Exception"),
                    )) {
                        vault.before = { throw thrown }
                        val refused = assertThrows<MerestoneException> { runBlocking { olena.save("Bridge") } }
                        assertTrue(
                            refused is MerestoneException.Locked || refused is MerestoneException.Provider,
                            "$refused",
                        )
                    }
                    vault.before = {}
                }
                olena.save("Bridge")
                assertEquals(listOf("Bridge"), olena.list().map { it.title })
            }
        }
    }

    @Test
    fun `a vault that is refused while enrolling leaves no observer behind`() = blocking {
        TestPhone.make("Olena").use { olena ->
            val vault = TestVault()
            vault.before = { throw KeyVaultException.Refused("no") }
            val asked = Asked("Piotr", "phone")
            assertThrows<MerestoneException.Provider> { runBlocking { olena.phone.observers.request(asked, vault) } }
            assertEquals(1, olena.phone.observers.all().size)
        }
    }

    @Test
    fun `a place that is asked for may call the phone meanwhile`() = blocking {
        lateinit var olena: TestPhone
        val seen = ConcurrentLinkedQueue<Int>()
        val location = LocationProvider {
            seen += runBlocking { olena.phone.records.page(RecordQuery()).lines.size + olena.phone.drafts.all().size }
            null
        }
        olena = TestPhone.make("Olena", settings = PhoneSettings(location = location))
        olena.use {
            withTimeout(20.seconds) { olena.interview("Bridge") }
            assertEquals(listOf(1), seen.toList(), "it was asked once, while the draft was there")
        }
    }

    @Test
    fun `a clock, a place and a link that throw keep nothing from being saved`() = blocking {
        val settings = PhoneSettings(
            clock = { throw IllegalStateException("no clock") },
            location = { throw AssertionError("no place") },
            connectivity = { throw OutOfMemoryError("no link") },
        )
        TestPhone.make("Olena", settings = settings).use { olena ->
            val saved = olena.interview("Bridge")
            val step = olena.phone.records.history(saved.record).single()
            assertNull(step.place)
            assertTrue(step.wall!!.isAfter(Instant.parse("2020-01-01T00:00:00Z")))
        }
    }

    @Test
    fun `a clock of the app's is what an entry says`() = blocking {
        val time = Instant.parse("2026-03-02T10:00:00Z")
        val clock = ClockProvider { ClockReading(time, 5_000, ByteArray(8) { 7 }, 180, ClockSource.SATELLITE) }
        TestPhone.make("Olena", settings = PhoneSettings(clock = clock)).use { olena ->
            val step = olena.phone.records.history(olena.save("Bridge").record).single()
            assertTrue(step.wall!! >= time && step.wall!! < time.plusSeconds(60), "${step.wall}")
            assertEquals(180 to ClockSource.SATELLITE, step.offsetMin to step.clockSource)
        }
    }

    @Test
    fun `every collector hears of a save, and a slow one hears the sum`() = blocking {
        TestPhone.make("Olena").use { olena ->
            val mayGoOn = Channel<Unit>()
            val slow = async(Dispatchers.Default) {
                val heard = HashSet<RecordId>()
                olena.phone.changes().first { change ->
                    if (change.isEverything) mayGoOn.receive()
                    heard += change.records
                    heard.size == 5
                }
                heard
            }
            val quick = async(Dispatchers.Default) { olena.phone.changes().first { it.records.isNotEmpty() } }
            launch(Dispatchers.Default) { olena.phone.changes().first() }.join()
            val saved = (1..5).map { olena.save("Post $it").record }.toSet()
            assertTrue(saved.containsAll(withTimeout(5.seconds) { quick.await() }.records))
            mayGoOn.send(Unit)
            assertEquals(saved, withTimeout(5.seconds) { slow.await() })
        }
    }

    @Test
    fun `a flow of changes begins with everything and ends with the phone`() = blocking {
        for (end in listOf<suspend (Phone) -> Unit>({ it.shut() }, { it.wipe() })) {
            val olena = TestPhone.make("Olena")
            val heard = Channel<Change>(Channel.UNLIMITED)
            val all = async(Dispatchers.Default) { olena.phone.changes().collect { heard.send(it) } }
            assertTrue(heard.receive().isEverything)
            olena.phone.pause()
            olena.phone.resume()
            val saved = olena.save("After a pause")
            assertEquals(setOf(saved.record), withTimeout(5.seconds) { heard.receive() }.records)
            end(olena.phone)
            withTimeout(5.seconds) { all.await() }
        }
    }

    @Test
    fun `the log names nobody`() = blocking {
        val lines = ConcurrentLinkedQueue<String>()
        Merestone.log { _, line ->
            lines += line
            throw IllegalStateException("a sink that throws")
        }
        TestPhone.make("Olena").use { olena ->
            val saved = olena.save("Bridge")
            val told = listOf("Olena", "Bridge", olena.observer.hex, saved.record.hex, "correct horse")
            olena.phone.shut()
            Thread.sleep(300)
            Merestone.log(null)
            assertTrue(lines.isNotEmpty())
            lines.forEach { line -> told.forEach { assertFalse(it in line, line) } }
        }
    }

    private suspend fun TestPhone.unlock(vault: KeyVault) = phone.observers.unlock(observer, vault)

    private suspend fun TestPhone.interview(post: String): Saved {
        val interview = phone.drafts.begin(observer, mission.scope, inspection().hash)
        interview.answer("post", Answer.Text(post))
        return interview.save()
    }
}
