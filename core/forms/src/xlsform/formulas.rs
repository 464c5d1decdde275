//! `${name}` in expressions, to the path of the question.

use std::collections::BTreeMap;

use crate::expr::Expression;
use crate::model::{Formula, Node};
use crate::refused::Reason;

/// The paths of all questions by name; a name that several have leads nowhere.
pub(super) struct Paths {
    by_name: BTreeMap<String, Option<String>>,
}

impl Paths {
    /// Of the nodes of a form, whose first is the form itself.
    pub(super) fn new(nodes: &[Node]) -> Self {
        let mut paths: Vec<String> = Vec::with_capacity(nodes.len());
        let mut by_name: BTreeMap<String, Option<String>> = BTreeMap::new();
        for node in nodes {
            let above = node.parent.and_then(|parent| paths.get(parent)).map_or("", String::as_str);
            let path = format!("{above}/{}", node.name);
            let entry = by_name.entry(node.name.clone());
            entry.and_modify(|known| *known = None).or_insert_with(|| Some(path.clone()));
            paths.push(path);
        }
        Self { by_name }
    }

    /// The expression with paths, parsed.
    pub(super) fn formula(&self, text: &str) -> Result<Formula, Reason> {
        let text = self.resolved(text)?;
        let expression = Expression::parse(&text).map_err(Reason::Expression)?;
        Ok(Formula { text, expression })
    }

    /// The text with a path for each `${name}`.
    pub(super) fn resolved(&self, text: &str) -> Result<String, Reason> {
        let mut resolved = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| Reason::UnknownReference(after.to_owned()))?;
            let path = self.by_name.get(name.trim()).and_then(Option::as_ref);
            resolved.push_str(before);
            resolved.push_str(path.ok_or_else(|| Reason::UnknownReference(name.trim().to_owned()))?);
            rest = after;
        }
        resolved.push_str(rest);
        Ok(straight(&resolved))
    }
}

/// Word processors turn quotes and dashes into others that no expression knows; outside texts they mean the plain ones.
fn straight(text: &str) -> String {
    let plain = |c: char| match c {
        '\u{201c}' | '\u{201d}' | '\u{201e}' => '"',
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{a0}' => ' ',
        c => c,
    };
    let has_plain_quotes = text.contains(['"', '\'']);
    if has_plain_quotes { text.replace('\u{a0}', " ") } else { text.chars().map(plain).collect() }
}
