import Foundation
import XCTest

/// The lines of `mobile-bindings/screens.tsv`, which the screens of all languages are held to.
struct ScreensTable {
    private static let tables: Set = ["custody", "record", "meeting", "loss", "wipe", "trouble", "walk"]

    private let lines: [[String]]

    /// Reads it beside the package, or in it where that was copied.
    init() throws {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let places = [package, package.deletingLastPathComponent()].map { $0.appendingPathComponent("screens.tsv") }
        let file = try XCTUnwrap(places.first { FileManager.default.fileExists(atPath: $0.path) })
        lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
        XCTAssertEqual(Set(lines.map { $0[0] }), Self.tables)
    }

    /// The lines of one table, without its name.
    func lines(_ table: String, columns: Int) -> [[String]] {
        let found = lines.filter { $0[0] == table }.map { Array($0.dropFirst()) }
        XCTAssertFalse(found.isEmpty, "\(table) has no lines")
        for line in found { XCTAssertEqual(line.count, columns, "\(table): \(line)") }
        return found.filter { $0.count == columns }
    }
}

/// What stands in one column.
extension String {
    /// `yes` or `no`.
    var truth: Bool {
        XCTAssertTrue(["yes", "no"].contains(self), "neither yes nor no: \(self)")
        return self == "yes"
    }

    /// Several of one kind.
    var several: [String] { self == "-" ? [] : components(separatedBy: " | ") }

    var number: Int {
        guard let number = Int(self) else {
            XCTFail("no number: \(self)")
            return -1
        }
        return number
    }
}

extension [String] {
    /// All of them in one column.
    var column: String { isEmpty ? "-" : joined(separator: " | ") }
}

/// The word of the table for a case of an enumeration: `onlyHere` is `only-here`.
func word<T>(_ value: T) -> String {
    "\(value)".reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : String($1) }
}
