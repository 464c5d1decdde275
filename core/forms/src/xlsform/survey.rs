//! The sheet `survey`: rows to a tree of groups, repeats and questions.

mod selects;

use std::collections::{BTreeMap, BTreeSet};

use super::choices::{Lists, words};
use super::columns::{Line, Table};
use super::parameters;
use super::pending::{Pending, Role};
use super::types::{Plain, RowKind, own_constraint};
use crate::model::{
    GROUPS_DEPTH_MAX, Instance, Media, Metadata, Node, NodeIndex, NodeKind, Notice, QuestionKind, is_name, note,
};
use crate::refused::{FormRefused, Reason};

/// The group that holds what a form says about itself.
const META: &str = "meta";

/// Columns that are read.
const READ: &[&str] = &[
    "appearance",
    "autoplay",
    "calculation",
    "choice_filter",
    "constraint",
    "constraint_message",
    "default",
    "disabled",
    "guidance_hint",
    "hint",
    "label",
    "media::audio",
    "media::big-image",
    "media::image",
    "media::video",
    "name",
    "parameters",
    "read_only",
    "relevant",
    "repeat_count",
    "required",
    "required_message",
    "rows",
    "trigger",
    "type",
];

/// The tree as far as it was read.
pub(super) struct Tree<'l> {
    pub(super) nodes: Vec<Node>,
    /// Expressions that wait until every name is known.
    pub(super) pending: Vec<Pending>,
    pub(super) instances: BTreeMap<String, Instance>,
    pub(super) notices: Vec<Notice>,
    lists: &'l mut Lists,
    /// Groups and repeats that are not ended, the innermost last.
    open: Vec<NodeIndex>,
    /// Names in each group, to find two that are the same.
    names: BTreeSet<(NodeIndex, String)>,
    /// Where the row stands that asks for the times and places of answers, and its parameters.
    audit: Option<(usize, BTreeMap<String, String>)>,
}

/// Reads the sheet.
pub(super) fn read<'l>(table: &Table<'_>, root: &str, lists: &'l mut Lists) -> Result<Tree<'l>, FormRefused> {
    if !table.has("type") {
        return Err(FormRefused::at(&table.sheet.name, table.sheet.heading_row, "type", Reason::MissingColumn));
    }
    let form = Node::new(root, NodeKind::Group, None, 0);
    let (nodes, open) = (vec![form], vec![0]);
    let (pending, instances, notices, names) = (Vec::new(), BTreeMap::new(), Vec::new(), BTreeSet::new());
    let mut tree = Tree { nodes, pending, instances, notices, lists, open, names, audit: None };
    let is_passed_on = |name: &str| ["bind::", "body::", "control::", "instance::"].iter().any(|p| name.starts_with(p));
    table.look(|name| READ.contains(&name) || is_passed_on(name), &mut tree.notices)?;
    for line in table.rows() {
        tree.row(line)?;
    }
    tree.finish(table)?;
    Ok(tree)
}

