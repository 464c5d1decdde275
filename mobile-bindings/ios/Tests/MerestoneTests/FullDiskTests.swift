import Foundation
import Merestone
import XCTest

/// A disk that is full keeps what was saved, says so, and goes on when there is room.
final class FullDiskTests: XCTestCase {
    func test_a_full_disk_keeps_what_was_saved_says_so_and_goes_on_when_there_is_room() async throws {
        let disk = try smallDisk()
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self, folder: disk)
        let first = try await olena.save("Before")
        let form = try await olena.inspection()
        let interview = try await olena.phone.drafts.begin(olena.observer, scope: olena.mission.scope, form: form.hash)
        let ballast = disk.appendingPathComponent("ballast")
        try fill(ballast)

        var saved = 0
        do {
            for number in 0..<5_000 {
                try await olena.save("Post \(number)")
                saved += 1
            }
            XCTFail("the disk never was full")
        } catch MerestoneError.storage(let fault, _) {
            XCTAssertEqual(fault, .full)
        }
        let page = try await olena.phone.records.page(RecordQuery(), after: nil, max: 1_000)
        XCTAssertTrue(page.isBehind || page.lines.count == saved + 1, "a list that is not whole says so")
        await assertThrows(try await interview.answer("remarks", .text(String(repeating: "x", count: 60_000)))) {
            if case .storage(.full, _) = $0 { true } else { false }
        }

        try FileManager.default.removeItem(at: ballast)
        _ = try await interview.answer("remarks", .text("After"))
        let late = try await interview.save()
        let list = try await olena.list()
        XCTAssertEqual(list.count, saved + 2)
        XCTAssertTrue(Set(list.map(\.id)).isSuperset(of: [first.record, late.record]))
    }

    /// A disk of its own with 14 MiB, gone at the test's end.
    private func smallDisk() throws -> URL {
        let disk = try madeFolder("disk", self)
        guard run("mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", disk.path) == 0 else {
            throw XCTSkip("a small disk can be made by root of a Linux only (mount -t tmpfs)")
        }
        addTeardownBlock { XCTAssertEqual(self.run("umount", "-l", disk.path), 0) }
        return disk
    }

    private func fill(_ ballast: URL) throws {
        try Data().write(to: ballast)
        let file = try FileHandle(forWritingTo: ballast)
        let some = Data(count: 64 * 1_024)
        while (try? file.write(contentsOf: some)) != nil {}
        try? file.close()
    }

    private func run(_ words: String...) -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
