//! What the ledger held, shown to those who have no leaves: inclusions under final checkpoints (`spec/roster.md`, Inclusion).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use merestone_core::check::Check;
use merestone_core::checkpoint::Leaf;
use merestone_core::entry::LogHead;
use merestone_core::id::{EntryId, LogId, StatementId};
use merestone_core::key::PublicKey;
use merestone_core::ledger::LedgerProof;
use merestone_core::roster::{Class, CutBy, Included, PartyNumber, Roster};
use merestone_core::witness::CosignedNote;
use merestone_store::{LogTip, ReadError, Store};

use super::super::chain::connected;
use super::super::{ReceiptKey, Shared};
use super::waiting::in_leaves;
use super::{LedgerError, LedgerTiles};

/// Most inclusions that one camp signs about entries: half of what is kept of it.
///
/// They go to the parties whose keys are cut in equal shares, so that one party's cuts do not use up another's.
const ENTRIES_MAX: usize = 2_048;

/// Most of them about the logs of one key: whoever forks logs, or begins many, shows less of each.
const ENTRIES_OF_KEY_MAX: usize = 256;

/// Most that it signs about acknowledgements, in equal shares of the parties whose cuts they are about.
const ACKNOWLEDGEMENTS_MAX: usize = 1_024;

/// Most that it signs about certificates.
const CERTIFICATES_MAX: usize = 1_024;

/// Most heads of one log: as many branches as a store keeps, and what stands below the first fork.
const HEADS_MAX: usize = 5;

/// Shows made and committed at once: what was final of a key is rarely more, so it is shown together with what makes
/// its cut act.
const PAGE: usize = 256;

