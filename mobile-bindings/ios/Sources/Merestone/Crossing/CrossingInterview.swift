internal import MerestoneCrossing

final class CrossingInterview: Interview {
    private let interview: MerestoneCrossing.Interview

    init(_ interview: MerestoneCrossing.Interview) {
        self.interview = interview
    }

    func info() async throws -> InterviewInfo {
        try await crossing { try await InterviewInfo(interview.info()) }
    }

    func screens(from: Int, max: Int) async throws -> [Screen] {
        try await crossing {
            try await interview.screens(from: UInt32(of: from), linesMax: UInt32(of: max)).map(Screen.init)
        }
    }

    func find(_ nameOrKey: String) async throws -> Int? {
        try await crossing { try await interview.find(to: nameOrKey).map(Int.init) }
    }

    func speak(_ language: Int?) async throws {
        try await crossing { try await interview.setLanguage(language: language.map(UInt32.init(of:))) }
    }

    func answer(_ key: String, _ answer: Answer) async throws -> Answered {
        try await crossing { try await Answered(interview.answer(key: key, answer: .init(answer))) }
    }

    func answerTyped(_ key: String, _ typed: String) async throws -> Answered {
        try await crossing { try await Answered(interview.answerTyped(key: key, typed: typed)) }
    }

    func attach(_ photo: PhotoFile) async throws -> Attached {
        try await crossing { try await Attached(interview.attach(photo: .init(photo))) }
    }

    func detach(_ row: String) async throws {
        try await crossing { try await interview.detach(row: row) }
    }

    func addRow(_ repeated: String, within: String?) async throws -> String {
        try await crossing { try await interview.addRow(repeat: repeated, within: within) }
    }

    func withdrawRow(_ key: String) async throws {
        try await crossing { try await interview.withdrawRow(key: key) }
    }

    func problems() async throws -> [Problem] {
        try await crossing { try await interview.problems().map(Problem.init) }
    }

    func save() async throws -> Saved {
        try await crossing { try await Saved(interview.save()) }
    }

    func leave() async throws {
        try await crossing { try await interview.leave() }
    }
}

extension InterviewInfo {
    init(_ line: MerestoneCrossing.InterviewLine) {
        self.init(
            draft: DraftID(line.draft), observer: ObserverKey(line.observer), scope: ScopeID(line.scope),
            form: Form(line.form), record: line.record.map(RecordID.init), screens: Int(line.screens),
            firstOpen: Int(line.firstOpen), language: line.language.map(Int.init)
        )
    }
}

extension Answered {
    init(_ answered: MerestoneCrossing.Answered) {
        self.init(screens: Int(answered.screens), screen: answered.screen.map(Screen.init))
    }
}

extension Screen {
    init(_ line: MerestoneCrossing.ScreenLine) {
        self.init(
            index: Int(line.index), kind: ScreenKind(line.kind), key: line.key, within: line.within, name: line.name,
            questionType: line.questionType, label: line.label, hint: line.hint, guidance: line.guidance,
            answer: line.value.map(Answer.init), shown: line.shown,
            choices: line.choices.map { Choice(name: $0.name, label: $0.label) },
            isRequired: line.isRequired, isReadOnly: line.isReadOnly, isPhoto: line.isPhoto,
            appearance: line.appearance, rowNumber: line.rowNumber.map(Int.init), problem: line.problem.map(Problem.init)
        )
    }
}

extension ScreenKind {
    init(_ kind: MerestoneCrossing.ScreenKind) {
        self =
            switch kind {
            case .question: .question
            case .note: .note
            case .group: .group
            case .row: .row
            case .addRow: .addRow
            }
    }
}

extension Problem {
    init(_ line: MerestoneCrossing.ProblemLine) {
        self.init(key: line.key, code: line.code, message: line.message)
    }
}

extension MerestoneCrossing.PhotoFile {
    init(_ photo: PhotoFile) {
        self.init(
            path: photo.file.path, previewPath: photo.preview?.path, caption: photo.caption, key: photo.question,
            isAppCaptured: photo.isAppCaptured
        )
    }
}

extension Attached {
    init(_ line: MerestoneCrossing.AttachedLine) {
        self.init(
            row: line.row, photo: PhotoHash(line.photo), width: line.width.map(Int.init),
            height: line.height.map(Int.init), taken: line.taken, place: line.place.map(PhotoPlace.init),
            warnings: line.warnings
        )
    }
}

extension PhotoPlace {
    init(_ line: MerestoneCrossing.PhotoPlaceLine) {
        self.init(latitudeE7: line.latE7, longitudeE7: line.lonE7)
    }
}
