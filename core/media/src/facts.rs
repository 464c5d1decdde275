//! What a photo says about itself, read within bounds and never trusted further than that.

use crate::container::{self, Container};
use crate::tiff;

/// The largest original this room looks at, in bytes.
///
/// A 108-megapixel phone JPEG has 25 to 45 MB and a 12-megapixel one 3 to 8 MB, so 64 MiB leaves room,
/// while 1,024 chunks of 64 KiB remain a transfer that a border post can finish.
pub const ORIGINAL_BYTES_MAX: usize = 64 << 20;

/// The longest camera make or model kept, in bytes.
///
/// The longest one in the fixtures has 35; more is not a name.
pub const CAMERA_NAME_BYTES_MAX: usize = 64;

/// What can be known of a photo without decoding its pixels.
///
/// All of it is what the file claims.
/// A camera's clock may be wrong and metadata can be written by anybody:
/// these are suggestions for the observer's screen, not evidence of time or place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoFacts {
    /// The format, by content and never by name.
    pub format: PhotoFormat,
    /// Width and height as stored, before `orientation` is applied; `None` when the file has no readable header for them.
    pub pixels: Option<PixelSize>,
    /// How the stored picture must be turned to stand upright; upright when the file does not say.
    pub orientation: Orientation,
    /// When the shutter opened, as the camera wrote it.
    pub taken: Option<Taken>,
    /// Where the camera says it was.
    pub place: Option<Place>,
    /// Who made the camera: printable ASCII, at most [`CAMERA_NAME_BYTES_MAX`] bytes.
    pub make: Option<String>,
    /// The camera's model: printable ASCII, at most [`CAMERA_NAME_BYTES_MAX`] bytes.
    pub model: Option<String>,
    /// Whether metadata was there and whole. Damage is a fact, not an error.
    pub metadata: Metadata,
}

/// A photo format known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhotoFormat {
    /// JPEG, also with further pictures or a film behind it (MPO, motion photo).
    Jpeg,
    /// PNG, also animated.
    Png,
    /// WebP: lossy, lossless or animated.
    WebP,
    /// HEIF coded with HEVC, what iPhones write. Its pixels are not decoded here.
    Heic,
    /// HEIF coded with AV1. Its pixels are not decoded here.
    Avif,
}

/// Width and height in pixels, neither of them zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelSize {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl PixelSize {
    /// `None` when either is zero: there is no such picture.
    pub fn new(width: u32, height: u32) -> Option<PixelSize> {
        (width > 0 && height > 0).then_some(PixelSize { width, height })
    }

    /// Pixels in all.
    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// The EXIF orientation, 1 to 8: where row 0 and column 0 of the stored picture are when it stands upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Orientation(u8);

impl Orientation {
    /// Row 0 on top, column 0 at the left: nothing to turn.
    pub const UPRIGHT: Orientation = Orientation(1);

    /// `None` outside 1 to 8.
    pub fn new(number: u32) -> Option<Orientation> {
        match u8::try_from(number) {
            Ok(number @ 1..=8) => Some(Orientation(number)),
            Ok(_) | Err(_) => None,
        }
    }

    /// The EXIF number, 1 to 8.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether width and height change places (5 to 8).
    pub fn swaps_edges(self) -> bool {
        self.0 >= 5
    }
}

/// A camera's date and time (EXIF `DateTimeOriginal`): a wall clock, and its offset when the camera wrote one.
///
/// Always a date that exists, 00:00:00 to 23:59:59.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// 1 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to the month's last day.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// Minutes to take off to reach UTC, -840 to 840. `None`: the camera did not say.
    pub utc_offset_minutes: Option<i16>,
}

/// A position on WGS 84 in units of 10⁻⁷ degrees (about 1 cm), rounded to the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// North positive, within ±900,000,000.
    pub latitude_e7: i32,
    /// East positive, within ±1,800,000,000.
    pub longitude_e7: i32,
}

