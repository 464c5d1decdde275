/// One thing to show while a form is filled.
public struct Screen: Hashable, Sendable {
    /// Its position among the screens that are relevant now.
    public let index: Int
    public let kind: ScreenKind
    /// Names it for ``Interview/answer(_:_:)``; of ``ScreenKind/addRow`` it is the repeat's name.
    public let key: String
    /// Of ``ScreenKind/addRow``: the row around it, if groups are nested.
    public let within: String?
    /// As the form's author named it.
    public let name: String
    /// The form's own word, for example `select_one`, `date`, `geopoint`.
    public let questionType: String
    /// In the chosen language.
    public let label: String
    public let hint: String?
    /// More than ``hint``, for whoever asks for it.
    public let guidance: String?
    /// `nil` if it was not asked yet.
    public let answer: Answer?
    /// ``answer`` as a person reads it.
    public let shown: String
    /// Those that can be chosen now.
    public let choices: [Choice]
    public let isRequired: Bool
    public let isReadOnly: Bool
    public let isPhoto: Bool
    /// The form author's wish, for example `minimal`.
    public let appearance: String
    /// Counts from 1 within its repeat.
    public let rowNumber: Int?
    /// What the answer breaks, if it does.
    public let problem: Problem?

    /// Made of its parts.
    public init(
        index: Int,
        kind: ScreenKind,
        key: String,
        within: String?,
        name: String,
        questionType: String,
        label: String,
        hint: String?,
        guidance: String?,
        answer: Answer?,
        shown: String,
        choices: [Choice],
        isRequired: Bool,
        isReadOnly: Bool,
        isPhoto: Bool,
        appearance: String,
        rowNumber: Int?,
        problem: Problem?
    ) {
        self.index = index
        self.kind = kind
        self.key = key
        self.within = within
        self.name = name
        self.questionType = questionType
        self.label = label
        self.hint = hint
        self.guidance = guidance
        self.answer = answer
        self.shown = shown
        self.choices = choices
        self.isRequired = isRequired
        self.isReadOnly = isReadOnly
        self.isPhoto = isPhoto
        self.appearance = appearance
        self.rowNumber = rowNumber
        self.problem = problem
    }
}

/// One choice of a question.
public struct Choice: Hashable, Sendable {
    /// What the answer holds.
    public let name: String
    /// In the chosen language.
    public let label: String

    /// Made of its parts.
    public init(name: String, label: String) {
        self.name = name
        self.label = label
    }
}

/// A rule of the form that is not met.
public struct Problem: Hashable, Sendable {
    /// The question.
    public let key: String
    /// Stable: which rule.
    public let code: String
    /// The form author's words in the chosen language, or a sentence of ours in English.
    public let message: String

    /// Made of its parts.
    public init(key: String, code: String, message: String) {
        self.key = key
        self.code = code
        self.message = message
    }
}

/// What a ``Screen`` is.
public enum ScreenKind: Hashable, Sendable {
    /// It wants an answer.
    case question
    /// It only tells something.
    case note
    /// A heading over questions.
    case group
    /// A heading over one row of a repeated group.
    case row
    /// It offers another row.
    case addRow
}
