//! The boxes of a HEIF file (ISO/IEC 14496-12 and 23008-12): HEIC and AVIF.

use std::borrow::Cow;

use super::{Container, Cursor, METADATA_BYTES_MAX, exif_block};
use crate::facts::{PhotoFormat, PixelSize};

/// How many items, properties or extents are looked at in one list.
///
/// An iPhone's 48-megapixel grid has under 200 items; the bound keeps the lists' nesting harmless.
const LIST_MAX: u32 = 4096;

/// HEIC or AVIF, by the brands of the first box.
pub(crate) fn format_of(file: &[u8]) -> Option<PhotoFormat> {
    let (kind, body) = next_box(&mut Cursor::new(file))?;
    if &kind != b"ftyp" {
        return None;
    }
    let (major, rest) = body.split_first_chunk::<4>()?;
    let (compatible, _) = rest.get(4..).unwrap_or_default().as_chunks::<4>();
    let any = |wanted: &[&[u8; 4]]| wanted.contains(&major) || compatible.iter().any(|brand| wanted.contains(&brand));
    if any(&[b"avif", b"avis"]) {
        Some(PhotoFormat::Avif)
    } else if any(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) {
        Some(PhotoFormat::Heic)
    } else {
        None
    }
}

/// Size of the primary item, EXIF of the first `Exif` item.
pub(crate) fn read(file: &[u8]) -> Container<'_> {
    let mut cursor = Cursor::new(file);
    while let Some((kind, body)) = next_box(&mut cursor) {
        if &kind == b"meta" {
            let meta = Meta::read(file, body);
            let exif = meta.exif();
            return Container { pixels: meta.pixels(), broken: meta.exif_item.is_some() && exif.is_none(), exif };
        }
    }
    Container { broken: true, ..Container::default() }
}

/// The parts of a `meta` box that are needed.
#[derive(Debug, Default)]
struct Meta<'a> {
    file: &'a [u8],
    primary: Option<u32>,
    exif_item: Option<u32>,
    locations: Option<&'a [u8]>,
    data: &'a [u8],
    properties: Option<&'a [u8]>,
    associations: Option<&'a [u8]>,
}

