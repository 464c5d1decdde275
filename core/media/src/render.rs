//! Small pictures for screens and for slow links: what peers see long before the original arrives.

use crate::decode;
use crate::facts::{self, ORIGINAL_BYTES_MAX, PhotoFacts, PhotoFormat, PhotoRefusal};
use crate::shrink::Picture;

/// The longest edge of a thumbnail, in pixels: two to a row on a phone, at twice the density.
pub const THUMBNAIL_EDGE_MAX: u32 = 320;

/// The longest edge of a preview, in pixels: fills a phone's screen, and a plate or a label can still be read.
pub const PREVIEW_EDGE_MAX: u32 = 1600;

/// The largest thumbnail, in bytes: one chunk of 64 KiB.
pub const THUMBNAIL_BYTES_MAX: usize = 64 << 10;

/// The largest preview, in bytes. Usual ones have 150 to 500 KB.
pub const PREVIEW_BYTES_MAX: usize = 1 << 20;

/// The largest picture an app may offer as a preview, in bytes: a full-size JPEG made by the platform still fits.
pub const OFFERED_PREVIEW_BYTES_MAX: usize = 16 << 20;

/// A small picture of a photo: an upright JPEG without metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// The JPEG file.
    pub bytes: Vec<u8>,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// Both renditions of a photo, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renditions {
    /// At most [`THUMBNAIL_EDGE_MAX`] and [`THUMBNAIL_BYTES_MAX`]. Made from the preview.
    pub thumbnail: Result<Rendition, NoRendition>,
    /// At most [`PREVIEW_EDGE_MAX`] and [`PREVIEW_BYTES_MAX`].
    pub preview: Result<Rendition, NoRendition>,
}

/// Why a photo has no rendition. Its code is signed, so codes are never given away twice.
///
/// The original is kept, sent and hashed all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NoRendition {
    /// Code 1: the format's pixels are not decoded here (HEIC, AVIF, rare kinds of the others). An app may offer a preview.
    #[error("pixels of this format are not decoded here")]
    NotDecodable,
    /// Code 2: the pixels are damaged or cut off.
    #[error("pixels are damaged or cut off")]
    DamagedPixels,
    /// Code 3: more pixels than are decoded here.
    #[error("more pixels than are decoded here")]
    TooManyPixels,
    /// Code 4: more bytes than are decoded here.
    ///
    /// Over [`ORIGINAL_BYTES_MAX`], or a lossless WebP whose bytes could describe more tables than fit in memory.
    #[error("more bytes than are decoded here")]
    OriginalTooLarge,
}

impl NoRendition {
    /// The number that is signed.
    pub fn code(self) -> u8 {
        match self {
            NoRendition::NotDecodable => 1,
            NoRendition::DamagedPixels => 2,
            NoRendition::TooManyPixels => 3,
            NoRendition::OriginalTooLarge => 4,
        }
    }

    /// `None` for a number that is not given to a reason.
    pub fn from_code(code: u8) -> Option<NoRendition> {
        match code {
            1 => Some(NoRendition::NotDecodable),
            2 => Some(NoRendition::DamagedPixels),
            3 => Some(NoRendition::TooManyPixels),
            4 => Some(NoRendition::OriginalTooLarge),
            _ => None,
        }
    }
}

/// Why a picture is not taken as a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PreviewRefusal {
    /// Over [`OFFERED_PREVIEW_BYTES_MAX`].
    #[error("preview has {bytes} bytes, more than {OFFERED_PREVIEW_BYTES_MAX}")]
    TooLarge {
        /// How many there were.
        bytes: usize,
    },
    /// Not a JPEG by its content.
    #[error("preview is not a jpeg")]
    NotJpeg,
    /// A JPEG that has no rendition itself.
    #[error("preview cannot be used: {reason}")]
    NoRendition {
        /// Why not.
        reason: NoRendition,
    },
}

/// Makes the renditions of `original`, turned as `facts` say.
///
/// Only the orientation is taken from `facts`; format and limits are checked against the bytes again.
/// Allocates at most 128 MiB beside the original, whatever it contains.
/// The same bytes may give other renditions with another version of this crate:
/// they are made once, by the capturing device, and signed.
pub fn render(original: &[u8], facts: &PhotoFacts) -> Renditions {
    let preview = decode::small_picture(original, facts.orientation, PREVIEW_EDGE_MAX);
    let thumbnail = preview.as_ref().map_err(|reason| *reason).and_then(|preview| {
        let small = preview.shrunk(THUMBNAIL_EDGE_MAX);
        encode(&small.ok_or(NoRendition::TooManyPixels)?, THUMBNAIL_BYTES_MAX)
    });
    Renditions { thumbnail, preview: preview.and_then(|preview| encode(&preview, PREVIEW_BYTES_MAX)) }
}

/// Makes the renditions of a photo that is not decodable here from a picture the app's platform decoded.
///
/// Nothing can show that the picture is of that photo: the observer signs that it is.
/// It is decoded and encoded again, so neither its metadata nor anything hidden in its structure goes further.
///
/// # Errors
/// If it is no JPEG, has too many bytes, or cannot be decoded.
pub fn accept_preview(offered: &[u8]) -> Result<Renditions, PreviewRefusal> {
    if offered.len() > OFFERED_PREVIEW_BYTES_MAX {
        return Err(PreviewRefusal::TooLarge { bytes: offered.len() });
    }
    let facts = match facts::inspect(offered) {
        Ok(facts) if facts.format == PhotoFormat::Jpeg => facts,
        Ok(_) | Err(PhotoRefusal::TooLarge { .. } | PhotoRefusal::UnknownFormat) => {
            return Err(PreviewRefusal::NotJpeg);
        }
    };
    let renditions = render(offered, &facts);
    match renditions.preview {
        Ok(_) => Ok(renditions),
        Err(reason) => Err(PreviewRefusal::NoRendition { reason }),
    }
}

pub(crate) fn encode(picture: &Picture, bytes_max: usize) -> Result<Rendition, NoRendition> {
    // Noise at the coarsest quality has a tenth of the bytes allowed, so this is a defence, not a case.
    let bytes = picture.to_jpeg(bytes_max).ok_or(NoRendition::TooManyPixels)?;
    Ok(Rendition { bytes, width: picture.size.width, height: picture.size.height })
}

const _: () = assert!(OFFERED_PREVIEW_BYTES_MAX <= ORIGINAL_BYTES_MAX);
