//! Pixels on their way from a decoder to a rendition: shrunk row by row, turned upright, encoded.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::facts::{Orientation, PixelSize};

/// A picture of three bytes a pixel, rows from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) size: PixelSize,
    pub(crate) samples: Vec<u8>,
    pub(crate) colors: Colors,
}

/// What the three bytes of a pixel are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colors {
    /// Red, green, blue.
    Rgb,
    /// As JFIF stores them: brightness, blue, red. A JPEG that becomes a JPEG needs no others.
    Ycc,
}

impl Colors {
    pub(crate) const fn black(self) -> [u8; 3] {
        match self {
            Self::Rgb => [0, 0, 0],
            Self::Ycc => [0, 128, 128],
        }
    }
}

/// Shrinks a picture by averaging areas, taking one row at a time so that nobody holds all of it.
///
/// Averaging areas neither rings nor lets fine patterns shimmer, and costs one pass.
/// Sums are in floating point, whose error stays below a thousandth of a step in brightness.
#[derive(Debug)]
pub(crate) struct Shrinker {
    from: PixelSize,
    to: PixelSize,
    /// The next source row.
    row: u32,
    /// Target row so far, at the source's width: each source row by how much of it lies in the target row.
    sums: Vec<f32>,
    columns: Vec<Column>,
    colors: Colors,
    samples: Vec<u8>,
}

/// The source pixels of a target pixel, whose width is 1.
#[derive(Debug)]
struct Column {
    first: usize,
    /// How much of the first one, of each of those between, and of the last one lies in it; the last is absent if 0.
    weights: [f32; 3],
    between: usize,
}

impl Shrinker {
    /// For a picture of `from` pixels, to one whose longest edge is at most `edge_max`; never larger than `from`.
    ///
    /// `None` if an edge is over 65,535, which neither JPEG nor WebP can be.
    pub(crate) fn new(from: PixelSize, colors: Colors, edge_max: u32) -> Option<Shrinker> {
        if from.width.max(from.height) > 65_535 {
            return None;
        }
        let to = fitted(from, edge_max);
        Some(Shrinker {
            from,
            to,
            row: 0,
            sums: vec![0.0; from.width as usize * 3],
            columns: (0..to.width).map(|x| Column::new(x, from.width, to.width)).collect(),
            colors,
            samples: Vec::with_capacity(to.area() as usize * 3),
        })
    }

    /// Takes the next row, three bytes a pixel; rows past the last change nothing.
    pub(crate) fn push_row(&mut self, row: &[u8]) {
        if self.row >= self.from.height {
            return;
        }
        let (unit, target) = (u64::from(self.to.height), u64::from(self.from.height));
        let from = u64::from(self.row) * unit;
        let boundary = (from / target + 1) * target;
        let upper = unit.min(boundary - from);
        let weight = |units: u64| units as f32 / target as f32;
        self.add_row(row, weight(upper));
        if from + unit >= boundary {
            self.finish_row();
            self.start_row(row, weight(unit - upper));
        }
        self.row += 1;
    }

    /// The picture, if every row came.
    pub(crate) fn finish(self) -> Option<Picture> {
        (self.row == self.from.height).then_some(Picture { size: self.to, samples: self.samples, colors: self.colors })
    }

    fn add_row(&mut self, row: &[u8], weight: f32) {
        for (sum, value) in self.sums.iter_mut().zip(row) {
            *sum += f32::from(*value) * weight;
        }
    }

    fn start_row(&mut self, row: &[u8], weight: f32) {
        for (sum, value) in self.sums.iter_mut().zip(row) {
            *sum = f32::from(*value) * weight;
        }
    }

    fn finish_row(&mut self) {
        let (pixels, _) = self.sums.as_chunks::<3>();
        for column in &self.columns {
            let [first, each, last] = column.weights;
            let between = column.first + 1..column.first + 1 + column.between;
            let mut sums = pixels[column.first].map(|value| value * first);
            for pixel in &pixels[between.clone()] {
                add(&mut sums, pixel, each);
            }
            if last > 0.0 {
                add(&mut sums, &pixels[between.end], last);
            }
            // At least 0 and, but for the error, at most 255.
            self.samples.extend(sums.map(|sum| (sum + 0.5) as u8));
        }
    }
}

