//! Which cosignatures are kept: of each text and witness the one that a note keeps (`spec/witness.md`, Cosignatures as
//! statements).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::Charter;
use super::thinned::Thinned;
use super::{Admitted, Roster};
use crate::check::{Check, Policy, Refused};
use crate::checkpoint::Checkpoint;
use crate::id::{DIGEST_BYTES, StatementId, sha256};
use crate::key::PublicKey;
use crate::witness::{Cosignature, CosignedNote, NoteRefused, Witnesses};

/// A note with one cosignature.
#[derive(Debug)]
struct Held {
    note: CosignedNote,
    cosignature: Cosignature,
    bytes: Vec<u8>,
}

/// One cosignature that is held as a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CosignatureHeld {
    /// The statement.
    pub id: StatementId,
    /// Leaves of its checkpoint.
    pub size: u64,
    /// SHA-256 of its checkpoint's text.
    pub text: [u8; DIGEST_BYTES],
    /// Whose it is.
    pub witness: PublicKey,
}

/// SHA-256 of a checkpoint's text: cosignatures are over it, whichever line of the ledger stands under it.
type Text = [u8; DIGEST_BYTES];

/// The cosignatures of a mission, as statements.
#[derive(Clone, Debug, Default)]
pub(super) struct Cosignatures {
    /// Shared between the copies of a roster: there may be one for each note and witness.
    by_id: BTreeMap<StatementId, Arc<Held>>,
    /// By the number of leaves first, so that the newest are found.
    of_texts: BTreeMap<(u64, Text), BTreeMap<PublicKey, StatementId>>,
    /// Each witness fills only its own share.
    thinned: BTreeMap<PublicKey, Thinned>,
}

impl Cosignatures {
    fn keep(&mut self, held: Held) -> Admitted {
        let id = StatementId::of(&held.bytes);
        let (text, key) = (place_of(held.note.checkpoint()), *held.cosignature.key());
        let earlier = self.of_texts.get(&text).and_then(|of_keys| of_keys.get(&key)).copied();
        if let Some(other) = earlier {
            // Of one cosignature under two lines of the ledger the lower id is kept: any rule would do that all follow.
            let is_kept = self.by_id.get(&other).is_none_or(|other_held| {
                held.cosignature.precedes(&other_held.cosignature)
                    || (held.cosignature == other_held.cosignature && id < other)
            });
            if !is_kept {
                return Admitted::Known(id);
            }
            self.by_id.remove(&other);
        }
        self.of_texts.entry(text).or_default().insert(key, id);
        self.by_id.insert(id, Arc::new(held));
        if let Some(gone) = self.thinned.entry(key).or_default().add(text.0, text.1) {
            self.forget(&gone, &key);
        }
        if self.by_id.contains_key(&id) { Admitted::New(id) } else { Admitted::Known(id) }
    }

    fn forget(&mut self, text: &(u64, Text), key: &PublicKey) {
        let Some(of_keys) = self.of_texts.get_mut(text) else { return };
        if let Some(id) = of_keys.remove(key) {
            self.by_id.remove(&id);
        }
        if of_keys.is_empty() {
            self.of_texts.remove(text);
        }
    }

    /// The checkpoint with the most leaves, but at most `leaves`, that witnesses of at least so many parties cosigned.
    pub(super) fn newest_by(&self, parties: usize, leaves: u64, witnesses: &Witnesses<'_>) -> Option<&Checkpoint> {
        let mut newest_first = self.of_texts.range(..=(leaves, [0xff; DIGEST_BYTES])).rev().map(|(_, of_keys)| of_keys);
        let ids = newest_first.find(|of_keys| {
            let by: BTreeSet<_> = of_keys.keys().filter_map(|key| witnesses.party_of(key)).collect();
            by.len() >= parties
        })?;
        ids.values()
            .filter_map(|id| self.by_id.get(id))
            .map(|held| held.note.checkpoint())
            .min_by_key(|note| note.hash())
    }

    pub(super) fn bytes(&self, id: StatementId) -> Option<&[u8]> {
        self.by_id.get(&id).map(|held| held.bytes.as_slice())
    }

    pub(super) fn ids(&self) -> Vec<StatementId> {
        self.by_id.keys().copied().collect()
    }

    fn under(&self, checkpoint: &Checkpoint) -> impl Iterator<Item = &Held> {
        let ids = self.of_texts.get(&place_of(checkpoint)).into_iter().flat_map(BTreeMap::values);
        ids.filter_map(|id| self.by_id.get(id)).map(|held| &**held)
    }
}

