//! A record as the XML instance that ODK and Kobo submit (OpenRosa): one value for each question.
//!
//! A conflict has no place there, and deciding one in silence is not ours: its element is left empty, and the caller is told.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::form::Key;
use merestone_forms::IMPORTED;

use crate::guard::{is_plain_name, is_xml};
use crate::import::EDIT;
use crate::record::{Answer, Record, Value, is_mark};
use crate::schema::{Column, ColumnKind, Next, Schema, Table, WITHIN};
use crate::xml::XmlWriter;

/// An instance, and what it could not carry.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// The instance.
    pub xml: Vec<u8>,
    /// The photos it names: the file name in it, and the SHA-256 of the original. The names are plain ones, and each stands
    /// for one photo, also where capitals and small letters are the same.
    pub attachments: Vec<(String, String)>,
    /// Whether it names [`AUDIT`], the trail that the record keeps.
    pub has_trail: bool,
    /// Answers that are not in it as they stand.
    pub left_out: Vec<LeftOut>,
}

/// The file name of an instance.
pub const INSTANCE: &str = "submission.xml";
/// The file name of a trail (`Form::audit_csv`), as ODK Collect has it.
pub const AUDIT: &str = "audit.csv";

/// An answer that an instance does not carry as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its key.
    pub key: String,
    /// Why.
    pub why: Why,
}

/// Why an instance does not carry an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Several values stand at its key.
    Conflict,
    /// Its row was withdrawn.
    Withdrawn,
    /// Its row stands in a row that is not there.
    NoParent,
    /// The form does not ask it.
    NotAsked,
    /// The form does not ask it any more, as the other answers are: who reads an instance would take it for an answer.
    NotRelevant,
    /// It was taken over from where the form asks something else now: beside that it would be a second answer.
    Asked,
    /// It was taken over under a name that no element can have.
    NoName,
    /// The file of this photo has another name than it came with: that one is taken, or no plain one.
    Renamed,
    /// It holds a character that XML cannot hold; U+FFFD is there instead.
    NotXml,
}

impl Why {
    /// A word for it that does not change.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Withdrawn => "withdrawn-row",
            Self::NoParent => "row-without-parent",
            Self::NotAsked => "not-asked-by-form",
            Self::NotRelevant => "not-relevant",
            Self::Asked => "place-of-a-question",
            Self::NoName => "no-element-name",
            Self::Renamed => "file-renamed",
            Self::NotXml => "not-in-xml",
        }
    }
}

/// The instance of a record that is not withdrawn: an instance has no way to say that it is.
///
/// What was taken over and nobody changed since goes out as it came. Otherwise what the form calculates is what comes of the
/// answers as they are, and what it does not ask any more is left out.
pub fn submission(schema: &Schema, record: &Record) -> Submitted {
    let marks = Marks::of(record);
    let is_as_imported = record.is_as_imported();
    let not_relevant = record.not_relevant.iter().map(String::as_str).filter(|_| !is_as_imported).collect();
    let mut writer = Writer {
        schema,
        record,
        marks,
        is_as_imported,
        not_relevant,
        xml: XmlWriter::new(),
        attachments: Vec::new(),
        has_trail: false,
        told: Vec::new(),
        done: BTreeSet::new(),
    };
    writer.write();
    let Writer { xml, attachments, has_trail, mut told, done, .. } = writer;
    let has_told: BTreeSet<&str> = told.iter().map(|one| one.key.as_str()).collect();
    let is_rest = |answer: &&Answer| {
        let key = answer.key.as_str();
        let is_done = done.contains(key) || has_told.contains(key);
        // What marks an import goes out as what it says; in conflict it says nothing.
        !is_done && (!is_kept_elsewhere(key) || (answer.values.len() > 1 && is_mark(key)))
    };
    let rest: Vec<LeftOut> = record
        .answers
        .iter()
        .filter(is_rest)
        .map(|answer| LeftOut { key: answer.key.clone(), why: why_left(schema, record, &answer.key) })
        .collect();
    told.extend(rest);
    Submitted { xml: xml.finish(), attachments, has_trail, left_out: told }
}

/// Keys that say how answers belong together, which an instance says by its shape.
fn is_kept_elsewhere(key: &str) -> bool {
    match Key::parse(key) {
        Some(Key::Cell { repeat, question, .. }) => repeat == IMPORTED || question == WITHIN || question == "withdrawn",
        Some(Key::Answer { question }) => question == "withdrawn",
        None => false,
    }
}

