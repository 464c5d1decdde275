package org.merestone

import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.merestone.support.Fixtures
import org.merestone.support.TestMission
import org.merestone.support.TestPhone
import org.merestone.support.blocking
import org.merestone.support.folder
import java.io.File

/** What an auditor's app does with a bag. Left out with the audit. */
class AuditTest {
    private val mission = TestMission()

    @Test
    fun `a bag of a phone passes, and each of its records can be read`() = blocking {
        Merestone.audit(bag(), mission.id).use { report ->
            assertEquals(Verdict.PASSED, report.verdict)
            assertEquals(2, report.records().toList().size)
            assertTrue("PASSED" in report.text() && "Bridge" in report.html() && "PASSED" in report.json())
            assertNull(report.record(RecordId("0".repeat(64))))
        }
        val fast = AuditOptions(isFast = true)
        Merestone.audit(bag(), mission.id, fast).use { report -> assertEquals(false, report.hasRecords) }
    }

    @Test
    fun `a damaged photo fails the bag, and the finding can be explained`() = blocking {
        val bag = bag()
        val photo = bag.walk().filter { it.isFile }.maxBy { it.length() }
        photo.setWritable(true)
        photo.appendBytes(byteArrayOf(0))
        Merestone.audit(bag, mission.id).use { report ->
            assertEquals(Verdict.FAILED, report.verdict)
            val worst = report.findings.first()
            assertEquals("failure", worst.weight)
            assertEquals(worst.code, Merestone.explain(worst.code)?.code)
        }
        assertNull(Merestone.explain("no such code"))
    }

    @Test
    fun `a folder that is no bag is refused`() = blocking {
        val none =
            assertThrows<MerestoneException.Refused> { runBlocking { Merestone.audit(folder("none"), mission.id) } }
        assertEquals("no-bag", none.code)
    }

    /** Two records, one with a photo. */
    private suspend fun bag(): File = TestPhone.make("Olena", mission).use { olena ->
        olena.save("Bridge")
        val interview = olena.phone.drafts.begin(olena.observer, mission.scope, olena.inspection().hash)
        interview.answer("post", Answer.Text("Ford"))
        interview.attach(PhotoFile(Fixtures.photo("orientation/landscape-6.jpg")))
        interview.save()
        File(folder("evidence"), "bag").also { olena.phone.bags.write(it) }
    }
}
