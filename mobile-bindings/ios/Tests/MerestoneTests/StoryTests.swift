import Foundation
import Merestone
import XCTest

/// Two inspectors' day, with real programs for the officer, base camp and the auditor.
final class StoryTests: XCTestCase {
    private static let here = Place(latitudeE7: 511_234_567, longitudeE7: 238_000_000, accuracyM: 8, source: .satellite)

    func test_what_two_phones_saved_without_a_network_is_merged_resolved_handed_over_and_passes_the_audit() async throws {
        let mission = try TestMission(madeFolder("office", self))
        let settings = PhoneSettings(offsetMin: 120, location: Standing(place: Self.here))
        let olena = try await TestPhone.make("Olena", mission, self, settings: settings)
        let piotr = try await TestPhone.make("Piotr", mission, self, vault: TestVault())
        let record = try await inspectWithPhoto(olena)
        try await meetOnLoopback(host: olena, guest: piotr)
        for (phone, remark) in [(olena, "quiet"), (piotr, "very quiet")] {
            let edit = try await phone.phone.drafts.beginEdit(phone.observer, record: record)
            _ = try await edit.answer("remarks", .text(remark))
            _ = try await edit.save()
        }
        try await meetOnLoopback(host: piotr, guest: olena)
        try await resolve(olena, piotr, record)
        try await handOver(olena, piotr, record)
        try await carryOnAStick(olena, piotr)
        try await writeBag(olena)
    }

    private func inspectWithPhoto(_ olena: TestPhone) async throws -> RecordID {
        let photo = try Fixtures.photo("phones/jolla.jpg")
        let form = try await olena.inspection()
        let interview = try await olena.phone.drafts.begin(olena.observer, scope: olena.mission.scope, form: form.hash)
        let missing = try await interview.problems()
        XCTAssertFalse(missing.isEmpty, "a post is required")
        let answered = try await interview.answer("post", .text("Bridge over the river"))
        XCTAssertEqual(answered.screen?.answer, .text("Bridge over the river"))
        _ = try await interview.answerTyped("day", "2026-03-02")
        _ = try await interview.answerTyped("status", "open")
        let wrong = try await interview.answer("queue_low", .number(-1))
        XCTAssertEqual(wrong.screen?.problem?.key, "queue_low")
        _ = try await interview.answer("queue_low", .number(12))
        let arabic = try await interview.info().form.languages.firstIndex { $0.code == "ar" }
        try await interview.speak(arabic)
        let labels = try await interview.allScreens().reduce(into: []) { $0.append($1.label) }
        XCTAssertTrue(labels.contains("المركز الحدودي"), "\(labels)")
        let attached = try await interview.attach(PhotoFile(file: photo, caption: "Queue", isAppCaptured: true))
        XCTAssertEqual(attached.warnings, [])
        let shared = try Fixtures.photo("orientation/landscape-6.jpg")
        let other = try await interview.attach(PhotoFile(file: shared))
        XCTAssertEqual(other.warnings, ["location-may-be-removed"])
        try await interview.detach(other.row)
        let draft = try await interview.info().draft
        try await interview.leave()

        let resumed = try await olena.phone.drafts.goOn(draft)
        let found = try await resumed.find("queue_low")
        let at = try XCTUnwrap(found)
        let screens = try await resumed.screens(from: at, max: 1)
        XCTAssertEqual(screens.map(\.answer), [.number(12)])
        let saved = try await resumed.save()
        let left = try await olena.phone.drafts.all()
        XCTAssertEqual(left, [])
        try await assertKept(saved.record, photo, olena)
        return saved.record
    }

    private func assertKept(_ record: RecordID, _ photo: URL, _ olena: TestPhone) async throws {
        let held = try await olena.phone.records.sheet(record)
        let sheet = try XCTUnwrap(held)
        XCTAssertEqual(sheet.creator?.observer, "Olena")
        let arabic = try await olena.inspection().languages.firstIndex { $0.code == "ar" }
        let inArabic = try await olena.phone.records.sheet(record, language: arabic)
        XCTAssertEqual(inArabic?.answers.first { $0.key == "post" }?.label, "المركز الحدودي")
        XCTAssertEqual(sheet.answers.first { $0.key == "status" }?.values.map(\.shown), ["Open"])
        XCTAssertEqual(sheet.photos.map(\.captions), [["Queue"]])
        let kept = try XCTUnwrap(sheet.photos.first)
        let bytes = try Data(contentsOf: photo)
        XCTAssertEqual(kept.bytes, UInt64(bytes.count))
        let small = try await olena.phone.photos.picture(XCTUnwrap(kept.thumbnail))
        XCTAssertTrue((1...300_000).contains(small?.count ?? 0))
        let copy = try madeFolder("copy", self).appendingPathComponent("photo.jpg")
        try await olena.phone.photos.save(kept.original, to: copy)
        XCTAssertEqual(try Data(contentsOf: copy), bytes)
        let steps = try await olena.phone.records.history(record)
        XCTAssertEqual(steps.map(\.place), [Self.here])
        let custody = try await olena.phone.records.custody(of: record)
        XCTAssertTrue(custody.allSatisfy(\.isOnlyHere) && custody.count == 1)
    }

