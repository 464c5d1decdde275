//! Submissions from CSV: the tables of ODK Central and Briefcase, of Kobo, and our own.
//!
//! A CSV cannot tell a blank answer from a question that was not asked: an empty cell says nothing here, except in our own
//! tables, which name what was left blank. In these, the apostrophe that [`neutralise`](crate::guard::neutralise) put in
//! front of a text is taken away again; in those of others it belongs to the text.

use std::collections::{BTreeMap, HashMap, HashSet};

use merestone_core::form::Key;

use super::refused::ImportRefused;
use super::submission::{Exactness, Source, Submission, is_row_id};
use crate::guard::restore;
use crate::record::Value;
use crate::schema::{ColumnKind, Schema, Table, WITHIN};

/// Largest table, in bytes: a table is read whole, since the rows of repeats stand in other tables, and with what is made of
/// it takes some ten times as much memory. 10,000 submissions of 100 questions have about 10 MB.
pub const TABLE_BYTES_MAX: usize = 64 << 20;
/// Most columns of a table.
const COLUMNS_MAX: usize = 16_384;
/// Most rows of a table.
const ROWS_MAX: usize = 1_048_576;

/// Headings under which the instance id of a row stands: ours, ODK's, Kobo's.
const INSTANCE: [&str; 6] = ["merestone/instance", "KEY", "meta-instanceID", "meta/instanceID", "instanceID", "_uuid"];
/// Headings by which other tables name a row.
const OWN_ID: [&str; 4] = ["merestone/row", "KEY", "_index", "merestone/record"];
/// Headings under which a row of a repeat names the row that it stands in.
const PARENT_ID: [&str; 4] = ["merestone/parent_row", "PARENT_KEY", "_parent_index", "merestone/record"];

/// Heading under which our own tables name the questions at which several values stand.
const CONFLICTS: &str = "merestone/conflicts";
/// Headings under which the version of the form stands.
const VERSION: [&str; 2] = ["FormVersion", "__version__"];

/// A table by its name.
#[derive(Clone, Copy, Debug)]
pub struct NamedCsv<'f> {
    /// The name of its file without ending and folders.
    pub name: &'f str,
    /// What is in it.
    pub bytes: &'f [u8],
}

/// What tables hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvRead {
    /// One for each row of the table of records, in their order; one that is refused stands in its place.
    pub submissions: Vec<Result<Submission, ImportRefused>>,
    /// The rows of repeats that belong to none of them.
    pub orphans: Vec<Orphan>,
}

/// A row of a repeat whose parent is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The table that it stands in.
    pub table: String,
    /// Its number there, counted from 1 with the heading.
    pub row: u64,
}

/// Tables are not read: nothing is taken from any of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvRefused {
    /// A table is larger than it may be.
    #[error("table {table} is larger than {TABLE_BYTES_MAX} bytes, {ROWS_MAX} rows or {COLUMNS_MAX} columns")]
    TooLarge {
        /// The table.
        table: String,
    },
    /// A row cannot be read, or is no UTF-8.
    #[error("table {table} cannot be read as CSV in UTF-8 at row {row}")]
    NotCsv {
        /// The table.
        table: String,
        /// The row, counted from 1 with the heading.
        row: u64,
    },
    /// No heading is that of an instance id.
    #[error("table {table} has no column of instance ids (KEY, meta-instanceID, _uuid)")]
    NoInstanceColumn {
        /// The table.
        table: String,
    },
    /// A table is none of the form's repeats.
    #[error("table {table} is no repeat of form {form}")]
    NoSuchRepeat {
        /// The table.
        table: String,
        /// The form.
        form: String,
    },
    /// Two tables are of one repeat.
    #[error("tables {table} and {other} both hold the rows of repeat {repeat}; leave one")]
    RepeatTwice {
        /// The repeat.
        repeat: String,
        /// One table.
        table: String,
        /// The other.
        other: String,
    },
    /// The rows of a repeat name no parent.
    #[error("table {table} has no column that names the parent of its rows (PARENT_KEY, _parent_index)")]
    NoParentColumn {
        /// The table.
        table: String,
    },
    /// A heading stands twice.
    #[error("table {table} has two columns for {column}")]
    ColumnTwice {
        /// The table.
        table: String,
        /// The question.
        column: String,
    },
}

