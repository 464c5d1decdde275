package org.merestone

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.merestone.support.Measures
import org.merestone.support.OtherProcess
import org.merestone.support.TestPhone
import org.merestone.support.TestVault
import org.merestone.support.blocking
import org.merestone.support.passphrase
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** A phone that is closed, paused, killed, wiped, or open elsewhere. */
class LifecycleTest {
    @Test
    fun `after closing everything says so, and closing again changes nothing`() = blocking {
        val olena = TestPhone.make("Olena")
        val interview = olena.phone.drafts.begin(olena.observer, olena.mission.scope, olena.inspection().hash)
        val answering = olena.phone.sync.answer(olena.observer, "127.0.0.1:0", isAdvertised = false)
        olena.phone.close()
        olena.phone.close()
        olena.phone.shut()
        assertFalse(olena.phone.isOpen)
        assertClosed { olena.phone.mission() }
        assertClosed { olena.phone.records.page(RecordQuery()) }
        assertClosed { olena.phone.changes().collect() }
        assertClosed { olena.phone.pause() }
        assertClosed { olena.phone.resume() }
        assertClosed { olena.phone.wipe() }
        assertClosed { interview.answer("post", Answer.Text("Bridge")) }
        interview.close()
        assertClosed { interview.info() }
        answering.close()
        assertClosed { answering.callers() }
        assertEquals(emptyList<String>(), Measures.openFiles(olena.folder))
        Merestone.open(olena.home).close()
    }

    @Test
    fun `a paused phone has no file open, and goes on with its keys`() = blocking {
        TestPhone.make("Olena").use { olena ->
            val before = olena.save("Before")
            val draft = olena.phone.drafts.begin(olena.observer, olena.mission.scope, olena.inspection().hash)
            draft.answer("post", Answer.Text("In between"))
            assertTrue(Measures.openFiles(olena.folder).isNotEmpty())
            repeat(3) {
                val saves = List(8) { async(Dispatchers.Default) { runCatching { olena.save("Meanwhile") } } }
                delay(3.milliseconds)
                val report = olena.phone.pause(2.seconds)
                assertEquals(emptyList<String>(), Measures.openFiles(olena.folder))
                assertTrue(report.tookMs < 2_500, "$report")
                val paused =
                    assertThrows<MerestoneException.Closed> { runBlocking { olena.phone.records.page(RecordQuery()) } }
                assertTrue(paused.isPaused)
                assertFalse(olena.phone.isOpen)
                val ended = saves.map { it.await() }
                olena.phone.resume()
                ended.mapNotNull { it.exceptionOrNull() }.forEach { assertTrue(it is MerestoneException.Closed, "$it") }
                ended.mapNotNull { it.getOrNull() }.forEach { saved ->
                    assertEquals(1, olena.phone.records.history(saved.record).size, "what was answered is there")
                }
            }
            assertTrue(olena.phone.observers.all().single().isUnlocked)
            val after = draft.save()
            assertTrue(olena.list().map { it.id }.containsAll(listOf(before.record, after.record)))
        }
    }

    @Test
    fun `pausing ends a meeting, and the peer sees it`() = blocking {
        TestPhone.make("Olena").use { olena ->
            TestPhone.make("Piotr").use { piotr ->
                val answering = olena.phone.sync.answer(olena.observer, "127.0.0.1:0", isAdvertised = false)
                val target = SyncTarget.Address(answering.address)
                val meeting = async(Dispatchers.Default) {
                    runCatching { piotr.phone.sync.meetOnce(piotr.observer, target, SyncOptions(stay = true)) }
                }
                withTimeout(20.seconds) { while (answering.callers().isEmpty()) delay(20.milliseconds) }
                piotr.phone.pause()
                assertEquals(emptyList<String>(), Measures.openFiles(piotr.folder))
                withTimeout(10.seconds) { meeting.await() }
                withTimeout(10.seconds) { while (answering.callers().any { it.report == null }) delay(20.milliseconds) }
                piotr.phone.resume()
                assertTrue(piotr.phone.sync.meetOnce(piotr.observer, target).isFullySynced)
            }
        }
    }

