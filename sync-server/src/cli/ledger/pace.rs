//! How far a ledger is, and how fast it grows.

use std::io::{self, Write};

use merestone_core::audit::ledger::LEAVES_MAX;
use merestone_core::roster::{NEWEST_MAX, Roster, SPREAD_MAX};
use merestone_core::witness::{CosignedNote, Witnesses};
use serde::Serialize;

/// Checkpoints from which the pace is worked out: at one every 15 minutes, almost three days.
const RECENT: usize = 256;
const DAY_S: u64 = 86_400;

/// How far a ledger is, as the checkpoints that are held show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Pace {
    /// Leaves of the newest checkpoint.
    pub(crate) leaves: u64,
    /// Most leaves that an audit judges.
    pub(crate) leaves_max: u64,
    /// Checkpoints that are held.
    pub(crate) checkpoints: usize,
    /// How many are kept at most.
    pub(crate) checkpoints_max: usize,
    /// By the witnesses' clocks, over the newest checkpoints; `None` where they tell nothing.
    pub(crate) leaves_a_day: Option<u64>,
    /// The same.
    pub(crate) checkpoints_a_day: Option<u64>,
    /// How many days the checkpoints of which none is left out reach back at this pace.
    pub(crate) whole_days: Option<u64>,
    /// How many days until the ledger is too large for an audit at this pace.
    pub(crate) days_left: Option<u64>,
}

impl Pace {
    /// Of these checkpoints, ascending by leaves.
    pub(crate) fn of(notes: &[CosignedNote]) -> Self {
        let leaves = notes.last().map_or(0, |note| note.checkpoint().size());
        let checkpoints_max = NEWEST_MAX + SPREAD_MAX;
        let pace = Self {
            leaves,
            leaves_max: LEAVES_MAX,
            checkpoints: notes.len(),
            checkpoints_max,
            leaves_a_day: None,
            checkpoints_a_day: None,
            whole_days: None,
            days_left: None,
        };
        // The least time of a checkpoint is the one nearest to its signing.
        let timed: Vec<(&CosignedNote, u64)> = notes[notes.len().saturating_sub(RECENT)..]
            .iter()
            .filter_map(|note| note.cosignatures().map(|by| by.time()).min().map(|time| (note, time)))
            .collect();
        let (Some((first, from)), Some((last, to))) = (timed.first(), timed.last()) else { return pace };
        let Some(seconds) = to.checked_sub(*from).filter(|seconds| *seconds > 0) else { return pace };
        let a_day = |count: u64| u64::try_from(u128::from(count) * u128::from(DAY_S) / u128::from(seconds)).ok();
        let leaves_a_day = a_day(last.checkpoint().size() - first.checkpoint().size());
        let checkpoints_a_day = a_day(timed.len() as u64 - 1);
        let after = |count: u64, a_day: Option<u64>| a_day.and_then(|a_day| count.checked_div(a_day));
        Self {
            leaves_a_day,
            checkpoints_a_day,
            whole_days: after(NEWEST_MAX as u64, checkpoints_a_day),
            days_left: after(LEAVES_MAX.saturating_sub(leaves), leaves_a_day),
            ..pace
        }
    }

    /// Of the checkpoints that a roster holds; `None` if its mission has no ledger.
    pub(crate) fn of_roster(roster: &Roster) -> Option<Self> {
        Witnesses::of(roster.charter().charter())?;
        Some(Self::of(&roster.cosigned_notes()))
    }

    /// The same in words, a line each after its name of as many columns.
    pub(crate) fn lines(&self, out: &mut dyn Write, columns: usize) -> io::Result<()> {
        let Self { checkpoints, checkpoints_max, leaves_a_day, whole_days, .. } = self;
        let rate = match (leaves_a_day, self.checkpoints_a_day) {
            (Some(leaves), Some(notes)) => format!("{leaves} leaves and {notes} checkpoints a day of late"),
            _ => "how fast it grows is not known yet".to_owned(),
        };
        writeln!(out, "{:<columns$}{rate}", "pace")?;
        let whole = whole_days.map_or_else(String::new, |days| format!("; at this pace the last {days} days whole"));
        writeln!(
            out,
            "{:<columns$}{checkpoints} checkpoints of at most {checkpoints_max}, the older ones thinned{whole}",
            "kept"
        )?;
        if let Some(days) = self.days_left.filter(|days| *days < 3_650) {
            writeln!(out, "{:<columns$}in {days} days the ledger is larger than an audit judges", "room")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use merestone_core::checkpoint::Checkpoint;
    use merestone_core::key::SigningKey;
    use merestone_core::roster::{Charter, Ledger, Party, PartyNumber, Scope};
    use merestone_core::witness::Cosignature;

    #[test]
    fn the_pace_is_that_of_the_witnesses_clocks() {
        let [ledger, witness] = [5, 6].map(|seed| SigningKey::from_seed(&[seed; 32]));
        let party = Party {
            number: PartyNumber(1),
            name: "State A".into(),
            root: *SigningKey::from_seed(&[1; 32]).public(),
            witnesses: vec![*witness.public()],
        };
        let named = Ledger { origin: "border.example/ledger".into(), key: *ledger.public() };
        let charter = Charter {
            name: "Border".into(),
            nonce: [1; 16],
            parties: vec![party],
            scopes: vec![Scope { id: merestone_core::id::ScopeId::from_bytes([1; 8]), name: "North".into() }],
            forms: Vec::new(),
            ledger: Some(named.clone()),
            quorum: 1,
        };
        let witnesses = Witnesses::of(&charter).expect("a ledger");
        let note = |hour: u64| {
            let checkpoint = Checkpoint::make(&named, &ledger, 100 + hour * 10, &[1; 32]).expect("it signs");
            let line = Cosignature::make(&checkpoint, &witness, 1_764_576_000 + hour * 3_600).expect("it signs").line();
            let mut note = CosignedNote::new(checkpoint);
            note.add(line.as_bytes(), &witnesses).expect("a line");
            note
        };
        let pace = Pace::of(&(0..12).map(note).collect::<Vec<_>>());
        assert_eq!((pace.leaves, pace.leaves_a_day, pace.checkpoints_a_day), (210, Some(240), Some(24)));
        assert_eq!((pace.whole_days, pace.days_left), (Some(85), Some((LEAVES_MAX - 210) / 240)));
        assert_eq!(Pace::of(&[note(1)]).leaves_a_day, None);
        assert_eq!(Pace::of(&[]).checkpoints, 0);
    }
}