fn add(sums: &mut [f32; 3], pixel: &[f32; 3], weight: f32) {
    for (sum, value) in sums.iter_mut().zip(pixel) {
        *sum += value * weight;
    }
}

impl Column {
    /// The target pixel at `x`, of `to` that take the place of `from`.
    fn new(x: u32, from: u32, to: u32) -> Column {
        // A source pixel is `to` units wide and a target pixel `from` units: all widths are whole numbers.
        let (start, end) = (u64::from(x) * u64::from(from), (u64::from(x) + 1) * u64::from(from));
        let unit = u64::from(to);
        let first = start / unit;
        let of_first = ((first + 1) * unit).min(end) - start;
        let between = (end - start - of_first) / unit;
        let of_last = end - start - of_first - between * unit;
        let weights = [of_first, unit, of_last].map(|units| units as f32 / from as f32);
        Column { first: first as usize, weights, between: between as usize }
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
        let mut shrinker = Shrinker::new(self.size, self.colors, edge_max)?;
        for row in self.samples.chunks_exact(self.size.width as usize * 3) {
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
        let (pixels, _) = self.samples.as_chunks::<3>();
        let mut samples = Vec::with_capacity(self.samples.len());
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
                samples.extend(pixels[row as usize * width as usize + column as usize]);
            }
        }
        Picture { size, samples, colors: self.colors }
    }

    /// A JPEG with no metadata but the JFIF header, colour at half the resolution, as good as fits `bytes_max`.
    ///
    /// `None` if even the coarsest does not fit, or the encoder refuses.
    pub(crate) fn to_jpeg(&self, bytes_max: usize) -> Option<Vec<u8>> {
        let (width, height) = (self.size.width.try_into().ok()?, self.size.height.try_into().ok()?);
        let colors = match self.colors {
            Colors::Rgb => ColorType::Rgb,
            Colors::Ycc => ColorType::Ycbcr,
        };
        // 80 is where sharper stops being visible at these sizes; the others are for pictures that are nearly noise.
        [80, 60, 40, 20, 5].into_iter().find_map(|quality| {
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, quality);
            encoder.set_sampling_factor(SamplingFactor::F_2_2);
            encoder.encode(&self.samples, width, height, colors).ok()?;
            (bytes.len() <= bytes_max).then_some(bytes)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Picture {
        let samples =
            (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
        Picture { size: PixelSize { width, height }, samples, colors: Colors::Rgb }
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
            assert!(small.samples.chunks(3).all(|pixel| pixel == [255, 128, 0]));
        }
        let halves = picture(4, 2, |x, _| [if x < 2 { 0 } else { 200 }; 3]);
        let small = halves.shrunk(2).expect("small");
        assert_eq!(small.samples, [0, 0, 0, 200, 200, 200]);
        // Three into two: the middle pixel is shared.
        let three = picture(3, 1, |x, _| [[0, 100, 200][x as usize]; 3]);
        let small = three.shrunk(2).expect("small");
        assert_eq!(small.samples, [33, 33, 33, 167, 167, 167]);
    }

    #[test]
    fn a_missing_row_gives_no_picture() {
        let size = PixelSize { width: 2, height: 2 };
        let mut shrinker = Shrinker::new(size, Colors::Rgb, 2).expect("small");
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
            let shown: Vec<u8> = upright.samples.chunks(3).map(|pixel| pixel[0]).collect();
            assert_eq!(shown, rows.concat().as_bytes(), "orientation {number}");
            assert_eq!(upright.size.height as usize, rows.len());
        }
    }

    #[test]
    fn noise_still_fits_its_bytes() {
        let mut state = 1_u32;
        let mut samples = vec![0; 320 * 320 * 3];
        for byte in &mut samples {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8;
        }
        let noise = Picture { size: PixelSize { width: 320, height: 320 }, samples, colors: Colors::Rgb };
        let bytes = noise.to_jpeg(64 << 10).expect("some quality fits");
        assert!(bytes.len() <= 64 << 10);
    }
}
