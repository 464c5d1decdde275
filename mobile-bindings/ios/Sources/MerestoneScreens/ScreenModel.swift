#if canImport(Combine)
    import Combine
#endif

/// What every screen's state can say besides its own.
public protocol ScreenState: Sendable {
    /// Something that was asked for is still being done.
    var isBusy: Bool { get set }
    /// Why the last thing that was asked for was not done; nothing once something else was.
    var trouble: Trouble? { get set }
}

/// What was asked for; it ends when the state shows the outcome.
public typealias Intent = Task<Void, Never>

/// One screen of an app: a state to draw, and intents that change it.
///
/// Intents return at once and are carried out one after the other, in the order of the calls. A screen never throws: what
/// went wrong is in the state.
/// When the screen is left, call ``leaveScreen()``: it stops, and saving that was begun or waits for its turn is still done.
@MainActor
open class ScreenModel<State: ScreenState> {
    /// What to draw.
    public private(set) var state: State {
        willSet {
            #if canImport(Combine)
                objectWillChange.send()
            #endif
        }
        didSet {
            watchers.values.forEach { $0.yield(state) }
        }
    }

    #if canImport(Combine)
        /// Tells SwiftUI that the state changes.
        public let objectWillChange = ObservableObjectPublisher()
    #endif

    private var watchers: [Int: AsyncStream<State>.Continuation] = [:]
    private var stoppable: [Int: Intent] = [:]
    private var numbered = 0
    private var last: Intent?
    private var running = 0

    init(_ begin: State) {
        state = begin
    }

    /// The state now and whenever it changes; a slow reader gets the newest. Ends when its task is cancelled.
    public var states: AsyncStream<State> {
        let (stream, watcher) = AsyncStream.makeStream(of: State.self, bufferingPolicy: .bufferingNewest(1))
        let number = nextNumber()
        watchers[number] = watcher
        watcher.onTermination = { [weak self] _ in
            Task { @MainActor in self?.watchers[number] = nil }
        }
        watcher.yield(state)
        return stream
    }

    /// Takes away what was said of the last thing that went wrong.
    public func dismiss() {
        show { $0.trouble = nil }
    }

    /// The screen is left: what it looks for or waits for ends, and what a person saved is still carried out.
    public func leaveScreen() {
        stoppable.values.forEach { $0.cancel() }
    }

    /// Changes the state.
    func show(_ change: (inout State) -> Void) {
        var changed = state
        change(&changed)
        state = changed
    }

    /// Does something when its turn comes.
    @discardableResult
    func intent(_ work: @escaping @MainActor () async throws -> Void) -> Intent {
        stoppable { self.inTurn(work) }
    }

    /// ``intent(_:)`` that is carried out even if the screen is left meanwhile: what a person answered is not lost.
    @discardableResult
    func lasting(_ work: @escaping @MainActor () async throws -> Void) -> Intent {
        inTurn(work)
    }

    /// Does something that takes long beside the other intents, so that they need not wait for it.
    @discardableResult
    func beside(_ work: @escaping @MainActor () async throws -> Void) -> Intent {
        stoppable {
            self.begin()
            return Task { await self.attempt(work) }
        }
    }

    /// Listens until the screen is left. A screen that only listens is not busy.
    @discardableResult
    func listening(_ work: @escaping @MainActor () async throws -> Void) -> Intent {
        stoppable {
            Task {
                do {
                    try await work()
                } catch is CancellationError {
                    // Whoever cancelled knows.
                } catch {
                    show { $0.trouble = Trouble.of(error) }
                }
            }
        }
    }

    private func inTurn(_ work: @escaping @MainActor () async throws -> Void) -> Intent {
        let before = last
        begin()
        let turn = Task {
            await before?.value
            await attempt(work)
        }
        last = turn
        return turn
    }

    private func stoppable(_ start: () -> Intent) -> Intent {
        let number = nextNumber()
        let task = start()
        stoppable[number] = task
        Task {
            await task.value
            stoppable[number] = nil
        }
        return task
    }

    private func begin() {
        running += 1
        show { $0.isBusy = true }
    }

    private func attempt(_ work: @MainActor () async throws -> Void) async {
        show { $0.trouble = nil }
        var trouble: Trouble?
        do {
            try Task.checkCancellation()
            try await work()
        } catch is CancellationError {
            // Whoever cancelled knows.
        } catch {
            trouble = Trouble.of(error)
        }
        running -= 1
        show {
            $0.isBusy = running > 0
            $0.trouble = trouble ?? $0.trouble
        }
    }

    private func nextNumber() -> Int {
        numbered += 1
        return numbered
    }
}

#if canImport(Combine)
    extension ScreenModel: ObservableObject {}
#endif
