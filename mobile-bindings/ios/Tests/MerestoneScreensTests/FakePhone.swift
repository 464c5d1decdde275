import Foundation
import Merestone

@testable import MerestoneScreens

/// A phone in memory, of which a test says what it holds and how it fails. Used on the main actor alone.
final class FakePhone: Phone, @unchecked Sendable {
    var held: [RecordSummary] = []
    var custodies: [RecordID: [Custody]] = [:]
    var alone = HeldAlone(entries: 0, entriesNotAtCamp: 0, photos: 0, photosNotAtCamp: 0)
    var begun: [FakeDraft] = []
    var people = [olenaHere()]
    var meeting = Events<SyncEvent> { AsyncThrowingStream { _ in } }
    var sheet: RecordSheet?
    var resolved: [Answer] = []
    var interviews: [FakeInterview] = []
    var isWiped = false
    var met: SyncTarget?
    var passphrase = "right"
    var accepted: (String) throws -> Observer = { _ in throw MerestoneError.refused(code: "mistyped", reason: "not whole") }
    var reads = 0
    var readers: [AsyncThrowingStream<Change, any Error>.Continuation] = []

    var observers: any Observers { FakeObservers(phone: self) }
    var forms: any Forms { FakeForms() }
    var drafts: any Drafts { FakeDrafts(phone: self) }
    var records: any Records { FakeRecords(phone: self) }
    var photos: any Photos { fatalError("no test speaks of photos") }
    var sync: any Sync { FakeSync(phone: self) }
    var courier: any Courier { fatalError("no test speaks of couriers") }
    var bags: any Bags { fatalError("no test speaks of bags") }
    var isOpen: Bool { !isWiped }

    func mission() async throws -> Mission {
        Mission(id: MissionID(String(repeating: "00", count: 32)), name: "Border", parties: [], scopes: [north])
    }

    func room() async throws -> Room { Room(freeBytes: 1_000_000, photosAbout: 12, isLow: false) }

    func changes() -> Events<Change> {
        Events { AsyncThrowingStream { self.readers.append($0) } }
    }

    func pause(budget: Duration) async throws -> PauseReport { PauseReport(wasBusy: false, isClosed: true, tookMs: 0) }
    func resume() async throws {}
    func wipe() async throws -> [URL] {
        isWiped = true
        return [URL(fileURLWithPath: "/phone/notes.txt")]
    }
    func close() async throws {}
}

struct FakeObservers: Observers {
    let phone: FakePhone

    func all() async throws -> [Observer] { phone.people }
    func request(_ asked: Asked, passphrase: Passphrase) async throws -> Enrolment { enrolment }
    func request(_ asked: Asked, vault: any KeyVault) async throws -> Enrolment { enrolment }
    func requested(_ observer: ObserverKey) async throws -> Enrolment? { enrolment }
    func accept(_ certificate: String) async throws -> Observer { try phone.accepted(certificate) }
    func unlock(_ observer: ObserverKey, passphrase: Passphrase) async throws -> Unlocking {
        phone.passphrase == "right" ? .unlocked : .stillLocked(reason: "the passphrase is wrong")
    }
    func unlock(_ observer: ObserverKey, vault: any KeyVault) async throws -> Unlocking { .unlocked }
    func lock() async throws {}
    func succeed(_ old: ObserverKey, by new: ObserverKey) async throws {}
    func acceptSuccession(_ proposed: Data) async throws {}
}

struct FakeForms: Forms {
    func all() async throws -> [Form] { [form] }
    func add(_ file: URL, beside: [URL]) async throws -> FormHash { form.hash }
}

struct FakeDrafts: Drafts {
    let phone: FakePhone

