//! An XML instance as ODK Collect, Enketo and Kobo submit it.
//!
//! No document type declaration is read, so that there are no entities to expand. Size, nodes,
//! attributes and depth are bounded before the parser sees anything.

use merestone_forms::markup::{self, ATTRIBUTES_MAX, DEPTH_MAX, Disproportion, NAMESPACES_MAX};
use roxmltree::{Document, Node, ParsingOptions};

use super::known::EDIT;
use super::refused::ImportRefused;
use super::submission::{Exactness, Source, Submission};
use crate::schema::{Next, Schema, WITHIN};

/// Largest instance, in bytes.
pub const INSTANCE_BYTES_MAX: usize = 8 << 20;
/// The namespace in which a repeat is marked as a template.
const JAVAROSA: &str = "http://openrosa.org/javarosa";
/// Most nodes of an instance, elements and texts: what a form of thousands of questions never comes near.
const NODES_MAX: u32 = 262_144;

/// Which form an instance says it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormName {
    /// The form's id: the attribute `id` of the root, or the root's own name.
    pub id: String,
    /// The version.
    pub version: Option<String>,
}

/// Says which form an instance is of.
///
/// # Errors
/// If it is no instance.
pub fn peek(bytes: &[u8]) -> Result<FormName, ImportRefused> {
    with_root(bytes, |root| Ok(form_name(root)))
}

/// Reads an instance of a form.
///
/// # Errors
/// [`ImportRefused`]; then nothing of it is taken.
pub fn read_xml(schema: &Schema, bytes: &[u8], exactness: Exactness) -> Result<Submission, ImportRefused> {
    read(schema, bytes, exactness, None)
}

/// Reads an instance that is an edit of another: its rows have the ids that those of the instance `of` have, and its mark is
/// that one's, with its own instance id beside it.
///
/// # Errors
/// As [`read_xml`].
pub fn read_edit(schema: &Schema, bytes: &[u8], exactness: Exactness, of: &str) -> Result<Submission, ImportRefused> {
    read(schema, bytes, exactness, Some(of))
}

fn read(schema: &Schema, bytes: &[u8], exactness: Exactness, of: Option<&str>) -> Result<Submission, ImportRefused> {
    with_root(bytes, |root| {
        let FormName { id, version } = form_name(root);
        if id != schema.kind {
            return Err(ImportRefused::OtherForm { wanted: schema.kind.clone() });
        }
        if root.attribute("encrypted").is_some() {
            return Err(ImportRefused::Encrypted);
        }
        let instance = instance(root).ok_or(ImportRefused::NoInstance)?;
        let mut submission = Submission::new(&instance, version.as_deref(), Source::Xml)?;
        submission.rows_of = of.unwrap_or(&instance).to_owned();
        let counts = vec![0; schema.tables.len()];
        let mut reader = Reader { schema, submission, exactness, counts, has_instance: false };
        reader.attributes(root, "", &[], |name| matches!(name, "id" | "version"))?;
        let place = Place { table: 0, row: None, groups: Vec::new(), depth: 0 };
        reader.children(root, &place)?;
        if of.is_some_and(|of| of != instance) {
            reader.submission.keep("", EDIT, &instance, exactness)?;
        }
        Ok(reader.submission)
    })
}

fn with_root<T>(bytes: &[u8], work: impl FnOnce(Node<'_, '_>) -> Result<T, ImportRefused>) -> Result<T, ImportRefused> {
    if bytes.len() > INSTANCE_BYTES_MAX {
        return Err(ImportRefused::TooLarge { bytes: bytes.len(), bytes_max: INSTANCE_BYTES_MAX });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ImportRefused::NotUtf8)?;
    let text = text.trim_start_matches('\u{feff}');
    markup::check(text).map_err(|(_, wrong)| disproportionate(wrong))?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| not_xml(&error))?;
    work(document.root_element())
}

fn disproportionate(wrong: Disproportion) -> ImportRefused {
    match wrong {
        Disproportion::Depth => ImportRefused::TooDeep { depth_max: DEPTH_MAX },
        Disproportion::Attributes => ImportRefused::TooManyAttributes { attributes_max: ATTRIBUTES_MAX },
        Disproportion::Namespaces => ImportRefused::TooManyNamespaces { namespaces_max: NAMESPACES_MAX },
    }
}

fn not_xml(error: &roxmltree::Error) -> ImportRefused {
    let reason = match error {
        roxmltree::Error::DtdDetected => "a document type declaration",
        roxmltree::Error::NodesLimitReached => return ImportRefused::TooManyNodes { nodes_max: NODES_MAX },
        roxmltree::Error::UnknownEntityReference(..) => "an entity that is not defined",
        roxmltree::Error::UnexpectedCloseTag(..) | roxmltree::Error::UnclosedRootNode => "tags that do not match",
        _ => "a syntax error",
    };
    let place = error.pos();
    ImportRefused::NotXml { reason, row: place.row, column: place.col }
}

