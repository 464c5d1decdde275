//! What this machine gives without us: signatures and flushes.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::thread;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::row::Row;
use crate::timing::{median, time_ms};

/// Signatures that are verified in one measurement: a tenth of a second.
const SIGNATURES: usize = 2_000;

/// Bytes that a signature of an entry is over, roughly.
const MESSAGE_BYTES: usize = 420;

const ROUNDS: usize = 5;

/// Flushes in one round.
const FLUSHES: usize = 100;

/// Signatures to verify, with nothing around them.
pub(crate) struct Signatures {
    key: VerifyingKey,
    signed: Vec<(Vec<u8>, Signature)>,
}

impl Signatures {
    pub(crate) fn make() -> Self {
        let key = SigningKey::from_bytes(&[9; 32]);
        let message = |number: usize| [&number.to_be_bytes()[..], &[0x5a; MESSAGE_BYTES]].concat();
        let signed = (0..SIGNATURES).map(message).map(|message| {
            let signature = key.sign(&message);
            (message, signature)
        });
        Self { key: key.verifying_key(), signed: signed.collect() }
    }

    /// Signatures verified in a second on one core.
    pub(crate) fn one_core_per_s(&self) -> f64 {
        let (ms, ()) = time_ms(|| self.verify_all());
        SIGNATURES as f64 / ms * 1e3
    }

    /// Signatures verified in a second on all cores.
    pub(crate) fn all_cores_per_s(&self) -> f64 {
        let cores = cores();
        let (ms, ()) = time_ms(|| {
            thread::scope(|scope| {
                for _ in 0..cores {
                    scope.spawn(|| self.verify_all());
                }
            });
        });
        (cores * SIGNATURES) as f64 / ms * 1e3
    }

    fn verify_all(&self) {
        for (message, signature) in &self.signed {
            self.key.verify_strict(message, signature).expect("signed above");
        }
    }
}

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

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
