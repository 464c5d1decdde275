//! The ledger's tree at one size, as it is kept beside the leaves, and what follows from the leaves.

use merestone_core::cbor::{Reader, Writer};
use merestone_core::check::Refused;
use merestone_core::ledger::{Growing, Row, TILE_WIDTH, Tile, TileAddress};
use merestone_core::merkle::{NodeHash, Tree, leaf_hash};
use merestone_store::{Batch, LedgerAppend, LedgerNode, PAGE_LEAVES_MAX, ReadError, Store};

use super::LedgerError;
use super::tiles::{LedgerTiles, items};

/// The peaks over the leaves in the store, committed with them.
const TREE: &str = "node/ledger-tree";

/// Most peaks of a tree: one for each bit of its size.
const PEAKS_MAX: usize = 64;

/// Takes up the tree over the leaves in the store.
///
/// # Errors
/// [`LedgerError::Damaged`] if the leaves at its edge are not those over which it was kept.
pub(super) fn open(store: &Store) -> Result<Growing, LedgerError> {
    let kept = kept(store)?.ok_or(LedgerError::Damaged)?;
    let size = store.ledger_size()?;
    if kept.size() != size {
        return Err(LedgerError::Damaged);
    }
    if !has_nodes(store, size)? {
        make_nodes(store, size)?;
    }
    let partial = edge(&LedgerTiles::of(store), size)?;
    let grown = Growing::resume(size, &partial).ok_or(LedgerError::Damaged)?;
    if grown.root() == kept.root() { Ok(grown) } else { Err(LedgerError::Damaged) }
}

/// The tree that was committed with the leaves; `None` if it does not read back.
pub(super) fn kept(store: &Store) -> Result<Option<Tree>, ReadError> {
    Ok(store.setting(TREE)?.map_or_else(|| Some(Tree::new()), |bytes| read_tree(&bytes)))
}

/// What is committed with leaves that a tree has taken in.
pub(super) fn batch(tree: &Growing, append: LedgerAppend) -> Batch {
    let mut batch = Batch::new();
    batch.setting(TREE, Some(write_tree(tree)));
    batch.ledger(append);
    // It is made again from what is held: it does not use up the room of somebody's work.
    batch.refetchable();
    batch
}

/// The hashes over tiles that became full.
pub(super) fn nodes(full: &[Tile]) -> Vec<LedgerNode> {
    let node = |tile: &Tile| match tile.address().row() {
        Row::Hashes(level) => Some(LedgerNode { level: level + 1, place: tile.address().index(), hash: tile.root() }),
        Row::Entries => None,
    };
    full.iter().filter_map(node).collect()
}

fn edge(tiles: &LedgerTiles<'_>, size: u64) -> Result<Vec<Tile>, LedgerError> {
    let mut partial = Vec::new();
    for level in 0..=merestone_core::ledger::LEVEL_MAX {
        let (row, width) = (Row::Hashes(level), items(Row::Hashes(level), size) % u64::from(TILE_WIDTH));
        let index = items(row, size) / u64::from(TILE_WIDTH);
        let width = u16::try_from(width).unwrap_or(TILE_WIDTH);
        if let Some(address) = TileAddress::new(row, index, width) {
            let bytes = tiles.read(&address)?.ok_or(LedgerError::Damaged)?;
            partial.push(Tile::decode(address, &bytes).map_err(|_| LedgerError::Damaged)?);
        }
    }
    Ok(partial)
}

/// Whether the last hash of each row is there: they came with the leaves, but for those of a store of an older program.
pub(super) fn has_nodes(store: &Store, size: u64) -> Result<bool, ReadError> {
    for level in 1..=merestone_core::ledger::LEVEL_MAX {
        let count = items(Row::Hashes(level), size);
        if count > 0 && store.ledger_nodes(level, count - 1, 1)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn make_nodes(store: &Store, size: u64) -> Result<(), LedgerError> {
    let (mut grown, mut full) = (Growing::new(), Vec::new());
    while grown.size() < size {
        let page = store.ledger_leaves(grown.size(), PAGE_LEAVES_MAX)?;
        if page.is_empty() {
            return Err(LedgerError::Damaged);
        }
        page.iter().for_each(|leaf| grown.append(leaf_hash(leaf), &mut full));
        let mut batch = Batch::new();
        let append = LedgerAppend { first: size, nodes: nodes(&std::mem::take(&mut full)), ..LedgerAppend::default() };
        batch.ledger(append);
        batch.refetchable();
        store.commit(batch)?;
    }
    Ok(())
}

fn write_tree(tree: &Growing) -> Vec<u8> {
    let peaks = tree.peaks();
    let mut writer = Writer::new();
    writer.array(2).uint(tree.size()).array(peaks.len());
    for peak in &peaks {
        writer.bytes(peak);
    }
    writer.finish()
}

fn read_tree(bytes: &[u8]) -> Option<Tree> {
    let read = || -> Result<(u64, Vec<NodeHash>), Refused> {
        let mut reader = Reader::new(bytes);
        reader.array_exact(2, "tree")?;
        let size = reader.uint("size")?;
        let len = reader.array(PEAKS_MAX, "peaks")?;
        let peaks = (0..len).map(|_| reader.array_of("peak")).collect::<Result<_, _>>()?;
        reader.leave();
        reader.leave();
        reader.finish("tree")?;
        Ok((size, peaks))
    };
    let (size, peaks) = read().ok()?;
    Tree::from_peaks(size, peaks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_reads_back_and_nothing_else_does() {
        let (mut grown, mut tree) = (Growing::new(), Tree::new());
        for n in 0..11_u8 {
            let bytes = write_tree(&grown);
            assert_eq!(read_tree(&bytes).as_ref(), Some(&tree));
            assert!((0..bytes.len()).all(|end| read_tree(&bytes[..end]).is_none()));
            tree.append([n; 32]);
            grown.append([n; 32], &mut Vec::new());
        }
        let mut writer = Writer::new();
        writer.array(2).uint(3).array(1).bytes(&[0; 32]);
        assert_eq!(read_tree(&writer.finish()), None);
    }
}
