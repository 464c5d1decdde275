package org.merestone.terminal.views

import org.merestone.Answer
import org.merestone.SheetAnswer
import org.merestone.SignedAnswer

/** What a question of a record is called. */
internal fun labelOf(answer: SheetAnswer): String = answer.label

/** A value as a person reads it. */
internal fun shown(value: SignedAnswer): String = value.shown.ifEmpty { typedOf(value.answer) }.ifEmpty { "left blank" }

/** An answer as it would be typed. */
internal fun typedOf(answer: Answer): String = when (answer) {
    Answer.Blank -> ""
    is Answer.YesNo -> if (answer.yes) "yes" else "no"
    is Answer.Number -> answer.number.toString()
    is Answer.Text -> answer.text
}
