//! Hash trees (RFC 6962 §2.1) for three uses: claims, chunks of a file, ledger.
//!
//! Leaves and inner nodes are hashed with different first bytes, so that neither passes as the other.
//! This module knows trees of hashes; where hashes are kept is the caller's business.

use std::convert::Infallible;
use std::ops::Range;

use sha2::{Digest as _, Sha256};

use crate::id::{DIGEST_BYTES, sha256};

/// The hash of a leaf, an inner node or a whole tree.
pub type NodeHash = [u8; DIGEST_BYTES];

/// Bytes of a file in one leaf of its chunk tree (`spec/entry.md`, Body).
pub const CHUNK_BYTES: usize = 65_536;

/// The hash of a leaf with this content.
pub fn leaf_hash(content: &[u8]) -> NodeHash {
    sha256(&[&[0], content])
}

/// The hash of the node over two subtrees.
pub fn node_hash(left: &NodeHash, right: &NodeHash) -> NodeHash {
    sha256(&[&[1], left, right])
}

/// The root over leaf hashes; of no leaves, the SHA-256 of nothing.
pub fn root(leaves: &[NodeHash]) -> NodeHash {
    let mut tree = Tree::new();
    for leaf in leaves {
        tree.append(*leaf);
    }
    tree.root()
}

/// A tree that grows by one leaf at a time and keeps only the roots of its complete subtrees, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    peaks: Vec<NodeHash>,
}

