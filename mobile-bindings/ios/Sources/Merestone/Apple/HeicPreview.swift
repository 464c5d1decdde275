#if canImport(ImageIO)
    import Foundation
    import ImageIO
    import UniformTypeIdentifiers

    /// A small JPEG of a photo of a kind that is only read by the system, such as HEIC, for ``PhotoFile/preview``.
    ///
    /// The camera's file stays as it is: it is what is hashed and signed.
    public enum HeicPreview {
        /// Long enough to read a number plate on; the library makes thumbnails of its own from it.
        private static let sidePixels = 2_048

        /// Writes a JPEG of the photo at `file` to `preview`, upright.
        ///
        /// - Returns: whether the system can read the photo
        public static func write(of file: URL, to preview: URL) -> Bool {
            let options: [CFString: Any] = [
                kCGImageSourceCreateThumbnailFromImageAlways: true, kCGImageSourceCreateThumbnailWithTransform: true,
                kCGImageSourceThumbnailMaxPixelSize: sidePixels,
            ]
            guard let source = CGImageSourceCreateWithURL(file as CFURL, nil),
                let small = CGImageSourceCreateThumbnailAtIndex(source, 0, options as CFDictionary),
                let jpeg = CGImageDestinationCreateWithURL(preview as CFURL, UTType.jpeg.identifier as CFString, 1, nil)
            else { return false }
            CGImageDestinationAddImage(jpeg, small, nil)
            return CGImageDestinationFinalize(jpeg)
        }
    }
#endif
