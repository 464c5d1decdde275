import Foundation
import Merestone
import XCTest

/// Texts, paths and keys as they should not be: each gives a typed error, and the phone goes on.
final class HostileInputTests: XCTestCase {
    func test_texts_of_every_kind_come_back_as_they_were_but_for_what_nobody_sees() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let half = String(decoding: [0x61, 0xd83d, 0x62] as [UInt16], as: UTF16.self)
        let kept = [
            "Bridge\0Bridge": "BridgeBridge", "\u{202e}eegdirB": "eegdirB", "a\r\nb\tc": "a\nbc", half: "a\u{fffd}b",
            String(repeating: "e\u{301}", count: 100): String(repeating: "\u{e9}", count: 100),
            String(repeating: "😀", count: 500): String(repeating: "😀", count: 500),
        ]
        for (given, wanted) in kept {
            let saved = try await olena.save("Post", ["remarks": .text(given)])
            let sheet = try await olena.phone.records.sheet(saved.record)
            guard case .text(let text)? = sheet?.answers.first(where: { $0.key == "remarks" })?.values.first?.answer else {
                return XCTFail("\(given) is gone")
            }
            // Swift takes texts for the same that are spelt in other code points.
            XCTAssertEqual(Array(text.unicodeScalars), Array(wanted.unicodeScalars))
        }
        let long = Answer.text(String(repeating: "x", count: 30_000_000))
        await assertThrows(try await olena.save("Post", ["remarks": long]), \.isRefused)
        let form = try await olena.inspection()
        let interview = try await olena.phone.drafts.begin(olena.observer, scope: olena.mission.scope, form: form.hash)
        await assertThrows(try await interview.answer("remarks", long), \.isRefused)
        await assertThrows(try await interview.answer("no\0such", .blank), \.isRefusedOrAbsent)
        await assertThrows(try await interview.answerTyped("queue_low", "many"), \.isRefused)
        let list = try await olena.list()
        XCTAssertEqual(list.count, kept.count)
    }

    func test_ids_that_are_none_or_of_nothing_are_told_apart() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let phone = olena.phone
        let none = [
            "", "zz", zeros(63), String(repeating: "é", count: 64), zeros(1_000_000), String(repeating: "\0", count: 64),
        ]
        for text in none {
            await assertThrows(try await phone.records.sheet(RecordID(text)), \.isRefusedOrAbsent)
            await assertThrows(try await phone.photos.picture(PhotoHash(text)), \.isRefusedOrAbsent)
            await assertThrows(try await phone.drafts.goOn(DraftID(text)), \.isRefusedOrAbsent)
            await assertThrows(try await phone.observers.requested(ObserverKey(text)), \.isRefusedOrAbsent)
            await assertThrows(try await phone.observers.accept(text), \.isRefusedOrAbsent)
            await assertThrows(try await phone.sync.meetOnce(olena.observer, .ticket(text)), \.isRefusedOrAbsent)
        }
        let absent = zeros(64)
        let (sheet, picture) = try await (
            phone.records.sheet(RecordID(absent)), phone.photos.picture(PhotoHash(absent))
        )
        let (custody, history) = try await (
            phone.records.custody(of: EntryID(absent)), phone.records.history(RecordID(absent))
        )
        XCTAssertNil(sheet)
        XCTAssertNil(picture)
        XCTAssertNil(custody)
        XCTAssertEqual(history, [])
        await assertThrows(try await phone.drafts.goOn(DraftID(zeros(32))), \.isNotThere)
        let file = try madeFolder("none", self).appendingPathComponent("photo")
        await assertThrows(try await phone.photos.save(PhotoHash(absent), to: file), \.isNotThere)
    }

    func test_paths_that_lead_nowhere_and_files_that_are_no_photos_are_refused() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let form = try await olena.inspection()
        let interview = try await olena.phone.drafts.begin(olena.observer, scope: olena.mission.scope, form: form.hash)
        let odd = try madeFolder("odd", self)
        let text = odd.appendingPathComponent("text.jpg")
        try Data("no photo".utf8).write(to: text)
        for path in [odd.appendingPathComponent("absent.jpg"), odd, text, URL(fileURLWithPath: "/proc/self/mem")] {
            await assertThrows(try await interview.attach(PhotoFile(file: path)), \.isRefusedOrAbsent)
        }
        await assertThrows(try await olena.phone.courier.inspect(text), \.isRefusedOrAbsent)
        await assertThrows(try await olena.phone.forms.add(text, beside: []), \.isRefusedOrAbsent)
        await assertThrows(try await olena.phone.bags.write(to: text, scopes: nil)) {
            if case .internal = $0 { false } else { true }
        }
        await assertThrows(
            try await MerestoneLibrary.create(olena.home, charter: olena.mission.charter), \.isInUse)
        try await olena.phone.close()
        await assertThrows(
            try await MerestoneLibrary.create(olena.home, charter: olena.mission.charter), \.isRefused)
    }

    func test_photos_of_the_external_fixture_set_are_taken_or_refused_by_type_whatever_is_wrong_with_them() async throws {
        let folders = try ["odd", "formats"].map(Fixtures.photo)
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let form = try await olena.inspection()
        let interview = try await olena.phone.drafts.begin(olena.observer, scope: olena.mission.scope, form: form.hash)
        var refused: [String] = []
        let files = FileManager.default
        for photo in try folders.flatMap({ try files.contentsOfDirectory(at: $0, includingPropertiesForKeys: nil) }) {
            do {
                // A draft holds 32 at most.
                try await interview.detach(interview.attach(PhotoFile(file: photo)).row)
            } catch MerestoneError.refused(let code, _) {
                refused.append("\(photo.lastPathComponent): \(code)")
            }
        }
        XCTAssertEqual(refused, ["nom-compatible-brands-fail.heic: photo"])
    }

    func test_a_damaged_store_is_a_storage_error_and_no_crash() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        for number in 0..<50 { try await olena.save("Post \(number)") }
        try await olena.phone.close()
        let database = try FileHandle(forUpdating: olena.home.folder.appendingPathComponent("store/store.db"))
        let pages = try database.seekToEnd() / 4_096
        for page in stride(from: 1, to: pages, by: 2) {
            try database.seek(toOffset: page * 4_096)
            try database.write(contentsOf: Data(repeating: 0x5a, count: 2_048))
        }
        try database.close()
        await assertThrows(try await allOf(olena)) {
            if case .storage(.damaged, _) = $0 { true } else { false }
        }
    }

    func test_a_wrong_passphrase_and_a_key_that_is_not_here_are_told_apart() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        try await olena.phone.observers.lock()
        let wrong = try await olena.phone.observers.unlock(olena.observer, passphrase: Passphrase("wrong"))
        XCTAssertNotEqual(wrong, .unlocked)
        await assertThrows(try await olena.save("Bridge"), \.isLocked)
        let right = Passphrase(Programs.passphrase)
        await assertThrows(
            try await olena.phone.observers.unlock(ObserverKey(zeros(64)), passphrase: right), \.isNotThere)
        let unlocked = try await olena.phone.observers.unlock(olena.observer, passphrase: right)
        XCTAssertEqual(unlocked, .unlocked)
        await assertThrows(
            try await olena.phone.sync.meetOnce(
                olena.observer, .address("127.0.0.1:9"), options: SyncOptions(attemptsMax: 1))
        ) {
            if case .unreachable = $0 { true } else { false }
        }
    }

    private func zeros(_ count: Int) -> String { String(repeating: "0", count: count) }

    /// Reads everything of a phone that is closed, and saves on it.
    private func allOf(_ phone: TestPhone) async throws {
        let again = try await phone.reopened()
        addTeardownBlock { try await again.phone.close() }
        for line in try await again.list() { _ = try await again.phone.records.sheet(line.id) }
        try await again.save("On a damaged disk")
    }
}

extension MerestoneError {
    var isRefusedOrAbsent: Bool { isRefused || isNotThere }
}
