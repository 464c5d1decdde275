import Foundation
import Merestone
import XCTest

/// Another process with the same library, see `Tests/OtherProcess`.
final class OtherProcess {
    private let process = Process()
    private let (printed, heard) = (Pipe(), Pipe())

    init(_ words: String..., at home: PhoneHome) throws {
        // Beside the tests, where the package manager puts whatever it builds.
        let tests = Bundle(for: OtherProcess.self).bundleURL
        let folder = tests.pathExtension == "xctest" ? tests.deletingLastPathComponent() : tests
        process.executableURL = folder.appendingPathComponent("OtherProcess")
        process.arguments = [words[0], home.folder.path] + words.dropFirst()
        process.standardInput = heard
        process.standardOutput = printed
        try process.run()
    }

    /// The next line that it prints; empty when it ended.
    func line() -> String {
        var bytes = Data()
        while let byte = try? printed.fileHandleForReading.read(upToCount: 1), !byte.isEmpty, byte != Data("\n".utf8) {
            bytes += byte
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Lets it go on where it waits for a line.
    func goOn() throws {
        try heard.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
    }

    /// What it holds in KiB, see ``Measures``.
    func residentKib(peak: Bool = false) -> Int? { Measures.residentKib(of: process.processIdentifier, peak: peak) }

    /// What it printed until it ended, whole lines only.
    func rest() -> [String] {
        let text = String(decoding: printed.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    /// Ends it as the system ends an app: without a word. What it printed can still be read.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
