//! A form that was read and can be filled: its [`Model`], the names of its answers in a record, and what depends on what.

pub(crate) mod graph;
pub(crate) mod names;

use std::collections::BTreeSet;

use merestone_core::form::{
    FormDefinition, LEAVES_MAX, Leaf, STANDARD_LEAVES, Shape, TITLE_BYTES_MAX, VERSION_BYTES_MAX,
};
use merestone_core::id::sha256;
use merestone_core::text::{Lines, tidy};

use crate::expr::{Documents, NodeId};
use crate::model::{Metadata, Model, Node, NodeIndex, NodeKind, QuestionKind};
use crate::reading::NamedFile;
use crate::refused::{FormRefused, Reason};
pub(crate) use graph::{Graph, Job, Reader};
pub use names::IMPORTED;
pub(crate) use names::{Names, WITHDRAWN, WITHIN};

/// A form that was read and can be filled.
#[derive(Debug)]
pub struct Form {
    model: Model,
    names: Names,
    graph: Graph,
    /// The document of the answers, with nothing in it, and the secondary instances that expressions look at.
    documents: Documents,
    /// The form's own element in the first of them.
    root: NodeId,
    source: [u8; 32],
}

impl Form {
    /// Reads a form, whatever kind of file it is in, with the files that it needs beside it.
    ///
    /// # Errors
    /// The first thing that is not understood, with its place.
    pub fn read(file: NamedFile<'_>, beside: &[NamedFile<'_>]) -> Result<Self, FormRefused> {
        Self::new(Model::read(file, beside)?, source(file, beside))
    }

    /// Reads a form from Markdown tables.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_tables(document: &str) -> Result<Self, FormRefused> {
        Self::read(NamedFile { name: "form.md", bytes: document.as_bytes() }, &[])
    }

    /// The form of a model; `source` is the SHA-256 of the file it was read from.
    ///
    /// # Errors
    /// If its calculations go in a circle, or its definition cannot be signed.
    pub fn new(model: Model, source: [u8; 32]) -> Result<Self, FormRefused> {
        let graph = Graph::new(&model)?;
        let (documents, root) = graph::documents(&model);
        let form = Self { names: Names::new(&model.nodes), documents, root, model, graph, source };
        form.definition()
            .encode()
            .map_err(|_| FormRefused::whole(Reason::too_much("questions and repeats", LEAVES_MAX)))?;
        Ok(form)
    }

    /// The kind of record it makes.
    pub fn id(&self) -> &str {
        &self.model.id
    }

    /// Its groups, questions, choices and texts.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The question that an answer's key (`question` or `repeat/rowid/question`) belongs to.
    pub fn question(&self, key: &str) -> Option<(NodeIndex, &QuestionKind)> {
        let node = self.names.question(key)?;
        match &self.model.nodes[node].kind {
            NodeKind::Question(kind) => Some((node, kind)),
            NodeKind::Group | NodeKind::Repeat { .. } => None,
        }
    }

    /// The name of a question or a repeat in a record: alone, or the last part of a key.
    pub fn name(&self, node: NodeIndex) -> &str {
        self.names.name(node)
    }

    /// The repeat that a question or group stands in, or that is itself one; `None` outside repeats.
    pub fn repeat_of(&self, node: NodeIndex) -> Option<NodeIndex> {
        Some(self.names.plane(node)).filter(|plane| *plane != 0)
    }

    /// Whether a question's answer follows from the others and is kept in no record: what is calculated, cannot be
    /// answered by people, and comes to the same on every device.
    pub fn is_derived(&self, node: NodeIndex) -> bool {
        self.graph.is_derived(node)
    }

    /// Whether a question can have an answer in a record. A record has an id of its own: the one that ODK gives it is
    /// there only where something in the form looks at it.
    pub fn has_answer(&self, node: NodeIndex) -> bool {
        match &self.model.nodes[node].kind {
            NodeKind::Question(QuestionKind::Note) => self.model.nodes[node].calculation.is_some(),
            NodeKind::Question(QuestionKind::Metadata(Metadata::InstanceId)) => !self.graph.readers(node).is_empty(),
            NodeKind::Question(_) => true,
            NodeKind::Group | NodeKind::Repeat { .. } => false,
        }
    }

    /// The signed definition: one leaf for each question outside repeats that can have an answer, one for each repeat, in
    /// the form's order, and last `withdrawn`, by which a record is withdrawn, and `imported`, which says where a record
    /// was taken over from.
    ///
    /// A question that is marked as one that a publication must disclose marks its leaf; in a repeat, that of the repeat.
    pub fn definition(&self) -> FormDefinition {
        let mut leaves = Vec::new();
        let mut must = Vec::new();
        let marked = self.model.nodes.iter().enumerate().filter(|(_, node)| node.must_be_disclosed());
        // A cell has no leaf of its own but that of its repeat.
        let leaf_of = |(index, _): (NodeIndex, &Node)| match self.names.plane(index) {
            0 => index,
            repeat => repeat,
        };
        let marked: BTreeSet<NodeIndex> = marked.map(leaf_of).collect();
        for (index, node) in self.model.nodes.iter().enumerate() {
            let shape = match &node.kind {
                NodeKind::Repeat { .. } => Shape::Repeat,
                NodeKind::Question(QuestionKind::Metadata(Metadata::Audit)) => Shape::Repeat,
                NodeKind::Question(_) if !self.has_answer(index) => continue,
                NodeKind::Question(_) if self.names.plane(index) == 0 => Shape::Answer,
                NodeKind::Question(_) | NodeKind::Group => continue,
            };
            let position = STANDARD_LEAVES + leaves.len() as u32;
            if marked.contains(&index) {
                must.push(position);
            }
            leaves.push(Leaf { name: self.names.name(index).to_owned(), shape });
        }
        leaves.push(Leaf { name: WITHDRAWN.to_owned(), shape: Shape::Answer });
        leaves.push(Leaf { name: IMPORTED.to_owned(), shape: Shape::Repeat });
        FormDefinition {
            kind: self.model.id.clone(),
            title: cut(&self.model.title, TITLE_BYTES_MAX),
            version: cut(&self.model.version, VERSION_BYTES_MAX),
            leaves,
            source: Some(self.source),
            must,
        }
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(crate) fn root(&self) -> NodeId {
        self.root
    }

    pub(crate) fn documents(&self) -> &Documents {
        &self.documents
    }
}

