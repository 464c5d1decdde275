//! The chunks of a WebP file (RFC 9649).

use super::Cursor;
use crate::facts::PixelSize;

/// What a walk over the chunks found.
#[derive(Debug, Default)]
pub(crate) struct Layout<'a> {
    /// The canvas, or the only picture.
    pub(crate) pixels: Option<PixelSize>,
    /// The largest area that any header in the file claims.
    ///
    /// A picture's own header may contradict the canvas, and the decoder allocates for the former.
    pub(crate) area_max: u64,
    /// Whether any picture is coded without loss, or has transparency, which is coded so.
    pub(crate) lossless: bool,
    /// The largest lossless chunk, in bytes.
    pub(crate) lossless_bytes_max: usize,
    pub(crate) animated: bool,
    pub(crate) exif: Option<&'a [u8]>,
    /// Cut off before the end its header names.
    pub(crate) broken: bool,
}

/// Walks the whole file.
pub(crate) fn layout(file: &[u8]) -> Layout<'_> {
    let mut layout = Layout::default();
    let mut cursor = Cursor::new(file.get(12..).unwrap_or_default());
    while !cursor.rest.is_empty() {
        let Some((kind, data, whole)) = chunk(&mut cursor) else {
            layout.broken = true;
            break;
        };
        layout.broken |= !whole;
        match &kind {
            b"VP8X" => layout.claim(canvas(data)),
            b"EXIF" if layout.exif.is_none() => layout.exif = Some(data),
            b"ANMF" => {
                layout.animated = true;
                layout.claim(frame_size(data));
                let mut inner = Cursor::new(data.get(16..).unwrap_or_default());
                while let Some((kind, data, _)) = chunk(&mut inner) {
                    layout.picture(kind, data);
                }
            }
            _ => layout.picture(kind, data),
        }
    }
    layout
}

impl Layout<'_> {
    fn picture(&mut self, kind: [u8; 4], data: &[u8]) {
        match &kind {
            b"VP8 " => self.claim(lossy_size(data)),
            b"VP8L" => {
                self.claim(lossless_size(data));
                self.count_lossless(data);
            }
            b"ALPH" => self.count_lossless(data),
            _ => {}
        }
    }

    fn count_lossless(&mut self, data: &[u8]) {
        self.lossless = true;
        self.lossless_bytes_max = self.lossless_bytes_max.max(data.len());
    }

    fn claim(&mut self, pixels: Option<PixelSize>) {
        if let Some(pixels) = pixels {
            self.pixels.get_or_insert(pixels);
            self.area_max = self.area_max.max(pixels.area());
        }
    }
}

/// Kind, data, and whether all of the data is there; a last chunk that is cut off still counts with what there is.
fn chunk<'a>(cursor: &mut Cursor<'a>) -> Option<([u8; 4], &'a [u8], bool)> {
    let kind = cursor.array()?;
    let length = usize::try_from(cursor.u32_le()?).ok()?;
    let data = cursor.take(length.min(cursor.rest.len()))?;
    // Chunks are padded to even lengths; a missing last pad byte harms nobody.
    cursor.take((length % 2).min(cursor.rest.len()))?;
    Some((kind, data, data.len() == length))
}

fn u24(bytes: &[u8], at: usize) -> Option<u32> {
    let &[low, middle, high] = bytes.get(at..at + 3)? else {
        return None;
    };
    Some(u32::from_le_bytes([low, middle, high, 0]))
}

fn canvas(data: &[u8]) -> Option<PixelSize> {
    PixelSize::new(u24(data, 4)? + 1, u24(data, 7)? + 1)
}

fn frame_size(data: &[u8]) -> Option<PixelSize> {
    PixelSize::new(u24(data, 6)? + 1, u24(data, 9)? + 1)
}

fn lossy_size(data: &[u8]) -> Option<PixelSize> {
    let &[width_low, width_high, height_low, height_high] = data.get(6..10)? else {
        return None;
    };
    let edge = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    PixelSize::new(edge(width_low, width_high), edge(height_low, height_high))
}

fn lossless_size(data: &[u8]) -> Option<PixelSize> {
    let bits = u32::from_le_bytes(*data.get(1..)?.first_chunk()?);
    PixelSize::new((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1)
}
