package org.merestone.terminal.views

import kotlinx.coroutines.flow.MutableStateFlow
import org.merestone.Saved
import org.merestone.terminal.Step
import org.merestone.terminal.View
import org.merestone.terminal.Work
import org.merestone.terminal.tty.Drawing
import org.merestone.terminal.tty.Ink
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Size

/** Says that something was saved, and where it is. */
class SavedView(private val work: Work, private val saved: Saved) : View(work.app.scope) {
    override val changes = MutableStateFlow(0)

    override fun draw(size: Size): Drawing {
        val body =
            listOfNotNull(
                Line("Saved, signed by ${work.name}, and on this phone's disk.", Ink.GOOD),
                Line(),
                Line("It is only on this phone until it meets another: s in the list of records."),
                if (saved.isRoomLow) {
                    Line(
                        "There is little room left on the disk: meet base camp soon.",
                        Ink.WARN,
                    )
                } else {
                    null
                },
                Line(),
                Line("Entry ${saved.entry}", Ink.DIM),
            )
        return Drawing("Saved", body, keys = listOf("Enter" to "go on", "o" to "open the record"))
    }

    override fun press(key: Key): Step = when (key) {
        Key.Enter, Key.Escape -> Step.Back
        Key.Typed("o") -> Step.Instead { RecordView(work, saved.record, "") }
        else -> Step.Stay
    }
}
