import Foundation
internal import MerestoneCrossing

/// An open phone of the generated code.
final class CrossingPhone: Phone {
    private let phone: MerestoneCrossing.Phone
    private let hub: ChangeHub
    private let ends = ListeningEnds()

    private init(_ phone: MerestoneCrossing.Phone, _ hub: ChangeHub) {
        self.phone = phone
        self.hub = hub
    }

    /// A phone whose changes are told from now on.
    static func listening(_ phone: MerestoneCrossing.Phone) async throws -> any Phone {
        let hub = ChangeHub()
        try await phone.setChangeListener(listener: hub)
        return CrossingPhone(phone, hub)
    }

    var observers: any Observers { CrossingObservers(phone: phone) }
    var forms: any Forms { CrossingForms(phone: phone) }
    var drafts: any Drafts { CrossingDrafts(phone: phone) }
    var records: any Records { CrossingRecords(phone: phone) }
    var photos: any Photos { CrossingPhotos(phone: phone) }
    var sync: any Sync { CrossingSync(phone: phone, ends: ends) }
    var courier: any Courier { CrossingCourier(phone: phone) }
    var bags: any Bags { CrossingBags(phone: phone) }

    var isOpen: Bool { phone.isOpen() }

    func mission() async throws -> Mission {
        try await crossing { try await Mission(phone.mission()) }
    }

    func room() async throws -> Room {
        try await crossing { try await Room(phone.room()) }
    }

    func changes() -> Events<Change> {
        hub.changes { [phone] in phone.isOpen() }
    }

    func pause(budget: Duration) async throws -> PauseReport {
        // Also where it was not done to its end: meetings end first.
        defer { ends.add() }
        return try await crossing {
            let report = try await phone.suspend(budgetMs: budget.ms)
            return PauseReport(wasBusy: report.wasBusy, isClosed: report.isClosed, tookMs: Int(report.tookMs))
        }
    }

    func resume() async throws {
        try await crossing { try await phone.resume() }
    }

    func wipe() async throws -> [URL] {
        let left = try await crossing { try await phone.wipe().map(URL.init(fileURLWithPath:)) }
        hub.finish()
        return left
    }

    func close() async throws {
        do {
            try await crossing { try await phone.shut() }
        } catch MerestoneError.closed {
            // It was closed before.
        }
        hub.finish()
    }
}

extension Mission {
    init(_ line: MerestoneCrossing.MissionLine) {
        self.init(
            id: MissionID(line.id), name: line.name,
            parties: line.parties.map { Party(number: $0.number, name: $0.name, key: $0.key) },
            scopes: line.scopes.map { Scope(id: ScopeID($0.id), name: $0.name) }
        )
    }
}

extension Room {
    init(_ line: MerestoneCrossing.RoomLine) {
        self.init(freeBytes: line.freeBytes, photosAbout: line.photosAbout, isLow: line.lowRoom)
    }
}

extension Change {
    init(_ change: MerestoneCrossing.Change) {
        self.init(
            records: Set(change.records.map(RecordID.init)), isEverything: change.isEverything,
            hasStatements: change.hasStatements
        )
    }
}
