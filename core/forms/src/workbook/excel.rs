//! Excel workbooks, through a library; here are its bounds and how a cell becomes a text.

use std::io::{Cursor, Read};

use calamine::{Data, Range, Reader, Xls, Xlsx};

use super::{CELLS_BYTES_MAX, COLUMNS_MAX, ROWS_MAX, Row, column};
use crate::refused::{FormRefused, Reason};

/// Most bytes that an `.xlsx` may unpack to.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;
/// Most parts in an `.xlsx`.
const PARTS_MAX: usize = 4_096;

/// The sheets of an `.xlsx`.
pub(super) fn xlsx(bytes: &[u8]) -> Result<Vec<(String, Vec<Row>)>, FormRefused> {
    bounded(bytes)?;
    let workbook = Xlsx::new(Cursor::new(bytes)).map_err(|_| FormRefused::whole(Reason::NotAWorkbook))?;
    sheets(workbook)
}

/// The sheets of an `.xls`.
pub(super) fn xls(bytes: &[u8]) -> Result<Vec<(String, Vec<Row>)>, FormRefused> {
    let workbook = Xls::new(Cursor::new(bytes)).map_err(|_| FormRefused::whole(Reason::NotAWorkbook))?;
    sheets(workbook)
}

/// Refuses an archive that unpacks to more than a form could need, by unpacking it into nothing.
fn bounded(bytes: &[u8]) -> Result<(), FormRefused> {
    let broken = || FormRefused::whole(Reason::NotAWorkbook);
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| broken())?;
    if archive.len() > PARTS_MAX {
        return Err(FormRefused::whole(Reason::TooLarge));
    }
    let mut left = UNPACKED_BYTES_MAX;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| broken())?;
        let unpacked = std::io::copy(&mut part.take(left + 1), &mut std::io::sink()).map_err(|_| broken())?;
        left = left.checked_sub(unpacked).ok_or_else(|| FormRefused::whole(Reason::TooLarge))?;
    }
    Ok(())
}

fn sheets<'b, R: Reader<Cursor<&'b [u8]>>>(mut workbook: R) -> Result<Vec<(String, Vec<Row>)>, FormRefused> {
    let mut held = 0;
    let mut sheets = Vec::new();
    for name in workbook.sheet_names() {
        let range = workbook.worksheet_range(&name).map_err(|_| FormRefused::at(&name, 1, "", Reason::NotAWorkbook))?;
        let rows = rows(&name, &range, &mut held)?;
        sheets.push((name, rows));
    }
    Ok(sheets)
}

fn rows(sheet: &str, range: &Range<Data>, held: &mut usize) -> Result<Vec<Row>, FormRefused> {
    let Some((first_row, first_column)) = range.start() else { return Ok(Vec::new()) };
    let (first_row, first_column) = (first_row as usize, first_column as usize);
    if range.height() > ROWS_MAX || first_column + range.width() > COLUMNS_MAX {
        return Err(FormRefused::at(sheet, 1, "", Reason::TooLarge));
    }
    let mut rows = Vec::new();
    for (index, cells) in range.rows().enumerate() {
        let number = first_row + index + 1;
        let mut texts = vec![String::new(); first_column];
        for (at, cell) in cells.iter().enumerate() {
            let refused = |reason| FormRefused::at(sheet, number, &column(first_column + at), reason);
            let text = text(cell).map_err(refused)?;
            *held += text.len();
            if *held > CELLS_BYTES_MAX {
                return Err(refused(Reason::TooLarge));
            }
            texts.push(text);
        }
        rows.push(Row { number, cells: texts });
    }
    Ok(rows)
}

/// A cell as the person who wrote it sees it: numbers without a fraction have none, dates are ISO 8601.
fn text(cell: &Data) -> Result<String, Reason> {
    const DAY_MILLISECONDS: f64 = 86_400_000.0;
    Ok(match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.replace('\u{a0}', " ").trim().to_owned(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => crate::expr::number_text(*number),
        Data::Bool(yes) => if *yes { "TRUE" } else { "FALSE" }.to_owned(),
        Data::DateTime(date) => {
            // Serial days since 1899-12-30.
            let unix = (date.as_f64() - 25_569.0) * DAY_MILLISECONDS;
            crate::expr::Moment::from_unix(unix.round(), 0).map(|moment| moment.text()).ok_or(Reason::CellError)?
        }
        Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Error(_) => return Err(Reason::CellError),
    })
}
