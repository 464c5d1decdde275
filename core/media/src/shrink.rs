//! Pixels on their way from a decoder to a rendition: shrunk row by row, turned upright, encoded.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use crate::facts::{Orientation, PixelSize};

/// A picture of three bytes a pixel, rows from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) size: PixelSize,
    pub(crate) rgb: Vec<u8>,
}

/// Shrinks a picture by exact area averages, taking one row at a time so that nobody holds all of it.
///
/// A source pixel is `to.width` units wide and a target pixel `from.width` units: all weights are whole numbers.
/// Averaging areas neither rings nor lets fine patterns shimmer, and costs one pass.
#[derive(Debug)]
pub(crate) struct Shrinker {
    from: PixelSize,
    to: PixelSize,
    /// The next source row.
    row: u32,
    /// Target row so far: averages in 8.8 fixed point times vertical units.
    ///
    /// At most 255 · 256 · 65,535 < 2³²; [`Shrinker::new`] holds the edges to that.
    sums: Vec<u32>,
    line: Vec<u32>,
    rgb: Vec<u8>,
}

impl Shrinker {
    /// For a picture of `from` pixels, to one whose longest edge is at most `edge_max`; never larger than `from`.
    ///
    /// `None` if an edge is over 65,535, which neither JPEG nor WebP can be.
    pub(crate) fn new(from: PixelSize, edge_max: u32) -> Option<Shrinker> {
        if from.width.max(from.height) > 65_535 {
            return None;
        }
        let to = fitted(from, edge_max);
        let line_length = to.width as usize * 3;
        Some(Shrinker {
            from,
            to,
            row: 0,
            sums: vec![0; line_length],
            line: vec![0; line_length],
            rgb: Vec::with_capacity(line_length * to.height as usize),
        })
    }

    /// Takes the next row, three bytes a pixel; rows past the last change nothing.
    pub(crate) fn push_row(&mut self, rgb: &[u8]) {
        if self.row >= self.from.height {
            return;
        }
        self.shrink_line(rgb);
        let (unit, target) = (u64::from(self.to.height), u64::from(self.from.height));
        let from = u64::from(self.row) * unit;
        let boundary = (from / target + 1) * target;
        let upper = unit.min(boundary - from) as u32;
        self.add_line(upper);
        if from + unit >= boundary {
            self.finish_row();
            self.add_line(unit as u32 - upper);
        }
        self.row += 1;
    }

    /// The picture, if every row came.
    pub(crate) fn finish(self) -> Option<Picture> {
        (self.row == self.from.height).then_some(Picture { size: self.to, rgb: self.rgb })
    }

    /// Averages one source row into `line`, in 8.8 fixed point.
    fn shrink_line(&mut self, rgb: &[u8]) {
        let (unit, target) = (self.to.width, self.from.width);
        let (pixels, _) = rgb.as_chunks::<3>();
        let (line, _) = self.line.as_chunks_mut::<3>();
        let mut pixels = pixels.iter().take(target as usize);
        // What is left of the last source pixel, for the next target pixel.
        let (mut pixel, mut left) = ([0; 3], 0);
        for slot in line {
            let mut sums = pixel.map(|value| value * left);
            let mut missing = target - left;
            while missing >= unit {
                let Some(next) = pixels.next() else { break };
                for (sum, value) in sums.iter_mut().zip(next) {
                    *sum += u32::from(*value) * unit;
                }
                missing -= unit;
            }
            left = 0;
            if missing > 0
                && let Some(next) = pixels.next()
            {
                pixel = next.map(u32::from);
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += value * missing;
                }
                left = unit - missing;
            }
            // 255 · 65,535 · 256 < 2³².
            *slot = sums.map(|sum| sum * 256 / target);
        }
    }

    fn add_line(&mut self, weight: u32) {
        for (sum, value) in self.sums.iter_mut().zip(&self.line) {
            *sum += value * weight;
        }
    }

    fn finish_row(&mut self) {
        let height = self.from.height;
        let row = self.sums.iter().map(|sum| ((sum / height + 128) >> 8).min(255) as u8);
        self.rgb.extend(row);
        self.sums.fill(0);
    }
}

/// The largest size of this shape whose longest edge is at most `edge_max`, never larger than `from`.
fn fitted(from: PixelSize, edge_max: u32) -> PixelSize {
    let longest = from.width.max(from.height);
    let to = longest.min(edge_max);
    let edge = |edge: u32| {
        let scaled = (u64::from(edge) * u64::from(to) + u64::from(longest) / 2) / u64::from(longest);
        // Not more than `edge`, which is 32 bits.
        (scaled as u32).max(1)
    };
    PixelSize { width: edge(from.width), height: edge(from.height) }
}

impl Picture {
    /// The same picture with its longest edge at most `edge_max`.
    pub(crate) fn shrunk(&self, edge_max: u32) -> Option<Picture> {
        let mut shrinker = Shrinker::new(self.size, edge_max)?;
        for row in self.rgb.chunks_exact(self.size.width as usize * 3) {
            shrinker.push_row(row);
        }
        shrinker.finish()
    }

