//! Lists of records: which to show, and their lines.

use merestone_node::records::{RecordFilter, RecordLine as NodeLine, RecordPage, RecordState};

use crate::error::PhoneError;
use crate::ids::{self, count};

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
