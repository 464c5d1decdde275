//! Leaves and checkpoints of a bag, as whoever holds the ledger's key and the witnesses' keys can make them.

use merestone_core::audit::bag::{bundle_path, note_path};
use merestone_core::checkpoint::{Checkpoint, Leaf};
use merestone_core::id::StatementId;
use merestone_core::ledger::{Row, TileAddress, encode_bundle};
use merestone_core::merkle;
use merestone_core::roster::Charter;
use merestone_core::witness::{Cosignature, CosignedNote, Witnesses};

use super::{Bag, ledger_key, witness_key};

/// Puts the bundles of these leaves into a bag.
pub(crate) fn put_leaves(bag: &mut Bag, leaves: &[Leaf]) {
    let size = leaves.len() as u64;
    for (index, leaves) in (0..).zip(leaves.chunks(256)) {
        let address = TileAddress::in_tree(Row::Entries, index, size).unwrap();
        bag.put(&bundle_path(address), &encode_bundle(leaves));
    }
}

/// The leaves of the cosignatures of a note.
pub(crate) fn cosignature_leaves(note: &CosignedNote) -> Vec<Leaf> {
    let of =
        |line: String| Leaf::Cosignature(StatementId::of(&[note.checkpoint().as_bytes(), line.as_bytes()].concat()));
    note.cosignatures().map(|cosignature| of(cosignature.line())).collect()
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
