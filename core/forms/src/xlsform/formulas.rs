//! `${name}` in expressions and texts, to the path of the question.

use std::collections::HashMap;

use crate::expr::ParseError;
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
        self.formula_in_row(text, None)
    }

    /// As [`formula`](Self::formula), from a row of a repeat: what stands in the row is found in it.
    pub(super) fn formula_in_row(&self, text: &str, repeat: Option<NodeIndex>) -> Result<Formula, Reason> {
        Formula::parse(&self.resolved(text, repeat)?).map_err(|error| {
            let at = self.written(text, repeat, error.at);
            Reason::Expression(ParseError { at, ..error })
        })
    }

    /// Which character of what was written became this one of the text with paths: in a path, the first of its `${name}`.
    fn written(&self, text: &str, repeat: Option<NodeIndex>, at: usize) -> usize {
        let (mut written, mut left, mut rest) = (0, at, text);
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else { break };
            let plain = before.chars().count();
            let path = self.path_in_row(name, repeat).map_or(0, |path| path.chars().count());
            if left < plain + path {
                return written + left.min(plain);
            }
            left -= plain + path;
            written += plain + "${}".len() + name.chars().count();
            rest = after;
        }
        written + left
    }

    /// The text with a path for each `${name}`.
    fn resolved(&self, text: &str, repeat: Option<NodeIndex>) -> Result<String, Reason> {
        let mut resolved = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| Reason::UnknownReference(after.to_owned()))?;
            resolved.push_str(before);
            resolved.push_str(&self.path_in_row(name, repeat)?);
            rest = after;
        }
        resolved.push_str(rest);
        Ok(straight(&resolved))
    }

    fn path_in_row(&self, name: &str, repeat: Option<NodeIndex>) -> Result<String, Reason> {
        let own = self.node(name.trim()).and_then(|node| self.row(node));
        match own {
            Some((around, path)) if Some(around) == repeat => Ok(format!("./{path}")),
            Some(_) | None => self.path(name),
        }
    }

    /// The path that `${name}` stands for.
    pub(super) fn path(&self, name: &str) -> Result<String, Reason> {
        let name = name.trim();
        let (instance, name) = match name.strip_prefix(LAST_SAVED_MARK) {
            Some(name) => (format!("instance('{LAST_SAVED}')"), name),
            None => (String::new(), name),
        };
        let path = self.node(name).and_then(|index| self.paths.get(index));
        let path = path.ok_or_else(|| self.no_one(name))?;
        Ok(instance + path)
    }

    /// Why there is no one node of this name.
    pub(super) fn no_one(&self, name: &str) -> Reason {
        let is_there = self.by_name.contains_key(name);
        let reason = if is_there { Reason::AmbiguousReference } else { Reason::UnknownReference };
        reason(name.to_owned())
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

    /// A path by the number of its node.
    pub(super) fn of(&self, node: NodeIndex) -> &str {
        self.paths.get(node).map_or("", String::as_str)
    }

    /// Puts the values of `${name}` into texts.
    pub(super) fn fill(&self, words: &mut Words) -> Result<(), Reason> {
        let texts = words.fallback.iter_mut().chain(words.translated.iter_mut().map(|(_, text)| text));
        for text in texts.filter(|text| text.plain.contains("${") || text.plain.contains(INSTANCE)) {
            *text = self.text(&text.plain)?;
        }
        Ok(())
    }

    /// A text with what `${name}` and paths into instances put into it.
    fn text(&self, cell: &str) -> Result<Text, Reason> {
        let mut text = Text::default();
        let mut rest = cell;
        while let Some(at) = rest.find("${").into_iter().chain(rest.find(INSTANCE)).min() {
            let (before, found) = rest.split_at(at);
            text.plain.push_str(before);
            match value_length(found) {
                Some(length) => {
                    let (value, after) = found.split_at(length);
                    text.outputs.push(Output { at: text.plain.len(), formula: self.formula(value)? });
                    rest = after;
                }
                // It only looks like a value.
                None => {
                    text.plain.push_str(&found[..2]);
                    rest = &found[2..];
                }
            }
        }
        text.plain.push_str(rest);
        Ok(text)
    }
}

