//! The documents that expressions look at: elements with names, text and attributes, in one arena each.
//!
//! The answers being filled and every secondary instance are such documents. There are no text nodes: an
//! element has a text of its own, and its string value is that and the texts below it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// One element or attribute of one of the [`Documents`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    document: u32,
    node: u32,
}

/// Every document that an expression may look at; the first holds the answers.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// Shared between clones until one of them changes: secondary instances are large, and nobody changes them.
    documents: Vec<Arc<Document>>,
}

#[derive(Clone, Debug, Default)]
struct Document {
    /// What `instance(…)` calls it; empty for the answers.
    name: String,
    nodes: Vec<Node>,
    /// What its nodes are called, each name once: a table of half a million cells has ten.
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

#[derive(Clone, Debug)]
struct Node {
    /// The number of its name.
    name: u32,
    text: String,
    parent: Option<u32>,
    /// Its place among its parent's children.
    index: u32,
    kind: Kind,
    children: Vec<u32>,
    attributes: Vec<u32>,
    /// Answers that were not asked count as empty, without being forgotten.
    is_relevant: bool,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An element.
    Element,
    /// An attribute of an element.
    Attribute,
}

impl Documents {
    /// Adds a document with its root element; the first is the one of the answers.
    pub fn add(&mut self, name: &str, root: &str) -> NodeId {
        let document = u32::try_from(self.documents.len()).expect("forms have at most a few hundred instances");
        let mut added = Document { name: name.to_owned(), ..Document::default() };
        added.push(root, None, Kind::Element);
        self.documents.push(Arc::new(added));
        NodeId { document, node: 0 }
    }

    /// The root element of the secondary instance of this name.
    pub fn instance(&self, name: &str) -> Option<NodeId> {
        let at = self.documents.iter().position(|document| document.name == name && !name.is_empty())?;
        Some(NodeId { document: u32::try_from(at).ok()?, node: 0 })
    }

    /// Appends an element below `parent`.
    pub fn append(&mut self, parent: NodeId, name: &str) -> NodeId {
        let at = self.children(parent).len();
        self.insert(parent, at, name)
    }

    /// Puts an element below `parent`, before the child that stands at `at`.
    pub fn insert(&mut self, parent: NodeId, at: usize, name: &str) -> NodeId {
        let id = self.push(parent, name, Kind::Element);
        let siblings = &mut self.node_mut(parent).children;
        siblings.insert(at, id.node);
        if at + 1 == siblings.len() {
            self.node_mut(id).index = u32::try_from(at).unwrap_or(u32::MAX);
        } else {
            self.renumber(parent, at);
        }
        id
    }

    /// Takes an element out of its parent; what lies below goes with it.
    pub fn remove(&mut self, id: NodeId) {
        let Some(parent) = self.parent(id) else { return };
        let at = self.node(id).index as usize;
        self.node_mut(parent).children.remove(at);
        self.node_mut(id).parent = None;
        self.renumber(parent, at);
    }

    /// Adds an attribute.
    pub fn attribute(&mut self, element: NodeId, name: &str, value: &str) {
        let id = self.push(element, name, Kind::Attribute);
        self.node_mut(id).text = value.to_owned();
        self.node_mut(element).attributes.push(id.node);
    }

    /// Gives a node its own text.
    pub fn set_text(&mut self, id: NodeId, text: &str) {
        let own = &mut self.node_mut(id).text;
        own.clear();
        own.push_str(text);
    }

    /// Says whether a node, and so all below it, is asked.
    pub fn set_relevant(&mut self, id: NodeId, is_relevant: bool) {
        self.node_mut(id).is_relevant = is_relevant;
    }

    /// Whether the node itself is asked; one above it may still not be.
    pub fn is_relevant(&self, id: NodeId) -> bool {
        self.node(id).is_relevant
    }

    /// Whether the node and all above it are asked.
    pub fn is_asked(&self, id: NodeId) -> bool {
        self.ancestors(id).all(|above| self.node(above).is_relevant)
    }

    /// The node's own text, whether or not it is asked.
    pub fn own_text(&self, id: NodeId) -> &str {
        &self.node(id).text
    }

    /// The string value: the texts of the node and of all below it, as far as they are asked.
    pub fn text(&self, id: NodeId) -> String {
        self.gathered(id).0
    }

    /// The string value, and from how many nodes it was gathered.
    pub(super) fn gathered(&self, id: NodeId) -> (String, usize) {
        let mut text = String::new();
        let nodes = if self.is_asked(id) { self.gather(id, &mut text) } else { 0 };
        (text, nodes)
    }

    /// The element's or attribute's name.
    pub fn name(&self, id: NodeId) -> &str {
        let document = &self.documents[id.document as usize];
        &document.names[document.nodes[id.node as usize].name as usize]
    }

    /// Whether it is an element or an attribute.
    pub fn kind(&self, id: NodeId) -> Kind {
        self.node(id).kind
    }

    /// The element above, or the element of an attribute.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).parent.map(|node| NodeId { node, ..id })
    }

    /// The root element of the document that `id` is in.
    pub fn root(&self, id: NodeId) -> NodeId {
        NodeId { node: 0, ..id }
    }

