package org.merestone

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.merestone.support.Measures
import org.merestone.support.TestPhone
import org.merestone.support.blocking
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit

/** Many threads, many records, many calls. */
class CrowdTest {
    @Test
    fun `sixteen threads save and read at once, and each record is there once`() = blocking {
        TestPhone.make("Olena").use { olena ->
            val threads = Executors.newFixedThreadPool(16)
            val saved = threads.invokeAll(
                List(16) { thread ->
                    Callable {
                        runBlocking {
                            (1..12).map { number ->
                                val saved = olena.save("Post $thread $number")
                                olena.phone.records.page(RecordQuery(text = "Post $thread"), max = 20)
                                olena.phone.records.sheet(saved.record)!!
                                olena.phone.observers.all()
                                saved.record
                            }
                        }
                    }
                },
            ).flatMap { it.get() }
            threads.shutdown()
            assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS))
            assertEquals(saved.toSet(), olena.list().map { it.id }.toSet())
            assertEquals(16 * 12, olena.list().size)
        }
    }

    @Test
    fun `an interview that sixteen coroutines answer at once keeps the last of each`() = blocking {
        TestPhone.make("Olena").use { olena ->
            val interview = olena.phone.drafts.begin(olena.observer, olena.mission.scope, olena.inspection().hash)
            val questions = listOf("post", "neighbour", "spoken_to", "remarks")
            questions.flatMap { key ->
                List(4) { async(Dispatchers.Default) { interview.answer(key, Answer.Text("by $it")) } }
            }.awaitAll()
            questions.forEach { interview.answer(it, Answer.Text("last of $it")) }
            val sheet = olena.phone.records.sheet(interview.save().record)!!
            questions.forEach { key ->
                assertEquals(Answer.Text("last of $key"), sheet.answers.single { it.key == key }.values.single().answer)
            }
        }
    }

    @Test
    fun `ten thousand records are saved, listed and found, and calls leave nothing behind`() = runBlocking {
        TestPhone.make("Olena").use { olena ->
            val workers = List(4) { worker ->
                launch(Dispatchers.Default) {
                    for (number in worker until RECORDS step 4) olena.save("Post $number")
                }
            }
            workers.forEach { it.join() }
            olena.phone.records.catchUp()
            val titles = olena.phone.records.all(pageSize = 500).toList().map { it.title }
            assertEquals(RECORDS, titles.size)
            assertEquals(RECORDS, titles.toSet().size)
            val found = olena.phone.records.page(RecordQuery(text = "${RECORDS - 1}"))
            assertEquals(listOf("Post ${RECORDS - 1}"), found.lines.map { it.title })
            callsLeaveNothing(olena, found.lines.single().id)
        }
    }

    /** Ten thousand calls of every size, after as many to warm up. */
    private suspend fun callsLeaveNothing(olena: TestPhone, record: RecordId) {
        repeat(CALLS) { call(olena, record, it) }
        val heap = Measures.heapKib()
        val resident = Measures.residentKib()
        repeat(CALLS) { call(olena, record, it) }
        val heapMore = Measures.heapKib() - heap
        val residentMore = Measures.residentKib() - resident
        println("10,000 calls: Kotlin's heap $heapMore KiB more, resident memory $residentMore KiB more")
        assertTrue(heapMore < 2_048, "Kotlin's heap grew by $heapMore KiB")
        assertTrue(residentMore < 16_384, "resident memory grew by $residentMore KiB")
    }

    private suspend fun call(olena: TestPhone, record: RecordId, number: Int) {
        when (number % 5) {
            0 -> olena.phone.records.page(RecordQuery(), max = 20)
            1 -> olena.phone.records.sheet(record)
            2 -> olena.phone.records.history(record)
            3 -> runCatching { olena.phone.photos.picture(PhotoHash("no hash")) }
            else -> olena.phone.observers.all()
        }
    }

    private companion object {
        const val RECORDS = 10_000
        const val CALLS = 10_000
    }
}
