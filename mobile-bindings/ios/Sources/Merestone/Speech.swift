/// What is said. Which of them an observer may say depends on the role in the certificate.
public enum SpeechKind: Hashable, Sendable, CaseIterable {
    /// It was received.
    case receipt
    /// The side that is inspected comments.
    case hostComment
    /// The speaker agrees.
    case concurrence
    /// The speaker objects.
    case objection
    /// The speaker took part and sees it differently.
    case dissent
    /// A decision on an objection.
    case ruling
    /// The speaker stands behind it as one of its authors.
    case coAuthorship
}

/// What an observer says of a record, as it is now.
public struct Speech: Hashable, Sendable {
    public let record: RecordID
    public let kind: SpeechKind
    /// The entries it is about; empty for the record's newest.
    public var about: [EntryID]
    /// Number of a reason, where the mission has a list of them.
    public var reason: UInt64?
    /// At most some kilobytes.
    public var text: String?

    /// Made of its parts.
    public init(record: RecordID, kind: SpeechKind, about: [EntryID] = [], reason: UInt64? = nil, text: String? = nil) {
        self.record = record
        self.kind = kind
        self.about = about
        self.reason = reason
        self.text = text
    }
}
