package org.merestone.terminal

import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.awt.image.BufferedImage
import java.io.File
import javax.imageio.ImageIO

/** An inspector's day on two phones and a base camp, as the inspectors see and type it. */
class DayTest {
    @TempDir
    lateinit var folder: File
    private lateinit var tmux: Tmux
    private lateinit var mission: Mission

    @BeforeEach
    fun begin() {
        assumeTrue(hasTmux(), "SKIPPED: no tmux (Debian package tmux)")
        tmux = Tmux(folder)
        mission = Mission(folder)
    }

    @AfterEach
    fun end() {
        if (::mission.isInitialized) mission.close()
        if (::tmux.isInitialized) tmux.close()
    }

    @Test
    fun `a day from enrolment to handing in the phone`() {
        val camp = mission.serve()
        val olena = tmux.start("olena", File(folder, "one"), mission.charter)
        enrol(olena, "Olena")
        inspect(olena)
        sync(olena, camp)

        val marek = tmux.start("marek", File(folder, "two"), mission.charter)
        enrol(marek, "Marek")
        sync(marek, camp)
        // Both change the same answer without having met.
        change(olena, "9")
        change(marek, "12")
        val ticket = wait(olena)
        sync(marek, ticket)
        olena.see("Synced with Marek")
        olena.press("Escape")
        olena.press("Escape")
        olena.see("1 record with a conflict")

        settle(marek)
        sync(marek, camp)
        sync(olena, camp)
        olena.await("that the conflict is gone") { "North gate" in it && "conflict" !in it }
        custody(olena)
        handIn(olena)
        assertFalse(File(folder, "one/keys").exists(), "keys are still there")
    }

    @Test
    fun `what goes wrong says what to do, and an app that is killed goes on where it was`() {
        val window = tmux.start("olena", File(folder, "one"), mission.charter)
        enrol(window, "Olena", mistyped = true)
        window.press("n")
        window.see("Inspection of a post")
        begin(window, "Inspection of a post")
        window.see("Post *")
        window.press("Enter")
        window.see("An answer is required")
        window.enter("South gate")
        window.see("Post, in the local language")
        tmux.start("again", File(folder, "one"), mission.charter).see("Another program has this phone's records open")
        window.kill()

        val again = tmux.start("later", File(folder, "one"), mission.charter)
        again.see("Passphrase of Olena")
        again.enter(PASSPHRASE)
        again.see("Nothing here yet")
        again.press("n")
        again.see("Inspection of a post: 1 answer")
        again.press("Enter")
        again.see("Post, in the local language")
        again.press("PPage")
        again.see("> South gate")
        again.press("Escape")
        again.see("Throw this draft away")
        again.press("l")
        again.see("Go on with what was begun")
        again.press("Escape")
        again.see("Nothing here yet")
        again.press("s")
        again.see("ticket or address")
        again.press("t")
        again.enter("nowhere")
        again.see("Sync")
        again.await("what is wrong with the ticket") { "! " in it }
        again.press("t")
        again.enter("127.0.0.1:9")
        again.see("it can be ended at any time")
        again.press("x")
        again.see("ticket or address")
        again.press("Escape")
        again.press("h")
        again.see("1 draft was never saved")
        again.press("r")
        again.see("remove 1 draft")
        again.enter("yes")
        again.see("Nothing was removed")
        again.press("Escape")
        again.press("q")
        again.await("that it left") { "Records" !in it }
        assertTrue(File(folder, "one").exists())
    }

    private fun enrol(window: Tmux.Window, name: String, mistyped: Boolean = false) {
        window.see("Nobody works on this phone yet")
        window.press("Enter")
        window.see("Your name")
        window.enter(name)
        window.enter("Phone of $name")
        window.enter(PASSPHRASE)
        if (mistyped) {
            window.enter("another")
            window.see("The two passphrases are not the same")
            repeat(3) { window.press("Down") }
            window.press("C-u")
        }
        window.enter(PASSPHRASE)
        val words = wordsOf(window.see("Read these six words aloud"))
        val request = File(folder, "$name.request")
        window.press("f")
        window.see("Path of a new file")
        window.enter(request.path)
        window.see("Written into")
        window.press("Enter")
        window.see("The officer's certificate")
        if (mistyped) {
            window.enter("MERESTONE-CERTIFICATE:ABC")
            window.await("what is wrong with the certificate") { "! " in it }
            window.press("Enter")
            window.see("The officer's certificate")
        }
        window.enter(mission.certify(request, words).path)
        window.see("Passphrase of $name")
        if (mistyped) {
            window.enter("wrong")
            window.see("does not open the key")
        }
        window.enter(PASSPHRASE)
        window.see("Nothing here yet")
    }

