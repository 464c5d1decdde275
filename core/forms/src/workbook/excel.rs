//! Excel workbooks, through a library; here are its bounds and how a cell becomes a text.

use std::io::{self, Cursor, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{CellErrorType, Data, DataRef, ExcelDateTime, Reader, Xls, Xlsx};

use super::{COLUMNS_MAX, Held, Row, column, legacy};
use crate::refused::{FormRefused, Reason};

/// Most bytes that an `.xlsx` may unpack to; a questionnaire of 1.5 MB unpacks to some 20 MB.
pub(crate) const UNPACKED_BYTES_MAX: u64 = 96 << 20;
/// Most parts in an `.xlsx`.
const PARTS_MAX: usize = 4_096;
/// Most texts that an `.xlsx` may say it shares; room for as many is made before they are read.
const SHARED_MAX: u64 = 1_000_000;

/// Sheets by name, each with its rows.
type Sheets = Vec<(String, Vec<Row>)>;

/// The sheets of an `.xlsx`. Cells are taken one by one, as a sheet of two cells may say that it has 17 billion.
pub(super) fn xlsx(bytes: &[u8]) -> Result<Sheets, FormRefused> {
    bounded(bytes)?;
    guarded(|| {
        let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|_| FormRefused::whole(Reason::NotAWorkbook))?;
        let mut gathered = Gathered::default();
        for name in workbook.sheet_names() {
            // Sheets of charts have no cells.
            let Ok(mut reader) = workbook.worksheet_cells_reader(&name) else { continue };
            gathered.begin(&name);
            loop {
                let cell = reader.next_cell().map_err(|_| FormRefused::at(&name, 0, "", Reason::NotAWorkbook))?;
                let Some(cell) = cell else { break };
                let (row, column) = cell.get_position();
                gathered.cell(row as usize, column as usize, cell.get_value())?;
            }
        }
        Ok(gathered.sheets)
    })
}

/// The sheets of an `.xls`.
pub(super) fn xls(bytes: &[u8]) -> Result<Sheets, FormRefused> {
    let bytes = legacy::bounded(bytes).map_err(FormRefused::whole)?;
    guarded(|| {
        let mut workbook = Xls::new(Cursor::new(&bytes)).map_err(|_| FormRefused::whole(Reason::NotAWorkbook))?;
        let mut gathered = Gathered::default();
        for name in workbook.sheet_names() {
            let range = workbook.worksheet_range(&name);
            let range = range.map_err(|_| FormRefused::at(&name, 0, "", Reason::NotAWorkbook))?;
            let (first_row, first_column) = range.start().unwrap_or_default();
            gathered.begin(&name);
            for (row, column, cell) in range.used_cells() {
                gathered.cell(first_row as usize + row, first_column as usize + column, &by_reference(cell))?;
            }
        }
        Ok(gathered.sheets)
    })
}

/// The library is held to what a file says only as far as it was looked at before: where it panics, the file is none.
fn guarded(read: impl FnOnce() -> Result<Sheets, FormRefused>) -> Result<Sheets, FormRefused> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(FormRefused::whole(Reason::NotAWorkbook)))
}

/// Refuses an archive that unpacks to more than a form could need, by unpacking it into nothing.
fn bounded(bytes: &[u8]) -> Result<(), FormRefused> {
    let broken = || FormRefused::whole(Reason::NotAWorkbook);
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| broken())?;
    if archive.len() > PARTS_MAX {
        return Err(FormRefused::whole(Reason::too_much("parts in the workbook", PARTS_MAX)));
    }
    let mut left = UNPACKED_BYTES_MAX;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| broken())?;
        let mut shared = Shared::default();
        let unpacked = io::copy(&mut part.take(left + 1), &mut shared).map_err(|_| broken())?;
        left = left.checked_sub(unpacked).ok_or_else(|| {
            FormRefused::whole(Reason::too_much("bytes in the workbook, unpacked", UNPACKED_BYTES_MAX))
        })?;
        if shared.most > SHARED_MAX {
            return Err(FormRefused::whole(Reason::too_much("shared texts", SHARED_MAX)));
        }
    }
    Ok(())
}

