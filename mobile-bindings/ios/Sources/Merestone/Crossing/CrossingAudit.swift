import Foundation
internal import MerestoneCrossing

final class CrossingAuditReport: AuditReport {
    /// Records in a page: the library ends one earlier where they are large.
    private static let pageRecords: UInt32 = 100

    private let report: MerestoneCrossing.AuditReport
    let verdict: Verdict

    init(_ report: MerestoneCrossing.AuditReport) throws {
        self.report = report
        verdict = try Verdict(report.verdict())
    }

    var findings: [Finding] { report.findings().map(Finding.init) }
    var hasRecords: Bool { report.hasRecords() }

    func text() -> String { report.text() }
    func json() -> String { report.json() }
    func html() -> String { report.html() }

    func records() -> AsyncThrowingStream<String, any Error> {
        let pages = Pages { [report] mark in
            let page = try await crossing { try await report.records(after: mark, recordsMax: Self.pageRecords) }
            return (page.records, page.next)
        }
        return AsyncThrowingStream { try await pages.next() }
    }

    func record(_ record: RecordID) async throws -> String? {
        try await crossing { try await report.record(id: record.hex) }
    }
}

extension MerestoneCrossing.AuditOptions {
    init(_ options: AuditOptions) {
        self.init(isFast: options.isFast, recordsMax: UInt32(of: options.recordsMax))
    }
}

extension Verdict {
    init(_ verdict: String) throws {
        switch verdict {
        case "PASSED": self = .passed
        case "FAILED": self = .failed
        case "INDETERMINATE": self = .indeterminate
        default: throw MerestoneError.internal(reason: "the library gave a verdict that this package does not know")
        }
    }
}

extension Finding {
    init(_ line: MerestoneCrossing.FindingLine) {
        self.init(code: line.code, weight: line.weight, place: line.place, says: line.says)
    }
}

extension Explanation {
    init(_ line: MerestoneCrossing.ExplanationLine) {
        self.init(code: line.code, weight: line.weight, means: line.means, does: line.does)
    }
}