    @Test
    fun `who comes is told until listening ends, however it ends`() = blocking {
        val olena = TestPhone.make("Olena")
        suspend fun watched(end: suspend (Answering) -> Unit) = coroutineScope {
            val answering = olena.phone.sync.answer(olena.observer, "127.0.0.1:0", isAdvertised = false)
            val looked = CompletableDeferred<Unit>()
            val told = async(Dispatchers.Default) {
                answering.callersNow(20.milliseconds).onEach { looked.complete(Unit) }.toList()
            }
            looked.await()
            end(answering)
            assertEquals(listOf(emptyList<Caller>()), withTimeout(10.seconds) { told.await() })
        }
        watched { it.stop() }
        watched { it.close() }
        // Awake again before the next look: this one listens no more all the same.
        watched {
            olena.phone.pause()
            olena.phone.resume()
        }
        watched { olena.phone.pause() }
        olena.phone.resume()
        watched { olena.phone.shut() }
    }

    @Test
    fun `what failed in an open phone is not hidden by what fails in closing it`() = blocking {
        val work = IllegalArgumentException("the work")
        val shut = MerestoneException.Storage(StorageFault.IN_USE, "the store is open")
        val olena = TestPhone.make("Olena")
        val hanging = object : Phone by olena.phone {
            override suspend fun shut(): Unit = throw shut
        }
        val thrown = runCatching { hanging.whileOpen { throw work } }.exceptionOrNull()
        assertSame(work, thrown)
        assertEquals(listOf<Throwable>(shut), work.suppressed.toList())
        assertSame(shut, runCatching { hanging.whileOpen { it.isOpen } }.exceptionOrNull())
        assertTrue(olena.phone.whileOpen { it.isOpen })
        assertFalse(olena.phone.isOpen)
    }

    @Test
    fun `what was saved before a kill is there after it`() = blocking {
        val olena = TestPhone.make("Olena")
        olena.phone.shut()
        val random = Random(7)
        repeat(4) {
            val answered = OtherProcess.start("save", olena.folder.path, olena.observer.hex).use { saver ->
                val first = saver.line()
                Thread.sleep(random.nextLong(100, 700))
                saver.kill()
                listOf(first) + saver.rest()
            }
            val phone = Merestone.open(olena.home)
            phone.use {
                val held = ArrayList<RecordId>()
                phone.records.all().collect { held += it.id }
                answered.forEach { assertTrue(RecordId(it) in held, "$it was answered and is gone") }
                phone.observers.unlock(olena.observer, passphrase)
                TestPhone(olena.mission, olena.folder, phone, olena.observer).save("After the kill")
            }
        }
    }

    @Test
    fun `one process at a time has a phone`() = blocking {
        TestPhone.make("Olena").use { olena ->
            assertEquals(
                StorageFault.IN_USE,
                assertThrows<MerestoneException.Storage> {
                    runBlocking { Merestone.open(olena.home) }
                }.fault,
            )
            OtherProcess.start("open", olena.folder.path, "").use { assertEquals("IN_USE", it.line()) }
            OtherProcess.start("wipe", olena.folder.path, "").use { assertEquals("IN_USE", it.line()) }
            olena.save("Untouched")
            olena.phone.shut()
            OtherProcess.start("open", olena.folder.path, "").use { other ->
                assertEquals("open", other.line())
                assertEquals(
                    StorageFault.IN_USE,
                    assertThrows<MerestoneException.Storage> {
                        runBlocking { Merestone.open(olena.home) }
                    }.fault,
                )
            }
            Merestone.open(olena.home).close()
        }
    }

    @Test
    fun `a wiped phone is gone, also when it was not open`() = blocking {
        val vault = TestVault()
        val olena = TestPhone.make("Olena", vault = vault)
        olena.save("Bridge")
        assertEquals(1, vault.held)
        olena.phone.wipe()
        assertEquals(0, vault.held, "the key inside of the keystore is destroyed, too")
        assertClosed { olena.phone.mission() }
        assertEquals(emptyList<String>(), olena.folder.walk().filter { it.isFile }.map { it.path }.toList())
        assertThrows<MerestoneException.NotThere> { runBlocking { Merestone.open(olena.home) } }
        val piotr = TestPhone.make("Piotr")
        piotr.phone.shut()
        Merestone.wipe(piotr.home)
        assertEquals(emptyList<String>(), piotr.folder.walk().filter { it.isFile }.map { it.path }.toList())
        Merestone.wipe(piotr.home)
    }

    private fun assertClosed(call: suspend () -> Unit) {
        val closed = assertThrows<MerestoneException.Closed> { runBlocking { call() } }
        assertFalse(closed.isPaused)
    }
}
