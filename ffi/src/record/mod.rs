//! Records, as lines of a screen.

mod custody;
mod history;
mod list;
mod sheet;
mod speech;

use merestone_core::id::EntryId;
use merestone_node::capture::Saved;

pub use custody::{CustodyLine, HeldAloneLine};
pub use history::{ChangedLine, StepLine};
pub use list::{RecordLine, RecordQuery, RecordStateKind, RecordsPage};
pub use sheet::{AnswerLine, PhotoLine, RecordSheet, SignedValue, StandingLine};
pub use speech::{SpeechKind, SpeechOrder};

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

fn texts(ids: &[EntryId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