/// What a definition says of the files it was made from (`core/spec/forms.md` §Definition).
fn source(file: NamedFile<'_>, beside: &[NamedFile<'_>]) -> [u8; 32] {
    if beside.is_empty() {
        return sha256(&[file.bytes]);
    }
    let mut hashes: Vec<[u8; 32]> =
        beside.iter().map(|file| sha256(&[file.name.as_bytes(), &[0], file.bytes])).collect();
    hashes.sort_unstable();
    let own = sha256(&[file.bytes]);
    let parts: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
    sha256(&[&[&b"merestone/form-files/v1"[..], &own], &parts[..]].concat())
}

/// A text as it can be signed: one line, and cut where it is too long. The file that the definition names has the whole.
fn cut(text: &str, bytes_max: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = tidy(&line, Lines::One).into_owned();
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standard;
    use merestone_core::form::{Key, LeafTable};

    fn survey(rows: &[&str]) -> String {
        let rows: String = rows.iter().map(|row| format!("| | {row} |\n")).collect();
        format!(
            "| survey |\n| | type | name | label | relevant | calculation |\n{rows}\
             | settings |\n| | form_id | form_title | version |\n| | f | F | 1 |\n"
        )
    }

    fn leaves(rows: &[&str]) -> Vec<(String, Shape)> {
        let form = Form::read_tables(&survey(rows)).expect("a form of the test");
        form.definition().leaves.into_iter().map(|leaf| (leaf.name, leaf.shape)).collect()
    }

    #[test]
    fn standard_forms_read_and_fix_a_position_for_every_answer() {
        for document in standard::ALL {
            let form = Form::read_tables(document).expect("a form the project ships");
            let definition = form.definition();
            let encoded = definition.encode().expect("a definition that can be signed");
            assert_eq!(FormDefinition::decode(&encoded).as_ref(), Ok(&definition));
            let table = LeafTable::new(&definition);
            for (index, node) in form.model().nodes.iter().enumerate() {
                let NodeKind::Question(_) = &node.kind else { continue };
                let key = match form.repeat_of(index) {
                    Some(repeat) => format!("{}/0123456789abcdef/{}", form.name(repeat), form.name(index)),
                    None => form.name(index).to_owned(),
                };
                assert_eq!(form.question(&key).map(|(index, _)| index), Some(index), "{}: {key}", form.id());
                let parsed = Key::parse(&key).expect("a name");
                // A repeat has one leaf for all that stands in it.
                let has_leaf = form.has_answer(index) || form.repeat_of(index).is_some();
                assert_eq!(table.position(parsed).is_some(), has_leaf, "{}: {key}", form.id());
            }
        }
    }

    #[test]
    fn one_name_is_enough_until_two_groups_share_it() {
        let found = leaves(&[
            "begin_group | seen | S | | ",
            "text | who | A | | ",
            "text | when | A | | ",
            "end_group | | | | ",
            "begin_group | told | T | | ",
            "text | who | A | | ",
            "begin_group | more | M | | ",
            "text | who | A | | ",
            "end_group | | | | ",
            "end_group | | | | ",
            "text | withdrawn_ | A | | ",
        ]);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["seen.who", "when", "told.who", "more.who", "withdrawn_", "withdrawn", "imported"]);
    }

    #[test]
    fn a_repeat_has_one_leaf_wherever_it_stands_and_a_note_has_none() {
        let found = leaves(&[
            "note | hello | H | | ",
            "begin_repeat | house | H | | ",
            "text | roof | R | | ",
            "begin_repeat | person | P | | ",
            "text | name | N | | ",
            "end_repeat | | | | ",
            "end_repeat | | | | ",
            "text | name | N | | ",
        ]);
        let wanted = [
            ("house", Shape::Repeat),
            ("person", Shape::Repeat),
            ("name", Shape::Answer),
            ("withdrawn", Shape::Answer),
            ("imported", Shape::Repeat),
        ];
        assert_eq!(found, wanted.map(|(name, shape)| (name.to_owned(), shape)));
    }

    #[test]
    fn calculations_in_a_circle_are_refused_with_the_names_along_it() {
        let rows = ["calculate | a | | | ${b} + 1", "calculate | b | | | ${c} + 1", "calculate | c | | | ${a} + 1"];
        let refused = Form::read_tables(&survey(&rows)).expect_err("a circle");
        let Reason::Circle(names) = &refused.reason else { panic!("{refused}") };
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(refused.row > 0 && refused.sheet == "survey", "{refused}");
        let rows = ["calculate | a | | | ${a} + 1"];
        assert!(matches!(
            Form::read_tables(&survey(&rows)).map(drop),
            Err(FormRefused { reason: Reason::Circle(_), .. })
        ));
    }
}