impl Tree {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree of `size` leaves with these [`peaks`](Self::peaks), or `None` if their number is not that of the ones in `size`.
    pub fn from_peaks(size: u64, peaks: Vec<NodeHash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// Adds a leaf on the right.
    pub fn append(&mut self, leaf: NodeHash) {
        let mut hash = leaf;
        // Each trailing one of the size is a complete subtree as large as the one in hand.
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("as many peaks as ones in the size");
            hash = node_hash(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, largest (leftmost) first: all that must be kept to go on.
    pub fn peaks(&self) -> &[NodeHash] {
        &self.peaks
    }

    /// The root over all leaves.
    pub fn root(&self) -> NodeHash {
        let joined = self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        joined.unwrap_or_else(|| sha256(&[]))
    }
}

/// [`root`] of a tree of `size` leaves whose complete subtrees are looked up, as in [`inclusion_proof_with`].
///
/// # Errors
/// The first error of `node`.
pub fn root_with<E>(size: u64, mut node: impl FnMut(u32, u64) -> Result<NodeHash, E>) -> Result<NodeHash, E> {
    if size == 0 { Ok(sha256(&[])) } else { range_root(0..size, &mut node) }
}

/// A proof that does not lead where it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not lead to the root")]
pub struct ProofInvalid;

/// The inclusion proof of leaf `index` among `leaves`, from the leaf upwards; `None` if there is no such leaf.
pub fn inclusion_proof(index: u64, leaves: &[NodeHash]) -> Option<Vec<NodeHash>> {
    let Ok(proof) = inclusion_proof_with(index, leaves.len() as u64, |level, index| subtree(leaves, level, index));
    proof
}

/// [`inclusion_proof`] in a tree of `size` leaves whose complete subtrees are looked up:
/// `node(level, index)` is the root over leaves `index << level` to `(index + 1) << level`.
///
/// # Errors
/// The first error of `node`.
pub fn inclusion_proof_with<E>(
    index: u64,
    size: u64,
    mut node: impl FnMut(u32, u64) -> Result<NodeHash, E>,
) -> Result<Option<Vec<NodeHash>>, E> {
    if index >= size {
        return Ok(None);
    }
    let mut siblings = Vec::new();
    let mut range = 0..size;
    while range.end - range.start > 1 {
        let (left, right) = split(&range);
        let (inside, sibling) = if index < left.end { (left, right) } else { (right, left) };
        siblings.push(range_root(sibling, &mut node)?);
        range = inside;
    }
    siblings.reverse();
    Ok(Some(siblings))
}

/// The root to which `proof` leads from `leaf` at `index` in a tree of `size` leaves; `None` if it has the wrong length.
pub fn root_from_inclusion(leaf: &NodeHash, index: u64, size: u64, proof: &[NodeHash]) -> Option<NodeHash> {
    if index >= size {
        return None;
    }
    // RFC 9162 §2.1.3.2.
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// Verifies that `leaf` stands at `index` in the tree of `size` leaves with `root`.
///
/// # Errors
/// If the proof does not show it.
pub fn verify_inclusion(
    leaf: &NodeHash,
    index: u64,
    size: u64,
    proof: &[NodeHash],
    root: &NodeHash,
) -> Result<(), ProofInvalid> {
    if root_from_inclusion(leaf, index, size, proof).as_ref() == Some(root) { Ok(()) } else { Err(ProofInvalid) }
}

/// The consistency proof from the first `earlier` of `leaves` to all of them; `None` if there are not so many.
///
/// It is empty when `earlier` is 0 or all.
pub fn consistency_proof(earlier: u64, leaves: &[NodeHash]) -> Option<Vec<NodeHash>> {
    let Ok(proof) = consistency_proof_with(earlier, leaves.len() as u64, |level, index| subtree(leaves, level, index));
    proof
}

/// [`consistency_proof`] in a tree whose complete subtrees are looked up, as in [`inclusion_proof_with`].
///
/// # Errors
/// The first error of `node`.
pub fn consistency_proof_with<E>(
    earlier: u64,
    size: u64,
    mut node: impl FnMut(u32, u64) -> Result<NodeHash, E>,
) -> Result<Option<Vec<NodeHash>>, E> {
    if earlier > size {
        return Ok(None);
    }
    if earlier == 0 || earlier == size {
        return Ok(Some(Vec::new()));
    }
    let mut proof = Vec::new();
    let mut range = 0..size;
    // RFC 6962 §2.1.2: down to the subtree that ends where the earlier tree ended.
    while earlier != range.end {
        let (left, right) = split(&range);
        let (inside, sibling) = if earlier <= left.end { (left, right) } else { (right, left) };
        proof.push(range_root(sibling, &mut node)?);
        range = inside;
    }
    // The verifier already has it when it is the whole earlier tree.
    if range.start != 0 {
        proof.push(range_root(range, &mut node)?);
    }
    proof.reverse();
    Ok(Some(proof))
}

/// Verifies that the tree of `size` leaves with `root` begins with the tree of `earlier` leaves with `earlier_root`.
///
/// # Errors
/// If the proof does not show it.
pub fn verify_consistency(
    earlier: u64,
    earlier_root: &NodeHash,
    size: u64,
    root: &NodeHash,
    proof: &[NodeHash],
) -> Result<(), ProofInvalid> {
    let holds = match earlier {
        _ if earlier > size => false,
        0 => proof.is_empty() && *earlier_root == sha256(&[]) && (size != 0 || *root == *earlier_root),
        _ if earlier == size => proof.is_empty() && earlier_root == root,
        _ => roots_from_consistency(earlier, earlier_root, size, proof) == Some((*earlier_root, *root)),
    };
    if holds { Ok(()) } else { Err(ProofInvalid) }
}

/// Both roots as the proof gives them, for 0 < `earlier` < `size` (RFC 9162 §2.1.4.2).
fn roots_from_consistency(
    earlier: u64,
    earlier_root: &NodeHash,
    size: u64,
    proof: &[NodeHash],
) -> Option<(NodeHash, NodeHash)> {
    let shift = (earlier - 1).trailing_ones();
    let (mut node, mut last) = ((earlier - 1).checked_shr(shift)?, (size - 1).checked_shr(shift)?);
    // A power of two is one complete subtree, whose hash the verifier has.
    let (first, rest) = if earlier.is_power_of_two() { (earlier_root, proof) } else { proof.split_first()? };
    let (mut old, mut new) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some((old, new))
}

/// Where a tree over `range` (at least two leaves) divides: after the largest power of two that leaves something over.
pub(crate) fn split(range: &Range<u64>) -> (Range<u64>, Range<u64>) {
    let len = range.end - range.start;
    let middle = range.start + (1 << (len - 1).ilog2());
    (range.start..middle, middle..range.end)
}

/// The root over a subtree of a larger tree; `range` came from [`split`], so its complete parts are aligned.
fn range_root<E>(range: Range<u64>, node: &mut impl FnMut(u32, u64) -> Result<NodeHash, E>) -> Result<NodeHash, E> {
    let len = range.end - range.start;
    if len.is_power_of_two() {
        let level = len.trailing_zeros();
        return node(level, range.start >> level);
    }
    let (left, right) = split(&range);
    Ok(node_hash(&range_root(left, node)?, &range_root(right, node)?))
}

fn subtree(leaves: &[NodeHash], level: u32, index: u64) -> Result<NodeHash, Infallible> {
    let start = (index << level) as usize;
    Ok(root(&leaves[start..start + (1 << level)]))
}

/// Hashes a file into its chunk tree as it is read, in pieces of any length.
#[derive(Clone, Debug, Default)]
pub struct ChunkHasher {
    tree: Tree,
    /// The leaf in hand, begun only when a byte of it is there.
    leaf: Option<(Sha256, usize)>,
}

impl ChunkHasher {
    /// The hasher of an empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the file.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (mut hasher, filled) = self.leaf.take().unwrap_or_else(|| (Sha256::new_with_prefix([0]), 0));
            let (piece, rest) = bytes.split_at(bytes.len().min(CHUNK_BYTES - filled));
            hasher.update(piece);
            bytes = rest;
            match filled + piece.len() {
                CHUNK_BYTES => self.tree.append(hasher.finalize().into()),
                filled => self.leaf = Some((hasher, filled)),
            }
        }
    }

    /// The root over all chunks.
    pub fn finish(mut self) -> NodeHash {
        if let Some((hasher, _)) = self.leaf.take() {
            self.tree.append(hasher.finalize().into());
        }
        self.tree.root()
    }
}

/// The root of the chunk tree of a file.
pub fn chunk_root(file: &[u8]) -> NodeHash {
    let mut hasher = ChunkHasher::new();
    hasher.update(file);
    hasher.finish()
}

/// The leaf hashes of the chunk tree of a file, first chunk first.
pub fn chunk_hashes(file: &[u8]) -> Vec<NodeHash> {
    file.chunks(CHUNK_BYTES).map(leaf_hash).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The leaves of certificate-transparency's test tree.
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    /// Its roots, by number of leaves.
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).expect("hex")
    }

