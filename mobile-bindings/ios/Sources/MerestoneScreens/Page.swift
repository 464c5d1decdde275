/// One page of a form that is being filled: what a person sees at once.
public enum Page: Hashable, Sendable {
    /// A question to answer.
    case question(QuestionPage)
    /// The offer of one more row.
    case row(RowPage)
    /// After the last question: what is still wrong, and saving.
    case end(EndPage)

    /// Where it stands.
    public var spot: PageSpot {
        switch self {
        case .question(let page): page.spot
        case .row(let page): page.spot
        case .end(let page): page.spot
        }
    }

    /// Its place among the form's screens, from 0; changes when answers open or close questions before it.
    public var at: Int { spot.at }
}

/// Where a page stands in its form.
public struct PageSpot: Hashable, Sendable {
    /// Its place among the form's screens, from 0.
    public let at: Int
    /// How many screens the form has with the answers that are given now.
    public let of: Int
    /// What stands above it and asks nothing: titles of groups and rows, notes, values that the form works out.
    public let above: [Heading]
}

/// A question to answer.
public struct QuestionPage: Hashable, Sendable {
    public let spot: PageSpot
    public let question: Question
    /// What was typed and not taken, and why; what stood there before still does.
    public var refusal: Refusal?
    /// What the form finds wrong with the answer as it stands; shown once the person answered or wanted to go on.
    public let problem: Message?
    /// Whether ``problem`` was shown: going on once more leaves it as it is.
    public var isProblemShown = false
}

/// The offer of one more row.
public struct RowPage: Hashable, Sendable {
    public let spot: PageSpot
    /// The repeat's name.
    public let repeated: String
    /// The row around it.
    public let within: String?
    /// What one row is called.
    public let label: String
}

/// After the last question.
public struct EndPage: Hashable, Sendable {
    public let spot: PageSpot
    /// What is missing or wrong; nothing of it keeps the observation from being saved.
    public let problems: [FillProblem]
}

/// A line that asks nothing.
public struct Heading: Hashable, Sendable {
    public let kind: HeadingKind
    public let text: String
    /// A value that the form works out; empty for the others.
    public var value = ""
    /// The number of a row, from 1.
    public var row: Int?
}

/// What a ``Heading`` is.
public enum HeadingKind: Hashable, Sendable {
    case group, row, note, value
}

/// A question, ready to be drawn.
public struct Question: Hashable, Sendable {
    /// `question` or `repeat/row/question`.
    public let key: String
    public let name: String
    public let label: String
    public let hint: String?
    public let guidance: String?
    public let input: Input
    /// The answer as a person reads it; empty while there is none.
    public let shown: String
    /// The answer as it would be typed: choices by name, dates as `2026-03-02`.
    public let typed: String
    /// Whether it was answered, or left blank on purpose.
    public let isAnswered: Bool
    public let isRequired: Bool
    public let choices: [Pick]
    /// XLSForm's appearance; empty for none.
    public let appearance: String
    /// Whether it stands in a row that can be taken away.
    public let isInRow: Bool
}

/// One of the choices of a question, as it stands.
public struct Pick: Hashable, Sendable {
    public let name: String
    public let label: String
    public let isChosen: Bool
}

/// How a question wants to be answered.
public enum Input: Hashable, Sendable {
    case text
    /// A text of several lines.
    case lines
    case wholeNumber
    case number
    /// `2026-03-02`.
    case day
    /// `14:05`.
    case time
    /// `2026-03-02T14:05`.
    case moment
    case oneOf
    case anyOf
    /// All choices, in an order.
    case order
    /// Latitude, longitude, altitude and accuracy, with spaces between.
    case place
    case places
    case photo
    /// A sound, a film or a file: none of them can be attached yet.
    case otherFile
    /// `OK` or nothing.
    case acknowledge
    /// Text that a camera reads from a code, or a person types.
    case code

    /// Whether it is answered by choosing.
    public var isChoosing: Bool { self == .oneOf || self == .anyOf || self == .order }
}

/// A typed answer that was not taken.
public struct Refusal: Hashable, Sendable {
    public let typed: String
    public let message: Message
}

/// Something missing or wrong, and where.
public struct FillProblem: Hashable, Sendable {
    /// The question's key; empty for the form as a whole.
    public let key: String
    /// The question's label.
    public let label: String
    public let message: Message
}

/// A line of the overview of a form.
public struct OverviewLine: Hashable, Sendable {
    public let key: String
    public let label: String
    public let shown: String
    public let isAnswered: Bool
    public let hasProblem: Bool
    /// The title of a group or row, which asks nothing.
    public let isHeading: Bool
}
