//! What the doctor says of the ledger, and of cuts that cannot act on what it made final.

use std::io::{self, Write};

use merestone_core::key::PublicKey;
use merestone_core::roster::{Roster, Shown};
use merestone_node::authority::{Authority, AuthorityError};
use merestone_node::replica::LedgerCheck;
use merestone_store::Store;
use serde::Serialize;

use crate::cli::ledger::Pace;
use crate::cli::roster::ActsShown;
use crate::exit::{Failure, LEDGER_DAMAGED, LEDGER_SPLIT};

/// The ledger's checkpoints, and its leaves where a store has some.
#[derive(Serialize)]
pub(super) struct LedgerShown {
    #[serde(flatten)]
    pace: Pace,
    leaves_checked: u64,
    checkpoints_checked: usize,
    damaged: bool,
    /// Leaves of each checkpoint that has another root than the leaves here.
    other_roots: Vec<u64>,
    stuck_cuts: Vec<StuckCut>,
}

/// A cut that acts on nothing that is final, since too few parties have anybody to acknowledge it.
#[derive(Serialize)]
struct StuckCut {
    key: String,
    words: String,
}

impl LedgerShown {
    /// `None` if the mission has no ledger, or the store's charter cannot be read.
    pub(super) fn of(store: &Store) -> Result<Option<Self>, Failure> {
        let authority = match Authority::load(store, store.identity()?.mission) {
            Ok(authority) => authority,
            // Damage, which the doctor names by its statement.
            Err(AuthorityError::NoCharter { .. }) => return Ok(None),
            Err(AuthorityError::Read(error)) => return Err(error.into()),
        };
        let roster = authority.roster();
        let Some(pace) = Pace::of_roster(&roster) else { return Ok(None) };
        let LedgerCheck { leaves, checkpoints, is_damaged, differing } = LedgerCheck::of(store, &roster)?;
        Ok(Some(Self {
            pace,
            leaves_checked: leaves,
            checkpoints_checked: checkpoints,
            damaged: is_damaged,
            other_roots: differing,
            stuck_cuts: stuck_cuts(&roster),
        }))
    }

    pub(super) fn is_sound(&self) -> bool {
        !self.damaged && self.other_roots.is_empty()
    }

    pub(super) fn lines(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.pace.checkpoints > 0 {
            writeln!(out, "ledger    {} leaves in the newest checkpoint", self.pace.leaves)?;
        }
        if self.leaves_checked > 0 || self.damaged {
            let Self { leaves_checked, checkpoints_checked, .. } = self;
            writeln!(out, "          {leaves_checked} leaves hashed again, under {checkpoints_checked} checkpoints")?;
        }
        for size in &self.other_roots {
            writeln!(out, "differs   the checkpoint of {size} leaves has another root than the leaves here")?;
        }
        match (self.damaged, self.other_roots.is_empty()) {
            (true, _) => writeln!(out, "damaged   the ledger: {LEDGER_DAMAGED}")?,
            (false, false) => writeln!(out, "split     the leaves are as they were kept; {LEDGER_SPLIT}")?,
            (false, true) => {}
        }
        for StuckCut { key, words } in &self.stuck_cuts {
            writeln!(out, "cut       key {key}: {words}")?;
        }
        if self.pace.checkpoints > 0 {
            self.pace.lines(out, 10)?;
        }
        Ok(())
    }
}

fn stuck_cuts(roster: &Roster) -> Vec<StuckCut> {
    let places = Shown::of(roster);
    let stuck = roster.cuts().filter_map(|cut| {
        let acts = ActsShown::of(roster, &places, cut).filter(ActsShown::is_stuck)?;
        let key = PublicKey::admit(cut.key()).map_or_else(|_| String::new(), |key| key.to_string());
        Some(StuckCut { key, words: acts.to_string() })
    });
    stuck.collect()
}
