//! Random bytes that follow from a seed, on threads that asked for it.
//!
//! QUIC's connection ids and the keys of TLS are none of an endpoint's own seed, and what a turned bit does depends on the
//! bytes around it: what was the mark of a packet's kind under one key is noise under another. So a program that is to replay
//! brings `exports.rs` beside this file, which answers `getrandom` from here.

use std::cell::Cell;

use crate::chance::Chance;

thread_local! {
    static SEED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Fills `bytes` on a thread with a seed; elsewhere leaves them as they are and answers `false`.
pub fn draw(bytes: &mut [u8]) -> bool {
    // A thread that is ending has no seed any more.
    let Ok(Some(seed)) = SEED.try_with(Cell::get) else { return false };
    let mut chance = Chance::new(seed);
    for piece in bytes.chunks_mut(8) {
        piece.copy_from_slice(&chance.number().to_be_bytes()[..piece.len()]);
    }
    SEED.set(Some(chance.number()));
    true
}

/// Runs `work` on a thread of its own whose random bytes follow from `seed`: nothing is left of what an earlier one drew.
pub fn with_seed<T: Send>(seed: u64, work: impl FnOnce() -> T + Send) -> T {
    let done = std::thread::scope(|scope| {
        let working = scope.spawn(move || {
            SEED.set(Some(seed));
            work()
        });
        working.join()
    });
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