fn form_name(root: Node<'_, '_>) -> FormName {
    let id = root.attribute("id").filter(|id| !id.is_empty()).unwrap_or(root.tag_name().name());
    FormName { id: id.to_owned(), version: root.attribute("version").map(str::to_owned) }
}

fn instance(root: Node<'_, '_>) -> Option<String> {
    let child =
        |node: Node<'_, '_>, name: &str| node.children().find(|child| child.tag_name().name() == name).map(|c| c.id());
    let meta = child(root, "meta").and_then(|id| root.document().get_node(id));
    let inside = meta.and_then(|meta| child(meta, "instanceID")).and_then(|id| root.document().get_node(id));
    let text = inside.and_then(|node| node.text()).or(root.attribute("instanceID")).map(str::trim);
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Where the walk stands.
struct Place {
    table: usize,
    row: Option<String>,
    /// The groups that are open inside the row.
    groups: Vec<String>,
    depth: usize,
}

struct Reader<'a> {
    schema: &'a Schema,
    submission: Submission,
    exactness: Exactness,
    /// Rows of each table so far.
    counts: Vec<u32>,
    /// The element with the instance id was read.
    has_instance: bool,
}

/// What an element is in the form.
enum Found {
    Column(usize),
    Repeat(usize),
    Group,
    Unknown,
}

