//! An XML document with the places in it, for people.

use std::borrow::Cow;

use roxmltree::{Document, Node, ParsingOptions};

use crate::markup::{self, ATTRIBUTES_MAX, Disproportion, NAMESPACES_MAX};
use crate::model::Notice;
use crate::refused::{FormRefused, Reason};

/// Most elements, attributes and texts of a document.
pub(crate) const NODES_MAX: u32 = 1_200_000;

/// A document that was parsed.
pub(super) struct Source<'x> {
    pub(super) document: Document<'x>,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// The text of a file: UTF-8, or UTF-16 with a byte order mark.
pub(crate) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Reason> {
    let wide = |from: fn([u8; 2]) -> u16, rest: &[u8]| {
        let units: Vec<u16> = rest.chunks_exact(2).map(|pair| from([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map(Cow::Owned).map_err(|_| Reason::NotUtf8)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => wide(u16::from_be_bytes, rest),
        bytes => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| Reason::NotUtf8)
        }
    }
}

/// Parses a document without a document type: no entity is declared or expanded, and no other file is looked at.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, FormRefused> {
    // Of what is out of proportion nothing is built.
    markup::check(text).map_err(|(at, wrong)| {
        let reason = match wrong {
            Disproportion::Depth => Reason::TooDeep,
            Disproportion::Attributes => Reason::Xml(format!("an element has more than {ATTRIBUTES_MAX} attributes")),
            Disproportion::Namespaces => Reason::Xml(format!("it declares more than {NAMESPACES_MAX} namespaces")),
        };
        FormRefused::at("", text[..at].matches('\n').count() + 1, "", reason)
    })?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| {
        let row = usize::try_from(error.pos().row).unwrap_or(usize::MAX);
        let reason = match error {
            roxmltree::Error::NodesLimitReached => Reason::too_much("elements, attributes and texts", NODES_MAX),
            roxmltree::Error::DtdDetected => Reason::Xml("it declares a document type".to_owned()),
            error => Reason::Xml(error.to_string()),
        };
        FormRefused::at("", row, "", reason)
    })
}

impl<'x> Source<'x> {
    pub(super) fn parse(text: &'x str) -> Result<Self, FormRefused> {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Ok(Self { document: parse(text)?, lines })
    }

    /// The line that an element begins on, from 1.
    pub(super) fn row(&self, node: Node<'_, '_>) -> usize {
        self.lines.partition_point(|start| *start <= node.range().start)
    }

    /// An element's name as it is written, with its prefix.
    pub(super) fn name(&self, node: Node<'_, '_>) -> &str {
        name(self.document.input_text(), node)
    }

    /// A refusal at an element, of one of its attributes if there is a name of one.
    pub(super) fn refused(&self, node: Node<'_, '_>, attribute: &str, reason: Reason) -> FormRefused {
        FormRefused::at(&self.path(node), self.row(node), attribute, reason)
    }

    /// A remark about an element. There may be many, and its row tells it from others of its name: nothing is counted.
    pub(super) fn notice(&self, node: Node<'_, '_>, attribute: &str, text: &str) -> Notice {
        let path = path(node, |node| self.name(node).to_owned());
        Notice { sheet: path, row: self.row(node), column: attribute.to_owned(), text: text.to_owned() }
    }

    /// The names of the elements down to this one; numbered, where several of the same name stand beside each other.
    fn path(&self, node: Node<'_, '_>) -> String {
        path(node, |node| self.step(node))
    }

    fn step(&self, node: Node<'_, '_>) -> String {
        let is_same = |other: &Node<'_, '_>| other.is_element() && other.tag_name() == node.tag_name();
        let before = node.prev_siblings().skip(1).filter(is_same).count();
        let is_only = before == 0 && !node.next_siblings().skip(1).any(|other| is_same(&other));
        if is_only { self.name(node).to_owned() } else { format!("{}[{}]", self.name(node), before + 1) }
    }
}

/// The steps down to an element.
fn path<'a, 'x: 'a>(node: Node<'a, 'x>, step: impl Fn(Node<'a, 'x>) -> String) -> String {
    let mut steps: Vec<String> = node.ancestors().filter(Node::is_element).map(step).collect();
    steps.reverse();
    steps.iter().map(|step| format!("/{step}")).collect()
}

/// An element's name as it is written, with its prefix.
pub(crate) fn name<'t>(text: &'t str, node: Node<'_, '_>) -> &'t str {
    let tag = text.get(node.range().start + 1..).unwrap_or_default();
    let end = tag.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(tag.len());
    &tag[..end]
}

/// The elements directly in an element.
pub(super) fn elements<'a, 'x: 'a>(node: Node<'a, 'x>) -> impl Iterator<Item = Node<'a, 'x>> {
    node.children().filter(Node::is_element)
}

/// The first element of this local name directly in an element.
pub(super) fn child<'a, 'x: 'a>(node: Node<'a, 'x>, name: &str) -> Option<Node<'a, 'x>> {
    elements(node).find(|child| child.tag_name().name() == name)
}

/// The attribute of this name; where there is none, that of this local name in any namespace.
pub(super) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let any = || node.attributes().find(|attribute| attribute.name() == name).map(|attribute| attribute.value());
    node.attribute(name).or_else(any)
}
