//! What a record says of the submission that was taken over into it, and how that compares with one that comes again.
//!
//! An entry that puts the instance id of the mark is one of an import: what it puts is what the submission said then. What
//! people put afterwards is theirs, and no difference of the submission. The rules stand in `core/spec/exchange.md`.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::form::Key;
use merestone_forms::IMPORTED;

use super::submission::{Source, Submission, mark_row};
use crate::record::{Value, is_mark};

/// Cells of a file's row in the mark.
const FILE: [&str; 4] = ["at", "file", "sha256", "missing"];
/// The path under which the mark keeps the instance id of an edit that was taken over.
pub(crate) const EDIT: &str = "meta/instanceID";
/// Paths and headings under which ODK and Kobo name the submission that another is an edit of.
pub(super) const DEPRECATED: [&str; 3] = ["meta/deprecatedID", "meta-deprecatedID", "deprecatedID"];

/// A record that was made of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The instance id that the record was made with; ids of rows are made of it.
    pub instance: String,
    /// The ids of edits that were taken over, and of submissions that these say they are edits of.
    others: BTreeSet<String>,
    /// The id of what was taken over last.
    newest: String,
    /// What the imports put last at each key.
    imported: BTreeMap<String, Value>,
    /// What stands now, by key.
    standing: BTreeMap<String, Vec<Value>>,
}

/// How a submission differs from what was taken over of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What it says and the record does not yet.
    pub missing: Vec<(String, Value)>,
    /// What it says otherwise than when it was taken over, and what it does not say any more.
    pub changed: Vec<Difference>,
}

/// One answer that a submission says otherwise than when it was taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key.
    pub key: String,
    /// What it says now; blank where it says nothing any more.
    pub value: Value,
    /// What happened here since.
    pub here: Here,
}

/// What stands at a key that a submission says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// What was taken over.
    AsTaken,
    /// What somebody put here since, or before.
    Corrected,
    /// Several values.
    Conflict,
}

impl Here {
    /// A word for it that does not change.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AsTaken => "as-taken",
            Self::Corrected => "corrected-here",
            Self::Conflict => "conflict-here",
        }
    }
}

impl Known {
    /// What a record says, from what each of its entries put (the creating one first, then each after those that it builds
    /// on) and from what stands. None if it was made of no submission: the creating entry decides, so that no later entry
    /// can make a record stand for a submission.
    pub fn of(entries: &[BTreeMap<String, Value>], standing: BTreeMap<String, Vec<Value>>) -> Option<Self> {
        let (mark, instance) = entries.first()?.iter().find_map(|(key, value)| match value {
            Value::Text(instance) if *key == instance_key(instance) => Some((key.clone(), instance.clone())),
            _ => None,
        })?;
        let newest = instance.clone();
        let mut known = Self { instance, others: BTreeSet::new(), newest, imported: BTreeMap::new(), standing };
        for entry in entries.iter().filter(|entry| entry.contains_key(&mark)) {
            known.imported.extend(entry.iter().map(|(key, value)| (key.clone(), value.clone())));
            known.others.extend(known.kept_at(&DEPRECATED));
            if let Some(edit) = known.kept_at(&[EDIT]) {
                known.others.insert(edit.clone());
                known.newest = edit;
            }
        }
        Some(known)
    }

    /// What the imports so far keep of the submission at one of these paths.
    fn kept_at(&self, paths: &[&str]) -> Option<String> {
        let is_it = |(key, value): &(&String, &Value)| {
            is_mark(key)
                && key.ends_with("/path")
                && matches!(value, Value::Text(path) if paths.contains(&path.as_str()))
        };
        let (key, _) = self.imported.iter().find(is_it)?;
        match self.imported.get(&format!("{}text", key.strip_suffix("path")?))? {
            Value::Text(text) => Some(text.clone()),
            Value::Blank | Value::Bool(_) | Value::Int(_) => None,
        }
    }

