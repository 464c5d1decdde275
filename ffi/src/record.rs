//! Records, as lines of a screen.

use merestone_core::entry::Kind;
use merestone_core::id::EntryId;
use merestone_core::record::Standing;
use merestone_node::capture::{Saved, Speech};
use merestone_node::records::{
    AnswerView, Changed, Custody, HeldAlone, PhotoView, RecordFilter, RecordLine as NodeLine, RecordPage, RecordState,
    RecordView, RecordWords, Step, ValueView,
};

use crate::error::PhoneError;
use crate::ids::{self, count};
use crate::person::PersonLine;
use crate::photo::{media_type, rendition};
use crate::provided::{ClockKind, PlaceLine};
use crate::value::AnswerValue;

/// A step was saved: it is durable.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SavedLine {
    /// The entry, 64 hex digits.
    pub entry: String,
    /// The record that it creates, changes or is about.
    pub record: String,
    /// The disk is so full that there is room for very little more.
    pub low_room: bool,
}

impl From<Saved> for SavedLine {
    fn from(saved: Saved) -> Self {
        let Saved { entry, record, low_room } = saved;
        Self { entry: entry.to_string(), record: record.to_string(), low_room }
    }
}

/// How much of a record is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum RecordStateKind {
    /// Everything that is held.
    Whole,
    /// Some of it; see the record's standings.
    Partial,
    /// Nothing: what decides about it is not here.
    Unreadable,
}

impl From<RecordState> for RecordStateKind {
    fn from(state: RecordState) -> Self {
        match state {
            RecordState::Whole => Self::Whole,
            RecordState::Partial => Self::Partial,
            RecordState::Unreadable => Self::Unreadable,
        }
    }
}

/// Which records to show. What is absent leaves none out.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct RecordQuery {
    /// Only this scope.
    #[uniffi(default = None)]
    pub scope: Option<String>,
    /// Only this kind.
    #[uniffi(default = None)]
    pub kind: Option<String>,
    /// Only records that hold every word of this, the last perhaps only begun. Case, accents and vowel signs do not matter.
    #[uniffi(default = None)]
    pub text: Option<String>,
    /// Only records in this state.
    #[uniffi(default = None)]
    pub state: Option<RecordStateKind>,
    /// Only records with a conflict, or without.
    #[uniffi(default = None)]
    pub has_conflict: Option<bool>,
    /// Only withdrawn records, or others.
    #[uniffi(default = None)]
    pub is_withdrawn: Option<bool>,
    /// Only records whose newest change says that it was made at or after this time, milliseconds since 1970.
    #[uniffi(default = None)]
    pub since_ms: Option<i64>,
}

impl RecordQuery {
    pub(crate) fn filter(self) -> Result<RecordFilter, PhoneError> {
        let Self { scope, kind, text, state, has_conflict, is_withdrawn, since_ms } = self;
        let scope = scope.as_deref().map(ids::scope).transpose()?;
        let state = state.map(|state| match state {
            RecordStateKind::Whole => RecordState::Whole,
            RecordStateKind::Partial => RecordState::Partial,
            RecordStateKind::Unreadable => RecordState::Unreadable,
        });
        Ok(RecordFilter { scope, kind, text, state, has_conflict, is_withdrawn, since_ms })
    }
}

/// One line of a list of records.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RecordLine {
    /// The record, 64 hex digits.
    pub id: String,
    /// Its scope.
    pub scope: String,
    /// Its kind; empty while its form is not held.
    pub kind: String,
    /// The first text that is answered.
    pub title: String,
    /// Who created it; empty while that is not known.
    pub observer: String,
    /// How much of it is applied.
    pub state: RecordStateKind,
    /// Whether some answer has several values.
    pub has_conflict: bool,
    /// Whether it is withdrawn.
    pub is_withdrawn: bool,
    /// How many entries of it are held.
    pub entries: u32,
    /// How many photos it has.
    pub photos: u32,
    /// What the device of the newest change says of its time, milliseconds since 1970.
    pub updated_ms: i64,
}