    private fun inspect(window: Tmux.Window) {
        window.press("n")
        window.see("Begin something new")
        begin(window, "Inspection of a post")
        window.see("Post *")
        window.enter("North gate")
        window.see("Post, in the local language")
        skipTo(window, "Day *")
        window.enter("2026-13-02")
        window.see("It was not taken")
        window.press("C-u")
        window.enter("2026-03-02")
        window.see("Time of the visit")
        skipTo(window, "What the post does *")
        window.press("1")
        window.see("(•) 1")
        window.press("Enter")
        window.see("Open for")
        skipTo(window, "How this is known *")
        window.press("1")
        window.see("(•) 1")
        window.press("Enter")
        window.see("Vehicles waiting, at least")
        window.enter("7")
        window.see("Vehicles waiting, best estimate")
        photo(window)
        window.press("Enter")
        window.see("Everything that the form asks for is there")
        window.press("s")
        window.see("Saved, signed by Olena")
        window.press("Enter")
        window.see("Begin something new")
        window.press("Escape")
        window.see("North gate · Inspection of a post")
    }

    private fun photo(window: Tmux.Window) {
        val picture = File(folder, "gate.jpg")
        ImageIO.write(BufferedImage(640, 480, BufferedImage.TYPE_INT_RGB), "jpg", picture)
        skipTo(window, "Add another: Photos?")
        window.press("y")
        window.see("No photo yet")
        window.press("p")
        window.see("Path of a photo")
        window.enter(File(folder, "absent.jpg").path)
        window.see("There is no file")
        window.enter(picture.path)
        window.see("Attached and on the disk: 640 × 480 pixels")
        window.press("Enter")
        window.see("A photo is attached")
        window.press("Enter")
        window.see("Caption")
        window.enter("The gate")
        window.see("Add another: Photos?")
    }

    private fun change(window: Tmux.Window, queue: String) {
        window.press("Enter")
        window.see("Made by Olena")
        window.press("e")
        window.see("Change: Inspection of a post")
        skipTo(window, "Vehicles waiting, at least")
        window.press("C-u")
        window.enter(queue)
        window.see("Vehicles waiting, best estimate")
        window.press("Escape")
        window.see("To the end")
        window.press("e")
        window.see("Everything that the form asks for is there")
        window.press("s")
        window.see("Saved, signed by")
        window.press("Enter")
        window.see("Made by Olena")
        window.press("Escape")
        window.see("North gate · Inspection of a post")
    }

    /** Waits for another phone; gives the ticket. */
    private fun wait(window: Tmux.Window): String {
        window.press("s")
        window.see("wait for others")
        window.press("w")
        window.see("Others can come here")
        val ticket = File(folder, "ticket")
        window.press("f")
        window.see("Path of a new file")
        window.enter(ticket.path)
        window.see("Written into")
        return ticket.readText()
    }

    private fun sync(window: Tmux.Window, ticket: String) {
        window.press("s")
        window.see("ticket or address")
        window.press("t")
        window.see("Ticket or address")
        window.enter(ticket)
        window.see("Synced with")
        window.press("Escape")
        window.see("North gate · Inspection of a post")
    }

    private fun settle(window: Tmux.Window) {
        window.see("1 record with a conflict")
        window.press("Enter")
        val shown = window.see("2 values, nobody chose yet")
        assertTrue("signed by Olena" in shown && "signed by Marek" in shown, shown)
        window.press("Enter")
        window.see("Which value stands from now on?")
        window.press("Enter")
        window.see("Settled and signed")
        window.press("Escape")
        window.see("North gate · Inspection of a post")
    }

    private fun custody(window: Tmux.Window) {
        window.press("c")
        window.see("All of it is at base camp")
        window.press("Escape")
        window.see("hand in")
    }

    private fun handIn(window: Tmux.Window) {
        window.press("h")
        window.see("Nothing is lost when it is removed")
        window.press("r")
        window.see("are removed from this phone")
        window.press("y")
        window.see("This phone is empty")
        window.press("Enter")
        window.await("that it left") { "This phone" !in it }
    }

    private fun begin(window: Tmux.Window, form: String) {
        repeat(FORMS_MAX) {
            val shown = window.screen()
            if ("▸ $form" in shown) return window.press("Enter")
            window.press("Down")
            window.await("the next form after\n$shown") { it != shown }
        }
        error("no form $form")
    }

    /** Goes on past questions that are not answered. */
    private fun skipTo(window: Tmux.Window, label: String) {
        repeat(QUESTIONS_MAX) {
            val shown = window.await("a question") { "working" !in it && PLACE.containsMatchIn(it) }
            if (label in shown) return
            val place = PLACE.find(shown)?.value
            window.press("NPage")
            window.await("the question after\n$shown") {
                "working" !in it &&
                    PLACE.find(it)?.value.let { now -> now != null && now != place }
            }
        }
        error("no question “$label”")
    }

    private companion object {
        const val PASSPHRASE = "correct horse battery"

        /** Where a form is, at the right of the bar. */
        val PLACE = Regex("[0-9]+ of [0-9]+")
        const val QUESTIONS_MAX = 60
        const val FORMS_MAX = 10

        fun hasTmux() = runCatching { ProcessBuilder("tmux", "-V").start().waitFor() == 0 }.getOrDefault(false)
    }
}
