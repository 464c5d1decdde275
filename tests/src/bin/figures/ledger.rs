//! A ledger of a million leaves: what hashing it into tiles costs, and what one leaf costs to show.

use std::collections::HashMap;

use merestone_core::checkpoint::{Checkpoint, Leaf};
use merestone_core::id::{EntryId, LogId, MissionId, StoreId, sha256};
use merestone_core::key::SigningKey;
use merestone_core::ledger::{Growing, LedgerProof, TileAddress, inclusion_proof};
use merestone_core::merkle::{leaf_hash, verify_inclusion};
use merestone_core::roster::Ledger;
use merestone_node::replica::LedgerCopy;
use merestone_store::{Identity, Store, StoreKey};
use merestone_tests::timing::time_ms;

use crate::row::{Row, Target};

const ROUNDS: usize = 3;
const LEAVES: u64 = 1_000_000;
/// Leaves that are made durable.
const DURABLE: u64 = 200_000;

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

/// Leaves made durable in batches of 8,192, with the hashes over full tiles and the edge of the tree.
pub(crate) fn durable() -> Vec<Row> {
    let leaves: Vec<Leaf> = (0..DURABLE).map(leaf).collect();
    let mut grown = Growing::new();
    leaves.iter().for_each(|leaf| grown.append(leaf_hash(&leaf.encode()), &mut Vec::new()));
    let key = SigningKey::from_seed(&[50; 32]);
    let ledger = Ledger { origin: "figures.example/ledger".into(), key: *key.public() };
    let note = Checkpoint::make(&ledger, &key, DURABLE, &grown.root()).expect("the ledger signs");
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let identity = Identity { mission: MissionId::from_bytes([1; 32]), store: StoreId::from_bytes([2; 16]) };
        let store = Store::create(&folder.path().join("store"), StoreKey::from_bytes([0; 32]), identity);
        let store = store.expect("a store");
        let mut copy = LedgerCopy::of(&store).expect("an empty ledger");
        let (ms, ()) = time_ms(|| copy.extend(&note, &leaves, &[]).expect("the leaves of the checkpoint"));
        rates.push(DURABLE as f64 / ms * 1_000.0);
    }
    vec![
        Row::median("ledger/append-durable", "1/s", &rates)
            .target(Target::AtLeast(20_000.0))
            .note("200,000 leaves compared with a checkpoint and committed 8,192 at a time, each commit flushed, as a mirror takes them over; a sequencer commits in the same way"),
    ]
}

fn leaf(number: u64) -> Leaf {
    let digest = |what: &str| sha256(&[what.as_bytes(), &number.to_be_bytes()]);
    Leaf::Entry { log: LogId::from_bytes(digest("log")), seq: number, id: EntryId::from_bytes(digest("entry")) }
}