    /// Whether the record was made of the submission with this id, or of an edit of it, or the other way round.
    pub fn is_of(&self, instance: &str) -> bool {
        self.instance == instance || self.others.contains(instance)
    }

    /// Whether an edit was taken over after the submission with this id.
    pub fn is_superseded(&self, instance: &str) -> bool {
        self.is_of(instance) && self.newest != instance
    }

    /// The key that every entry of an import puts, also one that completes or changes the record.
    pub fn mark_key(&self) -> String {
        instance_key(&self.instance)
    }

    /// Whether it was taken over from the same kind of file, so that rows of the mark have the same numbers.
    pub fn is_alike(&self, submission: &Submission) -> bool {
        let source = self.imported.get(&format!("{IMPORTED}/{}/source", mark_row(&self.instance, 0)));
        source == Some(&Value::Text(submission.source.code().to_owned()))
    }

    /// Whether anything stands at a key.
    pub fn is_said(&self, key: &str) -> bool {
        self.standing.get(key).is_some_and(|values| !values.is_empty())
    }

    /// How a submission differs. Between a table and an instance only answers and the names of files are compared: they
    /// number what else they say each in their own way, and a table cannot say everything.
    pub fn compare(&self, submission: &Submission) -> Comparison {
        let is_alike = self.is_alike(submission);
        let mut compared = Comparison::default();
        let wanted: BTreeMap<String, Value> =
            submission.cells().into_iter().filter(|(key, _)| is_alike || !is_mark(key)).collect();
        for (key, value) in &wanted {
            self.one(key, value, &mut compared);
        }
        for at in 0..submission.attachments.len() {
            self.file(submission, at, is_alike, &mut compared);
        }
        if is_alike {
            self.gone(submission, &wanted, &mut compared);
        }
        compared
    }

    fn one(&self, key: &str, value: &Value, compared: &mut Comparison) {
        let taken = self.imported.get(key);
        let standing = self.standing.get(key).map_or(&[][..], Vec::as_slice);
        if taken == Some(value) || standing.contains(value) {
            return;
        }
        if taken.is_none() && standing.is_empty() {
            compared.missing.push((key.to_owned(), value.clone()));
            return;
        }
        let here = match standing {
            [only] if taken == Some(only) => Here::AsTaken,
            [] | [_] => Here::Corrected,
            _ => Here::Conflict,
        };
        compared.changed.push(Difference { key: key.to_owned(), value: value.clone(), here });
    }

    /// A file of another name than the one that was named, or one where none was. In a table of ours the name of a photo is
    /// its hash.
    fn file(&self, submission: &Submission, at: usize, is_alike: bool, compared: &mut Comparison) {
        let attachment = &submission.attachments[at];
        let (key, file) = (&attachment.key, Value::Text(attachment.file.clone()));
        let cell = |name: &str| self.imported.get(&submission.attachment_key(at, name));
        let is_same = if is_alike {
            let is_taken = cell("at") == Some(&Value::Text(key.clone())) && cell("file") == Some(&file);
            // One that was not taken over yet is attached with its row.
            is_taken || (cell("at").is_none() && !self.imported.contains_key(key) && !self.is_said(key))
        } else {
            let is_answer = self.standing.get(key).is_some_and(|values| values.contains(&file));
            is_answer || self.file_at(key) == Some(&file)
        };
        if !is_same {
            compared.changed.push(Difference { key: key.clone(), value: file, here: Here::AsTaken });
        }
    }

    /// The file that the mark names for the answer at a key.
    fn file_at(&self, key: &str) -> Option<&Value> {
        let named = Value::Text(key.to_owned());
        let is_it = |(cell, value): &(&String, &Value)| is_mark(cell) && cell.ends_with("/at") && **value == named;
        let (cell, _) = self.imported.iter().find(is_it)?;
        self.imported.get(&format!("{}file", cell.strip_suffix("at")?))
    }

