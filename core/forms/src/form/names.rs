//! The names under which a record keeps the answers to a form (`core/spec/forms.md` §Names).

use std::collections::{BTreeMap, HashMap};

use data_encoding::HEXLOWER;
use merestone_core::form::{Key, NAME_BYTES_MAX, is_question};
use merestone_core::id::sha256;

use crate::model::{Model, Node, NodeIndex, NodeKind};

/// The name by which a record or a row is withdrawn.
pub(crate) const WITHDRAWN: &str = "withdrawn";
/// The repeat that marks a record as taken over from another system, and keeps what the form has no question for. Every
/// form has it, so that its cells have a leaf like any answer (`core/spec/exchange.md`).
pub const IMPORTED: &str = "imported";

/// Whether a name means something in every record, so that no question and no repeat is kept under it.
fn is_reserved(name: &str) -> bool {
    name == WITHDRAWN || name == IMPORTED
}

/// The name under which a row says in which row of the repeat around it it stands.
pub(crate) const WITHIN: &str = "within";

/// Each node's name in a record, and the way back.
///
/// A *plane* is what exists once for each row of a repeat, or once for the form: its number is that of the repeat's node,
/// and 0 for the form.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// The plane each node is in; a repeat is in its own.
    planes: Vec<NodeIndex>,
    /// The nodes of each plane, in order.
    members: BTreeMap<NodeIndex, Vec<NodeIndex>>,
    /// The name of each question and repeat; of a question in a repeat it is the last part of its key.
    names: Vec<String>,
    questions: HashMap<(NodeIndex, String), NodeIndex>,
    repeats: HashMap<String, NodeIndex>,
    /// The repeats directly in each plane, in order.
    inner: BTreeMap<NodeIndex, Vec<NodeIndex>>,
}

impl Names {
    pub(crate) fn new(nodes: &[Node]) -> Self {
        let mut planes: Vec<NodeIndex> = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            let above = node.parent.and_then(|parent| planes.get(parent).copied()).unwrap_or_default();
            planes.push(if is_repeat(node) { index } else { above });
        }
        let mut members: BTreeMap<NodeIndex, Vec<NodeIndex>> = BTreeMap::new();
        for (node, plane) in planes.iter().enumerate() {
            members.entry(*plane).or_default().push(node);
        }
        let mut inner: BTreeMap<NodeIndex, Vec<NodeIndex>> = BTreeMap::new();
        for (index, node) in nodes.iter().enumerate().filter(|(_, node)| is_repeat(node)) {
            let around = node.parent.and_then(|parent| planes.get(parent).copied()).unwrap_or_default();
            inner.entry(around).or_default().push(index);
        }
        let (questions, repeats) = Default::default();
        let mut named = Self { names: vec![String::new(); nodes.len()], questions, repeats, planes, members, inner };
        let mut spaces: BTreeMap<NodeIndex, Vec<NodeIndex>> = BTreeMap::new();
        for (index, node) in nodes.iter().enumerate().skip(1) {
            match node.kind {
                NodeKind::Group => {}
                // Repeats are told apart by name in the whole form, beside the questions outside repeats.
                NodeKind::Repeat { .. } => spaces.entry(0).or_default().push(index),
                NodeKind::Question(_) => spaces.entry(named.planes[index]).or_default().push(index),
            }
        }
        for (plane, members) in spaces {
            for (index, name) in told_apart(nodes, plane, &members) {
                if is_repeat(&nodes[index]) {
                    named.repeats.insert(name.clone(), index);
                } else {
                    named.questions.insert((plane, name.clone()), index);
                }
                named.names[index] = name;
            }
        }
        named
    }

    /// The plane a node is in.
    pub(crate) fn plane(&self, node: NodeIndex) -> NodeIndex {
        self.planes[node]
    }

    /// The nodes of a plane, in order.
    pub(crate) fn members(&self, plane: NodeIndex) -> &[NodeIndex] {
        self.members.get(&plane).map_or(&[], Vec::as_slice)
    }

    /// The repeats directly in a plane, in order.
    pub(crate) fn repeats_in(&self, plane: NodeIndex) -> &[NodeIndex] {
        self.inner.get(&plane).map_or(&[], Vec::as_slice)
    }

    /// The name of a question or repeat.
    pub(crate) fn name(&self, node: NodeIndex) -> &str {
        &self.names[node]
    }

    /// The question that a key belongs to.
    pub(crate) fn question(&self, key: &str) -> Option<NodeIndex> {
        let (plane, name) = match Key::parse(key)? {
            Key::Answer { question } => (0, question),
            Key::Cell { repeat, row: _, question } => (self.repeat(repeat)?, question),
        };
        self.questions.get(&(plane, name.to_owned())).copied()
    }

    /// The repeat of this name.
    pub(crate) fn repeat(&self, name: &str) -> Option<NodeIndex> {
        self.repeats.get(name).copied()
    }
}

