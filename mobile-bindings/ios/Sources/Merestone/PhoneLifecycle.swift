/// Pauses a phone when its app leaves the screen and resumes it when it comes back.
///
/// iOS ends an app that is suspended with a database file locked, so the store has to be closed by then.
/// Tell it each scene phase, in order and without waiting; changes that come while the phone is being paused are caught up.
/// What failed is tried again at the next phase, and ``failure`` says why until then.
public actor PhoneLifecycle {
    /// What an app's scene is.
    public enum Phase: Hashable, Sendable {
        /// In front of a person.
        case active
        /// Behind a call or the app switcher: nothing happens to the phone.
        case inactive
        /// Gone from the screen, soon suspended.
        case background
    }

    /// How the phone is, as far as this knows.
    private enum State {
        case awake
        case paused
        /// A move failed: it may be either, or paused with a file still open.
        case unknown
    }

    /// Ten seconds with the usual budget: longer than any call takes that ends at all, and no reason to hold the phone awake
    /// for more.
    private static let pausesMax = 5

    private let phone: any Phone
    private let time: any BackgroundTime
    private let budget: Duration
    private var wanted = State.awake
    private var state = State.awake
    private var isMoving = false

    /// Why the phone could last not be paused or resumed; `nil` if it could.
    ///
    /// ``MerestoneError/storage(_:reason:)`` with ``StorageFault/inUse`` if a file was still open when the time was over: the
    /// system may then end the app.
    public private(set) var failure: MerestoneError?

    /// - Parameter budget: how long running calls may take before they are rolled back; the system gives an app that goes
    ///   to the background a few seconds, and more only if it likes. Where it was too short the phone is paused again, up to
    ///   five times in all
    public init(_ phone: any Phone, time: any BackgroundTime, budget: Duration = .seconds(2)) {
        self.phone = phone
        self.time = time
        self.budget = budget
    }

    /// The scene is in this phase now.
    public func enter(_ phase: Phase) async {
        switch phase {
        case .active: wanted = .awake
        case .inactive: return
        case .background: wanted = .paused
        }
        await settle()
    }

    private func settle() async {
        // Whoever moves the phone looks again at what is wanted when it is done.
        guard !isMoving else { return }
        isMoving = true
        while wanted != state {
            let next = wanted
            failure = await failure(of: next)
            state = failure == nil ? next : .unknown
            // What cannot be had now is asked for again at the next phase.
            if failure != nil && next == wanted { break }
        }
        isMoving = false
    }

    private func failure(of next: State) async -> MerestoneError? {
        do {
            if next == .paused { try await pause() } else { try await phone.resume() }
            return nil
        } catch let error as MerestoneError {
            return error
        } catch {
            return .internal(reason: "pausing or resuming ended with \(type(of: error))")
        }
    }

    private func pause() async throws {
        let hold = await time.hold()
        defer { hold.end() }
        for _ in 0..<Self.pausesMax {
            if try await phone.pause(budget: budget).isClosed { return }
            // The person is back: there is nothing to close any more.
            guard wanted == .paused else { break }
        }
        throw MerestoneError.storage(.inUse, reason: "a call that hangs keeps a file of the store open")
    }
}

/// Time to work that the system gives an app in the background.
public protocol BackgroundTime: Sendable {
    /// Asks the system not to suspend the app yet.
    func hold() async -> any BackgroundHold
}

/// A piece of background time. The system may take it back earlier.
public protocol BackgroundHold: Sendable {
    /// Gives it back. More than once changes nothing.
    func end()
}
