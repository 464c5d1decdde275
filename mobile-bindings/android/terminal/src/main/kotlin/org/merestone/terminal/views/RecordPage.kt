package org.merestone.terminal.views

import org.merestone.SheetAnswer
import org.merestone.SignedAnswer
import org.merestone.Step
import org.merestone.screens.Message
import org.merestone.screens.RecordState
import org.merestone.terminal.App
import org.merestone.terminal.Menu
import org.merestone.terminal.tty.Ink
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.clip
import org.merestone.terminal.tty.plain
import org.merestone.terminal.tty.wrap

/** Draws one record. */
internal class RecordPage(private val app: App, private val menu: Menu, private val columns: Int) {
    private val lines = mutableListOf<Line>()
    private var focus = 0

    /** The lines, and the one that must be seen. */
    fun draw(state: RecordState): Pair<List<Line>, Int> {
        val sheet = state.sheet
        if (sheet == null) {
            lines += Line(if (state.isAbsent) "Nothing of this record is on this phone." else "…", Ink.DIM)
            return Pair(lines, 0)
        }
        sheet.creator?.let { by ->
            words("Made by ${by.observer}${by.partyName.let { if (it.isEmpty()) "" else ", $it" }}", Ink.PLAIN)
        }
        state.whereabouts?.let { words(app.say(it), Ink.DIM) }
        if (sheet.isWithdrawn) words("Withdrawn: it should not count.", Ink.WARN)
        lines += Line()
        state.answers.forEachIndexed(::answer)
        if (sheet.photos.isNotEmpty()) lines += listOf(Line(), Line("Photos: ${sheet.photos.size}", Ink.BOLD))
        for (photo in sheet.photos) {
            val caption = photo.captions.joinToString(" / ").ifEmpty { "no caption" }
            words("  $caption, ${photo.mediaType}, ${photo.bytes} bytes", Ink.PLAIN)
        }
        state.history?.let(::history)
        return Pair(lines, focus)
    }

    private fun answer(index: Int, answer: SheetAnswer) {
        if (index == menu.at) focus = lines.size
        val value = answer.values.singleOrNull()
        if (value != null) {
            val text = "${labelOf(answer)}: ${shown(value)}"
            val by = "   ${value.observer}${standing(value)}"
            lines += menu.line(index, clip(plain(text), columns - MARGIN - by.length) + by)
            return
        }
        lines += menu.line(index, "≠ ${labelOf(answer)}: ${answer.values.size} values, nobody chose yet", Ink.WARN)
        answer.values.forEach { words("      ${shown(it)}   signed by ${it.observer}${standing(it)}", Ink.WARN) }
    }

    private fun history(steps: List<Step>) {
        lines += listOf(Line(), Line("History", Ink.BOLD))
        for (step in steps) {
            val time = step.wall?.let { "${said(it)} by its clock" } ?: "no time"
            val standing =
                step.standing
                    .takeIf {
                        it != "accepted"
                    }?.let { " (${app.say(Message("standing.$it"))})" }
                    .orEmpty()
            words(
                "${step.by.observer}, $time: ${app.say(Message("step.${step.kind}", detail = step.kind))}$standing",
                Ink.PLAIN,
            )
            step.text?.let { words("    “$it”", Ink.DIM) }
            for (change in step.changes) {
                val settles = if (change.settlesConflict) "  settles a conflict" else ""
                words("    ${change.label}: ${change.afterShown}$settles", Ink.DIM)
            }
        }
    }

    private fun standing(value: SignedAnswer): String = value.standing
        .takeIf { it !in USUAL }
        ?.let { " (${app.say(Message("standing.$it"))})" }
        .orEmpty()

    private fun words(text: String, ink: Ink) {
        wrap(text, columns - 2).mapTo(lines) { Line(it, ink) }
    }

    private companion object {
        const val MARGIN = 5

        /** Of these nothing has to be said: most entries on a phone are confirmed by no ledger yet. */
        val USUAL = setOf("accepted", "provisional")
    }
}
