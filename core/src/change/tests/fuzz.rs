//! Mutated chunks: no panic, and nothing accepted that Automerge would read as something else.

use super::forge::seal;
use super::oracle::assert_same_meaning;
use super::{Dice, ME, Sample};
use crate::change::Change;
use crate::change::encode::prefixed;

/// Where the contents begin in chunks of at least 128 and less than 16,384 bytes, as most samples are.
const CONTENTS_FROM: usize = 11;

#[test]
fn mutated_chunks_never_panic_and_never_mean_something_else_than_automerge_reads() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..20_000 {
        let mut dice = Dice::new(seed);
        let chunk = mutate(Sample::new(&mut dice).compose(), &mut dice);
        match Change::decode(&chunk, ME) {
            Ok(change) => {
                assert_same_meaning(&change, &format!("seed {seed}"));
                accepted += 1;
            }
            Err(_) => refused += 1,
        }
    }
    // Both sides were reached, or the mutations say nothing.
    assert!(accepted > 500 && refused > 5_000, "{accepted} accepted, {refused} refused");
}

fn mutate(mut chunk: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    for _ in 0..1 + dice.below(2) {
        let at = dice.below(chunk.len() as u64) as usize;
        match dice.below(5) {
            0 => chunk[at] = dice.next() as u8,
            1 => chunk[at] ^= 1 << dice.below(8),
            2 => chunk[at] = chunk[at].wrapping_add(1),
            3 => chunk.insert(at, dice.next() as u8),
            _ => drop(chunk.remove(at)),
        }
    }
    if dice.below(8) == 0 {
        return chunk;
    }
    // Mostly the header is made to fit again, so that the mutation is met further in.
    let contents = chunk.split_off(CONTENTS_FROM.min(chunk.len()));
    let mut mended = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1];
    prefixed(&mut mended, &contents);
    seal(&mut mended);
    mended
}
