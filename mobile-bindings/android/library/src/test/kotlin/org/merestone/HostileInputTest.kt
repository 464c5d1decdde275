package org.merestone

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.merestone.bridge.translated
import org.merestone.crossing.InternalException
import org.merestone.support.Fixtures
import org.merestone.support.TestMission
import org.merestone.support.TestPhone
import org.merestone.support.blocking
import org.merestone.support.folder
import org.merestone.support.homeIn
import org.merestone.support.passphrase
import org.merestone.support.skip
import java.io.File
import java.io.RandomAccessFile

/** Texts, paths, disks and keys as they should not be: each gives a typed error, and the phone goes on. */
class HostileInputTest {
    @Test
    fun `texts of every kind come back as they were signed, and what is no text is refused`() = blocking {
        TestPhone.make("Olena").use { olena ->
            val texts = mapOf(
                "Bridge\u0000Bridge" to "BridgeBridge",
                "\u202eegdirB" to "egdirB",
                "😀".repeat(500) to "😀".repeat(500),
                "e\u0301".repeat(100) to "é".repeat(100),
                "a\r\nb\tc" to "a\nbc",
            )
            for ((given, signed) in texts) {
                val saved = olena.save("Post", "remarks" to Answer.Text(given))
                val remarks = olena.phone.records.sheet(saved.record)!!.answers.single { it.key == "remarks" }
                assertEquals(Answer.Text(signed), remarks.values.single().answer)
            }
            val lone = assertThrows<MerestoneException.Refused> { runBlocking { olena.save("half of a pair: \ud83d") } }
            assertEquals(MerestoneException.Refused.NOT_UNICODE, lone.code)
            assertThrows<MerestoneException.Refused> { runBlocking { olena.save("x".repeat(30_000_000)) } }
            val interview = olena.phone.drafts.begin(olena.observer, olena.mission.scope, olena.inspection().hash)
            assertThrows<MerestoneException.Refused> {
                runBlocking { interview.answer("remarks", Answer.Text("x".repeat(30_000_000))) }
            }
            assertRefusedOrAbsent { interview.answer("no\u0000such", Answer.Blank) }
            assertThrows<MerestoneException.Refused> { runBlocking { interview.answerTyped("queue_low", "many") } }
            assertThrows<MerestoneException.Refused> { runBlocking { interview.screens(-1, 10) } }
            olena.save("Still here")
        }
    }

    @Test
    fun `ids that are none, or of nothing, are told apart`() = blocking {
        TestPhone.make("Olena").use { olena ->
            val phone = olena.phone
            for (text in listOf("", "zz", "0".repeat(63), "é".repeat(64), "0".repeat(1_000_000), "\u0000".repeat(64))) {
                assertRefusedOrAbsent { phone.records.sheet(RecordId(text)) }
                assertRefusedOrAbsent { phone.photos.picture(PhotoHash(text)) }
                assertRefusedOrAbsent { phone.drafts.goOn(DraftId(text)) }
                assertRefusedOrAbsent { phone.observers.requested(ObserverKey(text)) }
                assertRefusedOrAbsent { phone.observers.accept(text) }
                assertRefusedOrAbsent { phone.sync.meetOnce(olena.observer, SyncTarget.Ticket(text)) }
            }
            val absent = "0".repeat(64)
            assertEquals(null, phone.records.sheet(RecordId(absent)))
            assertEquals(null, phone.photos.picture(PhotoHash(absent)))
            assertEquals(null, phone.records.custody(EntryId(absent)))
            assertEquals(emptyList<Step>(), phone.records.history(RecordId(absent)))
            assertThrows<MerestoneException.NotThere> { runBlocking { phone.drafts.goOn(DraftId("0".repeat(32))) } }
            assertThrows<MerestoneException.NotThere> {
                runBlocking { phone.photos.saveTo(PhotoHash(absent), File(folder("none"), "photo")) }
            }
        }
    }

