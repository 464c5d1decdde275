import Foundation
import Merestone
import XCTest

/// An app that leaves the screen and comes back, on a phone that does not always do as it is told.
final class PhoneLifecycleTests: XCTestCase {
    private let time = CountedTime()

    func test_a_pause_that_was_too_short_goes_on_within_one_piece_of_background_time() async {
        let phone = ScriptedPhone(pauses: [.open, .open, .closed])
        let lifecycle = PhoneLifecycle(phone, time: time)
        await lifecycle.enter(.background)
        XCTAssertEqual(phone.told.all, ["pause", "pause", "pause"])
        XCTAssertEqual(time.told.all, ["held", "ended"])
        await assertFailure(of: lifecycle, nil)
        await lifecycle.enter(.background)
        XCTAssertEqual(phone.told.all.count, 3, "a paused phone is not paused again")
    }

    func test_a_file_that_stays_open_is_said_and_the_phone_is_resumed_all_the_same() async {
        let phone = ScriptedPhone(pauses: Array(repeating: .open, count: 9))
        let lifecycle = PhoneLifecycle(phone, time: time)
        await lifecycle.enter(.background)
        XCTAssertEqual(phone.told.all, Array(repeating: "pause", count: 5))
        XCTAssertEqual(time.told.all, ["held", "ended"])
        await assertFailure(of: lifecycle, \.isInUse)
        await lifecycle.enter(.active)
        XCTAssertEqual(phone.told.all.last, "resume")
        await assertFailure(of: lifecycle, nil)
    }

    func test_a_resume_that_failed_is_tried_again_at_the_next_phase() async {
        let full = MerestoneError.storage(.full, reason: "the disk is full")
        let phone = ScriptedPhone(pauses: [.closed], resumes: [full, full, nil])
        let lifecycle = PhoneLifecycle(phone, time: time)
        await lifecycle.enter(.background)
        await lifecycle.enter(.active)
        await assertFailure(of: lifecycle) { $0 == full }
        await lifecycle.enter(.inactive)
        XCTAssertEqual(phone.told.all, ["pause", "resume"], "a call in front of it changes nothing")
        await lifecycle.enter(.active)
        await assertFailure(of: lifecycle) { $0 == full }
        await lifecycle.enter(.active)
        await assertFailure(of: lifecycle, nil)
        await lifecycle.enter(.active)
        XCTAssertEqual(phone.told.all, ["pause", "resume", "resume", "resume"])
    }

    func test_a_phone_that_did_not_wake_is_paused_again_when_the_app_leaves() async {
        let phone = ScriptedPhone(
            pauses: [.closed, .closed], resumes: [.storage(.failed, reason: "no"), nil])
        let lifecycle = PhoneLifecycle(phone, time: time)
        for phase in [PhoneLifecycle.Phase.background, .active, .background, .active] { await lifecycle.enter(phase) }
        XCTAssertEqual(phone.told.all, ["pause", "resume", "pause", "resume"])
        await assertFailure(of: lifecycle, nil)
    }

    func test_a_person_who_comes_back_while_it_is_paused_again_and_again_does_not_wait_for_the_end() async {
        let phone = ScriptedPhone(pauses: Array(repeating: .open, count: 9))
        let lifecycle = PhoneLifecycle(phone, time: time)
        phone.whilePausing = { await lifecycle.enter(.active) }
        await lifecycle.enter(.background)
        XCTAssertEqual(phone.told.all, ["pause", "resume"])
        await assertFailure(of: lifecycle, nil)
    }

    private func assertFailure(
        of lifecycle: PhoneLifecycle, _ isWanted: ((MerestoneError) -> Bool)?, _ line: UInt = #line
    ) async {
        let failure = await lifecycle.failure
        let isAsWanted = failure.map { isWanted?($0) ?? false } ?? (isWanted == nil)
        XCTAssertTrue(isAsWanted, "\(String(describing: failure))", line: line)
    }
}

/// A phone that only sleeps and wakes, as a test wrote it down.
private final class ScriptedPhone: Phone, @unchecked Sendable {
    enum Pause { case open, closed }

    let told = Tally<String>()
    var whilePausing: (@Sendable () async -> Void)?
    private var pauses: [Pause]
    private var resumes: [MerestoneError?]

    init(pauses: [Pause], resumes: [MerestoneError?] = []) {
        (self.pauses, self.resumes) = (pauses, resumes)
    }

    func pause(budget: Duration) async throws -> PauseReport {
        told.add("pause")
        await whilePausing?()
        return PauseReport(wasBusy: true, isClosed: pauses.removeFirst() == .closed, tookMs: 1)
    }

    func resume() async throws {
        told.add("resume")
        if let failure = resumes.isEmpty ? nil : resumes.removeFirst() { throw failure }
    }

    var observers: any Observers { unasked() }
    var forms: any Forms { unasked() }
    var drafts: any Drafts { unasked() }
    var records: any Records { unasked() }
    var photos: any Photos { unasked() }
    var sync: any Sync { unasked() }
    var courier: any Courier { unasked() }
    var bags: any Bags { unasked() }
    var isOpen: Bool { unasked() }
    func mission() async throws -> Mission { unasked() }
    func room() async throws -> Room { unasked() }
    func changes() -> Events<Change> { unasked() }
    func wipe() async throws -> [URL] { unasked() }
    func close() async throws { unasked() }

    private func unasked(_ what: StaticString = #function) -> Never { fatalError("a lifecycle asks for no \(what)") }
}

/// Writes down when background time is held and given back.
final class CountedTime: BackgroundTime {
    let told = Tally<String>()

    func hold() async -> any BackgroundHold {
        told.add("held")
        return Hold(told: told)
    }

    private struct Hold: BackgroundHold {
        let told: Tally<String>

        func end() { told.add("ended") }
    }
}
