package org.merestone.terminal.views

import org.merestone.screens.EnrolField
import org.merestone.screens.EnrolScreen
import org.merestone.terminal.App
import org.merestone.terminal.Step
import org.merestone.terminal.View
import org.merestone.terminal.tty.Drawing
import org.merestone.terminal.tty.Field
import org.merestone.terminal.tty.Ink
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Size
import org.merestone.terminal.tty.Span
import org.merestone.terminal.tty.isLetter
import org.merestone.terminal.tty.line
import org.merestone.terminal.tty.wrap
import java.io.File

/** A request for the officer, and the certificate that comes back. */
class EnrolView(private val app: App) : View(app.scope) {
    private val screen = EnrolScreen(app.phone, scope)
    private val fields = EnrolField.entries.associateWith { Field(isSecret = it.isSecret) }
    private var at = EnrolField.OBSERVER

    /** Where the request was written. */
    private var written: String? = null

    init {
        screen.open()
    }

    override val changes get() = screen.state

    override fun draw(size: Size): Drawing = if (screen.state.value.enrolment == null) asking(size) else showing(size)

    override fun press(key: Key): Step {
        val enrolment = screen.state.value.enrolment
        return when {
            key == Key.Escape -> Step.Back
            enrolment == null -> pressAsking(key)
            key.isLetter('q') -> Step.To { QrView(app, "Request for the officer", enrolment.qr) }
            key.isLetter('f') -> Step.To { write(enrolment.text) }
            key == Key.Enter || key.isLetter('c') -> Step.To { certificate() }
            key.isLetter('n') -> Step.Stay.also { screen.askAnother() }
            else -> Step.Stay
        }
    }

    override fun step(): Step = if (screen.state.value.certified != null) Step.Back else Step.Stay

    private fun asking(size: Size): Drawing {
        val state = screen.state.value
        val body =
            mutableListOf(Line("To join the mission ${state.mission}, an officer certifies a key of yours."), Line())
        var cursor: Pair<Int, Int>? = null
        for ((name, field) in fields) {
            body += Line(name.label, if (name == at) Ink.BOLD else Ink.PLAIN)
            val (shown, column) = field.shown(size.columns - FIELD_MARGIN)
            if (name == at) cursor = Pair(body.size, column + 2)
            body += line(Span("> ", if (name == at) Ink.KEY else Ink.DIM), Span(shown))
            state.wrong[name]?.let { body += app.refused(it) }
        }
        val keys = listOf("Enter" to "next, and ask", "↑↓" to "choose", "Esc" to "back")
        return Drawing("Enrol", body, notice = app.noticeOf(state), isBusy = state.isBusy, keys = keys, cursor = cursor)
    }

    private fun showing(size: Size): Drawing {
        val state = screen.state.value
        val enrolment = checkNotNull(state.enrolment) { "there is a request" }
        val body =
            mutableListOf(
                Line("1. Hand this request to the officer: as text, as a file or as a QR code."),
                Line("2. Read these six words aloud. The officer's machine must show the same:"),
                Line(),
                Line("   ${enrolment.words.joinToString("  ")}", Ink.WARN),
                Line(),
                Line("3. Take the certificate that comes back: press Enter."),
                Line(),
            )
        state.refusal?.let { body += listOf(app.refused(it.message), Line()) }
        written?.let { body += listOf(Line("Written into $it.", Ink.GOOD), Line()) }
        body += wrap(enrolment.text, size.columns - 2).map { Line(it, Ink.DIM) }
        val keys =
            listOf(
                "Enter" to "certificate",
                "f" to "write into a file",
                "q" to "QR code",
                "n" to "another request",
                "Esc" to "back",
            )
        return Drawing("Enrol", body, notice = app.noticeOf(state), isBusy = state.isBusy, keys = keys)
    }

    private fun pressAsking(key: Key): Step {
        val order = EnrolField.entries
        when (key) {
            Key.Up -> at = order[(at.ordinal - 1).coerceAtLeast(0)]
            Key.Down, Key.Tab -> at = order[(at.ordinal + 1).coerceAtMost(order.lastIndex)]
            Key.Enter -> if (at == order.last()) ask() else at = order[at.ordinal + 1]
            else -> fields.getValue(at).press(key)
        }
        return Step.Stay
    }

    private fun ask() {
        val text = fields.mapValues { it.value.text }
        screen.ask(
            text.getValue(EnrolField.OBSERVER),
            text.getValue(EnrolField.DEVICE),
            text.getValue(EnrolField.PASSPHRASE),
            text.getValue(EnrolField.AGAIN),
        )
        at = EnrolField.OBSERVER
    }

    private fun write(text: String) = PromptView(app, "Write the request", "Path of a new file", { path ->
        writeNew(File(path.trim()), text).also { wrong -> written = path.trim().takeIf { wrong == null } }
    })

    private fun certificate() =
        PromptView(app, "The officer's certificate", "Its text, or the path of its file", { typed ->
            val file = File(typed.trim()).takeIf { typed.length < PATH_MAX && it.isFile }
            screen.accept(file?.readText() ?: typed)
            null
        })

    private companion object {
        /** A longer text is the certificate itself. */
        const val PATH_MAX = 1_024
    }
}

/** Writes a text into a file that is not there yet; says why it could not. */
internal fun writeNew(file: File, text: String): String? = try {
    if (file.createNewFile()) {
        file.writeText(text)
        null
    } else {
        "There is a file ${file.path} already: choose another name."
    }
} catch (error: java.io.IOException) {
    "${file.path} cannot be written (${error.message}): choose another path."
}

private val EnrolField.isSecret get() = this == EnrolField.PASSPHRASE || this == EnrolField.AGAIN

private val EnrolField.label
    get() =
        when (this) {
            EnrolField.OBSERVER -> "Your name"
            EnrolField.DEVICE -> "Name of this phone"
            EnrolField.PASSPHRASE -> "A passphrase for your key"
            EnrolField.AGAIN -> "The passphrase once more"
        }