impl Model {
    /// The name of each node in a record: of a question or repeat; nothing of groups, which are in no record.
    pub fn names(&self) -> Vec<String> {
        Names::new(&self.nodes).names
    }
}

pub(crate) fn is_repeat(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Repeat { .. })
}

/// Names for the members of one plane: their own where nobody else has it, otherwise with the names of the groups around
/// them in front, as many as it takes.
fn told_apart(nodes: &[Node], plane: NodeIndex, members: &[NodeIndex]) -> Vec<(NodeIndex, String)> {
    let mut levels: BTreeMap<NodeIndex, usize> = members.iter().map(|member| (*member, 0)).collect();
    loop {
        let mut by_name: BTreeMap<String, Vec<NodeIndex>> = BTreeMap::new();
        for (member, level) in &levels {
            by_name.entry(qualified(nodes, plane, *member, *level)).or_default().push(*member);
        }
        let mut is_settled = true;
        for (name, holders) in &by_name {
            let is_free = !is_reserved(name) && (plane == 0 || name != WITHIN);
            if is_free && holders.len() == 1 {
                continue;
            }
            for holder in holders {
                let level = levels.entry(*holder).or_default();
                // Above the form itself no group is left; siblings differ in name, so that only reserved names end here.
                if *level <= depth(nodes, *holder) {
                    *level += 1;
                    is_settled = false;
                }
            }
        }
        if is_settled {
            return by_name
                .into_iter()
                .flat_map(|(name, holders)| holders.into_iter().map(move |one| (one, name.clone())))
                .collect();
        }
    }
}

/// A node's name with those of `level` groups around it in front; one level above the outermost, a `_`.
fn qualified(nodes: &[Node], plane: NodeIndex, node: NodeIndex, level: usize) -> String {
    let mut parts = vec![nodes[node].name.as_str()];
    let mut above = nodes[node].parent.filter(|parent| *parent != 0);
    for _ in 0..level {
        match above {
            Some(group) => {
                parts.push(&nodes[group].name);
                above = nodes[group].parent.filter(|parent| *parent != 0 && group != plane);
            }
            None => {
                parts.push("_");
                break;
            }
        }
    }
    parts.reverse();
    as_name(&parts.join("."))
}

fn depth(nodes: &[Node], node: NodeIndex) -> usize {
    std::iter::successors(Some(node), |node| nodes[*node].parent).count()
}

/// Names of XForms may hold any letters and be of any length. Those that records cannot keep end in a part of their hash.
fn as_name(name: &str) -> String {
    const HASH_BYTES: usize = 6;
    if is_question(name) {
        return name.to_owned();
    }
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let kept = name.chars().map(|c| if is_inner(c) { c } else { '_' });
    let kept: String = std::iter::once('_').chain(kept).take(NAME_BYTES_MAX - 2 * HASH_BYTES - 1).collect();
    format!("{kept}-{}", HEXLOWER.encode(&sha256(&[name.as_bytes()])[..HASH_BYTES]))
}