    @Test
    fun `paths that lead nowhere and files that are no photos are refused`() = blocking {
        TestPhone.make("Olena").use { olena ->
            val interview = olena.phone.drafts.begin(olena.observer, olena.mission.scope, olena.inspection().hash)
            val odd = folder("odd")
            val text = File(odd, "text.jpg").apply { writeText("no photo") }
            for (path in listOf(
                File(odd, "absent.jpg"),
                odd,
                File("/proc/self/mem"),
                File(odd, "a\u0000b.jpg"),
                text,
            )) {
                assertRefusedOrAbsent { interview.attach(PhotoFile(path)) }
            }
            assertRefusedOrAbsent { olena.phone.courier.inspect(text) }
            assertRefusedOrAbsent { olena.phone.forms.add(text) }
            val there = assertThrows<MerestoneException> { runBlocking { olena.phone.bags.write(text) } }
            assertFalse(there is MerestoneException.Internal, "$there")
            assertThrows<MerestoneException> { runBlocking { Merestone.open(homeIn(File("/proc/1/none"))) } }
            val charter = olena.mission.charter
            val open =
                assertThrows<MerestoneException.Storage> { runBlocking { Merestone.create(olena.home, charter) } }
            assertEquals(StorageFault.IN_USE, open.fault)
            olena.phone.shut()
            assertThrows<MerestoneException.Refused> { runBlocking { Merestone.create(olena.home, charter) } }
            assertThrows<MerestoneException.Refused> {
                runBlocking { Merestone.create(homeIn(File(odd, "new")), "no charter".toByteArray()) }
            }
            val key = StoreKey(ByteArray(31))
            assertThrows<MerestoneException.Refused> { runBlocking { Merestone.open(PhoneHome.beside(odd, key)) } }
            assertEquals("Passphrase(hidden)" to "StoreKey(hidden)", "$passphrase" to "$key")
        }
    }

    @Test
    fun `every photo of the external fixture set is taken whatever is wrong with it`() = blocking {
        TestPhone.make("Olena").use { olena ->
            val interview = olena.phone.drafts.begin(olena.observer, olena.mission.scope, olena.inspection().hash)
            val odd =
                Fixtures.photo("odd").listFiles()!!.sorted() + Fixtures.photo("formats").listFiles()!!.sorted()
            val refused = odd.filter { photo ->
                val outcome = runCatching { interview.attach(PhotoFile(photo)) }
                outcome.onSuccess { interview.detach(it.row) }
                outcome.exceptionOrNull()?.let { assertEquals("photo", (it as MerestoneException.Refused).code) }
                outcome.isFailure
            }
            assertEquals(listOf("nom-compatible-brands-fail.heic"), refused.map { it.name }, "of ${odd.size}")
            val many = assertThrows<MerestoneException.Refused> {
                runBlocking { (odd - refused).forEach { interview.attach(PhotoFile(it)) } }
            }
            assertEquals("too-many-photos", many.code)
        }
    }

    @Test
    fun `a full disk keeps what was saved, says so, and goes on when there is room`() = blocking {
        val disk = folder("disk")
        if (ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", disk.path).start().waitFor() != 0) {
            skip("a small disk can be made by root only (mount -t tmpfs)")
        }
        try {
            TestPhone.make("Olena", folder = disk).use { olena -> fill(olena, disk) }
        } finally {
            assertEquals(0, ProcessBuilder("umount", "-l", disk.path).start().waitFor())
        }
    }

