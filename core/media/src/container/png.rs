//! The chunks of a PNG file.

use super::{Container, Cursor, exif_block};
use crate::facts::PixelSize;

/// Size from `IHDR`, EXIF from `eXIf`, wherever it stands.
///
/// The older habit of hexadecimal EXIF inside a text chunk is not read: no phone writes it.
pub(crate) fn read(file: &[u8]) -> Container<'_> {
    let mut container = Container::default();
    let mut cursor = Cursor::new(file.get(8..).unwrap_or_default());
    loop {
        let Some((kind, data)) = chunk(&mut cursor) else {
            container.broken = true;
            return container;
        };
        match &kind {
            b"IHDR" if container.pixels.is_none() => {
                let mut header = Cursor::new(data);
                container.pixels =
                    header.u32_be().zip(header.u32_be()).and_then(|(width, height)| PixelSize::new(width, height));
            }
            b"eXIf" if container.exif.is_none() => container.exif = Some(exif_block(data)),
            b"IEND" => return container,
            _ => {}
        }
    }
}

/// The chunk's checksum is not looked at: the decoder does that, and metadata is only a suggestion.
fn chunk<'a>(cursor: &mut Cursor<'a>) -> Option<([u8; 4], &'a [u8])> {
    let length = usize::try_from(cursor.u32_be()?).ok()?;
    let kind = cursor.array()?;
    let data = cursor.take(length)?;
    cursor.take(4)?;
    Some((kind, data))
}
