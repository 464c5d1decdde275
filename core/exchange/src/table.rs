//! Records as tables: one row a record, one table for each repeat, and two long tables in which nothing is joined or left
//! out. CSV, workbooks and maps are written from these.
//!
//! The order of columns is a function of the form alone: first what Merestone knows of the row, whose names hold a `/` and
//! so are never a question's, then the questions in the form's order.

use crate::geo::{Geometry, Point};
use crate::record::{Held, Record, Value};
use crate::schema::{Column, ColumnKind, Schema, Table, WITHIN};
use crate::time::timestamp;

/// Several values in one cell stand side by side, with this between them: no number, so nobody takes it for one value.
pub(crate) const CONFLICT: &str = " ≠ ";

/// What Merestone says of each record, before the questions.
pub(crate) const RECORD_COLUMNS: [&str; 20] = [
    "merestone/record",
    "merestone/instance",
    "merestone/scope",
    "merestone/standing",
    "merestone/conflicts",
    "merestone/left_blank",
    "merestone/not_relevant",
    "merestone/withdrawn",
    "merestone/not_applied",
    "merestone/imported",
    "merestone/observer",
    "merestone/party",
    "merestone/key",
    "merestone/time",
    "merestone/time_source",
    "merestone/post",
    "merestone/latitude",
    "merestone/longitude",
    "merestone/accuracy_m",
    "merestone/place_source",
];

/// What Merestone says of each row of a repeat, before its questions.
pub(crate) const ROW_COLUMNS: [&str; 8] = [
    "merestone/record",
    "merestone/row",
    "merestone/parent_row",
    "merestone/standing",
    "merestone/conflicts",
    "merestone/left_blank",
    "merestone/not_relevant",
    "merestone/withdrawn",
];

/// The long table of values.
const VALUE_COLUMNS: [&str; 8] = [
    "merestone/record",
    "merestone/key",
    "merestone/type",
    "merestone/value",
    "merestone/values_at_key",
    "merestone/entry",
    "merestone/standing",
    "merestone/observer",
];

/// The long table of photos.
const PHOTO_COLUMNS: [&str; 7] = [
    "merestone/record",
    "merestone/row",
    "merestone/sha256",
    "merestone/bytes",
    "merestone/media",
    "merestone/entry",
    "merestone/captions",
];

/// One table.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// Its name: the kind of record, the repeat, `values` or `photos`.
    pub name: String,
    /// The headings.
    pub columns: Vec<String>,
    /// The rows, each as long as the headings.
    pub rows: Vec<Vec<Cell>>,
    /// What is drawn on a map, each with the number of its row.
    pub(crate) places: Vec<Placed>,
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing: not asked, or left blank as `merestone/left_blank` says.
    Empty,
    /// No or yes.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number as it was written.
    Number(String),
    /// A text.
    Text(String),
}

/// Something with a place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placed {
    /// The row it belongs to.
    pub(crate) row: usize,
    /// The question it answers; none if it is where the device was, or nothing is known.
    pub(crate) question: Option<String>,
    /// What is drawn; none for a record without any place.
    pub(crate) geometry: Option<Geometry>,
    /// Its precision, if it is stated.
    pub(crate) accuracy_m: Option<f64>,
}

impl Cell {
    fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Empty } else { Self::Text(text) }
    }
}

/// The tables of records that follow one form, in the order of `records`.
pub fn tables(schema: &Schema, records: &[Record]) -> Vec<Sheet> {
    let mut sheets: Vec<Sheet> = (0..schema.tables.len()).map(|table| answers(schema, table, records)).collect();
    sheets.push(values(records));
    sheets.push(photos(records));
    sheets
}

