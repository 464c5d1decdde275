//! A copy of a photo in which parts are blank: new pixels, encoded anew, without anything that the original says of itself.

use crate::decode;
use crate::facts::{PhotoFacts, PixelSize};
use crate::render::{NoRendition, PREVIEW_BYTES_MAX, PREVIEW_EDGE_MAX, Rendition, encode};
use crate::shrink::Picture;

/// Most rectangles of one copy.
pub const REDACTED_BOXES_MAX: usize = 256;

/// A rectangle of the upright original, in its pixels, from the left and the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelBox {
    /// Pixels to its left.
    pub x: u32,
    /// Pixels above it.
    pub y: u32,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

/// No redacted copy was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRedaction {
    /// Nothing would be blank, or more than [`REDACTED_BOXES_MAX`] rectangles.
    #[error("name 1 to {REDACTED_BOXES_MAX} rectangles")]
    Boxes,
    /// A rectangle has no pixel of the picture in it.
    #[error("rectangle {index} lies outside the picture")]
    Outside {
        /// Which, from 0.
        index: usize,
    },
    /// The pixels cannot be had here.
    #[error(transparent)]
    Pixels(#[from] NoRendition),
}

/// A copy of `original` in which `boxes` are black: an upright JPEG, at most 1,600 pixels on its longest edge, that is
/// nothing but pixels.
///
/// A rectangle covers every pixel of the copy that took anything from a pixel in it, and one more on each side.
/// In a JPEG a pixel lies in a block, whose every pixel took something from it: so whole blocks are covered.
///
/// # Errors
/// [`NoRedaction`].
pub fn redact(original: &[u8], facts: &PhotoFacts, boxes: &[PixelBox]) -> Result<Rendition, NoRedaction> {
    if boxes.is_empty() || boxes.len() > REDACTED_BOXES_MAX {
        return Err(NoRedaction::Boxes);
    }
    let stored = facts.pixels.ok_or(NoRendition::DamagedPixels)?;
    let upright =
        if facts.orientation.swaps_edges() { PixelSize { width: stored.height, height: stored.width } } else { stored };
    let mut picture = decode::small_picture(original, facts.orientation, PREVIEW_EDGE_MAX)?;
    let reach = decode::block_edge(original) - 1;
    for (index, one) in boxes.iter().enumerate() {
        let is_inside = one.x < upright.width && one.y < upright.height && one.width > 0 && one.height > 0;
        if !is_inside {
            return Err(NoRedaction::Outside { index });
        }
        let columns = covered(one.x, one.width, reach, upright.width, picture.size.width);
        let rows = covered(one.y, one.height, reach, upright.height, picture.size.height);
        blank(&mut picture, columns, rows);
    }
    Ok(encode(&picture, PREVIEW_BYTES_MAX)?)
}

/// The pixels of the copy, along one edge, that took anything from `from` and the `count` pixels there or from `reach`
/// pixels around them, and one more on each side.
fn covered(from: u32, count: u32, reach: u32, edge: u32, copy: u32) -> std::ops::Range<usize> {
    let (edge, copy) = (u64::from(edge), u64::from(copy));
    let start = u64::from(from.saturating_sub(reach)) * copy / edge;
    let end = (u64::from(from) + u64::from(count) + u64::from(reach)).saturating_mul(copy).div_ceil(edge);
    start.saturating_sub(1) as usize..(end + 1).min(copy) as usize
}

fn blank(picture: &mut Picture, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) {
    let (width, black) = (picture.size.width as usize, picture.colors.black());
    for row in picture.samples.chunks_exact_mut(width * 3).take(rows.end).skip(rows.start) {
        row.as_chunks_mut().0[columns.clone()].fill(black);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ImageFormat, Rgb, RgbImage};

    use super::*;
    use crate::{inspect, is_bare};

    /// A red field of 80 by 60 pixels in a grey picture of 3,200 by 2,400.
    fn picture() -> RgbImage {
        let is_secret = |x: u32, y: u32| (1_000..1_080).contains(&x) && (500..560).contains(&y);
        let grey = Rgb([128, 128, 128]);
        RgbImage::from_fn(3_200, 2_400, |x, y| if is_secret(x, y) { Rgb([255, 0, 0]) } else { grey })
    }

    fn original() -> Vec<u8> {
        let mut file = Vec::new();
        picture().write_to(&mut Cursor::new(&mut file), ImageFormat::Png).unwrap();
        file
    }

    #[test]
    fn what_a_rectangle_covers_is_in_no_pixel_of_the_copy() {
        let original = original();
        let facts = inspect(&original).unwrap();
        let secret = PixelBox { x: 1_000, y: 500, width: 80, height: 60 };
        let copy = redact(&original, &facts, &[secret]).unwrap();
        assert!(is_bare(&copy.bytes));
        assert_eq!((copy.width, copy.height), (1_600, 1_200));
        let seen = image::load_from_memory(&copy.bytes).unwrap().to_rgb8();
        // Encoding smears a colour over a block; of red there must be nothing anywhere.
        let is_red = |pixel: &Rgb<u8>| i32::from(pixel[0]) - i32::from(pixel[1]) > 24;
        assert!(!seen.pixels().any(is_red));
        assert_eq!(seen.get_pixel(520, 265), &Rgb([0, 0, 0]));
    }

    #[test]
    fn what_a_jpeg_smeared_over_its_blocks_is_covered_too() {
        for sampling in [jpeg_encoder::SamplingFactor::F_1_1, jpeg_encoder::SamplingFactor::F_2_2] {
            let mut original = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut original, 50);
            encoder.set_sampling_factor(sampling);
            encoder.encode(&picture(), 3_200, 2_400, jpeg_encoder::ColorType::Rgb).unwrap();
            let facts = inspect(&original).unwrap();
            // Its edges are in the middle of blocks.
            let secret = PixelBox { x: 1_000, y: 500, width: 80, height: 60 };
            let copy = redact(&original, &facts, &[secret]).unwrap();
            let seen = image::load_from_memory(&copy.bytes).unwrap().to_rgb8();
            let reddest = seen.pixels().map(|pixel| i32::from(pixel[0]) - i32::from(pixel[1])).max();
            assert!(reddest <= Some(3), "{reddest:?} in {sampling:?}");
        }
    }

    #[test]
    fn a_copy_that_hides_nothing_is_not_made() {
        let original = original();
        let facts = inspect(&original).unwrap();
        let at = |x, width| PixelBox { x, y: 0, width, height: 1 };
        assert_eq!(redact(&original, &facts, &[]), Err(NoRedaction::Boxes));
        assert_eq!(redact(&original, &facts, &[at(0, 1); 257]), Err(NoRedaction::Boxes));
        assert_eq!(redact(&original, &facts, &[at(3_200, 9)]), Err(NoRedaction::Outside { index: 0 }));
        assert_eq!(redact(&original, &facts, &[at(0, 9), at(7, 0)]), Err(NoRedaction::Outside { index: 1 }));
        assert!(redact(&original, &facts, &[at(3_199, u32::MAX)]).is_ok());
        let facts = PhotoFacts { pixels: None, ..facts };
        assert_eq!(redact(&original, &facts, &[at(0, 9)]), Err(NoRedaction::Pixels(NoRendition::DamagedPixels)));
    }
}
