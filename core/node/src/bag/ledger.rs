//! The ledger in a bag: every checkpoint held, and the leaves under the newest that is of this store's leaves.

use merestone_core::audit::bag::{bundle_path, note_path};
use merestone_core::checkpoint::Leaf;
use merestone_core::ledger::{Row, TILE_WIDTH, TileAddress, encode_bundle};
use merestone_core::roster::Roster;

use super::error::BagError;
use super::payload::Parts;

/// Leaves read from the store at once: 64 bundles.
const PAGE_LEAVES: usize = 64 * TILE_WIDTH as usize;

impl Parts<'_> {
    /// Writes the notes, and then the leaves of as many as the largest note has that this store's ledger reaches.
    pub(super) fn ledger(&mut self, roster: &Roster) -> Result<(), BagError> {
        let held = self.store.ledger_size()?;
        let mut size = 0;
        for note in roster.cosigned_notes() {
            let leaves = note.checkpoint().size();
            self.put(note_path(leaves, note.hash()), &note.encode())?;
            self.written.notes += 1;
            if leaves <= held {
                size = size.max(leaves);
            }
        }
        while self.written.leaves < size {
            self.bundles(size)?;
        }
        Ok(())
    }

    /// Writes the next bundles of a ledger of `size` leaves.
    fn bundles(&mut self, size: u64) -> Result<(), BagError> {
        let from = self.written.leaves;
        let page = self.store.ledger_leaves(from, PAGE_LEAVES)?;
        for bytes in page.chunks(TILE_WIDTH.into()) {
            let index = self.written.leaves / u64::from(TILE_WIDTH);
            let Some(address) = TileAddress::in_tree(Row::Entries, index, size) else { return Ok(()) };
            let leaves: Vec<Leaf> =
                bytes.iter().take(address.width().into()).map_while(|leaf| Leaf::decode(leaf).ok()).collect();
            if leaves.len() != usize::from(address.width()) {
                return Err(BagError::Ledger { leaf: self.written.leaves + leaves.len() as u64 });
            }
            self.put(bundle_path(address), &encode_bundle(&leaves))?;
            self.written.leaves += leaves.len() as u64;
        }
        if self.written.leaves == from { Err(BagError::Ledger { leaf: from }) } else { Ok(()) }
    }
}
