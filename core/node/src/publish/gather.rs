//! What there is to publish: every log of the scopes, the state of every entry, the rules of every form.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::checkpoint::{Checkpoint, Leaf};
use merestone_core::entry::{Header, Position};
use merestone_core::form::FormDefinition;
use merestone_core::id::{EntryId, Epoch, FormHash, LogId, RecordId, ScopeId};
use merestone_core::key::{KEY_BYTES, Signer};
use merestone_core::publication::{
    Account, AccountedEntry, AccountedLog, Condition, Decision, Exception, FACT_LABELS, SignedAccount, State, condition,
};
use merestone_core::record::HeldEntry;
use merestone_core::roster::{Class, PartyNumber};
use merestone_store::{LogTip, PAGE_ENTRIES_MAX};

use super::{Plan, PublishError};
use crate::device::Device;

/// All that a publication is made of, but the entries themselves, which are read again one record after the other.
pub(super) struct Gathered {
    pub(super) signed: SignedAccount,
    pub(super) forms: BTreeMap<FormHash, FormDefinition>,
    /// The bytes of the note that the account names: a newer one may arrive before they are written.
    pub(super) note: Option<Vec<u8>>,
    /// The records with entries to disclose, and these entries.
    pub(super) records: BTreeMap<RecordId, BTreeSet<EntryId>>,
}

/// A log while its entries are gathered.
struct Log {
    key: [u8; KEY_BYTES],
    scope: ScopeId,
    epoch: Epoch,
    party: Option<PartyNumber>,
    entries: BTreeMap<(u64, EntryId), State>,
}

impl Log {
    fn new(key: [u8; KEY_BYTES], scope: ScopeId, epoch: Epoch) -> Self {
        Self { key, scope, epoch, party: None, entries: BTreeMap::new() }
    }
}

/// Leaves of the ledger that are read at once.
const PAGE_LEAVES: usize = 16_384;

struct Gathering<'a> {
    device: &'a Device,
    plan: &'a Plan,
    account: Account,
    logs: BTreeMap<LogId, Log>,
    forms: BTreeMap<FormHash, FormDefinition>,
    records: BTreeMap<RecordId, BTreeSet<EntryId>>,
}

pub(super) fn gather(device: &Device, plan: &Plan, signer: &dyn Signer) -> Result<Gathered, PublishError> {
    let mut scopes = plan.scopes.clone();
    scopes.sort_unstable();
    scopes.dedup();
    let exception = |(record, labels): (&RecordId, &BTreeMap<String, Decision>)| Exception {
        record: *record,
        labels: labels.iter().map(|(label, decision)| (label.clone(), decision.clone())).collect(),
    };
    // Up to a note of more leaves than are here nobody could say that the account is whole.
    let leaves = device.store.ledger_size()?;
    let notes = device.authority.roster().notes().filter(|note| note.size() <= leaves).cloned().collect::<Vec<_>>();
    let newest = notes.into_iter().max_by_key(|note| (note.size(), note.hash()));
    let size = newest.as_ref().map_or(0, Checkpoint::size);
    let note = newest.map(|note| (note.hash(), note.as_bytes().to_vec()));
    let account = Account {
        // Put in by whoever signs.
        party: PartyNumber(0),
        scopes,
        rules: Vec::new(),
        exceptions: plan.exceptions.iter().map(exception).collect(),
        logs: Vec::new(),
        note: note.as_ref().map(|(hash, _)| *hash),
    };
    let (logs, forms, records) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    refuse_unknown_labels(device, plan)?;
    let mut gathering = Gathering { device, plan, account, logs, forms, records };
    let records = gathering.list()?;
    gathering.list_leaves(size)?;
    for record in records {
        gathering.judge(record)?;
    }
    gathering.close(signer, note.map(|(_, bytes)| bytes))
}

