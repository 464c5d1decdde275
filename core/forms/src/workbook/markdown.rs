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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_lose_their_rules_and_keep_their_signs() {
        let read = rows(b"| a | b |\n|---|:--:|\n\n| x \\| y | |\n").expect("two rows");
        let cells = |row: &Row| row.cells.iter().map(|(at, cell)| format!("{at}{cell}")).collect::<Vec<_>>();
        assert_eq!(
            read.iter().map(|row| (row.number, cells(row))).collect::<Vec<_>>(),
            [(1, vec!["0a".to_owned(), "1b".to_owned()]), (4, vec!["0x | y".to_owned()]),]
        );
        let refused = rows(b"| a |\nfree text\n").expect_err("no row");
        assert_eq!((refused.row, refused.reason), (2, Reason::NotATable));
    }
}
