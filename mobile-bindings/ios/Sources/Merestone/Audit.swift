/// What an audit says.
public enum Verdict: Hashable, Sendable {
    /// Nothing contradicts the signatures.
    case passed
    /// Something is forged or damaged.
    case failed
    /// What is there is not enough to say.
    case indeterminate
}

/// How much of a bag to judge.
public struct AuditOptions: Hashable, Sendable {
    /// Whether what entries say and photos is left out; records are then not judged.
    public var isFast: Bool
    /// How many records ``AuditReport/json()`` and ``AuditReport/html()`` show in full; ``AuditReport/records()`` gives all.
    public var recordsMax: Int

    /// Made of its parts.
    public init(isFast: Bool = false, recordsMax: Int = 1_000) {
        self.isFast = isFast
        self.recordsMax = recordsMax
    }
}

/// The report of an audit; the same on every machine for the same bag.
public protocol AuditReport: AnyObject, Sendable {
    /// What it comes to.
    var verdict: Verdict { get }
    /// What was found, the heaviest first; of each code and weight at most 1 000.
    var findings: [Finding] { get }
    /// Whether records were judged: not if ``AuditOptions/isFast``, and not where the charter could not be read.
    var hasRecords: Bool { get }

    /// The report as lines to read in a terminal.
    func text() -> String
    /// The report for programs.
    func json() -> String
    /// The report as one page for any browser, without any other file.
    func html() -> String

    /// Every record of the bag as a JSON object, ascending by id; read from the bag as it is asked for.
    ///
    /// - Throws: from the loop, ``MerestoneError/refused(code:reason:)`` with code `changed` if the bag is no longer what was
    ///   judged
    func records() -> AsyncThrowingStream<String, any Error>

    /// One of ``records()``; `nil` if no entry of the bag belongs to it, or records were not judged.
    func record(_ record: RecordID) async throws -> String?
}

/// Something that is there and wrong, or not as it should be.
public struct Finding: Hashable, Sendable {
    /// Stable; ``MerestoneLibrary/explain(_:)`` tells more.
    public let code: String
    /// How bad it is: `failure`, `doubt` or `note`.
    public let weight: String
    /// The file or entry.
    public let place: String
    /// One sentence in English.
    public let says: String

    /// Made of its parts.
    public init(code: String, weight: String, place: String, says: String) {
        self.code = code
        self.weight = weight
        self.place = place
        self.says = says
    }
}

/// What a code means.
public struct Explanation: Hashable, Sendable {
    public let code: String
    public let weight: String
    /// What it is, in English.
    public let means: String
    /// What to do about it.
    public let does: String

    /// Made of its parts.
    public init(code: String, weight: String, means: String, does: String) {
        self.code = code
        self.weight = weight
        self.means = means
        self.does = does
    }
}
