//! The marker structure of a JPEG file (ITU-T T.81 Annex B).

use super::Cursor;
use crate::facts::PixelSize;

/// What a walk over the markers found.
#[derive(Debug, Default)]
pub(crate) struct Layout<'a> {
    /// The first frame header.
    pub(crate) frame: Option<Frame>,
    /// Frame headers in all; a picture has one.
    pub(crate) frames: u32,
    /// Scans in all.
    pub(crate) scans: u32,
    /// The first EXIF segment, with its `Exif\0\0`.
    pub(crate) exif: Option<&'a [u8]>,
    /// Whether the end-of-image marker was reached.
    pub(crate) ended: bool,
}

/// A frame header (SOF).
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// 0xC0 to 0xCF: which coding.
    pub(crate) marker: u8,
    pub(crate) precision: u8,
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) components: Vec<Component>,
}

/// One component of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Component {
    pub(crate) id: u8,
    /// Sampling factors, 1 to 4.
    pub(crate) across: u8,
    pub(crate) down: u8,
    /// Which quantization table, 0 to 3.
    pub(crate) table: u8,
}

impl Frame {
    pub(crate) fn pixels(&self) -> Option<PixelSize> {
        PixelSize::new(self.width.into(), self.height.into())
    }

    pub(crate) fn across_max(&self) -> usize {
        self.components.iter().map(|component| component.across.into()).max().unwrap_or(1)
    }

    pub(crate) fn down_max(&self) -> usize {
        self.components.iter().map(|component| component.down.into()).max().unwrap_or(1)
    }

    /// How many coefficients the whole picture has, over all components.
    pub(crate) fn coefficients(&self) -> u64 {
        let units = u64::from(self.width).div_ceil(8 * self.across_max() as u64)
            * u64::from(self.height).div_ceil(8 * self.down_max() as u64);
        let blocks: u64 =
            self.components.iter().map(|component| u64::from(component.across) * u64::from(component.down)).sum();
        units * blocks * 64
    }

    fn read(marker: u8, segment: &[u8]) -> Option<Frame> {
        let mut cursor = Cursor::new(segment);
        let precision = cursor.u8()?;
        let height = cursor.u16_be()?;
        let width = cursor.u16_be()?;
        let mut components = Vec::new();
        // T.81 allows 255 in a sequential frame; no photo has more than CMYK's four.
        for _ in 0..cursor.u8()?.min(4) {
            let [id, sampling, table] = cursor.array()?;
            let (across, down) = (sampling >> 4, sampling & 15);
            if !(1..=4).contains(&across) || !(1..=4).contains(&down) || table > 3 {
                return None;
            }
            components.push(Component { id, across, down, table });
        }
        Some(Frame { marker, precision, width, height, components })
    }
}

/// One step of the walk.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// A marker with its segment, without the two length bytes.
    Segment { marker: u8, segment: &'a [u8] },
    /// The end-of-image marker.
    End,
    /// The bytes ended first.
    CutOff,
}

/// Walks markers from just behind the start-of-image marker.
#[derive(Debug)]
pub(crate) struct Markers<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Markers<'a> {
    pub(crate) fn new(file: &'a [u8]) -> Markers<'a> {
        Markers { cursor: Cursor::new(file.get(2..).unwrap_or_default()) }
    }

    /// What lies behind the last step; after a start-of-scan segment, its entropy-coded data.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.cursor.rest
    }

    pub(crate) fn step(&mut self) -> Step<'a> {
        loop {
            let Some(marker) = self.next_marker() else {
                return Step::CutOff;
            };
            match marker {
                0xd9 => return Step::End,
                // Stuffed zeros, restarts, TEM, another SOI: they carry no segment.
                // Walking past them also walks past entropy-coded data.
                0x00 | 0x01 | 0xd0..=0xd8 => {}
                _ => {
                    let segment =
                        self.cursor.u16_be().and_then(|length| self.cursor.take(usize::from(length).checked_sub(2)?));
                    return match segment {
                        Some(segment) => Step::Segment { marker, segment },
                        None => Step::CutOff,
                    };
                }
            }
        }
    }

    fn next_marker(&mut self) -> Option<u8> {
        let at = memchr::memchr(0xff, self.cursor.rest)?;
        self.cursor.take(at)?;
        loop {
            match self.cursor.u8()? {
                0xff => {}
                marker => return Some(marker),
            }
        }
    }
}

/// Walks the whole file up to its end-of-image marker.
pub(crate) fn layout(file: &[u8]) -> Layout<'_> {
    let mut layout = Layout::default();
    let mut markers = Markers::new(file);
    loop {
        match markers.step() {
            Step::CutOff => return layout,
            Step::End => {
                layout.ended = true;
                return layout;
            }
            Step::Segment { marker, segment } => match marker {
                0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                    layout.frames += 1;
                    if layout.frame.is_none() {
                        layout.frame = Frame::read(marker, segment);
                    }
                }
                0xda => layout.scans += 1,
                0xe1 if layout.exif.is_none() && segment.starts_with(b"Exif\0\0") => {
                    layout.exif = Some(segment);
                }
                _ => {}
            },
        }
    }
}
