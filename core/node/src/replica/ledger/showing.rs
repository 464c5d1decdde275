//! What the ledger held, shown to those who have no leaves: inclusions under final checkpoints (`spec/roster.md`, Inclusion).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use merestone_core::check::Check;
use merestone_core::checkpoint::Leaf;
use merestone_core::entry::LogHead;
use merestone_core::id::{EntryId, LogId, StatementId};
use merestone_core::ledger::LedgerProof;
use merestone_core::roster::{Class, CutBy, Included, Roster};
use merestone_core::witness::{Confirmation, CosignedNote, Witnesses};
use merestone_store::{LogTip, ReadError, Store};

use super::super::Shared;
use super::super::chain::connected;
use super::{LedgerError, LedgerTiles};

/// Most certificates that one camp shows: half of what it may sign is left for cuts.
const CERTIFICATES_MAX: usize = 2_048;

/// Shows made and committed at once.
const PAGE: usize = 64;

/// Makes the inclusions that final checkpoints allow and nobody made yet; how many.
///
/// Whatever is refused because this camp signed too many is left: what is held by then is shown.
pub(super) fn show(shared: &Shared) -> Result<usize, LedgerError> {
    let Some(key) = &shared.receipts else { return Ok(0) };
    let mut made = 0;
    let wanted = wanted(shared)?;
    for page in wanted.chunks(PAGE) {
        let mut statements = Vec::with_capacity(page.len());
        for Wanted { included, proof } in page {
            let roster = shared.authority.roster();
            match key.show(&roster, included, proof) {
                Ok(inclusion) => statements.push(inclusion.as_bytes().to_vec()),
                Err(error) => return Err(LedgerError::Sign(error)),
            }
        }
        let received = shared.take_up(Class::Inclusion, &statements, None)?;
        made += received.new.len();
        if received.refused.iter().any(|(_, refused)| refused.check == Check::StatementLimit) {
            break;
        }
    }
    Ok(made)
}

struct Wanted {
    included: Included,
    proof: LedgerProof,
}

/// What inclusions show already.
struct Shown {
    statements: BTreeSet<StatementId>,
    /// Entries, and the least size of a note that shows each.
    entries: BTreeMap<EntryId, u64>,
}

impl Shown {
    fn of(roster: &Roster) -> Self {
        let mut shown = Self { statements: BTreeSet::new(), entries: BTreeMap::new() };
        for inclusion in roster.inclusions() {
            match inclusion.included() {
                Included::Statement(id) => drop(shown.statements.insert(*id)),
                Included::Entry { key: _, head } => {
                    let least = shown.entries.entry(head.id).or_insert(u64::MAX);
                    *least = inclusion.size().min(*least);
                }
            }
        }
        shown
    }
}

/// What is still to be shown: cuts first, since they wait for it.
fn wanted(shared: &Shared) -> Result<Vec<Wanted>, LedgerError> {
    let (store, roster) = (&*shared.store, shared.authority.roster().clone());
    let (notes, shown) = (final_notes(&roster, store.ledger_size()?), Shown::of(&roster));
    let Some(largest) = notes.last() else { return Ok(Vec::new()) };
    let mut wanted = Vec::new();
    for cut in roster.cuts() {
        // Against a cut that the ledger never got every final note counts.
        let index = store.ledger_statement(cut.id())?;
        let before = notes.iter().rev().find(|note| index.is_none_or(|index| note.checkpoint().size() <= index));
        if let (CutBy::Party(_), Some(note)) = (cut.by(), before) {
            show_before(store, cut.key(), note, &shown, &mut wanted)?;
        }
        // What was final goes first: where there is no room for both, nothing is taken from anybody.
        if let Some(index) = index.filter(|_| !shown.statements.contains(&cut.id())) {
            wanted.extend(prove(store, Included::Statement(cut.id()), index, largest)?);
        }
    }
    let open = roster.certificates().filter(|certificate| !shown.statements.contains(&certificate.id()));
    let room = CERTIFICATES_MAX.saturating_sub(roster.ledgered().len());
    for certificate in open.take(room) {
        if let Some(index) = store.ledger_statement(certificate.id())? {
            wanted.extend(prove(store, Included::Statement(certificate.id()), index, largest)?);
        }
    }
    Ok(wanted)
}

