import Foundation
import Merestone
import XCTest

@testable import MerestoneScreens

/// Everything that `mobile-bindings/screens.tsv` says of every language.
@MainActor
final class ScreensTableTests: XCTestCase {
    private static let reason = "it is so"

    func test_an_entry_is_as_safe_as_the_table_says() async throws {
        for line in try ScreensTable().lines("custody", columns: 9) {
            let custody = custody(Array(line.prefix(7)))
            XCTAssertEqual([word(custody.safety), English.book.say(custody.message)], Array(line.suffix(2)), "\(line)")
        }
    }

    func test_a_record_is_where_the_table_says() async throws {
        for line in try ScreensTable().lines("record", columns: 2) {
            let custodies = line[0].several.map { custody($0.components(separatedBy: ",")) }
            XCTAssertEqual(custodies.message.map(English.book.say) ?? "-", line[1], "\(line)")
        }
    }

    func test_a_meeting_is_graded_as_the_table_says() async throws {
        for line in try ScreensTable().lines("meeting", columns: 5) {
            let outcome = report(isFull: line[0].truth, isAsWanted: line[1].truth, endCode: line[2]).outcome
            XCTAssertEqual([word(outcome.grade), English.book.say(outcome.message)], Array(line.suffix(2)), "\(line)")
        }
    }

    func test_what_would_be_lost_is_said_as_the_table_says() async throws {
        for line in try ScreensTable().lines("loss", columns: 8) {
            let phone = FakePhone()
            phone.holds(Array(line.prefix(5)))
            let screen = HandInScreen(phone, phrases: English.book)
            await screen.look().value
            XCTAssertEqual(screen.state.isHandedOver, line[5].truth, "\(line)")
            XCTAssertEqual(screen.state.loss?.lines.map(English.book.say), line[6].several, "\(line)")
            XCTAssertEqual(screen.state.confirmation.map(English.book.say) ?? "-", line[7], "\(line)")
        }
    }

    func test_a_phone_is_removed_when_the_table_says() async throws {
        for line in try ScreensTable().lines("wipe", columns: 4) {
            let phone = FakePhone()
            let screen = HandInScreen(phone, phrases: English.book)
            if line[0] != "-" {
                phone.holds(line[0].components(separatedBy: ","))
                await screen.look().value
            }
            phone.holds(line[1].components(separatedBy: ","))
            await screen.wipe(line[2] == "-" ? "" : line[2]).value
            let outcome = screen.state.refusal.map(English.book.say) ?? (screen.state.isWiped ? "wiped" : "-")
            XCTAssertEqual(outcome, line[3], "\(line)")
            XCTAssertEqual(phone.isWiped, line[3] == "wiped", "\(line)")
        }
    }

    func test_an_error_helps_itself_as_the_table_says() async throws {
        for line in try ScreensTable().lines("trouble", columns: 5) {
            let trouble = Trouble.of(try error(line[0], line[1], line[2] == "yes"))
            XCTAssertEqual([word(trouble.remedy), English.book.say(trouble.message)], Array(line.suffix(2)), "\(line)")
        }
    }

    func test_a_form_is_walked_as_the_table_says() async throws {
        let walks = Dictionary(grouping: try ScreensTable().lines("walk", columns: 7)) { $0[0] }
        XCTAssertGreaterThan(walks.count, 3)
        for (walk, steps) in walks {
            let screen = FillScreen(FakePhone(), observer: olena, start: .new(scope: north.id, form: form.hash))
            for (at, step) in steps.enumerated() {
                try await intent(step[1], step[2], screen).value
                let shown = try shown(XCTUnwrap(screen.state.page))
                XCTAssertEqual(shown, Array(step.suffix(4)), "\(walk), step \(at + 1): \(step[1]) \(step[2])")
            }
        }
    }

    private func custody(_ columns: [String]) -> Custody {
        let custody = MerestoneScreensTests.custody(
            peers: columns[0].number, isAtCamp: columns[1].truth, photos: columns[2].number,
            elsewhere: columns[3].number, atCamp: columns[4].number)
        XCTAssertEqual([custody.isOnlyHere, custody.isHandedOver], columns.suffix(2).map(\.truth), "\(columns)")
        return custody
    }

    private func error(_ name: String, _ code: String, _ flag: Bool) throws -> MerestoneError {
        let reason = Self.reason
        switch name {
        case "locked": return .locked(reason: reason)
        case "not-enrolled": return .notEnrolled(isCut: flag, reason: reason)
        case "not-there": return .notThere(reason: reason)
        case "refused": return .refused(code: code, reason: reason)
        case "storage":
            let faults: [StorageFault] = [.full, .damaged, .inUse, .newer, .failed]
            return .storage(try XCTUnwrap(faults.first { word($0) == code }), reason: reason)
        case "unreachable": return .unreachable(code: code, isWorthRetrying: flag, reason: reason)
        case "provider": return .provider(isGone: flag, reason: reason)
        case "closed": return .closed(isPaused: flag, reason: reason)
        case "internal": return .internal(reason: reason)
        default: throw Unknown(word: name)
        }
    }

    private func intent(_ name: String, _ with: String, _ screen: FillScreen) throws -> Intent {
        switch name {
        case "open": return screen.open()
        case "answer-and-go-on": return screen.answerAndGoOn(with)
        case "choose": return screen.choose(with)
        case "next": return screen.next()
        case "back": return screen.back()
        case "jump": return screen.jump(with)
        case "end": return screen.toEnd()
        case "add-row": return screen.addRow()
        case "withdraw-row": return screen.withdrawRow()
        case "speak": return screen.speak(with.number)
        default: throw Unknown(word: name)
        }
    }

    /// The page, its place, what stands above it, what is said on it.
    private func shown(_ page: Page) -> [String] {
        let (name, said) =
            switch page {
            case .question(let page):
                ("question:\(page.question.key)", page.said.map { [English.book.say($0)] } ?? [])
            case .row(let page): ("row:\(page.repeated)", [])
            case .end(let page): ("end", page.problems.map { "\($0.label): \(English.book.say($0.message))" })
            }
        let above = page.spot.above.map { heading in
            "\(heading.kind):" + ([heading.text] + [heading.row.map(String.init)].compactMap(\.self)).joined(separator: " ")
        }
        return [name, String(page.at), above.column, said.column]
    }
}

extension QuestionPage {
    /// What is said on it, if something is.
    fileprivate var said: Message? { refusal?.message ?? (isProblemShown ? problem : nil) }
}

/// The table says what this does not know.
private struct Unknown: Error {
    let word: String
}

extension FakePhone {
    /// The first five columns of `loss`.
    fileprivate func holds(_ columns: [String]) {
        let numbers = columns.map(\.number)
        alone = HeldAlone(
            entries: numbers[0], entriesNotAtCamp: numbers[1], photos: numbers[2], photosNotAtCamp: numbers[3])
        begun = (0..<numbers[4]).map { FakeDraft(DraftID("\($0)")) }
    }
}
