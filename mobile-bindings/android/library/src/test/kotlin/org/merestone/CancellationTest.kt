package org.merestone

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.merestone.support.TestPhone
import org.merestone.support.blocking
import org.merestone.support.passphrase
import java.net.DatagramSocket
import java.net.InetSocketAddress
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime

/** A cancelled coroutine ends what it began in Rust. */
class CancellationTest {
    @Test
    fun `the peer sees the link end when the collector is cancelled, and both phones go on`() = blocking {
        TestPhone.make("Olena").use { olena ->
            TestPhone.make("Piotr").use { piotr ->
                val answering = olena.phone.sync.answer(olena.observer, "127.0.0.1:0", isAdvertised = false)
                val target = SyncTarget.Address(answering.address)
                val meeting = launch(Dispatchers.Default) {
                    piotr.phone.sync.meet(piotr.observer, target, SyncOptions(stay = true)).collect()
                }
                withTimeout(20.seconds) {
                    answering.callersNow(20.milliseconds).first { it.singleOrNull()?.state?.isFullySynced == true }
                }
                assertNull(answering.callers().single().report, "the meeting lasts")
                val took = measureTime {
                    meeting.cancelAndJoin()
                    withTimeout(10.seconds) {
                        answering.callersNow(20.milliseconds).first { it.single().report != null }
                    }
                }
                assertTrue(took < 2.seconds, "the peer saw the end after $took")

                val saved = piotr.save("After the link")
                assertTrue(piotr.phone.sync.meetOnce(piotr.observer, target).isFullySynced)
                assertEquals(listOf(saved.record), olena.list().map { it.id })
                answering.stop()
            }
        }
    }

    @Test
    fun `a device that does not answer is given up at once, not when the network would`() = blocking {
        TestPhone.make("Olena").use { olena ->
            DatagramSocket(InetSocketAddress("127.0.0.1", 0)).use { silent ->
                val target = SyncTarget.Address("127.0.0.1:${silent.localPort}")
                val took = measureTime {
                    assertNull(
                        withTimeoutOrNull(500.milliseconds) {
                            olena.phone.sync.meetOnce(olena.observer, target)
                        },
                    )
                }
                assertTrue(took < 2.seconds, "it took $took")
            }
            val took = measureTime {
                withTimeoutOrNull(300.milliseconds) { olena.phone.sync.nearby(olena.observer, 10.minutes).toList() }
            }
            assertTrue(took < 2.seconds, "looking around went on for $took")
            olena.save("Still here")
        }
    }

    @Test
    fun `a save that is cancelled is done whole or not at all`() = blocking {
        TestPhone.make("Olena").use { olena ->
            val form = olena.inspection()
            repeat(30) { number ->
                val job = launch(Dispatchers.Default) {
                    val answers = mapOf("post" to Answer.Text("Post $number"))
                    olena.phone.drafts.saveNew(olena.observer, olena.mission.scope, form.hash, answers)
                }
                delay((number % 10).milliseconds)
                job.cancelAndJoin()
            }
            // What the disk was doing ends by itself; a later save stands behind it.
            olena.save("Last")
            val list = olena.list()
            assertTrue(list.any { it.title == "Last" })
            assertEquals(list.size, list.map { it.title }.toSet().size, "nothing is saved twice")
            list.forEach { assertEquals(1, olena.phone.records.history(it.id).size) }
        }
    }

    @Test
    fun `a save that was cancelled and is asked for again with its id is one save, also after a restart`() = blocking {
        TestPhone.make("Olena").use { olena ->
            val form = olena.inspection().hash
            suspend fun save(phone: Phone, number: Int, once: SaveId): Saved {
                val answers = mapOf("post" to Answer.Text("Post $number"))
                return phone.drafts.saveNew(olena.observer, olena.mission.scope, form, answers, once)
            }
            val ids = List(20) { SaveId.random() }
            val saved = ids.mapIndexed { number, id ->
                val cancelled = launch(Dispatchers.Default) { save(olena.phone, number, id) }
                delay((number % 10).milliseconds)
                cancelled.cancelAndJoin()
                save(olena.phone, number, id)
            }
            assertEquals(saved.map { it.record }.toSet(), olena.list().map { it.id }.toSet())
            assertEquals(ids.size, olena.list().size)

            val speech = Speech(saved.first().record, SpeechKind.RECEIPT)
            val said = SaveId.random()
            val first = olena.phone.records.say(olena.observer, speech, said)
            assertEquals(first.entry, olena.phone.records.say(olena.observer, speech, said).entry)
            olena.phone.shut()
            Merestone.open(olena.home).whileOpen { phone ->
                phone.observers.unlock(olena.observer, passphrase)
                assertEquals(saved.map { it.entry }, ids.mapIndexed { number, id -> save(phone, number, id).entry })
                assertEquals(first.entry, phone.records.say(olena.observer, speech, said).entry)
                assertEquals(2, phone.records.history(speech.record).size)
            }
        }
    }
}