/// The final notes over leaves that this store has, ascending by size.
fn final_notes(roster: &Roster, size: u64) -> Vec<CosignedNote> {
    let Some(witnesses) = Witnesses::of(roster.charter().charter()) else { return Vec::new() };
    let is_final = |note: &CosignedNote| {
        note.checkpoint().size() <= size && witnesses.tally(note).confirmation == Confirmation::Final
    };
    roster.cosigned_notes().into_iter().filter(is_final).collect()
}

/// The highest entries of each log of a key that `note` holds.
fn show_before(
    store: &Store,
    key: &[u8; 32],
    note: &CosignedNote,
    shown: &Shown,
    wanted: &mut Vec<Wanted>,
) -> Result<(), LedgerError> {
    let size = note.checkpoint().size();
    for tip in tips_of(store, key)? {
        for (index, seq, id) in heads_below(store, tip.log, size)? {
            if shown.entries.get(&id).is_some_and(|least| *least <= size) {
                continue;
            }
            let head = LogHead { scope: tip.scope, epoch: tip.epoch, seq, id };
            wanted.extend(prove(store, Included::Entry { key: *key, head }, index, note)?);
        }
    }
    Ok(())
}

fn tips_of(store: &Store, key: &[u8; 32]) -> Result<Vec<LogTip>, ReadError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let tips = store.tips(None, after)?;
        let Some(last) = tips.last() else { return Ok(found) };
        after = Some(last.log);
        found.extend(tips.iter().filter(|tip| tip.key == *key));
    }
}

/// Index, seq and id of the entries of a log among the first `size` leaves on which no other of them builds.
fn heads_below(store: &Store, log: LogId, size: u64) -> Result<Vec<(u64, u64, EntryId)>, ReadError> {
    // Below the first fork all leaves of a log stand in order, so the last of them is the head.
    let fork = store.fork(log)?;
    let leaves = fork.map_or(Ok(Vec::new()), |fork| store.ledger_places_of(log, fork, size))?;
    let mut entries: Vec<(u64, u64, EntryId)> = leaves.iter().filter_map(entry_of).collect();
    let Some(fork) = fork.filter(|_| !entries.is_empty()) else {
        return Ok(store.ledger_last_of(log, size)?.iter().filter_map(entry_of).collect());
    };
    let held: HashSet<EntryId> = entries.iter().map(|(_, _, id)| *id).collect();
    let links = connected(store, log, fork)?;
    let built_on: HashSet<EntryId> =
        links.into_iter().filter(|link| held.contains(&link.id)).filter_map(|link| link.prev).collect();
    entries.retain(|(_, _, id)| !built_on.contains(id));
    Ok(entries)
}

/// Index, seq and id of the entry that a leaf is about.
fn entry_of((index, bytes): &(u64, Vec<u8>)) -> Option<(u64, u64, EntryId)> {
    match Leaf::decode(bytes) {
        Ok(Leaf::Entry { log: _, seq, id }) => Some((*index, seq, id)),
        Ok(Leaf::Statement(_) | Leaf::Begun { .. } | Leaf::Log { .. } | Leaf::Cosignature(_)) | Err(_) => None,
    }
}

fn prove(store: &Store, included: Included, index: u64, note: &CosignedNote) -> Result<Option<Wanted>, LedgerError> {
    let path = LedgerTiles::of(store).inclusion_proof(index, note.checkpoint().size())?;
    Ok(path.map(|path| Wanted { included, proof: LedgerProof { index, path, note: note.encode() } }))
}
