//! A form as exchange formats see it: tables with columns, and where each stands in an XML instance.

use std::collections::BTreeSet;

use merestone_forms::Form;
use merestone_forms::model::{Metadata, NodeIndex, NodeKind, QuestionKind};

use crate::record::{Record, Value};

/// A form as tables: the record itself, and one table for each repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The form's id, which is the kind of its records.
    pub kind: String,
    /// Its title for people.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The name of the root element in XML.
    pub root: String,
    /// The tables: first the record itself, then repeats in the form's order, each after the one that it stands in.
    pub tables: Vec<Table>,
}

/// The questions outside repeats, or those of one repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The repeat's name in keys; empty for the record itself.
    pub name: String,
    /// The table in which this repeat stands; none for the record itself.
    pub parent: Option<usize>,
    /// The elements from a row of the parent to this repeat, its own last; none for the record itself.
    pub path: Vec<String>,
    /// The columns, in the form's order.
    pub columns: Vec<Column>,
    /// Columns and repeats as they follow each other in an instance.
    pub(crate) order: Vec<Next>,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in keys.
    pub name: String,
    /// The elements from the row to it, its own last.
    pub path: Vec<String>,
    /// What its answers are.
    pub kind: ColumnKind,
    /// Whether several choices can be its answer, separated by blanks: then Kobo has a column for each of them too.
    pub(crate) is_several: bool,
    /// Whether its answer follows from the others ([`Form::is_derived`]): what a record holds there all the same was
    /// calculated when it was taken over.
    pub is_derived: bool,
}

/// What the answers of a column are, as far as exchange formats treat them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Any text, dates and choices included.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Decimal,
    /// `latitude longitude [altitude [accuracy]]`.
    GeoPoint,
    /// Points along a way, separated by `;`.
    GeoTrace,
    /// Points around an area, separated by `;`.
    GeoShape,
    /// A photo.
    Photo,
    /// A file that is no photo.
    File,
    /// The trail of the filling (paradata), which is kept in rows and has no column in tables.
    Trail,
    /// A text of the form that asks nothing and has no column in tables.
    Note,
}

/// What follows in an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The column of this number.
    Column(usize),
    /// The rows of the table of this number.
    Repeat(usize),
}

/// The parent's row, in a repeat that stands in another.
pub(crate) const WITHIN: &str = "within";

impl Schema {
    /// The tables of a form.
    pub fn of(form: &Form) -> Self {
        let model = form.model();
        let mut schema = Self {
            kind: model.id.clone(),
            title: model.title.clone(),
            version: model.version.clone(),
            root: model.root.clone(),
            tables: vec![Table::new(String::new(), None, Vec::new())],
        };
        schema.walk(form, 0, 0, &mut Vec::new());
        schema
    }

    /// The table and the column that an answer's key belongs to; none if the form does not ask it.
    pub fn column(&self, table: &str, name: &str) -> Option<(usize, usize)> {
        let table = self.tables.iter().position(|one| one.name == table)?;
        let column = self.tables[table].columns.iter().position(|column| column.name == name)?;
        Some((table, column))
    }

    /// The rows of a repeat in a record, ascending: those that a key names, and those in which another row says it stands.
    pub(crate) fn rows(&self, table: usize, record: &Record) -> BTreeSet<String> {
        let mut rows: BTreeSet<String> = record.rows(&self.tables[table].name).map(str::to_owned).collect();
        for inner in self.tables.iter().filter(|inner| inner.parent == Some(table)) {
            for row in record.rows(&inner.name) {
                if let Some(Value::Text(around)) = record.value(&format!("{}/{row}/{WITHIN}", inner.name)) {
                    rows.insert(around.clone());
                }
            }
        }
        rows
    }

    fn walk(&mut self, form: &Form, node: NodeIndex, table: usize, path: &mut Vec<String>) {
        let nodes = &form.model().nodes;
        for &child in &nodes[node].children {
            let found = &nodes[child];
            // Some forms write what an instance says about itself with a prefix; it is a name of theirs for the namespace.
            path.push(found.name.rsplit(':').next().unwrap_or_default().to_owned());
            match &found.kind {
                NodeKind::Group => self.walk(form, child, table, path),
                NodeKind::Repeat { .. } => {
                    let repeat = self.tables.len();
                    self.tables.push(Table::new(form.name(child).to_owned(), Some(table), path.clone()));
                    self.tables[table].order.push(Next::Repeat(repeat));
                    self.walk(form, child, repeat, &mut Vec::new());
                }
                // What names a filled form among others is no answer of it.
                NodeKind::Question(QuestionKind::Metadata(Metadata::InstanceId)) => {}
                NodeKind::Question(_) if table == 0 && path[..] == ["meta", "instanceID"] => {}
                NodeKind::Question(kind) => {
                    let is_several = matches!(kind, QuestionKind::SelectMultiple(_) | QuestionKind::Rank(_));
                    let (name, kind) = (form.name(child).to_owned(), ColumnKind::of(kind));
                    let next = Next::Column(self.tables[table].columns.len());
                    self.tables[table].order.push(next);
                    self.tables[table].columns.push(Column {
                        name,
                        path: path.clone(),
                        kind,
                        is_several,
                        is_derived: form.is_derived(child),
                    });
                }
            }
            path.pop();
        }
    }
}

impl Table {
    fn new(name: String, parent: Option<usize>, path: Vec<String>) -> Self {
        Self { name, parent, path, columns: Vec::new(), order: Vec::new() }
    }

    /// Whether an element that the form does not ask can stand at this path of a row: it is no question, group or repeat, and
    /// in no question or repeat. A note asks nothing; what a client put there is kept beside it.
    pub(crate) fn is_free(&self, schema: &Schema, path: &[&str]) -> bool {
        self.order.iter().all(|next| {
            let (known, is_note) = match *next {
                Next::Column(column) => (&self.columns[column].path, self.columns[column].kind == ColumnKind::Note),
                Next::Repeat(repeat) => (&schema.tables[repeat].path, false),
            };
            let shared = known.iter().zip(path).take_while(|(known, name)| known == name).count();
            let is_same = shared == known.len() && shared == path.len();
            (shared < known.len() && shared < path.len()) || (is_note && is_same)
        })
    }

    /// The columns that tables have, with their numbers.
    pub(crate) fn asked(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns
            .iter()
            .enumerate()
            .filter(|(_, column)| !matches!(column.kind, ColumnKind::Note | ColumnKind::Trail))
    }
}

impl ColumnKind {
    fn of(kind: &QuestionKind) -> Self {
        match kind {
            QuestionKind::Integer => Self::Integer,
            QuestionKind::Decimal | QuestionKind::Range => Self::Decimal,
            QuestionKind::GeoPoint | QuestionKind::Metadata(Metadata::StartPlace) => Self::GeoPoint,
            QuestionKind::GeoTrace => Self::GeoTrace,
            QuestionKind::GeoShape => Self::GeoShape,
            QuestionKind::Image => Self::Photo,
            QuestionKind::Audio | QuestionKind::Video | QuestionKind::File => Self::File,
            QuestionKind::Metadata(Metadata::Audit) => Self::Trail,
            QuestionKind::Note => Self::Note,
            QuestionKind::Text
            | QuestionKind::Date
            | QuestionKind::Time
            | QuestionKind::DateTime
            | QuestionKind::SelectOne(_)
            | QuestionKind::SelectMultiple(_)
            | QuestionKind::Rank(_)
            | QuestionKind::Barcode
            | QuestionKind::Acknowledge
            | QuestionKind::Hidden
            | QuestionKind::Metadata(_) => Self::Text,
        }
    }
}
