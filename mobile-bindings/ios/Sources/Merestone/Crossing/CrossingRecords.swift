import Foundation
internal import MerestoneCrossing

struct CrossingRecords: Records {
    let phone: MerestoneCrossing.Phone

    func page(_ query: RecordQuery, after: PageMark?, max: Int) async throws -> RecordsPage {
        try await crossing {
            let page = try await phone.records(query: .init(query), after: after?.text, linesMax: UInt32(of: max))
            return RecordsPage(
                lines: page.lines.map(RecordSummary.init), next: page.next.map(PageMark.init), isBehind: page.isBehind)
        }
    }

    func catchUp() async throws {
        try await crossing { try await phone.catchUp() }
    }

    func sheet(_ record: RecordID, language: Int?) async throws -> RecordSheet? {
        try await crossing {
            try await phone.record(id: record.hex, language: language.map(UInt32.init(of:))).map(RecordSheet.init)
        }
    }

    func history(_ record: RecordID, language: Int?) async throws -> [Step] {
        try await crossing {
            let language = language.map(UInt32.init(of:))
            return try await whole {
                try await phone.history(id: record.hex, language: language, from: $0, linesMax: linesAtOnce)
            }.map(Step.init)
        }
    }

    func resolve(
        _ observer: ObserverKey, record: RecordID, key: String, answer: Answer, once: SaveID?
    ) async throws -> Saved {
        try await crossing {
            try await Saved(
                phone.resolve(
                    observer: observer.hex, record: record.hex, key: key, answer: .init(answer), id: once?.hex))
        }
    }

    func withdraw(_ observer: ObserverKey, record: RecordID, once: SaveID?) async throws -> Saved {
        try await crossing {
            try await Saved(phone.withdraw(observer: observer.hex, record: record.hex, id: once?.hex))
        }
    }

    func say(_ observer: ObserverKey, _ speech: Speech, once: SaveID?) async throws -> Saved {
        try await crossing {
            try await Saved(phone.say(observer: observer.hex, speech: .init(speech), id: once?.hex))
        }
    }

    func restate(_ observer: ObserverKey, entry: EntryID, once: SaveID?) async throws -> Saved {
        try await crossing {
            try await Saved(phone.restate(observer: observer.hex, entry: entry.hex, id: once?.hex))
        }
    }

    func custody(of entry: EntryID) async throws -> Custody? {
        try await crossing { try await phone.custody(entry: entry.hex).map(Custody.init) }
    }

    func custody(of record: RecordID) async throws -> [Custody] {
        try await crossing {
            try await whole { try await phone.custodyOf(record: record.hex, from: $0, linesMax: linesAtOnce) }
                .map(Custody.init)
        }
    }

    func heldAlone() async throws -> HeldAlone {
        try await crossing { try await HeldAlone(phone.heldAlone()) }
    }

    func writeExhibit(_ entry: EntryID, questions: [String], to file: URL) async throws {
        try await crossing { try await phone.writeExhibit(entry: entry.hex, labels: questions, path: file.path) }
    }
}

struct CrossingPhotos: Photos {
    let phone: MerestoneCrossing.Phone

    func picture(_ photo: PhotoHash) async throws -> Data? {
        try await crossing { try await phone.picture(hash: photo.hex) }
    }

    func save(_ photo: PhotoHash, to file: URL) async throws {
        try await crossing { try await phone.savePhoto(hash: photo.hex, path: file.path) }
    }

    func redact(
        _ observer: ObserverKey, record: RecordID, photo: PhotoHash, boxes: [PixelBox], once: SaveID?
    ) async throws -> Saved {
        try await crossing {
            let boxes = boxes.map {
                MerestoneCrossing.PixelBoxLine(
                    x: UInt32(of: $0.x), y: UInt32(of: $0.y), width: UInt32(of: $0.width), height: UInt32(of: $0.height))
            }
            return try await Saved(
                phone.redact(
                    observer: observer.hex, record: record.hex, photo: photo.hex, boxes: boxes, id: once?.hex))
        }
    }
}

extension MerestoneCrossing.RecordQuery {
    init(_ query: RecordQuery) {
        self.init(
            scope: query.scope?.hex, kind: query.kind, text: query.text, state: query.state.map { .init($0) },
            hasConflict: query.hasConflict, isWithdrawn: query.isWithdrawn, sinceMs: query.since?.ms
        )
    }
}

extension MerestoneCrossing.RecordStateKind {
    init(_ state: RecordState) {
        self =
            switch state {
            case .whole: .whole
            case .partial: .partial
            case .unreadable: .unreadable
            }
    }
}

extension RecordState {
    init(_ kind: MerestoneCrossing.RecordStateKind) {
        self =
            switch kind {
            case .whole: .whole
            case .partial: .partial
            case .unreadable: .unreadable
            }
    }
}

extension RecordSummary {
    init(_ line: MerestoneCrossing.RecordLine) {
        self.init(
            id: RecordID(line.id), scope: ScopeID(line.scope), kind: line.kind, title: line.title,
            observer: line.observer, state: RecordState(line.state), hasConflict: line.hasConflict,
            isWithdrawn: line.isWithdrawn, entries: Int(line.entries), photos: Int(line.photos),
            updated: Date(ms: line.updatedMs)
        )
    }
}

extension HeldAlone {
    init(_ line: MerestoneCrossing.HeldAloneLine) {
        self.init(
            entries: Int(clamping: line.entries), entriesNotAtCamp: Int(clamping: line.entriesNotAtCamp),
            photos: Int(clamping: line.photos), photosNotAtCamp: Int(clamping: line.photosNotAtCamp)
        )
    }
}

extension Custody {
    init(_ line: MerestoneCrossing.CustodyLine) {
        self.init(
            entry: EntryID(line.entry), peers: Int(line.peers), isAtBaseCamp: line.isAtBaseCamp,
            photos: Int(line.photos), photosElsewhere: Int(line.photosElsewhere),
            photosAtBaseCamp: Int(line.photosAtBaseCamp), isOnlyHere: line.isOnlyHere, isHandedOver: line.isHandedOver
        )
    }
}