impl CsvRefused {
    /// A word for it that does not change.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "table-too-large",
            Self::NotCsv { .. } => "not-csv",
            Self::NoInstanceColumn { .. } => "no-instance-column",
            Self::NoSuchRepeat { .. } => "no-such-repeat",
            Self::RepeatTwice { .. } => "repeat-twice",
            Self::NoParentColumn { .. } => "no-parent-column",
            Self::ColumnTwice { .. } => "column-twice",
        }
    }
}

/// Reads the submissions of a form: the table of records, and those of its repeats in any order.
///
/// # Errors
/// [`CsvRefused`], if a table as a whole cannot be read.
pub fn read_csv(
    schema: &Schema,
    main: NamedCsv<'_>,
    repeats: &[NamedCsv<'_>],
    exactness: Exactness,
) -> Result<CsvRead, CsvRefused> {
    let mut taken = Taken { schema, exactness, submissions: Vec::new(), orphans: Vec::new(), by_id: HashMap::new() };
    taken.records(&Grid::read(schema, 0, main)?)?;
    // A repeat is read after the one it stands in.
    let mut of_table: BTreeMap<usize, NamedCsv<'_>> = BTreeMap::new();
    for repeat in repeats {
        let refused = || CsvRefused::NoSuchRepeat { table: repeat.name.to_owned(), form: schema.kind.clone() };
        let table = repeat_of(schema, main.name, repeat.name).ok_or_else(refused)?;
        if let Some(other) = of_table.insert(table, *repeat) {
            let repeat_name = schema.tables[table].name.clone();
            let (table, other) = (repeat.name.to_owned(), other.name.to_owned());
            return Err(CsvRefused::RepeatTwice { repeat: repeat_name, table, other });
        }
    }
    for (table, csv) in of_table {
        taken.rows(table, &Grid::read(schema, table, csv)?)?;
    }
    Ok(CsvRead { submissions: taken.submissions, orphans: taken.orphans })
}

/// The repeat whose rows a file holds: `visit-places`, `places`, `patrol-begin-places`. The name that follows the one of the
/// table of records goes first, then the longest that the file's ends in: `visit-old-places` is of `old-places`, if there is
/// one, and else of `places`.
fn repeat_of(schema: &Schema, main: &str, file: &str) -> Option<usize> {
    let names = |table: usize| {
        let Table { name, path, .. } = &schema.tables[table];
        // A bare name stands for the repeat only where it is the only one of that name.
        let bare =
            path.last().filter(|own| schema.tables.iter().filter(|one| one.path.last() == Some(own)).count() == 1);
        let mut around = path.clone();
        let mut of = schema.tables[table].parent;
        while let Some(parent) = of {
            around.splice(0..0, schema.tables[parent].path.iter().cloned());
            of = schema.tables[parent].parent;
        }
        [name.clone(), path.join("-"), around.join("-")].into_iter().chain(bare.cloned())
    };
    let repeats = || (1..schema.tables.len()).flat_map(|table| names(table).map(move |name| (name, table)));
    let rest = file.strip_prefix(main).and_then(|rest| rest.strip_prefix('-'));
    if let Some((_, table)) = repeats().find(|(name, _)| rest == Some(name)) {
        return Some(table);
    }
    let is_end = |name: &str| file == name || file.strip_suffix(name).is_some_and(|rest| rest.ends_with('-'));
    repeats().filter(|(name, _)| is_end(name)).max_by_key(|(name, _)| name.len()).map(|(_, table)| table)
}

/// What the columns of a table are for.
struct Grid<'f> {
    name: &'f str,
    /// Rows of cells, without the heading; each at most as long as it.
    rows: Vec<csv::StringRecord>,
    headings: csv::StringRecord,
    /// Written by Merestone: texts are neutralised, and what was left blank is named.
    is_ours: bool,
    /// For each column of the form its column here.
    answers: Vec<(usize, usize)>,
    /// The parts of a place in columns of their own: the form's column, and latitude, longitude, altitude, accuracy here.
    points: Vec<(usize, [Option<usize>; 4])>,
    /// Columns that the form does not know.
    extras: Vec<usize>,
}

