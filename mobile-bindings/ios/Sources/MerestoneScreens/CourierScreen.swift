import Foundation
import Merestone

/// Carrying entries on a stick.
public struct CourierState: ScreenState, Hashable {
    /// What is in the file that was looked into.
    public var contents: CourierContents?
    /// What was done last, a line each.
    public var done: [Message] = []
    /// A path that was not taken, and why.
    public var refusal: Refusal?
    public var isBusy = false
    public var trouble: Trouble?
}

/// Writes and reads files that carry entries where no network reaches. They are not encrypted, and say no receipt.
public final class CourierScreen: ScreenModel<CourierState> {
    private let phone: any Phone
    private let observer: ObserverKey

    /// Writes and reads as this observer.
    public init(_ phone: any Phone, observer: ObserverKey) {
        self.phone = phone
        self.observer = observer
        super.init(CourierState())
    }

    /// Writes all that this phone holds, or what a device lacked when it last said what it holds.
    @discardableResult
    public func write(
        _ file: URL, madeFor: ObserverKey? = nil, withoutOriginals: Bool = false, bytesMax: UInt64? = nil
    ) -> Intent {
        with(file) {
            let order = CourierOrder(
                file: file, madeFor: madeFor, withoutOriginals: withoutOriginals, bytesMax: bytesMax)
            let written = try await self.phone.courier.write(self.observer, order)
            self.show { $0.done = written.lines(file) }
        }
    }

    /// Says what is in a file, and takes nothing.
    @discardableResult
    public func inspect(_ file: URL) -> Intent {
        with(file) {
            let contents = try await self.phone.courier.inspect(file)
            self.show { $0.contents = contents }
        }
    }

    /// Takes what is in a file; each entry is judged by its own signatures.
    @discardableResult
    public func read(_ file: URL) -> Intent {
        with(file) {
            let read = try await self.phone.courier.read(self.observer, file)
            self.show { $0.done = read.lines }
        }
    }

    private func with(_ file: URL, _ work: @escaping @MainActor () async throws -> Void) -> Intent {
        lasting {
            self.show {
                $0.contents = nil
                $0.done = []
                $0.refusal = nil
            }
            do {
                try await work()
            } catch MerestoneError.refused(let code, let reason) {
                self.show { $0.refusal = Refusal(typed: file.path, message: refusalMessage(code, reason)) }
            } catch MerestoneError.notThere {
                let absent = Message("courier.not-there", ["path": file.path])
                self.show { $0.refusal = Refusal(typed: file.path, message: absent) }
            }
        }
    }
}

extension CourierWritten {
    fileprivate func lines(_ file: URL) -> [Message] {
        var lines = [counting("courier.written", entries, ["photos": String(blobs), "path": file.path])]
        if leftOut > 0 { lines.append(counting("courier.left-out", leftOut)) }
        if damaged > 0 { lines.append(counting("courier.damaged", damaged)) }
        return lines + [Message("courier.not-secret")]
    }
}

extension CourierRead {
    fileprivate var lines: [Message] {
        var lines = [counting("courier.read", entriesNew, ["photos": String(blobsNew)])]
        if entriesOfOtherScopes > 0 { lines.append(counting("courier.other-scopes", entriesOfOtherScopes)) }
        if !refused.isEmpty {
            lines.append(.counting("courier.refused", refused.count, ["codes": refused.listed]))
        }
        return lines
    }
}

private func counting(_ code: String, _ count: UInt64, _ args: [String: String] = [:]) -> Message {
    .counting(code, Int(clamping: count), args)
}
