//! When enough parties confirmed a checkpoint, and who is silent (`spec/witness.md`, Quorum).

use std::collections::BTreeSet;
use std::fmt;

use super::{CosignedNote, Witness, Witnesses};
use crate::roster::PartyNumber;

/// How many of the parties that have witnesses must have cosigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// Parties that have a witness: n.
    pub parties: usize,
    /// Parties of which all witnesses may lie: f.
    pub liars: usize,
    /// The least q with 2q − n > f. Above n where a single party has witnesses: then nothing is ever final.
    pub last: usize,
    /// The least q with 2q − n > 0.
    pub provisional: usize,
}

impl Quorum {
    /// The quorum of `parties`.
    pub const fn of(parties: usize) -> Self {
        // A third is what may lie where nobody can wait for everybody; and one must be allowed to lie,
        // or a final checkpoint would say nothing to those who trust no one.
        let third = parties.saturating_sub(1) / 3;
        let liars = if third == 0 { 1 } else { third };
        Self { parties, liars, last: (parties + liars) / 2 + 1, provisional: parties / 2 + 1 }
    }

    /// How many parties must have cosigned a checkpoint before it is shown to anybody: the least such that every group of
    /// [`last`](Self::last) shares more than [`liars`](Self::liars) with them. So whoever asks such a group, after it was
    /// restored from a copy, hears of every checkpoint that was shown. 0 where nobody has a witness.
    pub const fn shown(self) -> usize {
        if self.parties == 0 { 0 } else { (self.parties + self.liars).div_ceil(2) }
    }

    /// What cosignatures of so many parties make of a checkpoint.
    pub const fn confirmation(self, signed: usize) -> Confirmation {
        if signed >= self.last {
            Confirmation::Final
        } else if signed >= self.provisional {
            Confirmation::Provisional
        } else {
            Confirmation::Unconfirmed
        }
    }
}

/// How far a checkpoint is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confirmation {
    /// Two histories could each have as many cosignatures.
    Unconfirmed,
    /// Two histories can be confirmed so far only if some party's witnesses lied.
    Provisional,
    /// Two histories can be confirmed so far only if more parties' witnesses lied than the quorum allows for.
    Final,
}

impl Confirmation {
    /// The stable word.
    pub const fn code(self) -> &'static str {
        match self {
            Confirmation::Unconfirmed => "unconfirmed",
            Confirmation::Provisional => "provisional",
            Confirmation::Final => "final",
        }
    }
}

/// Who confirmed a checkpoint. Its [`Display`](fmt::Display) says so in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// What was needed.
    pub quorum: Quorum,
    /// How far that goes.
    pub confirmation: Confirmation,
    /// Parties with a cosignature under it, ascending.
    pub signed: Vec<PartyNumber>,
    /// Parties that have witnesses and no cosignature under it, ascending.
    pub silent: Vec<PartyNumber>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quorum: Quorum { parties, liars, last, provisional: _ }, confirmation, signed, silent } = self;
        if *parties == 0 {
            return f.write_str("unconfirmed: no party has a witness");
        }
        write!(f, "{}: witnesses of {} of {parties} parties cosigned", confirmation.code(), signed.len())?;
        if last > parties {
            f.write_str("; nothing is ever final with the witnesses of one party alone")?;
        } else {
            let shared = 2 * last - parties;
            write!(
                f,
                "; {last} make it final: any two such groups share at least {shared}, so that if {liars} lied, an honest one stood in both"
            )?;
        }
        for (at, party) in silent.iter().enumerate() {
            f.write_str(if at == 0 { "; silent: party " } else { ", party " })?;
            write!(f, "{}", party.0)?;
        }
        Ok(())
    }
}

