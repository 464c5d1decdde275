import Foundation
import XCTest

/// The project's own programs, as an officer, a base camp and an auditor use them.
enum Programs {
    static let passphrase = "correct horse battery staple"

    private static let folder = ProcessInfo.processInfo.environment["MERESTONE_BIN"] ?? ""

    /// Runs `merestone` to its end and gives what it printed as JSON.
    static func merestone(_ work: URL, _ words: String...) throws -> Json {
        try Json(finished("merestone", work, words + ["--json"]))
    }

    /// Runs `merestone-audit` on a bag and gives its whole report as text.
    static func audit(_ work: URL, _ bag: URL, _ mission: String) throws -> String {
        try finished("merestone-audit", work, [bag.path, "--mission", mission])
    }

    /// Starts `merestone` and leaves it running.
    static func start(_ work: URL, _ words: String...) throws -> Running {
        try Running(prepared("merestone", work, words))
    }

    private static func finished(_ program: String, _ work: URL, _ words: [String]) throws -> String {
        let process = try prepared(program, work, words)
        let (printed, said) = (Pipe(), work.appendingPathComponent("\(program).stderr"))
        process.standardOutput = printed
        try Data().write(to: said)
        process.standardError = try FileHandle(forWritingTo: said)
        try process.run()
        let text = String(decoding: printed.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let why = try String(contentsOf: said, encoding: .utf8)
        XCTAssertEqual(process.terminationStatus, 0, "\(program) \(words)\n\(why)")
        return text
    }

    private static func prepared(_ program: String, _ work: URL, _ words: [String]) throws -> Process {
        let secret = work.appendingPathComponent("passphrase")
        if !FileManager.default.fileExists(atPath: secret.path) {
            try Data("\(passphrase)\n".utf8).write(to: secret)
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: folder).appendingPathComponent(program)
        process.arguments = words
        process.currentDirectoryURL = work
        process.standardInput = FileHandle.nullDevice
        process.environment = ProcessInfo.processInfo.environment
            .merging(["MERESTONE_PASSPHRASE_FILE": secret.path]) { _, own in own }
        return process
    }
}

/// A program that goes on until it is stopped.
final class Running {
    private let process: Process
    private let printed = Pipe()

    init(_ process: Process) throws {
        self.process = process
        process.standardOutput = printed
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// The next line that it prints as JSON.
    func line() -> Json {
        var bytes = Data()
        while let byte = try? printed.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8) {
            bytes += byte
        }
        return Json(String(decoding: bytes, as: UTF8.self))
    }

    func stop() {
        // On Linux a child has the signals blocked that its parent's thread blocks, so it would not hear a polite word.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// What a program printed as JSON; the tests look at single texts of it only.
struct Json: CustomStringConvertible {
    let description: String

    init(_ text: String) {
        description = text
    }

    /// The first value of this name, as text without quotes.
    func first(_ name: String) -> String {
        guard let found = description.range(of: "\"\(name)\":") else {
            XCTFail("no \(name) in \(self)")
            return ""
        }
        return String(description[found.upperBound...].drop { $0 == "\"" }.prefix { !"\",}".contains($0) })
    }

    /// What stands between `begin` and `end`, where that is first.
    func between(_ begin: String, _ end: String) -> String {
        guard let from = description.range(of: begin),
            let to = description.range(of: end, range: from.upperBound..<description.endIndex)
        else {
            XCTFail("no \(begin)…\(end) in \(self)")
            return ""
        }
        return String(description[from.upperBound..<to.lowerBound])
    }
}

/// A folder of its own.
func makeFolder(_ name: String) throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("merestone-\(name)-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
}

/// A folder of its own, which the test's end removes.
func madeFolder(_ name: String, _ test: XCTestCase) throws -> URL {
    let folder = try makeFolder(name)
    test.addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
    return folder
}
