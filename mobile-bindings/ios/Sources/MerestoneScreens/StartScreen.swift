import Merestone

/// What can be filled, and what was begun.
public struct StartState: ScreenState, Hashable {
    /// The forms that can be asked.
    public var forms: [Form] = []
    /// The scopes that the observer may write in.
    public var scopes: [Scope] = []
    /// The scope of what is begun.
    public var scope: ScopeID?
    /// What the observer began and did not save, the newest first.
    public var drafts: [BegunDraft] = []
    /// Drafts that cannot be read any more: they can only be thrown away.
    public var damaged: [DamagedDraft] = []
    public var isBusy = false
    public var trouble: Trouble?
}

/// A draft and what it is a draft of.
public struct BegunDraft: Hashable, Sendable {
    public let draft: Draft
    /// The form's title; empty while the form is not here.
    public let title: String

    /// What to say of it.
    public var message: Message {
        .counting(
            draft.record == nil ? "draft.new" : "draft.edit", draft.answers,
            ["title": title, "photos": String(draft.photos)])
    }
}

/// Chooses what to fill: a form, or a draft to go on with.
public final class StartScreen: ScreenModel<StartState> {
    private let phone: any Phone
    private let observer: ObserverKey

    /// The choice of this observer.
    public init(_ phone: any Phone, observer: ObserverKey) {
        self.phone = phone
        self.observer = observer
        super.init(StartState())
    }

    /// Reads forms and drafts. To be called first, and when a form was left.
    @discardableResult
    public func open() -> Intent {
        intent { try await self.read() }
    }

    /// Chooses the scope of what is begun.
    public func choose(_ scope: ScopeID) {
        show { $0.scope = scope }
    }

    /// What ``FillScreen`` begins for a form; nothing while the observer has no scope to write in.
    public func new(_ form: FormHash) -> FillStart? {
        state.scope.map { .new(scope: $0, form: form) }
    }

    /// What ``FillScreen`` goes on with.
    public func goOn(_ draft: DraftID) -> FillStart {
        .goOn(draft)
    }

    /// Throws a draft away, with its answers and photos.
    @discardableResult
    public func discard(_ draft: DraftID) -> Intent {
        lasting {
            try await self.phone.drafts.discard(draft)
            try await self.read()
        }
    }

    private func read() async throws {
        let forms = try await phone.forms.all()
        let titles = Dictionary(forms.map { ($0.hash, $0.title) }) { first, _ in first }
        let granted = try await phone.observers.all().first { $0.key == observer }?.scopes ?? []
        let scopes = try await phone.mission().scopes.filter { granted.contains($0.id) }
        let drafts = try await phone.drafts.all(of: observer).reversed().map {
            BegunDraft(draft: $0, title: titles[$0.form] ?? "")
        }
        let damaged = try await phone.drafts.damaged()
        show {
            $0.forms = forms.filter(\.canBeAsked)
            $0.scopes = scopes
            $0.scope = $0.scope.flatMap { granted.contains($0) ? $0 : nil } ?? scopes.first?.id
            $0.drafts = drafts
            $0.damaged = damaged
        }
    }
}
