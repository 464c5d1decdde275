import Foundation
import Merestone
import XCTest

/// A phone whose process is ended, or that two processes want.
final class OtherProcessTests: XCTestCase {
    func test_what_was_answered_before_a_kill_in_the_middle_of_saving_is_there_afterwards() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        try await olena.phone.close()
        var random = SystemRandomNumberGenerator()
        for _ in 0..<4 {
            let saver = try OtherProcess("save", olena.observer.hex, Programs.passphrase, at: olena.home)
            let first = saver.line()
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...600, using: &random)))
            saver.kill()
            let answered = [first] + saver.rest()
            let again = try await olena.reopened()
            let held = try await Set(again.list().map(\.id.hex))
            XCTAssertEqual(answered.filter { !held.contains($0) }, [], "what was answered is gone")
            XCTAssertEqual(first.count, 64, "it saved nothing")
            for record in answered.suffix(3) {
                let steps = try await again.phone.records.history(RecordID(record))
                XCTAssertEqual(steps.count, 1)
            }
            try await again.save("After the kill")
            try await again.phone.close()
        }
    }

    func test_one_process_at_a_time_has_a_phone() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        for word in ["open", "wipe"] {
            let other = try OtherProcess(word, at: olena.home)
            XCTAssertEqual(other.line(), "inUse")
            other.kill()
        }
        try await olena.save("Untouched")
        try await olena.phone.close()
        let other = try OtherProcess("open", at: olena.home)
        XCTAssertEqual(other.line(), "open")
        await assertThrows(try await MerestoneLibrary.open(olena.home), \.isInUse)
        await assertThrows(try await MerestoneLibrary.wipe(olena.home), \.isInUse)
        other.kill()
        let again = try await olena.reopened()
        let list = try await again.list()
        XCTAssertEqual(list.map(\.title), ["Untouched"])
    }
}
