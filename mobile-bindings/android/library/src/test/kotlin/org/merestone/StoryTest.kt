package org.merestone

import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.merestone.support.Fixtures
import org.merestone.support.Programs
import org.merestone.support.TestMission
import org.merestone.support.TestPhone
import org.merestone.support.TestVault
import org.merestone.support.blocking
import org.merestone.support.folder
import java.io.File

/** Two inspectors' day, with real programs for the officer, base camp and the auditor. */
class StoryTest {
    private val mission = TestMission()
    private val inLocation = LocationProvider { Place(511_234_567, 238_000_000, 8, PlaceSource.SATELLITE) }

    @Test
    fun `what two phones saved without a network is merged, resolved, handed over and passes the audit`() =
        runBlocking {
            val olena = TestPhone.make("Olena", mission, settings = PhoneSettings(120, location = inLocation))
            val piotr = TestPhone.make("Piotr", mission, vault = TestVault())
            olena.use {
                piotr.use {
                    val record = inspectWithPhoto(olena)
                    meetOnLoopback(olena, piotr)
                    editApart(olena, piotr, record)
                    meetOnLoopback(piotr, olena)
                    resolve(olena, piotr, record)
                    handOver(olena, piotr, record)
                    carryOnAStick(olena, piotr)
                    writeBag(olena)
                }
            }
        }

    private suspend fun inspectWithPhoto(olena: TestPhone): RecordId {
        val interview = olena.phone.drafts.begin(olena.observer, mission.scope, olena.inspection().hash)
        assertTrue(interview.problems().isNotEmpty(), "a post is required")
        val answered = interview.answer("post", Answer.Text("Bridge over the river"))
        assertEquals(Answer.Text("Bridge over the river"), answered.screen?.answer)
        interview.answerTyped("day", "2026-03-02")
        interview.answerTyped("status", "open")
        val wrong = interview.answer("queue_low", Answer.Number(-1))
        assertEquals("queue_low", wrong.screen?.problem?.key)
        interview.answer("queue_low", Answer.Number(12))
        interview.speak(interview.info().form.languages.indexOfFirst { it.code == "ar" })
        assertTrue(interview.allScreens().toList().any { it.label == "المركز الحدودي" })
        val photo = Fixtures.photo("phones/jolla.jpg")
        val attached = interview.attach(PhotoFile(photo, caption = "Queue", isAppCaptured = true))
        assertEquals(emptyList<String>(), attached.warnings)
        val shared = interview.attach(PhotoFile(Fixtures.photo("orientation/landscape-6.jpg")))
        assertEquals(listOf("location-may-be-removed"), shared.warnings)
        interview.detach(shared.row)
        val draft = interview.info().draft
        interview.leave()

        val resumed = olena.phone.drafts.goOn(draft)
        assertEquals(Answer.Number(12), resumed.screens(resumed.find("queue_low")!!, 1).single().answer)
        val saved = resumed.save()
        assertEquals(emptyList<Draft>(), olena.phone.drafts.all())

        val sheet = olena.phone.records.sheet(saved.record)!!
        assertEquals("Olena", sheet.creator?.observer)
        val status = sheet.answers.single { it.key == "status" }
        assertEquals("What the post does" to "Open", status.label to status.values.single().shown)
        val arabic = olena.inspection().languages.indexOfFirst { it.code == "ar" }
        val inArabic = olena.phone.records.sheet(saved.record, arabic)!!
        assertEquals("المركز الحدودي", inArabic.answers.single { it.key == "post" }.label)
        val kept = sheet.photos.single()
        assertEquals(photo.length(), kept.bytes)
        assertEquals(listOf("Queue"), kept.captions)
        val small = olena.phone.photos.picture(kept.thumbnail!!)!!
        assertTrue(small.size in 1..300_000)
        val copy = File(folder("copy"), "photo.jpg")
        olena.phone.photos.saveTo(kept.original, copy)
        assertArrayEquals(photo.readBytes(), copy.readBytes())
        val step = olena.phone.records.history(saved.record).single()
        assertEquals(Place(511_234_567, 238_000_000, 8, PlaceSource.SATELLITE), step.place)
        assertTrue(olena.phone.records.custody(saved.record).single().isOnlyHere)
        assertEquals(HeldAlone(1, 1, 1, 1), olena.phone.records.heldAlone())
        return saved.record
    }

