package org.merestone

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.merestone.support.TestMission
import org.merestone.support.blocking
import org.merestone.support.folder
import org.merestone.support.homeIn
import java.io.File

// start
suspend fun firstDay(home: PhoneHome, charter: ByteArray, officer: (Enrolment) -> String, photo: File, ticket: String) =
    Merestone.create(home, charter).whileOpen { phone ->
        // A new observer asks to be let in. The officer's machine shows the same six words, or it read another request.
        val enrolment = phone.observers.request(Asked("Olena", "Phone 3"), Passphrase("correct horse battery staple"))
        println(enrolment.words.joinToString(" "))
        val observer = phone.observers.accept(officer(enrolment))

        // Every answer is durable when its call returns; what was saved is signed.
        val form = phone.forms.all().first { it.kind == "inspection" }
        val saved = phone.drafts.begin(observer.key, observer.scopes.first(), form.hash).use { interview ->
            interview.answer("post", Answer.Text("North gate"))
            interview.attach(PhotoFile(photo, caption = "The queue", isAppCaptured = true))
            interview.problems().forEach { println("${it.key}: ${it.message}") }
            interview.save()
        }

        // Base camp's ticket came as text or as a QR code. "Synced" is said only when both sides hold the same.
        val report = phone.sync.meetOnce(observer.key, SyncTarget.Ticket(ticket))
        println(if (report.isFullySynced) "synced" else report.advice)
        phone.records.custody(saved.record).forEach { println(if (it.isHandedOver) "at base camp" else "not yet") }
        report
    }
// end

/** The page's first ten minutes, as they stand there. */
class StartTest {
    @Test
    fun `the first day on the page is the one above, and it ends synced`() = blocking {
        val mission = TestMission()
        mission.camp().use { camp ->
            val photo = File("../../../fixtures/demo/photos/post-01.jpg")
            val report = firstDay(homeIn(folder("start")), mission.charter, { mission.certify(it) }, photo, camp.ticket)
            assertTrue(report.isFullySynced, "$report")
        }
        val page = File("../../README.md").readText()
        val shown = page.substringAfter("## Kotlin in ten minutes").substringAfter("```kotlin\n").substringBefore("```")
        val source = File("src/test/kotlin/org/merestone/StartTest.kt").readText()
        val run = source.substringAfter("// start\n").substringBefore("// end\n")
        assertEquals(run, shown, "copy the block between // start and // end to mobile-bindings/README.md")
    }
}