/// Looks for the attribute `uniqueCount` in what passes, and keeps the greatest number in it.
#[derive(Default)]
struct Shared {
    most: u64,
    /// How many letters of the attribute's name were just there, and then how far into its value.
    matched: usize,
    number: u64,
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        const NAME: &[u8] = b"uniqueCount";
        for &byte in bytes {
            if self.matched < NAME.len() {
                let goes_on = NAME.get(self.matched) == Some(&byte);
                self.matched = if goes_on { self.matched + 1 } else { usize::from(byte == NAME[0]) };
                self.number = 0;
            } else if byte.is_ascii_digit() {
                self.number = self.number.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
                self.most = self.most.max(self.number);
            } else if self.number > 0 || !(byte.is_ascii_whitespace() || matches!(byte, b'=' | b'"' | b'\'' | b'+')) {
                self.matched = 0;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Cells to rows.
#[derive(Default)]
struct Gathered {
    sheets: Sheets,
    held: Held,
}

impl Gathered {
    fn begin(&mut self, sheet: &str) {
        self.sheets.push((sheet.to_owned(), Vec::new()));
    }

    /// Adds a cell, which stands after the one before it.
    fn cell(&mut self, row: usize, at: usize, cell: &DataRef<'_>) -> Result<(), FormRefused> {
        let Some((sheet, rows)) = self.sheets.last_mut() else { return Ok(()) };
        let number = row + 1;
        let refused = |reason| FormRefused::at(sheet, number, &column(at), reason);
        if at >= COLUMNS_MAX {
            return Err(refused(Reason::too_much("columns", COLUMNS_MAX)));
        }
        let text = text(cell).ok_or_else(|| refused(Reason::CellError))?;
        if text.is_empty() {
            return Ok(());
        }
        self.held.cell(&text).map_err(refused)?;
        match rows.last_mut() {
            Some(last) if last.number == number && last.cells.last().is_none_or(|(before, _)| *before < at) => {
                last.cells.push((at, text));
            }
            Some(last) if last.number >= number => return Err(refused(Reason::NotAWorkbook)),
            _ => {
                self.held.row().map_err(refused)?;
                rows.push(Row { number, cells: vec![(at, text)] });
            }
        }
        Ok(())
    }
}

/// The same cell as `.xlsx` gives it.
fn by_reference(cell: &Data) -> DataRef<'_> {
    match cell {
        Data::Int(number) => DataRef::Int(*number),
        Data::Float(number) => DataRef::Float(*number),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(yes) => DataRef::Bool(*yes),
        Data::DateTime(date) => DataRef::DateTime(*date),
        Data::DateTimeIso(text) => DataRef::DateTimeIso(text.clone()),
        Data::DurationIso(text) => DataRef::DurationIso(text.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    }
}

/// A cell as the person who wrote it sees it: numbers without a fraction have none, dates are ISO 8601.
fn text(cell: &DataRef<'_>) -> Option<String> {
    let tidy = |text: &str| text.replace('\u{a0}', " ").trim().to_owned();
    Some(match cell {
        DataRef::Empty => String::new(),
        DataRef::String(text) => tidy(text),
        DataRef::SharedString(text) => tidy(text),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => crate::expr::number_text(*number),
        DataRef::Bool(yes) => if *yes { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(date) => moment(date)?,
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error_text(error).to_owned(),
    })
}

/// A date, a time of the day, or both.
fn moment(date: &ExcelDateTime) -> Option<String> {
    let (year, month, day, hour, minute, second, millisecond) = date.to_ymd_hms_milli();
    let fraction = if millisecond == 0 { String::new() } else { format!(".{millisecond:03}") };
    let time = format!("{hour:02}:{minute:02}:{second:02}{fraction}");
    let serial = date.as_f64();
    if !(0.0..2_958_466.0).contains(&serial) {
        return None;
    }
    Some(match (serial < 1.0, serial.fract() == 0.0) {
        (true, _) => time,
        (false, true) => format!("{year:04}-{month:02}-{day:02}"),
        (false, false) => format!("{year:04}-{month:02}-{day:02}T{time}"),
    })
}

/// An error as spreadsheets show it; whoever uses the cell finds that it is none of what it expects.
fn error_text(error: &CellErrorType) -> &'static str {
    match error {
        CellErrorType::Div0 => "#DIV/0!",
        CellErrorType::NA => "#N/A",
        CellErrorType::Name => "#NAME?",
        CellErrorType::Null => "#NULL!",
        CellErrorType::Num => "#NUM!",
        CellErrorType::Ref => "#REF!",
        CellErrorType::Value => "#VALUE!",
        CellErrorType::GettingData => "#GETTING_DATA",
    }
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn cells_are_what_a_person_sees() {
        let date = |serial| DataRef::DateTime(ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, false));
        let check = |cell: DataRef<'_>, wanted: Option<&str>| assert_eq!(text(&cell).as_deref(), wanted);
        check(DataRef::Float(3.0), Some("3"));
        check(DataRef::Float(0.5), Some("0.5"));
        check(DataRef::Float(1e15), Some("1000000000000000"));
        check(DataRef::Bool(true), Some("TRUE"));
        check(DataRef::SharedString(" a\u{a0}b "), Some("a b"));
        check(date(45_000.0), Some("2023-03-15"));
        check(date(45_000.5), Some("2023-03-15T12:00:00"));
        check(date(0.25), Some("06:00:00"));
        check(date(-1.0), None);
        check(date(1e300), None);
        check(DataRef::Error(CellErrorType::NA), Some("#N/A"));
        check(DataRef::Empty, Some(""));
    }

    #[test]
    fn what_a_workbook_says_it_shares_is_seen_wherever_it_stands() {
        let check = |text: &str, most: u64| {
            let mut shared = Shared::default();
            // In pieces, as it is unpacked.
            text.as_bytes().chunks(3).for_each(|piece| shared.write_all(piece).expect("it takes all"));
            assert_eq!(shared.most, most, "{text}");
        };
        check("<sst uniqueCount=\"12\" count='900'>", 12);
        check("<sst uniqueCount  =\n  '99999999999'>", 99_999_999_999);
        check("<sst uniqueCounted='5' uniqueCount='7'>", 7);
        check("<sst uniqueCount=''><t>31</t>", 0);
    }
}
