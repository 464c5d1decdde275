//! Entry bundles: the leaves under a tile of level 0, each after its length (`spec/ledger.md`, Entry bundles).

use super::Malformed;
use super::tile::{Row, TILE_WIDTH, TileAddress};
use crate::checkpoint::Leaf;

/// Bytes of the longest leaf: an entry whose seq takes 8 bytes.
pub const LEAF_BYTES_MAX: usize = 79;

/// Bytes of the longest bundle: 256 such leaves, each after its length.
pub const BUNDLE_BYTES_MAX: usize = TILE_WIDTH as usize * (2 + LEAF_BYTES_MAX);

/// The bytes of a bundle of these leaves.
pub fn encode_bundle(leaves: &[Leaf]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(leaves.len() * (2 + LEAF_BYTES_MAX));
    for leaf in leaves {
        let leaf = leaf.encode();
        let length = u16::try_from(leaf.len()).expect("a leaf has at most 79 bytes");
        bytes.extend(length.to_be_bytes());
        bytes.extend(leaf);
    }
    bytes
}

/// Reads the bundle at `address`.
///
/// # Errors
/// `bundle-malformed` if it is not the encoding of exactly as many leaves as the address says, or it is the address of a tile.
pub fn decode_bundle(address: TileAddress, bytes: &[u8]) -> Result<Vec<Leaf>, Malformed> {
    let read = || {
        let (mut leaves, mut rest) = (Vec::with_capacity(usize::from(address.width())), bytes);
        for _ in 0..address.width() {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (leaf, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            leaves.push(Leaf::decode(leaf).ok()?);
            rest = after;
        }
        rest.is_empty().then_some(leaves)
    };
    if address.row() == Row::Entries { read() } else { None }.ok_or(Malformed::Bundle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EntryId, LogId, ScopeId, StatementId};

    #[test]
    fn a_bundle_holds_exactly_the_leaves_of_its_address() {
        let (log, id) = (LogId::from_bytes([1; 32]), EntryId::from_bytes([2; 32]));
        let leaves = [
            Leaf::Statement(StatementId::from_bytes([3; 32])),
            Leaf::Log { log, scope: ScopeId::from_bytes([4; 8]) },
            Leaf::Entry { log, seq: u64::MAX, id },
        ];
        assert_eq!(leaves[2].encode().len(), LEAF_BYTES_MAX);
        let bytes = encode_bundle(&leaves);
        let of = |row, width| TileAddress::new(row, 0, width).expect("an address");
        assert_eq!(decode_bundle(of(Row::Entries, 3), &bytes).as_deref(), Ok(&leaves[..]));
        assert_eq!(decode_bundle(of(Row::Entries, 2), &bytes), Err(Malformed::Bundle));
        assert_eq!(decode_bundle(of(Row::Entries, 4), &bytes), Err(Malformed::Bundle));
        assert_eq!(decode_bundle(of(Row::Hashes(0), 3), &bytes), Err(Malformed::Bundle));
        for at in 0..bytes.len() {
            assert_eq!(decode_bundle(of(Row::Entries, 3), &bytes[..at]), Err(Malformed::Bundle), "cut at {at}");
        }
    }
}
