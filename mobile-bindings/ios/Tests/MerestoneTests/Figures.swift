import Foundation
import Merestone
import XCTest

/// Prints what the crossing costs on this machine. Not one of the tests: `figures.sh` runs it.
final class Figures: XCTestCase {
    private static let records = 10_000
    private static let photos = 100

    func test_print() async throws {
        let wanted = ProcessInfo.processInfo.environment["MERESTONE_FIGURES"]
        try XCTSkipIf(wanted == nil, "figures.sh asks for it")
        print("figure                                                  measured        promised")
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        try await fill(olena)
        try await callOverhead(olena)
        try await syncing(olena)
        try await olena.phone.close()
        try coldOpen(olena)
    }

    /// Ten thousand records, a hundred of them with a photo.
    private func fill(_ olena: TestPhone) async throws {
        let form = try await olena.inspection().hash
        let plain = Self.records - Self.photos
        let took = try await ContinuousClock().measure {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        for number in stride(from: worker, to: plain, by: 4) {
                            _ = try await olena.phone.drafts.saveNew(
                                olena.observer, scope: olena.mission.scope, form: form,
                                answers: ["post": .text("Post \(number)")])
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        line("saving \(plain) records in one call each, four at once", took.ms / Double(plain), "ms each")
        let photo = try Data(contentsOf: Fixtures.photo("orientation/landscape-1.jpg"))
        let folder = try madeFolder("photos", self)
        for number in 0..<Self.photos {
            let file = folder.appendingPathComponent("\(number).jpg")
            try commented(photo, number).write(to: file)
            let interview = try await olena.phone.drafts.begin(olena.observer, scope: olena.mission.scope, form: form)
            _ = try await interview.answer("post", .text("Photo \(number)"))
            _ = try await interview.attach(PhotoFile(file: file, isAppCaptured: true))
            _ = try await interview.save()
        }
        try await olena.phone.records.catchUp()
    }

    private func callOverhead(_ olena: TestPhone) async throws {
        let (phone, all) = (olena.phone, RecordQuery())
        let first = try await phone.records.page(all, after: nil, max: 1)
        let record = try XCTUnwrap(first.lines.first).id
        try await call("MerestoneLibrary.version") { _ = MerestoneLibrary.version }
        try await call("phone.isOpen") { _ = phone.isOpen }
        try await call("await observers.all") { _ = try await phone.observers.all() }
        try await call("await records.page of 1") { _ = try await phone.records.page(all, after: nil, max: 1) }
        try await call("await records.page of 50") { _ = try await phone.records.page(all, after: nil, max: 50) }
        try await call("await records.sheet") { _ = try await phone.records.sheet(record) }
    }

    /// Best of seven rounds, wall time of one call after warming up.
    private func call(_ name: String, _ call: () async throws -> Void) async throws {
        for _ in 0..<2_000 { try await call() }
        var best = Double.infinity
        for _ in 0..<7 {
            let took = try await ContinuousClock().measure { for _ in 0..<500 { try await call() } }
            best = min(best, took.ms / 500 * 1_000)
        }
        line("call: \(name)", best, "µs")
    }

    /// In a process of its own, so that what it holds is what the sync needs.
    private func syncing(_ olena: TestPhone) async throws {
        let answering = try await olena.phone.sync.answer(olena.observer, address: "127.0.0.1:0", isAdvertised: false)
        let guest = try await TestPhone.make("Piotr", TestMission.shared(), self)
        try await guest.phone.close()
        let other = try OtherProcess("sync", guest.observer.hex, Programs.passphrase, answering.address, at: guest.home)
        XCTAssertEqual(other.line(), "open")
        let before = try XCTUnwrap(other.residentKib())
        try other.goOn()
        let entries = other.line()
        let peak = try XCTUnwrap(other.residentKib(peak: true))
        other.kill()
        try await answering.stop()
        line("resident memory of a process that opened a phone", Double(before) / 1_024, "MiB")
        line("its peak while \(entries) entries and \(Self.photos) photos came", Double(peak) / 1_024, "MiB", "96 MB")
    }

    private func coldOpen(_ olena: TestPhone) throws {
        let rounds = try (0..<7).map { _ in
            let other = try OtherProcess("time", at: olena.home)
            let numbers = other.line().split(separator: " ").compactMap { Double($0) }
            other.kill()
            return numbers
        }
        XCTAssertTrue(rounds.allSatisfy { $0.count == 2 }, "\(rounds)")
        func median(_ column: Int) -> Double { rounds.map { $0[column] }.sorted()[rounds.count / 2] }
        line("opening a store of \(Self.records) records (files in the system's cache)", median(0), "ms", "150 ms")
        line("the first page of 50 lines after it", median(1), "ms")
    }

    private func line(_ name: String, _ value: Double, _ unit: String, _ promised: String = "") {
        let padded = name.padding(toLength: max(name.count, 64), withPad: " ", startingAt: 0)
        print("\(padded) \(String(format: "%9.1f", value)) \(unit)  \(promised)")
    }

    /// The same picture in other bytes: a comment stands behind the first marker.
    private func commented(_ jpeg: Data, _ number: Int) -> Data {
        let text = Data(String(format: "photo %08d", number).utf8)
        return jpeg.prefix(2) + Data([0xff, 0xfe, 0, UInt8(text.count + 2)]) + text + jpeg.dropFirst(2)
    }
}

extension Duration {
    fileprivate var ms: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
    }
}
