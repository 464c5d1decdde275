//! Bulk inserts into an empty store, as when a peer sends what it holds.

use merestone_core::id::StoreId;
use merestone_store::{Batch, Identity, Store};
use merestone_tests::mission;

use crate::row::Row;
use merestone_tests::corpus::{self, BATCH, Crew, batch};
use merestone_tests::timing::time_ms;

const ROUNDS: usize = 5;
const ENTRIES: u64 = 20_000;

pub(crate) fn measure() -> Vec<Row> {
    let mission = corpus::found();
    let entries = Crew::certify(&mission).inspections(ENTRIES).concat();
    let identity = Identity { mission: mission.id(), store: StoreId::from_bytes([1; 16]) };
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut rates = Vec::new();
    for round in 0..ROUNDS {
        let path = home.path().join(round.to_string());
        let store = Store::create(&path, mission::store_key(), identity).expect("a new store");
        let batches: Vec<Batch> = entries.chunks(BATCH).map(batch).collect();
        let (ms, ()) =
            time_ms(|| batches.into_iter().for_each(|batch| drop(store.commit(batch).expect("room on the disk"))));
        rates.push(ENTRIES as f64 / ms * 1e3);
    }
    vec![Row::median("store/bulk-insert", "entries/s", &rates).note("verified entries, 512 to a durable commit")]
}
