//! One table: its rows, and which columns of the form its columns are.

use std::collections::{HashMap, HashSet};

use merestone_core::form::Key;

use super::{CsvRefused, INSTANCE, NamedCsv, OWN_ID, PARENT_ID, TABLE_BYTES_MAX, VERSION};
use crate::guard::restore;
use crate::import::refused::ImportRefused;
use crate::import::submission::{Exactness, Submission};
use crate::record::Value;
use crate::schema::{ColumnKind, Schema, Table};

/// Most columns of a table: as many as a workbook has.
pub(super) const COLUMNS_MAX: usize = 16_384;
/// Most rows of a table: as many as a workbook has.
pub(super) const ROWS_MAX: usize = 1_048_576;
/// Most cells of all rows of a table, up to the last one of each row that is not empty: each takes 8 bytes beside its text.
pub(super) const CELLS_MAX: usize = 32 << 20;

/// Heading under which our own tables name the questions at which several values stand.
const CONFLICTS: &str = "merestone/conflicts";

/// A row: its cells up to the last one that is not empty.
pub(super) type Row = csv::StringRecord;

/// What the columns of a table are for.
pub(super) struct Grid<'f> {
    pub(super) name: &'f str,
    /// Rows of cells, without the heading; each at most as long as it.
    pub(super) rows: Vec<Row>,
    headings: Row,
    /// Columns by their headings.
    here: HashMap<String, usize>,
    /// Written by Merestone: texts are neutralised, and what was left blank is named.
    is_ours: bool,
    columns: Columns,
}

/// What the form's columns are here.
#[derive(Default)]
struct Columns {
    /// For each column of the form its column here.
    answers: Vec<(usize, usize)>,
    /// The parts of a place in columns of their own: the form's column, the column of the whole, and latitude, longitude,
    /// altitude, accuracy here.
    points: Vec<(usize, Option<usize>, [Option<usize>; 4])>,
    /// Columns that say of one choice whether it was chosen: the column here, that of the question, and the choice.
    choices: Vec<(usize, usize, String)>,
    /// Columns that the form does not know.
    extras: Vec<usize>,
}

impl<'f> Grid<'f> {
    pub(super) fn read(schema: &Schema, table: usize, csv: NamedCsv<'f>) -> Result<Self, CsvRefused> {
        let too_large = || CsvRefused::TooLarge { table: csv.name.to_owned() };
        if csv.bytes.len() > TABLE_BYTES_MAX {
            return Err(too_large());
        }
        let bytes = csv.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(csv.bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);
        // One record is read into again and again: a clone of it would keep the room of the widest row.
        let (mut read, mut rows, mut cells) = (Row::new(), Vec::new(), 0);
        let mut headings: Option<Row> = None;
        for number in 1.. {
            let not_csv = || CsvRefused::NotCsv { table: csv.name.to_owned(), row: number };
            if !reader.read_record(&mut read).map_err(|_| not_csv())? {
                break;
            }
            let filled = (0..read.len()).rfind(|at| !read[*at].is_empty()).map_or(0, |last| last + 1);
            let kept = if headings.is_none() { read.len() } else { filled };
            cells += kept;
            if kept > COLUMNS_MAX || rows.len() >= ROWS_MAX || cells > CELLS_MAX {
                return Err(too_large());
            }
            let row: Row = read.iter().take(kept).collect();
            match &headings {
                None => headings = Some(row),
                Some(headings) if kept > headings.len() => return Err(not_csv()),
                Some(_) => rows.push(row),
            }
        }
        let headings = headings.unwrap_or_default();
        let is_ours = headings.iter().any(|heading| heading == "merestone/record");
        let mut here = HashMap::new();
        for (at, heading) in headings.iter().enumerate() {
            if here.insert(heading.to_owned(), at).is_some() && !heading.is_empty() {
                return Err(CsvRefused::ColumnTwice { table: csv.name.to_owned(), column: heading.to_owned() });
            }
        }
        let mut grid = Self { name: csv.name, rows, headings, here, is_ours, columns: Columns::default() };
        grid.columns = grid.match_columns(&schema.tables[table]);
        Ok(grid)
    }

    fn match_columns(&self, table: &Table) -> Columns {
        let mut columns = Columns::default();
        let mut used: Vec<bool> = vec![false; self.headings.len()];
        // Columns of several choices, by the names that a part of them begins with.
        let mut several: HashMap<String, usize> = HashMap::new();
        for (number, column) in table.columns.iter().enumerate() {
            let (of_groups, own) = (column.path.join("-"), column.path.last().cloned().unwrap_or_default());
            let written = [column.name.clone(), of_groups, column.path.join("/"), column.path.join(":")];
            // A bare name stands for the question only where it is the only one of that name.
            let is_only = table.columns.iter().filter(|other| other.path.last() == Some(&own)).count() == 1;
            let names = written.iter().chain(is_only.then_some(&own));
            let found = names.clone().find_map(|name| self.here.get(name.as_str()).copied());
            if let Some(at) = found {
                used[at] = true;
                columns.answers.push((number, at));
            }
            for name in names {
                if let Some(parts) = point(column.kind, name, &self.here) {
                    let is_new = parts.iter().flatten().all(|&at| !used[at]);
                    parts.iter().flatten().for_each(|&at| used[at] = true);
                    if is_new {
                        columns.points.push((number, found, parts));
                    }
                }
                if let Some(at) = found.filter(|_| column.is_several) {
                    several.insert(name.clone(), at);
                }
            }
        }
        if let Some(at) = self.column(&VERSION) {
            used[at] = true;
        }
        for (at, heading) in self.headings.iter().enumerate() {
            let is_known = heading.starts_with("merestone/") && self.is_ours;
            let is_id = INSTANCE.contains(&heading) || OWN_ID.contains(&heading) || PARENT_ID.contains(&heading);
            if used[at] || is_known || is_id {
                continue;
            }
            let whole =
                heading.rmatch_indices('/').find_map(|(slash, _)| Some((several.get(&heading[..slash])?, slash)));
            match whole {
                Some((&of, slash)) => columns.choices.push((at, of, heading[slash + 1..].to_owned())),
                None => columns.extras.push(at),
            }
        }
        columns
    }

