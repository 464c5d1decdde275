import Foundation
import Merestone
import XCTest

/// A phone with one observer who is certified and unlocked.
struct TestPhone {
    let mission: TestMission
    let home: PhoneHome
    let phone: any Phone
    let observer: ObserverKey

    /// A new phone, closed at the test's end.
    static func make(
        _ name: String, _ mission: TestMission, _ test: XCTestCase, vault: (any KeyVault)? = nil,
        settings: PhoneSettings = PhoneSettings(offsetMin: 120), folder: URL? = nil
    ) async throws -> TestPhone {
        let folder = try (folder ?? madeFolder("phone", test)).appendingPathComponent("store")
        let home = PhoneHome.beside(folder, storeKey: StoreKey(Data(count: 32)))
        let phone = try await MerestoneLibrary.create(home, charter: mission.charter, settings: settings)
        test.addTeardownBlock { try await phone.close() }
        let asked = Asked(observer: name, device: "\(name)'s phone")
        let enrolment: Enrolment
        if let vault {
            enrolment = try await phone.observers.request(asked, vault: vault)
        } else {
            enrolment = try await phone.observers.request(asked, passphrase: Passphrase(Programs.passphrase))
        }
        _ = try await phone.observers.accept(mission.certify(enrolment))
        return TestPhone(mission: mission, home: home, phone: phone, observer: enrolment.key)
    }

    /// The same phone, opened and unlocked anew.
    func reopened() async throws -> TestPhone {
        let again = try await MerestoneLibrary.open(home)
        _ = try await again.observers.unlock(observer, passphrase: Passphrase(Programs.passphrase))
        return TestPhone(mission: mission, home: home, phone: again, observer: observer)
    }

    /// The form that the tests fill.
    func inspection() async throws -> Form {
        let all = try await phone.forms.all()
        return try XCTUnwrap(all.first { $0.kind == "inspection" })
    }

    /// Saves an inspection of a post in one call.
    @discardableResult
    func save(_ post: String, _ more: [String: Answer] = [:]) async throws -> Saved {
        let answers = ["post": Answer.text(post), "day": .text("2026-03-02")].merging(more) { _, own in own }
        return try await phone.drafts.saveNew(
            observer, scope: mission.scope, form: inspection().hash, answers: answers)
    }

    func list() async throws -> [RecordSummary] {
        try await phone.records.all().reduce(into: []) { $0.append($1) }
    }

    /// Files under the phone's folder that this process has open.
    func openFiles() -> [String] {
        let folder = home.folder.resolvingSymlinksInPath().path + "/"
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return open.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)") }
            .filter { $0.hasPrefix(folder) }
    }
}

/// Asserts that a call throws an error of ours that `isWanted` accepts.
func assertThrows<T>(
    _ call: @autoclosure () async throws -> T, _ isWanted: (MerestoneError) -> Bool, _ file: StaticString = #filePath,
    _ line: UInt = #line
) async {
    do {
        _ = try await call()
        XCTFail("nothing was thrown", file: file, line: line)
    } catch let error as MerestoneError {
        XCTAssertTrue(isWanted(error), "\(error)", file: file, line: line)
    } catch {
        XCTFail("\(error)", file: file, line: line)
    }
}

extension MerestoneError {
    var isClosed: Bool { if case .closed(isPaused: false, _) = self { true } else { false } }
    var isPaused: Bool { if case .closed(isPaused: true, _) = self { true } else { false } }
    var isLocked: Bool { if case .locked = self { true } else { false } }
    var isNotThere: Bool { if case .notThere = self { true } else { false } }
    var isRefused: Bool { if case .refused = self { true } else { false } }
    var isProvider: Bool { if case .provider(isGone: false, _) = self { true } else { false } }
    var isInUse: Bool { if case .storage(.inUse, _) = self { true } else { false } }
}