    /// The elements directly below, in order.
    pub fn children(&self, id: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + '_ {
        self.node(id).children.iter().map(move |node| NodeId { node: *node, ..id })
    }

    /// The attributes of an element.
    pub fn attributes(&self, id: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        self.node(id).attributes.iter().map(move |node| NodeId { node: *node, ..id })
    }

    /// The node itself and every element above it, nearest first.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(Some(id), |id| self.parent(*id))
    }

    /// The siblings before (`..index`) or after an element.
    pub(super) fn siblings(&self, id: NodeId, after: bool) -> Vec<NodeId> {
        let (Some(parent), Kind::Element) = (self.parent(id), self.kind(id)) else { return Vec::new() };
        let (index, all) = (self.node(id).index as usize, &self.node(parent).children);
        let range: Range<usize> = if after { index + 1..all.len() } else { 0..index };
        all.get(range).unwrap_or_default().iter().map(|node| NodeId { node: *node, ..id }).collect()
    }

    /// Where a node stands in the order of its document, for sorting.
    pub(super) fn order(&self, id: NodeId) -> (u32, Vec<u32>) {
        let mut way: Vec<u32> = self.ancestors(id).map(|above| self.node(above).index).collect();
        way.reverse();
        (id.document, way)
    }

    /// Position among the siblings of the same name, counted from 1.
    pub fn position(&self, id: NodeId) -> usize {
        let (Some(parent), Kind::Element) = (self.parent(id), self.kind(id)) else { return 1 };
        let nodes = &self.documents[id.document as usize].nodes;
        let (own, siblings) = (self.node(id), &self.node(parent).children);
        let before = siblings.get(..own.index as usize).unwrap_or_default();
        1 + before.iter().filter(|other| nodes[**other as usize].name == own.name).count()
    }

    fn gather(&self, id: NodeId, text: &mut String) -> usize {
        let own = self.node(id);
        if own.children.is_empty() {
            text.push_str(&own.text);
            return 1;
        }
        let (mut waiting, mut nodes) = (vec![id], 0);
        while let Some(id) = waiting.pop() {
            let node = self.node(id);
            nodes += 1;
            if node.is_relevant {
                text.push_str(&node.text);
                waiting.extend(self.children(id).rev());
            }
        }
        nodes
    }

    fn push(&mut self, parent: NodeId, name: &str, kind: Kind) -> NodeId {
        let document = Arc::make_mut(&mut self.documents[parent.document as usize]);
        NodeId { node: document.push(name, Some(parent.node), kind), ..parent }
    }

    fn renumber(&mut self, parent: NodeId, from: usize) {
        let nodes = &mut Arc::make_mut(&mut self.documents[parent.document as usize]).nodes;
        for index in from..nodes[parent.node as usize].children.len() {
            let child = nodes[parent.node as usize].children[index];
            nodes[child as usize].index = u32::try_from(index).unwrap_or(u32::MAX);
        }
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.documents[id.document as usize].nodes[id.node as usize]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut Arc::make_mut(&mut self.documents[id.document as usize]).nodes[id.node as usize]
    }
}

impl Document {
    /// Adds a node, which its parent does not know of yet, and gives its number.
    fn push(&mut self, name: &str, parent: Option<u32>, kind: Kind) -> u32 {
        let name = self.number(name);
        let node = u32::try_from(self.nodes.len()).expect("a document is bounded far below 2^32 nodes");
        let (text, children, attributes) = (String::new(), Vec::new(), Vec::new());
        self.nodes.push(Node { name, text, parent, index: 0, kind, children, attributes, is_relevant: true });
        node
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(known) = self.numbers.get(name) {
            return *known;
        }
        let (number, name) =
            (u32::try_from(self.names.len()).expect("no more names than nodes"), Arc::<str>::from(name));
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_keep_their_order_when_some_come_and_go() {
        let mut documents = Documents::default();
        let root = documents.add("", "data");
        let rows: Vec<NodeId> = ["a", "b", "c"]
            .map(|text| {
                let row = documents.append(root, "row");
                documents.set_text(row, text);
                row
            })
            .to_vec();
        let first = documents.insert(root, 0, "row");
        documents.set_text(first, "0");
        assert_eq!(documents.text(root), "0abc");
        assert_eq!(rows.iter().map(|row| documents.position(*row)).collect::<Vec<_>>(), [2, 3, 4]);
        documents.remove(rows[1]);
        assert_eq!((documents.text(root), documents.position(rows[2])), ("0ac".to_owned(), 3));
        assert!(documents.parent(rows[1]).is_none());
        assert!(
            documents.order(first) < documents.order(rows[0]) && documents.order(rows[0]) < documents.order(rows[2])
        );
    }

    #[test]
    fn what_is_not_asked_has_no_text_and_keeps_its_own() {
        let mut documents = Documents::default();
        let root = documents.add("", "data");
        let group = documents.append(root, "group");
        let question = documents.append(group, "question");
        documents.set_text(question, "x");
        documents.set_relevant(group, false);
        assert_eq!((documents.text(question).as_str(), documents.text(root).as_str()), ("", ""));
        assert_eq!(documents.own_text(question), "x");
        documents.set_relevant(group, true);
        assert_eq!(documents.text(root), "x");
    }
}
