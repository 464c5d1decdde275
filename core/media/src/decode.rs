//! From an original's bytes to a small upright picture, within bounds known before a pixel is decoded.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, Limits};

use crate::container::{self, jpeg, webp};
use crate::facts::{ORIGINAL_BYTES_MAX, Orientation, PhotoFormat, PixelSize};
use crate::jpeg::{Damaged, ScaledJpeg};
use crate::render::NoRendition;
use crate::shrink::{Colors, Picture, Shrinker};

/// What a decoder may allocate for one picture, in bytes, counted before it starts.
///
/// The promise is 128 MiB in all, beyond the caller's bytes.
/// 16 MiB go to [`DECODER_OVERHEAD_BYTES_MAX`];
/// preview, thumbnail, the rotated copy and the encoder's output take 3 · 7.3 MiB at 1600 × 1600 at most,
/// of which one is alive while a decoder still is.
/// So 96 MiB remain: 33 megapixels at 3 bytes (JPEG), 25 at 4 (PNG with transparency), 12.5 at 8 (16 bits with transparency).
/// A 12-megapixel progressive JPEG needs 36.6 MiB of pixels and, at 4:2:0, the same again of coefficients.
const DECODE_BYTES_MAX: u64 = 96 << 20;

/// What a decoder may allocate beside the picture: row buffers, tables, texts it insists on keeping.
const DECODER_OVERHEAD_BYTES_MAX: u64 = 16 << 20;

/// The largest picture that is decoded at all, however small its rows come out.
///
/// It bounds time: 110 megapixels hold 108-megapixel phone cameras and take a second and a half on a laptop.
const PIXELS_MAX: u64 = 110_000_000;

/// Scans of one JPEG.
///
/// Each costs a pass over all coefficients, and a few bytes buy one; encoders write at most about twenty.
const SCANS_MAX: u32 = 64;

/// What a WebP decoder holds per pixel, in bytes.
///
/// Without transparency: 1.5 for the planes, 3 for the result.
/// Lossless or with it: 4 for the result, 4 for a copy or 1.5 for planes, 6 for transparency coded as a picture.
/// Animated: the canvas, the frame and the result at 4 each, and as above for the frame.
const WEBP_LOSSY_BYTES_PER_PIXEL: u64 = 5;
const WEBP_LOSSLESS_BYTES_PER_PIXEL: u64 = 12;
const WEBP_ANIMATED_BYTES_PER_PIXEL: u64 = 20;

/// What one byte of lossless WebP can make the decoder allocate.
///
/// Eleven bytes describe a code whose table has 4 KiB, and a picture may have 65,536 groups of five.
const WEBP_TABLE_BYTES_PER_BYTE: u64 = 400;

/// The picture in `original`, upright, its longest edge at most `edge_max`.
pub(crate) fn small_picture(original: &[u8], orientation: Orientation, edge_max: u32) -> Result<Picture, NoRendition> {
    if original.len() > ORIGINAL_BYTES_MAX {
        return Err(NoRendition::OriginalTooLarge);
    }
    // The last line of defence. The decoders are fuzzed by their authors and were found to panic before;
    // a photo from another phone must not end the session that shows it.
    // They are given nothing but the bytes, and what they leave half done is dropped here.
    let picture =
        catch_unwind(AssertUnwindSafe(|| decode(original, edge_max))).unwrap_or(Err(NoRendition::DamagedPixels))?;
    Ok(picture.upright(orientation))
}

/// The longer edge of the block in which a pixel of this file is coded together with others, in pixels; 1 if it stands alone.
///
/// In a JPEG that is a unit of its scan: colours may have one sample for four by four pixels, and eight samples to a block.
pub(crate) fn block_edge(original: &[u8]) -> u32 {
    match (container::format_of(original), jpeg::layout(original).frame) {
        (Some(PhotoFormat::Jpeg), Some(frame)) => 8 * frame.across_max().max(frame.down_max()) as u32,
        // Lossy WebP codes 16 by 16 pixels together.
        (Some(PhotoFormat::WebP), _) => 16,
        _ => 1,
    }
}

fn decode(original: &[u8], edge_max: u32) -> Result<Picture, NoRendition> {
    match container::format_of(original) {
        Some(PhotoFormat::Jpeg) => decode_jpeg(original, edge_max),
        Some(PhotoFormat::Png) => decode_png(original, edge_max),
        Some(PhotoFormat::WebP) => decode_webp(original, edge_max),
        Some(PhotoFormat::Heic | PhotoFormat::Avif) | None => Err(NoRendition::NotDecodable),
    }
}

