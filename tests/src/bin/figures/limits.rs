//! What this machine gives without us: signatures and flushes.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use merestone_tests::floor::{Signatures, cores};
use merestone_tests::timing::{median, time_ms};

use crate::row::Row;

const ROUNDS: usize = 5;

/// Flushes in one round.
const FLUSHES: usize = 100;

pub(crate) fn measure() -> Vec<Row> {
    let signatures = Signatures::make();
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut file = File::create(home.path().join("flushed")).expect("a file in it");
    let (mut one, mut all, mut flush) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(signatures.one_core_per_s());
        all.push(signatures.all_cores_per_s());
        flush.push(flush_ms(&mut file));
    }
    vec![
        Row::median("limits/verify-strict-one-core", "1/s", &one),
        Row::median("limits/verify-strict-all-cores", "1/s", &all).note(format!("{} cores", cores())),
        Row::median("limits/fdatasync", "ms", &flush).note("one page appended and flushed, in the temporary folder"),
    ]
}

fn flush_ms(file: &mut File) -> f64 {
    let mut samples = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        file.seek(SeekFrom::End(0)).expect("a plain file");
        let (ms, ()) = time_ms(|| {
            file.write_all(&[0x5a; 4_096]).expect("room on the disk");
            file.sync_data().expect("a disk that flushes");
        });
        samples.push(ms);
    }
    median(&samples)
}
