//! Submissions from CSV: the tables of ODK Central and Briefcase, of Kobo, and our own.
//!
//! A CSV cannot tell a blank answer from a question that was not asked: an empty cell says nothing here, except in our own
//! tables, which name what was left blank. In these, the apostrophe that [`neutralise`](crate::guard::neutralise) put in
//! front of a text is taken away again; in those of others it belongs to the text.

mod grid;

use std::collections::{BTreeMap, HashMap};

use super::refused::ImportRefused;
use super::submission::{Exactness, Source, Submission, is_row_id};
use crate::record::Value;
use crate::schema::{Schema, Table, WITHIN};
use grid::{CELLS_MAX, COLUMNS_MAX, Grid, ROWS_MAX, Row};

/// Largest table, in bytes: a table is read whole, since the rows of repeats stand in other tables, and with what is made of
/// it takes some ten times as much memory. 10,000 submissions of 100 questions have about 10 MB.
pub const TABLE_BYTES_MAX: usize = 64 << 20;
/// Headings under which the instance id of a row stands: ours, ODK's, Kobo's.
const INSTANCE: [&str; 6] = ["merestone/instance", "KEY", "meta-instanceID", "meta/instanceID", "instanceID", "_uuid"];
/// Headings by which other tables name a row.
const OWN_ID: [&str; 4] = ["merestone/row", "KEY", "_index", "merestone/record"];
/// Headings under which a row of a repeat names the row that it stands in.
const PARENT_ID: [&str; 4] = ["merestone/parent_row", "PARENT_KEY", "_parent_index", "merestone/record"];

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
    #[error(
        "table {table} has more than {TABLE_BYTES_MAX} bytes, {ROWS_MAX} rows, {COLUMNS_MAX} columns or {CELLS_MAX} cells"
    )]
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
    let names: Vec<&str> = repeats.iter().map(|repeat| repeat.name).collect();
    let of_table: BTreeMap<usize, NamedCsv<'_>> =
        csv_repeats(schema, main.name, &names)?.into_iter().zip(repeats.iter().copied()).collect();
    for (table, csv) in of_table {
        taken.rows(table, &Grid::read(schema, table, csv)?)?;
    }
    Ok(CsvRead { submissions: taken.submissions, orphans: taken.orphans })
}

/// The tables of the form, by number, whose rows the files with these names hold, beside a table of records named `main`.
/// The names alone say it, so that a caller knows before it reads any of them.
///
/// # Errors
/// [`CsvRefused::NoSuchRepeat`] and [`CsvRefused::RepeatTwice`].
pub fn csv_repeats(schema: &Schema, main: &str, names: &[&str]) -> Result<Vec<usize>, CsvRefused> {
    let mut tables: Vec<usize> = Vec::new();
    for &name in names {
        let refused = || CsvRefused::NoSuchRepeat { table: name.to_owned(), form: schema.kind.clone() };
        let table = repeat_of(schema, main, name).ok_or_else(refused)?;
        if let Some(at) = tables.iter().position(|other| *other == table) {
            let repeat = schema.tables[table].name.clone();
            return Err(CsvRefused::RepeatTwice { repeat, table: name.to_owned(), other: names[at].to_owned() });
        }
        tables.push(table);
    }
    Ok(tables)
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
        let is_bare = grid.column(&["_uuid"]) == Some(instance);
        let version = grid.column(&VERSION);
        let own: Vec<usize> = OWN_ID.iter().filter_map(|heading| grid.column(&[*heading])).collect();
        for row in &grid.rows {
            let number = self.submissions.len();
            let id = grid.cell(row, instance);
            // Kobo writes the id without the scheme that its own XML has.
            let id = if is_bare && !id.is_empty() { format!("uuid:{id}") } else { id.to_owned() };
            let version = version.map(|at| grid.cell(row, at));
            let read = self.record(grid, row, &id, version);
            self.submissions.push(read);
            for at in &own {
                self.by_id.insert((0, grid.cell(row, *at).to_owned()), (number, None));
            }
        }
        Ok(())
    }

    fn record(&self, grid: &Grid<'_>, row: &Row, id: &str, version: Option<&str>) -> Result<Submission, ImportRefused> {
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
        row: &Row,
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
    fn orphan(&mut self, grid: &Grid<'_>, row: &Row, at: u64) {
        let orphan = Orphan { table: grid.name.to_owned(), row: at };
        let root = grid.column(&["merestone/record", "_submission__uuid"]).map(|at| grid.cell(row, at).to_owned());
        match root.and_then(|root| self.by_id.get(&(0, root)).cloned()) {
            Some((number, _)) if self.submissions[number].is_ok() => self.submissions[number] = Err(orphan.into()),
            Some(_) => {}
            None => self.orphans.push(orphan),
        }
    }
}
