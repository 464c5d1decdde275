import Merestone
import XCTest

@testable import MerestoneScreens

@MainActor
final class SyncScreenTests: XCTestCase {
    private let phone = FakePhone()

    func test_synced_is_said_of_nothing_but_a_full_sync() async {
        for code in ["done", "stopped", "link-lost", "busy", "a code of tomorrow"] {
            for (isFull, isAsWanted) in [(true, true), (true, false), (false, true), (false, false)] {
                let outcome = report(isFull: isFull, isAsWanted: isAsWanted, endCode: code, photos: 3).outcome
                let said = English.book.say(outcome.message)
                XCTAssertEqual(said.hasPrefix("Synced"), isFull, said)
                XCTAssertEqual(outcome.grade == .full, isFull)
            }
        }
        XCTAssertEqual(report(isFull: false).outcome.grade, .asWanted)
        XCTAssertEqual(report(isFull: false, isAsWanted: false).outcome.grade, .unfinished)
        XCTAssertEqual(report(isFull: false, endCode: "link-lost").outcome.grade, .broken)
        let missing = report(isFull: false, isAsWanted: false, photos: 1).outcome.lines
        XCTAssertEqual(missing.map(English.book.say), ["1 photo or picture of Marek, State B is missing here."])
    }

    func test_a_meeting_shows_how_far_it_is_and_then_what_it_came_to() async throws {
        let (events, tell) = AsyncThrowingStream.makeStream(of: SyncEvent.self)
        phone.meeting = Events { events }
        let half = report(isFull: false)
        let screen = SyncScreen(phone, observer: olena)
        var states = screen.states.makeAsyncIterator()
        let meeting = screen.call(" [fe80::1]:7411 ")
        tell.yield(.progress(half.state))
        while screen.state.meeting != half.state { _ = await states.next() }
        XCTAssertEqual(phone.met, .typed("[fe80::1]:7411"), "the library reads what a person typed")
        XCTAssertEqual(
            English.book.say(half.state.progress), "Received 2 entries and 0 photos, sent 1 entries and 0 photos.")
        tell.yield(.ended(half))
        tell.finish()
        await meeting.value
        XCTAssertNil(screen.state.meeting)
        XCTAssertEqual(screen.state.outcome?.grade, .asWanted)
    }

    func test_a_ticket_that_is_none_stands_beside_its_field_and_who_is_not_reached_is_worth_trying_again() async {
        let screen = SyncScreen(phone, observer: olena)
        phone.meeting = Events { AsyncThrowingStream { throw MerestoneError.refused(code: "mistyped", reason: "not whole") } }
        await screen.call("MERESTONE").value
        XCTAssertEqual(screen.state.refusal?.typed, "MERESTONE")
        phone.meeting = Events {
            AsyncThrowingStream {
                throw MerestoneError.unreachable(code: "no-link", isWorthRetrying: true, reason: "nobody answered")
            }
        }
        await screen.call("10.0.0.1:7411").value
        XCTAssertEqual(screen.state.trouble?.remedy, .tryAgain)
        XCTAssertEqual(screen.state.trouble.map { English.book.say($0.message) }, "Nobody was met: nobody answered.")
        XCTAssertNil(screen.state.refusal)
    }

    func test_stopping_ends_the_meeting_and_what_is_found_twice_is_one_device() async {
        let screen = SyncScreen(phone, observer: olena)
        var states = screen.states.makeAsyncIterator()
        let meeting = screen.call("10.0.0.1:7411")
        while !screen.state.isMeeting { _ = await states.next() }
        XCTAssertTrue(screen.state.isBusy)
        screen.stop()
        await meeting.value
        XCTAssertFalse(screen.state.isMeeting || screen.state.isBusy)
        await screen.look().value
        XCTAssertEqual(screen.state.nearby.map(\.transportKey), ["b", "a"])
        XCTAssertFalse(screen.state.isLooking)
    }
}
