//! Every leaf of the ledger once, from the first: the tree, the notes on the way, and the rules within it.

use std::collections::{BTreeMap, BTreeSet};

use super::logged::Logged;
use super::notes::{NoteState, Notes, SeenNote};
use super::view::{LedgerView, Logs};
use super::{LEAVES_MAX, LEDGER_STATEMENTS_MAX};
use crate::audit::finding::{BagCode, Findings, Place};
use crate::audit::index::LOGS_MAX;
use crate::checkpoint::Leaf;
use crate::id::{LogId, ScopeId, StatementId};
use crate::ledger::{LEAF_BYTES_MAX, Malformed, TILE_WIDTH, TileAddress, decode_bundle};
use crate::merkle::{NodeHash, Tree, leaf_hash};
use crate::roster::Roster;
use crate::witness::Witnesses;

/// Largest bundle, in bytes.
pub const BUNDLE_BYTES_MAX: u64 = TILE_WIDTH as u64 * (2 + LEAF_BYTES_MAX as u64);

/// A leaf and its hash.
pub type HashedLeaf = (Leaf, NodeHash);

/// Reads a bundle, and hashes its leaves.
///
/// # Errors
/// `bundle-malformed`.
pub fn read_bundle(address: TileAddress, bytes: &[u8]) -> Result<Vec<HashedLeaf>, Malformed> {
    let leaves = decode_bundle(address, bytes)?;
    Ok(leaves.into_iter().map(|leaf| (leaf, leaf_hash(&leaf.encode()))).collect())
}

/// The ledger being read.
pub struct LedgerPass {
    /// Ascending by size.
    notes: Vec<SeenNote>,
    silent: Vec<crate::witness::Witness>,
    /// The scopes that are judged; `None` for all.
    scopes: Option<BTreeSet<ScopeId>>,
    end: u64,
    tree: Tree,
    next_note: usize,
    logs: Logs,
    statements: BTreeMap<StatementId, u32>,
    cosignatures: BTreeMap<StatementId, u32>,
    /// What leaves break that no matching note vouches for yet.
    unvouched: Findings,
    /// Most statements that are kept, and most cosignatures.
    statements_max: usize,
    /// Cosignature leaves after as many.
    cosignatures_beyond: u64,
    is_too_large: bool,
}

impl LedgerPass {
    /// Begins with the notes of a bag that has bundles of `reach` leaves and is of these scopes.
    pub fn new(roster: &Roster, notes: &Notes, scopes: Option<&[ScopeId]>, reach: u64) -> Self {
        let witnesses = Witnesses::of(roster.charter().charter());
        let tallied = notes.tallied(roster.charter());
        let end = tallied.iter().map(|note| note.size).filter(|&size| size <= reach).max().unwrap_or(0);
        Self {
            notes: tallied,
            silent: witnesses.map_or_else(Vec::new, |witnesses| notes.silent(&witnesses)),
            scopes: scopes.map(|scopes| scopes.iter().copied().collect()),
            end,
            tree: Tree::new(),
            next_note: 0,
            logs: Logs::new(),
            statements: BTreeMap::new(),
            cosignatures: BTreeMap::new(),
            unvouched: Findings::new(),
            statements_max: LEDGER_STATEMENTS_MAX,
            cosignatures_beyond: 0,
            is_too_large: end > LEAVES_MAX,
        }
    }

    /// How many leaves are to be read.
    pub fn end(&self) -> u64 {
        if self.is_too_large { 0 } else { self.end }
    }

    /// Takes the next leaves; those beyond [`end`](Self::end) are left alone.
    pub fn take(&mut self, leaves: &[HashedLeaf], findings: &mut Findings) {
        for (leaf, hash) in leaves {
            if self.tree.size() >= self.end() {
                return;
            }
            self.compare(findings);
            let place = u32::try_from(self.tree.size()).unwrap_or(u32::MAX);
            self.note_leaf(leaf, place);
            self.tree.append(*hash);
        }
    }

    /// Ends the ledger: what the notes say of it.
    pub fn finish(mut self, findings: &mut Findings) -> LedgerView {
        self.compare(findings);
        if self.is_too_large {
            findings.add(BagCode::LedgerTooLarge, Place::bag(), "not judged");
        }
        if self.cosignatures_beyond > 0 {
            let detail = format!("{} after the first {}", self.cosignatures_beyond, self.statements_max);
            findings.add(BagCode::LedgerCosignatures, Place::bag(), detail);
        }
        let is_split = self.say_notes(findings);
        let Self { notes, silent, scopes, end, tree, logs, statements, cosignatures, is_too_large, .. } = self;
        let is_short = !is_too_large && tree.size() < end;
        let why_not = if is_too_large {
            Some("the ledger is larger than what is judged")
        } else if is_split || notes.iter().any(|note| note.state == NoteState::Differing && note.is_handed_out()) {
            Some("the ledger contradicts a note")
        } else if is_short {
            Some("the ledger's bundles cannot be read to their end")
        } else {
            None
        };
        LedgerView::new(notes, silent, scopes, logs, statements, cosignatures, why_not)
    }

    /// Compares the notes of as many leaves as there are now. What leaves break counts once a note vouches for them.
    fn compare(&mut self, findings: &mut Findings) {
        let size = self.tree.size();
        while let Some(note) = self.notes.get_mut(self.next_note).filter(|note| note.size <= size) {
            let is_same = note.size == size && note.root == self.tree.root();
            note.state = if is_same { NoteState::Matching } else { NoteState::Differing };
            self.next_note += 1;
            if is_same {
                findings.merge(std::mem::take(&mut self.unvouched));
            }
        }
    }

