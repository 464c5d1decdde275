//! The primary instance: the names of groups, repeats and questions, and what they hold at the beginning.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use roxmltree::Node as Xml;

use super::source::{Source, attribute, elements};
use crate::model::{
    GROUPS_DEPTH_MAX, Instance, Metadata, Node, NodeIndex, NodeKind, Notice, Preset as Answer, QuestionKind, is_name,
    note,
};
use crate::refused::{FormRefused, Reason};

/// The tree, and what the other parts of a form add to it.
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// What is known of each node until its kind is, in the same order.
    pub(super) facts: Vec<Facts>,
    pub(super) instances: BTreeMap<String, Instance>,
    pub(super) notices: Vec<Notice>,
    /// Nodes by their paths, without prefixes.
    by_path: HashMap<String, NodeIndex>,
}

/// What is known of a node until its kind is.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Its path, without prefixes.
    pub(super) path: String,
    /// `type` of its bind.
    pub(super) kind: String,
    /// What the device fills it with.
    pub(super) metadata: Option<Metadata>,
    /// Whether something in the body asks it.
    pub(super) is_asked: bool,
    /// Whether other elements stand in it.
    pub(super) is_group: bool,
}

impl Tree {
    /// Reads the instance; what stands at the paths `repeats` is a repeat.
    pub(super) fn read(
        source: &Source<'_>,
        primary: Xml<'_, '_>,
        repeats: &BTreeSet<String>,
        notices: Vec<Notice>,
    ) -> Result<Self, FormRefused> {
        let (nodes, facts) = (Vec::new(), Vec::new());
        let mut tree = Self { nodes, facts, instances: BTreeMap::new(), notices, by_path: HashMap::new() };
        tree.add(source, primary, None, repeats, 0)?;
        if tree.nodes.len() < 2 {
            return Err(source.refused(primary, "", Reason::MissingSheet));
        }
        Ok(tree)
    }

    fn add(
        &mut self,
        source: &Source<'_>,
        element: Xml<'_, '_>,
        parent: Option<NodeIndex>,
        repeats: &BTreeSet<String>,
        depth: usize,
    ) -> Result<(), FormRefused> {
        let name = source.name(element);
        if depth > GROUPS_DEPTH_MAX {
            return Err(source.refused(element, "", Reason::TooDeep));
        }
        if !is_name(name) {
            return Err(source.refused(element, "", Reason::NotAName(name.to_owned())));
        }
        let local = element.tag_name().name();
        let above = parent.map_or("", |parent| self.facts[parent].path.as_str());
        let path = format!("{above}/{local}");
        let (index, is_repeat) = (self.nodes.len(), repeats.contains(&path));
        let is_group = is_repeat || parent.is_none() || elements(element).next().is_some();
        let kind = match (is_repeat, is_group) {
            (true, _) => NodeKind::Repeat { count: None },
            (false, true) => NodeKind::Group,
            (false, false) => NodeKind::Question(QuestionKind::Hidden),
        };
        let mut node = Node::new(name, kind, parent, source.row(element));
        if !is_group {
            let text = element.text().unwrap_or_default().trim();
            node.default = (!text.is_empty()).then(|| Answer::Text(text.to_owned()));
        }
        if let Some(parent) = parent {
            self.nodes[parent].children.push(index);
        }
        self.nodes.push(node);
        self.facts.push(Facts { path: path.clone(), is_group, ..Facts::default() });
        self.by_path.insert(path.clone(), index);
        for child in chosen(element) {
            let (child, others) = child;
            let below = format!("{path}/{}", child.tag_name().name());
            if !others.is_empty() && !repeats.contains(&below) {
                return Err(source.refused(others[0], "", Reason::Repeated(source.name(child).to_owned())));
            }
            // A template and one row like it are what every converter writes.
            if others.len() > 1 {
                note(&mut self.notices, source.notice(others[1], "", "a repeat begins with one row, not with several"));
            }
            self.add(source, child, Some(index), repeats, depth + 1)?;
        }
        Ok(())
    }

    /// The node at a path that was resolved.
    pub(super) fn at(&self, path: &str) -> Option<NodeIndex> {
        self.by_path.get(path).copied()
    }

    /// The tree with the kinds of all nodes.
    pub(super) fn finish(mut self) -> Self {
        for (node, facts) in self.nodes.iter_mut().zip(&self.facts) {
            if let (false, NodeKind::Question(kind)) = (facts.is_asked, &mut node.kind)
                && let Some(metadata) = facts.metadata
            {
                *kind = QuestionKind::Metadata(metadata);
            }
        }
        self
    }
}

/// The elements in an element, each name once: the template of a repeat where there is one, otherwise the first; and
/// the others of its name.
fn chosen<'a, 'x: 'a>(element: Xml<'a, 'x>) -> Vec<(Xml<'a, 'x>, Vec<Xml<'a, 'x>>)> {
    let mut chosen: Vec<(Xml<'a, 'x>, Vec<Xml<'a, 'x>>)> = Vec::new();
    let mut at: HashMap<&str, usize> = HashMap::new();
    for child in elements(element) {
        let name = child.tag_name().name();
        match at.get(name).and_then(|at| chosen.get_mut(*at)) {
            Some((first, others)) if attribute(child, "template").is_some() => {
                others.push(std::mem::replace(first, child));
            }
            Some((_, others)) => others.push(child),
            None => {
                at.insert(name, chosen.len());
                chosen.push((child, Vec::new()));
            }
        }
    }
    chosen
}
