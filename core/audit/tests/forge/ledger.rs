//! A scene's ledger: its leaves, its checkpoints, and the witnesses that cosigned them.

use merestone_core::audit::bag::{bundle_path, note_path};
use merestone_core::checkpoint::{Checkpoint, Leaf};
use merestone_core::id::StatementId;
use merestone_core::ledger::{Row, TileAddress, encode_bundle};
use merestone_core::merkle;
use merestone_core::roster::{Charter, Class};
use merestone_core::witness::{Cosignature, CosignedNote, Witnesses};

use crate::chance::Chance;
use crate::scene::Scene;
use crate::support::{Bag, ledger_key, witness_key};

/// Leaves and notes, as whoever holds the ledger's key and the witnesses' keys could have made them.
#[derive(Clone)]
pub(crate) struct Logbook {
    pub(crate) leaves: Vec<Leaf>,
    /// Ascending by size; the last is of all leaves.
    pub(crate) notes: Vec<CosignedNote>,
}

impl Logbook {
    pub(crate) fn write(scene: &Scene, chance: &mut Chance) -> Self {
        let charter = scene.mission.charter.charter();
        let mut leaves: Vec<Leaf> = [Class::Certificate, Class::Cut, Class::Erasure]
            .into_iter()
            .flat_map(|class| scene.statements(class))
            .map(Leaf::Statement)
            .collect();
        let early = leaves.len();
        for author in &scene.authors {
            leaves.push(author.device.begun());
            // The newest of a log may not have reached the camp yet.
            let logged = author.entries().len() - usize::from(chance.percent(25) && !author.is_forked);
            leaves.extend(author.entries()[..logged].iter().map(|entry| Leaf::Entry {
                log: entry.log(),
                seq: entry.header().seq,
                id: entry.id(),
            }));
        }
        let (size, middle) = (leaves.len(), chance.between(early, leaves.len() - 1));
        let is_final = chance.percent(70);
        let all = scene.mission.plan.witnessed;
        let silent = if is_final { 0 } else { all };
        let notes = vec![
            cosigned(charter, &leaves[..middle], &everybody(all), 1_767_225_700),
            cosigned(charter, &leaves[..size], &everybody(all - silent), 1_767_225_800),
        ];
        Self { leaves, notes }
    }

    /// Puts bundles and notes into a bag, in the place of those it has.
    pub(crate) fn put(&self, bag: &mut Bag) {
        bag.files.retain(|path, _| !path.starts_with("data/ledger/"));
        self.put_leaves(bag);
        for note in &self.notes {
            put_note(bag, note);
        }
    }

    fn put_leaves(&self, bag: &mut Bag) {
        let size = self.leaves.len() as u64;
        for (index, leaves) in (0..).zip(self.leaves.chunks(256)) {
            let address = TileAddress::in_tree(Row::Entries, index, size).unwrap();
            bag.put(&bundle_path(address), &encode_bundle(leaves));
        }
    }

    /// The place of the leaf of a statement.
    pub(crate) fn has_statement(&self, id: StatementId) -> bool {
        self.leaves.contains(&Leaf::Statement(id))
    }

    pub(crate) fn has_entry(&self, wanted: merestone_core::id::EntryId) -> bool {
        self.leaves.iter().any(|leaf| matches!(leaf, Leaf::Entry { id, .. } if *id == wanted))
    }
}

/// The first witness of each of so many parties.
pub(crate) fn everybody(parties: u8) -> Vec<(u8, u8)> {
    (1..=parties).map(|party| (party, 0)).collect()
}

pub(crate) fn put_note(bag: &mut Bag, note: &CosignedNote) {
    bag.put(&note_path(note.checkpoint().size(), note.hash()), &note.encode());
}

/// A note over these leaves, by the ledger's key.
pub(crate) fn checkpoint(charter: &Charter, leaves: &[Leaf]) -> Checkpoint {
    let hashes: Vec<_> = leaves.iter().map(|leaf| merkle::leaf_hash(&leaf.encode())).collect();
    let ledger = charter.ledger.as_ref().unwrap();
    Checkpoint::make(ledger, &ledger_key(), leaves.len() as u64, &merkle::root(&hashes)).unwrap()
}

/// The same, cosigned at a time by these witnesses.
pub(crate) fn cosigned(charter: &Charter, leaves: &[Leaf], by: &[(u8, u8)], time: u64) -> CosignedNote {
    cosign(charter, checkpoint(charter, leaves), by, time)
}

pub(crate) fn cosign(charter: &Charter, checkpoint: Checkpoint, by: &[(u8, u8)], time: u64) -> CosignedNote {
    let lines: String = by
        .iter()
        .map(|&(party, number)| Cosignature::make(&checkpoint, &witness_key(party, number), time).unwrap().line())
        .collect();
    let witnesses = Witnesses::of(charter).unwrap();
    let mut note = CosignedNote::new(checkpoint);
    note.add(lines.as_bytes(), &witnesses).unwrap();
    note
}
