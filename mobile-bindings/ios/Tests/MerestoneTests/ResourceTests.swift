import Foundation
import XCTest

@testable import Merestone

/// What the package carries beside code.
final class ResourceTests: XCTestCase {
    func test_the_licences_of_what_is_inside_are_there_to_be_shown() throws {
        let page = try String(contentsOf: XCTUnwrap(MerestoneLibrary.licences), encoding: .utf8)
        for named in ["automerge ", "SQLite", "Apache License"] { XCTAssertTrue(page.contains(named), named) }
        XCTAssertFalse(page.contains("Kotlin"), "the page is another package's")
    }

    func test_the_privacy_manifest_gives_reasons_for_what_is_looked_at() throws {
        let file = try XCTUnwrap(Bundle.module.url(forResource: "PrivacyInfo", withExtension: "xcprivacy"))
        let plist = try PropertyListSerialization.propertyList(from: Data(contentsOf: file), format: nil)
        let manifest = try XCTUnwrap(plist as? [String: Any])
        XCTAssertEqual(manifest["NSPrivacyTracking"] as? Bool, false)
        let reasons = try XCTUnwrap(manifest["NSPrivacyAccessedAPITypes"] as? [[String: Any]]).map {
            ($0["NSPrivacyAccessedAPIType"] as? String, $0["NSPrivacyAccessedAPITypeReasons"] as? [String])
        }
        let wanted = [
            "FileTimestamp": ["C617.1", "3B52.1"], "SystemBootTime": ["35F9.1"], "DiskSpace": ["E174.1", "85F4.1"],
        ]
        XCTAssertEqual(reasons.count, wanted.count)
        for (kind, codes) in wanted {
            XCTAssertTrue(reasons.contains { $0 == "NSPrivacyAccessedAPICategory\(kind)" && $1 == codes }, kind)
        }
    }
}