fn decode_jpeg(original: &[u8], edge_max: u32) -> Result<Picture, NoRendition> {
    let layout = jpeg::layout(original);
    let frame = layout.frame.ok_or(NoRendition::DamagedPixels)?;
    let pixels = frame.pixels().ok_or(NoRendition::DamagedPixels)?;
    // The decoder fills up what was cut off with grey and says nothing, so it is not asked.
    if layout.frames > 1 || layout.scans > SCANS_MAX || !layout.ended {
        return Err(NoRendition::DamagedPixels);
    }
    if pixels.area() > PIXELS_MAX {
        return Err(NoRendition::TooManyPixels);
    }
    let scaled = decode_scaled(original, &frame, edge_max);
    if let Some(Ok(picture)) = scaled {
        return Ok(picture);
    }
    // Not of the usual kind, too small to be scaled, or damaged: the other decoder takes more, and mends some damage.
    // It copies its input, and holds two bytes a coefficient unless one scan has everything.
    let single_scan = frame.marker != 0xc2 && layout.scans == 1;
    let coefficients = if single_scan { 0 } else { 2 * frame.coefficients() };
    let needed = original.len() as u64 + pixels.area() * 3 + coefficients;
    if needed > DECODE_BYTES_MAX {
        return Err(if scaled.is_some() { NoRendition::DamagedPixels } else { NoRendition::TooManyPixels });
    }
    let decoder = JpegDecoder::new(Cursor::new(original));
    shrink(decoder.map_err(no_rendition)?, pixels, edge_max)
}

/// At half the size or less while it is read: a fraction of the time and of the memory.
///
/// `None` if it is not of the kind that phones write, or too small.
fn decode_scaled(original: &[u8], frame: &jpeg::Frame, edge_max: u32) -> Option<Result<Picture, Damaged>> {
    let jpeg = ScaledJpeg::open(original, frame, edge_max)?;
    let mut shrinker = Shrinker::new(jpeg.size(), jpeg.colors(), edge_max)?;
    let decoded = jpeg.decode(|row| shrinker.push_row(row));
    Some(decoded.and_then(|()| shrinker.finish().ok_or(Damaged)))
}

fn decode_png(original: &[u8], edge_max: u32) -> Result<Picture, NoRendition> {
    let pixels = container::png::read(original).pixels.ok_or(NoRendition::DamagedPixels)?;
    // At least one byte a pixel comes out; how many, the decoder knows once it has read the header.
    if pixels.area() > DECODE_BYTES_MAX {
        return Err(NoRendition::TooManyPixels);
    }
    let decoder = PngDecoder::with_limits(Cursor::new(original), limits(pixels));
    shrink(decoder.map_err(no_rendition)?, pixels, edge_max)
}

fn decode_webp(original: &[u8], edge_max: u32) -> Result<Picture, NoRendition> {
    let layout = webp::layout(original);
    let pixels = layout.pixels.ok_or(NoRendition::DamagedPixels)?;
    let per_pixel = match (layout.animated, layout.lossless) {
        (true, _) => WEBP_ANIMATED_BYTES_PER_PIXEL,
        (false, true) => WEBP_LOSSLESS_BYTES_PER_PIXEL,
        (false, false) => WEBP_LOSSY_BYTES_PER_PIXEL,
    };
    let needed = layout.area_max.saturating_mul(per_pixel);
    if needed > DECODE_BYTES_MAX {
        return Err(NoRendition::TooManyPixels);
    }
    let tables = layout.lossless_bytes_max as u64 * WEBP_TABLE_BYTES_PER_BYTE;
    if needed + tables > DECODE_BYTES_MAX {
        return Err(NoRendition::OriginalTooLarge);
    }
    let decoder = WebPDecoder::new(Cursor::new(original));
    shrink(decoder.map_err(no_rendition)?, pixels, edge_max)
}

/// What any decoder of the `image` crate is held to.
fn limits(pixels: PixelSize) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(pixels.width);
    limits.max_image_height = Some(pixels.height);
    limits.max_alloc = Some(DECODER_OVERHEAD_BYTES_MAX);
    limits
}

