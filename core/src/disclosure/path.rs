//! The hashes beside opened leaves, and the root that both give (`spec/disclosure.md`, Path).
//!
//! Leaves are given in ascending order of their positions; nothing is proved about others.

use std::ops::Range;

use crate::merkle::{self, NodeHash, node_hash, split};

/// The roots of the largest subtrees over `leaves` without an opened leaf, left to right; `opened` is ascending.
pub(super) fn beside(leaves: &[NodeHash], opened: &[u32]) -> Vec<NodeHash> {
    let mut path = Vec::new();
    collect(leaves, 0..leaves.len() as u64, opened, &mut path);
    path
}

fn collect(leaves: &[NodeHash], range: Range<u64>, opened: &[u32], path: &mut Vec<NodeHash>) {
    if opened.is_empty() {
        path.push(merkle::root(&leaves[range.start as usize..range.end as usize]));
        return;
    }
    if range.end - range.start == 1 {
        return;
    }
    let (left, right) = split(&range);
    let (below_left, below_right) = opened.split_at(opened.partition_point(|&at| u64::from(at) < left.end));
    collect(leaves, left, below_left, path);
    collect(leaves, right, below_right, path);
}

/// The root over `size` leaves, of which `opened` are known by position and `path` gives what lies beside them.
/// What is used is taken off `path`; `None` if it is too short, or `opened` has two leaves at one position.
pub(super) fn root(size: u64, opened: &[(u32, NodeHash)], path: &mut &[NodeHash]) -> Option<NodeHash> {
    root_over(0..size, opened, path)
}

fn root_over(range: Range<u64>, opened: &[(u32, NodeHash)], path: &mut &[NodeHash]) -> Option<NodeHash> {
    if opened.is_empty() {
        let (first, rest) = path.split_first()?;
        *path = rest;
        return Some(*first);
    }
    if range.end - range.start == 1 {
        let [(_, hash)] = opened else { return None };
        return Some(*hash);
    }
    let (left, right) = split(&range);
    let (below_left, below_right) = opened.split_at(opened.partition_point(|(at, _)| u64::from(*at) < left.end));
    let left = root_over(left, below_left, path)?;
    Some(node_hash(&left, &root_over(right, below_right, path)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(size: u64) -> Vec<NodeHash> {
        (0..size).map(|at| merkle::leaf_hash(&at.to_be_bytes())).collect()
    }

    /// Every choice of leaves of a small tree, as bits of a number.
    fn choices(size: u32) -> impl Iterator<Item = Vec<u32>> {
        (1u32..1 << size).map(move |bits| (0..size).filter(|at| bits >> at & 1 == 1).collect())
    }

    #[test]
    fn every_choice_of_leaves_of_small_trees_leads_to_the_root_and_uses_the_path_up() {
        for size in 1..=9 {
            let leaves = leaves(size.into());
            for opened in choices(size) {
                let path = beside(&leaves, &opened);
                let shown: Vec<_> = opened.iter().map(|&at| (at, leaves[at as usize])).collect();
                let mut rest = path.as_slice();
                assert_eq!(root(size.into(), &shown, &mut rest), Some(merkle::root(&leaves)), "{opened:?} of {size}");
                assert_eq!(rest, [[0; 32]; 0]);
                if let Some((_, shorter)) = path.split_last() {
                    assert_eq!(root(size.into(), &shown, &mut &*shorter), None);
                }
            }
        }
    }

    #[test]
    fn one_leaf_has_the_path_of_an_inclusion_proof_in_the_order_of_the_leaves() {
        let leaves = leaves(48);
        for at in 0..48 {
            let mut proof = merkle::inclusion_proof(at.into(), &leaves).expect("a leaf of the tree");
            let mut path = beside(&leaves, &[at]);
            proof.sort_unstable();
            path.sort_unstable();
            assert_eq!(path, proof);
        }
    }

    #[test]
    fn two_leaves_at_one_position_give_no_root() {
        let leaves = leaves(2);
        let twice = [(0, leaves[0]), (0, leaves[0])];
        assert_eq!(root(2, &twice, &mut &leaves[1..]), None);
    }
}
