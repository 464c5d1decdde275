import Merestone

/// What a meeting came to, for a person: one line that says it, and lines that say what is missing.
public struct SyncOutcome: Hashable, Sendable {
    /// How much is the same on both sides now.
    public let grade: SyncGrade
    /// The one line. "Synced" is said only of ``SyncGrade/full``.
    public let message: Message
    /// What is missing or was refused, and what to do, a line each.
    public let lines: [Message]
}

/// How much is the same on both sides after a meeting.
public enum SyncGrade: Hashable, Sendable {
    /// Both hold the same, and nothing is missing: the one case that is called synced.
    case full
    /// All that both wanted on this link; photos may be missing.
    case asWanted
    /// Something is missing: meet again.
    case unfinished
    /// The link broke or was refused: meet again, it goes on where it was cut.
    case broken
}

extension SyncReport {
    /// What the report says, in words.
    public var outcome: SyncOutcome {
        let grade = grade
        return SyncOutcome(grade: grade, message: heading(grade), lines: lines)
    }

    private var grade: SyncGrade {
        if isFullySynced { return .full }
        if endCode != "done" && endCode != "stopped" { return .broken }
        return isSyncedAsWanted ? .asWanted : .unfinished
    }

    private func heading(_ grade: SyncGrade) -> Message {
        var args: [String: String] = [:]
        if let peer = state.peer { args["who"] = peer.name }
        switch grade {
        case .full: return Message("sync.full", args)
        case .asWanted: return Message("sync.as-wanted", args)
        case .unfinished: return Message("sync.unfinished", args)
        case .broken:
            args["reason"] = endSays
            return Message("sync.end.\(endCode)", args, detail: endSays)
        }
    }

    private var lines: [Message] {
        var lines = missingHere.flatMap { $0.messages("sync.missing-here") }
        lines += missingThere.flatMap { $0.messages("sync.missing-there") }
        if photosLeftOut > 0 { lines.append(.counting("sync.left-out", Int(clamping: photosLeftOut))) }
        if !refused.isEmpty {
            lines.append(.counting("sync.refused", refused.count, ["codes": refused.listed]))
        }
        if !scopesNotShared.isEmpty { lines.append(.counting("sync.scopes-not-shared", scopesNotShared.count)) }
        if let noReceipt { lines.append(Message("sync.no-receipt", ["reason": noReceipt])) }
        if !advice.isEmpty { lines.append(Message("sync.advice.\(endCode)", detail: advice)) }
        return lines
    }
}

extension Missing {
    /// What is missing of one person's work, a line for each kind of thing.
    fileprivate func messages(_ code: String) -> [Message] {
        let who = ["who": [observer, party].compactMap(\.self).joined(separator: ", ")]
        let whose = observer == nil ? "\(code)-unknown" : code
        return [("entries", entries), ("bodies", bodies), ("photos", photos)].filter { $0.1 > 0 }.map { what, count in
            .counting("\(whose).\(what)", Int(clamping: count), who)
        }
    }
}

extension Peer {
    /// Who was met.
    public var name: String { observer.isEmpty ? device : observer }
}

extension SyncState {
    /// How far a meeting is, in words; nothing before anything moved.
    public var progress: Message {
        Message(
            peer == nil ? "sync.meeting" : "sync.progress",
            [
                "sent": String(entriesSent), "received": String(entriesReceived), "photosout": String(photosSent),
                "photosin": String(photosReceived),
            ])
    }
}

extension [String] {
    /// Each once, in the order of their first.
    var listed: String {
        var seen = Set<String>()
        return filter { seen.insert($0).inserted }.joined(separator: ", ")
    }
}