    fn note_leaf(&mut self, leaf: &Leaf, place: u32) {
        let at = Place { leaf: Some(place.into()), ..Place::default() };
        match *leaf {
            Leaf::Entry { log, seq, id } => {
                let Some(logged) = self.log(log, self.scopes.is_none()) else { return };
                if let Err(rule) = logged.add(seq, id, place) {
                    let place = Place { leaf: at.leaf, ..Place::entry(log, seq, id) };
                    self.unvouched.add(BagCode::LedgerOrder, place, rule);
                }
            }
            Leaf::Begun { key, scope, epoch } => {
                let is_claimed = self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&scope));
                self.declare(LogId::derive(&key, scope, epoch), scope, is_claimed, at);
            }
            // By the ledger's word alone: nothing keeps it from a scope in which the log would be missed.
            Leaf::Log { log, scope } => self.declare(log, scope, true, at),
            Leaf::Statement(id) | Leaf::Cosignature(id) => {
                let is_statement = matches!(leaf, Leaf::Statement(_));
                let held = if is_statement { &mut self.statements } else { &mut self.cosignatures };
                if held.len() >= self.statements_max {
                    // Bounds from below rest on fewer of them; nothing else does, and one witness could make as many.
                    if is_statement { self.is_too_large = true } else { self.cosignatures_beyond += 1 }
                } else if let Some(first) = held.insert(id, place) {
                    held.insert(id, first);
                    let place = Place { statement: Some(id), ..at };
                    self.unvouched.add(BagCode::LedgerOrder, place, "the statement stands twice");
                }
            }
        }
    }

    fn declare(&mut self, log: LogId, scope: ScopeId, is_judged: bool, at: Place) {
        let Some(logged) = self.log(log, is_judged) else { return };
        if let Err(rule) = logged.declare(scope) {
            self.unvouched.add(BagCode::LedgerOrder, Place { log: Some(log), ..at }, rule);
        }
    }

    fn log(&mut self, log: LogId, is_judged: bool) -> Option<&mut Logged> {
        if self.logs.len() >= LOGS_MAX && !self.logs.contains_key(&log) {
            self.is_too_large = true;
            return None;
        }
        Some(self.logs.entry(log).or_insert_with(|| Logged::new(is_judged)))
    }

    /// Says which notes are not of this tree; whether two that were handed out contradict each other.
    fn say_notes(&self, findings: &mut Findings) -> bool {
        let mut is_split = false;
        for note in self.notes.iter().filter(|note| !note.is_matching()) {
            let contradiction = self.contradiction(note);
            let is_differing = note.state == NoteState::Differing;
            match contradiction {
                Some(is_handed_out) if is_handed_out && note.is_handed_out() => {
                    is_split = true;
                    let detail = "another tree than the one that a second note is of";
                    findings.add(BagCode::LedgerSplit, note.place(), detail);
                }
                _ if !note.is_handed_out() && (contradiction.is_some() || is_differing) => {
                    let detail = format!("cosigned by {} parties, and of another tree", note.tally.signed.len());
                    findings.add(BagCode::LedgerSplitUnshown, note.place(), detail);
                }
                _ if is_differing => {
                    let detail = format!("the bag's first {} leaves have another root", note.size);
                    findings.add(BagCode::LedgerRoot, note.place(), detail);
                }
                _ => {
                    let detail = format!("{} leaves, the bag has {}", note.size, self.tree.size());
                    findings.add(BagCode::NoteBeyondLeaves, note.place(), detail);
                }
            }
        }
        is_split
    }

    /// Whether another note says that this one is of another tree, and whether such a one was handed out.
    fn contradiction(&self, note: &SeenNote) -> Option<bool> {
        let is_larger =
            |other: &SeenNote| other.is_matching() && other.size > note.size && note.state == NoteState::Differing;
        let is_twin = |other: &SeenNote| other.size == note.size && other.root != note.root;
        let others = self.notes.iter().filter(|other| is_larger(other) || is_twin(other));
        others.map(SeenNote::is_handed_out).reduce(|one, other| one || other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::testing::complete;

    fn read(leaves: impl Iterator<Item = Leaf>) -> LedgerPass {
        let mut pass = LedgerPass::new(&Roster::new(complete(&[1, 1])), &Notes::new(), None, 0);
        (pass.end, pass.statements_max) = (u64::MAX - LEAVES_MAX, 3);
        for (place, leaf) in (0..).zip(leaves) {
            pass.note_leaf(&leaf, place);
        }
        pass
    }

    #[test]
    fn no_witness_makes_a_ledger_too_large_to_be_judged() {
        let id = |n: u8| StatementId::from_bytes([n; 32]);
        let pass = read((0..9).map(|n| Leaf::Cosignature(id(n))));
        assert_eq!((pass.is_too_large, pass.cosignatures.len(), pass.cosignatures_beyond), (false, 3, 6));
        let mut findings = Findings::default();
        pass.finish(&mut findings);
        assert_eq!((findings.count(BagCode::LedgerCosignatures), findings.count(BagCode::LedgerTooLarge)), (1, 0));

        let pass = read((0..9).map(|n| Leaf::Statement(id(n))));
        assert!(pass.is_too_large);
    }
}