impl<'f> Grid<'f> {
    fn read(schema: &Schema, table: usize, csv: NamedCsv<'f>) -> Result<Self, CsvRefused> {
        let too_large = || CsvRefused::TooLarge { table: csv.name.to_owned() };
        if csv.bytes.len() > TABLE_BYTES_MAX {
            return Err(too_large());
        }
        let bytes = csv.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(csv.bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);
        let mut rows = Vec::new();
        for (number, row) in (1..).zip(reader.records()) {
            rows.push(row.map_err(|_| CsvRefused::NotCsv { table: csv.name.to_owned(), row: number })?);
            if rows.len() > ROWS_MAX {
                return Err(too_large());
            }
        }
        let headings = if rows.is_empty() { csv::StringRecord::new() } else { rows.remove(0) };
        if headings.len() > COLUMNS_MAX {
            return Err(too_large());
        }
        let is_longer = |row: &csv::StringRecord| row.iter().skip(headings.len()).any(|cell| !cell.is_empty());
        if let Some(at) = rows.iter().position(is_longer) {
            return Err(CsvRefused::NotCsv { table: csv.name.to_owned(), row: at as u64 + 2 });
        }
        let is_ours = headings.iter().any(|heading| heading == "merestone/record");
        let mut grid =
            Self { name: csv.name, rows, headings, is_ours, answers: vec![], points: vec![], extras: vec![] };
        grid.match_columns(&schema.tables[table])?;
        Ok(grid)
    }

    fn match_columns(&mut self, table: &Table) -> Result<(), CsvRefused> {
        let mut here: HashMap<&str, usize> = HashMap::new();
        for (at, heading) in self.headings.iter().enumerate() {
            if here.insert(heading, at).is_some() && !heading.is_empty() {
                return Err(CsvRefused::ColumnTwice { table: self.name.to_owned(), column: heading.to_owned() });
            }
        }
        let mut used: Vec<bool> = vec![false; self.headings.len()];
        let (mut answers, mut points, mut extras, mut whole) = (Vec::new(), Vec::new(), Vec::new(), HashSet::new());
        for (number, column) in table.columns.iter().enumerate() {
            let (of_groups, own) = (column.path.join("-"), column.path.last().cloned().unwrap_or_default());
            let written = [column.name.clone(), of_groups.clone(), column.path.join("/"), column.path.join(":")];
            // A bare name stands for the question only where it is the only one of that name.
            let is_only = table.columns.iter().filter(|other| other.path.last() == Some(&own)).count() == 1;
            let names = written.iter().chain(is_only.then_some(&own));
            let found = names.clone().find_map(|name| here.get(name.as_str()).copied());
            if let Some(at) = found {
                used[at] = true;
                answers.push((number, at));
            }
            for name in names {
                if let Some(parts) = point(column.kind, name, &here) {
                    parts.iter().flatten().for_each(|&at| used[at] = true);
                    if found.is_none() && points.last().is_none_or(|(last, _)| *last != number) {
                        points.push((number, parts));
                    }
                }
                if found.is_some() {
                    whole.insert(name.clone());
                }
            }
        }
        if let Some(at) = self.column(&VERSION) {
            used[at] = true;
        }
        for (at, heading) in self.headings.iter().enumerate() {
            let is_known = heading.is_empty() || heading.starts_with("merestone/") && self.is_ours;
            let is_id = INSTANCE.contains(&heading) || OWN_ID.contains(&heading) || PARENT_ID.contains(&heading);
            // `question/choice` says again what `question` says.
            let is_part = heading.match_indices('/').any(|(slash, _)| whole.contains(&heading[..slash]));
            if !used[at] && !is_known && !is_id && !is_part {
                extras.push(at);
            }
        }
        (self.answers, self.points, self.extras) = (answers, points, extras);
        Ok(())
    }

