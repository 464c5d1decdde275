//! What map formats draw: each place of each row, with the row's cells.

use crate::table::{Cell, Placed, Sheet};

/// One thing on a map.
pub(crate) struct Feature<'a> {
    /// The record's id; with the row and the question behind it where one record has several places.
    pub(crate) id: String,
    /// The table it is in.
    pub(crate) table: &'a str,
    /// Where it is.
    pub(crate) placed: &'a Placed,
    columns: &'a [String],
    row: &'a [Cell],
}

impl<'a> Feature<'a> {
    /// The cells of its row, each with its heading.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (&'a str, &'a Cell)> + use<'a> {
        self.columns.iter().map(String::as_str).zip(self.row)
    }

    /// A text for people: the first text that was answered, or the kind of record.
    pub(crate) fn title(&self) -> &'a str {
        let answered = self.cells().filter(|(name, _)| !name.contains('/'));
        let text =
            answered.filter_map(|(_, cell)| if let Cell::Text(text) = cell { Some(text.as_str()) } else { None });
        text.map(|text| text.lines().next().unwrap_or_default()).find(|text| !text.is_empty()).unwrap_or(self.table)
    }

    /// The text of a cell of its row.
    pub(crate) fn text(&self, heading: &str) -> Option<&'a str> {
        self.cells().find(|(name, _)| *name == heading).and_then(|(_, cell)| match cell {
            Cell::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

/// Everything that the tables place. A record without any place is there too, so that a map's list is complete.
pub(crate) fn features(sheets: &[Sheet]) -> impl Iterator<Item = Feature<'_>> {
    sheets.iter().flat_map(|sheet| {
        sheet.places.iter().enumerate().map(move |(at, placed)| {
            let row = &sheet.rows[placed.row];
            let texts = row.iter().zip(&sheet.columns).filter_map(|(cell, name)| match (cell, name.as_str()) {
                (Cell::Text(text), "merestone/record" | "merestone/row") => Some(text.as_str()),
                _ => None,
            });
            let mut id = texts.collect::<Vec<_>>().join("/");
            let is_further = at > 0 && sheet.places[at - 1].row == placed.row;
            if let (true, Some(question)) = (is_further, &placed.question) {
                id = format!("{id}/{question}");
            }
            Feature { id, table: &sheet.name, placed, columns: &sheet.columns, row }
        })
    })
}

/// A cell as words; none if it is empty.
pub(crate) fn words(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Empty => None,
        Cell::Bool(value) => Some(value.to_string()),
        Cell::Int(value) => Some(value.to_string()),
        Cell::Number(number) => Some(number.clone()),
        Cell::Text(text) => Some(text.clone()),
    }
}
