import Merestone

/// Where copies of what this phone holds are.
public struct CustodyState: ScreenState, Hashable {
    /// Records that are not all at base camp, the least safe first.
    public var lines: [CustodyLine] = []
    /// All of it in numbers; of what was looked at so far.
    public var loss = Loss()
    /// Whether everything was looked at.
    public var isDone = false
    public var isBusy = false
    public var trouble: Trouble?
}

/// A record and where its entries are.
public struct CustodyLine: Hashable, Sendable {
    public let record: RecordSummary
    public let entries: [Custody]
    /// In words, of the least safe entry.
    public let message: Message
    public let safety: Safety
}

/// Looks through all records for what is only on this phone. What no signed receipt says does not count.
public final class CustodyScreen: ScreenModel<CustodyState> {
    /// Most records that are listed; all are counted.
    private static let linesMax = 500

    private let phone: any Phone

    /// Looks through this phone.
    public init(_ phone: any Phone) {
        self.phone = phone
        super.init(CustodyState())
    }

    /// Looks at everything, anew; the state shows how far it is.
    @discardableResult
    public func look() -> Intent {
        intent {
            self.show {
                $0.lines = []
                $0.loss = Loss()
                $0.isDone = false
            }
            let loss = try await lookThrough(self.phone) { record, entries, soFar in
                self.show {
                    $0.loss = soFar
                    guard $0.lines.count < Self.linesMax, let line = CustodyLine(record, entries) else { return }
                    // Behind those that are as safe, so that they stand in the order of the list.
                    let place = $0.lines.firstIndex { $0.safety > line.safety } ?? $0.lines.endIndex
                    $0.lines.insert(line, at: place)
                }
            }
            self.show {
                $0.loss = loss
                $0.isDone = true
            }
        }
    }
}

extension CustodyLine {
    fileprivate init?(_ record: RecordSummary, _ entries: [Custody]) {
        guard let safety = entries.map(\.safety).min(), safety != .atBaseCamp, let message = entries.message else {
            return nil
        }
        self.init(record: record, entries: entries, message: message, safety: safety)
    }
}

/// The custody of every entry on this phone and what losing the phone would lose; `each` hears of every record.
@MainActor
func lookThrough(
    _ phone: any Phone, each: (RecordSummary, [Custody], Loss) -> Void = { _, _, _ in }
) async throws -> Loss {
    var loss = Loss()
    loss.drafts = try await phone.drafts.all().count + phone.drafts.damaged().count
    try await phone.records.catchUp()
    var seen = Set<RecordID>()
    for try await record in phone.records.all() where seen.insert(record.id).inserted {
        let entries = try await phone.records.custody(of: record.id)
        loss.records += 1
        entries.forEach { loss.add($0) }
        each(record, entries, loss)
    }
    return loss
}
