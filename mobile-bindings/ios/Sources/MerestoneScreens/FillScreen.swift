import Merestone

/// What to fill.
public enum FillStart: Hashable, Sendable {
    /// A new record.
    case new(scope: ScopeID, form: FormHash)
    /// A draft that was left.
    case goOn(DraftID)
    /// A change of a record.
    case edit(RecordID)
}

/// How a filling ended.
public enum FillEnd: Hashable, Sendable {
    /// Signed and durable.
    case done(Saved)
    /// Left; the draft is there for the next time.
    case left
    /// The draft was thrown away.
    case discarded
}

/// A form that is being filled.
public struct FillState: ScreenState {
    /// The form's title; empty while it is being opened.
    public var title = ""
    /// The draft, to go on with after a restart.
    public var draft: DraftID?
    /// Whether a record is changed, rather than a new one made.
    public var isEdit = false
    public var languages: [FormLanguage] = []
    /// Which of them is shown; none for a form without languages.
    public var language: Int?
    /// Whether the form's words are written from right to left.
    public var isRightToLeft = false
    /// What is asked now; nothing while the form is being opened.
    public var page: Page?
    /// All questions, while the person looks at them to jump to one.
    public var overview: [OverviewLine]?
    /// Nothing while it goes on.
    public var end: FillEnd?
    public var isBusy = false
    public var trouble: Trouble?

    mutating func speak(_ language: Int?) {
        self.language = language
        isRightToLeft = language.map { languages.indices.contains($0) && languages[$0].isRightToLeft } ?? false
    }

    mutating func turn(to page: Page) {
        self.page = page
        overview = nil
    }
}

/// Fills a form with a person, one page at a time.
///
/// Every answer is durable when its intent is done; leaving, being ended and coming back lose nothing. What the form does
/// not take is said beside the question and what stood there stays; what it finds wrong is said once and can be left so.
public final class FillScreen: ScreenModel<FillState> {
    private let phone: any Phone
    private let observer: ObserverKey
    private let start: FillStart
    private let languages: [String]
    private var interview: (any Interview)?
    private var walk: Walk? { interview.map(Walk.init) }

    /// - Parameter languages: codes of the languages that the person reads, the best first: the first that the form has is
    ///   shown
    public init(_ phone: any Phone, observer: ObserverKey, start: FillStart, languages: [String] = []) {
        self.phone = phone
        self.observer = observer
        self.start = start
        self.languages = languages
        super.init(FillState())
    }

    /// Opens the form, at the first question that is not answered. To be called first.
    @discardableResult
    public func open() -> Intent {
        intent {
            let opened = try await self.opened()
            let info = try await opened.info()
            let language = self.languages.lazy.compactMap { wanted in
                info.form.languages.firstIndex { $0.code == wanted }
            }.first
            if let language { try await opened.speak(language) }
            self.show {
                $0.title = info.form.title
                $0.draft = info.draft
                $0.isEdit = info.record != nil
                $0.languages = info.form.languages
                $0.speak(language ?? info.language ?? info.form.defaultLanguage)
            }
            self.turn(to: try await Walk(interview: opened).from(self.isGoingOn ? info.firstOpen : 0))
        }
    }

    /// Answers the question of the page with what was typed; nothing typed leaves it blank.
    @discardableResult
    public func answer(_ typed: String) -> Intent {
        lasting { _ = try await self.take(typed) }
    }

    /// ``answer(_:)``, then ``next()`` if it was taken.
    @discardableResult
    public func answerAndGoOn(_ typed: String) -> Intent {
        lasting {
            let wasShown = self.questionPage.map { $0.isProblemShown && $0.question.typed == typed } ?? false
            let isTaken = try await self.take(typed)
            if isTaken, wasShown || self.questionPage?.problem == nil { try await self.goOn() }
        }
    }

    /// Chooses a choice of the page's question by name; one that is chosen is no more chosen, except where it is one of some.
    @discardableResult
    public func choose(_ name: String) -> Intent {
        lasting {
            guard let question = self.questionPage?.question, question.input.isChoosing else { return }
            _ = try await self.take(question.typed(choosing: name))
        }
    }

    /// The next page. Where something is wrong with the answer, that is said first, once.
    @discardableResult
    public func next() -> Intent {
        intent { try await self.goOn() }
    }

    /// The page before.
    @discardableResult
    public func back() -> Intent {
        turning { walk, page in try await walk.before(page.at) }
    }

    /// The page of a question, by key or name; nothing happens where it is not asked.
    @discardableResult
    public func jump(_ key: String) -> Intent {
        turning { walk, page in try await walk.at(key) ?? page }
    }

    /// The end of the form: what is still wrong, and saving.
    @discardableResult
    public func toEnd() -> Intent {
        turning { walk, _ in try await walk.end() }
    }

    /// Shows all questions, to ``jump(_:)`` to one.
    @discardableResult
    public func openOverview() -> Intent {
        intent {
            guard let overview = try await self.walk?.overview() else { return }
            self.show { $0.overview = overview }
        }
    }

    /// Goes back from them.
    public func closeOverview() {
        show { $0.overview = nil }
    }