/// A label that was mistyped would withhold nothing, or show nothing, and nobody would see it.
fn refuse_unknown_labels(device: &Device, plan: &Plan) -> Result<(), PublishError> {
    let roster = device.authority.roster();
    let forms: Vec<FormHash> =
        roster.ids(Class::Form).into_iter().map(|id| FormHash::from_bytes(*id.as_bytes())).collect();
    let leaves = || forms.iter().filter_map(|form| roster.form(*form)).flat_map(|form| &form.leaves);
    let in_records = plan.exceptions.values().flat_map(BTreeMap::keys);
    for label in plan.choice.labels.keys().chain(in_records) {
        if !FACT_LABELS.contains(&label.as_str()) && !leaves().any(|leaf| leaf.name == *label) {
            return Err(PublishError::UnknownLabel { label: label.clone() });
        }
    }
    Ok(())
}

impl Gathering<'_> {
    /// Lists every log of the scopes with every entry that is held, and gives the records they are about.
    fn list(&mut self) -> Result<BTreeSet<RecordId>, PublishError> {
        let mut records = BTreeSet::new();
        for scope in self.account.scopes.clone() {
            for tip in self.device.store.each_tip(Some(scope)) {
                self.list_log(&tip?, &mut records)?;
            }
        }
        Ok(records)
    }

    fn list_log(&mut self, tip: &LogTip, records: &mut BTreeSet<RecordId>) -> Result<(), PublishError> {
        let mut log = Log::new(tip.key, tip.scope, tip.epoch);
        let mut from = 0;
        loop {
            let page = self.device.store.log_entries(tip.log, from, PAGE_ENTRIES_MAX)?;
            let Some(last) = page.last() else { break };
            from = last.seq + 1;
            for entry in &page {
                // Until its record was judged, nothing is known of it.
                log.entries.insert((entry.seq, entry.id), State::NotHeld);
                records.insert(entry.record);
            }
        }
        if !log.entries.is_empty() {
            self.logs.insert(tip.log, log);
        }
        Ok(())
    }

    /// Lists the entries of the scopes that the first `size` leaves of the ledger have: what is not held is known by them.
    fn list_leaves(&mut self, size: u64) -> Result<(), PublishError> {
        let mut begun = BTreeSet::new();
        let mut from = 0;
        while from < size {
            let page = self.device.store.ledger_leaves(from, PAGE_LEAVES)?;
            if page.is_empty() {
                return Ok(());
            }
            for bytes in page.iter().take(usize::try_from(size - from).unwrap_or(usize::MAX)) {
                match Leaf::decode(bytes) {
                    Ok(Leaf::Begun { key, scope, epoch }) if self.account.scopes.contains(&scope) => {
                        let log = LogId::derive(&key, scope, epoch);
                        begun.insert(log);
                        self.logs.entry(log).or_insert_with(|| Log::new(key, scope, epoch));
                    }
                    Ok(Leaf::Entry { log, seq, id }) if begun.contains(&log) => {
                        if let Some(log) = self.logs.get_mut(&log) {
                            log.entries.entry((seq, id)).or_insert(State::NotHeld);
                        }
                    }
                    Ok(_) | Err(_) => {}
                }
            }
            from += page.len() as u64;
        }
        Ok(())
    }

    fn judge(&mut self, record: RecordId) -> Result<(), PublishError> {
        let held = self.device.held(record)?;
        self.hold_forms(&held);
        let conditions = self.device.judged(record, &held, |judged, roster| {
            let one = |held: &HeldEntry| {
                let form = held.entry().header().commitment.map(|made| made.form);
                let definition = form.and_then(|form| self.forms.get(&form));
                let party = held.certificate().and_then(|named| roster.party_of(named));
                (condition(held, judged.standing(held.id()), definition), party)
            };
            held.iter().map(one).collect::<Vec<_>>()
        });
        for (held, (condition, party)) in held.iter().zip(conditions) {
            let state = match condition {
                Condition::Fixed(state) => state,
                Condition::Shown => self.decide(record, held)?,
            };
            let (entry, header) = (held.entry(), held.entry().header());
            let Some(log) = self.logs.get_mut(&entry.log()) else { continue };
            log.party = log.party.or(party);
            log.entries.insert((header.seq, held.id()), state);
            self.list_named(entry.log(), header);
        }
        Ok(())
    }

    /// Takes the definitions of the forms that entries name.
    fn hold_forms(&mut self, held: &[HeldEntry]) {
        let roster = self.device.authority.roster();
        for form in held.iter().filter_map(|held| held.entry().header().commitment).map(|made| made.form) {
            if !self.forms.contains_key(&form)
                && let Some(definition) = roster.form(form)
            {
                self.forms.insert(form, definition.clone());
            }
        }
    }

    /// What becomes of an entry that is applied and can be shown.
    fn decide(&mut self, record: RecordId, held: &HeldEntry) -> Result<State, PublishError> {
        if let Some(&reason) = self.plan.left_out.get(&record) {
            return Ok(State::LeftOut { reason, record });
        }
        let Some(form) = held.entry().header().commitment.map(|made| made.form) else { return Ok(State::Void) };
        let Some(definition) = self.forms.get(&form) else { return Ok(State::Void) };
        if let Err(at) = self.account.rules.binary_search_by_key(&form, |rule| rule.form) {
            self.account.rules.insert(at, self.plan.choice.rule(form, definition)?);
        }
        self.account.permits(record, form, definition)?;
        self.records.entry(record).or_default().insert(held.id());
        Ok(State::Disclosed)
    }

    /// Lists what a header says of entries that are not held.
    fn list_named(&mut self, log: LogId, header: &Header) {
        match &header.position {
            Position::Later { prev } => {
                if let Some(log) = self.logs.get_mut(&log) {
                    log.entries.entry((header.seq - 1, *prev)).or_insert(State::NotHeld);
                }
            }
            Position::First { certificate: _, earlier } => {
                let Some(key) = self.logs.get(&log).map(|log| log.key) else { return };
                for head in earlier.iter().filter(|head| self.account.scopes.contains(&head.scope)) {
                    let id = LogId::derive(&key, head.scope, head.epoch);
                    let log = self.logs.entry(id).or_insert_with(|| Log::new(key, head.scope, head.epoch));
                    log.entries.entry((head.seq, head.id)).or_insert(State::NotHeld);
                }
            }
        }
    }

    fn close(mut self, signer: &dyn Signer, note: Option<Vec<u8>>) -> Result<Gathered, PublishError> {
        let mut known: BTreeSet<RecordId> = self.records.keys().copied().collect();
        let states = self.logs.values().flat_map(|log| log.entries.values());
        known.extend(states.filter_map(|state| match state {
            State::LeftOut { reason: _, record } => Some(*record),
            _ => None,
        }));
        let named = self.plan.exceptions.keys().chain(self.plan.left_out.keys());
        if let Some(&record) = named.into_iter().find(|record| !known.contains(*record)) {
            return Err(PublishError::UnknownRecord { record });
        }
        let entry = |((seq, id), state)| AccountedEntry { seq, id, state };
        // A log was begun in the ledger, and none of its entries is under the note.
        self.logs.retain(|_, log| !log.entries.is_empty());
        let logs = std::mem::take(&mut self.logs).into_values().map(|log| {
            let Log { key, scope, epoch, party, entries } = log;
            AccountedLog { key, scope, epoch, party, entries: entries.into_iter().map(entry).collect() }
        });
        self.account.logs = logs.collect();
        self.account.logs.sort_by_key(AccountedLog::place);
        self.forms.retain(|form, _| self.account.rules.iter().any(|rule| rule.form == *form));
        let signed = SignedAccount::make(&self.device.charter(), signer, self.account)?;
        Ok(Gathered { signed, forms: self.forms, note, records: self.records })
    }
}
