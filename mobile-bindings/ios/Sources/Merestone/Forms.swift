import Foundation

/// The forms of the mission that this phone has.
public protocol Forms: Sendable {
    /// All of them; those of the program come with it.
    func all() async throws -> [Form]

    /// Takes a form that the mission names in its charter.
    ///
    /// - Parameters:
    ///   - file: an XLSForm as `.xlsx`, `.xls`, `.csv` or in Markdown tables, or an XForm in XML
    ///   - beside: files that it refers to, such as lists of choices
    /// - Throws: ``MerestoneError/refused(code:reason:)`` if it cannot be read or the mission does not name it; a library
    ///   that was built without the readers of Excel files takes no `.xlsx` and no `.xls`
    func add(_ file: URL, beside: [URL]) async throws -> FormHash
}

extension Forms {
    /// Takes a form that refers to no other file, see ``add(_:beside:)``.
    public func add(_ file: URL) async throws -> FormHash {
        try await add(file, beside: [])
    }
}

/// One edition of a form.
public struct Form: Hashable, Sendable {
    public let hash: FormHash
    /// What a record of it is, for example `inspection`.
    public let kind: String
    public let title: String
    /// As its author wrote it.
    public let version: String
    /// Whether ``Drafts/begin(_:scope:form:)`` takes it; a form that is only for reading old records cannot.
    public let canBeAsked: Bool
    /// In the form's order; an index into it is how a language is named elsewhere.
    public let languages: [FormLanguage]
    /// Index into ``languages``.
    public let defaultLanguage: Int?

    /// Made of its parts.
    public init(
        hash: FormHash,
        kind: String,
        title: String,
        version: String,
        canBeAsked: Bool,
        languages: [FormLanguage],
        defaultLanguage: Int?
    ) {
        self.hash = hash
        self.kind = kind
        self.title = title
        self.version = version
        self.canBeAsked = canBeAsked
        self.languages = languages
        self.defaultLanguage = defaultLanguage
    }
}

/// A language of a form.
public struct FormLanguage: Hashable, Sendable {
    /// In the language itself, as the form's author wrote it.
    public let name: String
    /// For example `uk`; `nil` if the author gave none.
    public let code: String?
    public let isRightToLeft: Bool

    /// Made of its parts.
    public init(name: String, code: String?, isRightToLeft: Bool) {
        self.name = name
        self.code = code
        self.isRightToLeft = isRightToLeft
    }
}
