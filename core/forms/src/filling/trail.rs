//! Paradata: when each question was on the screen and what became of it, in the shape of ODK's `audit.csv`.
//!
//! Only a form that asks for it (a question of type `audit`) has a trail. It is kept in rows of the record, so that the
//! trails of two people who fill one record stand beside each other.

use std::fmt::Write as _;

use super::{Filling, Place};
use crate::answer::Answer;
use crate::form::Form;
use crate::model::{Metadata, NodeIndex, NodeKind, QuestionKind};

/// Longest part of a trail in one answer, in bytes; the next part goes into the next row.
const PART_BYTES_MAX: usize = 48 << 10;
/// Longest value in a trail, in bytes: it shows that something changed, and the answer itself has the rest.
const VALUE_BYTES_MAX: usize = 1_024;

/// Something that happened while a form was filled. Times are milliseconds since 1970-01-01 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Filling began.
    Start {
        /// When.
        at: i64,
    },
    /// Filling went on after it had been left.
    Resume {
        /// When.
        at: i64,
    },
    /// A question was on the screen.
    Question {
        /// Which.
        place: Place,
        /// From when.
        from: i64,
        /// Until when.
        to: i64,
        /// What stood there before.
        before: String,
        /// What stood there after.
        now: String,
    },
    /// Somebody went to another question.
    Jump {
        /// When.
        at: i64,
    },
    /// The form was left without saving it.
    Exit {
        /// When.
        at: i64,
    },
    /// The form was saved.
    Save {
        /// When.
        at: i64,
    },
}

impl Filling {
    /// Notes something in the form's trail; without one nothing is noted.
    pub fn track(&mut self, event: &Event) {
        let Some(audit) = self.form.audit() else { return };
        let line = self.line(audit, event);
        let part = self.trail.clone().filter(|key| match self.answers.get(key) {
            Some(Answer::Text(part)) => part.len() + line.len() <= PART_BYTES_MAX,
            _ => false,
        });
        let (key, mut text) = match part {
            Some(key) => match self.answers.get(&key) {
                Some(Answer::Text(text)) => (key, text.clone()),
                _ => (key, String::new()),
            },
            None => (format!("{}/{}/csv", self.form.name(audit), self.next_row(audit)), String::new()),
        };
        text.push_str(&line);
        self.trail = Some(key.clone());
        self.keep(key, Answer::text(&text));
    }

    fn line(&self, audit: NodeIndex, event: &Event) -> String {
        let columns = Columns::of(&self.form, audit);
        let (name, node, start, end, values) = match event {
            Event::Start { at } => ("form start", String::new(), *at, None, None),
            Event::Resume { at } => ("form resume", String::new(), *at, None, None),
            Event::Question { place, from, to, before, now } => {
                ("question", self.path(*place), *from, Some(*to), (before != now).then_some((before, now)))
            }
            Event::Jump { at } => ("jump", String::new(), *at, None, None),
            Event::Exit { at } => ("form exit", String::new(), *at, None, None),
            Event::Save { at } => ("form save", String::new(), *at, None, None),
        };
        let mut line = format!("{name},{node},{start},");
        if let Some(end) = end {
            // Writing to a text cannot fail.
            let _ = write!(line, "{end}");
        }
        if columns.place {
            line.push_str(",,,");
        }
        if columns.changes {
            let (before, now) = values.map(|(before, now)| (cell(before), cell(now))).unwrap_or_default();
            let _ = write!(line, ",{before},{now}");
        }
        if columns.user {
            let _ = write!(line, ",{}", cell(&self.occasion.user_name));
        }
        line.push('\n');
        line
    }

    /// The path of a question with the numbers of its rows, as ODK writes it.
    fn path(&self, place: Place) -> String {
        let Some(element) = self.element(place) else { return String::new() };
        let mut parts: Vec<String> = Vec::new();
        for element in self.documents.ancestors(element) {
            let name = self.documents.name(element);
            let node = self.places.get(&element).map(|place| &self.form.model().nodes[place.node].kind);
            parts.push(match node {
                Some(NodeKind::Repeat { .. }) => format!("{name}[{}]", self.documents.position(element)),
                _ => name.to_owned(),
            });
        }
        parts.reverse();
        cell(&format!("/{}", parts.join("/")))
    }
}

impl Form {
    /// The question that asks for a trail.
    pub(crate) fn audit(&self) -> Option<NodeIndex> {
        let is_audit = |kind: &NodeKind| matches!(kind, NodeKind::Question(QuestionKind::Metadata(Metadata::Audit)));
        self.model().nodes.iter().position(|node| is_audit(&node.kind))
    }

    /// The trail in a record's answers as a file `audit.csv`, one part after the other; `None` if the form asks for none.
    pub fn audit_csv<'a>(&self, answers: impl IntoIterator<Item = (&'a str, &'a Answer)>) -> Option<String> {
        let audit = self.audit()?;
        let prefix = format!("{}/", self.name(audit));
        let mut parts: Vec<(&str, &str)> = Vec::new();
        for (key, answer) in answers {
            if let (true, Answer::Text(text)) = (key.starts_with(&prefix) && key.ends_with("/csv"), answer) {
                parts.push((key, text));
            }
        }
        parts.sort_unstable();
        let mut csv = Columns::of(self, audit).heading();
        parts.iter().for_each(|(_, part)| csv.push_str(part));
        Some(csv)
    }
}

/// The columns that the form asks for besides event, node, start and end.
struct Columns {
    place: bool,
    changes: bool,
    user: bool,
}

impl Columns {
    fn of(form: &Form, audit: NodeIndex) -> Self {
        let parameters = &form.model().nodes[audit].parameters;
        let is_true = |key: &str| parameters.get(key).is_some_and(|value| value == "true");
        Self {
            place: parameters.contains_key("location-priority"),
            changes: is_true("track-changes"),
            user: is_true("identify-user"),
        }
    }

    fn heading(&self) -> String {
        let mut heading = "event,node,start,end".to_owned();
        let more = [
            (self.place, ",latitude,longitude,accuracy"),
            (self.changes, ",old-value,new-value"),
            (self.user, ",user"),
        ];
        more.iter().filter(|(is_there, _)| *is_there).for_each(|(_, columns)| heading.push_str(columns));
        heading.push('\n');
        heading
    }
}

/// A cell of CSV (RFC 4180), cut where it is too long for a trail.
fn cell(text: &str) -> String {
    let end = (0..=VALUE_BYTES_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    let text = &text[..end];
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