fn why_left(schema: &Schema, record: &Record, key: &str) -> Why {
    if is_mark(key) {
        return Why::Conflict;
    }
    let Some(Key::Cell { repeat, row, question }) = Key::parse(key) else { return Why::NotAsked };
    if record.is_true(&format!("{repeat}/{row}/withdrawn")) {
        return Why::Withdrawn;
    }
    match schema.column(repeat, question) {
        Some(_) if record.not_relevant.iter().any(|other| other == key) => Why::NotRelevant,
        Some(_) => Why::NoParent,
        None => Why::NotAsked,
    }
}

/// What the record keeps of the submission that it was taken over from.
#[derive(Default)]
struct Marks<'r> {
    version: Option<&'r str>,
    /// File names, by the key of the answer that named them.
    files: BTreeMap<&'r str, &'r str>,
    /// What the form had no question for.
    extras: Vec<Extra<'r>>,
}

/// Something that was taken over and that the form had no question for.
#[derive(Clone)]
struct Extra<'r> {
    /// The key of its text.
    key: String,
    /// The row it stands in, `repeat/row`; empty in the record itself.
    place: &'r str,
    /// Its elements with `/` between, or `@name`.
    path: &'r str,
    text: &'r str,
}

impl<'r> Marks<'r> {
    fn of(record: &'r Record) -> Self {
        let mut marks = Self::default();
        for row in record.rows(IMPORTED) {
            let text = |name: &str| match record.value(&format!("{IMPORTED}/{row}/{name}")) {
                Some(Value::Text(text)) => Some(text.as_str()),
                _ => None,
            };
            marks.version = marks.version.or(text("version"));
            if let (Some(at), Some(file)) = (text("at"), text("file")) {
                marks.files.insert(at, file);
            }
            if let (Some(path), Some(value)) = (text("path"), text("text")) {
                let key = format!("{IMPORTED}/{row}/text");
                marks.extras.push(Extra { key, place: text("in").unwrap_or_default(), path, text: value });
            }
        }
        marks
    }
}

struct Writer<'a> {
    schema: &'a Schema,
    record: &'a Record,
    marks: Marks<'a>,
    /// Nobody changed the record since it was taken over.
    is_as_imported: bool,
    /// The keys of answers that are left out, because they are not asked any more.
    not_relevant: BTreeSet<&'a str>,
    xml: XmlWriter,
    attachments: Vec<(String, String)>,
    has_trail: bool,
    told: Vec<LeftOut>,
    /// The keys that were written.
    done: BTreeSet<String>,
}

