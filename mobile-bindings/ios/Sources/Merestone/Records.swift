import Foundation

/// The records on this phone, own and received.
public protocol Records: Sendable {
    /// One page of a list, newest change first; of a search, those first that were indexed last.
    ///
    /// - Parameters:
    ///   - after: where the page before ended (``RecordsPage/next``); `nil` for the first
    ///   - max: 1 to 1 000
    /// - Throws: ``MerestoneError/refused(code:reason:)`` if `after` is of another query
    func page(_ query: RecordQuery, after: PageMark?, max: Int) async throws -> RecordsPage

    /// Brings the list up to date with everything received, after ``RecordsPage/isBehind``.
    func catchUp() async throws

    /// Everything about one record; `nil` if it is not on this phone.
    ///
    /// - Parameter language: of labels and choices, an index into ``Form/languages``; `nil` for the form's own texts
    func sheet(_ record: RecordID, language: Int?) async throws -> RecordSheet?

    /// The steps of a record, oldest first.
    ///
    /// - Parameter language: of labels and choices, an index into ``Form/languages``; `nil` for the form's own texts
    func history(_ record: RecordID, language: Int?) async throws -> [Step]

    /// Settles a conflict: the answer that stands from now on. The others stay in the history.
    ///
    /// - Parameter once: as in ``Drafts/saveNew(_:scope:form:answers:once:)``
    /// - Throws: ``MerestoneError/refused(code:reason:)`` with code `not-editable` or `not-a-writer` if the observer cannot
    ///   change the record; ``MerestoneError/notEnrolled(isCut:reason:)`` if the observer may not save;
    ///   ``MerestoneError/locked(reason:)`` if the observer's key is locked
    func resolve(
        _ observer: ObserverKey, record: RecordID, key: String, answer: Answer, once: SaveID?
    ) async throws -> Saved

    /// Says that the record should not count. Nothing is removed, and an edit takes it back.
    ///
    /// - Parameter once: as in ``Drafts/saveNew(_:scope:form:answers:once:)``
    /// - Throws: ``MerestoneError/refused(code:reason:)`` with code `not-editable` or `not-a-writer` if the observer cannot
    ///   change the record; ``MerestoneError/notEnrolled(isCut:reason:)`` if the observer may not save;
    ///   ``MerestoneError/locked(reason:)`` if the observer's key is locked
    func withdraw(_ observer: ObserverKey, record: RecordID, once: SaveID?) async throws -> Saved

    /// Signs what the observer thinks of a record as it is now; a later edit voids it visibly.
    ///
    /// - Parameter once: as in ``Drafts/saveNew(_:scope:form:answers:once:)``
    /// - Throws: ``MerestoneError/refused(code:reason:)`` with code `words-needed` if an objection has none, `too-long` if it
    ///   has too many, `id-taken` if `once` was of something else; ``MerestoneError/notThere(reason:)`` if nothing of the
    ///   record is here; ``MerestoneError/notEnrolled(isCut:reason:)`` if the observer may not say that;
    ///   ``MerestoneError/locked(reason:)`` if the observer's key is locked
    func say(_ observer: ObserverKey, _ speech: Speech, once: SaveID?) async throws -> Saved

    /// Writes an entry again that was set aside, for example because its author's key was cut.
    ///
    /// - Parameter once: as in ``Drafts/saveNew(_:scope:form:answers:once:)``
    /// - Throws: ``MerestoneError/notThere(reason:)`` if it is no change of a record that is here;
    ///   ``MerestoneError/refused(code:reason:)`` with code `applied` if it counts already, `unreadable` if it cannot be read;
    ///   ``MerestoneError/notEnrolled(isCut:reason:)`` if the observer may not save; ``MerestoneError/locked(reason:)`` if the
    ///   observer's key is locked
    func restate(_ observer: ObserverKey, entry: EntryID, once: SaveID?) async throws -> Saved

    /// Who holds a copy of an entry; `nil` if the entry is not on this phone.
    ///
    /// What is not said by a signed receipt does not count.
    func custody(of entry: EntryID) async throws -> Custody?

    /// Who holds a copy of each entry of a record.
    func custody(of record: RecordID) async throws -> [Custody]

    /// What would be lost with this phone, whoever wrote it: to be asked before it is handed in or wiped.
    func heldAlone() async throws -> HeldAlone

    /// Writes one entry into a file that proves it to somebody who holds nothing but the mission's id.
    ///
    /// - Parameters:
    ///   - questions: the answers to show; the others stay hidden
    ///   - file: must not exist yet
    func writeExhibit(_ entry: EntryID, questions: [String], to file: URL) async throws
}

extension Records {
    /// Settles a conflict, see ``resolve(_:record:key:answer:once:)``.
    public func resolve(_ observer: ObserverKey, record: RecordID, key: String, answer: Answer) async throws -> Saved {
        try await resolve(observer, record: record, key: key, answer: answer, once: nil)
    }