    func all(of observer: ObserverKey?) async throws -> [Draft] {
        phone.begun.map {
            Draft(
                id: $0.id, observer: olena, scope: north.id, form: form.hash, record: $0.record,
                answers: $0.answers.count, photos: $0.photos.count, isImport: false)
        }
    }
    func damaged() async throws -> [DamagedDraft] { [] }
    func begin(_ observer: ObserverKey, scope: ScopeID, form: FormHash) async throws -> any Interview {
        opened(FakeDraft(DraftID("d1")))
    }
    func beginEdit(_ observer: ObserverKey, record: RecordID) async throws -> any Interview {
        opened(FakeDraft(DraftID("d2"), record: record))
    }
    func goOn(_ draft: DraftID) async throws -> any Interview {
        guard let held = phone.begun.first(where: { $0.id == draft }) else {
            throw MerestoneError.internal(reason: "no such draft")
        }
        return opened(held)
    }
    func discard(_ draft: DraftID) async throws { phone.begun.removeAll { $0.id == draft } }
    func saveNew(
        _ observer: ObserverKey, scope: ScopeID, form: FormHash, answers: [String: Answer], once: SaveID?
    ) async throws -> Saved { saved("e1") }

    private func opened(_ draft: FakeDraft) -> any Interview {
        if !phone.begun.contains(where: { $0.id == draft.id }) { phone.begun.append(draft) }
        let interview = FakeInterview(draft)
        phone.interviews.append(interview)
        return interview
    }
}

struct FakeRecords: Records {
    let phone: FakePhone

    func page(_ query: RecordQuery, after: PageMark?, max: Int) async throws -> RecordsPage {
        phone.reads += 1
        let found = phone.held
            .filter { line in query.text.map { line.title.contains($0) } ?? true }
            .filter { query.hasConflict == nil || $0.hasConflict == query.hasConflict }
            .filter { query.isWithdrawn == nil || $0.isWithdrawn == query.isWithdrawn }
        let from = after.flatMap { mark in (0...found.count).first { PageMark("\($0)") == mark } } ?? 0
        let until = min(from + max, found.count)
        return RecordsPage(
            lines: Array(found[from..<until]), next: until < found.count ? PageMark("\(until)") : nil, isBehind: false)
    }
    func catchUp() async throws {}
    func sheet(_ record: RecordID, language: Int?) async throws -> RecordSheet? { phone.sheet }
    func history(_ record: RecordID, language: Int?) async throws -> [Step] { [] }
    func resolve(
        _ observer: ObserverKey, record: RecordID, key: String, answer: Answer, once: SaveID?
    ) async throws -> Saved {
        phone.resolved.append(answer)
        return saved("e2")
    }
    func withdraw(_ observer: ObserverKey, record: RecordID, once: SaveID?) async throws -> Saved { saved("e2") }
    func say(_ observer: ObserverKey, _ speech: Speech, once: SaveID?) async throws -> Saved { saved("e2") }
    func restate(_ observer: ObserverKey, entry: EntryID, once: SaveID?) async throws -> Saved { saved("e2") }
    func custody(of entry: EntryID) async throws -> Custody? { nil }
    func custody(of record: RecordID) async throws -> [Custody] { phone.custodies[record] ?? [] }
    func heldAlone() async throws -> HeldAlone { phone.alone }
    func writeExhibit(_ entry: EntryID, questions: [String], to file: URL) async throws {}
}

struct FakeSync: Sync {
    let phone: FakePhone

    func meet(_ observer: ObserverKey, _ target: SyncTarget, options: SyncOptions) -> Events<SyncEvent> {
        phone.met = target
        return phone.meeting
    }
    func meetOnce(_ observer: ObserverKey, _ target: SyncTarget, options: SyncOptions) async throws -> SyncReport {
        report()
    }
    func nearby(_ observer: ObserverKey, window: Duration) -> Events<NearbyDevice> {
        Events {
            AsyncThrowingStream { found in
                for key in ["a", "b", "a"] {
                    found.yield(NearbyDevice(transportKey: key, addresses: ["10.0.0.1:1"], speaksOurs: true))
                }
                found.finish()
            }
        }
    }
    func answer(_ observer: ObserverKey, address: String, isAdvertised: Bool) async throws -> any Answering {
        fatalError("nobody waits here")
    }
    func networkChanged(local: String?) async throws {}
}
