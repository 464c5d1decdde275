import Merestone
import XCTest

@testable import MerestoneScreens

@MainActor
final class RecordListScreenTests: XCTestCase {
    private let phone = FakePhone()

    private func open() async -> RecordListScreen {
        let list = RecordListScreen(phone, pageLines: 10)
        await list.open().value
        return list
    }

    /// Tells those who follow of a change, and waits until the list was read again.
    private func tell(_ change: Change, until isShown: () -> Bool, _ list: RecordListScreen) async {
        var states = list.states.makeAsyncIterator()
        phone.readers.forEach { $0.yield(change) }
        while !isShown() { _ = await states.next() }
    }

    private func follow(_ list: RecordListScreen) async {
        list.follow()
        while phone.readers.isEmpty { await Task.yield() }
    }

    func test_pages_follow_each_other_to_the_end() async {
        phone.held = (0..<25).map { record($0) }
        let list = await open()
        XCTAssertEqual(list.state.lines.count, 10)
        XCTAssertTrue(list.state.hasMore)
        for _ in 0..<3 { await list.more().value }
        XCTAssertEqual(list.state.lines, phone.held)
        XCTAssertFalse(list.state.hasMore)
    }

    func test_the_place_stays_while_records_come_and_go_and_moves_to_what_stands_where_it_stood() async {
        phone.held = (0..<12).map { record($0) }
        let list = await open()
        await follow(list)
        list.point(record(7).id)
        phone.held.insert(record(100), at: 0)
        let came = Change(records: [record(100).id], isEverything: false, hasStatements: false)
        await tell(came, until: { list.state.lines.first == record(100) }, list)
        XCTAssertEqual(list.state.place, record(7).id)
        XCTAssertEqual(list.state.at, 8)
        phone.held.removeAll { $0.id == record(7).id }
        let went = Change(records: [], isEverything: true, hasStatements: false)
        await tell(went, until: { !list.state.lines.contains(record(7)) }, list)
        XCTAssertEqual(list.state.place, record(8).id)
    }

    func test_moving_past_the_end_reads_more_and_stops_at_the_last() async {
        phone.held = (0..<15).map { record($0) }
        let list = await open()
        await list.move(12).value
        XCTAssertEqual(list.state.place, record(12).id)
        await list.move(99).value
        XCTAssertEqual(list.state.place, record(14).id)
        await list.move(-99).value
        XCTAssertEqual(list.state.place, record(0).id)
    }

    func test_withdrawn_records_are_left_out_until_they_are_asked_for_and_a_search_can_be_taken_back() async {
        phone.held = [record(1), record(2, isWithdrawn: true), record(3)]
        let list = await open()
        XCTAssertEqual(list.state.lines.map(\.title), ["Post 1", "Post 3"])
        await list.filter { $0.isWithdrawn = nil }.value
        XCTAssertEqual(list.state.lines.count, 3)
        await list.search(" Post 2 ").value
        XCTAssertEqual(list.state.lines.map(\.title), ["Post 2"])
        await list.search("").value
        await list.clear().value
        XCTAssertFalse(list.state.isFiltered)
        XCTAssertEqual(list.state.lines.count, 2)
    }

    func test_the_badge_counts_conflicts_wherever_they_are_and_says_when_there_are_more() async {
        phone.held = (0..<20).map { record($0) }
        let none = await open().state.badge
        XCTAssertNil(none)
        phone.held.append(record(30, hasConflict: true))
        let one = await open().state.badge
        XCTAssertEqual(one.map(English.book.say), "1 record with a conflict")
        phone.held += (0..<120).map { record(40 + $0, hasConflict: true) }
        let many = await open().state.badge
        XCTAssertEqual(many.map(English.book.say), "More than 100 records with conflicts")
    }

    func test_nothing_is_read_again_for_a_change_that_changes_nothing() async {
        let list = await open()
        await follow(list)
        let reads = phone.reads
        let nothing = Change(records: [], isEverything: false, hasStatements: false)
        phone.readers.forEach { $0.yield(nothing) }
        phone.held.append(record(1))
        let something = Change(records: [record(1).id], isEverything: false, hasStatements: false)
        await tell(something, until: { list.state.lines.count == 1 && !list.state.isBusy || phone.reads > reads + 3 }, list)
        // One look whether the list is behind, one page, one page of conflicts.
        XCTAssertEqual(phone.reads, reads + 3)
    }

    func test_a_screen_that_is_left_hears_of_no_change() async {
        let list = await open()
        let following = list.follow()
        while phone.readers.isEmpty { await Task.yield() }
        list.leaveScreen()
        await following.value
        XCTAssertNil(list.state.trouble)
    }
}