    fn hashes(texts: &[&str]) -> Vec<NodeHash> {
        texts.iter().map(|text| hex(text).try_into().expect("32 bytes")).collect()
    }

    fn known_leaves() -> Vec<NodeHash> {
        LEAVES.iter().map(|leaf| leaf_hash(&hex(leaf))).collect()
    }

    fn numbered_leaves(size: u64) -> Vec<NodeHash> {
        (0..size).map(|index| leaf_hash(&index.to_be_bytes())).collect()
    }

    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let leaves = known_leaves();
        for (size, wanted) in ROOTS.iter().enumerate() {
            assert_eq!(root(&leaves[..size]).to_vec(), hex(wanted), "{size} leaves");
        }
    }

    #[test]
    fn inclusion_proofs_are_those_of_certificate_transparency() {
        let leaves = known_leaves();
        let rows: &[(u64, usize, &[&str])] = &[
            (0, 1, &[]),
            (
                0,
                8,
                &[
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                5,
                8,
                &[
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        ];
        for (index, size, wanted) in rows {
            assert_eq!(inclusion_proof(*index, &leaves[..*size]), Some(hashes(wanted)), "{index} of {size}");
        }
    }

    #[test]
    fn consistency_proofs_are_those_of_certificate_transparency() {
        let leaves = known_leaves();
        let rows: &[(u64, usize, &[&str])] = &[
            (1, 1, &[]),
            (
                1,
                8,
                &[
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                6,
                8,
                &[
                    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (
                2,
                5,
                &[
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ],
            ),
        ];
        for (earlier, size, wanted) in rows {
            assert_eq!(consistency_proof(*earlier, &leaves[..*size]), Some(hashes(wanted)), "{earlier} to {size}");
        }
    }

    /// RFC 6962 §2.1, word by word.
    fn root_by_definition(leaves: &[NodeHash]) -> NodeHash {
        match leaves {
            [] => sha256(&[]),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&root_by_definition(left), &root_by_definition(right))
            }
        }
    }

    #[test]
    fn every_inclusion_proof_of_small_trees_verifies_for_its_leaf_alone() {
        let all = numbered_leaves(33);
        for size in 0..=33 {
            let leaves = &all[..size as usize];
            let root = root(leaves);
            assert_eq!(root, root_by_definition(leaves));
            assert_eq!(inclusion_proof(size, leaves), None);
            for index in 0..size {
                let leaf = &leaves[index as usize];
                let proof = inclusion_proof(index, leaves).expect("the leaf is there");
                assert_eq!(verify_inclusion(leaf, index, size, &proof, &root), Ok(()));
                for other in (0..size + 2).filter(|&other| other != index) {
                    assert!(
                        verify_inclusion(leaf, other, size, &proof, &root).is_err(),
                        "{index} as {other} of {size}"
                    );
                }
                check_damaged(&proof, |proof| verify_inclusion(leaf, index, size, proof, &root));
            }
        }
    }

    #[test]
    fn every_consistency_proof_of_small_trees_verifies_for_its_sizes_alone() {
        let all = numbered_leaves(33);
        for size in 0..=33 {
            let leaves = &all[..size as usize];
            let new = root(leaves);
            assert_eq!(consistency_proof(size + 1, leaves), None);
            for earlier in 0..=size {
                let old = root(&leaves[..earlier as usize]);
                let proof = consistency_proof(earlier, leaves).expect("not more leaves than there are");
                assert_eq!(verify_consistency(earlier, &old, size, &new, &proof), Ok(()), "{earlier} to {size}");
                check_damaged(&proof, |proof| verify_consistency(earlier, &old, size, &new, proof));
                assert!(verify_consistency(earlier, &leaf_hash(b"x"), size, &new, &proof).is_err());
                // From nothing, every tree is consistent.
                assert_eq!(
                    verify_consistency(earlier, &old, size, &leaf_hash(b"x"), &proof).is_ok(),
                    earlier == 0 && size != 0
                );
                for other in (1..size + 2).filter(|&other| other != earlier) {
                    assert!(verify_consistency(other, &old, size, &new, &proof).is_err(), "{earlier} as {other}");
                }
            }
        }
    }

    fn check_damaged(proof: &[NodeHash], verify: impl Fn(&[NodeHash]) -> Result<(), ProofInvalid>) {
        let mut longer = proof.to_vec();
        longer.push([0; 32]);
        assert_eq!(verify(&longer), Err(ProofInvalid));
        for at in 0..proof.len() {
            let mut other = proof.to_vec();
            other[at][0] ^= 1;
            assert_eq!(verify(&other), Err(ProofInvalid));
            let mut shorter = proof.to_vec();
            shorter.remove(at);
            assert_eq!(verify(&shorter), Err(ProofInvalid));
        }
    }

    #[test]
    fn sizes_near_the_end_of_the_range_do_not_overflow() {
        let path = vec![[0; 32]; 64];
        assert!(root_from_inclusion(&[0; 32], u64::MAX - 1, u64::MAX, &path).is_none_or(|root| root != [0; 32]));
        assert!(verify_consistency(u64::MAX - 1, &[0; 32], u64::MAX, &[0; 32], &path).is_err());
        assert!(verify_consistency(1 << 63, &[0; 32], u64::MAX, &[0; 32], &path).is_err());
        let node = |_: u32, _: u64| Ok::<_, Infallible>([0; 32]);
        let Ok(proof) = inclusion_proof_with(u64::MAX - 1, u64::MAX, node);
        assert!(proof.is_some_and(|proof| proof.len() <= 64));
    }

    #[test]
    fn a_tree_goes_on_from_its_peaks() {
        let all = numbered_leaves(33);
        for size in 0..33 {
            let mut tree = Tree::new();
            all[..size].iter().for_each(|leaf| tree.append(*leaf));
            let mut resumed = Tree::from_peaks(size as u64, tree.peaks().to_vec()).expect("its own peaks");
            all[size..].iter().for_each(|leaf| resumed.append(*leaf));
            assert_eq!((resumed.root(), resumed.size()), (root(&all), 33));
            let too_many = Tree::from_peaks(size as u64, [tree.peaks(), &[[0; 32]]].concat());
            assert_eq!(too_many, None);
        }
    }

    #[test]
    fn a_file_has_one_chunk_root_however_it_is_read() {
        for len in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 5] {
            let file: Vec<u8> = (0..len).map(|at| at as u8).collect();
            assert_eq!(chunk_root(&file), root(&chunk_hashes(&file)));
            for piece in [1_000, CHUNK_BYTES, CHUNK_BYTES + 1] {
                let mut hasher = ChunkHasher::new();
                file.chunks(piece).for_each(|bytes| hasher.update(bytes));
                assert_eq!(hasher.finish(), chunk_root(&file), "{len} bytes by {piece}");
            }
        }
        assert_eq!(chunk_hashes(&[0; CHUNK_BYTES]), [leaf_hash(&[0; CHUNK_BYTES])]);
    }
}