    /// What was taken over and is not in the submission any more: a row is withdrawn, anything else left blank.
    fn gone(&self, submission: &Submission, wanted: &BTreeMap<String, Value>, compared: &mut Comparison) {
        let mut rows: BTreeSet<String> = wanted.keys().filter_map(|key| row_of(key)).collect();
        let mut files: BTreeSet<String> = BTreeSet::new();
        for (at, attachment) in submission.attachments.iter().enumerate() {
            rows.extend(row_of(&attachment.key));
            files.extend(row_of(&submission.attachment_key(at, "file")));
        }
        let is_file = |key: &str| submission.attachments.iter().any(|attachment| attachment.key == key);
        let mut withdrawn = BTreeSet::new();
        for key in self.imported.keys().filter(|key| !wanted.contains_key(*key) && !is_file(key)) {
            let is_in_row = row_of(key).is_some_and(|row| rows.contains(&row));
            match Key::parse(key) {
                Some(Key::Cell { repeat: IMPORTED, question, .. }) => {
                    let is_of_file = row_of(key).is_some_and(|row| files.contains(&row));
                    if !(is_of_file && FILE.contains(&question)) {
                        self.leave(key, Value::Blank, compared);
                    }
                }
                Some(Key::Cell { question: "withdrawn", .. }) if is_in_row => {
                    self.leave(key, Value::Bool(false), compared);
                }
                Some(Key::Cell { repeat, row, .. }) if !is_in_row => {
                    withdrawn.insert(format!("{repeat}/{row}/withdrawn"));
                }
                Some(Key::Cell { .. } | Key::Answer { .. }) => self.leave(key, Value::Blank, compared),
                None => {}
            }
        }
        for key in withdrawn {
            self.leave(&key, Value::Bool(true), compared);
        }
    }

    fn leave(&self, key: &str, value: Value, compared: &mut Comparison) {
        let mut left = Comparison::default();
        self.one(key, &value, &mut left);
        let missing = left.missing.into_iter();
        compared.changed.extend(missing.map(|(key, value)| Difference { key, value, here: Here::AsTaken }));
        compared.changed.append(&mut left.changed);
    }
}

impl Source {
    /// A word for it that does not change.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Csv => "csv",
        }
    }
}

/// The key at which the mark of a submission says its instance id.
fn instance_key(instance: &str) -> String {
    format!("{IMPORTED}/{}/instance", mark_row(instance, 0))
}