    /// Adds the row that the page offers, and goes to its first question.
    @discardableResult
    public func addRow() -> Intent {
        lasting {
            guard case .row(let page) = self.state.page, let interview = self.interview else { return }
            _ = try await interview.addRow(page.repeated, within: page.within)
            // The new row stands where its offer stood.
            self.turn(to: try await Walk(interview: interview).from(page.spot.at))
        }
    }

    /// Takes away the row that the page's question stands in, with all its answers.
    @discardableResult
    public func withdrawRow() -> Intent {
        lasting {
            guard let page = self.questionPage, page.question.isInRow, let interview = self.interview else { return }
            let walk = Walk(interview: interview)
            // What comes after the row, or its offer, stands where it stood.
            let row = try await walk.row(of: page.spot.at)
            try await interview.withdrawRow(page.question.key)
            self.turn(to: try await walk.from(row))
        }
    }

    /// Takes away the photo of the page's question.
    @discardableResult
    public func detachPhoto() -> Intent {
        lasting {
            if self.questionPage?.question.input == .photo { _ = try await self.take("") }
        }
    }

    /// Shows the form in one of its languages, by number.
    @discardableResult
    public func speak(_ language: Int) -> Intent {
        turning { walk, page in
            try await walk.interview.speak(language)
            self.show { $0.speak(language) }
            return try await walk.from(page.at)
        }
    }

    /// The camera for the page's question, or for a photo of the record as a whole; nothing while nothing is open.
    public func camera(_ previews: any PreviewMaker = NoPreviews()) -> CameraScreen? {
        guard let interview else { return nil }
        let question = questionPage?.question
        let key = question?.input == .photo ? question?.key : nil
        return CameraScreen(phone, interview, question: key, previews: previews) { [weak self] in
            await self?.lasting { try await self?.refresh() }.value
        }
    }

    /// Signs and saves. What the form finds wrong does not hinder it.
    @discardableResult
    public func save() -> Intent {
        lasting {
            guard let interview = self.interview else { return }
            let saved = try await interview.save()
            self.show { $0.end = .done(saved) }
        }
    }

    /// Leaves the form; it is there for the next time.
    @discardableResult
    public func leave() -> Intent {
        lasting {
            try await self.interview?.leave()
            self.show { $0.end = .left }
        }
    }

    /// Throws the draft away, with its answers and photos.
    @discardableResult
    public func discard() -> Intent {
        lasting {
            if let draft = self.state.draft { try await self.phone.drafts.discard(draft) }
            self.show { $0.end = .discarded }
        }
    }

    private var questionPage: QuestionPage? {
        guard case .question(let page) = state.page else { return nil }
        return page
    }

    private var isGoingOn: Bool {
        guard case .goOn = start else { return false }
        return true
    }

    private func opened() async throws -> any Interview {
        if let interview { return interview }
        let opened: any Interview
        switch start {
        case .new(let scope, let form): opened = try await phone.drafts.begin(observer, scope: scope, form: form)
        case .goOn(let draft): opened = try await phone.drafts.goOn(draft)
        case .edit(let record): opened = try await phone.drafts.beginEdit(observer, record: record)
        }
        interview = opened
        return opened
    }

    private func turning(_ to: @escaping @MainActor (Walk, Page) async throws -> Page) -> Intent {
        intent {
            guard let walk = self.walk, let page = self.state.page else { return }
            self.turn(to: try await to(walk, page))
        }
    }

    private func turn(to page: Page) {
        show { $0.turn(to: page) }
    }

    /// Whether the form took it.
    private func take(_ typed: String) async throws -> Bool {
        guard var page = questionPage, let interview else { return false }
        do {
            _ = try await interview.answerTyped(page.question.key, typed)
        } catch MerestoneError.refused(let code, let reason) {
            page.refusal = Refusal(typed: typed, message: refusalMessage(code, reason))
            turn(to: .question(page))
            return false
        }
        try await refresh()
        return true
    }

    private func goOn() async throws {
        guard let walk, let page = state.page else { return }
        if case .question(var asked) = page, asked.problem != nil, !asked.isProblemShown {
            asked.isProblemShown = true
            turn(to: .question(asked))
        } else {
            turn(to: try await walk.from(page.at + 1))
        }
    }

    /// An answer may open or close questions before it: its page is found again by its key.
    private func refresh() async throws {
        guard let walk, let page = questionPage else { return }
        var fresh = try await walk.at(page.question.key)
        if fresh == nil { fresh = try await walk.from(page.spot.at) }
        if case .question(var asked) = fresh {
            asked.isProblemShown = asked.problem != nil
            fresh = .question(asked)
        }
        if let fresh { turn(to: fresh) }
    }
}

extension Question {
    /// What would be typed after this choice was touched.
    fileprivate func typed(choosing name: String) -> String {
        let chosen = typed.split(separator: " ").map(String.init)
        if input == .oneOf { return name }
        if chosen.contains(name) { return chosen.filter { $0 != name }.joined(separator: " ") }
        if input == .order { return (chosen + [name]).joined(separator: " ") }
        return choices.map(\.name).filter { $0 == name || chosen.contains($0) }.joined(separator: " ")
    }
}
