//! One submission as it was understood, and the mark that a record taken over from it carries (`core/spec/exchange.md`).

use std::collections::BTreeMap;

use merestone_core::change::TEXT_BYTES_MAX;
use merestone_core::id::sha256;
use merestone_core::text::{self, Lines};
use merestone_forms::IMPORTED;

use super::known::DEPRECATED;
use super::refused::ImportRefused;
use crate::guard::is_plain_name;
use crate::record::Value;
use crate::schema::ColumnKind;

/// Most answers, files and extras of a submission together, rows' parents and withdrawals included: as many as a change
/// holds, so that a submission becomes a few entries and not hundreds.
pub(crate) const ANSWERS_MAX: usize = 4_096;
/// Longest instance id, in bytes.
pub(crate) const INSTANCE_ID_BYTES_MAX: usize = 256;

/// Whether a text may be changed so that it can be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// A text that cannot be stored exactly refuses its submission.
    Exact,
    /// It is tidied (composed, without control and direction characters), and its key is named.
    Tidied,
}

/// Where a submission was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An XML instance.
    Xml,
    /// A row of a CSV.
    Csv,
}

/// One submission under the keys of the form's records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Its instance id, as it came.
    pub instance: String,
    /// The instance id that ids of its rows are made of: its own, or that of the submission that it is an edit of.
    pub(crate) rows_of: String,
    /// The version of the form that it names.
    pub version: Option<String>,
    /// Where it was read from.
    pub source: Source,
    /// Its answers, by key. A file's name is no answer: it is in `attachments`.
    pub answers: BTreeMap<String, Value>,
    /// The files that it names.
    pub attachments: Vec<Attachment>,
    /// What the form has no question for.
    pub extras: Vec<Extra>,
    /// Keys whose texts were tidied.
    pub tidied: Vec<String>,
}

/// A file that a submission names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The question that it answers.
    pub key: String,
    /// Its name; whether it is a plain one is for the caller to ask [`Attachment::is_plain`].
    pub file: String,
    /// Whether the form asks for a photo there.
    pub is_photo: bool,
}

/// What became of an attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It is stored: the SHA-256 of its bytes, 64 lowercase hex digits.
    Arrived(String),
    /// It is not, for this reason, a word that does not change.
    Missing(&'static str),
}

/// Something that a submission says and the form has no question for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extra {
    /// The row it stands in, `repeat/row`; empty in the record itself.
    pub place: String,
    /// The elements or the heading, separated by `/`; an attribute of the root as `@name`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Attachment {
    /// Whether its name is one of a file beside the submission: no folders, no ways up, nothing hidden.
    pub fn is_plain(&self) -> bool {
        is_plain_name(&self.file)
    }
}

impl Submission {
    pub(crate) fn new(instance: &str, version: Option<&str>, source: Source) -> Result<Self, ImportRefused> {
        let is_id = |c: char| !c.is_control() && !c.is_whitespace();
        let is_short = (1..=INSTANCE_ID_BYTES_MAX).contains(&instance.len());
        if !is_short || !instance.chars().all(is_id) || text::check(instance, Lines::One, "instance id").is_err() {
            return Err(ImportRefused::BadInstance);
        }
        let version =
            version.map(|version| text::tidy(version, Lines::One).into_owned()).filter(|text| !text.is_empty());
        let (answers, attachments, extras, tidied) = Default::default();
        let (instance, rows_of) = (instance.to_owned(), instance.to_owned());
        Ok(Self { instance, rows_of, version, source, answers, attachments, extras, tidied })
    }

    /// The instance id of the submission that this one is an edit of, as ODK and Kobo name it.
    pub fn deprecates(&self) -> Option<&str> {
        let is_it = |extra: &&Extra| DEPRECATED.contains(&extra.path.as_str());
        self.extras.iter().find(is_it).map(|extra| extra.text.as_str())
    }

    /// Puts what stands at a question.
    pub(crate) fn put(
        &mut self,
        key: String,
        kind: ColumnKind,
        raw: &str,
        exactness: Exactness,
    ) -> Result<(), ImportRefused> {
        if raw.is_empty() {
            return self.say(key, Value::Blank);
        }
        let text = self.text(&key, raw, exactness)?;
        if matches!(kind, ColumnKind::Photo | ColumnKind::File | ColumnKind::Trail) {
            self.check_new(&key)?;
            self.check_room()?;
            self.attachments.push(Attachment { key, file: text, is_photo: kind == ColumnKind::Photo });
            return Ok(());
        }
        let number =
            text.parse::<i64>().ok().filter(|number| kind == ColumnKind::Integer && number.to_string() == text);
        // `007` is what was written: as a number it would come back as 7.
        self.say(key, number.map_or(Value::Text(text), Value::Int))
    }

    /// Puts an answer: every answer of a submission comes in here, and counts.
    pub(crate) fn say(&mut self, key: String, value: Value) -> Result<(), ImportRefused> {
        self.check_new(&key)?;
        self.check_room()?;
        self.answers.insert(key, value);
        Ok(())
    }

    fn check_new(&self, key: &str) -> Result<(), ImportRefused> {
        let is_there = self.answers.contains_key(key) || self.attachments.iter().any(|one| one.key == key);
        if is_there { Err(ImportRefused::Twice { path: key.to_owned() }) } else { Ok(()) }
    }