/// Makes the inclusions that final checkpoints allow and nobody made yet; how many.
///
/// Whatever is refused because this camp signed too many is left: what is held by then is shown.
pub(super) fn show(shared: &Shared) -> Result<usize, LedgerError> {
    let Some(key) = &shared.receipts else { return Ok(0) };
    let mut made = 0;
    let wanted = wanted(shared, key)?;
    for page in wanted.chunks(PAGE) {
        let mut statements = Vec::with_capacity(page.len());
        // A copy: what signs may wait, and nobody waits for the roster meanwhile.
        let roster = shared.authority.roster().clone();
        for Wanted { included, proof } in page {
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

/// What is known when something is to be shown.
struct Ground<'a> {
    store: &'a Store,
    roster: Roster,
    /// The final notes over leaves that this store has, ascending by size.
    notes: Vec<CosignedNote>,
    seen: Seen,
}

/// What inclusions show already, and how many of them this camp signed.
#[derive(Default)]
struct Seen {
    /// The least index of each leaf that somebody shows, by its bytes. A leaf may stand in the ledger twice, and what decides
    /// is where it stood first: whoever shows a later place of it keeps nobody from showing the first.
    places: BTreeMap<Vec<u8>, u64>,
    own_certificates: usize,
    own_acknowledgements: BTreeMap<PartyNumber, usize>,
    own_entries: BTreeMap<[u8; 32], usize>,
}

impl Seen {
    fn of(roster: &Roster, own: &PublicKey) -> Self {
        let mut seen = Self::default();
        for inclusion in roster.inclusions() {
            seen.note(&inclusion.included().leaf(), inclusion.index());
            let is_own = usize::from(inclusion.signer() == own);
            match inclusion.included() {
                Included::Statement(id) => match roster.acknowledgement(*id) {
                    Some(about) => *seen.own_acknowledgements.entry(about.of()).or_default() += is_own,
                    None => seen.own_certificates += is_own,
                },
                Included::Entry { key, head: _ } => {
                    *seen.own_entries.entry(*key).or_default() += is_own;
                }
            }
        }
        seen
    }

    /// Takes down that a leaf is shown at `index`.
    fn note(&mut self, leaf: &Leaf, index: u64) {
        let least = self.places.entry(leaf.encode()).or_insert(u64::MAX);
        *least = (*least).min(index);
    }

    /// Whether a leaf is shown at `index` or before.
    fn is_shown(&self, leaf: &Leaf, index: u64) -> bool {
        self.places.get(&leaf.encode()).is_some_and(|least| *least <= index)
    }
}

/// What is still to be shown: what was final before a cut, then what makes the cut act, then certificates.
fn wanted(shared: &Shared, key: &ReceiptKey) -> Result<Vec<Wanted>, LedgerError> {
    let (store, roster) = (&*shared.store, shared.authority.roster().clone());
    let notes = final_notes(&roster, store.ledger_size()?);
    let Some(largest) = notes.last().cloned() else { return Ok(Vec::new()) };
    let seen = Seen::of(&roster, key.public());
    let mut ground = Ground { store, roster, notes, seen };
    let acting = ground.acting()?;
    let mut wanted = ground.entries(&acting)?;
    wanted.extend(ground.acknowledgements(&acting, &largest)?);
    let open = ground.roster.certificates().filter(|held| !ground.seen.is_shown(&Leaf::Statement(held.id()), u64::MAX));
    for certificate in open.take(CERTIFICATES_MAX.saturating_sub(ground.seen.own_certificates)) {
        if let Some(index) = store.ledger_statement(certificate.id())? {
            wanted.extend(prove(store, Included::Statement(certificate.id()), index, &largest)?);
        }
    }
    Ok(wanted)
}

/// A cut of one party, as the ledger's leaves have it.
struct Acting {
    key: [u8; 32],
    party: PartyNumber,
    /// The acknowledgements from which on it acts, with their places; none while it does not.
    acknowledged: Vec<(u64, StatementId)>,
    /// Before which leaf something must have been final that it leaves alone.
    from: u64,
}

impl Ground<'_> {
    /// The cuts of one party, each with the first acknowledgement of each party up to where it acts.
    fn acting(&self) -> Result<Vec<Acting>, ReadError> {
        let leaves = in_leaves(self.store, &self.roster)?;
        let mut acting = Vec::new();
        for cut in self.roster.cuts() {
            let CutBy::Party(party) = cut.by() else { continue };
            let from = leaves.acts_from(&self.roster, cut);
            let mut first: BTreeMap<PartyNumber, (u64, StatementId)> = BTreeMap::new();
            for said in self.roster.acknowledgements_of(cut.id()) {
                let place = leaves.place_of(said.id()).filter(|index| *index <= from && from != u64::MAX);
                let Some(index) = place else { continue };
                let least = first.entry(said.party()).or_insert((index, said.id()));
                *least = (index, said.id()).min(*least);
            }
            let acknowledged = first.into_values().collect();
            acting.push(Acting { key: *cut.key(), party: *party, acknowledged, from });
        }
        Ok(acting)
    }

    /// The highest entries of the logs of keys that are cut, each before a cut acts.
    ///
    /// All logs are looked at once, however many cuts there are.
    fn entries(&mut self, acting: &[Acting]) -> Result<Vec<Wanted>, LedgerError> {
        let largest = self.notes.last().map_or(0, |note| note.checkpoint().size());
        let mut by_key: BTreeMap<[u8; 32], (PartyNumber, BTreeSet<u64>)> = BTreeMap::new();
        for cut in acting {
            by_key.entry(cut.key).or_insert((cut.party, BTreeSet::new())).1.insert(cut.from.min(largest));
        }
        if by_key.is_empty() {
            return Ok(Vec::new());
        }
        let parties: BTreeSet<PartyNumber> = by_key.values().map(|(party, _)| *party).collect();
        let mut shares: BTreeMap<PartyNumber, usize> = BTreeMap::new();
        for (key, (party, _)) in &by_key {
            *shares.entry(*party).or_default() += self.seen.own_entries.get(key).copied().unwrap_or(0);
        }
        let share = ENTRIES_MAX / parties.len().max(1);
        let mut wanted = Vec::new();
        let is_wanted =
            |tip: &Result<LogTip, ReadError>| tip.as_ref().map_or(true, |tip| by_key.contains_key(&tip.key));
        let mut tips = self.store.each_tip(None).filter(is_wanted).collect::<Result<Vec<_>, _>>()?;
        let mut logs: BTreeMap<[u8; 32], usize> = BTreeMap::new();
        tips.iter().for_each(|tip| *logs.entry(tip.key).or_default() += 1);
        let mut places = BTreeMap::new();
        for key in by_key.keys() {
            places.insert(*key, self.certified_at(key)?);
        }
        // Keys certified first come first, since no leaf is put back: whoever certifies keys only to have them shown, or
        // begins many logs, takes the place of nobody who was there before.
        tips.sort_by_key(|tip| (places.get(&tip.key).copied(), logs.get(&tip.key).copied(), tip.log));
        for tip in tips {
            let Some((party, sizes)) = by_key.get(&tip.key) else { continue };
            for size in sizes {
                for (index, seq, id) in heads_below(self.store, tip.log, *size)? {
                    let leaf = Leaf::Entry { log: tip.log, seq, id };
                    let is_shown = self.seen.is_shown(&leaf, index);
                    let (of_party, of_key) =
                        (shares.entry(*party).or_default(), self.seen.own_entries.entry(tip.key).or_default());
                    if *of_party >= share || *of_key >= ENTRIES_OF_KEY_MAX || is_shown {
                        continue;
                    }
                    (*of_party, *of_key) = (*of_party + 1, *of_key + 1);
                    self.seen.note(&leaf, index);
                    // The first note that holds it has the shortest proof; which one it is decides nothing.
                    let first = self.notes.iter().find(|note| note.checkpoint().size() > index);
                    let head = LogHead { scope: tip.scope, epoch: tip.epoch, seq, id };
                    let included = Included::Entry { key: tip.key, head };
                    wanted.extend(first.map(|note| prove(self.store, included, index, note)).transpose()?.flatten());
                }
            }
        }
        Ok(wanted)
    }

    /// The least place of a certificate of a key in the ledger.
    fn certified_at(&self, key: &[u8; 32]) -> Result<u64, ReadError> {
        let mut least = u64::MAX;
        for certificate in self.roster.certificates_of(key) {
            least = self.store.ledger_statement(certificate.id())?.unwrap_or(u64::MAX).min(least);
        }
        Ok(least)
    }

    fn acknowledgements(&self, acting: &[Acting], largest: &CosignedNote) -> Result<Vec<Wanted>, LedgerError> {
        let parties: BTreeSet<PartyNumber> = acting.iter().map(|cut| cut.party).collect();
        let share = ACKNOWLEDGEMENTS_MAX / parties.len().max(1);
        let (mut said, mut wanted) = (self.seen.own_acknowledgements.clone(), Vec::new());
        for cut in acting.iter().filter(|cut| cut.from < largest.checkpoint().size()) {
            for (index, id) in &cut.acknowledged {
                let count = said.entry(cut.party).or_default();
                if *count < share && !self.seen.is_shown(&Leaf::Statement(*id), *index) {
                    *count += 1;
                    wanted.extend(prove(self.store, Included::Statement(*id), *index, largest)?);
                }
            }
        }
        Ok(wanted)
    }
}

/// The final notes over leaves that this store has, ascending by size.
fn final_notes(roster: &Roster, size: u64) -> Vec<CosignedNote> {
    let is_final = |note: &CosignedNote| note.checkpoint().size() <= size && note.is_final(roster.charter());
    roster.cosigned_notes().into_iter().filter(is_final).collect()
}

/// Index, seq and id of the entries of a log among the first `size` leaves on which no other of them builds, and in a
/// forked log of the last below the first fork: it stays where a sibling displaces what stood above it.
fn heads_below(store: &Store, log: LogId, size: u64) -> Result<Vec<(u64, u64, EntryId)>, ReadError> {
    // Below the first fork all leaves of a log stand in order, so the last of them is the head.
    let Some(fork) = store.fork(log)? else {
        return Ok(store.ledger_last_of(log, size)?.iter().filter_map(entry_of).collect());
    };
    let leaves: Vec<(u64, u64, EntryId)> =
        store.ledger_places_of(log, fork.saturating_sub(1), size)?.iter().filter_map(entry_of).collect();
    let links: HashMap<EntryId, Option<EntryId>> =
        connected(store, log, fork)?.into_iter().map(|link| (link.id, link.prev)).collect();
    let held: Vec<(u64, u64, EntryId)> = leaves.iter().filter(|(_, _, id)| links.contains_key(id)).copied().collect();
    let built_on: HashSet<EntryId> = held.iter().filter_map(|(_, _, id)| links.get(id).copied().flatten()).collect();
    let below = leaves.iter().find(|(_, seq, _)| *seq < fork);
    let mut heads: Vec<(u64, u64, EntryId)> = below.copied().into_iter().collect();
    if heads.is_empty() {
        heads.extend(store.ledger_last_of(log, size)?.iter().filter_map(entry_of).filter(|(_, seq, _)| *seq < fork));
    }
    heads.extend(held.into_iter().filter(|(_, _, id)| !built_on.contains(id)).take(HEADS_MAX - 1));
    Ok(heads)
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
