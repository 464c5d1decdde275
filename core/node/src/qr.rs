//! Texts that people carry as pictures: one phone shows a QR code, another scans it.

use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};

/// Light modules around the code, without which a scanner does not find it (ISO/IEC 18004: four).
const QUIET: usize = 4;

/// A QR code, ready to be shown.
///
/// Enrolment texts hold capitals, digits and a few signs only, which take 5.5 bits each instead of 8:
/// the longest (1,200 characters) is version 23, 109 modules on a side, which a cheap phone reads from a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrPicture {
    width: usize,
    dark: Vec<bool>,
}

impl QrPicture {
    /// The code of `text`, with enough redundancy for a scratched screen (level M, 15 %); `None` if it is too long
    /// for any code.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Some(Self { width: code.width(), dark })
    }

    /// Modules on a side, the light border included.
    pub fn modules(&self) -> usize {
        self.width + 2 * QUIET
    }

    /// Whether the module is dark; everything outside is light.
    pub fn is_dark(&self, row: usize, column: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < self.width);
        match (inside(row), inside(column)) {
            (Some(row), Some(column)) => self.dark[row * self.width + column],
            _ => false,
        }
    }

    /// An SVG document, black on white, that fills the room it is given.
    pub fn to_svg(&self) -> String {
        let modules = self.modules();
        let mut path = String::new();
        for (row, column) in self.places().filter(|&(row, column)| self.is_dark(row, column)) {
            path.push_str(&format!("M{column} {row}h1v1h-1z"));
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {modules} {modules}\" shape-rendering=\"crispEdges\">\
             <rect width=\"{modules}\" height=\"{modules}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>\n"
        )
    }

    /// A PBM file (Netpbm, raw) with `pixels` by `pixels` for each module, at least one: the plainest picture format,
    /// so that no image library is needed here. Scanners and viewers read it.
    pub fn to_pbm(&self, pixels: usize) -> Vec<u8> {
        let pixels = pixels.max(1);
        let side = self.modules() * pixels;
        let mut file = format!("P4\n{side} {side}\n").into_bytes();
        for row in 0..self.modules() {
            let mut line = vec![0_u8; side.div_ceil(8)];
            for x in (0..side).filter(|x| self.is_dark(row, x / pixels)) {
                line[x / 8] |= 0x80 >> (x % 8);
            }
            for _ in 0..pixels {
                file.extend_from_slice(&line);
            }
        }
        file
    }

    /// Lines for a terminal, two modules to a character. Light is drawn and dark is left out, for terminals with a
    /// dark background; where the background is light, scanners read the inverted code.
    pub fn to_terminal(&self) -> String {
        let mut lines = String::new();
        for row in (0..self.modules()).step_by(2) {
            for column in 0..self.modules() {
                lines.push(match (self.is_dark(row, column), self.is_dark(row + 1, column)) {
                    (false, false) => '█',
                    (false, true) => '▀',
                    (true, false) => '▄',
                    (true, true) => ' ',
                });
            }
            lines.push('\n');
        }
        lines
    }

    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let modules = self.modules();
        (0..modules).flat_map(move |row| (0..modules).map(move |column| (row, column)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_enrolment_text_is_a_code_that_phones_read() {
        let text = format!("MERESTONE-CERTIFICATE:{}", "A7".repeat(589));
        assert_eq!(text.len(), 1_200);
        let picture = QrPicture::of(&text).unwrap();
        // Version 23; as bytes it would be version 29.
        assert_eq!(picture.modules(), 17 + 4 * 23 + 2 * QUIET);
    }

    #[test]
    fn every_form_shows_the_same_modules() {
        let picture = QrPicture::of("MERESTONE-REQUEST:AAAA").unwrap();
        let modules = picture.modules();
        let dark = picture.places().filter(|&(row, column)| picture.is_dark(row, column)).count();
        assert_eq!(picture.to_svg().matches("h1v1h-1z").count(), dark);

        let pbm = picture.to_pbm(1);
        let header = format!("P4\n{modules} {modules}\n");
        assert!(pbm.starts_with(header.as_bytes()));
        let bits: u32 = pbm[header.len()..].iter().map(|byte| byte.count_ones()).sum();
        assert_eq!(bits as usize, dark);
        assert_eq!(
            picture.to_pbm(3).len(),
            format!("P4\n{0} {0}\n", 3 * modules).len() + 3 * modules * (3 * modules).div_ceil(8)
        );

        let terminal = picture.to_terminal();
        assert_eq!(terminal.lines().count(), modules.div_ceil(2));
        assert!(terminal.lines().all(|line| line.chars().count() == modules));
    }

    #[test]
    fn what_no_code_can_hold_is_none() {
        assert_eq!(QrPicture::of(&"a".repeat(5_000)), None);
    }
}
