import Merestone

/// Makes ``Page``s of an interview's screens, a few at a time: a form may have ten thousand rows.
struct Walk: Sendable {
    /// Screens asked for at once: two or three phone screens of a list.
    private static let window = 40
    /// Most lines that are shown above a question.
    private static let aboveMax = 12
    /// Most screens of an overview.
    private static let overviewMax = 2_000

    let interview: any Interview

    /// The page at the first stop from `from` on: a question to answer, the offer of a row, or the end.
    func from(_ from: Int) async throws -> Page {
        var at = min(max(from, 0), try await interview.info().screens)
        while true {
            let lines = try await interview.screens(from: at, max: Self.window)
            if let stop = lines.firstIndex(where: \.isStop) {
                return try await page(lines[stop], above(at + stop))
            }
            if lines.isEmpty { return try await end(at) }
            at += lines.count
        }
    }

    /// The page at the stop before `at`; the first one where there is none.
    func before(_ at: Int) async throws -> Page {
        try await from(last(before: at, where: \.isStop) ?? 0)
    }

    /// Where the row begins that the question at `at` stands in.
    func row(of at: Int) async throws -> Int {
        try await last(before: at) { $0.kind == .row } ?? at
    }

    /// The page of the question of `key`; nothing when it is not asked now.
    func at(_ key: String) async throws -> Page? {
        guard let index = try await interview.find(key) else { return nil }
        return try await from(index)
    }

    /// The end of the form: what is still wrong.
    func end() async throws -> Page {
        try await from(.max)
    }

    private func end(_ at: Int) async throws -> Page {
        var problems: [FillProblem] = []
        for problem in try await interview.problems() {
            let label = try await labelOf(problem.key)
            problems.append(FillProblem(key: problem.key, label: label, message: problemMessage(problem)))
        }
        return .end(EndPage(spot: PageSpot(at: at, of: at, above: []), problems: problems))
    }

    /// Every question in order, up to a most of screens.
    func overview() async throws -> [OverviewLine] {
        var all: [OverviewLine] = []
        var at = 0
        while at < Self.overviewMax {
            let lines = try await interview.screens(from: at, max: Self.window)
            if lines.isEmpty { break }
            all += lines.compactMap(\.overview)
            at += lines.count
        }
        return all
    }

    private func last(before at: Int, where isIt: (Screen) -> Bool) async throws -> Int? {
        var until = at
        while until > 0 {
            let begin = max(until - Self.window, 0)
            let lines = try await interview.screens(from: begin, max: until - begin)
            if let found = lines.lastIndex(where: isIt) { return begin + found }
            until = begin
        }
        return nil
    }

    private func above(_ at: Int) async throws -> [Heading] {
        let begin = max(at - Self.aboveMax, 0)
        if begin == at { return [] }
        let lines = try await interview.screens(from: begin, max: at - begin)
        let afterStop = lines.lastIndex(where: \.isStop).map { $0 + 1 } ?? 0
        return lines[afterStop...].compactMap(\.heading)
    }

    private func page(_ line: Screen, _ above: [Heading]) async throws -> Page {
        let spot = PageSpot(at: line.index, of: try await interview.info().screens, above: above)
        if line.kind == .addRow {
            return .row(RowPage(spot: spot, repeated: line.key, within: line.within, label: line.label))
        }
        return .question(QuestionPage(spot: spot, question: line.question, problem: line.problem.map(problemMessage)))
    }

    private func labelOf(_ key: String) async throws -> String {
        guard !key.isEmpty, let at = try await interview.find(key) else { return key }
        return try await interview.screens(from: at, max: 1).first?.label ?? key
    }
}

extension Screen {
    fileprivate var isStop: Bool { kind == .addRow || (kind == .question && !isReadOnly) }

    fileprivate var heading: Heading? {
        switch kind {
        case .group: label.isEmpty ? nil : Heading(kind: .group, text: label)
        case .row: Heading(kind: .row, text: label, row: rowNumber)
        case .note: Heading(kind: .note, text: label)
        case .question: Heading(kind: .value, text: label, value: shown)
        case .addRow: nil
        }
    }

    fileprivate var overview: OverviewLine? {
        switch kind {
        case .question:
            return OverviewLine(
                key: key, label: label, shown: shown, isAnswered: answer != nil, hasProblem: problem != nil,
                isHeading: isReadOnly)
        case .group, .row:
            if label.isEmpty { return nil }
            let title = [label, rowNumber.map(String.init)].compactMap(\.self).joined(separator: " ")
            return OverviewLine(
                key: key, label: title, shown: "", isAnswered: true, hasProblem: false, isHeading: true)
        case .note, .addRow:
            return nil
        }
    }

    fileprivate var question: Question {
        let typed = answer?.typed ?? ""
        let input = Input(type: questionType, appearance: appearance)
        let chosen = input == .oneOf ? [typed] : Set(typed.split(separator: " ").map(String.init))
        return Question(
            key: key, name: name, label: label, hint: hint, guidance: guidance, input: input, shown: shown, typed: typed,
            isAnswered: answer != nil, isRequired: isRequired,
            choices: choices.map {
                Pick(name: $0.name, label: $0.label, isChosen: chosen.contains($0.name))
            },
            appearance: appearance, isInRow: key.count { $0 == "/" } == 2
        )
    }
}

extension Answer {
    /// What a person would type to give this answer.
    var typed: String {
        switch self {
        case .blank: ""
        case .yesNo(let yes): String(yes)
        case .number(let number): String(number)
        case .text(let text): text
        }
    }
}

extension Input {
    /// How a question of this type of XLSForm's is answered; what is not known here is a text.
    init(type: String, appearance: String) {
        self =
            switch type {
            case "integer": .wholeNumber
            case "decimal", "range": .number
            case "date": .day
            case "time": .time
            case "dateTime": .moment
            case "select_one": .oneOf
            case "select_multiple": .anyOf
            case "rank": .order
            case "geopoint": .place
            case "geotrace", "geoshape": .places
            case "image": .photo
            case "audio", "video", "file": .otherFile
            case "acknowledge", "trigger": .acknowledge
            case "barcode": .code
            default: appearance.split(separator: " ").contains("multiline") ? .lines : .text
            }
    }
}