fn answers(schema: &Schema, number: usize, records: &[Record]) -> Sheet {
    let table = &schema.tables[number];
    let is_record = table.parent.is_none();
    let about: &[&str] = if is_record { &RECORD_COLUMNS } else { &ROW_COLUMNS };
    let mut columns: Vec<String> = about.iter().map(|name| (*name).to_owned()).collect();
    for (_, column) in table.asked() {
        columns.push(column.name.clone());
        if column.kind == ColumnKind::GeoPoint {
            columns.extend(
                ["latitude", "longitude", "altitude", "accuracy_m"].map(|part| format!("{}/{part}", column.name)),
            );
        }
    }
    let name = if is_record { schema.kind.clone() } else { table.name.clone() };
    let mut sheet = Sheet { name, columns, rows: Vec::new(), places: Vec::new() };
    for record in records {
        // What was calculated when a record was taken over stands as long as nobody changes the record.
        let is_as_imported = record.is_as_imported();
        if is_record {
            sheet.add(table, record, None, is_as_imported);
        } else {
            for row in schema.rows(number, record) {
                sheet.add(table, record, Some(&row), is_as_imported);
            }
        }
    }
    sheet
}

impl Sheet {
    fn add(&mut self, table: &Table, record: &Record, row: Option<&str>, is_as_imported: bool) {
        let key = |name: &str| match row {
            Some(row) => format!("{}/{row}/{name}", table.name),
            None => name.to_owned(),
        };
        let held: Vec<(&Column, &[Held])> =
            table.asked().map(|(_, column)| (column, record.values(&key(&column.name)))).collect();
        let mut cells = match row {
            None => about_record(record, &held),
            Some(row) => about_row(record, &table.name, row, &held),
        };
        let number = self.rows.len();
        let before = self.places.len();
        for (column, values) in &held {
            let derived = record.derived.get(&key(&column.name));
            cells.push(match derived {
                _ if !column.is_derived || is_as_imported => cell(column.kind, values),
                Some(derived) => one(column.kind, &Value::Text(derived.clone())),
                None => Cell::Empty,
            });
            let geometry = geometry(column.kind, values);
            if column.kind == ColumnKind::GeoPoint {
                cells.extend(point_cells(geometry.as_ref()));
            }
            if let Some(geometry) = geometry {
                let accuracy_m = geometry.accuracy_m();
                let question = Some(column.name.clone());
                self.places.push(Placed { row: number, question, geometry: Some(geometry), accuracy_m });
            }
        }
        if row.is_none() && self.places.len() == before {
            self.places.push(of_device(number, record));
        }
        self.rows.push(cells);
    }
}

fn about_record(record: &Record, held: &[(&Column, &[Held])]) -> Vec<Cell> {
    let author = record.author.as_ref();
    let place = record.place.as_ref();
    let degrees = |e7: i32| Cell::Number(format!("{}", f64::from(e7) / 1e7));
    let cells = [
        Cell::text(record.record.as_str()),
        Cell::text(record.instance()),
        Cell::text(record.scope.as_str()),
        Cell::text(standing(record)),
        Cell::text(conflicts(record)),
        Cell::text(left_blank(held)),
        Cell::text(not_relevant(record, "")),
        Cell::Bool(record.withdrawn),
        Cell::text(record.not_applied()),
        Cell::Bool(record.imported_from().is_some()),
        Cell::text(author.map(|author| author.observer.as_str()).unwrap_or_default()),
        Cell::text(author.and_then(|author| author.party.as_deref()).unwrap_or_default()),
        Cell::text(author.map(|author| author.key.as_str()).unwrap_or_default()),
        Cell::text(record.made.as_ref().map(timestamp).unwrap_or_default()),
        Cell::text(record.made.as_ref().map(|made| made.source).unwrap_or_default()),
        Cell::text(record.post.as_deref().unwrap_or_default()),
        place.map_or(Cell::Empty, |place| degrees(place.lat_e7)),
        place.map_or(Cell::Empty, |place| degrees(place.lon_e7)),
        place.map_or(Cell::Empty, |place| Cell::Number(place.accuracy_m.to_string())),
        Cell::text(place.map(|place| place.source).unwrap_or_default()),
    ];
    cells.into()
}

