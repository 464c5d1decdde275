import Merestone

/// Waiting for other devices to come here.
public struct WaitState: ScreenState, Hashable {
    /// Where this phone answers; nothing while it does not.
    public var address: String?
    /// What the other device scans or types.
    public var ticket: Ticket?
    /// Who came, in the order of their keys.
    public var visits: [Visit] = []
    public var isBusy = false
    public var trouble: Trouble?
}

/// A device that came.
public struct Visit: Hashable, Sendable {
    public let caller: Caller
    /// Who it is, and how far it is.
    public let progress: Message
    /// What it came to; nothing while it lasts.
    public let outcome: SyncOutcome?
}

/// Lets other devices meet this one while it is shown.
public final class WaitScreen: ScreenModel<WaitState> {
    private let phone: any Phone
    private let observer: ObserverKey
    private var waiting: Intent?

    /// Answers as this observer.
    public init(_ phone: any Phone, observer: ObserverKey) {
        self.phone = phone
        self.observer = observer
        super.init(WaitState())
    }

    /// Answers until ``stop()``, or until the screen is left.
    ///
    /// - Parameters:
    ///   - address: where; port 0 takes any that is free
    ///   - isAdvertised: whether the local network is told, without any name, key or mission
    @discardableResult
    public func open(address: String = "0.0.0.0:0", isAdvertised: Bool = true) -> Intent {
        waiting?.cancel()
        let begun = listening {
            let answering = try await self.phone.sync.answer(
                self.observer, address: address, isAdvertised: isAdvertised)
            let failure = await self.watch(answering)
            // Not with this task, which may be cancelled by now.
            let stopping = Task { try await answering.stop() }
            try await stopping.value
            self.show {
                $0.address = nil
                $0.ticket = nil
            }
            if let failure { throw failure }
        }
        waiting = begun
        return begun
    }

    /// Stops answering; meetings under way end, and what came stays.
    public func stop() {
        waiting?.cancel()
    }

    /// Why watching ended, if something went wrong.
    private func watch(_ answering: any Answering) async -> (any Error)? {
        do {
            let ticket = try await answering.ticket(name: nil)
            show {
                $0.address = answering.address
                $0.ticket = ticket
            }
            for try await callers in answering.callersNow() {
                show { $0.visits = callers.map(Visit.init) }
            }
            return nil
        } catch {
            return error
        }
    }
}

extension Visit {
    fileprivate init(_ caller: Caller) {
        let outcome = caller.report?.outcome
        self.init(caller: caller, progress: caller.state.progress, outcome: outcome)
    }
}
