import Foundation
import Merestone
import XCTest

/// A cancelled task ends what it began in Rust.
final class CancellationTests: XCTestCase {
    func test_the_peer_sees_the_link_end_when_the_reader_is_cancelled_and_both_phones_go_on() async throws {
        let mission = try TestMission.shared()
        let olena = try await TestPhone.make("Olena", mission, self)
        let piotr = try await TestPhone.make("Piotr", mission, self)
        let answering = try await olena.phone.sync.answer(olena.observer, address: "127.0.0.1:0", isAdvertised: false)
        let target = SyncTarget.address(answering.address)
        let meeting = Task {
            let options = SyncOptions(stay: true)
            for try await _ in piotr.phone.sync.meet(piotr.observer, target, options: options) {}
        }
        try await see(answering) { $0.first?.state.isFullySynced == true }
        let lasting = try await answering.callers()
        XCTAssertNil(lasting.first?.report, "the meeting lasts")
        let took = try await ContinuousClock().measure {
            meeting.cancel()
            _ = await meeting.result
            try await see(answering) { $0.first?.report != nil }
        }
        XCTAssertLessThan(took, .seconds(2), "the peer saw the end late")

        let saved = try await piotr.save("After the link")
        let report = try await piotr.phone.sync.meetOnce(piotr.observer, target)
        XCTAssertTrue(report.isFullySynced, "\(report)")
        let list = try await olena.list()
        XCTAssertEqual(list.map(\.id), [saved.record])
        try await answering.stop()
    }

    func test_a_device_that_does_not_answer_is_given_up_at_once_not_when_the_network_would() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        // Nobody listens at the discard port of loopback.
        let call = Task { try await olena.phone.sync.meetOnce(olena.observer, .address("127.0.0.1:9")) }
        let search = Task {
            for try await _ in olena.phone.sync.nearby(olena.observer, window: .seconds(600)) {}
        }
        try await Task.sleep(for: .milliseconds(300))
        call.cancel()
        search.cancel()
        _ = await result(of: search)
        guard case .failure(let error) = await result(of: call) else { return XCTFail("nobody was there to be met") }
        XCTAssertTrue(error is CancellationError || error is MerestoneError, "\(error)")
        try await olena.save("Still here")
    }

    func test_a_call_of_a_task_that_is_cancelled_already_says_so() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let options = SyncOptions(stay: true)
        let answering = try await olena.phone.sync.answer(olena.observer, address: "127.0.0.1:0", isAdvertised: false)
        let address = answering.address
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await olena.phone.sync.meetOnce(olena.observer, .address(address), options: options)
        }
        guard case .failure(let error) = await result(of: late) else { return XCTFail("it met itself") }
        XCTAssertTrue(error is CancellationError, "\(error)")
        try await answering.stop()
    }

    func test_a_save_that_is_cancelled_is_done_whole_or_not_at_all() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        for number in 0..<20 {
            let saving = Task { try await olena.save("Post \(number)") }
            try await Task.sleep(for: .milliseconds(number % 10))
            saving.cancel()
            _ = await saving.result
        }
        // What the disk was doing ends by itself; a later save stands behind it.
        try await olena.save("Last")
        let list = try await olena.list()
        XCTAssertTrue(list.contains { $0.title == "Last" })
        XCTAssertEqual(list.count, Set(list.map(\.title)).count, "nothing is saved twice")
        for line in list {
            let steps = try await olena.phone.records.history(line.id)
            XCTAssertEqual(steps.count, 1)
        }
    }

    func test_a_save_with_an_id_is_done_once_however_often_it_is_asked_for_and_cancelled() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let form = try await olena.inspection().hash
        let answers = ["post": Answer.text("Bridge")]
        var records: [RecordID] = []
        for number in 0..<10 {
            let once = SaveID.random()
            let save: @Sendable () async throws -> Saved = {
                try await olena.phone.drafts.saveNew(
                    olena.observer, scope: olena.mission.scope, form: form, answers: answers, once: once)
            }
            let cancelled = Task(operation: save)
            try await Task.sleep(for: .milliseconds(number))
            cancelled.cancel()
            _ = await cancelled.result
            let (first, again) = (try await save(), try await save())
            XCTAssertEqual(first, again)
            records.append(first.record)
        }
        let (spoken, speech) = (SaveID.random(), Speech(record: records[0], kind: .concurrence))
        let said = try await olena.phone.records.say(olena.observer, speech, once: spoken)
        let saidAgain = try await olena.phone.records.say(olena.observer, speech, once: spoken)
        XCTAssertEqual(said, saidAgain)
        let (list, steps) = try await (olena.list(), olena.phone.records.history(records[0]))
        XCTAssertEqual(Set(list.map(\.id)), Set(records))
        XCTAssertEqual(list.count, 10)
        XCTAssertEqual(steps.count, 2)
    }

    func test_watching_callers_ends_when_nobody_listens_any_more() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let phone = olena.phone
        let ends: [@Sendable (any Answering) async throws -> Void] = [
            { try await $0.stop() },
            { _ in
                try await phone.pause()
                try await phone.resume()
            },
            { _ in try await phone.close() },
        ]
        for (number, end) in ends.enumerated() {
            let answering = try await phone.sync.answer(olena.observer, address: "127.0.0.1:0", isAdvertised: false)
            let (seen, isSeen) = (Tally<Int>(), expectation(description: "callers are told"))
            let watching = Task {
                for try await callers in answering.callersNow(every: .milliseconds(20)) {
                    if seen.all.isEmpty { isSeen.fulfill() }
                    seen.add(callers.count)
                }
            }
            await fulfillment(of: [isSeen], timeout: 5)
            try await end(answering)
            guard case .success = await result(of: watching) else { return XCTFail("end \(number) is not told") }
        }
    }

    /// How a task ended; nothing if it goes on for another five seconds, which fails the test.
    private func result<T: Sendable>(of task: Task<T, any Error>) async -> Result<T, any Error>? {
        let (ended, isOver) = (Tally<Result<T, any Error>>(), expectation(description: "the call is over"))
        Task {
            ended.add(await task.result)
            isOver.fulfill()
        }
        await fulfillment(of: [isOver], timeout: 5)
        return ended.all.first
    }

    /// Waits, for some seconds, until the callers are as wanted.
    private func see(_ answering: any Answering, _ isWanted: @escaping @Sendable ([Caller]) -> Bool) async throws {
        let watching = Task {
            for try await callers in answering.callersNow(every: .milliseconds(20)) where isWanted(callers) { return true }
            return false
        }
        let limit = Task {
            try await Task.sleep(for: .seconds(20))
            watching.cancel()
        }
        let isSeen = try await watching.value
        limit.cancel()
        XCTAssertTrue(isSeen, "the callers never were as wanted")
    }
}
