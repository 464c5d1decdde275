package org.merestone.screens

/** One page of a form that is being filled: what a person sees at once. */
public sealed interface Page {
    /** Its place among the form's screens, from 0; changes when answers open or close questions before it. */
    public val at: Int

    /** How many screens the form has with the answers that are given now. */
    public val of: Int

    /** What stands above it and asks nothing: titles of groups and rows, notes, values that the form works out. */
    public val above: List<Heading>
}

/** A question to answer. */
public data class QuestionPage(
    override val at: Int,
    override val of: Int,
    override val above: List<Heading>,
    public val question: Question,
    /** What was typed and not taken, and why; what stood there before still does. */
    public val refusal: Refusal? = null,
    /** What the form finds wrong with the answer as it stands; shown once the person answered or wanted to go on. */
    public val problem: Message? = null,
    /** Whether [problem] was shown: going on once more leaves it as it is. */
    public val isProblemShown: Boolean = false,
) : Page

/** The offer of one more row. */
public data class RowPage(
    override val at: Int,
    override val of: Int,
    override val above: List<Heading>,
    /** The repeat's name. */
    public val repeat: String,
    /** The row around it. */
    public val within: String?,
    /** What one row is called. */
    public val label: String,
) : Page

/** After the last question: what is still wrong, and saving. */
public data class EndPage(
    override val at: Int,
    override val of: Int,
    override val above: List<Heading>,
    /** What is missing or wrong; nothing of it keeps the observation from being saved. */
    public val problems: List<FillProblem>,
) : Page

/** A line that asks nothing. */
public data class Heading(
    public val kind: HeadingKind,
    public val text: String,
    /** A value that the form works out; empty for the others. */
    public val value: String = "",
    /** The number of a row, from 1. */
    public val row: Int? = null,
)

/** What a [Heading] is. */
public enum class HeadingKind { GROUP, ROW, NOTE, VALUE }

/** A question, ready to be drawn. */
public data class Question(
    /** `question` or `repeat/row/question`. */
    public val key: String,
    public val name: String,
    public val label: String,
    public val hint: String?,
    public val guidance: String?,
    public val input: Input,
    /** The answer as a person reads it; empty while there is none. */
    public val shown: String,
    /** The answer as it would be typed: choices by name, dates as `2026-03-02`. */
    public val typed: String,
    /** Whether it was answered, or left blank on purpose. */
    public val isAnswered: Boolean,
    public val isRequired: Boolean,
    public val choices: List<Pick>,
    /** XLSForm's appearance; empty for none. */
    public val appearance: String,
    /** Whether it stands in a row that can be taken away. */
    public val isInRow: Boolean,
)

/** One of the choices of a question, as it stands. */
public data class Pick(public val name: String, public val label: String, public val isChosen: Boolean)

/** How a question wants to be answered. */
public enum class Input {
    TEXT,

    /** A text of several lines. */
    LINES,
    WHOLE_NUMBER,
    NUMBER,

    /** `2026-03-02`. */
    DAY,

    /** `14:05`. */
    TIME,

    /** `2026-03-02T14:05`. */
    MOMENT,
    ONE_OF,
    ANY_OF,

    /** All choices, in an order. */
    ORDER,

    /** Latitude, longitude, altitude and accuracy, with spaces between. */
    PLACE,
    PLACES,
    PHOTO,

    /** A sound, a film or a file: none of them can be attached yet. */
    OTHER_FILE,

    /** `OK` or nothing. */
    ACKNOWLEDGE,

    /** Text that a camera reads from a code, or a person types. */
    CODE,
    ;

    /** Whether it is answered by choosing. */
    public val isChoosing: Boolean get() = this == ONE_OF || this == ANY_OF || this == ORDER
}

/** A typed answer that was not taken. */
public data class Refusal(public val typed: String, public val message: Message)

/** Something missing or wrong, and where. */
public data class FillProblem(
    /** The question's key; empty for the form as a whole. */
    public val key: String,
    /** The question's label. */
    public val label: String,
    public val message: Message,
)

/** A line of the overview of a form. */
public data class OverviewLine(
    public val key: String,
    public val label: String,
    public val shown: String,
    public val isAnswered: Boolean,
    public val hasProblem: Boolean,
    /** The title of a group or row, which asks nothing. */
    public val isHeading: Boolean,
)
