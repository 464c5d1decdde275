//! Tables as their publishers wrote them, read without rounding anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::SourceError;

/// One row of a table with its heading.
pub(super) struct Row {
    path: Rc<Path>,
    number: usize,
    heading: Rc<csv::StringRecord>,
    cells: csv::StringRecord,
}

impl Row {
    /// The error that this row is not what was expected.
    pub(super) fn wrong(&self) -> SourceError {
        SourceError::Format { path: self.path.to_path_buf(), row: self.number }
    }

    /// The text of a cell.
    pub(super) fn get(&self, column: &str) -> Result<&str, SourceError> {
        let at = self.heading.iter().position(|name| name == column);
        at.and_then(|at| self.cells.get(at)).map(str::trim).ok_or_else(|| self.wrong())
    }

    /// A whole number.
    pub(super) fn number(&self, column: &str) -> Result<i64, SourceError> {
        self.get(column)?.parse().map_err(|_| self.wrong())
    }

    /// Decimal degrees as 10^-7 degree.
    pub(super) fn degrees(&self, column: &str) -> Result<i64, SourceError> {
        degrees_e7(self.get(column)?).ok_or_else(|| self.wrong())
    }

    /// The day of a cell that begins with `YYYY-MM-DD`.
    pub(super) fn day(&self, column: &str) -> Result<&str, SourceError> {
        self.get(column)?.get(..10).ok_or_else(|| self.wrong())
    }

    /// The first day of the month of a cell such as `Dec 2021`.
    pub(super) fn month(&self, column: &str) -> Result<String, SourceError> {
        month_start(self.get(column)?).ok_or_else(|| self.wrong())
    }
}

/// All rows of a table.
pub(super) fn rows(path: &Path) -> Result<Vec<Row>, SourceError> {
    let path: Rc<Path> = PathBuf::from(path).into();
    let text = fs::read(&path).map_err(|source| SourceError::Read { path: path.to_path_buf(), source })?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let format = |row: usize| SourceError::Format { path: path.to_path_buf(), row };
    let heading = Rc::new(reader.headers().map_err(|_| format(1))?.clone());
    let row = |(index, record): (usize, Result<csv::StringRecord, csv::Error>)| {
        let number = index + 2;
        let cells = record.map_err(|_| format(number))?;
        Ok(Row { path: Rc::clone(&path), number, heading: Rc::clone(&heading), cells })
    };
    reader.records().enumerate().map(row).collect()
}

/// Decimal degrees as 10^-7 degree, digits beyond the seventh cut off; no floating point, so every machine agrees.
fn degrees_e7(text: &str) -> Option<i64> {
    let text = text.trim();
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let fraction: String = fraction.chars().chain("0000000".chars()).take(7).collect();
    let value = whole.parse::<i64>().ok()? * 10_000_000 + fraction.parse::<i64>().ok()?;
    Some(if is_negative { -value } else { value })
}

/// `Dec 2021` as `2021-12-01`.
fn month_start(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (month, year) = text.trim().split_once(' ')?;
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    (year.len() == 4).then(|| format!("{year}-{month:02}-01"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_read_without_rounding() {
        let rows = [
            ("51.1852213611046", Some(511_852_213)),
            ("-110.366453", Some(-1_103_664_530)),
            ("48", Some(480_000_000)),
            ("-0.5", Some(-5_000_000)),
            ("", None),
            ("4x.1", None),
            ("--1", None),
            ("1.2.3", None),
        ];
        for (text, wanted) in rows {
            assert_eq!(degrees_e7(text), wanted, "{text}");
        }
        assert_eq!(month_start("Dec 2021").as_deref(), Some("2021-12-01"));
    }
}