impl From<NodeLine> for RecordLine {
    fn from(line: NodeLine) -> Self {
        Self {
            id: line.id.to_string(),
            scope: line.scope.to_string(),
            kind: line.kind,
            title: line.title,
            observer: line.observer,
            state: line.state.into(),
            has_conflict: line.has_conflict,
            is_withdrawn: line.is_withdrawn,
            entries: count(line.entries),
            photos: count(line.photos),
            updated_ms: line.updated_ms,
        }
    }
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RecordsPage {
    /// The lines, newest first; of a search, those indexed last first.
    pub lines: Vec<RecordLine>,
    /// Where the next page begins; none after the last.
    pub next: Option<String>,
    /// So many records changed at once that some are not in the list yet: ask again, or `catch_up`.
    pub is_behind: bool,
}

impl From<RecordPage> for RecordsPage {
    fn from(page: RecordPage) -> Self {
        let RecordPage { lines, next, is_behind } = page;
        let lines = lines.into_iter().map(Into::into).collect();
        Self { lines, next: next.map(|next| next.to_string()), is_behind }
    }
}

/// A record with every value and who signed it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RecordSheet {
    /// The record.
    pub id: String,
    /// Its scope.
    pub scope: String,
    /// Its kind; none while its form's definition is not held.
    pub kind: Option<String>,
    /// The form of its newest change, by its hash.
    pub form: Option<String>,
    /// Who created it; none while the creating entry is not held.
    pub creator: Option<PersonLine>,
    /// What an edit that begins now builds on.
    pub heads: Vec<String>,
    /// Whether it is withdrawn.
    pub is_withdrawn: bool,
    /// Each key that was answered, ascending.
    pub answers: Vec<AnswerLine>,
    /// Its photos.
    pub photos: Vec<PhotoLine>,
    /// Every held entry of the record and what became of it.
    pub standings: Vec<StandingLine>,
}

impl RecordSheet {
    pub(crate) fn of(view: RecordView, words: &RecordWords) -> Self {
        Self {
            id: view.id.to_string(),
            scope: view.scope.to_string(),
            kind: view.kind,
            form: view.form.map(|form| form.to_string()),
            creator: view.creator.map(Into::into),
            heads: texts(&view.heads),
            is_withdrawn: view.is_withdrawn,
            answers: view.answers.into_iter().map(|answer| AnswerLine::of(answer, words)).collect(),
            photos: view.photos.iter().map(Into::into).collect(),
            standings: view.standings.into_iter().map(Into::into).collect(),
        }
    }
}

/// One question of a record with the values that stand: more than one is a conflict.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AnswerLine {
    /// `question` or `repeat/row/question`.
    pub key: String,
    /// The question's text in the language asked for; the key while the form's questions are not here.
    pub label: String,
    /// The values, each with who put it.
    pub values: Vec<SignedValue>,
}

impl AnswerLine {
    fn of(answer: AnswerView, words: &RecordWords) -> Self {
        let values = answer.values.into_iter().map(|value| SignedValue::of(value, &answer.key, words)).collect();
        Self { label: words.label(&answer.key), key: answer.key, values }
    }
}

/// A value and who signed it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SignedValue {
    /// The value.
    pub value: AnswerValue,
    /// The value as people read it: of choices their texts.
    pub shown: String,
    /// The entry that put it, 64 hex digits.
    pub entry: String,
    /// The entry's standing, in the word of the specification.
    pub standing: String,
    /// The observer's name.
    pub observer: String,
}

impl SignedValue {
    fn of(value: ValueView, key: &str, words: &RecordWords) -> Self {
        Self {
            shown: words.shown(key, &value.answer),
            observer: value.author.name(),
            entry: value.entry.to_string(),
            standing: value.standing.code().to_owned(),
            value: value.answer.into(),
        }
    }
}

/// A photo of a record.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PhotoLine {
    /// Its row in the repeat `photos`, or the key of the question that it answers.
    pub row: String,
    /// The entry that attached it.
    pub entry: String,
    /// SHA-256 of the original.
    pub original: String,
    /// The original's size.
    pub bytes: u64,
    /// The original's media type.
    pub media_type: String,
    /// The smaller picture, 64 hex digits; none where none could be made.
    pub thumbnail: Option<String>,
    /// The larger picture.
    pub preview: Option<String>,
    /// The captions that stand; several are a conflict.
    pub captions: Vec<String>,
}