fn about_row(record: &Record, repeat: &str, row: &str, held: &[(&Column, &[Held])]) -> Vec<Cell> {
    let within = match record.value(&format!("{repeat}/{row}/{WITHIN}")) {
        Some(Value::Text(parent)) => parent.as_str(),
        _ => "",
    };
    let prefix = format!("{repeat}/{row}/");
    let is_in_conflict = |answer: &&crate::Answer| answer.key.starts_with(&prefix) && answer.values.len() > 1;
    let names = record.answers.iter().filter(is_in_conflict).map(|answer| &answer.key[prefix.len()..]);
    let names: Vec<&str> = names.collect();
    let standings = held.iter().flat_map(|(_, values)| values.iter().map(|held| held.standing));
    let cells = [
        Cell::text(record.record.as_str()),
        Cell::text(row),
        Cell::text(within),
        Cell::text(worst(standings, !names.is_empty())),
        Cell::text(names.join(" ")),
        Cell::text(left_blank(held)),
        Cell::text(not_relevant(record, &prefix)),
        Cell::Bool(record.is_true(&format!("{prefix}withdrawn"))),
    ];
    cells.into()
}

/// One word for a record: `conflicted` if values stand side by side, else the least settled of what is shown, else what
/// became of its creating entry.
fn standing(record: &Record) -> &'static str {
    let shown = || record.answers.iter().flat_map(|answer| &answer.values).map(|held| held.standing);
    if shown().next().is_none() {
        let creating = record.entries.iter().find(|entry| entry.entry == record.record);
        return creating.or(record.entries.first()).map_or("", |entry| entry.standing);
    }
    worst(shown(), record.answers.iter().any(|answer| answer.values.len() > 1))
}

fn worst(mut standings: impl Iterator<Item = &'static str>, is_conflicted: bool) -> &'static str {
    match (is_conflicted, standings.any(|standing| standing == "provisional")) {
        (true, _) => "conflicted",
        (false, true) => "provisional",
        (false, false) => "accepted",
    }
}

fn conflicts(record: &Record) -> String {
    let keys = record.answers.iter().filter(|answer| answer.values.len() > 1).map(|answer| answer.key.as_str());
    keys.collect::<Vec<_>>().join(" ")
}

/// The questions that were asked and left blank: an empty cell alone does not say so.
fn left_blank(held: &[(&Column, &[Held])]) -> String {
    let is_blank = |values: &[Held]| matches!(values, [only] if only.value == Value::Blank);
    let names = held.iter().filter(|(_, values)| is_blank(values)).map(|(column, _)| column.name.as_str());
    names.collect::<Vec<_>>().join(" ")
}

/// The questions of a row that hold an answer and are not asked any more; of the record itself with an empty `prefix`.
fn not_relevant(record: &Record, prefix: &str) -> String {
    let names = record.not_relevant.iter().filter_map(|key| key.strip_prefix(prefix));
    names.filter(|name| !name.contains('/')).collect::<Vec<_>>().join(" ")
}

fn cell(kind: ColumnKind, values: &[Held]) -> Cell {
    match values {
        [] => Cell::Empty,
        [only] => one(kind, &only.value),
        several => {
            let words: Vec<String> = several.iter().map(|held| words(&held.value)).collect();
            Cell::Text(words.join(CONFLICT))
        }
    }
}

fn one(kind: ColumnKind, value: &Value) -> Cell {
    match value {
        Value::Blank => Cell::Empty,
        Value::Bool(value) => Cell::Bool(*value),
        Value::Int(value) => Cell::Int(*value),
        Value::Text(text) if kind == ColumnKind::Decimal && is_plain_number(text) => Cell::Number(text.clone()),
        Value::Text(text) => Cell::text(text.as_str()),
    }
}

/// A value as words, among others in one cell.
fn words(value: &Value) -> String {
    match value {
        Value::Blank => "(left blank)".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Text(text) => text.clone(),
    }
}

/// Digits with at most one point and one minus: what every program reads as the same number.
pub(crate) fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| (1..=15).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    is_number(whole) && is_number(decimals)
}

