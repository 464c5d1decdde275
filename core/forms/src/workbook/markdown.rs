//! Markdown tables: one row a line, cells between `|`.

use super::{Held, Row};
use crate::refused::{FormRefused, Reason};

/// The rows of all tables. Rules between heading and rows (`|---|---|`) are left out; `\|` is a `|` in a cell.
pub(super) fn rows(bytes: &[u8]) -> Result<Vec<Row>, FormRefused> {
    let text = std::str::from_utf8(bytes).map_err(|_| FormRefused::whole(Reason::NotUtf8))?;
    let (mut rows, mut held) = (Vec::new(), Held::default());
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let (line, number) = (line.trim(), index + 1);
        if line.is_empty() {
            continue;
        }
        let inside = line.strip_prefix('|').and_then(|rest| rest.strip_suffix('|'));
        let inside = inside.ok_or_else(|| FormRefused::at("", number, "", Reason::NotATable))?;
        let cells = cells(inside);
        let is_rule = |cell: &str| cell.len() >= 3 && cell.bytes().all(|byte| matches!(byte, b'-' | b':'));
        let row = Row::of(number, cells.into_iter());
        if row.cells.is_empty() || row.cells.iter().all(|(_, cell)| is_rule(cell)) {
            continue;
        }
        let refused = |reason| FormRefused::at("", number, "", reason);
        held.row().map_err(refused)?;
        for (_, text) in &row.cells {
            held.cell(text).map_err(refused)?;
        }
        rows.push(row);
    }
    Ok(rows)
}

fn cells(inside: &str) -> Vec<String> {
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let mut chars = inside.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.next_if_eq(&'|').is_some() {
            cell.push('|');
        } else if c == '|' {
            cells.push(std::mem::take(&mut cell));
        } else {
            cell.push(c);
        }
    }
    cells.push(cell);
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}
