//! Which cosignatures become leaves: of each checkpoint and witness one, ever, and only of the newest checkpoints
//! (`spec/checkpoint.md`, Leaves).

use std::collections::BTreeSet;

use merestone_core::cbor::{Reader, Writer};
use merestone_core::check::Refused;
use merestone_core::id::StatementId;
use merestone_core::roster::Roster;
use merestone_core::witness::WITNESSES_MAX;
use merestone_store::{Batch, Store};

use super::LedgerError;

/// What has a leaf, committed with the leaves.
const COSIGNED: &str = "node/ledger-cosigned";

/// Of how many checkpoints cosignatures still become leaves.
///
/// A witness that is asked again a day later cosigns the newest checkpoint; what comes of older ones has been on a phone that
/// went from witness to witness, and four hours of checkpoints every 15 minutes are enough for a meeting.
const TEXTS: usize = 16;

/// Leaves of a checkpoint, SHA-256 of its text, and the witness.
type Pair = (u64, [u8; 32], [u8; 32]);

/// The cosignatures that have a leaf, of the newest checkpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Cosignatures of checkpoints of fewer leaves become none any more.
    floor: u64,
    pairs: BTreeSet<Pair>,
}

impl Counted {
    /// As it was committed. In a store that has leaves and no word of this, what was cosigned so far stays without one.
    pub(super) fn open(store: &Store) -> Result<Self, LedgerError> {
        match store.setting(COSIGNED)? {
            Some(bytes) => read(&bytes).map_err(|_| LedgerError::Damaged),
            None => Ok(Self { floor: store.ledger_size()?, pairs: BTreeSet::new() }),
        }
    }

    /// Takes in what is held now; gives the cosignatures that are to become leaves.
    pub(super) fn take(&mut self, roster: &Roster) -> Vec<StatementId> {
        let held = roster.newest_cosignatures(TEXTS);
        let sizes: BTreeSet<u64> = held.iter().map(|cosignature| cosignature.size).collect();
        if let Some(least) = sizes.first().filter(|_| sizes.len() >= TEXTS) {
            self.floor = self.floor.max(*least);
        }
        let floor = self.floor;
        self.pairs.retain(|(size, ..)| *size >= floor);
        let open = held.into_iter().filter(|cosignature| cosignature.size >= floor);
        let new = open.filter(|by| self.pairs.insert((by.size, by.text, *by.witness.as_bytes())));
        new.map(|cosignature| cosignature.id).collect()
    }

    /// Keeps this with the leaves of a batch.
    pub(super) fn commit_with(&self, batch: &mut Batch) {
        batch.setting(COSIGNED, Some(self.write()));
    }

    fn write(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.array(2).uint(self.floor).array(self.pairs.len());
        for (size, text, witness) in &self.pairs {
            writer.array(3).uint(*size).bytes(text).bytes(witness);
        }
        writer.finish()
    }
}

fn read(bytes: &[u8]) -> Result<Counted, Refused> {
    let mut reader = Reader::new(bytes);
    reader.array_exact(2, "cosigned")?;
    let mut counted = Counted { floor: reader.uint("floor")?, pairs: BTreeSet::new() };
    for _ in 0..reader.array(TEXTS * WITNESSES_MAX * 2, "pairs")? {
        reader.array_exact(3, "pair")?;
        counted.pairs.insert((reader.uint("size")?, reader.array_of("text")?, reader.array_of("witness")?));
        reader.leave();
    }
    reader.leave();
    reader.leave();
    reader.finish("cosigned")?;
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_leaf_reads_back() {
        let mut counted = Counted { floor: 7, pairs: BTreeSet::new() };
        for n in 0..5_u8 {
            assert_eq!(read(&counted.write()), Ok(counted.clone()));
            counted.pairs.insert((u64::from(n), [n; 32], [n + 1; 32]));
        }
        assert!(read(&counted.write()[1..]).is_err());
    }
}