    /// Puts what a row says into a submission: into the row `id` of a repeat, or into the record.
    fn fill(
        &self,
        of: &Table,
        submission: &mut Submission,
        row: &csv::StringRecord,
        id: Option<&str>,
        exactness: Exactness,
    ) -> Result<(), ImportRefused> {
        self.check_settled(row)?;
        let key = |name: &str| id.map_or_else(|| name.to_owned(), |id| format!("{}/{id}/{name}", of.name));
        let blank: Vec<&str> = match self.column(&["merestone/left_blank"]) {
            Some(at) if self.is_ours => self.cell(row, at).split(' ').collect(),
            _ => Vec::new(),
        };
        for &(number, at) in &self.answers {
            let (column, cell) = (&of.columns[number], self.cell(row, at));
            if !cell.is_empty() || blank.contains(&column.name.as_str()) {
                submission.put(key(&column.name), column.kind, cell, exactness)?;
            }
        }
        for (number, parts) in &self.points {
            let cells = parts.map(|at| at.map_or("", |at| self.cell(row, at)));
            if !cells[0].is_empty() && !cells[1].is_empty() {
                let known = cells.iter().map(|cell| if cell.is_empty() { "0" } else { cell });
                let text = known.collect::<Vec<_>>().join(" ");
                submission.put(key(&of.columns[*number].name), ColumnKind::GeoPoint, &text, exactness)?;
            }
        }
        if self.is_ours && self.column(&["merestone/withdrawn"]).is_some_and(|at| self.cell(row, at) == "true") {
            submission.say(key("withdrawn"), Value::Bool(true))?;
        }
        let place = id.map(|id| format!("{}/{id}", of.name)).unwrap_or_default();
        for &at in &self.extras {
            let cell = self.cell(row, at);
            if !cell.is_empty() {
                submission.keep(&place, self.headings.get(at).unwrap_or_default(), cell, exactness)?;
            }
        }
        Ok(())
    }

    /// A cell in which several values stand side by side is the answer of nobody.
    fn check_settled(&self, row: &csv::StringRecord) -> Result<(), ImportRefused> {
        let column = self.column(&[CONFLICTS]).filter(|_| self.is_ours);
        let Some(first) = column.and_then(|at| self.cell(row, at).split_whitespace().next()) else { return Ok(()) };
        let key = if Key::parse(first).is_some() { first } else { CONFLICTS };
        Err(ImportRefused::Conflict { key: key.to_owned() })
    }

    fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.headings.iter().position(|heading| heading == *name))
    }

    fn cell<'r>(&self, row: &'r csv::StringRecord, at: usize) -> &'r str {
        let cell = row.get(at).unwrap_or_default();
        if self.is_ours { restore(cell) } else { cell }
    }
}

/// The columns in which a place stands in parts.
fn point(kind: ColumnKind, name: &str, here: &HashMap<&str, usize>) -> Option<[Option<usize>; 4]> {
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

struct Taken<'s> {
    schema: &'s Schema,
    exactness: Exactness,
    submissions: Vec<Result<Submission, ImportRefused>>,
    orphans: Vec<Orphan>,
    /// Rows of all tables by the table and what other tables call them: the submission, and the row's id in it.
    by_id: HashMap<(usize, String), (usize, Option<String>)>,
}