impl<'a> Meta<'a> {
    fn read(file: &'a [u8], body: &'a [u8]) -> Meta<'a> {
        let mut meta = Meta { file, ..Meta::default() };
        let mut cursor = Cursor::new(body.get(4..).unwrap_or_default());
        while let Some((kind, body)) = next_box(&mut cursor) {
            match &kind {
                b"pitm" => meta.primary = primary_item(body),
                b"iinf" => meta.exif_item = exif_item(body),
                b"iloc" => meta.locations = Some(body),
                b"idat" => meta.data = body,
                b"iprp" => {
                    let mut inner = Cursor::new(body);
                    while let Some((kind, body)) = next_box(&mut inner) {
                        match &kind {
                            b"ipco" => meta.properties = Some(body),
                            b"ipma" => meta.associations = Some(body),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        meta
    }

    fn pixels(&self) -> Option<PixelSize> {
        let mut cursor = Cursor::new(self.associations?);
        let (version, flags) = version_and_flags(&mut cursor)?;
        for _ in 0..cursor.u32_be()?.min(LIST_MAX) {
            let item = item_id(&mut cursor, version >= 1)?;
            for _ in 0..cursor.u8()? {
                let index = match flags & 1 {
                    1 => cursor.u16_be()? & 0x7fff,
                    _ => u16::from(cursor.u8()? & 0x7f),
                };
                if Some(item) == self.primary
                    && let Some(pixels) = self.extent_property(index)
                {
                    return Some(pixels);
                }
            }
        }
        None
    }

    /// The property of this number, counted from 1, if it is an image's size.
    fn extent_property(&self, index: u16) -> Option<PixelSize> {
        let mut cursor = Cursor::new(self.properties?);
        for _ in 1..index {
            next_box(&mut cursor)?;
        }
        let (kind, body) = next_box(&mut cursor)?;
        if &kind != b"ispe" || index == 0 {
            return None;
        }
        let mut size = Cursor::new(body.get(4..)?);
        PixelSize::new(size.u32_be()?, size.u32_be()?)
    }

    fn exif(&self) -> Option<Cow<'a, [u8]>> {
        let block = self.item(self.exif_item?)?;
        // The block begins with the distance from here to its TIFF header.
        let skip = usize::try_from(u32::from_be_bytes(*block.first_chunk()?)).ok()?;
        let from = skip.checked_add(4).filter(|from| *from <= block.len())?;
        Some(match block {
            Cow::Borrowed(block) => exif_block(&block[from..]),
            Cow::Owned(block) => Cow::Owned(exif_block(&block[from..]).into_owned()),
        })
    }

    /// The first [`METADATA_BYTES_MAX`] bytes of an item.
    fn item(&self, wanted: u32) -> Option<Cow<'a, [u8]>> {
        let mut cursor = Cursor::new(self.locations?);
        let (version, _) = version_and_flags(&mut cursor)?;
        let sizes = usize::from(cursor.u16_be()?);
        let (offset_size, length_size, base_size) = (sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15);
        let index_size = if version == 0 { 0 } else { sizes & 15 };
        let count = item_id(&mut cursor, version >= 2)?;
        for _ in 0..count.min(LIST_MAX) {
            let item = item_id(&mut cursor, version >= 2)?;
            let method = match version {
                0 => 0,
                _ => cursor.u16_be()? & 15,
            };
            cursor.take(2)?;
            let base = cursor.sized_be(base_size)?;
            let mut parts = Cow::Borrowed(&[][..]);
            for _ in 0..cursor.u16_be()? {
                cursor.sized_be(index_size)?;
                let offset = cursor.sized_be(offset_size)?;
                let length = cursor.sized_be(length_size)?;
                if item == wanted && parts.len() < METADATA_BYTES_MAX {
                    append(&mut parts, self.part(method, base.checked_add(offset)?, length)?);
                }
            }
            if item == wanted {
                return Some(parts);
            }
        }
        None
    }

    /// A part of an item; a length of 0 means the rest.
    fn part(&self, method: u16, offset: u64, length: u64) -> Option<&'a [u8]> {
        let source = match method {
            0 => self.file,
            1 => self.data,
            _ => return None,
        };
        let rest = source.get(usize::try_from(offset).ok()?..)?;
        match usize::try_from(length).ok()? {
            0 => Some(rest),
            length => rest.get(..length),
        }
    }
}

fn append<'a>(parts: &mut Cow<'a, [u8]>, part: &'a [u8]) {
    if parts.is_empty() {
        *parts = Cow::Borrowed(part);
    } else {
        let room = METADATA_BYTES_MAX.saturating_sub(parts.len());
        if let Cow::Borrowed(first) = *parts {
            *parts = Cow::Owned(first[..first.len().min(METADATA_BYTES_MAX)].to_vec());
        }
        parts.to_mut().extend_from_slice(&part[..part.len().min(room)]);
    }
}

fn next_box<'a>(cursor: &mut Cursor<'a>) -> Option<([u8; 4], &'a [u8])> {
    let size = u64::from(cursor.u32_be()?);
    let kind = cursor.array()?;
    let length = match size {
        0 => cursor.rest.len(),
        1 => usize::try_from(cursor.sized_be(8)?.checked_sub(16)?).ok()?,
        _ => usize::try_from(size.checked_sub(8)?).ok()?,
    };
    Some((kind, cursor.take(length)?))
}

fn version_and_flags(cursor: &mut Cursor<'_>) -> Option<(u8, u32)> {
    let word = cursor.u32_be()?;
    Some(((word >> 24) as u8, word & 0xff_ffff))
}

fn item_id(cursor: &mut Cursor<'_>, wide: bool) -> Option<u32> {
    if wide { cursor.u32_be() } else { cursor.u16_be().map(u32::from) }
}

fn primary_item(body: &[u8]) -> Option<u32> {
    let mut cursor = Cursor::new(body);
    let (version, _) = version_and_flags(&mut cursor)?;
    item_id(&mut cursor, version >= 1)
}

fn exif_item(body: &[u8]) -> Option<u32> {
    let mut cursor = Cursor::new(body);
    let (version, _) = version_and_flags(&mut cursor)?;
    let count = item_id(&mut cursor, version >= 1)?;
    for _ in 0..count.min(LIST_MAX) {
        let (kind, body) = next_box(&mut cursor)?;
        let mut entry = Cursor::new(body);
        let (version, _) = version_and_flags(&mut entry)?;
        if &kind != b"infe" || version < 2 {
            continue;
        }
        let item = item_id(&mut entry, version >= 3)?;
        entry.take(2)?;
        if &entry.array()? == b"Exif" {
            return Some(item);
        }
    }
    None
}
