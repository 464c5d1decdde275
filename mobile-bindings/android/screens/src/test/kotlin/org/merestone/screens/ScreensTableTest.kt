package org.merestone.screens

import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.merestone.Custody
import org.merestone.DraftId
import org.merestone.HeldAlone
import org.merestone.MerestoneException
import org.merestone.StorageFault

/** Everything that `mobile-bindings/screens.tsv` says of every language. */
class ScreensTableTest {
    private val table = ScreensTable.read()

    @Test
    fun `an entry is as safe as the table says`() = table.each("custody", 9) { line ->
        val custody = custody(line.take(7))
        assertEquals(line[7], custody.safety.word)
        assertEquals(line[8], English.book.say(custody.message()))
    }

    @Test
    fun `a record is where the table says`() = table.each("record", 2) { (entries, words) ->
        val custodies = several(entries).map { custody(it.split(',')) }
        assertEquals(words, custodies.message()?.let(English.book::say) ?: "-")
    }

    @Test
    fun `a meeting is graded as the table says`() =
        table.each("meeting", 5) { (isFull, isAsWanted, code, grade, words) ->
            val outcome = report(truth(isFull), truth(isAsWanted), code).outcome()
            assertEquals(grade, outcome.grade.word)
            assertEquals(words, English.book.say(outcome.message))
        }

    @Test
    fun `what would be lost is said as the table says`() = table.each("loss", 8) { line ->
        runTest {
            val screen = HandInScreen(holding(line.take(5)), English.book, backgroundScope)
            screen.look().join()
            val state = screen.state.value
            assertEquals(truth(line[5]), state.isHandedOver)
            assertEquals(several(line[6]), state.loss!!.lines().map(English.book::say))
            assertEquals(line[7], state.confirmation?.let(English.book::say) ?: "-")
        }
    }

    @Test
    fun `a phone is removed when the table says`() = table.each("wipe", 4) { (told, now, written, outcome) ->
        runTest {
            val phone = FakePhone()
            val screen = HandInScreen(phone, English.book, backgroundScope)
            if (told != "-") {
                phone.holds(told.split(','))
                screen.look().join()
            }
            phone.holds(now.split(','))
            screen.wipe(written.takeIf { it != "-" }.orEmpty()).join()
            val state = screen.state.value
            assertEquals(outcome, state.refusal?.let(English.book::say) ?: "wiped".takeIf { state.isWiped } ?: "-")
            assertEquals(outcome == "wiped", phone.isWiped)
        }
    }

    @Test
    fun `an error helps itself as the table says`() = table.each("trouble", 5) { (error, code, flag, remedy, words) ->
        val trouble = Trouble.of(error(error, code, flag == "yes"))
        assertEquals(remedy, trouble.remedy.word)
        assertEquals(words, English.book.say(trouble.message))
    }

    @Test
    fun `a form is walked as the table says`() {
        val walks = table.lines("walk", 7).groupBy { it.first() }
        assertTrue(walks.size > 3)
        for ((case, steps) in walks) {
            runTest {
                val form = FillScreen(FakePhone(), OLENA, FillStart.New(NORTH.id, FORM.hash), backgroundScope)
                steps.forEachIndexed { at, (_, intent, with) ->
                    form.does(intent, with).join()
                    assertEquals(
                        steps[at].drop(3),
                        shown(form.state.value.page!!),
                        "$case, step ${at + 1}: $intent $with",
                    )
                }
            }
        }
    }

    private fun TestScope.holding(numbers: List<String>) = FakePhone().apply { holds(numbers) }

    private fun FakePhone.holds(numbers: List<String>) {
        val (entries, notAtCamp, photos, photosNotAtCamp) = numbers.map { it.toLong() }
        alone = HeldAlone(entries, notAtCamp, photos, photosNotAtCamp)
        begun.clear()
        repeat(numbers.last().toInt()) { begun[DraftId("$it")] = FakeDraft(DraftId("$it")) }
    }

