//! A form as exchange formats see it: tables with columns, and where each stands in an XML instance.

use std::collections::HashMap;

use merestone_forms::Form;
use merestone_forms::model::{Metadata, Model, NodeIndex, NodeKind, QuestionKind};

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
    /// The tables of a form that a device holds.
    pub fn of_form(form: &Form) -> Self {
        let (kind, title, version) = (form.id.clone(), form.title.clone(), form.version.clone());
        let root = Table::new(String::new(), None, Vec::new());
        let mut schema = Self { root: kind.clone(), kind, title, version, tables: vec![root] };
        for question in form.questions() {
            let table = question.repeat.as_ref().map_or(0, |repeat| schema.repeat(repeat));
            let kind = match question.kind {
                merestone_forms::QuestionKind::Integer => ColumnKind::Integer,
                merestone_forms::QuestionKind::Image => ColumnKind::Photo,
                merestone_forms::QuestionKind::Text
                | merestone_forms::QuestionKind::Date
                | merestone_forms::QuestionKind::SelectOne(_) => ColumnKind::Text,
            };
            let table = &mut schema.tables[table];
            table.order.push(Next::Column(table.columns.len()));
            table.columns.push(Column { name: question.name.clone(), path: vec![question.name.clone()], kind });
        }
        schema
    }

    fn repeat(&mut self, name: &str) -> usize {
        if let Some(known) = self.tables.iter().position(|table| table.name == name) {
            return known;
        }
        let repeat = self.tables.len();
        self.tables.push(Table::new(name.to_owned(), Some(0), vec![name.to_owned()]));
        self.tables[0].order.push(Next::Repeat(repeat));
        repeat
    }

    /// The tables of a form.
    pub fn of(model: &Model) -> Self {
        let mut schema = Self {
            kind: model.id.clone(),
            title: model.title.clone(),
            version: model.version.clone(),
            root: model.root.clone(),
            tables: vec![Table::new(String::new(), None, Vec::new())],
        };
        let names = Names::of(model);
        schema.walk(model, &names, 0, 0, &mut Vec::new());
        schema
    }

    /// The table and the column that an answer's key belongs to; none if the form does not ask it.
    pub fn column(&self, table: &str, name: &str) -> Option<(usize, usize)> {
        let table = self.tables.iter().position(|one| one.name == table)?;
        let column = self.tables[table].columns.iter().position(|column| column.name == name)?;
        Some((table, column))
    }

    fn walk(&mut self, model: &Model, names: &Names, node: NodeIndex, table: usize, path: &mut Vec<String>) {
        for &child in &model.nodes[node].children {
            let found = &model.nodes[child];
            path.push(found.name.clone());
            match &found.kind {
                NodeKind::Group => self.walk(model, names, child, table, path),
                NodeKind::Repeat { .. } => {
                    let repeat = self.tables.len();
                    self.tables.push(Table::new(names.of_node(child), Some(table), path.clone()));
                    self.tables[table].order.push(Next::Repeat(repeat));
                    self.walk(model, names, child, repeat, &mut Vec::new());
                }
                // What names a filled form among others is no answer of it.
                NodeKind::Question(QuestionKind::Metadata(Metadata::InstanceId)) => {}
                NodeKind::Question(kind) => {
                    let (name, kind) = (names.of_node(child), ColumnKind::of(kind));
                    let next = Next::Column(self.tables[table].columns.len());
                    self.tables[table].order.push(next);
                    self.tables[table].columns.push(Column { name, path: path.clone(), kind });
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

    /// The columns that hold answers, with their numbers.
    pub(crate) fn asked(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.iter().enumerate().filter(|(_, column)| column.kind != ColumnKind::Note)
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
            QuestionKind::Metadata(Metadata::Audit) => Self::File,
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

/// What each node is called in keys: its own name, or with its groups in front where that name stands twice.
struct Names(HashMap<NodeIndex, String>);

impl Names {
    fn of(model: &Model) -> Self {
        // Questions outside repeats and all repeats share one space of names; the questions of a repeat have their own.
        let mut counts: HashMap<(NodeIndex, &str), usize> = HashMap::new();
        let named = |index: &NodeIndex| !matches!(model.nodes[*index].kind, NodeKind::Group) && *index > 0;
        let space = |index: NodeIndex| match model.nodes[index].kind {
            NodeKind::Repeat { .. } => 0,
            _ => repeat_around(model, index),
        };
        let all: Vec<NodeIndex> = (0..model.nodes.len()).filter(named).collect();
        for &index in &all {
            *counts.entry((space(index), model.nodes[index].name.as_str())).or_default() += 1;
        }
        let name = |index: NodeIndex| {
            let own = model.nodes[index].name.as_str();
            if counts.get(&(space(index), own)) == Some(&1) { own.to_owned() } else { with_groups(model, index) }
        };
        Self(all.iter().map(|&index| (index, name(index))).collect())
    }

    fn of_node(&self, node: NodeIndex) -> String {
        self.0.get(&node).cloned().unwrap_or_default()
    }
}

/// The repeat in which a node stands; 0, the form itself, if in none.
fn repeat_around(model: &Model, node: NodeIndex) -> NodeIndex {
    let mut at = model.nodes[node].parent;
    while let Some(index) = at {
        if matches!(model.nodes[index].kind, NodeKind::Repeat { .. }) {
            return index;
        }
        at = model.nodes[index].parent;
    }
    0
}

fn with_groups(model: &Model, node: NodeIndex) -> String {
    let mut name = model.nodes[node].name.clone();
    let mut at = model.nodes[node].parent;
    while let Some(index) = at.filter(|&index| index > 0) {
        if matches!(model.nodes[index].kind, NodeKind::Repeat { .. })
            && !matches!(model.nodes[node].kind, NodeKind::Repeat { .. })
        {
            break;
        }
        name = format!("{}.{name}", model.nodes[index].name);
        at = model.nodes[index].parent;
    }
    name
}
