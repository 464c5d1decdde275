/// What is being filled on this phone and was not saved. Every answer is on the disk before its call returns.
public protocol Drafts: Sendable {
    /// All drafts, or those of one observer.
    func all(of observer: ObserverKey?) async throws -> [Draft]

    /// Drafts whose file cannot be read any more.
    func damaged() async throws -> [DamagedDraft]

    /// Begins a new record.
    ///
    /// Whether the observer may save in that scope is asked when it is saved, and not before.
    ///
    /// - Throws: ``MerestoneError/notThere(reason:)`` if no such observer or form is here;
    ///   ``MerestoneError/refused(code:reason:)`` with the code `form-not-asked` if the form's questions are not here:
    ///   ``saveNew(_:scope:form:answers:once:)`` works all the same
    func begin(_ observer: ObserverKey, scope: ScopeID, form: FormHash) async throws -> any Interview

    /// Begins an edit of a record, with its answers filled in. A question whose answers are in conflict stands empty.
    ///
    /// - Throws: ``MerestoneError/notThere(reason:)`` if there is no such observer; ``MerestoneError/refused(code:reason:)``
    ///   with code `not-editable` if there is no such record or it cannot be edited, `form-not-asked` if its form's questions
    ///   are not here
    func beginEdit(_ observer: ObserverKey, record: RecordID) async throws -> any Interview

    /// Goes on where a draft was left, after a restart too.
    ///
    /// - Throws: ``MerestoneError/notThere(reason:)`` if there is no such draft
    func goOn(_ draft: DraftID) async throws -> any Interview

    /// Throws a draft away, with its photos. Again, or after it was saved, it changes nothing.
    ///
    /// - Throws: ``MerestoneError/refused(code:reason:)`` with code `saving` while it is being saved
    func discard(_ draft: DraftID) async throws

    /// Saves a whole new record in one call: checked and calculated as if each answer had been given in an ``Interview``.
    ///
    /// What the form's rules say against an answer, or miss, does not keep it from being saved.
    ///
    /// Cancelling takes nothing back: a call that is cancelled may be done whole. Whoever must know gives `once`, and calls again
    /// with the same one, now or after a restart: if it was done, the answer is the same and nothing is signed again.
    ///
    /// - Parameters:
    ///   - answers: by question, as in `remarks` or `vehicles[1]/plate`
    ///   - once: of one id only the first saving counts, whatever is asked later; `nil` saves each time
    /// - Throws: ``MerestoneError/refused(code:reason:)`` with code `answer` if an answer is none to such a question at all,
    ///   and nothing is saved then; ``MerestoneError/locked(reason:)`` if the observer's key is locked;
    ///   ``MerestoneError/notEnrolled(isCut:reason:)`` if the observer may not save (any more)
    func saveNew(
        _ observer: ObserverKey, scope: ScopeID, form: FormHash, answers: [String: Answer], once: SaveID?
    ) async throws -> Saved
}

extension Drafts {
    /// Saves a whole new record, see ``saveNew(_:scope:form:answers:once:)``.
    public func saveNew(
        _ observer: ObserverKey, scope: ScopeID, form: FormHash, answers: [String: Answer]
    ) async throws -> Saved {
        try await saveNew(observer, scope: scope, form: form, answers: answers, once: nil)
    }

    /// All drafts of this phone.
    public func all() async throws -> [Draft] {
        try await all(of: nil)
    }
}

/// A draft in a list.
public struct Draft: Hashable, Sendable {
    public let id: DraftID
    public let observer: ObserverKey
    public let scope: ScopeID
    public let form: FormHash
    /// What it edits; `nil` if it begins a new record.
    public let record: RecordID?
    /// How many questions have one.
    public let answers: Int
    /// How many are attached.
    public let photos: Int
    /// Whether it came from another program's file.
    public let isImport: Bool

    /// Made of its parts.
    public init(
        id: DraftID,
        observer: ObserverKey,
        scope: ScopeID,
        form: FormHash,
        record: RecordID?,
        answers: Int,
        photos: Int,
        isImport: Bool
    ) {
        self.id = id
        self.observer = observer
        self.scope = scope
        self.form = form
        self.record = record
        self.answers = answers
        self.photos = photos
        self.isImport = isImport
    }
}

/// A draft that cannot be read any more. ``Drafts/discard(_:)`` removes it.
public struct DamagedDraft: Hashable, Sendable {
    public let id: DraftID
    /// How large its file is.
    public let bytes: UInt64

    /// Made of its parts.
    public init(id: DraftID, bytes: UInt64) {
        self.id = id
        self.bytes = bytes
    }
}

/// What was saved: signed, on the disk, and part of the next sync.
public struct Saved: Hashable, Sendable {
    public let entry: EntryID
    public let record: RecordID
    /// Whether a person should be told that the disk is nearly full.
    public let isRoomLow: Bool

    /// Made of its parts.
    public init(entry: EntryID, record: RecordID, isRoomLow: Bool) {
        self.entry = entry
        self.record = record
        self.isRoomLow = isRoomLow
    }
}