    private func meetOnLoopback(host: TestPhone, guest: TestPhone) async throws {
        let answering = try await host.phone.sync.answer(host.observer, address: "127.0.0.1:0", isAdvertised: false)
        let ticket = try await answering.ticket(name: "A phone").text
        var last: SyncEvent?
        for try await event in guest.phone.sync.meet(guest.observer, .ticket(ticket)) { last = event }
        guard case .ended(let report) = last else { return XCTFail("no report but \(String(describing: last))") }
        XCTAssertTrue(report.isFullySynced, "\(report)")
        let name = try await host.phone.observers.all().first?.name
        XCTAssertEqual(report.state.peer?.observer, name)
        let callers = try await answering.callers()
        XCTAssertEqual(callers.count, 1)
        try await answering.stop()
    }

    private func resolve(_ olena: TestPhone, _ piotr: TestPhone, _ record: RecordID) async throws {
        for phone in [olena, piotr] {
            let page = try await phone.phone.records.page(RecordQuery(hasConflict: true), after: nil, max: 10)
            XCTAssertEqual(page.lines.map(\.id), [record])
            let conflicts = try await phone.phone.records.sheet(record)?.conflicts ?? []
            XCTAssertEqual(conflicts.map(\.key), ["remarks"])
            XCTAssertEqual(Set(conflicts.flatMap(\.values).map(\.observer)), ["Olena", "Piotr"])
        }
        _ = try await piotr.phone.records.resolve(
            piotr.observer, record: record, key: "remarks", answer: .text("quiet"))
        let speech = Speech(record: record, kind: .concurrence, text: "as I saw it")
        _ = try await piotr.phone.records.say(piotr.observer, speech)
        try await meetOnLoopback(host: olena, guest: piotr)
        let sheet = try await olena.phone.records.sheet(record)
        let settled = sheet?.answers.first { $0.key == "remarks" }?.values ?? []
        XCTAssertEqual(settled.map(\.answer), [.text("quiet")])
        XCTAssertEqual(settled.map(\.observer), ["Piotr"])
        let history = try await olena.phone.records.history(record)
        XCTAssertTrue(history.contains { $0.changes.contains(where: \.settlesConflict) })
        XCTAssertTrue(history.contains { $0.kind == "concurrence" && $0.text == "as I saw it" })
    }

    private func handOver(_ olena: TestPhone, _ piotr: TestPhone, _ record: RecordID) async throws {
        let camp = try olena.mission.camp()
        defer { camp.running.stop() }
        let report = try await olena.phone.sync.meetOnce(olena.observer, .ticket(camp.ticket))
        XCTAssertTrue(report.isFullySynced, "\(report)")
        XCTAssertNil(report.noReceipt)
        XCTAssertEqual(report.state.peer?.role, "camp")
        let custody = try await olena.phone.records.custody(of: record)
        XCTAssertFalse(custody.isEmpty)
        XCTAssertTrue(custody.allSatisfy { $0.isHandedOver && !$0.isOnlyHere }, "\(custody)")
        let other = try await piotr.phone.sync.meetOnce(piotr.observer, .address(camp.address))
        XCTAssertTrue(other.isFullySynced, "\(other)")
    }

    private func carryOnAStick(_ olena: TestPhone, _ piotr: TestPhone) async throws {
        let alone = try await olena.save("Only on a stick")
        let stick = try madeFolder("stick", self).appendingPathComponent("north.courier")
        let written = try await olena.phone.courier.write(
            olena.observer, CourierOrder(file: stick, withoutOriginals: true))
        XCTAssertEqual(written.bytes, UInt64(try Data(contentsOf: stick).count))
        let maker = try await piotr.phone.courier.inspect(stick).makerObserver
        XCTAssertEqual(maker, "Olena")
        let (first, second) = try await (
            piotr.phone.courier.read(piotr.observer, stick), piotr.phone.courier.read(piotr.observer, stick)
        )
        XCTAssertEqual([first.entriesNew, second.entriesNew], [1, 0])
        let post = try await piotr.phone.records.sheet(alone.record)?.answers.first { $0.key == "post" }
        XCTAssertEqual(post?.values.map(\.answer), [.text("Only on a stick")])
    }

    private func writeBag(_ olena: TestPhone) async throws {
        let bag = try madeFolder("evidence", self).appendingPathComponent("bag")
        let written = try await olena.phone.bags.write(to: bag)
        XCTAssertEqual(written.photos, 3, "the camera's file, a preview and a thumbnail")
        let id = olena.mission.id
        XCTAssertTrue(try Programs.audit(olena.mission.office, bag, id.hex).contains("PASSED"))
        let passed = try await MerestoneLibrary.audit(bag, mission: id)
        XCTAssertEqual(passed.verdict, .passed)
        try spoilLargestFile(of: bag)
        let forged = try await MerestoneLibrary.audit(bag, mission: id)
        XCTAssertEqual(forged.verdict, .failed)
        let code = try XCTUnwrap(forged.findings.first?.code)
        XCTAssertEqual(MerestoneLibrary.explain(code)?.code, code)
    }

    private func spoilLargestFile(of bag: URL) throws {
        let files = FileManager.default.enumerator(at: bag, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL }
        let sized = (files ?? []).compactMap { file in (try? Data(contentsOf: file)).map { (file, $0) } }
        let (photo, bytes) = try XCTUnwrap(sized.max { $0.1.count < $1.1.count })
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: photo.path)
        try (bytes + Data([0])).write(to: photo)
    }
}

private final class Standing: LocationProvider {
    private let place: Place

    init(place: Place) {
        self.place = place
    }

    func locate() throws -> Place? { place }
}