impl Reader<'_> {
    /// Keeps what the attributes of an element say: the form asks none of it. Those in no namespace that are `known` say
    /// nothing else than what is known already.
    fn attributes(
        &mut self,
        node: Node<'_, '_>,
        within: &str,
        path: &[String],
        known: impl Fn(&str) -> bool,
    ) -> Result<(), ImportRefused> {
        for attribute in node.attributes().filter(|attribute| !attribute.value().is_empty()) {
            let name = match attribute.namespace() {
                None if known(attribute.name()) => continue,
                None => format!("@{}", attribute.name()),
                Some(namespace) => format!("@{{{namespace}}}{}", attribute.name()),
            };
            let path: String = path.iter().flat_map(|element| [element.as_str(), "/"]).chain([name.as_str()]).collect();
            self.submission.keep(within, &path, attribute.value(), self.exactness)?;
        }
        Ok(())
    }

    /// The row that a place is in, `repeat/row`; empty in the record itself.
    fn within(&self, place: &Place) -> String {
        let row = place.row.as_ref().map(|row| format!("{}/{row}", self.schema.tables[place.table].name));
        row.unwrap_or_default()
    }

    fn children(&mut self, node: Node<'_, '_>, place: &Place) -> Result<(), ImportRefused> {
        if place.depth > DEPTH_MAX {
            return Err(ImportRefused::TooDeep { depth_max: DEPTH_MAX });
        }
        check_no_text(node)?;
        node.children().filter(Node::is_element).try_for_each(|child| self.element(child, place))
    }

    fn element(&mut self, node: Node<'_, '_>, place: &Place) -> Result<(), ImportRefused> {
        let name = node.tag_name().name();
        if place.table == 0 && place.groups.is_empty() && name == "meta" {
            return self.meta(node, place);
        }
        let mut path = place.groups.clone();
        path.push(name.to_owned());
        let found = self.find(place.table, &path);
        match found {
            // A repeat's template that a client left in is no row.
            Found::Repeat(_) if node.has_attribute((JAVAROSA, "template")) => return Ok(()),
            Found::Column(_) | Found::Group => self.attributes(node, &self.within(place), &path, |_| false)?,
            Found::Repeat(_) | Found::Unknown => {}
        }
        match found {
            Found::Column(column) => self.answer(node, place, column),
            Found::Repeat(repeat) => self.row(node, place, repeat),
            Found::Group => {
                let Place { table, row, .. } = place;
                self.children(node, &Place { table: *table, row: row.clone(), groups: path, depth: place.depth + 1 })
            }
            Found::Unknown => self.unknown(node, place, &mut path),
        }
    }

    /// What the instance says about itself; some of it a form may ask, such as a name for people.
    fn meta(&mut self, node: Node<'_, '_>, place: &Place) -> Result<(), ImportRefused> {
        if !node.children().any(|child| child.is_element()) {
            return self.unknown(node, place, &mut vec!["meta".to_owned()]);
        }
        check_no_text(node)?;
        self.attributes(node, "", &["meta".to_owned()], |_| false)?;
        for child in node.children().filter(Node::is_element) {
            let mut path = vec!["meta".to_owned(), child.tag_name().name().to_owned()];
            match self.find(place.table, &path) {
                Found::Column(column) => {
                    self.attributes(child, "", &path, |_| false)?;
                    self.answer(child, place, column)?;
                }
                Found::Repeat(_) | Found::Group | Found::Unknown => self.unknown(child, place, &mut path)?,
            }
        }
        Ok(())
    }

    fn find(&self, table: usize, path: &[String]) -> Found {
        let table = &self.schema.tables[table];
        for next in &table.order {
            let (found, known) = match *next {
                Next::Column(column) => (Found::Column(column), &table.columns[column].path),
                Next::Repeat(repeat) => (Found::Repeat(repeat), &self.schema.tables[repeat].path),
            };
            if known == path {
                return found;
            }
            if known.len() > path.len() && known.starts_with(path) {
                return Found::Group;
            }
        }
        Found::Unknown
    }

    fn answer(&mut self, node: Node<'_, '_>, place: &Place, column: usize) -> Result<(), ImportRefused> {
        let table = &self.schema.tables[place.table];
        let column = &table.columns[column];
        let key = match &place.row {
            Some(row) => format!("{}/{row}/{}", table.name, column.name),
            None => column.name.clone(),
        };
        let text = leaf(node).ok_or_else(|| ImportRefused::Shape { path: key.clone() })?;
        if column.kind == crate::ColumnKind::Note {
            // A text of the form has no answer; one that a client put there all the same is kept.
            return self.unknown(node, place, &mut column.path.clone());
        }
        self.submission.put(key, column.kind, &text, self.exactness)
    }

    fn row(&mut self, node: Node<'_, '_>, place: &Place, repeat: usize) -> Result<(), ImportRefused> {
        self.counts[repeat] += 1;
        let name = &self.schema.tables[repeat].name;
        let row = self.submission.row(name, self.counts[repeat]);
        if let Some(parent) = &place.row {
            self.submission.say(format!("{name}/{row}/{WITHIN}"), crate::Value::Text(parent.clone()))?;
        }
        let key = format!("{name}/{row}");
        self.attributes(node, &key, &[], |_| false)?;
        self.children(node, &Place { table: repeat, row: Some(row), groups: Vec::new(), depth: place.depth + 1 })?;
        // A row in which nothing stands is a row all the same; one in which other rows stand is named by these.
        match self.schema.tables[repeat].asked().next() {
            Some((_, first)) if !self.submission.has_cell(&key) => {
                self.submission.put(format!("{key}/{}", first.name), first.kind, "", self.exactness)
            }
            _ => Ok(()),
        }
    }

    /// Keeps the texts of an element that the form does not know.
    fn unknown(&mut self, node: Node<'_, '_>, place: &Place, path: &mut Vec<String>) -> Result<(), ImportRefused> {
        if path.len() > DEPTH_MAX {
            return Err(ImportRefused::TooDeep { depth_max: DEPTH_MAX });
        }
        let within = self.within(place);
        self.attributes(node, &within, path, |_| false)?;
        let is_instance = place.table == 0 && path[..] == ["meta", "instanceID"];
        if let Some(text) = leaf(node) {
            return match (is_instance, text.as_str()) {
                (_, "") => Ok(()),
                (false, text) => self.submission.keep(&within, &path.join("/"), text, self.exactness),
                (true, text) if text.trim() == self.submission.instance && !self.has_instance => {
                    self.has_instance = true;
                    Ok(())
                }
                (true, _) => Err(ImportRefused::Twice { path: EDIT.to_owned() }),
            };
        }
        check_no_text(node)?;
        for child in node.children().filter(Node::is_element) {
            path.push(child.tag_name().name().to_owned());
            self.unknown(child, place, path)?;
            path.pop();
        }
        Ok(())
    }
}

/// Beside elements stands no text: nobody could say what it answers.
fn check_no_text(node: Node<'_, '_>) -> Result<(), ImportRefused> {
    let is_text = |child: Node<'_, '_>| child.is_text() && !child.text().unwrap_or_default().trim().is_empty();
    if node.children().any(is_text) {
        return Err(ImportRefused::Shape { path: node.tag_name().name().to_owned() });
    }
    Ok(())
}

/// The text of an element without elements; none if it has some.
fn leaf(node: Node<'_, '_>) -> Option<String> {
    let mut text = String::new();
    for child in node.children() {
        if child.is_element() {
            return None;
        }
        text.push_str(child.text().filter(|_| child.is_text()).unwrap_or_default());
    }
    Some(text)
}
