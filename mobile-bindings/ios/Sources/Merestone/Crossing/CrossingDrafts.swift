import Foundation
internal import MerestoneCrossing

struct CrossingForms: Forms {
    let phone: MerestoneCrossing.Phone

    func all() async throws -> [Form] {
        try await crossing { try await phone.forms().map(Form.init) }
    }

    func add(_ file: URL, beside: [URL]) async throws -> FormHash {
        try await crossing { try await FormHash(phone.addForm(path: file.path, beside: beside.map(\.path))) }
    }
}

struct CrossingDrafts: Drafts {
    let phone: MerestoneCrossing.Phone

    func all(of observer: ObserverKey?) async throws -> [Draft] {
        try await crossing {
            try await whole { try await phone.drafts(observer: observer?.hex, from: $0, linesMax: linesAtOnce) }
                .map(Draft.init)
        }
    }

    func damaged() async throws -> [DamagedDraft] {
        try await crossing {
            try await phone.damagedDrafts().map { DamagedDraft(id: DraftID($0.id), bytes: $0.bytes) }
        }
    }

    func begin(_ observer: ObserverKey, scope: ScopeID, form: FormHash) async throws -> any Interview {
        try await crossing {
            try await CrossingInterview(phone.begin(observer: observer.hex, scope: scope.hex, form: form.hex))
        }
    }

    func beginEdit(_ observer: ObserverKey, record: RecordID) async throws -> any Interview {
        try await crossing {
            try await CrossingInterview(phone.beginEdit(observer: observer.hex, record: record.hex))
        }
    }

    func goOn(_ draft: DraftID) async throws -> any Interview {
        try await crossing { try await CrossingInterview(phone.goOn(draft: draft.hex)) }
    }

    func discard(_ draft: DraftID) async throws {
        try await crossing { try await phone.discard(draft: draft.hex) }
    }

    func saveNew(
        _ observer: ObserverKey, scope: ScopeID, form: FormHash, answers: [String: Answer], once: SaveID?
    ) async throws -> Saved {
        try await crossing {
            try await Saved(
                phone.saveNew(
                    observer: observer.hex, scope: scope.hex, form: form.hex,
                    answers: answers.mapValues(MerestoneCrossing.AnswerValue.init), id: once?.hex))
        }
    }
}

extension Form {
    init(_ line: MerestoneCrossing.FormLine) {
        self.init(
            hash: FormHash(line.hash), kind: line.kind, title: line.title, version: line.version,
            canBeAsked: line.canBeAsked,
            languages: line.languages.map {
                FormLanguage(name: $0.name, code: $0.code, isRightToLeft: $0.isRightToLeft)
            },
            defaultLanguage: line.defaultLanguage.map(Int.init)
        )
    }
}

extension Draft {
    init(_ line: MerestoneCrossing.DraftLine) {
        self.init(
            id: DraftID(line.id), observer: ObserverKey(line.observer), scope: ScopeID(line.scope),
            form: FormHash(line.form), record: line.record.map(RecordID.init), answers: Int(line.answers),
            photos: Int(line.photos), isImport: line.isImport
        )
    }
}

extension Saved {
    init(_ line: MerestoneCrossing.SavedLine) {
        self.init(entry: EntryID(line.entry), record: RecordID(line.record), isRoomLow: line.lowRoom)
    }
}

extension Answer {
    init(_ value: MerestoneCrossing.AnswerValue) {
        self =
            switch value {
            case .blank: .blank
            case .yesNo(let yes): .yesNo(yes)
            case .number(let number): .number(number)
            case .text(let text): .text(text)
            }
    }
}

extension MerestoneCrossing.AnswerValue {
    init(_ answer: Answer) {
        self =
            switch answer {
            case .blank: .blank
            case .yesNo(let yes): .yesNo(yes: yes)
            case .number(let number): .number(number: number)
            case .text(let text): .text(text: text)
            }
    }
}