    /// Puts what a row says into a submission: into the row `id` of a repeat, or into the record.
    pub(super) fn fill(
        &self,
        of: &Table,
        submission: &mut Submission,
        row: &Row,
        id: Option<&str>,
        exactness: Exactness,
    ) -> Result<(), ImportRefused> {
        self.check_settled(row)?;
        let Columns { answers, points, choices, extras } = &self.columns;
        let key = |name: &str| id.map_or_else(|| name.to_owned(), |id| format!("{}/{id}/{name}", of.name));
        let place = id.map(|id| format!("{}/{id}", of.name)).unwrap_or_default();
        let blank: HashSet<&str> = match self.column(&["merestone/left_blank"]) {
            Some(at) if self.is_ours => self.cell(row, at).split(' ').collect(),
            _ => HashSet::new(),
        };
        for &(number, at) in answers {
            let (column, cell) = (&of.columns[number], self.cell(row, at));
            if !cell.is_empty() || blank.contains(column.name.as_str()) {
                submission.put(key(&column.name), column.kind, cell, exactness)?;
            }
        }
        for (number, whole, parts) in points {
            if whole.is_some_and(|at| !self.cell(row, at).is_empty()) {
                continue;
            }
            let cells = parts.map(|at| at.map_or("", |at| self.cell(row, at)));
            // A part that is not known is not made up: what cannot be said without it is kept as it came.
            let said = match cells.map(|cell| !cell.is_empty()) {
                [true, true, true, true] => 4,
                [true, true, true, false] => 3,
                [true, true, false, _] => 2,
                [false, _, _, _] | [_, false, _, _] => 0,
            };
            if said > 0 {
                let name = key(&of.columns[*number].name);
                submission.put(name, ColumnKind::GeoPoint, &cells[..said].join(" "), exactness)?;
            }
            for &at in parts[said..].iter().flatten() {
                self.keep(submission, row, at, &place, exactness)?;
            }
        }
        if self.is_ours && self.column(&["merestone/withdrawn"]).is_some_and(|at| self.cell(row, at) == "true") {
            submission.say(key("withdrawn"), Value::Bool(true))?;
        }
        for (at, of, choice) in choices {
            // `question/choice` says again what `question` says.
            let is_chosen = self.cell(row, *of).split(' ').any(|word| word == choice);
            let is_same = match self.cell(row, *at) {
                "" | "0" | "False" | "FALSE" | "false" => !is_chosen,
                "1" | "True" | "TRUE" | "true" => is_chosen,
                _ => false,
            };
            if !is_same {
                self.keep(submission, row, *at, &place, exactness)?;
            }
        }
        extras.iter().try_for_each(|&at| self.keep(submission, row, at, &place, exactness))
    }

    /// Keeps a cell that is no answer under its heading, or under the number of its column.
    fn keep(
        &self,
        submission: &mut Submission,
        row: &Row,
        at: usize,
        place: &str,
        exactness: Exactness,
    ) -> Result<(), ImportRefused> {
        match (self.headings.get(at).unwrap_or_default(), self.cell(row, at)) {
            (_, "") => Ok(()),
            ("", cell) => submission.keep(place, &format!("column {}", at + 1), cell, exactness),
            (heading, cell) => submission.keep(place, heading, cell, exactness),
        }
    }

    /// A cell in which several values stand side by side is the answer of nobody.
    fn check_settled(&self, row: &Row) -> Result<(), ImportRefused> {
        let column = self.column(&[CONFLICTS]).filter(|_| self.is_ours);
        let Some(first) = column.and_then(|at| self.cell(row, at).split_whitespace().next()) else { return Ok(()) };
        let key = if Key::parse(first).is_some() { first } else { CONFLICTS };
        Err(ImportRefused::Conflict { key: key.to_owned() })
    }

    /// The column under the first of these headings that there is.
    pub(super) fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.here.get(*name).copied())
    }

    pub(super) fn cell<'r>(&self, row: &'r Row, at: usize) -> &'r str {
        let cell = row.get(at).unwrap_or_default();
        if self.is_ours { restore(cell) } else { cell }
    }
}

/// The columns in which a place stands in parts.
fn point(kind: ColumnKind, name: &str, here: &HashMap<String, usize>) -> Option<[Option<usize>; 4]> {
    const PARTS: [(&str, [&str; 4]); 3] = [
        ("", ["-Latitude", "-Longitude", "-Altitude", "-Accuracy"]),
        ("", ["/latitude", "/longitude", "/altitude", "/accuracy_m"]),
        ("_", ["_latitude", "_longitude", "_altitude", "_precision"]),
    ];
    if kind != ColumnKind::GeoPoint {
        return None;
    }
    let columns =
        PARTS.map(|(front, parts)| parts.map(|part| here.get(format!("{front}{name}{part}").as_str()).copied()));
    columns.into_iter().find(|columns| columns[0].is_some() && columns[1].is_some())
}