    /// Says that the record should not count, see ``withdraw(_:record:once:)``.
    public func withdraw(_ observer: ObserverKey, record: RecordID) async throws -> Saved {
        try await withdraw(observer, record: record, once: nil)
    }

    /// Signs what the observer thinks of the record, see ``say(_:_:once:)``.
    public func say(_ observer: ObserverKey, _ speech: Speech) async throws -> Saved {
        try await say(observer, speech, once: nil)
    }

    /// Writes an entry again that was set aside, see ``restate(_:entry:once:)``.
    public func restate(_ observer: ObserverKey, entry: EntryID) async throws -> Saved {
        try await restate(observer, entry: entry, once: nil)
    }

    /// Everything about one record, in the form's own texts.
    public func sheet(_ record: RecordID) async throws -> RecordSheet? {
        try await sheet(record, language: nil)
    }

    /// The steps of a record, in the form's own texts.
    public func history(_ record: RecordID) async throws -> [Step] {
        try await history(record, language: nil)
    }

    /// The whole list, brought up to date first and read page by page as it is asked for. What changes meanwhile may be
    /// missing or come twice.
    public func all(
        _ query: RecordQuery = RecordQuery(), pageSize: Int = 100
    ) -> AsyncThrowingStream<RecordSummary, any Error> {
        let pages = Pages { (mark: PageMark?) in
            if mark == nil, try await self.page(query, after: nil, max: 1).isBehind { try await catchUp() }
            let page = try await page(query, after: mark, max: pageSize)
            return (page.lines, page.next)
        }
        return AsyncThrowingStream { try await pages.next() }
    }
}

/// How much of a record this phone has.
public enum RecordState: Hashable, Sendable {
    /// It shows everything that is here of it.
    case whole
    /// It shows some of it; ``RecordSheet/standings`` says what not.
    case partial
    /// It shows nothing: what decides about it is not here.
    case unreadable
}

/// Where a page of a list ended. Only good for the query that gave it.
public struct PageMark: Hashable, Sendable {
    let text: String

    /// A mark of a fake's own making.
    public init(_ text: String) {
        self.text = text
    }
}

/// Which records a list shows; what is `nil` does not matter.
public struct RecordQuery: Hashable, Sendable {
    public var scope: ScopeID?
    public var kind: String?
    /// Every word of it occurs in the answers, the last perhaps only begun; case, accents and vowel signs do not matter.
    public var text: String?
    public var state: RecordState?
    public var hasConflict: Bool?
    public var isWithdrawn: Bool?
    /// Changed at or after this time, by the clock of who changed it.
    public var since: Date?

    /// Made of its parts.
    public init(
        scope: ScopeID? = nil,
        kind: String? = nil,
        text: String? = nil,
        state: RecordState? = nil,
        hasConflict: Bool? = nil,
        isWithdrawn: Bool? = nil,
        since: Date? = nil
    ) {
        self.scope = scope
        self.kind = kind
        self.text = text
        self.state = state
        self.hasConflict = hasConflict
        self.isWithdrawn = isWithdrawn
        self.since = since
    }
}

/// A page of a list.
public struct RecordsPage: Hashable, Sendable {
    public let lines: [RecordSummary]
    /// For the next page; `nil` if this is the last.
    public let next: PageMark?
    /// Whether more was saved or received than the list shows yet: ask again, or ``Records/catchUp()``. On a full disk it
    /// stays so.
    public let isBehind: Bool

    /// Made of its parts.
    public init(lines: [RecordSummary], next: PageMark?, isBehind: Bool) {
        self.lines = lines
        self.next = next
        self.isBehind = isBehind
    }
}

/// A record in a list.
public struct RecordSummary: Hashable, Sendable {
    public let id: RecordID
    public let scope: ScopeID
    /// Empty while its form is not on this phone.
    public let kind: String
    /// The first text that is answered.
    public let title: String
    /// Who created it; empty while that is not known.
    public let observer: String
    public let state: RecordState
    /// Whether some question has several answers that nobody chose between.
    public let hasConflict: Bool
    public let isWithdrawn: Bool
    /// How many signed steps of it are here.
    public let entries: Int
    public let photos: Int
    /// When it was changed last, by the clock of who changed it.
    public let updated: Date

    /// Made of its parts.
    public init(
        id: RecordID,
        scope: ScopeID,
        kind: String,
        title: String,
        observer: String,
        state: RecordState,
        hasConflict: Bool,
        isWithdrawn: Bool,
        entries: Int,
        photos: Int,
        updated: Date
    ) {
        self.id = id
        self.scope = scope
        self.kind = kind
        self.title = title
        self.observer = observer
        self.state = state
        self.hasConflict = hasConflict
        self.isWithdrawn = isWithdrawn
        self.entries = entries
        self.photos = photos
        self.updated = updated
    }
}
