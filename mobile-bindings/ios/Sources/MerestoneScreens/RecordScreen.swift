import Foundation
import Merestone

/// One record.
public struct RecordScreenState: ScreenState, Hashable {
    /// The record; nothing while it is being read, or when it is not here.
    public var sheet: RecordSheet?
    /// Whether it was looked for and nothing of it is here.
    public var isAbsent = false
    /// Each step that was signed, oldest first; nothing until it is asked for.
    public var history: [Step]?
    /// Where each entry of it is held.
    public var custody: [Custody] = []
    /// What the observer may say of it, by the role in the certificate.
    public var speeches: [SpeechKind] = []
    /// What was done last, in words.
    public var done: Message?
    public var isBusy = false
    public var trouble: Trouble?

    /// Where the record is, in words.
    public var whereabouts: Message? { custody.message }

    /// The answers to show, in the sheet's order: photos and their captions are shown as photos, unless in conflict.
    public var answers: [SheetAnswer] {
        sheet?.answers.filter { $0.isConflict || !$0.key.hasPrefix("photos/") } ?? []
    }

    /// How many questions have several answers.
    public var conflicts: Int { sheet?.conflicts.count ?? 0 }
}

/// Shows a record with who signed each value, and lets the observer settle conflicts, withdraw it, or say something of it.
public final class RecordScreen: ScreenModel<RecordScreenState> {
    private let phone: any Phone
    private let observer: ObserverKey
    private let record: RecordID

    /// The screen of this record, for this observer.
    public init(_ phone: any Phone, observer: ObserverKey, record: RecordID) {
        self.phone = phone
        self.observer = observer
        self.record = record
        super.init(RecordScreenState())
    }

    /// Reads the record. To be called first.
    @discardableResult
    public func open() -> Intent {
        intent {
            let role = try await self.phone.observers.all().first { $0.key == self.observer }?.role
            self.show { $0.speeches = speeches(of: role) }
            try await self.read()
        }
    }

    /// Reads it again when something of it changed, until the screen is left.
    @discardableResult
    public func follow() -> Intent {
        listening {
            for try await change in self.phone.changes() {
                guard change.isEverything || change.hasStatements || change.records.contains(self.record) else { continue }
                await self.intent { try await self.read() }.value
            }
        }
    }

    /// Shows or hides the history.
    @discardableResult
    public func toggleHistory() -> Intent {
        intent {
            let history = self.state.history == nil ? try await self.phone.records.history(self.record) : nil
            self.show { $0.history = history }
        }
    }

    /// Settles a conflict by one of the values that stand: the one that `entry` put. The others stay in the history.
    @discardableResult
    public func resolve(_ key: String, by entry: EntryID) -> Intent {
        saving("record.resolved") {
            let values = self.state.sheet?.answers.first { $0.key == key }?.values ?? []
            guard let chosen = values.first(where: { $0.entry == entry }) else { return false }
            _ = try await self.phone.records.resolve(self.observer, record: self.record, key: key, answer: chosen.answer)
            return true
        }
    }

    /// Says that the record should not count. Nothing is removed.
    @discardableResult
    public func withdraw() -> Intent {
        saving("record.withdrawn") {
            _ = try await self.phone.records.withdraw(self.observer, record: self.record)
            return true
        }
    }

    /// Signs what the observer thinks of the record as it is shown; a later edit voids it visibly.
    @discardableResult
    public func say(_ kind: SpeechKind, _ text: String = "") -> Intent {
        saving("record.said") {
            guard let heads = self.state.sheet?.heads else { return false }
            let words = text.trimmed
            let speech = Speech(record: self.record, kind: kind, about: heads, text: words.isEmpty ? nil : words)
            _ = try await self.phone.records.say(self.observer, speech)
            return true
        }
    }

    /// Writes the bytes of a photo into a new file.
    @discardableResult
    public func savePhoto(_ photo: PhotoHash, to file: URL) -> Intent {
        intent {
            try await self.phone.photos.save(photo, to: file)
            self.show { $0.done = Message("record.photo-saved", ["path": file.path]) }
        }
    }

    private func saving(_ done: String, _ work: @escaping @MainActor () async throws -> Bool) -> Intent {
        lasting {
            self.show { $0.done = nil }
            guard try await work() else { return }
            try await self.read()
            self.show { $0.done = Message(done) }
        }
    }

    private func read() async throws {
        let sheet = try await phone.records.sheet(record)
        let custody = sheet == nil ? [] : try await phone.records.custody(of: record)
        let history = state.history == nil ? nil : try await phone.records.history(record)
        show {
            $0.sheet = sheet
            $0.isAbsent = sheet == nil
            $0.custody = custody
            $0.history = history
        }
    }
}

/// What to offer to a role, what is said most first; whether it may is judged by the library when it is signed.
private func speeches(of role: String?) -> [SpeechKind] {
    let spoken: [SpeechKind] = [.concurrence, .objection, .dissent, .hostComment, .receipt]
    switch role {
    case "observer": return spoken + [.coAuthorship]
    case "reviewer": return spoken
    case "arbiter": return spoken + [.ruling]
    default: return []
    }
}
