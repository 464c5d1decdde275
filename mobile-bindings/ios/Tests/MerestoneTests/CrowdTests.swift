import Foundation
import Merestone
import XCTest

/// Many threads, many records, many calls.
final class CrowdTests: XCTestCase {
    func test_sixteen_threads_save_and_read_at_once_and_each_record_is_there_once() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let (saved, failed) = (Tally<RecordID>(), Tally<String>())
        let threads = (0..<16).map { number in
            started {
                self.waiting(failed) {
                    for round in 0..<12 {
                        let record = try await olena.save("Post \(number) \(round)").record
                        _ = try await olena.phone.records.page(RecordQuery(text: "Post \(number)"), after: nil, max: 20)
                        let sheet = try await olena.phone.records.sheet(record)
                        _ = try await olena.phone.observers.all()
                        if sheet?.id == record { saved.add(record) }
                    }
                }
            }
        }
        await fulfillment(of: threads, timeout: 120)
        XCTAssertEqual(failed.all, [])
        let list = try await olena.list()
        XCTAssertEqual(list.count, 16 * 12)
        XCTAssertEqual(Set(list.map(\.id)), Set(saved.all))
    }

    func test_an_interview_that_sixteen_tasks_answer_at_once_keeps_the_last_of_each() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let form = try await olena.inspection()
        let interview = try await olena.phone.drafts.begin(olena.observer, scope: olena.mission.scope, form: form.hash)
        let questions = ["post", "neighbour", "spoken_to", "remarks"]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for key in questions {
                for number in 0..<4 {
                    group.addTask { _ = try await interview.answer(key, .text("by \(number)")) }
                }
            }
            try await group.waitForAll()
        }
        for key in questions { _ = try await interview.answer(key, .text("last of \(key)")) }
        let saved = try await interview.save()
        let sheet = try await olena.phone.records.sheet(saved.record)
        for key in questions {
            let answer = sheet?.answers.first { $0.key == key }
            XCTAssertEqual(answer?.values.map(\.answer), [.text("last of \(key)")])
        }
    }

    func test_ten_thousand_records_are_saved_listed_and_found_and_calls_leave_nothing_behind() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let form = try await olena.inspection().hash
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for number in stride(from: worker, to: Self.records, by: 4) {
                        let answers = ["post": Answer.text("Post \(number)")]
                        _ = try await olena.phone.drafts.saveNew(
                            olena.observer, scope: olena.mission.scope, form: form, answers: answers)
                    }
                }
            }
            try await group.waitForAll()
        }
        var titles: [String] = []
        for try await line in olena.phone.records.all(pageSize: 500) { titles.append(line.title) }
        XCTAssertEqual(titles.count, Self.records)
        XCTAssertEqual(Set(titles).count, Self.records)
        let last = RecordQuery(text: "\(Self.records - 1)")
        let found = try await olena.phone.records.page(last, after: nil, max: 100)
        XCTAssertEqual(found.lines.map(\.title), ["Post \(Self.records - 1)"])
        try await callsLeaveNothing(olena, XCTUnwrap(found.lines.first).id)
    }

    func test_a_list_has_everything_that_arrived_at_once() async throws {
        let mission = try TestMission.shared()
        let (olena, piotr) = try await (TestPhone.make("Olena", mission, self), TestPhone.make("Piotr", mission, self))
        let form = try await olena.inspection().hash
        for number in 0..<700 {
            _ = try await olena.phone.drafts.saveNew(
                olena.observer, scope: mission.scope, form: form, answers: ["post": .text("Post \(number)")])
        }
        let stick = try madeFolder("stick", self).appendingPathComponent("north.courier")
        _ = try await olena.phone.courier.write(olena.observer, CourierOrder(file: stick))
        _ = try await piotr.phone.courier.read(piotr.observer, stick)
        let list = try await piotr.list()
        XCTAssertEqual(Set(list.map(\.title)).count, 700)
    }

    private static let records = 10_000
    private static let calls = 10_000

    /// Ten thousand calls of every size, after as many to warm up.
    private func callsLeaveNothing(_ olena: TestPhone, _ record: RecordID) async throws {
        for number in 0..<Self.calls { await call(olena, record, number) }
        guard let before = Measures.residentKib() else { throw XCTSkip("no system but Linux is asked for memory") }
        for number in 0..<Self.calls { await call(olena, record, number) }
        let more = try XCTUnwrap(Measures.residentKib()) - before
        print("\(Self.calls) calls: resident memory \(more) KiB more")
        XCTAssertLessThan(more, 16_384, "resident memory grew")
    }

    private func call(_ olena: TestPhone, _ record: RecordID, _ number: Int) async {
        switch number % 5 {
        case 0: _ = try? await olena.phone.records.page(RecordQuery(), after: nil, max: 20)
        case 1: _ = try? await olena.phone.records.sheet(record)
        case 2: _ = try? await olena.phone.records.history(record)
        case 3: _ = try? await olena.phone.photos.picture(PhotoHash("no hash"))
        default: _ = try? await olena.phone.observers.all()
        }
    }

    /// Does asynchronous work on a thread that is not one of Swift's own, which waits for it.
    private func waiting(_ failed: Tally<String>, _ work: @escaping @Sendable () async throws -> Void) {
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            do { try await work() } catch { failed.add("\(error)") }
            done.signal()
        }
        done.wait()
    }

    /// Begins work on a thread of its own; fulfilled when it is through.
    private func started(_ work: @escaping @Sendable () -> Void) -> XCTestExpectation {
        let ended = expectation(description: "a thread ended")
        Thread {
            work()
            ended.fulfill()
        }.start()
        return ended
    }
}
