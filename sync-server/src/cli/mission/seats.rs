//! What a charter's parties decide together, by their witnesses and by their quorum.

use std::io::{self, Write};

use merestone_core::roster::Charter;
use merestone_core::witness::{Quorum, Witnesses};
use serde::Serialize;

/// What the witnesses of a charter's parties give (`core/spec/witness.md`, Quorum).
#[derive(Serialize)]
pub(super) struct SeatsShown {
    /// Parties that have a witness.
    parties: usize,
    /// Parties of which all witnesses may lie.
    may_lie: usize,
    /// Parties that make a checkpoint final; absent where all together do not.
    #[serde(rename = "final", skip_serializing_if = "Option::is_none")]
    last: Option<usize>,
    /// Parties from which on a checkpoint is handed out.
    handed_out: usize,
}

impl SeatsShown {
    /// `None` without a ledger.
    pub(super) fn of(charter: &Charter) -> Option<Self> {
        let quorum = Witnesses::of(charter)?.quorum();
        let Quorum { parties, liars, last, provisional: _ } = quorum;
        let last = (last <= parties).then_some(last);
        Some(Self { parties, may_lie: liars, last, handed_out: quorum.shown() })
    }

    pub(super) fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { parties, may_lie, last, handed_out } = self;
        match last {
            _ if *parties == 0 => writeln!(out, "seats    no party has a witness: nothing confirms the ledger, ever"),
            None => writeln!(out, "seats    {parties} party has witnesses: no checkpoint is ever final"),
            Some(last) => writeln!(
                out,
                "seats    {parties} parties have witnesses, {may_lie} may lie: a checkpoint is final with {last} of them, \
                 handed out with {handed_out}"
            ),
        }
    }
}

/// How many parties decide what (`core/spec/roster.md`, Charter).
#[derive(Serialize)]
pub(super) struct DecisionsShown {
    /// To erase.
    erasure: u64,
    /// To cut a key at any height; absent where the parties are too few.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreed_cut: Option<u64>,
    /// To amend the charter.
    amendment: u64,
    /// Parties there are.
    parties: usize,
}

impl DecisionsShown {
    pub(super) fn of(charter: &Charter) -> Self {
        let parties = charter.parties.len();
        let agreed_cut = Some(charter.cutting()).filter(|cutting| *cutting <= parties as u64);
        Self { erasure: charter.quorum, agreed_cut, amendment: charter.amending(), parties }
    }

    pub(super) fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { erasure, agreed_cut, amendment, parties } = self;
        writeln!(out, "erasure  needs {erasure} of {parties} parties")?;
        if *erasure == 1 && *parties > 1 {
            writeln!(out, "         Any one party can erase any record, without the others.")?;
        }
        if let Some(cutting) = agreed_cut {
            writeln!(out, "cut      of any key, also of what is final: needs {cutting} of {parties} parties")?;
        }
        writeln!(out, "amending needs {amendment} of {parties} parties")
    }
}
