//! A publication held against its own account: what is shown, what is not, and whether the account leaves nothing open
//! (`spec/publication.md`, Checks).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::account::{Account, AccountedLog, State};
use super::codes::PublicationCode as Code;
use super::decision::{Decision, NotPublished, Reason, allowed, label_at};
use super::disclosures_path;
use crate::audit::{Findings, Place};
use crate::cbor::Reader;
use crate::check::Refused;
use crate::disclosure::{Disclosure, Fact, Opened, Said, SealedDisclosure};
use crate::entry::{Position, RenditionOrReason, VerifiedEntry};
use crate::form::{FormDefinition, STANDARD_LEAVES};
use crate::id::{BlobHash, EntryId, FormHash, MissionId, RecordId};
use crate::key::KeyCache;
use crate::roster::{CompleteCharter, PartyNumber};

/// What a publication shows and does not show, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Logs that the account lists.
    pub logs: u64,
    /// Entries that it lists.
    pub entries: u64,
    /// How many of them have each state, by its number.
    pub states: BTreeMap<u64, u64>,
    /// Entries of which something is shown as it was signed.
    pub shown: u64,
    /// Records with such entries.
    pub records: u64,
    /// Leaves that are shown, without the reserved one.
    pub leaves: u64,
}

/// One publication under examination: the records in any order, then [`finish`](Self::finish).
pub struct Examination<'a> {
    account: &'a Account,
    mission: MissionId,
    forms: &'a BTreeMap<FormHash, FormDefinition>,
    listed: HashMap<EntryId, Listed>,
    left_out: BTreeMap<RecordId, Reason>,

    // What was shown so far.
    shown: BTreeSet<EntryId>,
    records: BTreeSet<RecordId>,
    photos: BTreeSet<BlobHash>,
    leaves: u64,
    keys: KeyCache,
    findings: Findings,
}

/// Where the account lists an entry.
#[derive(Clone, Copy)]
struct Listed {
    /// The index of the log.
    log: usize,
    seq: u64,
    state: State,
}

impl<'a> Examination<'a> {
    /// Begins with the account: `forms` are the definitions that lie beside it, each under its hash.
    pub fn begin(
        account: &'a Account,
        charter: &CompleteCharter,
        forms: &'a BTreeMap<FormHash, FormDefinition>,
    ) -> Self {
        let mut examination = Self {
            account,
            mission: charter.mission(),
            forms,
            listed: HashMap::new(),
            left_out: BTreeMap::new(),
            shown: BTreeSet::new(),
            records: BTreeSet::new(),
            photos: BTreeSet::new(),
            leaves: 0,
            keys: KeyCache::new(),
            findings: Findings::new(),
        };
        examination.say_rules(charter);
        for (at, log) in account.logs.iter().enumerate() {
            examination.list(at, log);
        }
        examination
    }

