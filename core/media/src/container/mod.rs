//! Where a file keeps its size and its EXIF block.
//!
//! Each reader walks its container once, forward, over the caller's bytes; lengths are checked against what is there.
//! The decoders have readers of their own, but those copy metadata before anybody can bound it.

pub(crate) mod heif;
pub(crate) mod jpeg;
pub(crate) mod png;
pub(crate) mod webp;

use std::borrow::Cow;

use crate::facts::{PhotoFormat, PixelSize};

/// How much of an EXIF block is read, in bytes.
///
/// JPEG cannot hold more than 64 KiB; the other formats can.
/// Directories stand in front, so what lies beyond 256 KiB is a maker's note or an embedded thumbnail.
pub(crate) const METADATA_BYTES_MAX: usize = 256 << 10;

/// What a container says about the photo in it.
#[derive(Debug, Default)]
pub(crate) struct Container<'a> {
    pub(crate) pixels: Option<PixelSize>,
    /// The EXIF block, from its TIFF header, at most [`METADATA_BYTES_MAX`] long.
    pub(crate) exif: Option<Cow<'a, [u8]>>,
    /// Cut off, or not what it claims, before everything looked for was found.
    pub(crate) broken: bool,
}

/// The format, by content.
pub(crate) fn format_of(bytes: &[u8]) -> Option<PhotoFormat> {
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Some(PhotoFormat::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(PhotoFormat::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some(PhotoFormat::WebP);
    }
    heif::format_of(bytes)
}

/// Size and EXIF of a file of this format.
pub(crate) fn read(bytes: &[u8], format: PhotoFormat) -> Container<'_> {
    match format {
        PhotoFormat::Jpeg => {
            let layout = jpeg::layout(bytes);
            Container {
                pixels: layout.frame.as_ref().and_then(jpeg::Frame::pixels),
                exif: layout.exif.map(exif_block),
                broken: !layout.ended,
            }
        }
        PhotoFormat::Png => png::read(bytes),
        PhotoFormat::WebP => {
            let layout = webp::layout(bytes);
            Container { pixels: layout.pixels, exif: layout.exif.map(exif_block), broken: layout.broken }
        }
        PhotoFormat::Heic | PhotoFormat::Avif => heif::read(bytes),
    }
}

/// Bounds an EXIF block and takes off the `Exif\0\0` that belongs to JPEG but is written elsewhere too.
fn exif_block(block: &[u8]) -> Cow<'_, [u8]> {
    let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    Cow::Borrowed(&block[..block.len().min(METADATA_BYTES_MAX)])
}

/// The bytes of a container, read from front to back.
#[derive(Debug, Clone, Copy)]
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { rest: bytes }
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16_be(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32_be(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u32_le(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// A big-endian number of 0, 2, 4 or 8 bytes, as ISO base media files choose them.
    fn sized_be(&mut self, length: usize) -> Option<u64> {
        match length {
            0 => Some(0),
            2 => self.u16_be().map(u64::from),
            4 => self.u32_be().map(u64::from),
            8 => self.array().map(u64::from_be_bytes),
            _ => None,
        }
    }
}