    private fun custody(columns: List<String>): Custody {
        val (peers, isAtCamp, photos, elsewhere, atCamp) = columns
        return custody(peers.toInt(), truth(isAtCamp), photos.toInt(), elsewhere.toInt(), atCamp.toInt())
            .copy(isOnlyHere = truth(columns[5]), isHandedOver = truth(columns[6]))
    }

    private fun error(name: String, code: String, flag: Boolean): MerestoneException = when (name) {
        "locked" -> MerestoneException.Locked(REASON)
        "not-enrolled" -> MerestoneException.NotEnrolled(flag, REASON)
        "not-there" -> MerestoneException.NotThere(REASON)
        "refused" -> MerestoneException.Refused(code, REASON)
        "storage" -> MerestoneException.Storage(StorageFault.entries.single { it.word == code }, REASON)
        "unreachable" -> MerestoneException.Unreachable(code, flag, REASON)
        "provider" -> MerestoneException.Provider(flag, REASON)
        "closed" -> MerestoneException.Closed(flag, REASON)
        "internal" -> MerestoneException.Internal(REASON)
        else -> error("no error $name")
    }

    private fun FillScreen.does(intent: String, with: String) = when (intent) {
        "open" -> open()
        "answer-and-go-on" -> answerAndGoOn(with)
        "choose" -> choose(with)
        "next" -> next()
        "back" -> back()
        "jump" -> jump(with)
        "end" -> toEnd()
        "add-row" -> addRow()
        "withdraw-row" -> withdrawRow()
        "speak" -> speak(with.toInt())
        else -> error("no intent $intent")
    }

    private fun shown(page: Page): List<String> {
        val (name, said) = when (page) {
            is QuestionPage ->
                "question:${page.question.key}" to
                    listOfNotNull(page.refusal?.message ?: page.problemShown)

            is RowPage -> "row:${page.repeat}" to emptyList()

            is EndPage -> "end" to page.problems.map { it.message }
        }
        val labels = if (page is EndPage) page.problems.map { "${it.label}: " } else listOf("")
        val above = page.above.map { "${it.kind.word}:${listOfNotNull(it.text, it.row).joinToString(" ")}" }
        return listOf(
            name,
            "${page.at}",
            one(above),
            one(
                labels.zip(said) { label, it ->
                    label + English.book.say(it)
                },
            ),
        )
    }

    private val QuestionPage.problemShown get() = problem?.takeIf { isProblemShown }

    private companion object {
        const val REASON = "it is so"
    }
}

/** The lines of the table that all languages share. */
private class ScreensTable(private val lines: List<List<String>>) {
    /** The lines of one table, without its name. */
    fun lines(table: String, columns: Int): List<List<String>> {
        val found = lines.filter { it.first() == table }.map { it.drop(1) }
        assertTrue(found.isNotEmpty(), "$table has no lines")
        found.forEach { assertEquals(columns, it.size, "$table: $it") }
        return found
    }

    fun each(table: String, columns: Int, check: (List<String>) -> Unit) = lines(table, columns).forEach { line ->
        try {
            check(line)
        } catch (wrong: Throwable) {
            throw AssertionError("$table: ${line.joinToString("; ")}", wrong)
        }
    }

    companion object {
        private val TABLES = setOf("custody", "record", "meeting", "loss", "wipe", "trouble", "walk")

        fun read(): ScreensTable {
            val text = java.io.File("../../screens.tsv").readLines()
            val lines = text.filter { it.isNotEmpty() && !it.startsWith('#') }.map { it.split('\t') }
            assertEquals(TABLES, lines.map { it.first() }.toSet())
            return ScreensTable(lines)
        }
    }
}

private val Enum<*>.word get() = name.lowercase().replace('_', '-')

private fun truth(word: String) = when (word) {
    "yes" -> true
    "no" -> false
    else -> error("neither yes nor no: $word")
}

private fun several(words: String) = if (words == "-") emptyList() else words.split(" | ")

private fun one(words: List<String>) = if (words.isEmpty()) "-" else words.joinToString(" | ")
