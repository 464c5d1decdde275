import Foundation
import Merestone

/// Makes a JPEG of a picture that only the system can read (HEIC, AVIF): the library signs it as the observer's word.
public protocol PreviewMaker: Sendable {
    /// The JPEG's file; nothing for a picture that needs none, or when the system cannot read it either.
    func preview(of photo: URL) async -> URL?
}

/// For systems that read no more formats than the library.
public struct NoPreviews: PreviewMaker {
    /// Makes none.
    public init() {}

    public func preview(of photo: URL) async -> URL? { nil }
}

/// A photo that is being taken or chosen.
public struct CameraState: ScreenState, Hashable {
    /// The question that it answers; nothing when it belongs to the record as a whole.
    public var question: String?
    /// Room on the disk; nothing while it is not known.
    public var room: Room?
    /// What was attached last.
    public var attached: Attached?
    /// What to tell about it: the place was taken out of it, there is no small picture.
    public var warnings: [Message] = []
    /// What was chosen and is no photo, and why.
    public var refusal: Refusal?
    public var isBusy = false
    public var trouble: Trouble?

    /// How many photos still fit, in words; nothing while it is not known.
    public var roomLeft: Message? {
        guard let room, let photos = room.photosAbout else { return nil }
        return .counting(room.isLow ? "room.low" : "room.photos", Int(clamping: photos))
    }
}

/// Takes or chooses photos by path. A photo is attached, hashed and durable when its intent is done.
public final class CameraScreen: ScreenModel<CameraState> {
    private let phone: any Phone
    private let interview: any Interview
    private let previews: any PreviewMaker
    private let onAttached: @MainActor () async -> Void

    /// - Parameters:
    ///   - question: the key of the question that the photo answers
    ///   - onAttached: told after each photo
    public init(
        _ phone: any Phone, _ interview: any Interview, question: String?, previews: any PreviewMaker = NoPreviews(),
        onAttached: @escaping @MainActor () async -> Void = {}
    ) {
        self.phone = phone
        self.interview = interview
        self.previews = previews
        self.onAttached = onAttached
        super.init(CameraState(question: question))
    }

    /// Reads how much room there is. To be called first.
    @discardableResult
    public func open() -> Intent {
        intent { try await self.readRoom() }
    }

    /// Attaches what this app's camera wrote into this app's files: its place is as the camera gave it.
    @discardableResult
    public func take(_ file: URL, caption: String? = nil) -> Intent {
        attach(file, caption, isAppCaptured: true)
    }

    /// Attaches a photo of another app; one whose place may have been taken out is warned of.
    @discardableResult
    public func choose(_ file: URL, caption: String? = nil) -> Intent {
        attach(file, caption, isAppCaptured: false)
    }

    /// Takes off what was attached last.
    @discardableResult
    public func takeOff() -> Intent {
        lasting {
            guard let attached = self.state.attached else { return }
            try await self.interview.detach(attached.row)
            self.show {
                $0.attached = nil
                $0.warnings = []
            }
            await self.onAttached()
        }
    }

    private func attach(_ file: URL, _ caption: String?, isAppCaptured: Bool) -> Intent {
        lasting {
            self.show { $0.refusal = nil }
            let caption = caption?.trimmed ?? ""
            let photo = PhotoFile(
                file: file, preview: await self.previews.preview(of: file), caption: caption.isEmpty ? nil : caption,
                question: self.state.question, isAppCaptured: isAppCaptured)
            if let refusal = try await self.attached(photo) {
                self.show { $0.refusal = Refusal(typed: file.path, message: refusal) }
            }
            try await self.readRoom()
        }
    }

    /// Why it was not taken; nothing if it was.
    private func attached(_ photo: PhotoFile) async throws -> Message? {
        do {
            let attached = try await interview.attach(photo)
            show {
                $0.attached = attached
                $0.warnings = attached.warnings.map { Message("photo.\($0)", detail: $0) }
            }
            await onAttached()
            return nil
        } catch MerestoneError.refused(let code, let reason) {
            return refusalMessage(code, reason)
        } catch MerestoneError.notThere {
            return Message("photo.not-there", ["path": photo.file.path])
        }
    }

    private func readRoom() async throws {
        let room = try await phone.room()
        show { $0.room = room }
    }
}
