//! A courier bundle: one file that carries what a live peer would have sent (`spec/courier.md`).
//!
//! Here are the places in the file and its table of contents. The frames inside are those of [`sync`](crate::sync), and
//! judging them is not this module's affair; nor does it read or write a file.

mod contents;

pub use contents::{Blob, CONTENTS_BYTES_MAX, Contents, For, LeftOut, Part, SECTIONS_MAX, Section};

use crate::check::{Check, Refused};
use crate::id::sha256;
use crate::sync::Class;
use crate::sync::frame::{BLOB_FRAME_BYTES_MAX, BlobClass, FRAME_BYTES_MAX};

/// The first bytes of every bundle.
pub const MAGIC: &[u8; 20] = b"merestone/courier/1\n";
/// Bytes in front of each frame: its class, its length.
pub const FRAME_HEAD_BYTES: usize = 5;
/// The last bytes of every bundle.
pub const TRAILER_BYTES: usize = 48;
/// Most bytes of one section: a photo of 64 MiB with its chunk hashes and the heads of its frames.
pub const SECTION_BYTES_MAX: u64 = 68 << 20;

const TRAILER_MAGIC: &[u8; 8] = b"merebndl";

/// What stands in front of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    /// Its class.
    pub class: Class,
    /// Its length in bytes, within the limit of its class.
    pub bytes: usize,
}

impl FrameHead {
    /// The head of a frame.
    pub fn of(class: Class, frame: &[u8]) -> Self {
        Self { class, bytes: frame.len() }
    }

    /// The bytes in front of the frame: the class as the first byte of its stream has it, the length.
    pub fn encode(self) -> [u8; FRAME_HEAD_BYTES] {
        let mut out = [0; FRAME_HEAD_BYTES];
        out[0] = number(self.class) + 1;
        // No frame is longer than its class allows.
        out[1..].copy_from_slice(&u32::try_from(self.bytes).unwrap_or(u32::MAX).to_be_bytes());
        out
    }

    /// Reads the head of a frame.
    ///
    /// # Errors
    /// `shape` for an unknown class, `size-limit` for a frame that is longer than its class allows.
    pub fn decode(bytes: [u8; FRAME_HEAD_BYTES]) -> Result<Self, Refused> {
        let [first, length @ ..] = bytes;
        let class = Class::ALL.into_iter().find(|class| number(*class) + 1 == first);
        let class = class.ok_or(Refused { check: Check::Shape, what: "class of a frame" })?;
        let max = match class {
            Class::Control | Class::Entries => FRAME_BYTES_MAX,
            Class::Blobs(_) => BLOB_FRAME_BYTES_MAX,
        };
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length == 0 || length > max {
            return Err(Refused { check: Check::SizeLimit, what: "frame" });
        }
        Ok(Self { class, bytes: length })
    }
}

/// The number of the class, as in `spec/sync.md`.
fn number(class: Class) -> u8 {
    match class {
        Class::Control => 0,
        Class::Entries => 1,
        Class::Blobs(BlobClass::Thumbnail) => 2,
        Class::Blobs(BlobClass::Preview) => 3,
        Class::Blobs(BlobClass::Original) => 4,
    }
}

/// The end of a bundle: where the table of contents stands, and its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailer {
    /// Where the contents begin; they end where the trailer begins.
    pub offset: u64,
    /// SHA-256 of the contents, and through the digests in them of everything before.
    pub digest: [u8; 32],
}

impl Trailer {
    /// The trailer behind these contents, which begin at `offset`.
    pub fn of(contents: &[u8], offset: u64) -> Self {
        Self { offset, digest: sha256(&[contents]) }
    }

    /// Its bytes.
    pub fn encode(&self) -> [u8; TRAILER_BYTES] {
        let mut out = [0; TRAILER_BYTES];
        out[..8].copy_from_slice(&self.offset.to_be_bytes());
        out[8..40].copy_from_slice(&self.digest);
        out[40..].copy_from_slice(TRAILER_MAGIC);
        out
    }

    /// Reads the trailer of a file of `file_bytes`; `None`: it is none, the file was cut or never finished.
    pub fn decode(bytes: &[u8; TRAILER_BYTES], file_bytes: u64) -> Option<Self> {
        let (offset, rest) = bytes.split_first_chunk::<8>()?;
        let (digest, magic) = rest.split_first_chunk::<32>()?;
        let trailer = Self { offset: u64::from_be_bytes(*offset), digest: *digest };
        let is_inside = trailer.offset >= MAGIC.len() as u64 && trailer.contents_bytes(file_bytes).is_some();
        (magic == TRAILER_MAGIC && is_inside).then_some(trailer)
    }

    /// Length of the contents in a file of `file_bytes`, if that is a length they can have.
    pub fn contents_bytes(&self, file_bytes: u64) -> Option<usize> {
        let end = file_bytes.checked_sub(TRAILER_BYTES as u64)?;
        let length = usize::try_from(end.checked_sub(self.offset)?).ok()?;
        (1..=CONTENTS_BYTES_MAX).contains(&length).then_some(length)
    }
}
