package org.merestone.bridge

import org.merestone.Choice
import org.merestone.Problem
import org.merestone.Screen
import org.merestone.ScreenKind
import org.merestone.crossing.ProblemLine
import org.merestone.crossing.ScreenLine
import org.merestone.crossing.ScreenKind as RawKind

internal fun ScreenLine.told() = Screen(
    index = index.count(),
    kind = kind.told(),
    key = key,
    within = within,
    name = name,
    questionType = questionType,
    label = label,
    hint = hint,
    guidance = guidance,
    answer = value?.told(),
    shown = shown,
    choices = choices.map { Choice(it.name, it.label) },
    isRequired = isRequired,
    isReadOnly = isReadOnly,
    isPhoto = isPhoto,
    appearance = appearance,
    rowNumber = rowNumber?.count(),
    problem = problem?.told(),
)

internal fun ProblemLine.told() = Problem(key, code, message)

private fun RawKind.told() = when (this) {
    RawKind.QUESTION -> ScreenKind.QUESTION
    RawKind.NOTE -> ScreenKind.NOTE
    RawKind.GROUP -> ScreenKind.GROUP
    RawKind.ROW -> ScreenKind.ROW
    RawKind.ADD_ROW -> ScreenKind.ADD_ROW
}
