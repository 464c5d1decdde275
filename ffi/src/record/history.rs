//! How a record came to say what it says.

use merestone_node::records::{Changed, RecordWords, Step};

use super::texts;
use crate::ids::count;
use crate::person::PersonLine;
use crate::provided::{ClockKind, PlaceLine};
use crate::value::AnswerValue;

/// One entry of a record's history.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StepLine {
    /// The entry.
    pub entry: String,
    /// Its place in its author's log, from 0.
    pub seq: u64,
    /// What it is, in the word of the specification: `change`, `objection` …
    pub kind: String,
    /// What became of it.
    pub standing: String,
    /// Who signed it.
    pub by: PersonLine,
    /// The entries it builds on or is about.
    pub refs: Vec<String>,
    /// What the phone said of the time, milliseconds since 1970; none without the entry's body. No clock is believed.
    pub wall_ms: Option<i64>,
    /// Milliseconds since that phone started.
    pub uptime_ms: Option<u64>,
    /// Minutes ahead of UTC.
    pub offset_min: Option<i16>,
    /// How that time was known.
    pub clock_source: Option<ClockKind>,
    /// Where it was made, if it says so.
    pub place: Option<PlaceLine>,
    /// The post, if it says so.
    pub post: Option<String>,
    /// What it wrote.
    pub changes: Vec<ChangedLine>,
    /// What it says, in a signature role.
    pub text: Option<String>,
    /// Its reason, as a number of the mission's own list.
    pub reason: Option<u64>,
    /// How many photos it brought.
    pub photos: u32,
}

impl StepLine {
    pub(crate) fn of(step: Step, words: &RecordWords) -> Self {
        Self {
            entry: step.entry.to_string(),
            seq: step.seq,
            kind: step.kind.name().to_owned(),
            standing: step.standing.code().to_owned(),
            by: step.author.into(),
            refs: texts(&step.refs),
            wall_ms: step.clock.map(|clock| clock.wall_ms),
            uptime_ms: step.clock.map(|clock| clock.uptime_ms),
            offset_min: step.clock.map(|clock| clock.offset_min),
            clock_source: step.clock.map(|clock| clock.source.into()),
            place: step.place.map(Into::into),
            post: step.post,
            changes: step.changes.into_iter().map(|changed| ChangedLine::of(changed, words)).collect(),
            text: step.text,
            reason: step.reason,
            photos: count(step.photos),
        }
    }
}

/// One answer that an entry wrote.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ChangedLine {
    /// The key.
    pub key: String,
    /// The question's text; the key while the form's questions are not here.
    pub label: String,
    /// The values that it replaced; several if it settled a conflict.
    pub before: Vec<AnswerValue>,
    /// These as people read them.
    pub before_shown: Vec<String>,
    /// The value that it put.
    pub after: AnswerValue,
    /// This as people read it.
    pub after_shown: String,
    /// Whether it settled a conflict.
    pub settles_conflict: bool,
}

impl ChangedLine {
    fn of(changed: Changed, words: &RecordWords) -> Self {
        let shown = |answer| words.shown(&changed.key, answer);
        Self {
            settles_conflict: changed.resolves(),
            label: words.label(&changed.key),
            before_shown: changed.before.iter().map(|(_, answer)| shown(answer)).collect(),
            after_shown: shown(&changed.after),
            key: changed.key,
            before: changed.before.into_iter().map(|(_, answer)| answer.into()).collect(),
            after: changed.after.into(),
        }
    }
}