    /// Whether one more answer, file or extra has room.
    fn check_room(&self) -> Result<(), ImportRefused> {
        let is_full = self.answers.len() + self.attachments.len() + self.extras.len() >= ANSWERS_MAX;
        if is_full { Err(ImportRefused::TooMany { answers_max: ANSWERS_MAX }) } else { Ok(()) }
    }

    /// Keeps what the form has no question for.
    pub(crate) fn keep(
        &mut self,
        place: &str,
        path: &str,
        raw: &str,
        exactness: Exactness,
    ) -> Result<(), ImportRefused> {
        self.check_room()?;
        let path_text = self.text(path, path, exactness)?;
        let text = self.text(path, raw, exactness)?;
        self.extras.push(Extra { place: place.to_owned(), path: path_text, text });
        Ok(())
    }

    /// Whether something stands in a row, `repeat/row`, or another row says that it stands in it.
    pub(crate) fn has_cell(&self, row: &str) -> bool {
        let is_of = |key: &str| key.strip_prefix(row).is_some_and(|rest| rest.starts_with('/'));
        let next = self.answers.range(format!("{row}/")..).next();
        let id = row.rsplit('/').next().unwrap_or_default();
        let is_around = |(key, value): (&String, &Value)| {
            key.ends_with("/within") && matches!(value, Value::Text(around) if around == id)
        };
        next.is_some_and(|(key, _)| is_of(key))
            || self.attachments.iter().any(|attachment| is_of(&attachment.key))
            || self.answers.iter().any(is_around)
    }

    fn text(&mut self, key: &str, raw: &str, exactness: Exactness) -> Result<String, ImportRefused> {
        if raw.len() > TEXT_BYTES_MAX {
            return Err(ImportRefused::TooLong { key: key.to_owned(), bytes: raw.len() });
        }
        match (text::check(raw, Lines::Many, "answer"), exactness) {
            (Ok(()), _) => Ok(raw.to_owned()),
            (Err(_), Exactness::Exact) => Err(ImportRefused::Untidy { key: key.to_owned() }),
            (Err(_), Exactness::Tidied) => {
                self.tidied.push(key.to_owned());
                Ok(text::tidy(raw, Lines::Many).into_owned())
            }
        }
    }

    /// The id of a row: ascending ids keep the rows in the submission's order, and the same submission has the same rows.
    pub(crate) fn row(&self, table: &str, number: u32) -> String {
        row_id("merestone/import-row/v1", &self.rows_of, table, number)
    }

    /// The answers, and the mark without what it says of files. The mark's first row comes first: a record that has it is
    /// known as this submission's.
    pub fn cells(&self) -> Vec<(String, Value)> {
        let mut cells = vec![self.mark(0, "instance", &self.rows_of), self.mark(0, "source", self.source.code())];
        cells.extend(self.version.as_ref().map(|version| self.mark(0, "version", version)));
        for (number, extra) in (self.attachments.len() + 1..).zip(&self.extras) {
            if !extra.place.is_empty() {
                cells.push(self.mark(number, "in", &extra.place));
            }
            cells.push(self.mark(number, "path", &extra.path));
            cells.push(self.mark(number, "text", &extra.text));
        }
        cells.extend(self.answers.iter().map(|(key, value)| (key.clone(), value.clone())));
        cells
    }

    /// The key at which the record says its instance id, which every entry of an import puts.
    pub fn mark_key(&self) -> String {
        self.mark(0, "instance", "").0
    }

    /// What the record says of the attachment of this number, and the answer that names it if it arrived.
    pub fn attachment_cells(&self, at: usize, arrival: &Arrival) -> Vec<(String, Value)> {
        let Some(Attachment { key, file, is_photo: _ }) = self.attachments.get(at) else { return Vec::new() };
        let number = at + 1;
        let mut cells = vec![self.mark(number, "at", key), self.mark(number, "file", file)];
        match arrival {
            Arrival::Arrived(sha256) => {
                cells.push(self.mark(number, "sha256", sha256));
                cells.push((key.clone(), Value::Text(sha256.clone())));
            }
            Arrival::Missing(why) => cells.push(self.mark(number, "missing", why)),
        }
        cells
    }

    /// The key at which the record says of the attachment of this number whether it arrived (`sha256`) or not (`missing`).
    pub fn attachment_key(&self, at: usize, name: &str) -> String {
        self.mark(at + 1, name, "").0
    }

    fn mark(&self, number: usize, name: &str, text: &str) -> (String, Value) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        (format!("{IMPORTED}/{}/{name}", mark_row(&self.rows_of, number)), Value::Text(text.to_owned()))
    }
}

/// The id of a row of the mark.
pub(super) fn mark_row(instance: &str, number: u32) -> String {
    row_id("merestone/import-mark/v1", instance, IMPORTED, number)
}

/// Whether a text is written as the ids of rows are (`core/spec/record.md`).
pub(super) fn is_row_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn row_id(tag: &str, instance: &str, table: &str, number: u32) -> String {
    let number_bytes = number.to_be_bytes();
    let hash = sha256(&[tag.as_bytes(), b"\0", instance.as_bytes(), b"\0", table.as_bytes(), b"\0", &number_bytes]);
    format!("{number:08x}{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3])
}