    private suspend fun fill(olena: TestPhone, disk: File) {
        val first = olena.save("Before")
        val ballast = File(disk, "ballast")
        ballast.outputStream().use { out ->
            val some = ByteArray(64 * 1024)
            runCatching { while (true) out.write(some) }
        }
        var saved = 0
        val full = assertThrows<MerestoneException.Storage> {
            runBlocking { repeat(5_000) { olena.save("Post $it").also { saved++ } } }
        }
        assertEquals(StorageFault.FULL, full.fault)
        val page = olena.phone.records.page(RecordQuery(), max = 1_000)
        assertTrue(page.isBehind || page.lines.size == saved + 1, "a list that is not whole says so")
        assertTrue(ballast.delete())
        olena.save("After")
        assertEquals(saved + 2, olena.list().size)
        assertTrue(olena.list().any { it.id == first.record })
    }

    @Test
    fun `a key that its party cut can save no more, and what it saved stays`() = blocking {
        val mission = TestMission()
        TestPhone.make("Olena", mission).use { olena ->
            val saved = olena.save("Before the cut")
            mission.camp().use { olena.phone.sync.meetOnce(olena.observer, SyncTarget.Ticket(it.ticket)) }
            mission.cut(olena.observer, File(mission.office, "camp"))
            mission.camp().use { olena.phone.sync.meetOnce(olena.observer, SyncTarget.Ticket(it.ticket)) }
            val cut = assertThrows<MerestoneException.NotEnrolled> { runBlocking { olena.save("After") } }
            assertTrue(cut.isCut)
            val observer = olena.phone.observers.all().single()
            assertEquals(ObserverState.CUT to false, observer.state to observer.canSave)
            assertEquals(listOf(saved.record), olena.list().map { it.id })
        }
    }

    @Test
    fun `a damaged store is a storage error, not a crash`() = blocking {
        val olena = TestPhone.make("Olena")
        repeat(50) { olena.save("Post $it") }
        olena.phone.shut()
        val database = File(olena.folder, "store/store.db")
        RandomAccessFile(database, "rw").use { file ->
            for (page in 1 until file.length() / 4096 step 2) {
                file.seek(page * 4096)
                file.write(ByteArray(2048) { 0x5a })
            }
        }
        val thrown = assertThrows<MerestoneException.Storage> {
            runBlocking {
                Merestone.open(olena.home).use { phone ->
                    phone.observers.unlock(olena.observer, passphrase)
                    TestPhone(olena.mission, olena.folder, phone, olena.observer).run {
                        list().forEach { phone.records.sheet(it.id) }
                        save("On a damaged disk")
                    }
                }
            }
        }
        assertEquals(StorageFault.DAMAGED, thrown.fault)
    }

    @Test
    fun `a wrong passphrase and a key that is not here are told apart`() = blocking {
        TestPhone.make("Olena").use { olena ->
            olena.phone.observers.lock()
            val wrong = olena.phone.observers.unlock(olena.observer, Passphrase("wrong"))
            assertTrue(wrong is Unlocking.StillLocked)
            assertThrows<MerestoneException.Locked> { runBlocking { olena.save("Bridge") } }
            val nobody = ObserverKey("0".repeat(64))
            assertThrows<MerestoneException.NotThere> {
                runBlocking { olena.phone.observers.unlock(nobody, passphrase) }
            }
            assertEquals(Unlocking.Unlocked, olena.phone.observers.unlock(olena.observer, passphrase))
            assertThrows<MerestoneException.Unreachable> {
                runBlocking {
                    val nowhere = SyncTarget.Address("127.0.0.1:9")
                    olena.phone.sync.meetOnce(olena.observer, nowhere, SyncOptions(attemptsMax = 1))
                }
            }
        }
    }

    @Test
    fun `a panic's own message goes no further`() {
        val told = translated(InternalException("panicked at 'Olena was at the bridge'"))
        assertTrue(told is MerestoneException.Internal && told.cause == null, "$told")
        assertEquals("the program made a mistake", told.message)
    }

    private fun assertRefusedOrAbsent(call: suspend () -> Unit) {
        val thrown = assertThrows<MerestoneException> { runBlocking { call() } }
        assertTrue(thrown is MerestoneException.Refused || thrown is MerestoneException.NotThere, "$thrown")
    }
}
