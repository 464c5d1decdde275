//! The body: what is asked, in which words, and how.

use std::collections::{BTreeSet, HashMap};

use roxmltree::Node as Xml;

use super::itext::Itext;
use super::source::{Source, attribute, child, elements};
use super::tree::Tree;
use super::{choices, resolve};
use crate::model::{Formula, Node, NodeIndex, NodeKind, QuestionKind, note};
use crate::refused::{FormRefused, Reason};

/// The paths of all repeats.
pub(super) fn repeats(source: &Source<'_>, body: Xml<'_, '_>, root: &str) -> Result<BTreeSet<String>, FormRefused> {
    let mut repeats = BTreeSet::new();
    for repeat in body.descendants().filter(|node| node.tag_name().name() == "repeat") {
        let above: Vec<Xml<'_, '_>> = repeat.ancestors().filter(Xml::is_element).collect();
        let mut context = root.to_owned();
        for element in above.iter().rev() {
            if let Some(path) = attribute(*element, "nodeset").or_else(|| attribute(*element, "ref")) {
                context = resolve(&context, path);
            }
        }
        if attribute(repeat, "nodeset").is_none() {
            return Err(source.refused(repeat, "nodeset", Reason::Empty));
        }
        repeats.insert(context);
    }
    Ok(repeats)
}

/// What the walk through the body carries along.
struct Walk<'w, 'x> {
    source: &'w Source<'x>,
    /// The paths of the binds that have an id, as they are written.
    bound: HashMap<&'w str, &'w str>,
    itext: &'w Itext,
    tree: &'w mut Tree,
}

/// Elements that ask for an answer.
const CONTROLS: &[&str] = &["input", "secret", "select", "select1", "rank", "upload", "range", "trigger"];
/// Elements that are read where they stand in another.
const PARTS: &[&str] = &["label", "hint", "help", "item", "itemset", "value", "setvalue", "setgeopoint", "recordaudio"];
/// Attributes of controls that are read; the others are passed on.
const READ: &[&str] = &["ref", "nodeset", "bind", "appearance", "mediatype", "query"];

/// Reads the body.
pub(super) fn read(source: &Source<'_>, body: Xml<'_, '_>, itext: &Itext, tree: &mut Tree) -> Result<(), FormRefused> {
    let root = tree.facts[0].path.clone();
    let mut bound = HashMap::new();
    for bind in source.document.descendants().filter(|node| node.tag_name().name() == "bind") {
        if let (Some(id), Some(path)) = (bind.attribute("id"), bind.attribute("nodeset")) {
            bound.entry(id).or_insert(path);
        }
    }
    Walk { source, bound, itext, tree }.inside(body, &root)
}

impl Walk<'_, '_> {
    /// What stands in an element; how deep that may go was looked at before.
    fn inside(&mut self, element: Xml<'_, '_>, context: &str) -> Result<(), FormRefused> {
        for child in elements(element) {
            match child.tag_name().name() {
                "group" => self.group(child, context)?,
                "repeat" => self.repeat(child, context)?,
                name if CONTROLS.contains(&name) => self.control(child, context)?,
                name if PARTS.contains(&name) => {}
                name => return Err(self.source.refused(child, "", Reason::UnknownElement(name.to_owned()))),
            }
        }
        Ok(())
    }

    fn group(&mut self, group: Xml<'_, '_>, context: &str) -> Result<(), FormRefused> {
        let Some(path) = attribute(group, "ref").or_else(|| attribute(group, "nodeset")) else {
            let is_shown = child(group, "label").is_some() || attribute(group, "appearance").is_some();
            match child(group, "repeat") {
                // The heading of a repeat may stand in a group of its own.
                Some(repeat) if is_shown => {
                    let context = resolve(context, attribute(repeat, "nodeset").unwrap_or_default());
                    let node = self.node(repeat, "nodeset", &context)?;
                    self.words(group, node)?;
                }
                _ if is_shown => {
                    let text = "a group without answers of its own: its heading and appearance are not used";
                    note(&mut self.tree.notices, self.source.notice(group, "", text));
                }
                _ => {}
            }
            return self.inside(group, context);
        };
        let context = resolve(context, path);
        let node = self.node(group, "ref", &context)?;
        if let (NodeKind::Question(_), false) = (&self.tree.nodes[node].kind, self.tree.facts[node].is_group) {
            self.tree.nodes[node].kind = NodeKind::Group;
        }
        self.words(group, node)?;
        self.passed_on(group, node);
        self.inside(group, &context)
    }

    fn repeat(&mut self, repeat: Xml<'_, '_>, context: &str) -> Result<(), FormRefused> {
        let context = resolve(context, attribute(repeat, "nodeset").unwrap_or_default());
        let node = self.node(repeat, "nodeset", &context)?;
        if let Some(count) = attribute(repeat, "count") {
            let refused = |error| self.source.refused(repeat, "jr:count", Reason::Expression(error));
            let count = Some(Formula::parse(count.trim()).map_err(refused)?);
            self.tree.nodes[node].kind = NodeKind::Repeat { count };
        }
        self.words(repeat, node)?;
        self.passed_on(repeat, node);
        self.tree.nodes[node].parameters.remove("count");
        self.inside(repeat, &context)
    }

