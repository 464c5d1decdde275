import Foundation

/// One form being filled, screen by screen.
///
/// Each call that changes something is on the disk before it returns, so an app that is ended loses nothing; ``leave()``
/// only gives up this object.
/// A screen is named by its index among those that are relevant now, or by its key, which stays the same.
public protocol Interview: AnyObject, Sendable {
    /// What is filled and how far.
    func info() async throws -> InterviewInfo

    /// Screens from index `from`, at most `max` of them (1 to 1 000); fewer or none at the end.
    func screens(from: Int, max: Int) async throws -> [Screen]

    /// The index of a question by its name or key; `nil` if it is not asked now.
    func find(_ nameOrKey: String) async throws -> Int?

    /// Shows labels in this language from now on: an index into ``Form/languages``, or `nil` for the form's own texts.
    func speak(_ language: Int?) async throws

    /// Answers a question. An answer that breaks the form's rules is kept, and ``Screen/problem`` says which.
    ///
    /// - Throws: ``MerestoneError/refused(code:reason:)`` with code `answer` if it is not an answer to such a question at all,
    ///   the question is read-only, or there is none; what stood there before still does
    func answer(_ key: String, _ answer: Answer) async throws -> Answered

    /// Answers with what a person typed or picked: numbers and dates in local notation, names of choices.
    ///
    /// - Throws: ``MerestoneError/refused(code:reason:)`` with code `answer` if it cannot be read as one; what stood there
    ///   before still does
    func answerTyped(_ key: String, _ typed: String) async throws -> Answered

    /// Attaches a photo; its bytes are copied and hashed before this returns.
    ///
    /// - Throws: ``MerestoneError/refused(code:reason:)`` with code `photo` if it is no picture of a kind that is taken,
    ///   `preview` if the preview is none, `too-many-photos` if too many are attached, and one that was there stays;
    ///   ``MerestoneError/notThere(reason:)`` if the file cannot be read; ``MerestoneError/storage(_:reason:)`` if the disk is
    ///   full
    func attach(_ photo: PhotoFile) async throws -> Attached

    /// Takes a photo off again.
    func detach(_ row: String) async throws

    /// Adds a row to a repeated group, and gives the row's key.
    ///
    /// - Parameter within: the row around it, if groups are nested
    func addRow(_ repeated: String, within: String?) async throws -> String

    /// Takes a row off, with its answers.
    func withdrawRow(_ key: String) async throws

    /// What is missing or wrong by the form's rules; shown to the observer, who decides whether to save all the same.
    func problems() async throws -> [Problem]

    /// Signs and saves. The draft is gone afterwards; saving again gives the same entry.
    ///
    /// ``problems()`` never keep an observation from being saved. After an error the draft is there as it was.
    ///
    /// - Throws: ``MerestoneError/refused(code:reason:)`` with code `nothing-changed`, `not-editable` or `not-a-writer` if
    ///   there is nothing that this observer can change, `too-large` if one entry cannot hold it, `saving` while it is being
    ///   saved, `draft-changed` if it was changed elsewhere meanwhile: it is shown as it is now, and may be saved;
    ///   ``MerestoneError/locked(reason:)`` if the observer's key is locked;
    ///   ``MerestoneError/notEnrolled(isCut:reason:)`` if the observer may not save (any more)
    func save() async throws -> Saved

    /// Gives this object up; the draft stays, and ``Drafts/goOn(_:)`` takes it up.
    func leave() async throws
}

extension Interview {
    /// All screens that are relevant now, read page by page as they are asked for.
    public func allScreens() -> AsyncThrowingStream<Screen, any Error> {
        // A screen of an app shows less than this at once, and a page of it crosses in well under a frame.
        let pageScreens = 32
        let pages = Pages { (from: Int?) in
            let page = try await self.screens(from: from ?? 0, max: pageScreens)
            return (page, page.isEmpty ? nil : (from ?? 0) + page.count)
        }
        return AsyncThrowingStream { try await pages.next() }
    }