fn geometry(kind: ColumnKind, values: &[Held]) -> Option<Geometry> {
    let [Held { value: Value::Text(text), .. }] = values else { return None };
    match kind {
        ColumnKind::GeoPoint => Point::read(text).map(Geometry::Point),
        ColumnKind::GeoTrace => Geometry::line(text),
        ColumnKind::GeoShape => Geometry::area(text),
        ColumnKind::Text
        | ColumnKind::Integer
        | ColumnKind::Decimal
        | ColumnKind::Photo
        | ColumnKind::File
        | ColumnKind::Trail
        | ColumnKind::Note => None,
    }
}

fn point_cells(geometry: Option<&Geometry>) -> [Cell; 4] {
    let Some(Geometry::Point(point)) = geometry else {
        return [Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty];
    };
    [Some(point.lat), Some(point.lon), point.altitude, point.accuracy_m]
        .map(|number| number.map_or(Cell::Empty, |number| Cell::Number(number.to_string())))
}

/// Where the device was that created the record.
fn of_device(row: usize, record: &Record) -> Placed {
    let point = record.place.as_ref().map(|place| {
        let degrees = |e7: i32| f64::from(e7) / 1e7;
        let accuracy_m = Some(place.accuracy_m as f64);
        Point { lat: degrees(place.lat_e7), lon: degrees(place.lon_e7), altitude: None, accuracy_m }
    });
    Placed {
        row,
        question: None,
        accuracy_m: point.and_then(|point| point.accuracy_m),
        geometry: point.map(Geometry::Point),
    }
}

/// Every value by itself: those that stand, and those of entries that are kept and not applied.
fn values(records: &[Record]) -> Sheet {
    let mut rows = Vec::new();
    for record in records {
        for answer in &record.answers {
            for held in &answer.values {
                let from = (held.entry.as_str(), held.standing, held.observer.as_str());
                rows.push(value_row(record, &answer.key, &held.value, answer.values.len(), from));
            }
        }
        for entry in &record.entries {
            for (key, value) in &entry.not_applied {
                rows.push(value_row(record, key, value, 0, (&entry.entry, entry.standing, &entry.observer)));
            }
        }
    }
    let columns = VALUE_COLUMNS.map(str::to_owned).into();
    Sheet { name: "values".to_owned(), columns, rows, places: Vec::new() }
}

fn value_row(record: &Record, key: &str, value: &Value, at_key: usize, from: (&str, &str, &str)) -> Vec<Cell> {
    let (kind, cell) = match value {
        Value::Blank => ("blank", Cell::Empty),
        Value::Bool(value) => ("bool", Cell::Bool(*value)),
        Value::Int(value) => ("int", Cell::Int(*value)),
        Value::Text(text) => ("text", Cell::text(text.as_str())),
    };
    let (entry, standing, observer) = from;
    let at_key = Cell::Int(i64::try_from(at_key).unwrap_or(i64::MAX));
    let texts = [entry, standing, observer].map(Cell::text);
    let mut row = vec![Cell::text(record.record.as_str()), Cell::text(key), Cell::text(kind), cell, at_key];
    row.extend(texts);
    row
}

fn photos(records: &[Record]) -> Sheet {
    let mut rows = Vec::new();
    for record in records {
        for photo in &record.photos {
            rows.push(vec![
                Cell::text(record.record.as_str()),
                Cell::text(photo.row.as_str()),
                Cell::text(photo.sha256.as_str()),
                Cell::Int(i64::try_from(photo.bytes).unwrap_or(i64::MAX)),
                Cell::text(photo.media),
                Cell::text(photo.entry.as_str()),
                Cell::text(photo.captions.join(CONFLICT)),
            ]);
        }
    }
    let columns = PHOTO_COLUMNS.map(str::to_owned).into();
    Sheet { name: "photos".to_owned(), columns, rows, places: Vec::new() }
}
