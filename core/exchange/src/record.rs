//! A record as it goes out: every value with its standing, and what is known of when, where and by whom.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::form::Key;
use merestone_forms::IMPORTED;
use serde::Serialize;

use crate::import::EDIT;

/// The value of one answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Asked and left blank.
    Blank,
    /// No or yes.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
}

/// One record.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Record {
    /// Its id, 64 hex digits.
    pub record: String,
    /// The name of its scope.
    pub scope: String,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
    /// Who created it; none while that is not held.
    pub author: Option<Author>,
    /// When it was created, as the device's clock said; none without that entry's body.
    pub made: Option<Made>,
    /// Where it was created, if it says so.
    pub place: Option<Place>,
    /// The post, if it says so.
    pub post: Option<String>,
    /// Every answer that stands, ascending by key.
    pub answers: Vec<Answer>,
    /// What is calculated from the answers and kept in no record, by key.
    pub derived: BTreeMap<String, String>,
    /// Keys of answers that stand and whose questions are not asked any more, as the other answers are; where values stand
    /// side by side, as the first of them is.
    pub not_relevant: Vec<String>,
    /// Its photos, in the order of their rows.
    pub photos: Vec<Photo>,
    /// Every held entry and what became of it.
    pub entries: Vec<Entry>,
}

/// One key with the values that stand: more than one is a conflict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// `question` or `repeat/row/question`.
    pub key: String,
    /// The values, ascending by entry.
    pub values: Vec<Held>,
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// The value.
    pub value: Value,
    /// The entry that put it, 64 hex digits.
    pub entry: String,
    /// The entry's standing, as `core/spec/record.md` calls it.
    pub standing: &'static str,
    /// The observer's name, or the key while no certificate is held.
    pub observer: String,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Author {
    /// The observer's name, or the key while no certificate is held.
    pub observer: String,
    /// The party's name; none while no certificate is held.
    pub party: Option<String>,
    /// The key, 64 hex digits.
    pub key: String,
}

/// What a device's clock said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Made {
    /// Milliseconds since 1970.
    pub wall_ms: i64,
    /// Local offset from UTC, in minutes.
    pub offset_min: i16,
    /// Where the clock had its time from: `device`, `network` or `satellite`.
    pub source: &'static str,
}

/// Where a device was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Latitude in 10^-7 degree.
    pub lat_e7: i32,
    /// Longitude in 10^-7 degree.
    pub lon_e7: i32,
    /// Radius of uncertainty in metres.
    pub accuracy_m: u64,
    /// How it is known: `satellite`, `hand`, `registry` or `mocked`.
    pub source: &'static str,
}

/// A photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Photo {
    /// Its row in the repeat `photos`; or the key of the question that it answers.
    pub row: String,
    /// SHA-256 of the original, 64 hex digits.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Its media type, `image/jpeg`.
    pub media: &'static str,
    /// The entry that attached it.
    pub entry: String,
    /// The captions that stand.
    pub captions: Vec<String>,
}

/// An entry of the record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its id.
    pub entry: String,
    /// What became of it.
    pub standing: &'static str,
    /// The observer's name, or the key while no certificate is held.
    pub observer: String,
    /// What it wrote, if it is a change that is not applied and its body is held: kept and shown, in no table of answers.
    pub not_applied: Vec<(String, Value)>,
}

impl Record {
    /// The values at a key.
    pub fn values(&self, key: &str) -> &[Held] {
        let at = self.answers.binary_search_by(|answer| answer.key.as_str().cmp(key));
        at.map_or(&[], |at| &self.answers[at].values)
    }

    /// The only value at a key; none if there is none, or several.
    pub fn value(&self, key: &str) -> Option<&Value> {
        match self.values(key) {
            [only] => Some(&only.value),
            _ => None,
        }
    }

    /// The rows of a repeat that has any cell, ascending by row id.
    pub fn rows<'r>(&'r self, repeat: &'r str) -> impl Iterator<Item = &'r str> {
        let prefix = format!("{repeat}/");
        let from = self.answers.partition_point(|answer| answer.key < prefix);
        let mut last = None;
        self.answers[from..]
            .iter()
            .map_while(move |answer| match Key::parse(&answer.key) {
                Some(Key::Cell { repeat: name, row, .. }) if name == repeat => Some(row),
                _ => None,
            })
            .filter(move |row| last.replace(*row) != Some(*row))
    }

