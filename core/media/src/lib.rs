//! Photos: what a file says about itself, and small pictures of it. Input is hostile.
//!
//! A photo is evidence. Its original is kept byte for byte, hashed and signed by others;
//! this room only looks at it, twice:
//!
//! 1. [`inspect`] reads format, size, orientation and what the camera wrote about time, place and itself.
//! 2. [`render`] makes a thumbnail and a preview, upright and without metadata, which travel long before the original.
//!    Where it cannot, it says why with a [`NoRendition`], and that is signed in their place.
//!    For formats not decoded here (HEIC, AVIF) an app can hand over what its platform decoded: [`accept_preview`].
//!
//! Bytes come in, values go out.
//! The room touches no file, clock or network, starts no thread, and does not judge:
//! a camera's time and place are suggestions to an observer, and damaged metadata is a fact about a photo, not an error.
//! Colour profiles are not applied: a wide-gamut photo looks slightly paler in its renditions.
//!
//! # Limits
//!
//! | what | limit | why |
//! |---|---|---|
//! | original | 64 MiB ([`ORIGINAL_BYTES_MAX`]) | 1,024 chunks; 108-megapixel phone photos have under 45 MB |
//! | memory | 128 MiB beside the original | cheap phones; counted before decoding starts |
//! | decoded whole | 96 MiB of pixels, coefficients and copied input | what is left of the 128 for a decoder |
//! | JPEGs as phones write them | 110 megapixels, sequential, one scan | scaled down while read, about 10 MiB |
//! | JPEG scans | 64 | each is a pass over the whole picture |
//! | lossless WebP | about 250 KB of coded data | its code tables unfold up to 400 times |
//! | EXIF | 256 KiB, three directories of 1,024 entries | directories come first; nothing else is followed |
//! | make, model | 64 bytes of printable ASCII ([`CAMERA_NAME_BYTES_MAX`]) | shown on screens |
//! | thumbnail | 320 pixels, 64 KiB ([`THUMBNAIL_EDGE_MAX`], [`THUMBNAIL_BYTES_MAX`]) | one chunk |
//! | preview | 1600 pixels, 1 MiB ([`PREVIEW_EDGE_MAX`], [`PREVIEW_BYTES_MAX`]) | a label can be read on a phone |
//! | offered preview | 16 MiB ([`OFFERED_PREVIEW_BYTES_MAX`]) | a full-size JPEG from the platform |
//!
//! # Example
//!
//! ```
//! use merestone_media::{Metadata, PhotoFormat, inspect, render};
//!
//! // A camera would have written this file; here a picture of one colour does.
//! let mut original = Vec::new();
//! let sand = image::RgbImage::from_pixel(2400, 1800, image::Rgb([194, 178, 128]));
//! sand.write_to(&mut std::io::Cursor::new(&mut original), image::ImageFormat::Jpeg)?;
//!
//! let facts = inspect(&original)?;
//! assert_eq!(facts.format, PhotoFormat::Jpeg);
//! assert_eq!(facts.metadata, Metadata::Absent);
//!
//! let renditions = render(&original, &facts);
//! let thumbnail = renditions.thumbnail?;
//! assert_eq!((thumbnail.width, thumbnail.height), (320, 240));
//! let preview = renditions.preview?;
//! assert_eq!((preview.width, preview.height), (1600, 1200));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bare;
mod container;
mod decode;
mod facts;
mod jpeg;
mod redact;
mod render;
mod shrink;
mod tiff;

pub use bare::is_bare;
pub use facts::{
    CAMERA_NAME_BYTES_MAX, Metadata, MetadataDamage, ORIGINAL_BYTES_MAX, Orientation, PhotoFacts, PhotoFormat,
    PhotoRefusal, PixelSize, Place, Taken, inspect,
};
pub use redact::{NoRedaction, PixelBox, REDACTED_BOXES_MAX, redact};
pub use render::{
    NoRendition, OFFERED_PREVIEW_BYTES_MAX, PREVIEW_BYTES_MAX, PREVIEW_EDGE_MAX, PreviewRefusal, Rendition, Renditions,
    THUMBNAIL_BYTES_MAX, THUMBNAIL_EDGE_MAX, accept_preview, render,
};
