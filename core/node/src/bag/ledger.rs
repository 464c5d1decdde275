//! The ledger in a bag: every checkpoint held, and the leaves under the newest of which nothing is missing.

use merestone_core::audit::bag::{bundle_path, note_path};
use merestone_core::checkpoint::Leaf;
use merestone_core::id::ScopeId;
use merestone_core::ledger::{Row, TILE_WIDTH, TileAddress, encode_bundle};
use merestone_core::roster::Roster;

use super::LeftOut;
use super::displaced::Displaced;
use super::error::BagError;
use super::payload::Parts;
use super::reach::Reach;

/// Leaves read from the store at once: 64 bundles.
const PAGE_LEAVES: usize = 64 * TILE_WIDTH as usize;

impl Parts<'_> {
    /// Writes the notes, and then the leaves of as many as the largest note has of which everything that they name is in the
    /// bag.
    pub(super) fn ledger(
        &mut self,
        roster: &Roster,
        scopes: Option<&[ScopeId]>,
        displaced: &Displaced,
    ) -> Result<(), BagError> {
        let held = self.store.ledger_size()?;
        let mut sizes = Vec::new();
        for note in roster.cosigned_notes() {
            let leaves = note.checkpoint().size();
            self.put(note_path(leaves, note.hash()), &note.encode())?;
            self.written.notes += 1;
            if leaves <= held {
                sizes.push(leaves);
            }
        }
        // Notes come ascending.
        let Some(&largest) = sizes.last() else { return Ok(()) };
        let reach = Reach { store: self.store, roster, scopes, displaced }.of(largest)?;
        let size = sizes.iter().rev().copied().find(|size| *size <= reach).unwrap_or(0);
        if size < largest {
            self.written.left_out.push(LeftOut::Leaves { held: largest, used: size });
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