/// The state of a photo's EXIF block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metadata {
    /// There is none.
    Absent,
    /// Everything asked for was there to be read, or is not in it.
    Whole,
    /// Something in it is broken; the facts hold what could still be read.
    Damaged {
        /// The first thing found broken.
        damage: MetadataDamage,
    },
}

/// What is wrong with an EXIF block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataDamage {
    /// The container around it is cut off or contradicts itself before its end.
    Container,
    /// It does not begin as TIFF does.
    Header,
    /// A directory lies outside the block, is cut off, or claims more entries than are read.
    Directory,
    /// A value lies outside the block, or past the bytes that are read.
    Value,
    /// A value has another type or form than the standard gives it.
    Form,
}

/// Why bytes are not taken as a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhotoRefusal {
    /// Over [`ORIGINAL_BYTES_MAX`].
    #[error("photo has {bytes} bytes, more than {ORIGINAL_BYTES_MAX}")]
    TooLarge {
        /// How many there were.
        bytes: usize,
    },
    /// Neither JPEG, PNG, WebP, HEIC nor AVIF by its content.
    #[error("not a photo format known here")]
    UnknownFormat,
}

/// Reads what `original` says about itself, without decoding a pixel.
///
/// Takes time linear in the bytes and allocates only the two camera names (and up to 256 KiB for a HEIF's scattered EXIF).
///
/// # Errors
/// If the bytes are too many, or of no format known here.
/// Broken metadata is no error: see [`PhotoFacts::metadata`].
pub fn inspect(original: &[u8]) -> Result<PhotoFacts, PhotoRefusal> {
    if original.len() > ORIGINAL_BYTES_MAX {
        return Err(PhotoRefusal::TooLarge { bytes: original.len() });
    }
    let format = container::format_of(original).ok_or(PhotoRefusal::UnknownFormat)?;
    let Container { pixels, exif, broken } = container::read(original, format);
    let read = exif.as_deref().map(tiff::read).unwrap_or_default();
    let damage = read.damage.or((broken && exif.is_none()).then_some(MetadataDamage::Container));
    let metadata = match (damage, exif) {
        (Some(damage), _) => Metadata::Damaged { damage },
        (None, Some(_)) => Metadata::Whole,
        (None, None) => Metadata::Absent,
    };
    Ok(PhotoFacts {
        format,
        pixels,
        orientation: read.orientation.unwrap_or(Orientation::UPRIGHT),
        taken: read.taken,
        place: read.place,
        make: read.make,
        model: read.model,
        metadata,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_formats_are_taken_and_only_by_content() {
        for bytes in [&b""[..], b"GIF89a", b"%PDF-1.7", b"BM", b"photo.jpg", b"RIFF\0\0\0\0WAVE"] {
            assert_eq!(inspect(bytes), Err(PhotoRefusal::UnknownFormat));
        }
    }

    #[test]
    fn an_original_over_the_limit_is_refused_before_it_is_read() {
        let bytes = vec![0xff; ORIGINAL_BYTES_MAX + 1];
        assert_eq!(inspect(&bytes), Err(PhotoRefusal::TooLarge { bytes: bytes.len() }));
    }

    #[test]
    fn a_bare_beginning_of_each_format_is_a_damaged_photo_not_a_refusal() {
        for (bytes, format) in [
            (&b"\xff\xd8\xff"[..], PhotoFormat::Jpeg),
            (b"\x89PNG\r\n\x1a\n", PhotoFormat::Png),
            (b"RIFF\x04\0\0\0WEBP", PhotoFormat::WebP),
            (b"\0\0\0\x14ftypheic\0\0\0\0heic", PhotoFormat::Heic),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", PhotoFormat::Avif),
        ] {
            let facts = inspect(bytes).expect("the format is known");
            assert_eq!(facts.format, format);
            assert_eq!(facts.pixels, None);
        }
    }
}