    private suspend fun meetOnLoopback(host: TestPhone, guest: TestPhone): SyncReport {
        val answering = host.phone.sync.answer(host.observer, "127.0.0.1:0", isAdvertised = false)
        assertFalse(answering.isAdvertised, "nobody asked for it")
        val ticket = SyncTarget.Ticket(answering.ticket("Olena's phone").text)
        val events = guest.phone.sync.meet(guest.observer, ticket).toList()
        val report = (events.last() as SyncEvent.Ended).report
        assertTrue(report.isFullySynced, "$report")
        assertEquals(host.phone.observers.all().single().name, report.state.peer?.observer)
        assertEquals(1, answering.callers().size)
        answering.stop()
        return report
    }

    private suspend fun editApart(olena: TestPhone, piotr: TestPhone, record: RecordId) {
        for ((phone, remark) in listOf(olena to "quiet", piotr to "very quiet")) {
            val edit = phone.phone.drafts.beginEdit(phone.observer, record)
            edit.answer("remarks", Answer.Text(remark))
            edit.save()
        }
    }

    private suspend fun resolve(olena: TestPhone, piotr: TestPhone, record: RecordId) {
        for (phone in listOf(olena, piotr)) {
            val line = phone.phone.records.page(RecordQuery(hasConflict = true)).lines.single()
            assertEquals(record, line.id)
            val conflict = phone.phone.records.sheet(record)!!.conflicts.single()
            assertEquals("remarks", conflict.key)
            assertEquals(setOf("Olena", "Piotr"), conflict.values.map { it.observer }.toSet())
        }
        piotr.phone.records.resolve(piotr.observer, record, "remarks", Answer.Text("quiet"))
        piotr.phone.records.say(piotr.observer, Speech(record, SpeechKind.CONCURRENCE, text = "as I saw it"))
        meetOnLoopback(olena, piotr)
        val settled = olena.phone.records.sheet(record)!!.answers.single { it.key == "remarks" }.values.single()
        assertEquals(Answer.Text("quiet") to "Piotr", settled.answer to settled.observer)
        val history = olena.phone.records.history(record)
        assertTrue(history.any { step -> step.changes.any { it.settlesConflict } })
        assertTrue(history.any { it.kind == "concurrence" && it.text == "as I saw it" })
    }

    private suspend fun handOver(olena: TestPhone, piotr: TestPhone, record: RecordId) {
        mission.camp().use { camp ->
            val report = olena.phone.sync.meetOnce(olena.observer, SyncTarget.Ticket(camp.ticket))
            assertTrue(report.isFullySynced, "$report")
            assertNull(report.noReceipt)
            assertEquals("camp", report.state.peer?.role)
            val custody = olena.phone.records.custody(record)
            assertTrue(custody.isNotEmpty() && custody.all { it.isHandedOver && !it.isOnlyHere }, "$custody")
            assertEquals(HeldAlone(0, 0, 0, 0), olena.phone.records.heldAlone())
            val other = piotr.phone.sync.meetOnce(piotr.observer, SyncTarget.Address(camp.address))
            assertTrue(other.isFullySynced, "$other")
        }
    }

    private suspend fun carryOnAStick(olena: TestPhone, piotr: TestPhone) {
        val alone = olena.save("Only on a stick")
        val stick = File(folder("stick"), "north.courier")
        val written = olena.phone.courier.write(olena.observer, CourierOrder(stick, withoutOriginals = true))
        assertEquals(stick.length(), written.bytes)
        assertEquals("Olena", piotr.phone.courier.inspect(stick).makerObserver)
        assertEquals(1, piotr.phone.courier.read(piotr.observer, stick).entriesNew)
        assertEquals(0, piotr.phone.courier.read(piotr.observer, stick).entriesNew)
        assertEquals("Only on a stick", piotr.phone.records.sheet(alone.record)!!.answer("post"))
    }

    private suspend fun writeBag(olena: TestPhone) {
        val bag = File(folder("evidence"), "bag")
        val written = olena.phone.bags.write(bag)
        assertEquals(3, written.photos, "the photo and two smaller pictures")
        assertTrue("PASSED" in Programs.audit(mission.office, bag, mission.id.hex))
    }

    private fun RecordSheet.answer(key: String): String =
        (answers.single { it.key == key }.values.single().answer as Answer.Text).text
}
