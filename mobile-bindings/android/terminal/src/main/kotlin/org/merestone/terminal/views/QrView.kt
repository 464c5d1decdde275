package org.merestone.terminal.views

import kotlinx.coroutines.flow.MutableStateFlow
import org.merestone.QrCode
import org.merestone.terminal.App
import org.merestone.terminal.Step
import org.merestone.terminal.View
import org.merestone.terminal.tty.Drawing
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Size

/** A QR code as large as the window allows: two modules for each character. */
class QrView(app: App, private val title: String, private val qr: QrCode?) : View(app.scope) {
    override val changes = MutableStateFlow(0)

    override fun draw(size: Size): Drawing {
        val body =
            when {
                qr == null -> {
                    listOf(Line("The text is too long for a QR code: hand it over as a file."))
                }

                qr.modules > size.columns - 2 || (qr.modules + 1) / 2 > size.rows - FRAME_ROWS -> {
                    val rows = (qr.modules + 1) / 2 + FRAME_ROWS
                    listOf(Line("The window is too small: it needs ${qr.modules + 2} columns and $rows rows."))
                }

                else -> {
                    (0 until qr.modules step 2).map { row -> Line(drawn(qr, row)) }
                }
            }
        return Drawing(title, body, keys = listOf("Esc" to "back"))
    }

    override fun press(key: Key): Step = if (key == Key.Escape || key == Key.Enter) Step.Back else Step.Stay

    /** Light is drawn and dark is left out, as terminals are dark. */
    private fun drawn(qr: QrCode, row: Int): String = (0 until qr.modules).joinToString("") { column ->
        when (Pair(qr.isDark(column, row), row + 1 >= qr.modules || qr.isDark(column, row + 1))) {
            Pair(true, true) -> " "
            Pair(true, false) -> "▄"
            Pair(false, true) -> "▀"
            else -> "█"
        }
    }

    private companion object {
        /** The bar, the line of keys, and the empty lines at them. */
        const val FRAME_ROWS = 4
    }
}