    /// Whether some value at a key is true.
    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.values(key).iter().any(|held| held.value == Value::Bool(true))
    }

    /// The instance id of the submission from which it was taken over, if it was.
    pub fn imported_from(&self) -> Option<&str> {
        self.rows(IMPORTED).find_map(|row| match self.value(&format!("{IMPORTED}/{row}/instance"))? {
            Value::Text(instance) => Some(instance.as_str()),
            Value::Blank | Value::Bool(_) | Value::Int(_) => None,
        })
    }

    /// The id by which other systems know it: that of the edit taken over last, the one it came with, or one made of the
    /// record's id.
    pub fn instance(&self) -> String {
        self.edit().or_else(|| self.imported_from()).map_or_else(|| instance_of(&self.record), str::to_owned)
    }

    /// Whether it says what the submission said from which it was taken over, and nobody changed it since: every entry that
    /// is applied is one of an import, which leaves something in its mark.
    pub(crate) fn is_as_imported(&self) -> bool {
        let is_mark = |answer: &&Answer| is_mark(&answer.key);
        let marks: BTreeSet<&str> =
            self.answers.iter().filter(is_mark).flat_map(|mark| &mark.values).map(|held| held.entry.as_str()).collect();
        let is_import = |entry: &Entry| !entry.is_applied() || marks.contains(entry.entry.as_str());
        self.imported_from().is_some() && self.entries.iter().all(is_import)
    }

    /// The instance id of the edit that was taken over last, if one was.
    fn edit(&self) -> Option<&str> {
        let is_edit = |row: &&str| matches!(self.value(&format!("{IMPORTED}/{row}/path")), Some(Value::Text(path)) if path == EDIT);
        let row = self.rows(IMPORTED).find(is_edit)?;
        match self.value(&format!("{IMPORTED}/{row}/text"))? {
            Value::Text(instance) => Some(instance.as_str()),
            Value::Blank | Value::Bool(_) | Value::Int(_) => None,
        }
    }

    /// How many entries are in each standing that is not applied, as `set-aside=1 waiting=2`.
    pub(crate) fn not_applied(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| !entry.is_applied()) {
            *counts.entry(entry.standing).or_default() += 1;
        }
        let counts: Vec<String> = counts.iter().map(|(standing, count)| format!("{standing}={count}")).collect();
        counts.join(" ")
    }
}

impl Entry {
    fn is_applied(&self) -> bool {
        matches!(self.standing, "accepted" | "provisional")
    }
}

/// Whether a key is one of the mark of an import.
pub(crate) fn is_mark(key: &str) -> bool {
    matches!(Key::parse(key), Some(Key::Cell { repeat: IMPORTED, .. }))
}

/// A UUID of version 8 (RFC 9562) whose bits are those of a record id, with `uuid:` in front as OpenRosa wants it.
pub fn instance_of(record: &str) -> String {
    let digit = |at: usize| record.as_bytes().get(at).map_or('0', |byte| char::from(*byte));
    let mut id = "uuid:".to_owned();
    for at in 0..32 {
        if matches!(at, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(match at {
            12 => '8',
            16 => ['8', '9', 'a', 'b'][digit(at).to_digit(16).unwrap_or(0) as usize % 4],
            _ => digit(at),
        });
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_one_instance_id_and_it_is_a_uuid() {
        let id = instance_of(&"0123456789abcdef".repeat(4));
        assert_eq!(id, "uuid:01234567-89ab-8def-8123-456789abcdef");
    }

    #[test]
    fn rows_are_those_of_the_repeat_and_each_is_named_once() {
        let cell = |key: &str| Answer { key: key.to_owned(), values: Vec::new() };
        let keys = [
            "a",
            "place",
            "places/0000000000000001/a",
            "places/0000000000000001/b",
            "places/0000000000000002/a",
            "places2/0000000000000003/a",
        ];
        let record = Record { answers: keys.map(cell).into(), ..Record::default() };
        assert_eq!(record.rows("places").collect::<Vec<_>>(), ["0000000000000001", "0000000000000002"]);
        assert_eq!(record.rows("place").count(), 0);
    }
}
