import Foundation

/// One signed step in a record's history.
public struct Step: Hashable, Sendable {
    public let entry: EntryID
    /// Its position in the log of the key that signed it, from 0.
    public let seq: UInt64
    /// What it is, in the word of the specification, for example `change`, `objection`.
    public let kind: String
    /// What became of it, in the word of the specification.
    public let standing: String
    public let by: Person
    /// Entries that it builds on or is about.
    public let refs: [EntryID]
    /// What the device's clock said; no proof of the time, and `nil` while the entry's body is not here.
    public let wall: Date?
    /// Milliseconds since that device started.
    public let uptimeMs: UInt64?
    /// Minutes between UTC and that device's local time.
    public let offsetMin: Int?
    public let clockSource: ClockSource?
    /// Where the device was, as it said.
    public let place: Place?
    /// The post that was named.
    public let post: String?
    public let changes: [AnswerChange]
    /// What was said.
    public let text: String?
    /// A number of the mission's own list.
    public let reason: UInt64?
    /// How many it attached.
    public let photos: Int

    /// Made of its parts.
    public init(
        entry: EntryID,
        seq: UInt64,
        kind: String,
        standing: String,
        by: Person,
        refs: [EntryID],
        wall: Date?,
        uptimeMs: UInt64?,
        offsetMin: Int?,
        clockSource: ClockSource?,
        place: Place?,
        post: String?,
        changes: [AnswerChange],
        text: String?,
        reason: UInt64?,
        photos: Int
    ) {
        self.entry = entry
        self.seq = seq
        self.kind = kind
        self.standing = standing
        self.by = by
        self.refs = refs
        self.wall = wall
        self.uptimeMs = uptimeMs
        self.offsetMin = offsetMin
        self.clockSource = clockSource
        self.place = place
        self.post = post
        self.changes = changes
        self.text = text
        self.reason = reason
        self.photos = photos
    }
}

/// What a step did to one answer.
public struct AnswerChange: Hashable, Sendable {
    public let key: String
    /// The question's text in the language asked for; the key while the form's questions are not here.
    public let label: String
    /// What it replaced; several if it settled a conflict.
    public let before: [Answer]
    /// ``before`` as people read it.
    public let beforeShown: [String]
    /// What stands after it.
    public let after: Answer
    /// ``after`` as people read it.
    public let afterShown: String
    /// Whether a person chose here.
    public let settlesConflict: Bool

    /// Made of its parts.
    public init(
        key: String,
        label: String,
        before: [Answer],
        beforeShown: [String],
        after: Answer,
        afterShown: String,
        settlesConflict: Bool
    ) {
        self.key = key
        self.label = label
        self.before = before
        self.beforeShown = beforeShown
        self.after = after
        self.afterShown = afterShown
        self.settlesConflict = settlesConflict
    }
}
