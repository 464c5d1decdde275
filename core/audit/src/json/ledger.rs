//! The ledger in `report.json`: its checkpoints, and whether something was left out.

use merestone_core::audit::Report as Facts;
use merestone_core::audit::ledger::{AsOf, Completeness, SeenNote};
use serde::Serialize;

use crate::show;

#[derive(Serialize)]
pub(super) struct Complete {
    /// `complete`, `not complete` or `not assessed`.
    is: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation: Option<&'static str>,
    /// Until when at the latest its last leaf was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<super::custody::End>,
    /// Absent for all scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    entries_left_out: u64,
    logs_left_out: u64,
    statements_left_out: u64,
    entries_displaced: u64,
    entries_beyond: u64,
    entries_seen_beyond: u64,
    words: String,
}

impl Complete {
    pub(super) fn of(facts: &Facts) -> Self {
        let words = show::completeness(facts);
        match &facts.completeness {
            Completeness::NotAssessed(_) => Self {
                is: "not assessed",
                as_of: None,
                note: None,
                confirmation: None,
                not_after: None,
                scopes: None,
                entries_left_out: 0,
                logs_left_out: 0,
                statements_left_out: 0,
                entries_displaced: 0,
                entries_beyond: 0,
                entries_seen_beyond: 0,
                words,
            },
            Completeness::AsOf(as_of) => Self::as_of(as_of, words),
        }
    }

    fn as_of(as_of: &AsOf, words: String) -> Self {
        let AsOf { size, note, tally, newer: _, scopes, left_out, not_after, beyond, seen_beyond, displaced } = as_of;
        Self {
            is: if *left_out == Default::default() { "complete" } else { "not complete" },
            as_of: Some(*size),
            note: Some(note.to_string()),
            confirmation: Some(tally.confirmation.code()),
            not_after: not_after.as_ref().map(super::custody::End::of),
            scopes: scopes.as_ref().map(|scopes| scopes.iter().map(ToString::to_string).collect()),
            entries_left_out: left_out.entries,
            logs_left_out: left_out.logs,
            statements_left_out: left_out.statements,
            entries_displaced: *displaced,
            entries_beyond: *beyond,
            entries_seen_beyond: *seen_beyond,
            words,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Checkpoint {
    size: u64,
    root: String,
    notes: Vec<String>,
    /// `matching`, `differing` or `not compared`.
    leaves: &'static str,
    confirmation: &'static str,
    signed_by_parties: Vec<u64>,
    silent_parties: Vec<u64>,
    cosignatures: Vec<Cosigned>,
}

#[derive(Serialize)]
struct Cosigned {
    party: u64,
    witness: String,
    /// Seconds since 1970 by the witness's own clock.
    time: u64,
}

impl Checkpoint {
    pub(super) fn of(note: &SeenNote) -> Self {
        let SeenNote { size, root, hashes, tally, times, state } = note;
        let cosigned = times.iter().map(|by| Cosigned {
            party: by.witness.party.0,
            witness: show::hex(by.witness.key.as_bytes()),
            time: by.time,
        });
        Self {
            size: *size,
            root: show::hex(root),
            notes: hashes.iter().map(ToString::to_string).collect(),
            leaves: state.code(),
            confirmation: tally.confirmation.code(),
            signed_by_parties: tally.signed.iter().map(|party| party.0).collect(),
            silent_parties: tally.silent.iter().map(|party| party.0).collect(),
            cosignatures: cosigned.collect(),
        }
    }
}