impl From<&PhotoView> for PhotoLine {
    fn from(view: &PhotoView) -> Self {
        Self {
            row: view.row.clone(),
            entry: view.entry.to_string(),
            original: view.photo.sha256.to_string(),
            bytes: view.photo.bytes,
            media_type: media_type(&view.photo).to_owned(),
            thumbnail: rendition(&view.photo.thumbnail),
            preview: rendition(&view.photo.preview),
            captions: view.captions.clone(),
        }
    }
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StandingLine {
    /// The entry.
    pub entry: String,
    /// Its standing, in the word of the specification.
    pub code: String,
    /// Whether it is applied, or in force.
    pub is_applied: bool,
}

impl From<(EntryId, Standing)> for StandingLine {
    fn from((entry, standing): (EntryId, Standing)) -> Self {
        Self { entry: entry.to_string(), code: standing.code().to_owned(), is_applied: standing.is_applied() }
    }
}

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

/// What can be said about a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SpeechKind {
    /// Taken notice of; not agreement.
    Receipt,
    /// A comment by the host.
    HostComment,
    /// Agreement.
    Concurrence,
    /// Disagreement, with its reason in words.
    Objection,
    /// A dissenting view.
    Dissent,
    /// An arbiter's decision.
    Ruling,
    /// The signer made the observation together with its author.
    CoAuthorship,
}

impl From<SpeechKind> for Kind {
    fn from(kind: SpeechKind) -> Self {
        match kind {
            SpeechKind::Receipt => Self::Receipt,
            SpeechKind::HostComment => Self::HostComment,
            SpeechKind::Concurrence => Self::Concurrence,
            SpeechKind::Objection => Self::Objection,
            SpeechKind::Dissent => Self::Dissent,
            SpeechKind::Ruling => Self::Ruling,
            SpeechKind::CoAuthorship => Self::CoAuthorship,
        }
    }
}

/// Something to say about a record.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SpeechOrder {
    /// The record.
    pub record: String,
    /// The entries that it is about; empty: what the record shows now.
    #[uniffi(default = [])]
    pub about: Vec<String>,
    /// What it is.
    pub kind: SpeechKind,
    /// Why, as a number of the mission's own list; in an objection, a dissent and a ruling only.
    #[uniffi(default = None)]
    pub reason: Option<u64>,
    /// In words; an objection needs them.
    #[uniffi(default = None)]
    pub text: Option<String>,
}

impl SpeechOrder {
    pub(crate) fn speech(self) -> Result<Speech, PhoneError> {
        let Self { record, about, kind, reason, text } = self;
        let (record, about) = (ids::record(&record)?, ids::each(&about, ids::entry)?);
        Ok(Speech { record, about, kind: kind.into(), reason, text })
    }
}

/// Who else holds an entry, each word of it shown by a signed receipt.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CustodyLine {
    /// The entry.
    pub entry: String,
    /// How many other devices signed that they hold it; base camps are not among them.
    pub peers: u32,
    /// Whether a base camp did.
    pub is_at_base_camp: bool,
    /// How many photos it names.
    pub photos: u32,
    /// How many of these some other device holds whole.
    pub photos_elsewhere: u32,
    /// How many of these a base camp holds whole.
    pub photos_at_base_camp: u32,
    /// Losing this phone would lose the entry or a photo of it.
    pub is_only_here: bool,
    /// A base camp has all of it.
    pub is_handed_over: bool,
}

/// What is held on this phone and, as far as receipts show it, nowhere else: what would be lost with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HeldAloneLine {
    /// Entries that no other phone or camp signed for.
    pub entries: u64,
    /// Entries that no base camp signed for.
    pub entries_not_at_camp: u64,
    /// Camera's files that no other phone or camp signed for.
    pub photos: u64,
    /// Camera's files that no base camp signed for.
    pub photos_not_at_camp: u64,
}

impl From<HeldAlone> for HeldAloneLine {
    fn from(alone: HeldAlone) -> Self {
        let HeldAlone { entries, entries_not_at_camp, photos, photos_not_at_camp } = alone;
        Self { entries, entries_not_at_camp, photos, photos_not_at_camp }
    }
}

impl From<(EntryId, Custody)> for CustodyLine {
    fn from((entry, custody): (EntryId, Custody)) -> Self {
        Self {
            entry: entry.to_string(),
            peers: count(custody.peers),
            is_at_base_camp: custody.is_at_base_camp,
            photos: count(custody.photos),
            photos_elsewhere: count(custody.photos_elsewhere),
            photos_at_base_camp: count(custody.photos_at_base_camp),
            is_only_here: custody.is_only_here(),
            is_handed_over: custody.is_handed_over(),
        }
    }
}

fn texts(ids: &[EntryId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
