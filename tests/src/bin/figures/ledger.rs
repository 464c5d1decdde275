//! A ledger of a million leaves: what hashing it into tiles costs, and what one leaf costs to show.

use std::collections::HashMap;

use merestone_core::checkpoint::Leaf;
use merestone_core::id::{EntryId, LogId, sha256};
use merestone_core::ledger::{Growing, LedgerProof, TileAddress, inclusion_proof};
use merestone_core::merkle::{leaf_hash, verify_inclusion};
use merestone_tests::timing::time_ms;

use crate::row::{Row, Target};

const ROUNDS: usize = 3;
const LEAVES: u64 = 1_000_000;

/// Leaves that are shown, spread over the ledger.
const SHOWN: u64 = 100;

pub(crate) fn measure() -> Vec<Row> {
    let leaves: Vec<Leaf> = (0..LEAVES).map(leaf).collect();
    let (mut rates, mut proofs, mut largest) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let (mut grown, mut tiles) = (Growing::new(), Vec::new());
        let (ms, ()) = time_ms(|| leaves.iter().for_each(|leaf| grown.append(leaf_hash(&leaf.encode()), &mut tiles)));
        rates.push(LEAVES as f64 / ms * 1_000.0);
        tiles.extend(grown.partial());
        let kept: HashMap<TileAddress, Vec<u8>> = tiles.iter().map(|tile| (tile.address(), tile.encode())).collect();
        let root = grown.root();
        let (ms, ()) = time_ms(|| {
            for at in 0..SHOWN {
                let index = at * (LEAVES - 1) / (SHOWN - 1);
                let read = |address: &TileAddress| kept.get(address).cloned().ok_or("no such tile");
                let path = inclusion_proof(index, LEAVES, read).expect("all tiles are held").expect("a leaf");
                let hash = leaf_hash(&leaves[index as usize].encode());
                verify_inclusion(&hash, index, LEAVES, &path, &root).expect("a proof of this ledger");
                largest = largest.max(LedgerProof { index, path, note: Vec::new() }.encode().len());
            }
        });
        proofs.push(ms * 1_000.0 / SHOWN as f64);
    }
    vec![
        Row::median("ledger/leaves-into-tiles", "1/s", &rates)
            .target(Target::AtLeast(20_000.0))
            .note("1,000,000 entries' leaves encoded, hashed and cut into tiles on one core, in memory; nothing is made durable"),
        Row::once("ledger/inclusion-proof", "B", largest as f64)
            .target(Target::AtMost(1_000.0))
            .note("the largest of 100 in a ledger of 1,000,000, as a proof file without its note"),
        Row::median("ledger/inclusion-from-tiles", "us", &proofs)
            .note("made from tiles in memory and verified, mean of 100 in a ledger of 1,000,000"),
    ]
}

fn leaf(number: u64) -> Leaf {
    let digest = |what: &str| sha256(&[what.as_bytes(), &number.to_be_bytes()]);
    Leaf::Entry { log: LogId::from_bytes(digest("log")), seq: number, id: EntryId::from_bytes(digest("entry")) }
}
