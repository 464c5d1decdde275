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
    is_too_large: bool,
}

impl LedgerPass {
    /// Begins with the notes of a bag that has bundles of `reach` leaves and is of these scopes.
    pub fn new(roster: &Roster, notes: &Notes, scopes: Option<&[ScopeId]>, reach: u64) -> Self {
        let witnesses = Witnesses::of(roster.charter().charter());
        let tallied = notes.tallied(witnesses.as_ref());
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
            self.compare();
            let place = u32::try_from(self.tree.size()).unwrap_or(u32::MAX);
            self.note_leaf(leaf, place, findings);
            self.tree.append(*hash);
        }
    }

    /// Ends the ledger: what the notes say of it.
    pub fn finish(mut self, findings: &mut Findings) -> LedgerView {
        self.compare();
        if self.is_too_large {
            findings.add(BagCode::LedgerTooLarge, Place::bag(), "not judged");
        }
        let is_split = self.say_notes(findings);
        let Self { notes, silent, scopes, end, tree, logs, statements, cosignatures, is_too_large, .. } = self;
        let is_short = !is_too_large && tree.size() < end;
        let why_not = if is_too_large {
            Some("the ledger is larger than what is judged")
        } else if is_split || notes.iter().any(|note| note.state == NoteState::Differing) {
            Some("the ledger contradicts a note")
        } else if is_short {
            Some("the ledger's bundles cannot be read to their end")
        } else {
            None
        };
        LedgerView::new(notes, silent, scopes, logs, statements, cosignatures, why_not)
    }

    /// Compares the notes of as many leaves as there are now.
    fn compare(&mut self) {
        let size = self.tree.size();
        while let Some(note) = self.notes.get_mut(self.next_note).filter(|note| note.size <= size) {
            let is_same = note.size == size && note.root == self.tree.root();
            note.state = if is_same { NoteState::Matching } else { NoteState::Differing };
            self.next_note += 1;
        }
    }

    fn note_leaf(&mut self, leaf: &Leaf, place: u32, findings: &mut Findings) {
        let at = Place { leaf: Some(place.into()), ..Place::default() };
        match *leaf {
            Leaf::Entry { log, seq, id } => {
                let Some(logged) = self.log(log, self.scopes.is_none()) else { return };
                if let Err(rule) = logged.add(seq, id, place) {
                    findings.add(BagCode::LedgerOrder, Place { leaf: at.leaf, ..Place::entry(log, seq, id) }, rule);
                }
            }
            Leaf::Begun { key, scope, epoch } => {
                let is_claimed = self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&scope));
                self.declare(LogId::derive(&key, scope, epoch), scope, is_claimed, at, findings);
            }
            // By the ledger's word alone: nothing keeps it from a scope in which the log would be missed.
            Leaf::Log { log, scope } => self.declare(log, scope, true, at, findings),
            Leaf::Statement(id) | Leaf::Cosignature(id) => {
                let is_statement = matches!(leaf, Leaf::Statement(_));
                let held = if is_statement { &mut self.statements } else { &mut self.cosignatures };
                if held.len() >= LEDGER_STATEMENTS_MAX {
                    self.is_too_large = true;
                } else if let Some(first) = held.insert(id, place) {
                    held.insert(id, first);
                    findings.add(
                        BagCode::LedgerOrder,
                        Place { statement: Some(id), ..at },
                        "the statement stands twice",
                    );
                }
            }
        }
    }

    fn declare(&mut self, log: LogId, scope: ScopeId, is_judged: bool, at: Place, findings: &mut Findings) {
        let Some(logged) = self.log(log, is_judged) else { return };
        if let Err(rule) = logged.declare(scope) {
            findings.add(BagCode::LedgerOrder, Place { log: Some(log), ..at }, rule);
        }
    }

    fn log(&mut self, log: LogId, is_judged: bool) -> Option<&mut Logged> {
        if self.logs.len() >= LOGS_MAX && !self.logs.contains_key(&log) {
            self.is_too_large = true;
            return None;
        }
        Some(self.logs.entry(log).or_insert_with(|| Logged::new(is_judged)))
    }

    /// Says which notes are not of this tree; whether two of them contradict each other.
    fn say_notes(&self, findings: &mut Findings) -> bool {
        let newest = self.notes.iter().filter(|note| note.is_matching()).map(|note| note.size).max();
        let mut is_split = false;
        for note in &self.notes {
            let has_twin = self.notes.iter().any(|other| other.size == note.size && other.root != note.root);
            let is_contradicted = newest.is_some_and(|newest| newest > note.size) && note.state == NoteState::Differing;
            match note.state {
                _ if (has_twin && !note.is_matching()) || is_contradicted => {
                    is_split = true;
                    findings.add(
                        BagCode::LedgerSplit,
                        note.place(),
                        "another tree than the one that a second note is of",
                    );
                }
                NoteState::Matching => {}
                NoteState::Differing => {
                    let detail = format!("the bag's first {} leaves have another root", note.size);
                    findings.add(BagCode::LedgerRoot, note.place(), detail);
                }
                NoteState::Beyond => {
                    let detail = format!("{} leaves, the bag has {}", note.size, self.tree.size());
                    findings.add(BagCode::NoteBeyondLeaves, note.place(), detail);
                }
            }
        }
        is_split
    }
}
