import Merestone

/// The list of records.
public struct RecordListState: ScreenState {
    /// Everything that is not withdrawn.
    public static let open = RecordQuery(isWithdrawn: false)

    /// Most conflicts that are counted.
    public static let conflictsMax = 100

    /// The records that were read so far, newest change first.
    public var lines: [RecordSummary] = []
    /// Whether there are more: ``RecordListScreen/more()``.
    public var hasMore = false
    /// What the list is filtered and searched by.
    public var query = RecordListState.open
    /// The record that the person is at; it stays so while others come and go above it.
    public var place: RecordID?
    /// How many records have a conflict, up to ``conflictsMax``.
    public var conflicts = 0
    /// Whether there are more conflicts than are counted.
    public var hasMoreConflicts = false
    /// Whether so much was received that the list does not show all of it yet.
    public var isBehind = false
    /// Whether the list was read at least once: empty then means that there is nothing.
    public var isRead = false
    /// What can be filtered by.
    public var forms: [Form] = []
    public var scopes: [Scope] = []
    public var isBusy = false
    public var trouble: Trouble?

    /// Whether something is searched or filtered, so that an empty list says little.
    public var isFiltered: Bool { query != Self.open }

    /// What the badge says; nothing without a conflict.
    public var badge: Message? {
        if conflicts == 0 { return nil }
        return .counting(hasMoreConflicts ? "list.conflicts-more" : "list.conflicts", conflicts)
    }

    /// The index of the person's place; the first line while there is none.
    public var at: Int { lines.firstIndex { $0.id == place } ?? 0 }
}

/// The records of this phone: paged, searched, filtered, live.
///
/// While ``follow()`` runs, what is saved or received shows by itself, and the person's place stays.
public final class RecordListScreen: ScreenModel<RecordListState> {
    /// Most lines that the library gives at once.
    private static let linesMax = 1_000

    private let phone: any Phone
    private let pageLines: Int
    private var mark: PageMark?

    /// - Parameter pageLines: how many lines are read at once
    public init(_ phone: any Phone, pageLines: Int = 50) {
        self.phone = phone
        self.pageLines = pageLines
        super.init(RecordListState())
    }

    /// Reads the first page. To be called first.
    @discardableResult
    public func open() -> Intent {
        intent {
            let forms = try await self.phone.forms.all()
            let scopes = try await self.phone.mission().scopes
            self.show {
                $0.forms = forms
                $0.scopes = scopes
            }
            try await self.read(self.pageLines)
        }
    }

    /// Reads again what changed, until the screen is left.
    @discardableResult
    public func follow() -> Intent {
        listening {
            for try await change in self.phone.changes() { await self.changed(change) }
        }
    }

    /// Reads one more page.
    @discardableResult
    public func more() -> Intent {
        intent { try await self.readMore() }
    }

    /// Searches for words; nothing shows all again.
    @discardableResult
    public func search(_ text: String) -> Intent {
        let words = text.trimmed
        return filter { $0.text = words.isEmpty ? nil : words }
    }

    /// Changes the filter.
    @discardableResult
    public func filter(_ change: @escaping @MainActor (inout RecordQuery) -> Void) -> Intent {
        intent {
            self.show {
                change(&$0.query)
                $0.place = nil
            }
            try await self.read(self.pageLines)
        }
    }

    /// Shows everything again.
    @discardableResult
    public func clear() -> Intent {
        filter { $0 = RecordListState.open }
    }

    /// The person is at this record.
    public func point(_ record: RecordID) {
        show { $0.place = record }
    }

    /// Moves the person's place by so many lines, and reads more at the end.
    @discardableResult
    public func move(_ by: Int) -> Intent {
        intent {
            if self.state.lines.isEmpty { return }
            let at = max(self.state.at + by, 0)
            while at >= self.state.lines.count, self.mark != nil { try await self.readMore() }
            self.show { $0.place = $0.lines[min(at, $0.lines.count - 1)].id }
        }
    }

    private func changed(_ change: Change) async {
        if change.records.isEmpty, !change.isEverything, !change.hasStatements { return }
        await intent { try await self.read(max(self.state.lines.count, self.pageLines)) }.value
    }

    /// Reads as many lines as were shown, so that nobody's place is lost.
    private func read(_ lines: Int) async throws {
        if try await phone.records.page(state.query, after: nil, max: 1).isBehind {
            try await phone.records.catchUp()
        }
        var fresh: [RecordSummary] = []
        var isBehind = false
        mark = nil
        repeat {
            let wanted = min(max(lines - fresh.count, 1), Self.linesMax)
            let page = try await phone.records.page(state.query, after: mark, max: wanted)
            fresh += page.lines
            isBehind = page.isBehind
            mark = page.next
        } while mark != nil && fresh.count < lines
        let conflicts = try await conflicts()
        show {
            $0.place = $0.place(in: fresh)
            $0.lines = fresh.withoutRepeats
            $0.hasMore = mark != nil
            $0.conflicts = conflicts.lines.count
            $0.hasMoreConflicts = conflicts.next != nil
            $0.isBehind = isBehind
            $0.isRead = true
        }
    }

    private func readMore() async throws {
        guard let after = mark else { return }
        let page = try await phone.records.page(state.query, after: after, max: pageLines)
        mark = page.next
        show {
            $0.lines = ($0.lines + page.lines).withoutRepeats
            $0.hasMore = page.next != nil
        }
    }

    private func conflicts() async throws -> RecordsPage {
        var query = RecordListState.open
        query.hasConflict = true
        return try await phone.records.page(query, after: nil, max: RecordListState.conflictsMax)
    }
}

extension RecordListState {
    /// Where the person is in new lines: at the same record, or at what stands where it stood.
    fileprivate func place(in fresh: [RecordSummary]) -> RecordID? {
        guard let place, !fresh.isEmpty else { return nil }
        if fresh.contains(where: { $0.id == place }) { return place }
        return fresh[min(at, fresh.count - 1)].id
    }
}

extension [RecordSummary] {
    fileprivate var withoutRepeats: [RecordSummary] {
        var seen = Set<RecordID>()
        return filter { seen.insert($0.id).inserted }
    }
}
