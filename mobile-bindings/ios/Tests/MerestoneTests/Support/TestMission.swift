import Foundation
import Merestone
import XCTest

/// A mission of two parties, founded with the officers' own program.
struct TestMission {
    /// Where the officers' files lie.
    let office: URL
    /// What a new phone is made with.
    let charter: Data
    let id: MissionID
    let scope: ScopeID

    /// One for all tests that do not change it: founding takes seconds.
    static func shared() throws -> TestMission { try made.get() }

    private static let made = Result {
        // Removed by the last test's process, when it ends.
        atexit { if let mission = try? TestMission.shared() { try? FileManager.default.removeItem(at: mission.office) } }
        return try TestMission(makeFolder("office"))
    }

    init(_ office: URL) throws {
        self.office = office
        let (a, b) = try (Self.key("a.key", office), Self.key("b.key", office))
        let ledger = try Self.key("ledger.key", office)
        let founded = try Programs.merestone(
            office, "mission", "found", "--name", "Border", "--party", "State A=\(a)", "--party", "State B=\(b)",
            "--scope", "North", "--ledger", "border.example/ledger=\(ledger)", "--key", "a.key", "--out",
            "charter.cbor")
        _ = try Programs.merestone(office, "mission", "sign", "charter.cbor", "--key", "b.key")
        id = MissionID(founded.first("mission"))
        scope = ScopeID(founded.between("\"scopes\":[{\"id\":\"", "\""))
        charter = try Data(contentsOf: office.appendingPathComponent("charter.cbor"))
    }

    /// What the officer of party A answers a request with.
    func certify(_ enrolment: Enrolment) throws -> String {
        let request = "\(enrolment.key).request"
        try Data(enrolment.text.utf8).write(to: office.appendingPathComponent(request))
        return try certify(request, enrolment.words.joined(separator: " "), "a.key", "observer")
    }

    /// Makes a base camp with the mission's ledger and starts it.
    func camp() throws -> (ticket: String, address: String, running: Running) {
        _ = try Programs.merestone(office, "device", "init", "charter.cbor", "--home", "camp")
        let asked = try Programs.merestone(
            office, "device", "request", "--observer", "Base camp", "--device", "laptop", "--home", "camp", "--out",
            "camp.request")
        let words = asked.between("\"words\":[", "]").replacingOccurrences(of: "\"", with: "")
        _ = try certify("camp.request", words.replacingOccurrences(of: ",", with: " "), "b.key", "camp")
        _ = try Programs.merestone(office, "device", "accept", "camp.request.certificate", "--home", "camp")
        let running = try Programs.start(
            office, "serve", "--home", "camp", "--listen", "127.0.0.1:0", "--ledger-key", "ledger.key", "--quiet",
            "--json")
        let ready = running.line()
        return (ready.first("ticket_text"), ready.first("address"), running)
    }

    private func certify(_ request: String, _ words: String, _ key: String, _ role: String) throws -> String {
        _ = try Programs.merestone(
            office, "roster", "certify", request, "--role", role, "--charter", "charter.cbor", "--key", key, "--words",
            words, "--out", "\(request).certificate")
        return try String(contentsOf: office.appendingPathComponent("\(request).certificate"), encoding: .utf8)
    }

    private static func key(_ file: String, _ office: URL) throws -> String {
        try Programs.merestone(office, "mission", "key", "--out", file).first("key")
    }
}

/// Photos of the external fixture set.
enum Fixtures {
    /// A photo of the set; where there is no set, the test says so and is skipped.
    static func photo(_ name: String) throws -> URL {
        let set = ProcessInfo.processInfo.environment["MERESTONE_SHARED"] ?? "../shared"
        let photo = URL(fileURLWithPath: set).appendingPathComponent("fixtures/photos/\(name)")
        guard FileManager.default.fileExists(atPath: photo.path) else {
            throw XCTSkip("the external fixture set is absent; set MERESTONE_SHARED")
        }
        return photo
    }
}
