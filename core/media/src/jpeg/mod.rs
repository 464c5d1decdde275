//! A JPEG reader that shrinks while it reads: a fraction of the time and of the memory of decoding a photo whole.
//!
//! It takes what phone cameras write: 8 bits, sequential Huffman coding, one scan of one or three components
//! (ITU-T T.81 Annex F), and gives rows at a half, a quarter or an eighth of the size.
//! Frequencies that such a row does not show are passed over, several at once, without being worked out.
//! Only a row of units is held, well under a megabyte; a 48-megapixel photo decoded whole is 140 MiB of pixels.
//! No decoder for Rust was found that scales while it decodes within bounded memory
//! (`zune-jpeg` has no scaling, `jpeg-decoder` queues coefficients between threads without a bound).
//!
//! Progressive pictures are declined, and those of less than twice the wanted size.

mod entropy;
mod idct;

use crate::container::jpeg::{Frame, Markers, Step};
use crate::facts::PixelSize;
use crate::shrink::Colors;
use entropy::{BitReader, CoefficientTable, HuffmanTable, Sieve};

/// The parts of this picture that are needed to read its only scan.
#[derive(Debug)]
pub(crate) struct ScaledJpeg<'a> {
    components: Vec<ScanComponent>,
    /// For the first coefficient of a block, its mean, by the scan's numbers.
    mean_tables: [Option<HuffmanTable>; 4],
    /// For the others.
    coefficient_tables: [Option<CoefficientTable>; 4],
    sieves: [Option<Sieve>; 4],
    /// Units between restart markers; 0 for none.
    restart_interval: usize,
    /// Samples are RGB already, as Adobe's marker can say.
    plain_rgb: bool,
    across_max: usize,
    down_max: usize,
    units_across: usize,
    units_down: usize,
    /// Samples per block edge after scaling: 1, 2 or 4 of 8.
    scale: usize,
    size: PixelSize,
    data: &'a [u8],
}

/// A component and the tables its scan names.
#[derive(Debug, Clone, Copy)]
struct ScanComponent {
    across: usize,
    down: usize,
    sieve: usize,
    mean_table: usize,
    coefficient_table: usize,
}

/// The tables that stand in front of a scan.
#[derive(Debug, Default)]
struct Tables {
    means: [Option<HuffmanTable>; 4],
    coefficients: [Option<HuffmanTable>; 4],
    quantizers: [Option<[u16; 64]>; 4],
}

/// Something in the coded data that no encoder writes, or its end before the last unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damaged;