    fn control(&mut self, control: Xml<'_, '_>, context: &str) -> Result<(), FormRefused> {
        let path = match (attribute(control, "ref"), attribute(control, "bind")) {
            (Some(path), _) => resolve(context, path),
            (None, Some(bind)) => self.bound(control, bind)?,
            (None, None) => return Err(self.source.refused(control, "ref", Reason::Empty)),
        };
        let node = self.node(control, "ref", &path)?;
        if self.tree.facts[node].is_group {
            return Err(self.source.refused(control, "ref", Reason::Nesting));
        }
        if self.tree.facts[node].is_asked {
            note(&mut self.tree.notices, self.source.notice(control, "ref", "this is asked already: asked once"));
            return Ok(());
        }
        self.tree.facts[node].is_asked = true;
        self.words(control, node)?;
        self.passed_on(control, node);
        let kind = self.kind(control, node)?;
        self.tree.nodes[node].kind = NodeKind::Question(kind);
        if self.tree.nodes[node].appearance.contains("search(") {
            let text = "`search()` is not carried out: the list is offered as it stands";
            note(&mut self.tree.notices, self.source.notice(control, "appearance", text));
        }
        for part in elements(control).filter(|part| !PARTS.contains(&part.tag_name().name())) {
            note(&mut self.tree.notices, self.source.notice(part, "", "this element is not used"));
        }
        Ok(())
    }

    fn node(&self, element: Xml<'_, '_>, attribute: &str, path: &str) -> Result<NodeIndex, FormRefused> {
        let unknown = || self.source.refused(element, attribute, Reason::UnknownReference(path.to_owned()));
        self.tree.at(path).ok_or_else(unknown)
    }

    /// The path of the bind with this id.
    fn bound(&self, control: Xml<'_, '_>, id: &str) -> Result<String, FormRefused> {
        let unknown = || self.source.refused(control, "bind", Reason::UnknownReference(id.to_owned()));
        self.bound.get(id).map(|nodeset| resolve(&self.tree.facts[0].path, nodeset)).ok_or_else(unknown)
    }

    /// Label, hint and help.
    fn words(&mut self, element: Xml<'_, '_>, index: NodeIndex) -> Result<(), FormRefused> {
        for part in elements(element) {
            let name = part.tag_name().name();
            if !matches!(name, "label" | "hint" | "help") {
                continue;
            }
            let entry = self.itext.of(self.source, part)?;
            let node = &mut self.tree.nodes[index];
            match name {
                "label" if node.label.is_empty() && node.media.is_empty() => {
                    node.label = entry.words;
                    node.media = entry.media;
                }
                "hint" if node.hint.is_empty() => {
                    node.hint = entry.words;
                    node.guidance = entry.guidance;
                }
                "help" if node.guidance.is_empty() => node.guidance = entry.words,
                _ => {
                    note(&mut self.tree.notices, self.source.notice(part, "", "a second text of its kind is not used"))
                }
            }
        }
        Ok(())
    }

    /// Appearance, and the attributes that are not read.
    fn passed_on(&mut self, element: Xml<'_, '_>, node: NodeIndex) {
        let Node { appearance, parameters, .. } = &mut self.tree.nodes[node];
        for own in element.attributes().filter(|own| !READ.contains(&own.name())) {
            parameters.insert(own.name().to_owned(), own.value().to_owned());
        }
        let own = attribute(element, "appearance").unwrap_or_default();
        if !own.is_empty() && !appearance.is_empty() {
            appearance.push(' ');
        }
        appearance.push_str(own);
    }

    fn kind(&mut self, control: Xml<'_, '_>, index: NodeIndex) -> Result<QuestionKind, FormRefused> {
        let bound = self.tree.facts[index].kind.clone();
        Ok(match control.tag_name().name() {
            "select1" => QuestionKind::SelectOne(choices::read(self.source, control, self.itext, self.tree, index)?),
            "select" => {
                QuestionKind::SelectMultiple(choices::read(self.source, control, self.itext, self.tree, index)?)
            }
            "rank" => QuestionKind::Rank(choices::read(self.source, control, self.itext, self.tree, index)?),
            "range" => QuestionKind::Range,
            "trigger" => QuestionKind::Acknowledge,
            "upload" => match attribute(control, "mediatype").unwrap_or_default().split('/').next() {
                Some("image") => QuestionKind::Image,
                Some("audio") => QuestionKind::Audio,
                Some("video") => QuestionKind::Video,
                _ => QuestionKind::File,
            },
            _ if attribute(control, "query").is_some() => {
                QuestionKind::SelectOne(choices::query(self.source, control, self.tree)?)
            }
            _ => match input(&bound) {
                Some(QuestionKind::Text) if is_note(&self.tree.nodes[index]) => QuestionKind::Note,
                Some(kind) => kind,
                None => {
                    let text = format!("the type `{bound}` is not known: it is taken for a text");
                    note(&mut self.tree.notices, self.source.notice(control, "ref", &text));
                    QuestionKind::Text
                }
            },
        })
    }
}

/// What is answered to an `input`, by the type of its bind.
fn input(bound: &str) -> Option<QuestionKind> {
    Some(match bound {
        "" | "string" | "text" | "select" | "select1" => QuestionKind::Text,
        "int" | "integer" | "long" => QuestionKind::Integer,
        "decimal" | "double" | "float" => QuestionKind::Decimal,
        "date" => QuestionKind::Date,
        "time" => QuestionKind::Time,
        "dateTime" => QuestionKind::DateTime,
        "geopoint" => QuestionKind::GeoPoint,
        "geotrace" => QuestionKind::GeoTrace,
        "geoshape" => QuestionKind::GeoShape,
        "barcode" => QuestionKind::Barcode,
        _ => return None,
    })
}

/// A text that nobody can answer and nothing fills.
fn is_note(node: &Node) -> bool {
    let is_closed = node.read_only.as_ref().is_some_and(|read_only| read_only.text == "true()");
    is_closed && node.calculation.is_none() && node.default.is_none()
}
