import Merestone

/// Why something was not done, and what can be done about it.
public struct Trouble: Hashable, Sendable {
    /// What to say.
    public let message: Message
    /// What an app offers beside it.
    public let remedy: Remedy

    /// Trouble with what helps against it.
    public init(_ message: Message, _ remedy: Remedy) {
        self.message = message
        self.remedy = remedy
    }

    /// What an app says of an error of the library; any other is a mistake of the program.
    public static func of(_ error: any Error) -> Trouble {
        guard let error = error as? MerestoneError else {
            return Trouble(Message("trouble.internal", ["reason": "\(type(of: error))"]), .report)
        }
        switch error {
        case .locked: return said("trouble.locked", error, .unlock)
        case .notEnrolled(let isCut, _):
            return isCut ? said("trouble.cut", error, .seeOfficer) : said("trouble.not-enrolled", error, .enrol)
        case .notThere: return said("trouble.not-there", error, .none)
        case .refused(let code, let reason): return Trouble(refusalMessage(code, reason), .none)
        case .storage(let fault, _): return storage(fault, error)
        case .unreachable(_, let isWorthRetrying, _):
            return said("unreachable", error, isWorthRetrying ? .tryAgain : .none)
        case .provider(let isGone, _):
            return isGone ? said("trouble.key-gone", error, .enrol) : said("trouble.provider", error, .tryAgain)
        case .closed: return said("trouble.closed", error, .reopen)
        case .internal: return said("trouble.internal", error, .report)
        }
    }

    private static func storage(_ fault: StorageFault, _ error: MerestoneError) -> Trouble {
        switch fault {
        case .full: said("trouble.full", error, .makeRoom)
        case .damaged: said("trouble.damaged", error, .sync)
        case .inUse: said("trouble.in-use", error, .reopen)
        case .newer: said("trouble.newer", error, .update)
        case .failed: said("trouble.storage", error, .reopen)
        }
    }

    private static func said(_ code: String, _ error: MerestoneError, _ remedy: Remedy) -> Trouble {
        Trouble(Message(code, ["reason": error.reason], detail: error.reason), remedy)
    }
}

/// What can be done about a ``Trouble``.
public enum Remedy: Hashable, Sendable {
    /// There is nothing to offer: the person does something else.
    case none
    /// Ask for the passphrase, or unlock the keychain.
    case unlock
    /// Go to enrolment.
    case enrol
    /// Only the party's officer can help.
    case seeOfficer
    /// Make room on the disk.
    case makeRoom
    /// Meet another device: what is damaged here comes again.
    case sync
    /// Do the same once more.
    case tryAgain
    /// Open the phone again.
    case reopen
    /// Install a newer version of the app.
    case update
    /// Tell the makers.
    case report
}

/// What to say of something that was not taken: the code's own sentence, or the library's.
func refusalMessage(_ code: String, _ reason: String) -> Message {
    Message("refused.\(code)", ["reason": reason], detail: reason)
}

/// What to say of an answer that a rule of the form does not allow: the form's author's own words come first.
func problemMessage(_ problem: Problem) -> Message {
    Message("problem.\(problem.code)", ["reason": problem.message], detail: problem.message)
}
