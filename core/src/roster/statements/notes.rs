//! Which checkpoint notes are kept, and which is the newest that may be shown (`spec/witness.md`, What is kept and Handing
//! out).

use std::collections::BTreeMap;

use super::thinned::Thinned;
use super::{Admitted, Roster};
use crate::check::{Check, Policy, Refused};
use crate::checkpoint::Checkpoint;
use crate::id::StatementId;
use crate::witness::Witnesses;

/// The checkpoint notes of a mission, as statements.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    by_id: BTreeMap<StatementId, Checkpoint>,
    by_size: BTreeMap<u64, Vec<StatementId>>,
    thinned: Thinned,
}

impl Notes {
    fn keep(&mut self, id: StatementId, note: Checkpoint) -> Admitted {
        let size = note.size();
        self.by_id.insert(id, note);
        self.by_size.entry(size).or_default().push(id);
        if let Some((size, mark)) = self.thinned.add(size, *id.as_bytes()) {
            let gone = StatementId::from_bytes(mark);
            self.by_id.remove(&gone);
            let is_empty = self.by_size.get_mut(&size).is_none_or(|ids| {
                ids.retain(|held| *held != gone);
                ids.is_empty()
            });
            if is_empty {
                self.by_size.remove(&size);
            }
        }
        if self.by_id.contains_key(&id) { Admitted::New(id) } else { Admitted::Known(id) }
    }

    pub(super) fn get(&self, id: StatementId) -> Option<&Checkpoint> {
        self.by_id.get(&id)
    }

    pub(super) fn ids(&self) -> Vec<StatementId> {
        self.by_id.keys().copied().collect()
    }
}

impl Roster {
    pub(super) fn admit_note<P: Policy>(&mut self, bytes: &[u8], policy: P) -> Result<Admitted, Refused> {
        let none = Refused { check: Check::CheckpointInvalid, what: "ledger" };
        let ledger = self.charter.judging_note(bytes).ledger.as_ref().ok_or(none)?;
        let note = Checkpoint::verify_under(bytes, ledger, policy)?;
        Ok(self.notes.keep(StatementId::of(bytes), note))
    }

    /// Every checkpoint note, ascending by id.
    pub fn notes(&self) -> impl Iterator<Item = &Checkpoint> {
        self.notes.by_id.values()
    }

    /// The checkpoint with the most leaves; of several, the one with the lowest id.
    pub fn newest_note(&self) -> Option<&Checkpoint> {
        let (_, ids) = self.notes.by_size.last_key_value()?;
        self.notes.get(*ids.iter().min()?)
    }

    /// The checkpoint with the most leaves that may be shown, and that an entry may name: witnesses of so many parties
    /// cosigned it that no restored ledger can forget it ([`Quorum::shown`](crate::witness::Quorum::shown)).
    pub fn newest_shown_note(&self) -> Option<&Checkpoint> {
        self.newest_shown_within(u64::MAX)
    }

    /// The same of those that have at most `leaves` leaves.
    pub fn newest_shown_within(&self, leaves: u64) -> Option<&Checkpoint> {
        // Until the witnesses of an amendment have cosigned one, those before have.
        let by = |charter| {
            let witnesses = Witnesses::of(charter)?;
            let needed = witnesses.quorum().shown();
            if needed == 0 {
                let (_, ids) = self.notes.by_size.range(..=leaves).next_back()?;
                return self.notes.get(*ids.iter().min()?);
            }
            self.cosignatures.newest_by(needed, leaves, &witnesses)
        };
        let cosigned = self.charter.judges().rev().find_map(by)?;
        let same = self.notes.by_size.get(&cosigned.size()).into_iter().flatten();
        let same = same.filter_map(|id| self.notes.get(*id)).filter(|note| note.text() == cosigned.text());
        Some(same.min_by_key(|note| note.hash()).unwrap_or(cosigned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::key;
    use crate::roster::Class;
    use crate::witness::Cosignature;
    use crate::witness::testing::{checkpoint, complete};

    #[test]
    fn a_ledger_never_ends_and_its_newest_note_is_always_held() {
        let mut notes = Notes { thinned: Thinned::of(3, 2), ..Notes::default() };
        for size in 1..=20 {
            let note = checkpoint(size, [1; 32]);
            let id = StatementId::of(note.as_bytes());
            assert_eq!(notes.keep(id, note), Admitted::New(id));
            assert_eq!(notes.by_id.len(), 5.min(usize::try_from(size).expect("small")));
            assert_eq!(notes.by_size.values().map(Vec::len).sum::<usize>(), notes.by_id.len());
            assert!(notes.get(id).is_some(), "the newest never makes way");
        }
        let held: Vec<u64> = notes.by_size.keys().copied().collect();
        assert_eq!(held[2..], [18, 19, 20]);
        let gone = checkpoint((1..18).find(|size| !held.contains(size)).expect("thinned"), [1; 32]);
        let id = StatementId::of(gone.as_bytes());
        assert_eq!(notes.keep(id, gone), Admitted::Known(id), "what made way stays away");
    }

    #[test]
    fn what_too_few_parties_cosigned_is_not_shown() {
        let mut roster = Roster::new(complete(&[1, 1, 1]));
        let [small, large] = [checkpoint(7, [1; 32]), checkpoint(9, [2; 32])];
        for note in [&small, &large] {
            roster.admit(Class::Note, note.as_bytes()).expect("a note");
        }
        let mut shown = Vec::new();
        for (note, seed) in [(&small, 61), (&large, 61), (&small, 62), (&large, 63)] {
            let line = Cosignature::make(note, &key(seed), 9).expect("it signs").line();
            let statement = [note.as_bytes(), line.as_bytes()].concat();
            roster.admit(Class::Cosignature, &statement).expect("a cosignature");
            shown.push(roster.newest_shown_note().map(Checkpoint::size));
        }
        assert_eq!(shown, [None, None, Some(7), Some(9)]);
        assert_eq!(roster.newest_note().map(Checkpoint::size), Some(9));
    }

    #[test]
    fn without_witnesses_every_note_is_shown() {
        let mut roster = Roster::new(complete(&[0, 0]));
        roster.admit(Class::Note, checkpoint(7, [1; 32]).as_bytes()).expect("a note");
        assert_eq!(roster.newest_shown_note(), roster.newest_note());
    }
}