impl<'a> ScaledJpeg<'a> {
    /// Prepares to read `file` at the smallest size whose longest edge is at least `edge_min`.
    ///
    /// `None` if the picture is not one this reader takes, or is less than twice that long.
    pub(crate) fn open(file: &'a [u8], frame: &Frame, edge_min: u32) -> Option<ScaledJpeg<'a>> {
        let pixels = frame.pixels()?;
        if !matches!(frame.marker, 0xc0 | 0xc1) || frame.precision != 8 {
            return None;
        }
        if !matches!(frame.components.len(), 1 | 3) {
            return None;
        }
        let scaled = |edge: u32, scale: u32| (edge * scale).div_ceil(8);
        let longest = pixels.width.max(pixels.height);
        let scale = [1, 2, 4].into_iter().find(|scale| scaled(longest, *scale) >= edge_min)?;

        let (across_max, down_max) = (frame.across_max(), frame.down_max());
        let mut jpeg = ScaledJpeg {
            components: Vec::new(),
            mean_tables: [const { None }; 4],
            coefficient_tables: [const { None }; 4],
            sieves: [const { None }; 4],
            restart_interval: 0,
            plain_rgb: false,
            across_max,
            down_max,
            units_across: usize::from(frame.width).div_ceil(8 * across_max),
            units_down: usize::from(frame.height).div_ceil(8 * down_max),
            scale: scale as usize,
            size: PixelSize { width: scaled(pixels.width, scale), height: scaled(pixels.height, scale) },
            data: &[],
        };
        let mut tables = Tables::default();
        let mut markers = Markers::new(file);
        loop {
            let Step::Segment { marker, segment } = markers.step() else {
                return None;
            };
            match marker {
                0xc4 => tables.read_codes(segment)?,
                0xdb => tables.read_quantizers(segment)?,
                0xdd => {
                    jpeg.restart_interval = u16::from_be_bytes(*segment.first_chunk()?).into();
                }
                0xee if segment.starts_with(b"Adobe") => {
                    jpeg.plain_rgb = segment.get(11) == Some(&0);
                }
                0xda => {
                    jpeg.read_scan(segment, frame)?;
                    jpeg.prepare(tables)?;
                    jpeg.data = markers.rest();
                    return Some(jpeg);
                }
                _ => {}
            }
        }
    }

    /// The size of the rows that come out.
    pub(crate) fn size(&self) -> PixelSize {
        self.size
    }

    /// What the three bytes of a pixel are.
    pub(crate) fn colors(&self) -> Colors {
        if self.plain_rgb || self.components.len() == 1 { Colors::Rgb } else { Colors::Ycc }
    }

    /// Decodes, handing each row to `sink` as three bytes a pixel.
    pub(crate) fn decode(&self, mut sink: impl FnMut(&[u8])) -> Result<(), Damaged> {
        let mut bits = BitReader::new(self.data);
        let mut planes: Vec<Plane> = self
            .components
            .iter()
            .map(|component| {
                let stride = self.units_across * component.across * self.scale;
                Plane { stride, samples: vec![0; stride * component.down * self.scale], mean: 0 }
            })
            .collect();
        let width = self.size.width as usize;
        let (mut lines, mut row) = ([(); 3].map(|()| vec![0; width]), vec![0; width * 3]);
        let mut rows_left = self.size.height as usize;
        let mut units = 0;
        for _ in 0..self.units_down {
            for unit in 0..self.units_across {
                if self.restart_interval > 0 && units > 0 && units % self.restart_interval == 0 {
                    bits.restart().ok_or(Damaged)?;
                    planes.iter_mut().for_each(|plane| plane.mean = 0);
                }
                self.decode_unit(&mut bits, &mut planes, unit)?;
                units += 1;
            }
            for y in 0..(self.down_max * self.scale).min(rows_left) {
                self.fill_row(&planes, y, &mut lines, &mut row);
                sink(&row);
                rows_left -= 1;
            }
        }
        Ok(())
    }

    fn decode_unit(&self, bits: &mut BitReader<'_>, planes: &mut [Plane], unit: usize) -> Result<(), Damaged> {
        for (component, plane) in self.components.iter().zip(planes) {
            let sieve = self.sieves[component.sieve].as_ref().ok_or(Damaged)?;
            let means = self.mean_tables[component.mean_table].as_ref().ok_or(Damaged)?;
            let table = self.coefficient_tables[component.coefficient_table].as_ref().ok_or(Damaged)?;
            for block in 0..component.across * component.down {
                let coefficients = bits.block(means, table, sieve, &mut plane.mean).ok_or(Damaged)?;
                let x = (unit * component.across + block % component.across) * self.scale;
                let y = block / component.across * self.scale;
                let samples = &mut plane.samples[y * plane.stride + x..];
                idct::write(&coefficients, self.scale, samples, plane.stride);
            }
        }
        Ok(())
    }

    fn fill_row(&self, planes: &[Plane], y: usize, lines: &mut [Vec<u8>; 3], row: &mut [u8]) {
        for ((plane, component), line) in planes.iter().zip(&self.components).zip(lines.iter_mut()) {
            let from = y * component.down / self.down_max * plane.stride;
            widen(&plane.samples[from..from + plane.stride], component.across, self.across_max, line);
        }
        let (pixels, _) = row.as_chunks_mut::<3>();
        let [luma, blue, red] = lines;
        if planes.len() == 1 {
            pixels.iter_mut().zip(luma).for_each(|(pixel, value)| *pixel = [*value; 3]);
            return;
        }
        for (((pixel, luma), blue), red) in pixels.iter_mut().zip(luma).zip(blue).zip(red) {
            *pixel = [*luma, *blue, *red];
        }
    }

    /// Takes the tables that the scan names, each once, however many the file brought.
    fn prepare(&mut self, mut tables: Tables) -> Option<()> {
        self.mean_tables = tables.means;
        for component in &self.components {
            let slot = self.coefficient_tables.get_mut(component.coefficient_table)?;
            if slot.is_none() {
                *slot = tables.coefficients[component.coefficient_table].take().map(CoefficientTable::new);
            }
            let quantizer = tables.quantizers[component.sieve].as_ref()?;
            self.sieves[component.sieve] = Some(Sieve::new(quantizer, self.scale));
        }
        Some(())
    }

    fn read_scan(&mut self, segment: &[u8], frame: &Frame) -> Option<()> {
        let (count, rest) = segment.split_first()?;
        let count = usize::from(*count);
        let (selectors, rest) = rest.split_at_checked(2 * count)?;
        let all = rest.get(..3)? == [0, 63, 0];
        if count != frame.components.len() || !all {
            return None;
        }
        let (selectors, _) = selectors.as_chunks::<2>();
        for (component, [id, tables]) in frame.components.iter().zip(selectors) {
            if component.id != *id || tables >> 4 > 3 || tables & 15 > 3 {
                return None;
            }
            // A scan of one component counts its blocks one by one, whatever its sampling says (T.81 A.2.2).
            let alone = count == 1;
            self.components.push(ScanComponent {
                across: if alone { 1 } else { component.across.into() },
                down: if alone { 1 } else { component.down.into() },
                sieve: component.table.into(),
                mean_table: usize::from(tables >> 4),
                coefficient_table: usize::from(tables & 15),
            });
        }
        if count == 1 {
            (self.across_max, self.down_max) = (1, 1);
            self.units_across = usize::from(frame.width).div_ceil(8);
            self.units_down = usize::from(frame.height).div_ceil(8);
        }
        Some(())
    }
}

impl Tables {
    fn read_codes(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((head, rest)) = segment.split_first_chunk::<17>() {
            let length = head[1..].iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.split_at_checked(length)?;
            let (counts, _) = head[1..].split_first_chunk::<16>()?;
            let table = HuffmanTable::new(counts, symbols)?;
            let tables = match head[0] >> 4 {
                0 => &mut self.means,
                1 => &mut self.coefficients,
                _ => return None,
            };
            *tables.get_mut(usize::from(head[0] & 15))? = Some(table);
            segment = rest;
        }
        Some(())
    }

