package org.merestone

/**
 * One thing to show while a form is filled.
 *
 * @property index its position among the screens that are relevant now
 * @property key names it for [Interview.answer]; of [ScreenKind.ADD_ROW] it is the repeat's name
 * @property within of [ScreenKind.ADD_ROW]: the row around it, if groups are nested
 * @property name as the form's author named it
 * @property questionType the form's own word, for example `select_one`, `date`, `geopoint`
 * @property label in the chosen language
 * @property guidance more than [hint], for whoever asks for it
 * @property answer `null` if it was not asked yet
 * @property shown [answer] as a person reads it
 * @property choices those that can be chosen now
 * @property appearance the form author's wish, for example `minimal`
 * @property rowNumber counts from 1 within its repeat
 * @property problem what the answer breaks, if it does
 */
public data class Screen(
    public val index: Int,
    public val kind: ScreenKind,
    public val key: String,
    public val within: String?,
    public val name: String,
    public val questionType: String,
    public val label: String,
    public val hint: String?,
    public val guidance: String?,
    public val answer: Answer?,
    public val shown: String,
    public val choices: List<Choice>,
    public val isRequired: Boolean,
    public val isReadOnly: Boolean,
    public val isPhoto: Boolean,
    public val appearance: String,
    public val rowNumber: Int?,
    public val problem: Problem?,
)

/** What a [Screen] is. */
public enum class ScreenKind {
    /** It wants an answer. */
    QUESTION,

    /** It only tells something. */
    NOTE,

    /** A heading over questions. */
    GROUP,

    /** A heading over one row of a repeated group. */
    ROW,

    /** It offers another row. */
    ADD_ROW,
}

/**
 * One choice of a question.
 *
 * @property name what the answer holds
 * @property label in the chosen language
 */
public data class Choice(public val name: String, public val label: String)

/**
 * A rule of the form that is not met.
 *
 * @property key the question
 * @property code stable: which rule
 * @property message the form author's words in the chosen language, or a sentence of ours in English
 */
public data class Problem(public val key: String, public val code: String, public val message: String)