/// Decodes whole and shrinks.
fn shrink(mut decoder: impl ImageDecoder, pixels: PixelSize, edge_max: u32) -> Result<Picture, NoRendition> {
    decoder.set_limits(limits(pixels)).map_err(no_rendition)?;
    let (width, height) = decoder.dimensions();
    let color = decoder.color_type();
    let size = PixelSize::new(width, height).filter(|size| *size == pixels).ok_or(NoRendition::DamagedPixels)?;
    let bytes = decoder.total_bytes();
    if bytes > DECODE_BYTES_MAX {
        return Err(NoRendition::TooManyPixels);
    }
    let mut shrinker = Shrinker::new(size, Colors::Rgb, edge_max).ok_or(NoRendition::TooManyPixels)?;
    let mut stored = vec![0; bytes as usize];
    decoder.read_image(&mut stored).map_err(no_rendition)?;

    let mut row = Vec::with_capacity(width as usize * 3);
    for line in stored.chunks_exact(width as usize * usize::from(color.bytes_per_pixel())) {
        if color == ColorType::Rgb8 {
            shrinker.push_row(line);
            continue;
        }
        row.clear();
        push_rgb(line, color, &mut row)?;
        shrinker.push_row(&row);
    }
    shrinker.finish().ok_or(NoRendition::DamagedPixels)
}

/// Brings a row to three bytes a pixel: 16 bits lose their lower half, transparency lies on white.
fn push_rgb(line: &[u8], color: ColorType, row: &mut Vec<u8>) -> Result<(), NoRendition> {
    let high = |pair: [u8; 2]| (u16::from_ne_bytes(pair) >> 8) as u8;
    match color {
        ColorType::L8 => row.extend(line.iter().flat_map(|grey| [*grey; 3])),
        ColorType::La8 => {
            let (pixels, _) = line.as_chunks::<2>();
            row.extend(pixels.iter().flat_map(|[grey, a]| [on_white(*grey, *a); 3]));
        }
        ColorType::Rgb8 => row.extend_from_slice(line),
        ColorType::Rgba8 => {
            let (pixels, _) = line.as_chunks::<4>();
            row.extend(pixels.iter().flat_map(|[r, g, b, a]| [r, g, b].map(|value| on_white(*value, *a))));
        }
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => {
            let (pairs, _) = line.as_chunks::<2>();
            let narrow: Vec<u8> = pairs.iter().map(|pair| high(*pair)).collect();
            let color = match color {
                ColorType::L16 => ColorType::L8,
                ColorType::La16 => ColorType::La8,
                ColorType::Rgb16 => ColorType::Rgb8,
                _ => ColorType::Rgba8,
            };
            push_rgb(&narrow, color, row)?;
        }
        // `ColorType` may grow; none of the three formats gives anything else.
        _ => return Err(NoRendition::NotDecodable),
    }
    Ok(())
}

fn on_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

fn no_rendition(error: image::ImageError) -> NoRendition {
    match error {
        image::ImageError::Limits(_) => NoRendition::TooManyPixels,
        image::ImageError::Unsupported(_) => NoRendition::NotDecodable,
        image::ImageError::Decoding(_)
        | image::ImageError::Encoding(_)
        | image::ImageError::Parameter(_)
        | image::ImageError::IoError(_) => NoRendition::DamagedPixels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transparency_lies_on_white() {
        for (value, alpha, expected) in [(0, 0, 255), (0, 255, 0), (200, 255, 200), (0, 128, 127)] {
            assert_eq!(on_white(value, alpha), expected);
        }
    }

    #[test]
    fn every_color_type_comes_to_three_bytes() {
        let wide = |values: &[u16]| -> Vec<u8> { values.iter().flat_map(|value| value.to_ne_bytes()).collect() };
        for (color, line, expected) in [
            (ColorType::L8, vec![9], [9, 9, 9]),
            (ColorType::La8, vec![9, 0], [255, 255, 255]),
            (ColorType::Rgb8, vec![1, 2, 3], [1, 2, 3]),
            (ColorType::Rgba8, vec![1, 2, 3, 255], [1, 2, 3]),
            (ColorType::L16, wide(&[0x1234]), [0x12; 3]),
            (ColorType::La16, wide(&[0x1234, 0xffff]), [0x12; 3]),
            (ColorType::Rgb16, wide(&[0x100, 0x200, 0x3ff]), [1, 2, 3]),
            (ColorType::Rgba16, wide(&[1, 2, 3, 0]), [255; 3]),
        ] {
            let mut row = Vec::new();
            assert_eq!(push_rgb(&line, color, &mut row), Ok(()));
            assert_eq!(row, expected, "{color:?}");
        }
    }
}
