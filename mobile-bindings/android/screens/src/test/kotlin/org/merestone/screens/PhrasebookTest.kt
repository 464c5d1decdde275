package org.merestone.screens

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File

class PhrasebookTest {
    @Test
    fun `every code that a screen says has a phrase`() {
        val sources = File("src/main/kotlin").walk().filter { it.extension == "kt" && it.name != "English.kt" }
        val said = Regex("""(?:Message(?:\.counting|\.of)?|said|counted|saving)\(\s*"([a-z.-]+)"""")
        val codes = sources.flatMap { file -> said.findAll(file.readText()).map { it.groupValues[1] } }.toSet()
        assertTrue(codes.size > 40, "$codes")
        // What the library names by itself: its own sentence is said where there is no phrase.
        val open = setOf("sync.advice.", "sync.end.", "photo.", "problem.", "refused.", "custody.some.")
        assertEquals(emptySet<String>(), codes - English.codes - open)
    }

    @Test
    fun `a phrase takes what it names, a plural its form, and a gap the next book`() {
        val ukrainian =
            PhraseTable(
                "uk",
                mapOf("count.photos#one" to "{count} фото", "count.photos#few" to "{count} фотографії"),
                otherwise = English.book,
            ) { if (it % 10 == 1L && it % 100 != 11L) "one" else "few" }
        assertEquals("21 фото", ukrainian.say(Message.counting("count.photos", 21)))
        assertEquals("2 фотографії", ukrainian.say(Message.counting("count.photos", 2)))
        assertEquals("2 drafts", ukrainian.say(Message.counting("count.drafts", 2)))
        assertEquals("There is no file {path}.", English.book.say(Message("photo.not-there")))
    }

    @Test
    fun `what has no phrase is said in the library's words, and never with nothing`() {
        assertEquals("Too much.", English.book.say(Message("refused.tomorrow", detail = "too much")))
        assertEquals("refused.tomorrow", English.book.say(Message("refused.tomorrow")))
        assertEquals("Why?", English.book.say(Message("x", detail = "Why?")))
    }
}
