//! One submission as it was understood, and the mark that a record taken over from it carries (`core/spec/exchange.md`).

use std::collections::BTreeMap;

use merestone_core::change::TEXT_BYTES_MAX;
use merestone_core::id::sha256;
use merestone_core::text::{self, Lines};
use merestone_forms::IMPORTED;

use super::refused::ImportRefused;
use crate::record::Value;
use crate::schema::ColumnKind;

/// Most answers of a submission: an entry holds no more operations than this with room for the mark.
pub(crate) const ANSWERS_MAX: usize = 4_096;
/// Longest instance id, in bytes.
const INSTANCE_BYTES_MAX: usize = 256;

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
        let file = self.file.as_str();
        !file.is_empty() && file.len() <= 255 && !file.starts_with('.') && !file.contains(['/', '\\', ':', '\0'])
    }
}

impl Submission {
    pub(crate) fn new(instance: &str, version: Option<&str>, source: Source) -> Result<Self, ImportRefused> {
        let is_id = |c: char| !c.is_control() && !c.is_whitespace();
        let is_short = (1..=INSTANCE_BYTES_MAX).contains(&instance.len());
        if !is_short || !instance.chars().all(is_id) || text::check(instance, Lines::One, "instance id").is_err() {
            return Err(ImportRefused::BadInstance);
        }
        let version =
            version.map(|version| text::tidy(version, Lines::One).into_owned()).filter(|text| !text.is_empty());
        let (answers, attachments, extras, tidied) = Default::default();
        Ok(Self { instance: instance.to_owned(), version, source, answers, attachments, extras, tidied })
    }

    /// Puts what stands at a question.
    pub(crate) fn put(
        &mut self,
        key: String,
        kind: ColumnKind,
        raw: &str,
        exactness: Exactness,
    ) -> Result<(), ImportRefused> {
        if self.answers.contains_key(&key) || self.attachments.iter().any(|attachment| attachment.key == key) {
            return Err(ImportRefused::Twice { path: key });
        }
        if self.answers.len() + self.attachments.len() + self.extras.len() >= ANSWERS_MAX {
            return Err(ImportRefused::TooMany { answers_max: ANSWERS_MAX });
        }
        if raw.is_empty() {
            self.answers.insert(key, Value::Blank);
            return Ok(());
        }
        let text = self.text(&key, raw, exactness)?;
        if matches!(kind, ColumnKind::Photo | ColumnKind::File) {
            self.attachments.push(Attachment { key, file: text, is_photo: kind == ColumnKind::Photo });
            return Ok(());
        }
        let number =
            text.parse::<i64>().ok().filter(|number| kind == ColumnKind::Integer && number.to_string() == text);
        // `007` is what was written: as a number it would come back as 7.
        self.answers.insert(key, number.map_or(Value::Text(text), Value::Int));
        Ok(())
    }

    /// Keeps what the form has no question for.
    pub(crate) fn keep(
        &mut self,
        place: &str,
        path: &str,
        raw: &str,
        exactness: Exactness,
    ) -> Result<(), ImportRefused> {
        if self.answers.len() + self.attachments.len() + self.extras.len() >= ANSWERS_MAX {
            return Err(ImportRefused::TooMany { answers_max: ANSWERS_MAX });
        }
        let path_text = self.text(path, path, exactness)?;
        let text = self.text(path, raw, exactness)?;
        self.extras.push(Extra { place: place.to_owned(), path: path_text, text });
        Ok(())
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
        row_id("merestone/import-row/v1", &self.instance, table, number)
    }

    /// Everything that the record will say: the answers, the photos that arrived, and the mark.
    ///
    /// `arrivals` are those of the attachments, in their order; one that is not told counts as `absent`.
    pub fn cells(&self, arrivals: &[Arrival]) -> BTreeMap<String, Value> {
        let mut cells = self.answers.clone();
        let mut mark = |number: u32, name: &str, text: &str| {
            let row = row_id("merestone/import-mark/v1", &self.instance, IMPORTED, number);
            cells.insert(format!("{IMPORTED}/{row}/{name}"), Value::Text(text.to_owned()));
        };
        mark(0, "instance", &self.instance);
        mark(
            0,
            "source",
            match self.source {
                Source::Xml => "xml",
                Source::Csv => "csv",
            },
        );
        if let Some(version) = &self.version {
            mark(0, "version", version);
        }
        let mut number = 0;
        let mut photos = Vec::new();
        let absent = Arrival::Missing("absent");
        for (at, attachment) in self.attachments.iter().enumerate() {
            number += 1;
            mark(number, "at", &attachment.key);
            mark(number, "file", &attachment.file);
            match arrivals.get(at).unwrap_or(&absent) {
                Arrival::Arrived(sha256) => {
                    mark(number, "sha256", sha256);
                    photos.push((attachment.key.clone(), Value::Text(sha256.clone())));
                }
                Arrival::Missing(why) => mark(number, "missing", why),
            }
        }
        for extra in &self.extras {
            number += 1;
            if !extra.place.is_empty() {
                mark(number, "in", &extra.place);
            }
            mark(number, "path", &extra.path);
            mark(number, "text", &extra.text);
        }
        cells.extend(photos);
        cells
    }
}

fn row_id(tag: &str, instance: &str, table: &str, number: u32) -> String {
    let number_bytes = number.to_be_bytes();
    let hash = sha256(&[tag.as_bytes(), b"\0", instance.as_bytes(), b"\0", table.as_bytes(), b"\0", &number_bytes]);
    format!("{number:08x}{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3])
}