impl Roster {
    pub(super) fn admit_cosignature<P: Policy>(&mut self, bytes: &[u8], policy: P) -> Result<Admitted, Refused> {
        let held = verify(bytes, self.charter.judging_note(bytes), policy)?;
        Ok(self.cosignatures.keep(held))
    }

    /// A note with every cosignature held of its text.
    pub fn cosigned(&self, checkpoint: &Checkpoint) -> CosignedNote {
        let mut note = CosignedNote::new(checkpoint.clone());
        self.cosignatures.under(checkpoint).for_each(|held| _ = note.merge(&held.note));
        note
    }

    /// The cosignatures held of the `texts` checkpoints with the most leaves, ascending by leaves.
    pub fn newest_cosignatures(&self, texts: usize) -> Vec<CosignatureHeld> {
        let newest = self.cosignatures.of_texts.iter().rev().take(texts).rev();
        let each = newest.flat_map(|(&(size, text), of_keys)| {
            of_keys.iter().map(move |(&witness, &id)| CosignatureHeld { id, size, text, witness })
        });
        each.collect()
    }

    /// Every checkpoint held: those of notes, and those that only a cosignature brought.
    pub fn checkpoints(&self) -> impl Iterator<Item = &Checkpoint> {
        // Of each text the first cosignature's: the ledger signs a text once.
        let first = self.cosignatures.of_texts.values().filter_map(|of_keys| of_keys.values().next());
        self.notes().chain(first.filter_map(|id| self.cosignatures.by_id.get(id)).map(|held| held.note.checkpoint()))
    }

    /// Every note held with its cosignatures, ascending by size, then by note hash.
    ///
    /// A cosignature brings its note with it, so a note that came only that way is among them.
    pub fn cosigned_notes(&self) -> Vec<CosignedNote> {
        let mut checkpoints: BTreeMap<_, &Checkpoint> =
            self.notes().map(|note| ((note.size(), note.hash()), note)).collect();
        let known: std::collections::BTreeSet<Text> = checkpoints.values().map(|note| text_of(note)).collect();
        for held in self.cosignatures.by_id.values() {
            let checkpoint = held.note.checkpoint();
            if !known.contains(&text_of(checkpoint)) {
                checkpoints.insert((checkpoint.size(), checkpoint.hash()), checkpoint);
            }
        }
        checkpoints.into_values().map(|checkpoint| self.cosigned(checkpoint)).collect()
    }
}

fn verify<P: Policy>(bytes: &[u8], charter: &Charter, policy: P) -> Result<Held, Refused> {
    let witnesses = Witnesses::of(charter).ok_or(Refused { check: Check::CheckpointInvalid, what: "ledger" })?;
    let invalid = |what| Refused { check: Check::CosignatureInvalid, what };
    let note = CosignedNote::verify(bytes, &witnesses).map_err(|refused| match refused {
        NoteRefused::Checkpoint(refused) => refused,
        NoteRefused::Malformed => invalid("note"),
        NoteRefused::Unknown => invalid("witness"),
        NoteRefused::Order => invalid("order"),
        NoteRefused::Invalid => invalid("signature"),
    })?;
    let mut cosignatures = note.cosignatures();
    let first = cosignatures.next().copied().ok_or(invalid("no cosignature"))?;
    policy.require(cosignatures.next().is_none(), Check::CosignatureInvalid, "more than one cosignature")?;
    drop(cosignatures);
    Ok(Held { note, cosignature: first, bytes: bytes.to_vec() })
}

fn place_of(checkpoint: &Checkpoint) -> (u64, Text) {
    (checkpoint.size(), text_of(checkpoint))
}