    fn read_quantizers(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((head, rest)) = segment.split_first() {
            let unit = 1 + usize::from(head >> 4);
            let (values, rest) = rest.split_at_checked(64 * unit)?;
            let mut quantizer = [0; 64];
            for (slot, value) in quantizer.iter_mut().zip(values.chunks_exact(unit)) {
                *slot = value.iter().fold(0, |number, byte| number << 8 | u16::from(*byte));
            }
            *self.quantizers.get_mut(usize::from(head & 15))? = Some(quantizer);
            segment = rest;
        }
        Some(())
    }
}

/// One row of units of one component.
#[derive(Debug)]
struct Plane {
    stride: usize,
    samples: Vec<u8>,
    /// The last block's mean, from which the next one is counted.
    mean: i32,
}

/// Repeats the samples of a component that has `across` where others have `across_max`.
///
/// They are repeated, not interpolated: the picture is shrunk further right after.
fn widen(samples: &[u8], across: usize, across_max: usize, line: &mut [u8]) {
    if across == across_max {
        line.copy_from_slice(&samples[..line.len()]);
    } else if across * 2 == across_max {
        line.chunks_mut(2).zip(samples).for_each(|(pair, sample)| pair.fill(*sample));
    } else {
        line.iter_mut().enumerate().for_each(|(x, slot)| *slot = samples[x * across / across_max]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::jpeg;
    use image::ExtendedColorType;
    use image::codecs::jpeg::JpegEncoder;

    /// A picture with edges, slopes and colour, not a multiple of anything.
    fn painted(width: u32, height: u32, grey: bool) -> Vec<u8> {
        let mut pixels = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let edge = if (x / 37 + y / 23) % 2 == 0 { 60 } else { 0 };
                let values = [(x * 190 / width) as u8 + edge, (y * 250 / height) as u8, 90 + edge];
                pixels.extend(if grey { &values[..1] } else { &values[..] });
            }
        }
        let mut bytes = Vec::new();
        let color = if grey { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
        JpegEncoder::new_with_quality(&mut bytes, 90)
            .encode(&pixels, width, height, color)
            .expect("the picture is small");
        bytes
    }

    fn decode(bytes: &[u8], edge_min: u32) -> Option<Result<(PixelSize, Vec<u8>), Damaged>> {
        let frame = jpeg::layout(bytes).frame?;
        let jpeg = ScaledJpeg::open(bytes, &frame, edge_min)?;
        let mut rgb = Vec::new();
        let decoded = jpeg.decode(|row| rgb.extend_from_slice(row));
        if jpeg.colors() == Colors::Ycc {
            rgb.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| *pixel = rgb_from_ycc(*pixel));
        }
        Some(decoded.map(|()| (jpeg.size(), rgb)))
    }

    /// ITU-R BT.601 with full range, as JFIF says, in 16-bit fixed point.
    fn rgb_from_ycc([luma, blue, red]: [u8; 3]) -> [u8; 3] {
        let luma = i32::from(luma) << 16;
        let (blue, red) = (i32::from(blue) - 128, i32::from(red) - 128);
        let value = |sum: i32| ((sum + (1 << 15)) >> 16).clamp(0, 255) as u8;
        [value(luma + 91_881 * red), value(luma - 22_554 * blue - 46_802 * red), value(luma + 116_130 * blue)]
    }

    #[test]
    fn every_scale_agrees_with_the_whole_picture_averaged() {
        for grey in [false, true] {
            let bytes = painted(403, 301, grey);
            let whole = image::load_from_memory(&bytes).expect("just encoded").to_rgb8();
            for (edge_min, scale) in [(200, 4_usize), (100, 2), (50, 1)] {
                let (size, rgb) = decode(&bytes, edge_min).expect("this kind is taken").expect("just encoded");
                assert_eq!(size.width as usize, (403 * scale).div_ceil(8));
                assert_eq!(rgb.len(), size.area() as usize * 3);
                let step = 8 / scale as u32;
                let mut difference = 0;
                for y in 0..size.height - 1 {
                    for x in 0..size.width - 1 {
                        for channel in 0..3 {
                            let mut sum = 0;
                            for dy in 0..step {
                                for dx in 0..step {
                                    let pixel = whole.get_pixel(x * step + dx, y * step + dy);
                                    sum += u32::from(pixel.0[channel]);
                                }
                            }
                            let at = (y * size.width + x) as usize * 3 + channel;
                            difference += (sum / (step * step)).abs_diff(rgb[at].into());
                        }
                    }
                }
                let mean = f64::from(difference) / rgb.len() as f64;
                assert!(mean < 3.0, "mean difference {mean} at {scale}/8");
            }
        }
    }

    #[test]
    fn pictures_of_another_kind_or_too_small_are_declined() {
        let bytes = painted(100, 80, false);
        assert!(decode(&bytes, 51).is_none());
        assert!(decode(&bytes, 50).is_some());
        let mut progressive = bytes.clone();
        let at = progressive.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("the encoder writes baseline");
        progressive[at + 1] = 0xc2;
        assert!(decode(&progressive, 50).is_none());
    }

    #[test]
    fn cut_off_data_is_damage_at_every_length() {
        let bytes = painted(160, 120, false);
        let whole = decode(&bytes, 20);
        assert!(matches!(whole, Some(Ok(_))));
        for length in 0..bytes.len() - 2 {
            // Declined while the tables are missing, damaged while units are.
            assert!(!matches!(decode(&bytes[..length], 20), Some(Ok(_))) || length > bytes.len() - 6);
        }
    }

    #[test]
    fn changed_bytes_never_do_more_than_damage() {
        let bytes = painted(64, 48, false);
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                let _either = decode(&changed, 16);
            }
        }
    }
}
