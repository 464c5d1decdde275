import Foundation
import Merestone

@testable import MerestoneScreens

/// What is durable of a draft: it outlives the interviews that show it.
final class FakeDraft: @unchecked Sendable {
    let id: DraftID
    let record: RecordID?
    var answers: [String: Answer] = [:]
    var rows: [String] = []
    var photos: [PhotoFile] = []

    init(_ id: DraftID, record: RecordID? = nil) {
        self.id = id
        self.record = record
    }
}

/// A small form: a group, a required text, a number that opens a second text, a choice, a photo, and a repeat with one
/// question. The number is refused unless it is made of digits, and wrong below zero.
final class FakeInterview: Interview, @unchecked Sendable {
    let draft: FakeDraft
    /// What an answer waits for; nothing unless a test puts something here.
    var disk: Task<Void, Never>?
    var failure: MerestoneError?
    var left = 0
    private var language: Int?

    init(_ draft: FakeDraft) {
        self.draft = draft
    }

    func info() async throws -> InterviewInfo {
        let open = all.firstIndex { $0.kind == .question && $0.answer == nil && !$0.isReadOnly }
        return InterviewInfo(
            draft: draft.id, observer: olena, scope: north.id, form: form, record: draft.record, screens: all.count,
            firstOpen: open ?? 0, language: language)
    }

    func screens(from: Int, max: Int) async throws -> [Screen] { Array(all.dropFirst(from).prefix(max)) }

    func find(_ nameOrKey: String) async throws -> Int? {
        all.firstIndex { $0.key == nameOrKey || $0.name == nameOrKey }
    }

    func speak(_ language: Int?) async throws { self.language = language }

    func answer(_ key: String, _ answer: Answer) async throws -> Answered {
        await disk?.value
        if let failure { throw failure }
        draft.answers[key] = answer
        return Answered(screens: all.count, screen: all.first { $0.key == key })
    }

    func answerTyped(_ key: String, _ typed: String) async throws -> Answered {
        if typed.isEmpty { return try await answer(key, .blank) }
        if key != "queue" { return try await answer(key, .text(typed)) }
        guard let number = Int64(typed) else {
            throw MerestoneError.refused(code: "answer", reason: "write a whole number, in digits")
        }
        return try await answer(key, .number(number))
    }

    func attach(_ photo: PhotoFile) async throws -> Attached {
        guard let bytes = try? Data(contentsOf: photo.file) else {
            throw MerestoneError.notThere(reason: "cannot read it")
        }
        if bytes.isEmpty { throw MerestoneError.refused(code: "photo", reason: "no picture") }
        draft.photos.append(photo)
        let hash = String(repeating: "5a", count: 32)
        if let question = photo.question { draft.answers[question] = .text(hash) }
        return Attached(
            row: "row", photo: PhotoHash(hash), width: 4, height: 3, taken: nil, place: nil,
            warnings: photo.isAppCaptured ? [] : ["location-may-be-removed"])
    }

    func detach(_ row: String) async throws { draft.photos = [] }

    func addRow(_ repeated: String, within: String?) async throws -> String {
        let row = "vehicles/\(draft.rows.count)"
        draft.rows.append(row)
        return row
    }

    func withdrawRow(_ key: String) async throws {
        draft.rows.removeAll { key.hasPrefix($0 + "/") }
    }

    func problems() async throws -> [Problem] { all.compactMap(\.problem) }

    func save() async throws -> Saved {
        if let failure { throw failure }
        return saved("e1")
    }

    func leave() async throws { left += 1 }

    private var all: [Screen] {
        var lines = [
            line(.group, "where", "Place and day"),
            line(.question, "post", language == 1 ? "المركز" : "Post", isRequired: true),
            line(.question, "queue", "Vehicles waiting", type: "integer"),
        ]
        if case .number(let queue) = draft.answers["queue"], queue > 0 {
            lines.append(line(.question, "why", "Why they wait"))
        }
        lines += [
            line(.question, "total", "Total", isReadOnly: true),
            line(.question, "lanes", "Open for", type: "select_multiple"),
            line(.question, "photo", "Photo", type: "image"),
        ]
        for (at, row) in draft.rows.enumerated() {
            lines += [line(.row, row, "Vehicle", row: at + 1), line(.question, "\(row)/plate", "Plate")]
        }
        lines.append(line(.addRow, "vehicles", "Vehicle"))
        return lines.enumerated().map { at, made in made(at) }
    }

    private func line(
        _ kind: ScreenKind, _ key: String, _ label: String, type: String = "text", isRequired: Bool = false,
        isReadOnly: Bool = false, row: Int? = nil
    ) -> (Int) -> Screen {
        let answer = draft.answers[key]
        var problem: Problem?
        if isRequired, answer == nil || answer == .blank {
            problem = Problem(key: key, code: "missing", message: "an answer is required")
        } else if case .number(let number) = answer, number < 0 {
            problem = Problem(key: key, code: "constraint", message: "None below 0.")
        }
        let choices = type == "select_multiple" ? ["bus", "car", "foot"].map { Choice(name: $0, label: $0) } : []
        let name = key.split(separator: "/").last.map(String.init) ?? key
        return { at in
            Screen(
                index: at, kind: kind, key: key, within: nil, name: name, questionType: type, label: label, hint: nil,
                guidance: nil, answer: answer, shown: answer?.typed ?? "", choices: choices, isRequired: isRequired,
                isReadOnly: isReadOnly, isPhoto: type == "image", appearance: "", rowNumber: row, problem: problem)
        }
    }
}