impl Witnesses<'_> {
    /// The quorum of the parties that have witnesses.
    pub fn quorum(&self) -> Quorum {
        Quorum::of(self.parties().len())
    }

    /// Who confirmed `note`: a party has, with the cosignature of any of its witnesses.
    pub fn tally(&self, note: &CosignedNote) -> Tally {
        let by = note.cosignatures().filter_map(|cosignature| self.find(cosignature.key()));
        let signed: BTreeSet<PartyNumber> = by.map(|witness| witness.party).collect();
        let silent = self.parties().difference(&signed).copied().collect();
        let quorum = self.quorum();
        let confirmation = quorum.confirmation(signed.len());
        Tally { quorum, confirmation, signed: signed.into_iter().collect(), silent }
    }

    /// The witnesses that cosigned none of `notes`, ascending by key.
    pub fn silent_in<'n>(&self, notes: impl IntoIterator<Item = &'n CosignedNote>) -> Vec<Witness> {
        let heard: BTreeSet<_> = notes.into_iter().flat_map(|note| note.cosignatures().map(|by| *by.key())).collect();
        self.iter().filter(|witness| !heard.contains(&witness.key)).copied().collect()
    }

    fn parties(&self) -> BTreeSet<PartyNumber> {
        self.iter().map(|witness| witness.party).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cosignature;
    use super::super::testing::{charter_with_witnesses, checkpoint};
    use super::*;
    use crate::record::testing::key;

    #[test]
    fn two_quorums_share_more_parties_than_may_lie() {
        for parties in 0..=64 {
            let Quorum { liars, last, provisional, .. } = Quorum::of(parties);
            assert!(2 * last > parties + liars && 2 * (last - 1) <= parties + liars, "{parties}");
            assert!(2 * provisional > parties && 2 * (provisional - 1) <= parties && provisional <= last, "{parties}");
            // Whoever confirms a restored ledger knows what was shown; one party alone is all there is to ask.
            let shown = Quorum::of(parties).shown();
            let meets = |shown| shown + last > parties + liars;
            assert!(parties < 2 || shown <= parties && meets(shown) && !meets(shown - 1), "{parties}");
            // Where a third may lie, the others are enough.
            assert!(parties < 4 || last <= parties - liars, "{parties}");
        }
    }

    #[test]
    fn three_of_four_are_final_and_two_of_three_provisional() {
        use Confirmation::{Final, Provisional, Unconfirmed};
        for (parties, wanted) in [
            (1, &[Unconfirmed, Provisional][..]),
            (2, &[Unconfirmed, Unconfirmed, Final]),
            (3, &[Unconfirmed, Unconfirmed, Provisional, Final]),
            (4, &[Unconfirmed, Unconfirmed, Unconfirmed, Final, Final]),
            (5, &[Unconfirmed, Unconfirmed, Unconfirmed, Provisional, Final, Final]),
        ] {
            let found: Vec<_> = (0..=parties).map(|signed| Quorum::of(parties).confirmation(signed)).collect();
            assert_eq!(found, wanted, "{parties}");
        }
        assert_eq!(Quorum::of(0).confirmation(0), Unconfirmed);
        assert_eq!([0, 1, 2, 3, 4, 5, 7].map(|parties| Quorum::of(parties).shown()), [0, 1, 2, 2, 3, 3, 5]);
    }

    #[test]
    fn a_party_counts_once_and_the_silent_are_named() {
        let charter = charter_with_witnesses(&[3, 1, 1, 0]);
        let witnesses = Witnesses::of(&charter).expect("a ledger");
        let mut note = CosignedNote::new(checkpoint(7, [1; 32]));
        let mut sign = |seed| {
            let line = Cosignature::make(note.checkpoint(), &key(seed), 9).expect("it signs").line();
            note.add(line.as_bytes(), &witnesses).expect("a line");
            witnesses.tally(&note)
        };
        let alone = [sign(61), sign(71), sign(81)].map(|tally| (tally.confirmation, tally.signed));
        assert!(alone.iter().all(|tally| *tally == (Confirmation::Unconfirmed, vec![PartyNumber(1)])));
        let tally = sign(62);
        assert_eq!(
            tally.to_string(),
            "provisional: witnesses of 2 of 3 parties cosigned; 3 make it final: any two such groups share at least 3, so that if 1 lied, an honest one stood in both; silent: party 3"
        );
        assert_eq!(sign(63).confirmation, Confirmation::Final);
        let silent = witnesses.silent_in([&CosignedNote::new(checkpoint(7, [1; 32]))]);
        assert_eq!((silent.len(), witnesses.silent_in([&note]).len()), (5, 0));
    }
}
