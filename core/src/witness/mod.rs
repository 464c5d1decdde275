//! Witnesses of the mission's ledger (`spec/witness.md`): what one checks before it cosigns, what a cosigned note is,
//! and when enough parties confirmed one.
//!
//! This module decides. That a witness keeps what it cosigned before it answers, and in one step with the check, is its
//! caller's business.

mod cosignature;
mod cosigned;
mod decide;
mod quorum;
mod request;

pub use cosignature::{CosignError, Cosignature, TIME_MAX, verifier_key, witness_name};
pub use cosigned::{COSIGNED_NOTE_BYTES_MAX, CosignedNote, LINES_MAX, NoteRefused, checkpoint_among};
pub use decide::{Accepted, Observed, Refusal, Watched, decide};
pub use quorum::{Confirmation, Quorum, Tally};
pub use request::{AddCheckpoint, CONSISTENCY_HASHES_MAX, REQUEST_BYTES_MAX, RequestMalformed, parse_conflict};

use crate::key::PublicKey;
use crate::roster::{Charter, CompleteCharter, Ledger, PartyNumber};

/// Most witness keys of a mission that count: with the ledger's line, a note then has at most 100 lines,
/// as many as Go's `sumdb/note` reads.
pub const WITNESSES_MAX: usize = 99;

/// One witness that the charter names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Whose it is.
    pub party: PartyNumber,
    /// Its key.
    pub key: PublicKey,
}

/// A mission's ledger and the witnesses whose cosignatures of it count.
#[derive(Clone, Debug)]
pub struct Witnesses<'a> {
    ledger: &'a Ledger,
    /// Ascending by key.
    counted: Vec<Witness>,
}

impl<'a> Witnesses<'a> {
    /// Those of the charter; `None` if the mission has no ledger.
    ///
    /// Of more than 99 keys the first of every party count, then the second of every party, and so on.
    pub fn of(charter: &'a Charter) -> Option<Self> {
        let ledger = charter.ledger.as_ref()?;
        let ranked = charter.parties.iter().flat_map(|party| {
            party.witnesses.iter().enumerate().map(|(rank, key)| (rank, Witness { party: party.number, key: *key }))
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_by_key(|(rank, witness)| (*rank, witness.party));
        let mut counted: Vec<Witness> = ranked.into_iter().take(WITNESSES_MAX).map(|(_, witness)| witness).collect();
        counted.sort_by_key(|witness| witness.key);
        Some(Self { ledger, counted })
    }

    /// Those that judge `note`: the ones of the charter that stood at the size it names.
    pub fn judging(charter: &'a CompleteCharter, note: &[u8]) -> Option<Self> {
        Self::of(charter.judging_note(note))
    }

    /// Those that judge a note of `size` leaves.
    pub fn at(charter: &'a CompleteCharter, size: u64) -> Option<Self> {
        Self::of(charter.judging(size))
    }

    /// The ledger they watch.
    pub fn ledger(&self) -> &'a Ledger {
        self.ledger
    }

    /// Each that counts, ascending by key.
    pub fn iter(&self) -> impl Iterator<Item = &Witness> {
        self.counted.iter()
    }

    /// The party whose witness has this key.
    pub fn party_of(&self, key: &PublicKey) -> Option<PartyNumber> {
        self.find(key).map(|witness| witness.party)
    }

    fn find(&self, key: &PublicKey) -> Option<&Witness> {
        self.counted.binary_search_by_key(key, |witness| witness.key).ok().map(|at| &self.counted[at])
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use crate::check::Refused;
    use crate::checkpoint::Checkpoint;
    use crate::record::testing::{charter, key};
    use crate::roster::{Charter, CompleteCharter, MakeError, SignedCharter};

    /// The test mission, whose parties have so many witnesses each: of party n, the keys 60 + n, 70 + n …
    pub(crate) fn charter_with_witnesses(counts: &[u8]) -> Charter {
        let mut charter = charter().charter().clone();
        let party = charter.parties[0].clone();
        charter.parties = (1..)
            .zip(counts)
            .map(|(number, count)| {
                let witnesses = (0..*count).map(|at| *key(60 + 10 * at + number).public()).collect();
                crate::roster::Party { number: crate::roster::PartyNumber(number.into()), witnesses, ..party.clone() }
            })
            .collect();
        charter
    }

    /// The same, signed by its parties: with at most three.
    pub(crate) fn complete(counts: &[u8]) -> CompleteCharter {
        let mut charter = charter_with_witnesses(counts);
        charter.quorum = 1;
        for (seed, party) in (1..).zip(&mut charter.parties) {
            (party.name, party.root) = (format!("Party {seed}"), *key(seed).public());
        }
        let mut signed = SignedCharter::begin(&charter, &key(1)).expect("party 1 signs");
        for seed in (2..).take(counts.len() - 1) {
            signed.sign(&key(seed)).expect("a party signs");
        }
        signed.complete().expect("all signed")
    }

    pub(crate) fn checkpoint(size: u64, root: [u8; 32]) -> Checkpoint {
        let charter = charter();
        let ledger = charter.charter().ledger.as_ref().expect("the test mission has a ledger");
        let made: Result<_, MakeError> = Checkpoint::make(ledger, &key(50), size, &root);
        made.map_err(|_| Refused { check: crate::Check::CheckpointInvalid, what: "test" }).expect("the ledger signs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_keys_the_first_of_each_party_count() {
        let charter = testing::charter_with_witnesses(&[16, 1, 2]);
        let witnesses = Witnesses::of(&charter).expect("a ledger");
        assert_eq!(witnesses.iter().count(), 19);
        assert!(witnesses.iter().map(|witness| witness.key).is_sorted());

        let mut many = charter.clone();
        let party = many.parties[0].clone();
        many.parties = (1..=50).map(|n| crate::roster::Party { number: PartyNumber(n), ..party.clone() }).collect();
        let witnesses = Witnesses::of(&many).expect("a ledger");
        let of = |n| witnesses.iter().filter(|witness| witness.party == PartyNumber(n)).count();
        assert_eq!((witnesses.iter().count(), of(1), of(49), of(50)), (99, 2, 2, 1));
    }
}