impl Tree<'_> {
    fn row(&mut self, line: Line<'_>) -> Result<(), FormRefused> {
        let cell = line.cell("type");
        if matches!(line.cell("disabled").to_lowercase().as_str(), "yes" | "true" | "true()" | "1") {
            note(&mut self.notices, line.notice("disabled", "the row is disabled"));
            return Ok(());
        }
        if cell.is_empty() {
            // Rows with nothing but remarks are in many forms; one with a name has lost its type.
            if !line.cell("name").is_empty() {
                return Err(line.refused("type", Reason::Empty));
            }
            if line.cells().next().is_some() {
                note(&mut self.notices, line.notice("type", "a row without type and name is not used"));
            }
            return Ok(());
        }
        let kind = match RowKind::read(cell) {
            // `end` alone closes what is open; with a name it is the time of the end.
            Some(RowKind::Plain(Plain::Metadata(Metadata::End))) if line.cell("name").is_empty() => {
                return self.close(line, None);
            }
            Some(kind) => kind,
            None => return Err(line.refused("type", Reason::UnknownType(cell.to_owned()))),
        };
        match kind {
            RowKind::EndGroup => self.close(line, Some(false)),
            RowKind::EndRepeat => self.close(line, Some(true)),
            RowKind::BeginGroup => self.begin(line, NodeKind::Group),
            RowKind::BeginRepeat => {
                self.begin(line, NodeKind::Repeat { count: None })?;
                self.wait(line, "repeat_count", Role::Count);
                Ok(())
            }
            RowKind::Data { file } => {
                let name = self.name(line)?;
                self.instances.insert(name.clone(), Instance::Absent { file: format!("{name}.{file}") });
                Ok(())
            }
            RowKind::Plain(plain) => self.plain(line, plain),
            RowKind::SelectFromFile { how, file } => {
                let name = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem).to_owned();
                let is_geojson = file.to_lowercase().ends_with(".geojson");
                self.instances.insert(name.clone(), Instance::Absent { file });
                let usual = if is_geojson { ("id", "title") } else { ("name", "label") };
                self.select(line, how, name, usual)
            }
            RowKind::Select { how, list, or_other } => self.select_list(line, how, &list, or_other),
        }
    }

    fn plain(&mut self, line: Line<'_>, plain: Plain) -> Result<(), FormRefused> {
        if plain == Plain::Metadata(Metadata::Audit) {
            self.audit = Some((line.number(), parameters::read(line)?));
            return Ok(());
        }
        if plain == Plain::Unused {
            note(&mut self.notices, line.notice("type", "nothing is recorded for this type"));
        }
        self.push(line, NodeKind::Question(question(plain)))?;
        if let Some(own) = own_constraint(line.cell("type")).filter(|_| line.cell("constraint").is_empty()) {
            let pending = self.pending(line, "type", own, Role::Constraint);
            self.pending.push(pending);
        }
        if plain == Plain::Calculate && line.cell("calculation").is_empty() && line.cell("default").is_empty() {
            note(&mut self.notices, line.notice("calculation", "there is no calculation"));
        }
        Ok(())
    }

    fn begin(&mut self, line: Line<'_>, kind: NodeKind) -> Result<(), FormRefused> {
        if self.open.len() > GROUPS_DEPTH_MAX {
            return Err(line.refused("type", Reason::TooDeep));
        }
        self.push(line, kind)?;
        self.open.push(self.nodes.len() - 1);
        Ok(())
    }

    /// Ends the innermost group, or repeat, where the row says which.
    fn close(&mut self, line: Line<'_>, repeat: Option<bool>) -> Result<(), FormRefused> {
        let is_repeat = self.open.last().is_some_and(|open| matches!(self.nodes[*open].kind, NodeKind::Repeat { .. }));
        if self.open.len() < 2 || repeat.is_some_and(|repeat| repeat != is_repeat) {
            return Err(line.refused("type", Reason::Nesting));
        }
        self.open.pop();
        Ok(())
    }

    fn finish(&mut self, table: &Table<'_>) -> Result<(), FormRefused> {
        if let [_, .., open] = self.open.as_slice() {
            return Err(FormRefused::at(&table.sheet.name, self.nodes[*open].row, "type", Reason::Nesting));
        }
        if self.nodes.len() < 2 {
            return Err(FormRefused::at(&table.sheet.name, table.sheet.heading_row, "", Reason::MissingSheet));
        }
        Ok(())
    }

    /// What a form says about itself stands in a group of its own, the last (OpenRosa metadata).
    /// Gives the number of the question that says how a filled form is called, where there is one.
    pub(super) fn meta(&mut self, has_instance_id: bool, has_name: bool) -> Option<NodeIndex> {
        const NAME: &str = "instanceName";
        let device = QuestionKind::Metadata;
        let audit = self.audit.take().map(|(row, parameters)| ("audit", device(Metadata::Audit), row, parameters));
        let id = has_instance_id.then(|| ("instanceID", device(Metadata::InstanceId), 0, BTreeMap::new()));
        let called = has_name.then(|| (NAME, QuestionKind::Hidden, 0, BTreeMap::new()));
        let group = self.nodes.len();
        for (name, kind, row, parameters) in audit.into_iter().chain(id).chain(called) {
            if self.nodes.len() == group {
                self.nodes.push(Node::new(META, NodeKind::Group, Some(0), 0));
                self.nodes[0].children.push(group);
            }
            let index = self.nodes.len();
            self.nodes.push(Node { parameters, ..Node::new(name, NodeKind::Question(kind), Some(group), row) });
            self.nodes[group].children.push(index);
        }
        has_name.then(|| self.nodes.len() - 1)
    }

    /// A row's node, with everything that does not need other rows.
    fn push(&mut self, line: Line<'_>, kind: NodeKind) -> Result<(), FormRefused> {
        let name = match &kind {
            NodeKind::Question(QuestionKind::Note) if line.cell("name").is_empty() => {
                format!("generated_note_name_{}", line.number())
            }
            _ => self.name(line)?,
        };
        let mut node = Node::new(&name, kind, self.open.last().copied(), line.number());
        node.parameters = parameters::read(line)?;
        let mut media = Media::default();
        for (column, cell) in line.cells() {
            let text = match column.name.as_str() {
                "hint" => &mut node.hint,
                "guidance_hint" => &mut node.guidance,
                "constraint_message" => &mut node.constraint_message,
                "required_message" => &mut node.required_message,
                other => match words(other, &mut node.label, &mut media) {
                    Some(words) => words,
                    None => {
                        if other.contains("::") || matches!(other, "autoplay" | "rows") {
                            node.parameters.insert(column.heading.to_string(), cell.to_owned());
                        }
                        continue;
                    }
                },
            };
            text.set(column.language, cell.to_owned().into());
        }
        node.media = media;
        node.appearance = line.cell("appearance").to_owned();
        self.add(line, node)?;
        for (column, role) in [
            ("relevant", Role::Relevant),
            ("required", Role::Required),
            ("constraint", Role::Constraint),
            ("calculation", Role::Calculation),
            ("read_only", Role::ReadOnly),
            ("default", Role::Default),
        ] {
            self.wait(line, column, role);
        }
        for trigger in line.cell("trigger").split(',').map(str::trim).filter(|trigger| !trigger.is_empty()) {
            let pending = self.pending(line, "trigger", trigger, Role::Trigger);
            self.pending.push(pending);
        }
        Ok(())
    }

    fn add(&mut self, line: Line<'_>, node: Node) -> Result<(), FormRefused> {
        let (index, parent) = (self.nodes.len(), node.parent.unwrap_or_default());
        if !self.names.insert((parent, node.name.clone())) {
            return Err(line.refused("name", Reason::Repeated(node.name)));
        }
        self.nodes[parent].children.push(index);
        self.nodes.push(node);
        Ok(())
    }

    fn name(&self, line: Line<'_>) -> Result<String, FormRefused> {
        match line.cell("name") {
            "" => Err(line.refused("name", Reason::Empty)),
            META if self.open.len() == 1 => Err(line.refused("name", Reason::Reserved(META.to_owned()))),
            name if is_name(name) => Ok(name.to_owned()),
            name => Err(line.refused("name", Reason::NotAName(name.to_owned()))),
        }
    }

    /// Notes an expression of the node that was added last.
    fn wait(&mut self, line: Line<'_>, column: &str, role: Role) {
        let cell = line.cell(column);
        if !cell.is_empty() {
            let pending = self.pending(line, column, cell, role);
            self.pending.push(pending);
        }
    }

    fn pending(&self, line: Line<'_>, column: &str, text: &str, role: Role) -> Pending {
        let place = line.refused(column, Reason::Empty);
        Pending { node: self.nodes.len() - 1, place, text: text.to_owned(), role }
    }
}

fn question(plain: Plain) -> QuestionKind {
    match plain {
        Plain::Text => QuestionKind::Text,
        Plain::Integer => QuestionKind::Integer,
        Plain::Decimal => QuestionKind::Decimal,
        Plain::Range => QuestionKind::Range,
        Plain::Date => QuestionKind::Date,
        Plain::Time => QuestionKind::Time,
        Plain::DateTime => QuestionKind::DateTime,
        Plain::GeoPoint => QuestionKind::GeoPoint,
        Plain::GeoTrace => QuestionKind::GeoTrace,
        Plain::GeoShape => QuestionKind::GeoShape,
        Plain::Image => QuestionKind::Image,
        Plain::Audio => QuestionKind::Audio,
        Plain::Video => QuestionKind::Video,
        Plain::File => QuestionKind::File,
        Plain::Barcode => QuestionKind::Barcode,
        Plain::Note => QuestionKind::Note,
        Plain::Acknowledge => QuestionKind::Acknowledge,
        Plain::Calculate | Plain::Hidden | Plain::Unused => QuestionKind::Hidden,
        Plain::Metadata(metadata) => QuestionKind::Metadata(metadata),
    }
}

#[cfg(test)]
mod tests;
