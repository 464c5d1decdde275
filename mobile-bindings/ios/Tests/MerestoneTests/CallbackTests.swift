import Foundation
import Merestone
import XCTest

/// What the app's own code throws, asks and answers while Rust calls it.
final class CallbackTests: XCTestCase {
    private struct Broken: Error {}

    func test_a_vault_that_throws_gives_typed_errors_and_the_phone_goes_on() async throws {
        let vault = TestVault()
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self, vault: vault)
        try await olena.phone.observers.lock()
        vault.before { throw KeyVaultError.refused(reason: "no finger was shown") }
        let refused = try await olena.phone.observers.unlock(olena.observer, vault: vault)
        guard case .stillLocked(let reason) = refused else { return XCTFail("\(refused)") }
        XCTAssertTrue(reason.hasSuffix("no finger was shown"), reason)
        vault.before { throw Broken() }
        let unknown = try await olena.phone.observers.unlock(olena.observer, vault: vault)
        guard case .stillLocked(let why) = unknown else { return XCTFail("\(unknown)") }
        XCTAssertTrue(why.hasSuffix("the vault threw Broken"), why)
        vault.before { throw KeyVaultError.gone(reason: "the key was made void") }
        await assertThrows(try await olena.phone.observers.unlock(olena.observer, vault: vault)) {
            if case .provider(isGone: true, _) = $0 { true } else { false }
        }
        await assertThrows(try await olena.save("Bridge"), \.isLocked)
        vault.before(nil)
        let unlocked = try await olena.phone.observers.unlock(olena.observer, vault: vault)
        XCTAssertEqual(unlocked, .unlocked)
        try await olena.save("Bridge")
        let list = try await olena.list()
        XCTAssertEqual(list.map(\.title), ["Bridge"])
    }

    func test_a_vault_that_is_refused_while_enrolling_leaves_no_observer_behind() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let vault = TestVault()
        vault.before { throw KeyVaultError.refused(reason: "no") }
        let asked = Asked(observer: "Piotr", device: "phone")
        await assertThrows(try await olena.phone.observers.request(asked, vault: vault), \.isProvider)
        let here = try await olena.phone.observers.all()
        XCTAssertEqual(here.count, 1)
    }

    func test_callbacks_may_call_the_phone_while_rust_waits_for_them() async throws {
        let asking = AskingBack()
        let olena = try await TestPhone.make(
            "Olena", TestMission.shared(), self, settings: PhoneSettings(location: asking))
        asking.phone = olena.phone
        try await interview(olena, "Bridge")
        XCTAssertFalse(asking.seen.all.isEmpty, "the location was asked")
    }

    func test_a_clock_a_place_and_a_link_that_throw_keep_nothing_from_being_saved() async throws {
        let broken = Nothing()
        let settings = PhoneSettings(clock: broken, location: broken, connectivity: broken)
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self, settings: settings)
        let saved = try await interview(olena, "Bridge")
        let steps = try await olena.phone.records.history(saved.record)
        XCTAssertEqual(steps.map(\.place), [nil])
        XCTAssertGreaterThan(try XCTUnwrap(steps.first?.wall), Date(timeIntervalSince1970: 1_577_836_800))
    }

    func test_a_clock_of_the_app_is_what_an_entry_says() async throws {
        let time = Date(timeIntervalSince1970: 1_772_445_600)
        let clock = Fixed(
            ClockReading(
                wall: time, uptimeMs: 5_000, boot: Data(repeating: 7, count: 8), offsetMin: 180, source: .satellite))
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self, settings: PhoneSettings(clock: clock))
        let saved = try await olena.save("Bridge")
        let steps = try await olena.phone.records.history(saved.record)
        let step = try XCTUnwrap(steps.first)
        XCTAssertTrue((0..<60).contains(try XCTUnwrap(step.wall).timeIntervalSince(time)))
        XCTAssertEqual(step.offsetMin, 180)
        XCTAssertEqual(step.clockSource, .satellite)
    }

    func test_every_reader_begins_with_everything_hears_of_a_save_and_a_slow_one_hears_the_sum() async throws {
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        var slow = olena.phone.changes().makeAsyncIterator()
        var quick = olena.phone.changes().makeAsyncIterator()
        let begun = try await quick.next()
        XCTAssertEqual(begun, Change(records: [], isEverything: true, hasStatements: true))
        var saved: Set<RecordID> = []
        for number in 0..<5 { saved.insert(try await olena.save("Post \(number)").record) }
        let first = try await quick.next()
        XCTAssertEqual(first?.isEverything, false)
        XCTAssertTrue(saved.isSuperset(of: try XCTUnwrap(first?.records)))
        var heard: Set<RecordID> = []
        while heard != saved {
            guard let change = try await slow.next() else { return XCTFail("it ended before all was told: \(heard)") }
            heard.formUnion(change.records)
        }
    }

    func test_readers_of_changes_end_with_the_phone_and_later_ones_are_told_that_it_is_closed() async throws {
        for isWiped in [false, true] {
            let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
            let events = olena.phone.changes()
            let reading = Task { try await events.reduce(into: []) { $0.append($1) } }
            try await Task.sleep(for: .milliseconds(100))
            try await olena.phone.pause()
            await assertThrows(try await olena.phone.changes().first { _ in true }, \.isPaused)
            try await olena.phone.resume()
            let saved = try await olena.save("After a pause")
            try await Task.sleep(for: .milliseconds(500))
            if isWiped { try await olena.phone.wipe() } else { try await olena.phone.close() }
            let heard = try await reading.value
            XCTAssertEqual(heard.first?.isEverything, true)
            XCTAssertEqual(heard.last?.records, [saved.record])
            await assertThrows(try await olena.phone.changes().first { _ in true }, \.isClosed)
        }
    }

    func test_the_log_names_nobody() async throws {
        let lines = Lines()
        MerestoneLibrary.log(to: lines)
        let olena = try await TestPhone.make("Olena", TestMission.shared(), self)
        let saved = try await olena.save("Bridge")
        try await olena.phone.close()
        // What is left is told before the sink is let go.
        MerestoneLibrary.log(to: nil)
        let told = ["Olena", "Bridge", olena.observer.hex, saved.record.hex, "correct horse"]
        for line in lines.told.all {
            for name in told { XCTAssertFalse(line.contains(name), line) }
        }
    }

    func test_secrets_show_in_no_text() {
        let (passphrase, key) = (Passphrase("correct horse"), StoreKey(Data(repeating: 65, count: 32)))
        var dumped = ""
        dump(passphrase, to: &dumped)
        dump(PhoneHome(folder: URL(fileURLWithPath: "/a"), marker: URL(fileURLWithPath: "/b"), storeKey: key), to: &dumped)
        for text in [dumped, "\(passphrase)", String(reflecting: passphrase), "\(key)", String(reflecting: key)] {
            XCTAssertFalse(text.contains("horse") || text.contains("32 bytes") || text.contains("65"), text)
        }
    }

    @discardableResult
    private func interview(_ phone: TestPhone, _ post: String) async throws -> Saved {
        let form = try await phone.inspection()
        let interview = try await phone.phone.drafts.begin(phone.observer, scope: phone.mission.scope, form: form.hash)
        _ = try await interview.answer("post", .text(post))
        return try await interview.save()
    }
}

/// Asks the phone for its records when it is asked for the place.
private final class AskingBack: LocationProvider, @unchecked Sendable {
    let seen = Tally<Int>()
    var phone: (any Phone)?

    func locate() throws -> Place? {
        guard let phone else { return nil }
        let done = DispatchSemaphore(value: 0)
        Task.detached { [seen] in
            let page = try? await phone.records.page(RecordQuery(), after: nil, max: 10)
            seen.add(page?.lines.count ?? -1)
            done.signal()
        }
        XCTAssertEqual(done.wait(timeout: .now() + 10), .success, "the phone did not answer while it waited for the place")
        return nil
    }
}

private final class Nothing: ClockProvider, LocationProvider, ConnectivityProvider {
    private struct NoReading: Error {}

    func read() throws -> ClockReading { throw NoReading() }
    func locate() throws -> Place? { throw NoReading() }
    func hint() throws -> LinkHint { throw NoReading() }
}

private final class Fixed: ClockProvider {
    private let reading: ClockReading

    init(_ reading: ClockReading) {
        self.reading = reading
    }

    func read() throws -> ClockReading { reading }
}

private final class Lines: LogSink {
    let told = Tally<String>()

    func log(_ level: LogLevel, _ line: String) { told.add(line) }
}
