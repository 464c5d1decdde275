//! Signatures verified, with nothing around them.

use std::thread;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::timing::time_ms;

/// Signatures that are verified in one measurement: a tenth of a second.
const SIGNATURES: usize = 2_000;

/// Bytes that a signature of an entry is over, roughly.
const MESSAGE_BYTES: usize = 420;

/// Signatures to verify, with nothing around them.
pub struct Signatures {
    key: VerifyingKey,
    signed: Vec<(Vec<u8>, Signature)>,
}

impl Signatures {
    /// Signs what will be verified.
    pub fn make() -> Self {
        let key = SigningKey::from_bytes(&[9; 32]);
        let message = |number: usize| [&number.to_be_bytes()[..], &[0x5a; MESSAGE_BYTES]].concat();
        let signed = (0..SIGNATURES).map(message).map(|message| {
            let signature = key.sign(&message);
            (message, signature)
        });
        Self { key: key.verifying_key(), signed: signed.collect() }
    }

    /// Signatures verified in a second on one core.
    pub fn one_core_per_s(&self) -> f64 {
        let (ms, ()) = time_ms(|| self.verify_all());
        SIGNATURES as f64 / ms * 1e3
    }

    /// Signatures verified in a second on all cores.
    pub fn all_cores_per_s(&self) -> f64 {
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
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