impl Writer<'_> {
    fn write(&mut self) {
        let schema = self.schema;
        self.xml.open(&schema.root).attribute("xmlns:orx", "http://openrosa.org/xforms").attribute("id", &schema.kind);
        let version = self.marks.version.unwrap_or(&schema.version).to_owned();
        if !version.is_empty() {
            self.xml.attribute("version", &version);
        }
        let mut attributes = BTreeSet::new();
        let extras = self.marks.extras.clone();
        for Extra { key, path, text, .. } in extras.iter().filter(|extra| extra.place.is_empty()) {
            // What came in is not trusted to be a name; the two that are written already stay the only ones.
            let name = path.strip_prefix('@').filter(|name| is_element(name) && !matches!(*name, "id" | "version"));
            if let Some(name) = name.filter(|name| !name.starts_with("xml") && attributes.insert(name.to_owned())) {
                self.xml.attribute(name, text);
                self.done.insert(key.clone());
            }
        }
        self.rows(0, None);
        self.xml.open("orx:meta");
        for column in schema.tables[0].columns.iter().filter(|column| is_in_meta(column)) {
            if let Some(text) = self.text(&column.name, column) {
                self.xml.leaf(&format!("orx:{}", column.path[1]), &text);
            }
        }
        self.xml.leaf("orx:instanceID", &self.record.instance());
        for Extra { key, path, text, .. } in extras.iter().filter(|extra| extra.place.is_empty()) {
            // The newest edit gives the instance its id.
            let Some(name) = path.strip_prefix("meta/").filter(|name| is_element(name)) else { continue };
            if !schema.tables[0].is_free(schema, &["meta", name]) {
                self.told.push(LeftOut { key: key.clone(), why: Why::Asked });
                continue;
            }
            if *path != EDIT {
                self.xml.leaf(&format!("orx:{name}"), text);
            }
            self.done.insert(key.clone());
        }
        self.xml.close();
        self.tell_of_marks(&extras);
    }

    /// Names what was taken over and has no place here.
    fn tell_of_marks(&mut self, extras: &[Extra<'_>]) {
        for Extra { key, place, path, .. } in extras {
            if self.done.contains(key) || self.told.iter().any(|one| one.key == *key) {
                continue;
            }
            let elements = path.strip_prefix('@').unwrap_or(path).split('/');
            let why = match place.split_once('/') {
                _ if !elements.into_iter().all(is_element) || path.starts_with('@') || path.starts_with("meta/") => {
                    Why::NoName
                }
                Some((repeat, row)) if self.record.is_true(&format!("{repeat}/{row}/withdrawn")) => Why::Withdrawn,
                Some(_) => Why::NoParent,
                None => Why::NoName,
            };
            self.told.push(LeftOut { key: key.clone(), why });
        }
        let files: Vec<&str> = self.marks.files.keys().copied().collect();
        for key in files {
            let (table, name) = match Key::parse(key) {
                Some(Key::Cell { repeat, question, .. }) => (repeat, question),
                Some(Key::Answer { question }) => ("", question),
                None => ("", key),
            };
            if self.schema.column(table, name).is_none() && self.record.values(key).is_empty() {
                self.told.push(LeftOut { key: key.to_owned(), why: Why::NotAsked });
            }
        }
    }

    /// What stands in a row of a table, or in the record itself.
    fn rows(&mut self, table: usize, row: Option<&str>) {
        let schema = self.schema;
        let of = &schema.tables[table];
        let mut open: Vec<&str> = Vec::new();
        for next in &of.order {
            match *next {
                Next::Column(column) => {
                    let column = &of.columns[column];
                    if table == 0 && is_in_meta(column) {
                        continue;
                    }
                    let key = key_of(of, row, &column.name);
                    let Some(text) = self.text(&key, column) else { continue };
                    let (name, groups) = split(&column.path);
                    self.groups(&mut open, groups);
                    self.xml.leaf(name, &text);
                }
                Next::Repeat(repeat) => {
                    let (name, groups) = split(&schema.tables[repeat].path);
                    for child in self.children(repeat, row) {
                        self.groups(&mut open, groups);
                        self.xml.open(name);
                        self.rows(repeat, Some(&child));
                        self.xml.close();
                    }
                }
            }
        }
        self.groups(&mut open, &[]);
        let place = row.map(|row| format!("{}/{row}", of.name)).unwrap_or_default();
        self.extras(table, &place);
    }

    /// What was taken over in a row, or in the record itself, and the form does not ask.
    fn extras(&mut self, table: usize, place: &str) {
        for Extra { key, path, text, .. } in self.marks.extras.clone().into_iter().filter(|extra| extra.place == place)
        {
            let elements: Vec<&str> = path.split('/').collect();
            let is_of_record = table == 0 && elements[0] == "meta";
            if is_of_record || !elements.iter().all(|name| is_element(name)) {
                continue;
            }
            if !self.schema.tables[table].is_free(self.schema, &elements) {
                self.told.push(LeftOut { key, why: Why::Asked });
                continue;
            }
            for element in &elements {
                self.xml.open(element);
            }
            self.xml.text(text);
            for _ in &elements {
                self.xml.close();
            }
            self.done.insert(key);
        }
    }

    /// The rows of a repeat that stand in a row of its parent, and are not withdrawn.
    fn children(&self, repeat: usize, parent: Option<&str>) -> Vec<String> {
        let table = &self.schema.tables[repeat];
        let is_child = |row: &str| {
            let within = match self.record.value(&format!("{}/{row}/{WITHIN}", table.name)) {
                Some(Value::Text(within)) => Some(within.as_str()),
                _ => None,
            };
            within == parent && !self.record.is_true(&format!("{}/{row}/withdrawn", table.name))
        };
        // A row in which nothing arrived but the name of a file that is missing is a row all the same.
        let named = self.marks.files.keys().filter_map(|key| match Key::parse(key) {
            Some(Key::Cell { repeat, row, .. }) if repeat == table.name => Some(row),
            _ => None,
        });
        let mut rows = self.schema.rows(repeat, self.record);
        rows.extend(named.map(str::to_owned));
        rows.into_iter().filter(|row| is_child(row) && !self.is_gone(repeat, row)).collect()
    }

    /// Whether a row is none any more, as the other answers are: nothing of what stands in it is asked.
    fn is_gone(&self, table: usize, row: &str) -> bool {
        if self.not_relevant.is_empty() {
            return false;
        }
        let name = &self.schema.tables[table].name;
        let prefix = format!("{name}/{row}/");
        let from = self.record.answers.partition_point(|answer| answer.key < prefix);
        let cells = self.record.answers[from..].iter().map(|answer| answer.key.as_str());
        let mut asked =
            cells.take_while(|key| key.starts_with(&prefix)).filter(|key| !is_kept_elsewhere(key)).peekable();
        if asked.peek().is_none() || asked.any(|key| !self.not_relevant.contains(key)) {
            return false;
        }
        let inner = self.schema.tables.iter().enumerate().filter(|(_, inner)| inner.parent == Some(table));
        let mut rows = inner.flat_map(|(number, _)| self.children(number, Some(row)));
        rows.next().is_none()
    }

    /// What an element holds; none if it is not there.
    fn text(&mut self, key: &str, column: &Column) -> Option<String> {
        let (record, kind) = (self.record, column.kind);
        if column.is_derived && !self.is_as_imported {
            self.done.insert(key.to_owned());
            return record.derived.get(key).cloned();
        }
        if self.not_relevant.contains(key) {
            self.told.push(LeftOut { key: key.to_owned(), why: Why::NotRelevant });
            return None;
        }
        let text = match record.values(key) {
            [] if kind == ColumnKind::Trail && self.trail(key) => AUDIT.to_owned(),
            [] => return self.marks.files.get(key).map(|file| (*file).to_owned()),
            [only] => match &only.value {
                Value::Blank => String::new(),
                Value::Bool(value) => value.to_string(),
                Value::Int(value) => value.to_string(),
                Value::Text(text) if kind == ColumnKind::Photo => self.file(key, text),
                Value::Text(text) => text.clone(),
            },
            _ => {
                self.told.push(LeftOut { key: key.to_owned(), why: Why::Conflict });
                String::new()
            }
        };
        if !text.chars().all(is_xml) {
            self.told.push(LeftOut { key: key.to_owned(), why: Why::NotXml });
        }
        self.done.insert(key.to_owned());
        Some(text)
    }

    /// Whether the record keeps a trail of this name. Parts that stand in conflict are in none.
    fn trail(&mut self, name: &str) -> bool {
        for answer in &self.record.answers {
            match Key::parse(&answer.key) {
                Some(Key::Cell { repeat, question: "csv", .. }) if repeat == name => {}
                _ => continue,
            }
            if answer.values.len() == 1 {
                self.has_trail = true;
                self.done.insert(answer.key.clone());
            } else {
                self.told.push(LeftOut { key: answer.key.clone(), why: Why::Conflict });
            }
        }
        self.has_trail
    }

    /// The file name of a photo: the one it came with, or one made of its hash.
    fn file(&mut self, key: &str, sha256: &str) -> String {
        let photo = self.record.photos.iter().find(|photo| photo.sha256 == sha256);
        let ending = photo.map_or("bin", |photo| photo.media.rsplit_once('/').map_or("bin", |(_, ending)| ending));
        let ending = if ending == "jpeg" { "jpg" } else { ending };
        let own = format!("{}.{ending}", sha256.get(..16).unwrap_or(sha256));
        let wanted = self.marks.files.get(key).map_or(own.as_str(), |file| *file);
        let is_free = |file: &str| {
            let is_same = |other: &str| other.to_lowercase() == file.to_lowercase();
            let is_other = |(other, of): &(String, String)| is_same(other) && (other != file || of != sha256);
            is_plain_name(file) && !is_same(INSTANCE) && !is_same(AUDIT) && !self.attachments.iter().any(is_other)
        };
        let file = if is_free(wanted) {
            wanted.to_owned()
        } else {
            let mut numbered = (0_u32..).map(|number| match number {
                0 => own.clone(),
                number => format!("{sha256}-{number}.{ending}"),
            });
            self.told.push(LeftOut { key: key.to_owned(), why: Why::Renamed });
            numbered.find(|file| is_free(file)).unwrap_or(own)
        };
        let named = (file.clone(), sha256.to_owned());
        if photo.is_some() && !self.attachments.contains(&named) {
            self.attachments.push(named);
        }
        file
    }

    /// Closes and opens groups until those of `wanted` are open.
    fn groups<'n>(&mut self, open: &mut Vec<&'n str>, wanted: &'n [String]) {
        let shared = open.iter().zip(wanted).take_while(|(open, wanted)| **open == wanted.as_str()).count();
        for _ in shared..open.len() {
            self.xml.close();
        }
        open.truncate(shared);
        for name in &wanted[shared..] {
            self.xml.open(name);
            open.push(name);
        }
    }
}

fn key_of(table: &Table, row: Option<&str>, name: &str) -> String {
    row.map_or_else(|| name.to_owned(), |row| format!("{}/{row}/{name}", table.name))
}

/// Whether a question stands among what an instance says about itself: the trail, and in many forms a name for people. One
/// element holds all of that, and the instance id too.
fn is_in_meta(column: &Column) -> bool {
    column.path.len() == 2 && column.path[0] == "meta"
}

/// The last element of a path, and those around it.
fn split(path: &[String]) -> (&str, &[String]) {
    path.split_last().map_or(("", &[]), |(name, groups)| (name.as_str(), groups))
}

/// Whether a name can be an element: what an import kept came from one, but a record may be written by anybody.
fn is_element(name: &str) -> bool {
    merestone_core::form::is_question(name)
}
