import Foundation
import Merestone
import XCTest

@testable import MerestoneScreens

@MainActor
final class FillScreenTests: XCTestCase {
    private let phone = FakePhone()
    private let new = FillStart.new(scope: north.id, form: form.hash)

    private func open(_ start: FillStart? = nil, languages: [String] = []) async -> FillScreen {
        let screen = FillScreen(phone, observer: olena, start: start ?? new, languages: languages)
        await screen.open().value
        return screen
    }

    private var interview: FakeInterview { phone.interviews.last! }

    func test_one_question_is_asked_at_a_time_below_the_titles_that_lead_to_it() async {
        let screen = await open()
        XCTAssertEqual(screen.asked?.key, "post")
        XCTAssertEqual(screen.state.page?.spot.above, [Heading(kind: .group, text: "Place and day")])
        await screen.answerAndGoOn("North gate").value
        XCTAssertEqual(screen.asked?.key, "queue")
        await screen.next().value
        XCTAssertEqual(screen.asked?.key, "lanes")
        XCTAssertEqual(screen.state.page?.spot.above.map(\.kind), [.value])
        await screen.back().value
        XCTAssertEqual(screen.asked?.key, "queue")
        await screen.jump("photo").value
        XCTAssertEqual(screen.asked?.input, .photo)
        await screen.jump("nothing of that name").value
        XCTAssertEqual(screen.asked?.key, "photo")
    }

    func test_what_the_form_does_not_take_stands_beside_the_question_and_what_stood_there_stays() async {
        let screen = await open()
        await screen.jump("queue").value
        await screen.answer("7").value
        await screen.answerAndGoOn("seven").value
        let page = screen.questionPage
        XCTAssertEqual(page?.refusal?.typed, "seven")
        XCTAssertEqual(page?.refusal.map { English.book.say($0.message) }, "Write a whole number, in digits.")
        XCTAssertEqual(page?.question.shown, "7")
        XCTAssertEqual(interview.draft.answers["queue"], .number(7))
        XCTAssertNil(screen.state.trouble)
        await screen.answerAndGoOn("8").value
        XCTAssertEqual(screen.asked?.key, "why")
    }

    func test_what_is_wrong_is_said_once_and_can_be_left_so() async {
        let screen = await open()
        XCTAssertEqual(screen.questionPage?.isProblemShown, false)
        await screen.next().value
        XCTAssertEqual(screen.questionPage?.isProblemShown, true)
        XCTAssertEqual(screen.asked?.key, "post")
        await screen.next().value
        XCTAssertEqual(screen.asked?.key, "queue")
        await screen.answerAndGoOn("-1").value
        XCTAssertEqual(screen.questionPage?.problem?.code, "problem.constraint")
        await screen.answerAndGoOn("-1").value
        XCTAssertEqual(screen.asked?.key, "lanes")
        await screen.toEnd().value
        guard case .end(let end) = screen.state.page else { return XCTFail("no end") }
        XCTAssertEqual(end.problems.map(\.key), ["post", "queue"])
        XCTAssertEqual(end.problems.map(\.label), ["Post", "Vehicles waiting"])
        await screen.save().value
        XCTAssertEqual(screen.state.end, .done(saved("e1")))
    }

    func test_an_answer_that_waits_for_its_turn_is_kept_although_the_screen_is_left() async {
        let screen = await open()
        let (disk, isFree) = AsyncStream.makeStream(of: Void.self)
        interview.disk = Task { for await _ in disk {} }
        screen.answer("North gate")
        screen.answer("South gate")
        let last = screen.leave()
        screen.leaveScreen()
        isFree.finish()
        await last.value
        XCTAssertEqual(interview.left, 1)
        let again = await open(.goOn(interview.draft.id))
        XCTAssertEqual(interview.draft.answers["post"], .text("South gate"))
        XCTAssertEqual(again.asked?.key, "queue")
    }

    func test_a_failure_of_the_disk_is_said_and_nothing_that_was_answered_is_lost() async {
        let screen = await open()
        await screen.answer("North gate").value
        interview.failure = .storage(.full, reason: "no space")
        await screen.answer("South gate").value
        XCTAssertEqual(screen.state.trouble?.remedy, .makeRoom)
        XCTAssertEqual(screen.asked?.shown, "North gate")
        interview.failure = .locked(reason: "locked")
        await screen.save().value
        XCTAssertEqual(screen.state.trouble?.remedy, .unlock)
        XCTAssertNil(screen.state.end)
        interview.failure = nil
        await screen.save().value
        XCTAssertNil(screen.state.trouble)
        XCTAssertEqual(screen.state.end, .done(saved("e1")))
    }

