//! `${name}` in expressions and texts, to the path of the question.

use std::collections::{BTreeMap, HashMap};

use crate::model::{Formula, Node, NodeIndex, NodeKind, Output, Text, Words};
use crate::refused::Reason;

/// The instance that holds what was answered last; its paths are those of the form.
pub(crate) const LAST_SAVED: &str = "__last-saved";
/// What begins a reference to the answers that were saved last.
const LAST_SAVED_MARK: &str = "last-saved#";

/// The paths of all questions by name; a name that several have leads to the one that the expression stands in.
pub(super) struct Paths {
    paths: Vec<String>,
    parents: Vec<Option<NodeIndex>>,
    repeats: Vec<bool>,
    by_name: HashMap<String, Vec<NodeIndex>>,
}

impl Paths {
    /// Of the nodes of a form, whose first is the form itself.
    pub(super) fn new(nodes: &[Node]) -> Self {
        let mut paths: Vec<String> = Vec::with_capacity(nodes.len());
        let mut by_name: HashMap<String, Vec<NodeIndex>> = HashMap::new();
        for (index, node) in nodes.iter().enumerate() {
            let above = node.parent.and_then(|parent| paths.get(parent)).map_or("", String::as_str);
            paths.push(format!("{above}/{}", node.name));
            by_name.entry(node.name.clone()).or_default().push(index);
        }
        let parents = nodes.iter().map(|node| node.parent).collect();
        let repeats = nodes.iter().map(|node| matches!(node.kind, NodeKind::Repeat { .. })).collect();
        Self { paths, parents, repeats, by_name }
    }

    /// The expression with paths, parsed.
    pub(super) fn formula(&self, text: &str) -> Result<Formula, Reason> {
        Formula::parse(&self.resolved(text)?).map_err(Reason::Expression)
    }

    /// The text with a path for each `${name}`.
    pub(super) fn resolved(&self, text: &str) -> Result<String, Reason> {
        let mut resolved = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| Reason::UnknownReference(after.to_owned()))?;
            resolved.push_str(before);
            resolved.push_str(&self.path(name)?);
            rest = after;
        }
        resolved.push_str(rest);
        Ok(straight(&resolved))
    }

    /// The path that `${name}` stands for.
    pub(super) fn path(&self, name: &str) -> Result<String, Reason> {
        let name = name.trim();
        let (instance, name) = match name.strip_prefix(LAST_SAVED_MARK) {
            Some(name) => (format!("instance('{LAST_SAVED}')"), name),
            None => (String::new(), name),
        };
        let path = self.node(name).and_then(|index| self.paths.get(index));
        let path = path.ok_or_else(|| Reason::UnknownReference(name.to_owned()))?;
        Ok(instance + path)
    }

    /// The one node of this name.
    pub(super) fn node(&self, name: &str) -> Option<NodeIndex> {
        match self.by_name.get(name)?.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// The innermost repeat that a node stands in, and the node's path from a row of it.
    pub(super) fn row(&self, node: NodeIndex) -> Option<(NodeIndex, String)> {
        let mut above = self.parents.get(node).copied().flatten();
        while let Some(index) = above {
            if self.repeats.get(index) == Some(&true) {
                let path = self.paths.get(node)?.strip_prefix(self.paths.get(index)?.as_str())?;
                return Some((index, path.trim_start_matches('/').to_owned()));
            }
            above = self.parents.get(index).copied().flatten();
        }
        None
    }

    /// As [`resolved`](Self::resolved), from a row of a repeat: what stands in the row is found in it.
    pub(super) fn resolved_in_row(&self, text: &str, repeat: NodeIndex) -> Result<String, Reason> {
        let mut inside: BTreeMap<String, String> = BTreeMap::new();
        for name in names(text) {
            if let Some((own, path)) = self.node(name).and_then(|node| self.row(node))
                && own == repeat
            {
                inside.insert(format!("${{{name}}}"), format!("./{path}"));
            }
        }
        let mut text = text.to_owned();
        for (reference, path) in &inside {
            text = text.replace(reference, path);
        }
        self.resolved(&text)
    }

    /// A path by the number of its node.
    pub(super) fn of(&self, node: NodeIndex) -> &str {
        self.paths.get(node).map_or("", String::as_str)
    }

    /// Puts the values of `${name}` into texts.
    pub(super) fn fill(&self, words: &mut Words) -> Result<(), Reason> {
        let texts = words.fallback.iter_mut().chain(words.translated.iter_mut().map(|(_, text)| text));
        for text in texts.filter(|text| text.plain.contains("${")) {
            *text = self.text(&text.plain)?;
        }
        Ok(())
    }

    fn text(&self, cell: &str) -> Result<Text, Reason> {
        let mut text = Text::default();
        let mut rest = cell;
        while let Some((before, after)) = rest.split_once("${") {
            text.plain.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                text.plain.push_str("${");
                rest = after;
                continue;
            };
            let formula = Formula::parse(&self.path(name)?).map_err(Reason::Expression)?;
            text.outputs.push(Output { at: text.plain.len(), formula });
            rest = after;
        }
        text.plain.push_str(rest);
        Ok(text)
    }
}

/// The names in `${…}`.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|after| after.split_once('}')).map(|(name, _)| name)
}

/// Word processors turn quotes into others that no expression knows; in expressions they mean the plain ones.
fn straight(text: &str) -> String {
    let plain = |c: char| match c {
        '\u{201c}' | '\u{201d}' => '"',
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{a0}' => ' ',
        c => c,
    };
    text.chars().map(plain).collect()
}
