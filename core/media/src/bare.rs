//! Whether a file is its pixels and nothing else: what may be published without telling where and by what it was taken.

/// Whether a file is a JPEG, PNG or WebP without anything beside what its pixels need: no EXIF, no XMP, no comment, no
/// thumbnail, no colour profile (profiles carry dates and makers), and no byte after its end.
///
/// What is hidden in the pixels themselves is not seen.
pub fn is_bare(file: &[u8]) -> bool {
    is_bare_jpeg(file).or_else(|| is_bare_png(file)).or_else(|| is_bare_webp(file)).unwrap_or(false)
}

/// `None`: no JPEG.
fn is_bare_jpeg(file: &[u8]) -> Option<bool> {
    let mut rest = file.strip_prefix(b"\xff\xd8")?;
    loop {
        let [0xff, marker, after @ ..] = rest else { return Some(false) };
        match marker {
            0xd9 => return Some(after.is_empty()),
            // Tables, frame, restart interval, JFIF without a thumbnail, scan; the rest says something.
            0xc0..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xda | 0xdb | 0xdd | 0xe0 => {}
            _ => return Some(false),
        }
        let [high, low, ..] = after else { return Some(false) };
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((segment, after)) = after.split_at_checked(len) else { return Some(false) };
        if *marker == 0xe0 && !is_plain_jfif(segment) {
            return Some(false);
        }
        rest = if *marker == 0xda { after_scan(after) } else { after };
    }
}

/// `JFIF`, its version, its density, and a thumbnail of no pixels.
fn is_plain_jfif(segment: &[u8]) -> bool {
    segment.len() == 16 && segment.get(2..7) == Some(b"JFIF\0") && segment[14..] == [0, 0]
}

/// What follows the coded pixels of a scan: a marker that is neither stuffing nor a restart.
fn after_scan(coded: &[u8]) -> &[u8] {
    let is_end = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7);
    let end = coded.windows(2).position(is_end).unwrap_or(coded.len());
    &coded[end..]
}

/// `None`: no PNG.
fn is_bare_png(file: &[u8]) -> Option<bool> {
    let mut rest = file.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    loop {
        let Some((head, after)) = rest.split_at_checked(8) else { return Some(false) };
        let len = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let chunk = &head[4..];
        let Some((_, after)) = len.checked_add(4).and_then(|len| after.split_at_checked(len)) else {
            return Some(false);
        };
        match chunk {
            b"IEND" => return Some(len == 0 && after.is_empty()),
            b"IHDR" | b"PLTE" | b"tRNS" | b"IDAT" | b"gAMA" | b"sRGB" | b"cHRM" => rest = after,
            _ => return Some(false),
        }
    }
}

/// `None`: no WebP.
fn is_bare_webp(file: &[u8]) -> Option<bool> {
    let body = file.strip_prefix(b"RIFF")?;
    let (size, body) = body.split_at_checked(4)?;
    let rest = body.strip_prefix(b"WEBP")?;
    let size = u32::from_le_bytes([size[0], size[1], size[2], size[3]]) as usize;
    let Some((head, coded)) = rest.split_at_checked(8) else { return Some(false) };
    let len = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
    // One chunk of pixels, padded to an even length.
    let is_one = matches!(&head[..4], b"VP8 " | b"VP8L") && coded.len() == len + len % 2;
    Some(is_one && size == body.len())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ImageFormat, Rgb, RgbImage};

    use super::*;

    fn made(format: ImageFormat) -> Vec<u8> {
        let mut file = Vec::new();
        RgbImage::from_fn(64, 48, |x, y| Rgb([x as u8, y as u8, 9]))
            .write_to(&mut Cursor::new(&mut file), format)
            .unwrap();
        file
    }

    #[test]
    fn what_is_encoded_from_pixels_is_bare_and_a_byte_more_is_not() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let mut file = made(format);
            assert!(is_bare(&file), "{format:?}");
            file.push(0);
            assert!(!is_bare(&file), "{format:?} with a byte more");
            assert!(!is_bare(&file[..file.len() / 2]), "{format:?} cut");
        }
    }

    #[test]
    fn anything_that_speaks_is_seen() {
        let jpeg = made(ImageFormat::Jpeg);
        for (marker, said) in [
            (0xe1, &b"Exif\0\0MM\0*"[..]),
            (0xe1, b"http://ns.adobe.com/xap/1.0/\0"),
            (0xfe, b"by me"),
            (0xed, b"Photoshop 3.0\0"),
            (0xe2, b"ICC_PROFILE\0"),
        ] {
            let mut file = jpeg[..2].to_vec();
            file.extend([0xff, marker]);
            file.extend((said.len() as u16 + 2).to_be_bytes());
            file.extend(said);
            file.extend(&jpeg[2..]);
            assert!(!is_bare(&file), "{marker:x}");
        }
        let png = made(ImageFormat::Png);
        let mut file = png[..33].to_vec();
        file.extend(9_u32.to_be_bytes());
        file.extend(b"tEXtAuthor\0Me0000");
        file.extend(&png[33..]);
        assert!(!is_bare(&file));
        assert!(!is_bare(b"") && !is_bare(b"GIF89a") && !is_bare(b"\xff\xd8") && !is_bare(b"RIFF\0\0\0\0WEBP"));
    }
}