/// The row that a key stands in, `repeat/row`.
fn row_of(key: &str) -> Option<String> {
    match Key::parse(key)? {
        Key::Cell { repeat, row, .. } => Some(format!("{repeat}/{row}")),
        Key::Answer { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Exactness, read_edit, read_xml};
    use crate::schema::Schema;

    const FORM: &str = "| survey |\n| | type | name | label |\n| | text | title | Title |\n| | integer | cars | Cars |\n\
                        | | image | picture | Picture |\n| | begin_repeat | rows | Rows |\n| | text | what | What |\n\
                        | | end_repeat | | |\n| settings |\n| | form_id |\n| | visit |\n";

    fn submission(inside: &str, of: Option<&str>) -> Submission {
        let schema = Schema::of(&merestone_forms::Form::read_tables(FORM).unwrap());
        let id = if of.is_some() { "uuid:2" } else { "uuid:1" };
        let xml = format!("<visit id='visit'>{inside}<meta><instanceID>{id}</instanceID></meta></visit>");
        match of {
            Some(of) => read_edit(&schema, xml.as_bytes(), Exactness::Exact, of).unwrap(),
            None => read_xml(&schema, xml.as_bytes(), Exactness::Exact).unwrap(),
        }
    }

    fn known(entries: &[BTreeMap<String, Value>]) -> Known {
        let mut standing = BTreeMap::new();
        for (key, value) in entries.iter().flatten() {
            standing.insert(key.clone(), vec![value.clone()]);
        }
        Known::of(entries, standing).unwrap()
    }

    fn taken(inside: &str) -> BTreeMap<String, Value> {
        submission(inside, None).cells().into_iter().collect()
    }

    fn differing(known: &Known, again: &Submission) -> Vec<(String, &'static str)> {
        let compared = known.compare(again);
        let short = |key: &str| {
            Key::parse(key).map_or_else(String::new, |key| match key {
                Key::Answer { question } => question.to_owned(),
                Key::Cell { repeat, question, .. } => format!("{repeat}/{question}"),
            })
        };
        compared.changed.iter().map(|one| (short(&one.key), one.here.code())).collect()
    }

    #[test]
    fn a_submission_differs_where_it_says_otherwise_than_when_it_was_taken_and_nowhere_else() {
        let first = "<title>a</title><cars>1</cars><rows><what>x</what></rows><rows><what>y</what></rows>";
        let record = known(&[taken(first), BTreeMap::from([("title".to_owned(), Value::Text("mended".into()))])]);
        let rows: [(&str, &[(&str, &str)]); 6] = [
            (first, &[]),
            (&first.replace(">a<", ">mended<"), &[]),
            (&first.replace(">a<", ">b<"), &[("title", "corrected-here")]),
            (&first.replace(">1<", ">2<"), &[("cars", "as-taken")]),
            ("<title>a</title><rows><what>x</what></rows>", &[("cars", "as-taken"), ("rows/withdrawn", "as-taken")]),
            (&format!("{first}<odd>o</odd>"), &[]),
        ];
        for (again, wanted) in rows {
            let wanted: Vec<_> = wanted.iter().map(|(key, here)| ((*key).to_owned(), *here)).collect();
            assert_eq!(differing(&record, &submission(again, None)), wanted, "{again}");
        }
        assert_eq!(record.compare(&submission(&format!("{first}<odd>o</odd>"), None)).missing.len(), 2);
    }

    #[test]
    fn only_the_creating_entry_makes_a_record_stand_for_a_submission() {
        let first = taken("<title>a</title>");
        let native = BTreeMap::from([("title".to_owned(), Value::Text("b".into()))]);
        assert_eq!(Known::of(&[native, first.clone()], BTreeMap::new()), None);
        let mark = first.keys().find(|key| key.ends_with("/instance")).unwrap();
        let elsewhere = BTreeMap::from([(mark.clone(), Value::Text("uuid:2".into()))]);
        assert_eq!(Known::of(&[elsewhere], BTreeMap::new()), None, "the row is that of its own id");
    }

    #[test]
    fn an_edit_of_a_submission_has_its_rows_and_is_known_from_then_on() {
        let edit = submission("<title>b</title><rows><what>x</what></rows>", Some("uuid:1"));
        let first = known(&[taken("<title>a</title><rows><what>x</what></rows>")]);
        assert_eq!(differing(&first, &edit), [("title".to_owned(), "as-taken")]);
        let both = known(&[taken("<title>a</title><rows><what>x</what></rows>"), edit.cells().into_iter().collect()]);
        assert_eq!(both.compare(&edit), Comparison::default());
        assert!(both.is_of("uuid:1") && both.is_of("uuid:2"));
        assert!(both.is_superseded("uuid:1") && !both.is_superseded("uuid:2"));
    }

    #[test]
    fn a_photo_of_another_name_is_a_difference() {
        let first = submission("<picture>a.jpg</picture>", None);
        let mut cells: BTreeMap<_, _> = first.cells().into_iter().collect();
        cells.extend(first.attachment_cells(0, &crate::import::Arrival::Arrived("12".repeat(32))));
        let record = known(&[cells]);
        assert_eq!(differing(&record, &first), []);
        assert_eq!(
            differing(&record, &submission("<picture>b.jpg</picture>", None)),
            [("picture".to_owned(), "as-taken")]
        );
        assert_eq!(differing(&record, &submission("", None)).len(), 4, "the answer, and three cells of its row");
    }
}