    /// Adds a row to a group that is not nested, see ``addRow(_:within:)``.
    public func addRow(_ repeated: String) async throws -> String {
        try await addRow(repeated, within: nil)
    }
}

/// What is filled.
public struct InterviewInfo: Hashable, Sendable {
    public let draft: DraftID
    public let observer: ObserverKey
    public let scope: ScopeID
    public let form: Form
    /// What it edits; `nil` if it begins a new record.
    public let record: RecordID?
    /// How many are relevant now.
    public let screens: Int
    /// The index of the first that has no answer yet; 0 if none is left.
    public let firstOpen: Int
    /// An index into ``Form/languages``; `nil` for the form's own texts.
    public let language: Int?

    /// Made of its parts.
    public init(
        draft: DraftID,
        observer: ObserverKey,
        scope: ScopeID,
        form: Form,
        record: RecordID?,
        screens: Int,
        firstOpen: Int,
        language: Int?
    ) {
        self.draft = draft
        self.observer = observer
        self.scope = scope
        self.form = form
        self.record = record
        self.screens = screens
        self.firstOpen = firstOpen
        self.language = language
    }
}

/// What an answer did.
public struct Answered: Hashable, Sendable {
    /// How many screens are relevant now.
    public let screens: Int
    /// The answered one as it is now, with its problem if it has one; `nil` if it is not relevant any more.
    public let screen: Screen?

    /// Made of its parts.
    public init(screens: Int, screen: Screen?) {
        self.screens = screens
        self.screen = screen
    }
}

/// A photo to attach.
public struct PhotoFile: Hashable, Sendable {
    /// The camera's file, unchanged: it is what an auditor will hold.
    public let file: URL
    /// A JPEG of it, made by the system, where the original is of a kind that cannot be read here (HEIC).
    public var preview: URL?
    /// What the observer says of it.
    public var caption: String?
    /// The key of the question that it answers; `nil` if it belongs to the record.
    public var question: String?
    /// Whether this app's camera took it into this app's files. A photo library may hand a photo over without its place,
    /// so if this is false and there is no place, the warning `location-may-be-removed` comes with it.
    public var isAppCaptured: Bool

    /// Made of its parts.
    public init(
        file: URL,
        preview: URL? = nil,
        caption: String? = nil,
        question: String? = nil,
        isAppCaptured: Bool = false
    ) {
        self.file = file
        self.preview = preview
        self.caption = caption
        self.question = question
        self.isAppCaptured = isAppCaptured
    }
}

/// Where a camera says that it took a photo: how exactly, and how it knew, no camera says.
public struct PhotoPlace: Hashable, Sendable {
    /// Degrees north times 10 000 000.
    public let latitudeE7: Int32
    /// Degrees east times 10 000 000.
    public let longitudeE7: Int32

    /// Made of its parts.
    public init(latitudeE7: Int32, longitudeE7: Int32) {
        self.latitudeE7 = latitudeE7
        self.longitudeE7 = longitudeE7
    }
}

/// An attached photo.
public struct Attached: Hashable, Sendable {
    /// For ``Interview/detach(_:)``: its row, or the key of the question that it answers.
    public let row: String
    public let photo: PhotoHash
    /// Pixels; `nil` if the picture cannot be read here.
    public let width: Int?
    /// Pixels.
    public let height: Int?
    /// When the camera says it was, as `YYYY-MM-DDTHH:MM:SS`, with the offset to UTC where the camera gives one.
    public let taken: String?
    /// Where the camera says it was: for the observer to confirm, and no evidence.
    public let place: PhotoPlace?
    /// Stable codes: `location-may-be-removed`, and `no-picture` if no smaller picture could be made: hand over a preview.
    public let warnings: [String]

    /// Made of its parts.
    public init(
        row: String,
        photo: PhotoHash,
        width: Int?,
        height: Int?,
        taken: String?,
        place: PhotoPlace?,
        warnings: [String]
    ) {
        self.row = row
        self.photo = photo
        self.width = width
        self.height = height
        self.taken = taken
        self.place = place
        self.warnings = warnings
    }
}
