/// Pauses a phone when its app leaves the screen and resumes it when it comes back.
///
/// iOS ends an app that is suspended with a database file locked, so the store has to be closed by then.
/// Tell it each scene phase, in order and without waiting; changes that come while the phone is being paused are caught up.
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

    private let phone: any Phone
    private let time: any BackgroundTime
    private let budget: Duration
    private var wantsPause = false
    private var isPaused = false
    private var isMoving = false

    /// Why the phone could last not be paused or resumed; `nil` if it could.
    public private(set) var failure: MerestoneError?

    /// - Parameter budget: how long running calls may take before they are rolled back; the system gives an app that goes
    ///   to the background a few seconds, and more only if it likes
    public init(_ phone: any Phone, time: any BackgroundTime, budget: Duration = .seconds(2)) {
        self.phone = phone
        self.time = time
        self.budget = budget
    }

    /// The scene is in this phase now.
    public func enter(_ phase: Phase) async {
        switch phase {
        case .active: wantsPause = false
        case .inactive: return
        case .background: wantsPause = true
        }
        await settle()
    }

    private func settle() async {
        // Whoever moves the phone looks again at what is wanted when it is done.
        guard !isMoving else { return }
        isMoving = true
        while wantsPause != isPaused {
            let pause = wantsPause
            failure = await moved(pause: pause)
            isPaused = pause
        }
        isMoving = false
    }

    private func moved(pause: Bool) async -> MerestoneError? {
        do {
            if pause {
                let hold = await time.hold()
                defer { hold.end() }
                try await phone.pause(budget: budget)
            } else {
                try await phone.resume()
            }
            return nil
        } catch let error as MerestoneError {
            return error
        } catch {
            return .internal(reason: "pausing or resuming ended with \(type(of: error))")
        }
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