/// How a path into an instance begins.
const INSTANCE: &str = "instance(";

/// How long the `${name}` is, or the path into an instance, that a text begins with.
fn value_length(text: &str) -> Option<usize> {
    let Some(rest) = text.strip_prefix(INSTANCE) else { return Some(text.find('}')? + 1) };
    let mut length = INSTANCE.len() + closed(rest, ')')? + 1;
    let ends_at = |text: &str| {
        text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '/' | '_' | '-' | '.' | ':' | '@' | '*')))
    };
    let mut steps = 0;
    loop {
        let rest = &text[length..];
        if rest.starts_with('/') {
            length += ends_at(rest).unwrap_or(rest.len());
            steps += 1;
        } else if let Some(inside) = rest.strip_prefix('[').filter(|_| steps > 0) {
            length += closed(inside, ']')? + 2;
        } else {
            // A full stop ends a sentence, not a name.
            let own = text[..length].trim_end_matches('.').len();
            return (steps > 0).then_some(own);
        }
    }
}

/// Where what is open closes, outside quotes.
fn closed(text: &str, close: char) -> Option<usize> {
    let (mut quote, mut depth) = (None, 0_usize);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, c) if c == close && depth == 0 => return Some(at),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.checked_sub(1)?,
            (None, _) => {}
        }
    }
    None
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::QuestionKind;

    fn paths() -> Paths {
        let question = |name: &str, parent| Node::new(name, NodeKind::Question(QuestionKind::Text), Some(parent), 0);
        let repeat = Node::new("kid", NodeKind::Repeat { count: None }, Some(0), 0);
        let form = Node::new("data", NodeKind::Group, None, 0);
        Paths::new(&[form, question("a", 0), repeat, question("b", 2), question("twice", 0), question("twice", 2)])
    }

    #[test]
    fn a_mistake_is_found_at_the_character_that_was_written() {
        let rows = [
            ("1 + ", None, 4),
            ("é + foo(1)", None, 4),
            ("${a} + foo(1)", None, 7),
            ("“ґ” = ${ a } + foo(${b})", None, 15),
            ("${a} = = ${b}", None, 7),
            ("${b} = foo(${b})", Some(2), 7),
        ];
        for (text, repeat, wanted) in rows {
            let found = paths().formula_in_row(text, repeat);
            assert!(
                matches!(found, Err(Reason::Expression(ParseError { at, .. })) if at == wanted),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn references_become_paths() {
        let check = |text: &str, wanted: Result<&str, Reason>| {
            assert_eq!(paths().resolved(text, None), wanted.map(str::to_owned), "{text}");
        };
        check("${a} = 1", Ok("/data/a = 1"));
        check("${ b }+${a}", Ok("/data/kid/b+/data/a"));
        check("${last-saved#a}", Ok("instance('__last-saved')/data/a"));
        check("“x” = ‘y’", Ok("\"x\" = 'y'"));
        check("${c}", Err(Reason::UnknownReference("c".to_owned())));
        check("${twice}", Err(Reason::AmbiguousReference("twice".to_owned())));
        check("${a", Err(Reason::UnknownReference("a".to_owned())));
        assert_eq!(paths().resolved("${b} > ${a}", Some(2)).as_deref(), Ok("./b > /data/a"));
    }

    #[test]
    fn values_are_put_into_texts_where_they_stand() {
        let check = |cell: &str, wanted: &str| {
            let text = paths().text(cell).unwrap_or_else(|reason| panic!("{cell}: {reason}"));
            assert_eq!(text.filled(|formula| format!("<{}>", formula.text)), wanted, "{cell}");
        };
        check("Is ${a} ${b}?", "Is </data/a> </data/kid/b>?");
        check("no value", "no value");
        check("costs $5 or ${", "costs $5 or ${");
        check(
            "In instance('l')/root/item[name = ${a} and x = ')']/label.",
            "In <instance('l')/root/item[name = /data/a and x = ')']/label>.",
        );
        check("an instance(s) of it", "an instance(s) of it");
        check("instance('l", "instance('l");
    }
}
