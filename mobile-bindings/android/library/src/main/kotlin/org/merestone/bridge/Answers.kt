package org.merestone.bridge

import org.merestone.Answer
import org.merestone.crossing.AnswerValue as RawAnswer

internal fun Answer.raw(): RawAnswer = when (this) {
    Answer.Blank -> RawAnswer.Blank
    is Answer.YesNo -> RawAnswer.YesNo(yes)
    is Answer.Number -> RawAnswer.Number(number)
    is Answer.Text -> RawAnswer.Text(text)
}

internal fun RawAnswer.told(): Answer = when (this) {
    is RawAnswer.Blank -> Answer.Blank
    is RawAnswer.YesNo -> Answer.YesNo(yes)
    is RawAnswer.Number -> Answer.Number(number)
    is RawAnswer.Text -> Answer.Text(text)
}