    /// Takes the file with the disclosures of one record, and gives those that are as they should be.
    pub fn record<'b>(&mut self, record: RecordId, bytes: &'b [u8]) -> Vec<Disclosure<'b>>
    where
        'a: 'b,
    {
        let file = Place { record: Some(record), ..Place::file(&disclosures_path(record)) };
        let (mut disclosures, mut at) = (Vec::<Disclosure<'b>>::new(), 0);
        while at < bytes.len() {
            let mut reader = Reader::new(&bytes[at..]);
            let item = match reader.skip("disclosure") {
                Ok(item) => item,
                Err(refused) => {
                    self.findings.refused(refused, file.clone());
                    break;
                }
            };
            at += item.len();
            let Some(disclosure) = self.disclosure(record, item, &file) else { continue };
            if disclosures.last().is_some_and(|last| last.entry().id() >= disclosure.entry().id()) {
                self.findings.add(Code::Foreign, file.clone(), "out of order or twice");
                continue;
            }
            self.shown.insert(disclosure.entry().id());
            disclosures.push(disclosure);
        }
        if !disclosures.is_empty() {
            self.records.insert(record);
        }
        self.say_labels(record, &disclosures, &file);
        disclosures
    }

    /// The party whose people wrote an entry, as the account says.
    pub fn party(&self, entry: EntryId) -> Option<PartyNumber> {
        self.account.logs.get(self.listed.get(&entry)?.log)?.party
    }

    /// The photos and renditions that leaves shown so far name.
    pub fn photos(&self) -> &BTreeSet<BlobHash> {
        &self.photos
    }

    /// Everything found, once all files were taken.
    pub fn finish(mut self) -> (Findings, Tally) {
        let mut tally = Tally {
            logs: self.account.logs.len() as u64,
            entries: self.listed.len() as u64,
            shown: self.shown.len() as u64,
            records: self.records.len() as u64,
            leaves: self.leaves,
            ..Tally::default()
        };
        for (&id, listed) in &self.listed {
            *tally.states.entry(listed.state.code()).or_default() += 1;
            if listed.state == State::Disclosed && !self.shown.contains(&id) {
                let place = Place::entry(self.account.logs[listed.log].id(), listed.seq, id);
                self.findings.add(Code::Missing, place, "no disclosure");
            }
        }
        for &record in self.left_out.keys().filter(|record| self.records.contains(record)) {
            let place = Place { record: Some(record), ..Place::default() };
            self.findings.add(Code::Picked, place, "some entries are shown, others are left out");
        }
        (self.findings, tally)
    }

    fn say_rules(&mut self, charter: &CompleteCharter) {
        for rule in &self.account.rules {
            let place = Place::file(&format!("data/forms/{}.cbor", rule.form));
            let Some(definition) = self.forms.get(&rule.form) else {
                self.findings.add(Code::Form, place, "not there");
                continue;
            };
            if !charter.charter().forms.contains(&rule.form) {
                self.findings.add(Code::FormUnsigned, place.clone(), "not in the charter");
            }
            if rule.decisions.len() != STANDARD_LEAVES as usize + definition.leaves.len() {
                self.findings.add(Code::Form, place, "number of decisions");
                continue;
            }
            if rule.decisions[Fact::Reserved.position() as usize] != Decision::Disclosed {
                self.findings.add(Code::Form, place.clone(), "reserved position");
            }
            for (position, decision) in (0..).zip(&rule.decisions) {
                self.say_allowed(rule.form, definition, position, decision, &place);
            }
        }
    }

    fn say_allowed(
        &mut self,
        form: FormHash,
        definition: &FormDefinition,
        position: u32,
        decision: &Decision,
        place: &Place,
    ) {
        let detail = || format!("position {position} of form {form}");
        match allowed(form, definition, position, decision) {
            Ok(()) => {}
            Err(NotPublished::MustBeDisclosed { .. }) => self.findings.add(Code::Must, place.clone(), detail()),
            Err(_) => self.findings.add(Code::Form, place.clone(), detail()),
        }
    }

    fn list(&mut self, at: usize, log: &AccountedLog) {
        let id = log.id();
        let mut next = 0;
        for entry in &log.entries {
            let place = Place::entry(id, entry.seq, entry.id);
            if entry.seq > next {
                self.findings.add(Code::Gap, place.clone(), format!("{} positions before this one", entry.seq - next));
            }
            next = entry.seq + 1;
            if self.listed.insert(entry.id, Listed { log: at, seq: entry.seq, state: entry.state }).is_some() {
                self.findings.add(Code::Place, place.clone(), "listed twice");
            }
            if let State::LeftOut { reason, record } = entry.state
                && *self.left_out.entry(record).or_insert(reason) != reason
            {
                let place = Place { record: Some(record), ..place };
                self.findings.add(Code::Picked, place, "left out for two reasons");
            }
        }
    }

    fn disclosure<'b>(&mut self, record: RecordId, item: &'b [u8], file: &Place) -> Option<Disclosure<'b>>
    where
        'a: 'b,
    {
        let sealed = match SealedDisclosure::read(item, self.mission, &mut self.keys) {
            Ok(sealed) => sealed,
            Err(refused) => return self.refuse(refused, file.clone()),
        };
        let entry = sealed.entry();
        let at = Place::entry(entry.log(), entry.header().seq, entry.id());
        let place = Place { record: Some(record), file: file.file.clone(), ..at };
        let listed = self.listed.get(&entry.id()).copied().filter(|listed| listed.state == State::Disclosed);
        let Some(listed) = listed.filter(|_| entry.record() == record) else {
            self.findings.add(Code::Foreign, place, "not counted as disclosed in this record");
            return None;
        };
        if listed.seq != entry.header().seq || self.account.logs[listed.log].id() != entry.log() {
            self.findings.add(Code::Place, place.clone(), "another position or log");
        }
        let form = sealed.form();
        let Some(definition) = self.forms.get(&form) else {
            self.findings.add(Code::Form, place, "the form of this entry is not there");
            return None;
        };
        let disclosure = match sealed.open(definition) {
            Ok(disclosure) => disclosure,
            Err(refused) => return self.refuse(refused, place),
        };
        self.say_named(disclosure.entry(), &place);
        self.say_leaves(record, form, definition, &disclosure, &place);
        Some(disclosure)
    }

    fn refuse<T>(&mut self, refused: Refused, place: Place) -> Option<T> {
        self.findings.refused(refused, place);
        None
    }

    /// What a header names is listed too; and what it builds on is not left out.
    fn say_named(&mut self, entry: &VerifiedEntry, place: &Place) {
        let header = entry.header();
        let mut named: Vec<EntryId> = Vec::new();
        match &header.position {
            Position::Later { prev } => named.push(*prev),
            Position::First { certificate: _, earlier } => {
                let of_these = earlier.iter().filter(|head| self.account.scopes.contains(&head.scope));
                named.extend(of_these.map(|head| head.id));
            }
        }
        for id in named.iter().chain(header.refs()) {
            if !self.listed.contains_key(id) {
                self.findings.add(Code::Uncounted, place.clone(), format!("names entry {id}"));
            }
        }
        for id in header.refs() {
            let state = self.listed.get(id).map(|listed| listed.state);
            if state.is_some_and(|state| !matches!(state, State::Disclosed | State::Void)) {
                self.findings.add(Code::Picked, place.clone(), format!("builds on entry {id}, which is not shown"));
            }
        }
    }

    fn say_leaves(
        &mut self,
        record: RecordId,
        form: FormHash,
        definition: &FormDefinition,
        disclosure: &Disclosure<'_>,
        place: &Place,
    ) {
        let Some(decisions) = self.account.decisions(record, form, definition) else {
            self.findings.add(Code::Form, place.clone(), "no rule for the form of this entry");
            return;
        };
        let mut opened = disclosure.opened().iter().peekable();
        for (position, decision) in (0..).zip(decisions) {
            if self.account.exceptions.iter().any(|one| one.record == record) {
                self.say_allowed(form, definition, position, decision, place);
            }
            let here = opened.next_if(|opened| opened.position == position);
            if !is_as_decided(here, decision) {
                self.findings.add(Code::Leaf, place.clone(), format!("position {position}"));
            }
            self.leaves += u64::from(here.is_some() && position != Fact::Reserved.position());
        }
        for opened in disclosure.opened() {
            if let Some(Said::Photos(photos)) = &opened.said {
                for photo in photos {
                    let renditions = [&photo.thumbnail, &photo.preview].into_iter().filter_map(|made| match made {
                        RenditionOrReason::Rendition(made) => Some(made.sha256),
                        RenditionOrReason::Missing(_) => None,
                    });
                    self.photos.extend(renditions.chain([photo.sha256]));
                }
            }
        }
    }

    /// Where a record has entries under several forms, their rules say the same of what they have in common.
    fn say_labels(&mut self, record: RecordId, disclosures: &[Disclosure<'_>], file: &Place) {
        let forms = disclosures.iter().filter_map(|one| one.entry().header().commitment.map(|made| made.form));
        let forms: BTreeSet<FormHash> = forms.collect();
        if forms.len() < 2 {
            return;
        }
        let mut said: BTreeMap<&str, &Decision> = BTreeMap::new();
        for form in forms {
            let Some(definition) = self.forms.get(&form) else { continue };
            let Some(decisions) = self.account.decisions(record, form, definition) else { continue };
            for (position, decision) in (0..).zip(decisions) {
                let Some(label) = label_at(definition, position) else { continue };
                if *said.entry(label).or_insert(decision) != decision {
                    self.findings.add(Code::Label, file.clone(), format!("position {position} of form {form}"));
                }
            }
        }
    }
}

/// Whether a leaf is shown as it was decided; `None`: it is not shown.
fn is_as_decided(opened: Option<&Opened<'_>>, decision: &Decision) -> bool {
    match (decision, opened) {
        (Decision::Withheld(_), opened) => opened.is_none(),
        (Decision::Disclosed, opened) => opened.is_some_and(|opened| opened.is_whole),
        (Decision::Partly { .. }, None) => false,
        (Decision::Partly { questions, rest: _ }, Some(opened)) => match &opened.said {
            Some(Said::Cells(cells)) => cells.iter().all(|cell| questions.iter().any(|one| one == cell.question)),
            Some(_) => false,
            None => true,
        },
    }
}
