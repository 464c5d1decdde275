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

    func test_where_an_entry_is_is_said_as_its_receipts_say() async {
        let rows = [
            (custody(), "Only on this phone."),
            (custody(peers: 2), "On 2 other devices, not at base camp."),
            (custody(peers: 1, photos: 2, elsewhere: 1), "Others have the entry; 1 photo is only on this phone."),
            (custody(isAtCamp: true), "At base camp."),
            (custody(isAtCamp: true, photos: 3, elsewhere: 3, atCamp: 1), "At base camp, without 2 photos."),
        ]
        for (custody, wanted) in rows { XCTAssertEqual(English.book.say(custody.message), wanted) }
        let record = [custody(), custody(isAtCamp: true), custody()]
        XCTAssertEqual(
            record.message.map(English.book.say), "2 of 3 entries or their photos are only on this phone.")
        let camp = [custody(isAtCamp: true), custody(isAtCamp: true)]
        XCTAssertEqual(camp.message.map(English.book.say), "At base camp.")
        XCTAssertNil([Custody]().message)
    }

    func test_a_phone_whose_work_is_all_at_base_camp_is_removed_without_another_word() async {
        hold([custody(isAtCamp: true, photos: 1, elsewhere: 1, atCamp: 1)])
        let screen = HandInScreen(phone, phrases: English.book)
        await screen.look().value
        XCTAssertTrue(screen.state.isHandedOver)
        XCTAssertNil(screen.state.confirmation)
        await screen.wipe().value
        XCTAssertTrue(screen.state.isWiped && phone.isWiped)
        XCTAssertEqual(screen.state.leftAlone.map(\.lastPathComponent), ["notes.txt"])
    }

    func test_what_would_be_lost_must_be_written_out_before_it_is() async {
        hold([custody(), custody(peers: 1)], [custody(photos: 2)])
        phone.begun = [FakeDraft(DraftID("d"))]
        let screen = HandInScreen(phone, phrases: English.book)
        await screen.look().value
        let wanted = [
            "2 entries are only on this phone.",
            "2 photos are only on this phone.",
            "1 entry is on other devices, not at base camp.",
            "1 draft was never saved.",
        ]
        XCTAssertEqual(screen.state.loss?.lines.map(English.book.say), wanted)
        XCTAssertEqual(
            screen.state.confirmation.map(English.book.say), "remove 3 entries, 2 photos, 1 draft")
        for written in ["", "yes", "remove 3 entries"] {
            await screen.wipe(written).value
            XCTAssertEqual(screen.state.refusal?.code, "hand-in.not-confirmed")
            XCTAssertFalse(phone.isWiped)
        }
        await screen.wipe(" Remove 3 entries,  2 photos, 1 draft. ").value
        XCTAssertTrue(phone.isWiped)
    }

    func test_nothing_is_removed_when_more_would_be_lost_than_was_told_or_nothing_was_looked_at() async {
        hold([custody(isAtCamp: true)])
        let screen = HandInScreen(phone, phrases: English.book)
        await screen.wipe().value
        XCTAssertEqual(screen.state.refusal?.code, "hand-in.changed")
        await screen.look().value
        hold([custody(isAtCamp: true)], [custody()])
        await screen.wipe().value
        XCTAssertEqual(screen.state.refusal?.code, "hand-in.changed")
        XCTAssertEqual(screen.state.confirmation.map(English.book.say), "remove 1 entry")
        XCTAssertFalse(phone.isWiped)
    }

    func test_the_custody_screen_lists_what_is_not_at_base_camp_the_least_safe_first() async {
        hold([custody(isAtCamp: true)], [custody(peers: 1)], [custody()])
        let screen = CustodyScreen(phone)
        await screen.look().value
        XCTAssertTrue(screen.state.isDone)
        XCTAssertEqual(screen.state.lines.map(\.safety), [.onlyHere, .withPeers])
        XCTAssertEqual(screen.state.loss.records, 3)
    }
}
