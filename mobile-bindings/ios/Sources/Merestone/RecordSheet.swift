/// Everything about one record.
public struct RecordSheet: Hashable, Sendable {
    public let id: RecordID
    public let scope: ScopeID
    /// `nil` while its form is not on this phone.
    public let kind: String?
    public let form: FormHash?
    public let creator: Person?
    /// The newest entries that build on no other.
    public let heads: [EntryID]
    public let isWithdrawn: Bool
    public let answers: [SheetAnswer]
    public let photos: [Photo]
    /// What became of every entry of it that is here.
    public let standings: [Standing]

    /// Made of its parts.
    public init(
        id: RecordID,
        scope: ScopeID,
        kind: String?,
        form: FormHash?,
        creator: Person?,
        heads: [EntryID],
        isWithdrawn: Bool,
        answers: [SheetAnswer],
        photos: [Photo],
        standings: [Standing]
    ) {
        self.id = id
        self.scope = scope
        self.kind = kind
        self.form = form
        self.creator = creator
        self.heads = heads
        self.isWithdrawn = isWithdrawn
        self.answers = answers
        self.photos = photos
        self.standings = standings
    }
}

/// Who signed something.
public struct Person: Hashable, Sendable {
    public let key: ObserverKey
    public let observer: String
    public let device: String
    /// Number of the party that certified the key; `nil` if the certificate is not here.
    public let party: UInt64?
    /// Empty while no certificate is here.
    public let partyName: String
    /// `observer`, `reviewer`, `arbiter`, `camp` or `auditor`; empty while no certificate is here.
    public let role: String

    /// Made of its parts.
    public init(key: ObserverKey, observer: String, device: String, party: UInt64?, partyName: String, role: String) {
        self.key = key
        self.observer = observer
        self.device = device
        self.party = party
        self.partyName = partyName
        self.role = role
    }
}

/// A photo of a record.
public struct Photo: Hashable, Sendable {
    /// Names it in the record.
    public let row: String
    /// The one that attached it.
    public let entry: EntryID
    /// What was hashed and signed; ``Photos/save(_:to:)`` writes it.
    public let original: PhotoHash
    /// Size of ``original``.
    public let bytes: UInt64
    /// For example `image/jpeg`.
    public let mediaType: String
    /// For lists; `nil` if there is none.
    public let thumbnail: PhotoHash?
    /// For a screen; `nil` if there is none.
    public let preview: PhotoHash?
    /// More than one is a conflict.
    public let captions: [String]

    /// Made of its parts.
    public init(
        row: String,
        entry: EntryID,
        original: PhotoHash,
        bytes: UInt64,
        mediaType: String,
        thumbnail: PhotoHash?,
        preview: PhotoHash?,
        captions: [String]
    ) {
        self.row = row
        self.entry = entry
        self.original = original
        self.bytes = bytes
        self.mediaType = mediaType
        self.thumbnail = thumbnail
        self.preview = preview
        self.captions = captions
    }
}

/// How an entry stands by what this phone knows.
public struct Standing: Hashable, Sendable {
    public let entry: EntryID
    /// The word of the specification.
    public let code: String
    /// Whether what the entry says counts.
    public let isApplied: Bool

    /// Made of its parts.
    public init(entry: EntryID, code: String, isApplied: Bool) {
        self.entry = entry
        self.code = code
        self.isApplied = isApplied
    }
}

extension RecordSheet {
    /// The questions that have several answers which nobody chose between.
    public var conflicts: [SheetAnswer] { answers.filter(\.isConflict) }
}

extension SheetAnswer {
    /// Whether a person has to choose.
    public var isConflict: Bool { values.count > 1 }
}

/// A question with every value that stands.
public struct SheetAnswer: Hashable, Sendable {
    public let key: String
    /// The question's text; the key while the form is not here.
    public let label: String
    /// More than one is a conflict: show all of them with who signed each.
    public let values: [SignedAnswer]

    /// Made of its parts.
    public init(key: String, label: String, values: [SignedAnswer]) {
        self.key = key
        self.label = label
        self.values = values
    }
}

/// An answer and who signed it.
public struct SignedAnswer: Hashable, Sendable {
    public let answer: Answer
    /// ``answer`` as a person reads it: of choices their texts.
    public let shown: String
    public let entry: EntryID
    /// What became of its entry, in the word of the specification, for example `accepted`.
    public let standing: String
    /// Name of who signed it.
    public let observer: String

    /// Made of its parts.
    public init(answer: Answer, shown: String, entry: EntryID, standing: String, observer: String) {
        self.answer = answer
        self.shown = shown
        self.entry = entry
        self.standing = standing
        self.observer = observer
    }
}