    /// Turns a picture stored in this orientation upright.
    pub(crate) fn upright(self, orientation: Orientation) -> Picture {
        if orientation == Orientation::UPRIGHT {
            return self;
        }
        let PixelSize { width, height } = self.size;
        let size = match orientation.swaps_edges() {
            true => PixelSize { width: height, height: width },
            false => self.size,
        };
        let (pixels, _) = self.rgb.as_chunks::<3>();
        let mut rgb = Vec::with_capacity(self.rgb.len());
        for y in 0..size.height {
            for x in 0..size.width {
                let (column, row) = match orientation.number() {
                    2 => (width - 1 - x, y),
                    3 => (width - 1 - x, height - 1 - y),
                    4 => (x, height - 1 - y),
                    5 => (y, x),
                    6 => (y, height - 1 - x),
                    7 => (width - 1 - y, height - 1 - x),
                    8 => (width - 1 - y, x),
                    _ => (x, y),
                };
                rgb.extend(pixels[row as usize * width as usize + column as usize]);
            }
        }
        Picture { size, rgb }
    }

    /// A JPEG with no metadata but the JFIF header, as good as fits `bytes_max`.
    ///
    /// `None` if even the coarsest does not fit, or the encoder refuses.
    pub(crate) fn to_jpeg(&self, bytes_max: usize) -> Option<Vec<u8>> {
        // 80 is where sharper stops being visible at these sizes; the others are for pictures that are nearly noise.
        [80, 60, 40, 20, 5].into_iter().find_map(|quality| {
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, quality)
                .encode(&self.rgb, self.size.width, self.size.height, ExtendedColorType::Rgb8)
                .ok()?;
            (bytes.len() <= bytes_max).then_some(bytes)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Picture {
        let rgb = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
        Picture { size: PixelSize { width, height }, rgb }
    }

    #[test]
    fn a_picture_that_fits_is_not_changed() {
        let small = picture(7, 5, |x, y| [x as u8, y as u8, 255]);
        assert_eq!(small.shrunk(7), Some(small.clone()));
        assert_eq!(small.shrunk(1000), Some(small.clone()));
    }

    #[test]
    fn edges_are_fitted_and_never_reach_zero() {
        for (from, to) in [
            ((4032, 3024), (1600, 1200)),
            ((3024, 4032), (1200, 1600)),
            ((3, 62_728), (1, 1600)),
            ((65_535, 1), (1600, 1)),
            ((1, 1), (1, 1)),
        ] {
            let size = |(width, height)| PixelSize { width, height };
            assert_eq!(fitted(size(from), 1600), size(to));
        }
    }

    #[test]
    fn shrinking_keeps_flat_areas_flat_and_averages_the_rest() {
        for (width, height, edge) in [(64, 48, 10), (65_535, 2, 3), (101, 67, 100), (9, 7, 1)] {
            let flat = picture(width, height, |_, _| [255, 128, 0]);
            let small = flat.shrunk(edge).expect("edges are within 65,535");
            assert!(small.rgb.chunks(3).all(|pixel| pixel == [255, 128, 0]));
        }
        let halves = picture(4, 2, |x, _| [if x < 2 { 0 } else { 200 }; 3]);
        let small = halves.shrunk(2).expect("small");
        assert_eq!(small.rgb, [0, 0, 0, 200, 200, 200]);
        // Three into two: the middle pixel is shared.
        let three = picture(3, 1, |x, _| [[0, 100, 200][x as usize]; 3]);
        let small = three.shrunk(2).expect("small");
        assert_eq!(small.rgb, [33, 33, 33, 167, 167, 167]);
    }

    #[test]
    fn a_missing_row_gives_no_picture() {
        let size = PixelSize { width: 2, height: 2 };
        let mut shrinker = Shrinker::new(size, 2).expect("small");
        shrinker.push_row(&[0; 6]);
        assert_eq!(shrinker.finish(), None);
    }

    #[test]
    fn each_orientation_has_its_own_corner() {
        // Stored: a b c / d e f. The standard's table names where row 0 and column 0 are.
        let stored = picture(3, 2, |x, y| [b'a' + (y * 3 + x) as u8; 3]);
        for (number, rows) in [
            (1, ["abc", "def"].as_slice()),
            (2, &["cba", "fed"]),
            (3, &["fed", "cba"]),
            (4, &["def", "abc"]),
            (5, &["ad", "be", "cf"]),
            (6, &["da", "eb", "fc"]),
            (7, &["fc", "eb", "da"]),
            (8, &["cf", "be", "ad"]),
        ] {
            let orientation = Orientation::new(number).expect("1 to 8");
            let upright = stored.clone().upright(orientation);
            let shown: Vec<u8> = upright.rgb.chunks(3).map(|pixel| pixel[0]).collect();
            assert_eq!(shown, rows.concat().as_bytes(), "orientation {number}");
            assert_eq!(upright.size.height as usize, rows.len());
        }
    }

    #[test]
    fn noise_still_fits_its_bytes() {
        let mut state = 1_u32;
        let mut rgb = vec![0; 320 * 320 * 3];
        for byte in &mut rgb {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8;
        }
        let noise = Picture { size: PixelSize { width: 320, height: 320 }, rgb };
        let bytes = noise.to_jpeg(64 << 10).expect("some quality fits");
        assert!(bytes.len() <= 64 << 10);
    }
}