impl Taken<'_> {
    fn records(&mut self, grid: &Grid<'_>) -> Result<(), CsvRefused> {
        let instance = grid.column(&INSTANCE);
        let instance = instance.ok_or_else(|| CsvRefused::NoInstanceColumn { table: grid.name.to_owned() })?;
        let is_bare = grid.headings.get(instance) == Some("_uuid");
        let version = grid.column(&VERSION);
        for row in &grid.rows {
            let number = self.submissions.len();
            let id = grid.cell(row, instance);
            // Kobo writes the id without the scheme that its own XML has.
            let id = if is_bare && !id.is_empty() { format!("uuid:{id}") } else { id.to_owned() };
            let version = version.map(|at| grid.cell(row, at));
            let read = self.record(grid, row, &id, version);
            self.submissions.push(read);
            for at in grid.headings.iter().enumerate().filter(|(_, name)| OWN_ID.contains(name)).map(|(at, _)| at) {
                self.by_id.insert((0, grid.cell(row, at).to_owned()), (number, None));
            }
        }
        Ok(())
    }

    fn record(
        &self,
        grid: &Grid<'_>,
        row: &csv::StringRecord,
        id: &str,
        version: Option<&str>,
    ) -> Result<Submission, ImportRefused> {
        if id.is_empty() {
            return Err(ImportRefused::NoInstance);
        }
        let mut submission = Submission::new(id, version, Source::Csv)?;
        grid.fill(&self.schema.tables[0], &mut submission, row, None, self.exactness)?;
        Ok(submission)
    }

    fn rows(&mut self, table: usize, grid: &Grid<'_>) -> Result<(), CsvRefused> {
        let parent = grid.column(&PARENT_ID);
        let parent_column = parent.ok_or_else(|| CsvRefused::NoParentColumn { table: grid.name.to_owned() })?;
        let of = self.schema.tables[table].parent.unwrap_or_default();
        // Our own rows outside other rows name their record only.
        let record = grid.column(&["merestone/record"]);
        let mut counts: HashMap<usize, u32> = HashMap::new();
        for (at, row) in (2..).zip(&grid.rows) {
            let named = grid.cell(row, parent_column);
            let named = if named.is_empty() { record.map_or(named, |at| grid.cell(row, at)) } else { named };
            let Some((number, within)) = self.by_id.get(&(of, named.to_owned())).cloned() else {
                self.orphan(grid, row, at);
                continue;
            };
            let count = counts.entry(number).or_default();
            *count += 1;
            // Rows of one that is refused are known all the same: what stands in them is no orphan.
            let id = self.row(table, grid, row, (number, within.as_deref()), *count);
            if let Some(at) = grid.column(&OWN_ID) {
                self.by_id.insert((table, grid.cell(row, at).to_owned()), (number, id));
            }
        }
        Ok(())
    }

    /// Puts a row of a repeat, the `count`th of its submission, into the row that it stands in; gives its id, unless the
    /// submission is refused.
    fn row(
        &mut self,
        table: usize,
        grid: &Grid<'_>,
        row: &csv::StringRecord,
        (number, within): (usize, Option<&str>),
        count: u32,
    ) -> Option<String> {
        let Ok(submission) = &mut self.submissions[number] else { return None };
        let of = &self.schema.tables[table];
        let own = grid.column(&["merestone/row"]).map(|at| grid.cell(row, at)).filter(|own| is_row_id(own));
        let id = own.map_or_else(|| submission.row(&of.name, count), str::to_owned);
        let around = within.map(|within| (format!("{}/{id}/{WITHIN}", of.name), Value::Text(within.to_owned())));
        let said = around.map_or(Ok(()), |(key, within)| submission.say(key, within));
        match said.and_then(|()| grid.fill(of, submission, row, Some(&id), self.exactness)) {
            Ok(()) => Some(id),
            Err(refused) => {
                self.submissions[number] = Err(refused);
                None
            }
        }
    }

    /// A row whose parent is not there belongs to a submission that is not whole; if it says which, that one is refused.
    fn orphan(&mut self, grid: &Grid<'_>, row: &csv::StringRecord, at: u64) {
        let orphan = Orphan { table: grid.name.to_owned(), row: at };
        let root = grid.column(&["merestone/record", "_submission__uuid"]).map(|at| grid.cell(row, at).to_owned());
        match root.and_then(|root| self.by_id.get(&(0, root)).cloned()) {
            Some((number, _)) if self.submissions[number].is_ok() => self.submissions[number] = Err(orphan.into()),
            Some(_) => {}
            None => self.orphans.push(orphan),
        }
    }
}
