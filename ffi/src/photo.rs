//! Photos by path and small pictures as bytes.

use merestone_core::entry::{Media, Photo, RenditionOrReason};
use merestone_node::redaction::PixelBox;

/// Bytes of the largest picture that goes over the crossing: more than any rendition has.
pub(crate) const PICTURE_BYTES_MAX: u64 = 1 << 20;

/// A rectangle of an upright photo, in its pixels, from the left and the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PixelBoxLine {
    /// Pixels to its left.
    pub x: u32,
    /// Pixels above it.
    pub y: u32,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

impl From<PixelBoxLine> for PixelBox {
    fn from(line: PixelBoxLine) -> Self {
        let PixelBoxLine { x, y, width, height } = line;
        Self { x, y, width, height }
    }
}

/// Where a camera says that it took a photo: how exactly, and how it knew, no camera says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PhotoPlaceLine {
    /// Latitude in 10^-7 degree, north positive.
    pub lat_e7: i32,
    /// Longitude in 10^-7 degree, east positive.
    pub lon_e7: i32,
}

/// The hash of a rendition, where there is one.
pub(crate) fn rendition(rendition: &RenditionOrReason) -> Option<String> {
    match rendition {
        RenditionOrReason::Rendition(rendition) => Some(rendition.sha256.to_string()),
        RenditionOrReason::Missing(_) => None,
    }
}

/// The media type of an original (RFC 6838).
pub(crate) fn media_type(photo: &Photo) -> &'static str {
    match photo.media {
        Media::Jpeg => "image/jpeg",
        Media::Png => "image/png",
        Media::WebP => "image/webp",
        Media::Heic => "image/heic",
        Media::Avif => "image/avif",
    }
}
