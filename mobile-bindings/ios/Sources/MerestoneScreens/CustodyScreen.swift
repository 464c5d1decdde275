import Merestone

/// Where copies of what this phone holds are.
public struct CustodyState: ScreenState, Hashable {
    /// Records that are not all at base camp, the least safe first.
    public var lines: [CustodyLine] = []
    /// All that is not at base camp in numbers; nothing while it was not looked at.
    public var loss: Loss?
    /// How many records were looked at for ``lines`` so far.
    public var looked = 0
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

/// Looks through all records for what is not at base camp. What no signed receipt says does not count.
public final class CustodyScreen: ScreenModel<CustodyState> {
    /// Most records that are listed; ``CustodyState/loss`` counts all.
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
                $0.loss = nil
                $0.looked = 0
                $0.isDone = false
            }
            let loss = try await Loss.of(self.phone)
            self.show { $0.loss = loss }
            try await self.lookThrough()
            self.show { $0.isDone = true }
        }
    }

    private func lookThrough() async throws {
        try await phone.records.catchUp()
        var seen = Set<RecordID>()
        for try await record in phone.records.all() where seen.insert(record.id).inserted {
            let line = CustodyLine(record, try await phone.records.custody(of: record.id))
            show {
                $0.looked += 1
                guard $0.lines.count < Self.linesMax, let line else { return }
                // Behind those that are as safe, so that they stand in the order of the list.
                let place = $0.lines.firstIndex { $0.safety > line.safety } ?? $0.lines.endIndex
                $0.lines.insert(line, at: place)
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
