//! What an entry says about a photo: the original and the renditions the capturing device made of it.
//!
//! Hashes, sizes and chunk roots only; the files travel and rest elsewhere.

use super::context::PHOTOS_MAX;
use crate::cbor::{Kind, Reader, Writer};
use crate::check::{Check, Policy, Refused};
use crate::id::BlobHash;
use crate::merkle::NodeHash;

/// Largest original or rendition, in bytes (64 MiB).
pub const PHOTO_BYTES_MAX: u64 = 67_108_864;

/// One photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// SHA-256 of the original file.
    pub sha256: BlobHash,
    /// Its size, 1 to [`PHOTO_BYTES_MAX`].
    pub bytes: u64,
    /// The root of its chunk tree.
    pub chunks: NodeHash,
    /// Its format.
    pub media: Media,
    /// Width when held upright, in pixels, if known.
    pub width: Option<u64>,
    /// Height when held upright, in pixels, if known.
    pub height: Option<u64>,
    /// The smaller rendition.
    pub thumbnail: RenditionOrReason,
    /// The larger rendition.
    pub preview: RenditionOrReason,
}

/// The format of an original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Media {
    /// JPEG.
    Jpeg = 1,
    /// PNG.
    Png = 2,
    /// WebP.
    WebP = 3,
    /// HEIC.
    Heic = 4,
    /// AVIF.
    Avif = 5,
}

/// A rendition, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenditionOrReason {
    /// It was made.
    Rendition(Rendition),
    /// It was not.
    Missing(MissingReason),
}

/// A JPEG made of an original by the device that took it; nobody makes it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    /// SHA-256 of the file.
    pub sha256: BlobHash,
    /// Its size, 1 to [`PHOTO_BYTES_MAX`].
    pub bytes: u64,
    /// The root of its chunk tree.
    pub chunks: NodeHash,
    /// Width in pixels.
    pub width: u64,
    /// Height in pixels.
    pub height: u64,
}

/// Why a rendition was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum MissingReason {
    /// The format cannot be decoded on that device.
    NotDecodable = 1,
    /// The pixels are damaged.
    DamagedPixels = 2,
    /// There are too many pixels.
    TooManyPixels = 3,
    /// The original is too large.
    OriginalTooLarge = 4,
}

impl Photo {
    /// Writes the array of `photos`.
    pub(crate) fn encode_all(photos: &[Photo], writer: &mut Writer) {
        writer.array(photos.len());
        photos.iter().for_each(|photo| photo.encode(writer));
    }

    fn encode(&self, writer: &mut Writer) {
        let Photo { sha256, bytes, chunks, media, width, height, thumbnail, preview } = self;
        writer.map(6 + usize::from(width.is_some()) + usize::from(height.is_some()));
        writer.uint(1).bytes(sha256.as_bytes());
        writer.uint(2).uint(*bytes);
        writer.uint(3).bytes(chunks);
        writer.uint(4).uint(*media as u64);
        if let Some(width) = width {
            writer.uint(5).uint(*width);
        }
        if let Some(height) = height {
            writer.uint(6).uint(*height);
        }
        writer.uint(7);
        thumbnail.encode(writer);
        writer.uint(8);
        preview.encode(writer);
    }

    /// Reads an array of one to [`PHOTOS_MAX`] photos.
    pub(crate) fn decode_all<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Vec<Photo>, Refused> {
        let len = reader.array(PHOTOS_MAX, "photos")?;
        let photos: Vec<Photo> = (0..len).map(|_| Photo::decode(reader)).collect::<Result<_, _>>()?;
        reader.leave();
        let is_ascending = photos.is_sorted_by(|a, b| a.sha256 < b.sha256);
        if is_ascending && !photos.is_empty() { Ok(photos) } else { Err(shape("photos")) }
    }

    fn decode<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Self, Refused> {
        let (mut sha256, mut bytes, mut chunks, mut media) = (None, None, None, None);
        let (mut width, mut height, mut thumbnail, mut preview) = (None, None, None, None);
        let mut fields = reader.map("photo")?;
        while let Some(key) = fields.next(reader)? {
            match key {
                1 => sha256 = Some(BlobHash::from_bytes(reader.array_of("photo hash")?)),
                2 => bytes = Some(reader.uint("photo bytes")?),
                3 => chunks = Some(reader.array_of("photo chunks")?),
                4 => media = Some(Media::decode(reader)?),
                5 => width = Some(reader.uint("photo width")?),
                6 => height = Some(reader.uint("photo height")?),
                7 => thumbnail = Some(RenditionOrReason::decode(reader)?),
                8 => preview = Some(RenditionOrReason::decode(reader)?),
                _ => return Err(shape("photo")),
            }
        }
        Ok(Self {
            sha256: sha256.ok_or(shape("photo hash"))?,
            bytes: bytes.and_then(file_bytes).ok_or(shape("photo bytes"))?,
            chunks: chunks.ok_or(shape("photo chunks"))?,
            media: media.ok_or(shape("photo media"))?,
            width,
            height,
            thumbnail: thumbnail.ok_or(shape("thumbnail"))?,
            preview: preview.ok_or(shape("preview"))?,
        })
    }
}

impl Media {
    fn decode<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Self, Refused> {
        match reader.uint("photo media")? {
            1 => Ok(Media::Jpeg),
            2 => Ok(Media::Png),
            3 => Ok(Media::WebP),
            4 => Ok(Media::Heic),
            5 => Ok(Media::Avif),
            _ => Err(shape("photo media")),
        }
    }
}

impl RenditionOrReason {
    fn encode(&self, writer: &mut Writer) {
        match self {
            RenditionOrReason::Rendition(Rendition { sha256, bytes, chunks, width, height }) => {
                writer.array(5).bytes(sha256.as_bytes()).uint(*bytes).bytes(chunks).uint(*width).uint(*height);
            }
            RenditionOrReason::Missing(reason) => {
                writer.uint(*reason as u64);
            }
        }
    }

    fn decode<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Self, Refused> {
        let what = "rendition";
        if reader.peek(what)? == Kind::Uint {
            return match reader.uint(what)? {
                1 => Ok(RenditionOrReason::Missing(MissingReason::NotDecodable)),
                2 => Ok(RenditionOrReason::Missing(MissingReason::DamagedPixels)),
                3 => Ok(RenditionOrReason::Missing(MissingReason::TooManyPixels)),
                4 => Ok(RenditionOrReason::Missing(MissingReason::OriginalTooLarge)),
                _ => Err(shape(what)),
            };
        }
        reader.array_exact(5, what)?;
        let rendition = Rendition {
            sha256: BlobHash::from_bytes(reader.array_of(what)?),
            bytes: file_bytes(reader.uint(what)?).ok_or(shape(what))?,
            chunks: reader.array_of(what)?,
            width: reader.uint(what)?,
            height: reader.uint(what)?,
        };
        reader.leave();
        Ok(RenditionOrReason::Rendition(rendition))
    }
}

/// The size of a file, if a file may have it. Whoever wants a file makes room for what is known of its chunks.
fn file_bytes(bytes: u64) -> Option<u64> {
    (1..=PHOTO_BYTES_MAX).contains(&bytes).then_some(bytes)
}

const fn shape(what: &'static str) -> Refused {
    Refused { check: Check::Shape, what }
}
