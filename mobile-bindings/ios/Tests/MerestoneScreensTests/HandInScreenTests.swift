import Merestone
import XCTest

@testable import MerestoneScreens

@MainActor
final class HandInScreenTests: XCTestCase {
    private let phone = FakePhone()

    private func hold(_ custodies: [Custody]...) {
        phone.held = custodies.indices.map { record($0) }
        for (at, custody) in custodies.enumerated() { phone.custodies[record(at).id] = custody }
    }

    func test_a_phone_that_is_removed_says_which_files_were_left_alone() async {
        let screen = HandInScreen(phone, phrases: English.book)
        await screen.look().value
        XCTAssertTrue(screen.state.isHandedOver)
        XCTAssertNil(screen.state.confirmation)
        await screen.wipe().value
        XCTAssertTrue(screen.state.isWiped && phone.isWiped)
        XCTAssertEqual(screen.state.leftAlone.map(\.lastPathComponent), ["notes.txt"])
    }

    func test_when_more_would_be_lost_than_was_told_that_is_told_and_nothing_is_removed() async {
        let screen = HandInScreen(phone, phrases: English.book)
        await screen.look().value
        phone.alone = HeldAlone(entries: 1, entriesNotAtCamp: 1, photos: 0, photosNotAtCamp: 0)
        await screen.wipe().value
        XCTAssertEqual(screen.state.confirmation.map(English.book.say), "remove 1 entry")
        XCTAssertFalse(phone.isWiped)
    }

    func test_the_custody_screen_lists_what_is_not_at_base_camp_the_least_safe_first() async {
        hold([custody(isAtCamp: true)], [custody(peers: 1)], [custody()])
        phone.alone = HeldAlone(entries: 1, entriesNotAtCamp: 2, photos: 0, photosNotAtCamp: 0)
        let screen = CustodyScreen(phone)
        await screen.look().value
        XCTAssertTrue(screen.state.isDone)
        XCTAssertEqual(screen.state.lines.map(\.safety), [.onlyHere, .withPeers])
        XCTAssertEqual(screen.state.looked, 3)
        XCTAssertEqual(screen.state.loss.map { [$0.entriesOnlyHere, $0.entriesNotAtCamp] }, [1, 1])
    }
}