fn text_of(checkpoint: &Checkpoint) -> Text {
    sha256(&[checkpoint.text()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Full;
    use crate::record::testing::key;
    use crate::roster::Class;
    use crate::witness::testing::{charter_with_witnesses, checkpoint, complete};

    fn statement(size: u64, witness: u8, time: u64) -> Vec<u8> {
        let checkpoint = checkpoint(size, [1; 32]);
        let line = Cosignature::make(&checkpoint, &key(witness), time).expect("it signs").line();
        [checkpoint.as_bytes(), line.as_bytes()].concat()
    }

    #[test]
    fn the_earliest_of_each_witness_stays_in_any_order() {
        let charter = charter_with_witnesses(&[1, 1, 1]);
        let made = [(7, 61, 9), (7, 61, 5), (7, 62, 8), (9, 61, 1)].map(|(size, by, at)| statement(size, by, at));
        let wanted: Vec<_> = {
            let mut ids: Vec<_> = made[1..].iter().map(|bytes| StatementId::of(bytes)).collect();
            ids.sort_unstable();
            ids
        };
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 0, 3, 1]] {
            let mut held = Cosignatures::default();
            for at in order {
                let read = verify(&made[at], &charter, Full).expect("a cosignature");
                held.keep(read);
            }
            assert_eq!(held.ids(), wanted, "{order:?}");
            assert_eq!(held.of_texts.values().map(BTreeMap::len).sum::<usize>(), 3);
        }
    }

    #[test]
    fn a_note_is_shown_with_all_that_is_held_of_it_also_if_only_a_cosignature_brought_it() {
        let mut roster = Roster::new(complete(&[1, 1]));
        let note = checkpoint(7, [1; 32]);
        assert!(roster.admit(Class::Note, note.as_bytes()).is_ok());
        for bytes in [statement(7, 61, 3), statement(7, 62, 4), statement(9, 61, 5)] {
            let id = StatementId::of(&bytes);
            assert_eq!(roster.admit(Class::Cosignature, &bytes), Ok(Admitted::New(id)));
            assert_eq!(roster.admit(Class::Cosignature, &bytes), Ok(Admitted::Known(id)));
            assert_eq!(roster.bytes(Class::Cosignature, id), Some(bytes.as_slice()));
        }
        let notes = roster.cosigned_notes();
        let shown: Vec<_> = notes.iter().map(|note| (note.checkpoint().size(), note.cosignatures().count())).collect();
        assert_eq!(shown, [(7, 2), (9, 1)]);
        assert_eq!(notes[0], roster.cosigned(&note));
    }

    #[test]
    fn anything_but_one_good_cosignature_is_refused() {
        let mut roster = Roster::new(complete(&[1, 1]));
        let [first, second] = [statement(7, 61, 3), statement(7, 62, 3)];
        let both = {
            let mut note = roster.cosigned(&checkpoint(7, [1; 32]));
            let witnesses = Witnesses::of(roster.charter().charter()).expect("a ledger");
            for bytes in [&first, &second] {
                note.merge(&CosignedNote::verify(bytes, &witnesses).expect("a note"));
            }
            note.encode()
        };
        let mut flipped = first.clone();
        let end = flipped.len() - 4;
        flipped[end] = if flipped[end] == b'A' { b'B' } else { b'A' };
        for (about, bytes, check) in [
            ("two", both, Check::CosignatureInvalid),
            ("none", checkpoint(7, [1; 32]).as_bytes().to_vec(), Check::CosignatureInvalid),
            ("of nobody", statement(7, 63, 3), Check::CosignatureInvalid),
            ("not as signed", flipped, Check::CosignatureInvalid),
            ("no note", b"oops".to_vec(), Check::CosignatureInvalid),
        ] {
            let refused = roster.admit(Class::Cosignature, &bytes).expect_err(about);
            assert_eq!(refused.check, check, "{about}");
        }
    }

    #[test]
    fn a_witness_fills_only_its_own_share_and_its_newest_text_is_always_kept() {
        let charter = charter_with_witnesses(&[1, 1]);
        let mut held = Cosignatures::default();
        held.thinned.insert(*key(61).public(), Thinned::of(2, 1));
        let mut keep =
            |size, by, at| held.keep(verify(&statement(size, by, at), &charter, Full).expect("a cosignature"));
        assert!(matches!(keep(1, 62, 9), Admitted::New(_)));
        for size in 1..=9 {
            assert!(matches!(keep(size, 61, 9), Admitted::New(_)), "{size}");
        }
        assert!(matches!(keep(9, 61, 8), Admitted::New(_)), "a better copy needs no room");
        let of = |by: u8| -> Vec<u64> {
            let by_witness = held.of_texts.iter().filter(|(_, of_keys)| of_keys.contains_key(key(by).public()));
            by_witness.map(|((size, _), _)| *size).collect()
        };
        assert_eq!((of(61).len(), &of(61)[1..], of(62)), (3, &[8, 9][..], vec![1]));
        assert_eq!(held.by_id.len(), 4);
    }
}
