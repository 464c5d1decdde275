import Foundation

/// Pictures of records. Camera files do not pass through the app's memory: they come and go by path.
public protocol Photos: Sendable {
    /// A thumbnail or preview, ready to decode: a JPEG, at most about 300 KiB of one that was made here; `nil` if it is not on
    /// this phone (yet).
    ///
    /// - Throws: ``MerestoneError/refused(code:reason:)`` with code `by-path` for what is larger than 1 MiB, as camera
    ///   files are: use ``save(_:to:)``
    func picture(_ photo: PhotoHash) async throws -> Data?

    /// Writes the bytes of any photo, checked against their hash, to a file that must not exist yet.
    ///
    /// - Throws: ``MerestoneError/notThere(reason:)`` if the bytes are not on this phone (yet);
    ///   ``MerestoneError/refused(code:reason:)`` with code `exists` if the file is there
    func save(_ photo: PhotoHash, to file: URL) async throws

    /// Saves a copy of a photo with parts painted over as a new record, signed by the observer. The original stays where it is.
    ///
    /// - Parameters:
    ///   - boxes: what is painted over, in pixels of the upright picture
    ///   - once: as in ``Drafts/saveNew(_:scope:form:answers:once:)``
    /// - Throws: ``MerestoneError/notThere(reason:)`` if the record has no such photo, or its bytes are not on this phone;
    ///   ``MerestoneError/refused(code:reason:)`` with code `picture` if it is no picture that can be painted over;
    ///   ``MerestoneError/notEnrolled(isCut:reason:)`` if the observer may not save; ``MerestoneError/locked(reason:)`` if the
    ///   observer's key is locked
    func redact(
        _ observer: ObserverKey, record: RecordID, photo: PhotoHash, boxes: [PixelBox], once: SaveID?
    ) async throws -> Saved
}

extension Photos {
    /// Saves a copy of a photo with parts painted over, see ``redact(_:record:photo:boxes:once:)``.
    public func redact(
        _ observer: ObserverKey, record: RecordID, photo: PhotoHash, boxes: [PixelBox]
    ) async throws -> Saved {
        try await redact(observer, record: record, photo: photo, boxes: boxes, once: nil)
    }
}

/// A part of a picture, in pixels.
public struct PixelBox: Hashable, Sendable {
    /// From the left.
    public let x: Int
    /// From the top.
    public let y: Int
    public let width: Int
    public let height: Int

    /// Made of its parts.
    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}
