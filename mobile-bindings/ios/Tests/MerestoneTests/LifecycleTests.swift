import Foundation
import Merestone
import XCTest

/// A phone that is closed, paused, wiped, or open elsewhere.
final class LifecycleTests: XCTestCase {
    func test_after_closing_everything_says_so_and_closing_again_changes_nothing() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let form = try await olena.inspection()
        let interview = try await olena.phone.drafts.begin(olena.observer, scope: olena.mission.scope, form: form.hash)
        let answering = try await olena.phone.sync.answer(olena.observer, address: "127.0.0.1:0", isAdvertised: false)
        try await olena.phone.close()
        try await olena.phone.close()
        XCTAssertFalse(olena.phone.isOpen)
        await assertThrows(try await olena.phone.mission(), \.isClosed)
        await assertThrows(try await olena.phone.records.page(RecordQuery(), after: nil, max: 1), \.isClosed)
        await assertThrows(try await olena.phone.pause(), \.isClosed)
        await assertThrows(try await olena.phone.resume(), \.isClosed)
        await assertThrows(try await interview.answer("post", .text("Bridge")), \.isClosed)
        try await answering.stop()
        XCTAssertEqual(olena.openFiles(), [])
        try await MerestoneLibrary.open(olena.home).close()
    }

    func test_a_paused_phone_has_no_file_open_and_goes_on_with_its_keys() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let before = try await olena.save("Before")
        XCTAssertFalse(olena.openFiles().isEmpty)
        let saves = (0..<8).map { _ in Task { try await olena.save("Meanwhile") } }
        try await Task.sleep(for: .milliseconds(3))
        let report = try await olena.phone.pause()
        XCTAssertEqual(olena.openFiles(), [])
        XCTAssertLessThan(report.tookMs, 2_500)
        await assertThrows(try await olena.phone.records.catchUp(), \.isPaused)
        XCTAssertFalse(olena.phone.isOpen)
        var answered = [before.record]
        for save in saves {
            let result = await save.result
            switch result {
            case .success(let saved): answered.append(saved.record)
            case .failure(let error): XCTAssertEqual((error as? MerestoneError)?.isPaused, true, "\(error)")
            }
        }
        try await olena.phone.resume()
        let here = try await olena.phone.observers.all()
        XCTAssertEqual(here.map(\.isUnlocked), [true])
        answered.append(try await olena.save("After").record)
        let list = try await olena.list()
        XCTAssertTrue(Set(list.map(\.id)).isSuperset(of: answered), "what was answered is there")
    }

    func test_an_app_that_leaves_the_screen_pauses_its_phone_within_background_time_and_comes_back() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let time = CountedTime()
        let lifecycle = PhoneLifecycle(olena.phone, time: time)
        await lifecycle.enter(.inactive)
        XCTAssertTrue(olena.phone.isOpen)
        await lifecycle.enter(.background)
        XCTAssertFalse(olena.phone.isOpen)
        XCTAssertEqual(olena.openFiles(), [])
        XCTAssertEqual(time.told.all, ["held", "ended"])
        await lifecycle.enter(.background)
        XCTAssertEqual(time.told.all.count, 2, "a paused phone is not paused again")
        await lifecycle.enter(.active)
        XCTAssertTrue(olena.phone.isOpen)
        // As fast as a person can switch: the last word counts.
        await withTaskGroup(of: Void.self) { group in
            for phase in [PhoneLifecycle.Phase.background, .active, .background, .active] {
                group.addTask { await lifecycle.enter(phase) }
            }
        }
        await lifecycle.enter(.active)
        XCTAssertTrue(olena.phone.isOpen)
        try await olena.save("Back")
        try await olena.phone.close()
        await lifecycle.enter(.background)
        let failure = await lifecycle.failure
        XCTAssertEqual(failure?.isClosed, true)
    }

    func test_pausing_ends_a_meeting_and_the_peer_sees_it() async throws {
        let mission = try TestMission.shared()
        let olena = try await TestPhone.make("Olena", mission, self)
        let piotr = try await TestPhone.make("Piotr", mission, self)
        let answering = try await olena.phone.sync.answer(olena.observer, address: "127.0.0.1:0", isAdvertised: false)
        let target = SyncTarget.address(answering.address)
        let meeting = Task {
            try await piotr.phone.sync.meetOnce(piotr.observer, target, options: SyncOptions(stay: true))
        }
        try await until { try await !answering.callers().isEmpty }
        try await piotr.phone.pause()
        XCTAssertEqual(piotr.openFiles(), [])
        _ = await meeting.result
        try await until { try await answering.callers().allSatisfy { $0.report != nil } }
        try await piotr.phone.resume()
        let report = try await piotr.phone.sync.meetOnce(piotr.observer, target)
        XCTAssertTrue(report.isFullySynced, "\(report)")
        try await answering.stop()
    }

    func test_one_phone_at_a_time_has_a_home() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        await assertThrows(try await MerestoneLibrary.open(olena.home), \.isInUse)
        await assertThrows(try await MerestoneLibrary.wipe(olena.home), \.isInUse)
        try await olena.save("Untouched")
    }

    func test_a_wiped_phone_is_gone_also_when_it_was_not_open() async throws {
        let mission = try TestMission.shared()
        let olena = try await TestPhone.make("Olena", mission, self)
        try await olena.save("Bridge")
        try await olena.phone.wipe()
        await assertThrows(try await olena.phone.mission(), \.isClosed)
        XCTAssertEqual(files(of: olena), [])
        await assertThrows(try await MerestoneLibrary.open(olena.home), \.isNotThere)
        let piotr = try await TestPhone.make("Piotr", mission, self)
        try await piotr.phone.close()
        try await MerestoneLibrary.wipe(piotr.home)
        XCTAssertEqual(files(of: piotr), [])
        try await MerestoneLibrary.wipe(piotr.home)
    }

    func test_what_is_no_id_no_file_and_no_charter_is_refused_with_a_type() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let nobody = ObserverKey("not hex")
        await assertThrows(try await olena.phone.records.sheet(RecordID("x")), { $0.isRefused || $0.isNotThere })
        await assertThrows(
            try await olena.phone.observers.unlock(nobody, passphrase: Passphrase("x")), { $0.isRefused || $0.isNotThere })
        await assertThrows(try await olena.phone.observers.accept("no certificate"), \.isRefused)
        let wrong = try await olena.phone.observers.unlock(olena.observer, passphrase: Passphrase("wrong"))
        XCTAssertNotEqual(wrong, .unlocked)
        let none = try madeFolder("none", self)
        let home = PhoneHome.beside(none.appendingPathComponent("a"), storeKey: StoreKey(Data(count: 32)))
        await assertThrows(try await MerestoneLibrary.open(home), \.isNotThere)
        await assertThrows(try await MerestoneLibrary.create(home, charter: Data("no".utf8)), \.isRefused)
        let short = PhoneHome.beside(none.appendingPathComponent("b"), storeKey: StoreKey(Data(count: 31)))
        await assertThrows(
            try await MerestoneLibrary.create(short, charter: olena.mission.charter), \.isRefused)
    }

    private func files(of phone: TestPhone) -> [String] {
        let all = FileManager.default.enumerator(at: phone.home.folder, includingPropertiesForKeys: [.isRegularFileKey])
        return (all?.compactMap { $0 as? URL } ?? [])
            .filter { (try? $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true }.map(\.path)
    }

    /// Looks every 20 ms, for at most 10 s.
    private func until(_ isSo: () async throws -> Bool) async throws {
        for _ in 0..<500 {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        XCTFail("it never came to that")
    }
}