    func test_choices_are_chosen_and_given_up_in_the_order_of_the_form() async {
        let screen = await open()
        await screen.choose("foot").value
        XCTAssertNil(interview.draft.answers["post"], "a text is not chosen")
        await screen.jump("lanes").value
        for choice in ["foot", "bus", "car", "car"] { await screen.choose(choice).value }
        XCTAssertEqual(interview.draft.answers["lanes"], .text("bus foot"))
        XCTAssertEqual(screen.asked?.choices.map(\.isChosen), [true, false, true])
    }

    func test_rows_are_added_where_they_are_offered_and_taken_away_from_within() async {
        let screen = await open()
        await screen.jump("photo").value
        await screen.next().value
        XCTAssertEqual(screen.rowPage?.label, "Vehicle")
        await screen.addRow().value
        XCTAssertEqual(screen.asked?.key, "vehicles/0/plate")
        XCTAssertEqual(screen.state.page?.spot.above, [Heading(kind: .row, text: "Vehicle", row: 1)])
        await screen.withdrawRow().value
        XCTAssertEqual(screen.rowPage?.repeated, "vehicles")
        XCTAssertEqual(interview.draft.rows, [])
        await screen.back().value
        await screen.withdrawRow().value
        XCTAssertEqual(screen.asked?.key, "photo")
    }

    func test_the_form_speaks_the_language_of_the_person_from_right_to_left_where_that_is_written_so() async {
        let screen = await open(languages: ["uk", "ar", "en"])
        XCTAssertEqual(screen.state.language, 1)
        XCTAssertTrue(screen.state.isRightToLeft)
        XCTAssertEqual(screen.asked?.label, "المركز")
        await screen.speak(0).value
        XCTAssertFalse(screen.state.isRightToLeft)
        XCTAssertEqual(screen.asked?.label, "Post")
    }

    func test_a_photo_is_attached_by_path_and_its_warnings_are_said() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let picture = folder.appendingPathComponent("a.heic")
        try Data("picture".utf8).write(to: picture)
        let empty = folder.appendingPathComponent("empty.jpg")
        try Data().write(to: empty)
        let small = folder.appendingPathComponent("a.jpg")

        let screen = await open()
        await screen.jump("photo").value
        let camera = try XCTUnwrap(screen.camera(HeicOnly(small: small)))
        await camera.open().value
        XCTAssertEqual(camera.state.roomLeft.map(English.book.say), "Room for about 12 photos.")
        await camera.choose(picture, caption: " ").value
        XCTAssertEqual(interview.draft.photos.map(\.preview), [small])
        XCTAssertEqual(interview.draft.photos.map(\.caption), [nil])
        XCTAssertEqual(camera.state.warnings.map(\.code), ["photo.location-may-be-removed"])
        XCTAssertEqual(screen.asked?.isAnswered, true)
        await camera.take(picture).value
        XCTAssertEqual(camera.state.warnings, [])
        await camera.choose(folder.appendingPathComponent("absent.jpg")).value
        XCTAssertEqual(camera.state.refusal?.message.code, "photo.not-there")
        await camera.choose(empty).value
        XCTAssertEqual(camera.state.refusal?.message.code, "refused.photo")
    }

    func test_the_overview_names_every_question_and_leads_to_it() async {
        let screen = await open()
        await screen.openOverview().value
        XCTAssertEqual(
            screen.state.overview?.map(\.key), ["where", "post", "queue", "total", "lanes", "photo"])
        XCTAssertEqual(screen.state.overview?[1].hasProblem, true)
        await screen.jump("lanes").value
        XCTAssertNil(screen.state.overview)
    }

    func test_a_draft_that_is_thrown_away_is_gone_and_what_cannot_be_opened_is_said() async {
        let screen = await open()
        await screen.discard().value
        XCTAssertEqual(screen.state.end, .discarded)
        XCTAssertTrue(phone.begun.isEmpty)
        let lost = await open(.goOn(interview.draft.id))
        XCTAssertEqual(lost.state.trouble?.remedy, .report)
        XCTAssertNil(lost.state.page)
    }
}

private struct HeicOnly: PreviewMaker {
    let small: URL

    func preview(of photo: URL) async -> URL? { photo.pathExtension == "heic" ? small : nil }
}

extension FillScreen {
    fileprivate var questionPage: QuestionPage? {
        guard case .question(let page) = state.page else { return nil }
        return page
    }

    fileprivate var asked: Question? { questionPage?.question }

    fileprivate var rowPage: RowPage? {
        guard case .row(let page) = state.page else { return nil }
        return page
    }
}
