//! A publication held against a bag: whether the account lists what there is, and whether what is shown is what stands
//! (`spec/publication.md`, Checks).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::account::{Account, State};
use super::codes::PublicationCode as Code;
use super::condition::{Condition, condition};
use super::decision::Decision;
use super::standing::{Values, values};
use crate::audit::{Findings, Place, Weight};
use crate::change::Change;
use crate::disclosure::{Disclosure, Said};
use crate::entry::{Content, Kind};
use crate::form::{FormDefinition, Key};
use crate::id::{EntryId, FormHash, LogId, RecordId};
use crate::record::{HeldEntry, Judged, View};
use crate::roster::{PartyNumber, Roster};

/// A comparison with a bag, record by record in any order, then [`finish`](Self::finish).
pub struct Comparison<'a> {
    account: &'a Account,
    forms: &'a BTreeMap<FormHash, FormDefinition>,
    roster: &'a Roster,
    listed: HashMap<EntryId, State>,
    /// The party that the account gives each log, until the bag was asked.
    parties: BTreeMap<LogId, PartyNumber>,
    /// The last position that is listed of each log.
    tops: BTreeMap<LogId, u64>,
    found: HashSet<EntryId>,
    compared: u64,
    ledger: Option<NamedNote<'a>>,
    /// Listed entries whose leaves stand behind the note that the account names.
    behind: u64,
    findings: Findings,
}

/// The checkpoint that an account names, in the ledger of the bag.
#[derive(Clone, Copy)]
pub struct NamedNote<'a> {
    /// Its leaves.
    pub size: u64,
    /// The place of the leaf of an entry, if the ledger has one.
    pub place_of: &'a dyn Fn(LogId, u64, EntryId) -> Option<u64>,
}

impl<'a> Comparison<'a> {
    /// Begins a comparison of what an account says; forms and statements are those of the bag.
    ///
    /// `ledger` is the note that the account names, if the bag's leaves are of it.
    pub fn begin(
        account: &'a Account,
        forms: &'a BTreeMap<FormHash, FormDefinition>,
        roster: &'a Roster,
        ledger: Option<NamedNote<'a>>,
    ) -> Self {
        let mut tops: BTreeMap<LogId, u64> = BTreeMap::new();
        let mut listed = HashMap::new();
        for (log, seq, id, state) in account.entries() {
            let top = tops.entry(log).or_default();
            *top = seq.max(*top);
            listed.insert(id, state);
        }
        let (found, findings) = (HashSet::new(), Findings::new());
        let parties = account.logs.iter().filter_map(|log| Some((log.id(), log.party?))).collect();
        Self { account, forms, roster, listed, parties, tops, found, compared: 0, ledger, behind: 0, findings }
    }

    /// Takes a record of the bag, judged, and what the publication shows of it.
    pub fn record(&mut self, record: RecordId, held: &[HeldEntry], judged: &Judged<'_>, shown: &[Disclosure<'_>]) {
        let (mut is_known, mut is_doubtful) = (true, false);
        for held in held.iter().filter(|held| held.entry().record() == record) {
            let header = held.entry().header();
            if !self.account.scopes.contains(&header.scope) {
                continue;
            }
            self.compared += 1;
            let at = Place::entry(held.entry().log(), header.seq, held.id());
            let place = Place { record: Some(record), ..at };
            self.say_party(held, &place);
            let definition = header.commitment.and_then(|commitment| self.forms.get(&commitment.form));
            let condition = condition(held, judged.standing(held.id()), definition);
            // What a void entry wrote is not shown, so nothing can be said of what stands.
            is_known &= condition != Condition::Fixed(State::Void);
            let Some(&state) = self.listed.get(&held.id()) else {
                is_known &= condition != Condition::Shown;
                self.say_unlisted(held, place);
                continue;
            };
            self.found.insert(held.id());
            self.behind += u64::from(self.place_of(held).is_some_and(|(place, size)| place >= size));
            is_doubtful |= !self.say_state(held, state, condition, place.clone());
            let disclosure = shown.iter().find(|one| one.entry().id() == held.id());
            if let (Some(disclosure), Condition::Shown) = (disclosure, condition) {
                self.say_cells(record, held, disclosure, place);
            }
        }
        is_known &= shown.iter().all(|one| self.found.contains(&one.entry().id()));
        if is_known && !shown.is_empty() {
            // A publisher may honestly have lacked what the bag holds; what it denied is a failure of its own.
            let weight = if is_doubtful { Weight::Doubt } else { Weight::Failure };
            self.say_current(record, &values(shown), &View::of(judged), weight);
        }
    }

    /// How many entries of the scopes the bag held.
    pub fn compared(&self) -> u64 {
        self.compared
    }

    /// Everything found.
    pub fn finish(mut self) -> Findings {
        if self.behind > 0 {
            let detail = format!("{} entries that it lists stand behind the checkpoint that it names", self.behind);
            self.findings.add(Code::Note, Place::bag(), detail);
        }
        for (log, seq, id, state) in self.account.entries() {
            if !self.found.contains(&id) && state != State::NotHeld {
                self.findings.add(Code::NotInBag, Place::entry(log, seq, id), "listed by the account");
            }
        }
        self.findings
    }

    fn say_unlisted(&mut self, held: &HeldEntry, place: Place) {
        let top = self.tops.get(&held.entry().log());
        if top.is_some_and(|&top| held.entry().header().seq <= top) {
            self.findings.add(Code::Incomplete, place, "not listed, and later ones of its log are");
        } else if self.place_of(held).is_some_and(|(leaf, size)| leaf < size) {
            let place = Place { leaf: self.place_of(held).map(|(leaf, _)| leaf), ..place };
            self.findings.add(Code::Incomplete, place, "not listed, and in the ledger before the checkpoint it names");
        } else if held.certificate().and_then(|named| self.roster.party_of(named)) == Some(self.account.party) {
            self.findings.add(Code::Own, place, "of the publisher's own party");
        } else {
            self.findings.add(Code::Later, place, "beyond what the account lists");
        }
    }

    /// The place of an entry's leaf, beside the size of the note that the account names.
    fn place_of(&self, held: &HeldEntry) -> Option<(u64, u64)> {
        let NamedNote { size, place_of } = self.ledger?;
        Some((place_of(held.entry().log(), held.entry().header().seq, held.id())?, size))
    }

    /// Says that a log is of another party than the account gives it, once.
    fn say_party(&mut self, held: &HeldEntry, place: &Place) {
        let log = held.entry().log();
        let Some(party) = held.certificate().and_then(|named| self.roster.party_of(named)) else { return };
        if self.parties.remove(&log).is_some_and(|said| said != party) {
            self.findings.add(Code::Party, place.clone(), format!("the log is of party {}", party.0));
        }
    }

    /// Says how an entry stands otherwise than the account has it, and gives whether it does not.
    fn say_state(&mut self, held: &HeldEntry, state: State, condition: Condition, place: Place) -> bool {
        let record = held.entry().record();
        let is_same = match (condition, state) {
            (Condition::Shown, State::Disclosed) => true,
            (Condition::Shown, State::LeftOut { reason: _, record: named }) => named == record,
            (Condition::Shown, _) => false,
            (Condition::Fixed(here), state) => here == state,
        };
        if is_same {
            return true;
        }
        let here = match condition {
            Condition::Shown => State::Disclosed.code(),
            Condition::Fixed(state) => state.code(),
        };
        let kind = held.entry().header().kind;
        // The kind is signed, and an erasure travels with the entries: no time explains these.
        let is_denied = match state {
            State::Role(said) => said != kind,
            State::UnknownKind => !matches!(kind, Kind::Unknown(_)),
            State::Erased => condition == Condition::Shown,
            State::Disclosed
            | State::LeftOut { reason: _, record: _ }
            | State::NotHeld
            | State::Void
            | State::NotApplied => false,
        };
        let code = if is_denied { Code::Denied } else { Code::Standing };
        self.findings.add(code, place, format!("state {} in the account, {here} in the bag", state.code()));
        false
    }

    /// Of a repeat that is disclosed in part, every cell of the questions is shown.
    fn say_cells(&mut self, record: RecordId, held: &HeldEntry, disclosure: &Disclosure<'_>, place: Place) {
        let entry = held.entry();
        let Some(Content::Change(chunk)) = held.body().map(|body| &body.content) else { return };
        let Ok(change) = Change::decode(chunk, entry.actor()) else { return };
        let Some(commitment) = entry.header().commitment else { return };
        let Some(definition) = self.forms.get(&commitment.form) else { return };
        for opened in disclosure.opened() {
            let decided = self.account.decided(record, commitment.form, definition, opened.position);
            let (Some(Decision::Partly { questions, rest: _ }), Some(name)) = (decided, opened.name) else { continue };
            let shown = match &opened.said {
                Some(Said::Cells(cells)) => cells.len(),
                _ => 0,
            };
            let is_meant = |key: Key<'_>| match key {
                Key::Cell { repeat, row: _, question } => repeat == name && questions.iter().any(|one| one == question),
                Key::Answer { question: _ } => false,
            };
            let written = change.puts().iter().filter_map(|put| Key::parse(put.key)).filter(|&key| is_meant(key));
            if written.count() != shown {
                self.findings.add(Code::Cells, place.clone(), format!("position {}", opened.position));
            }
        }
    }

    fn say_current(&mut self, record: RecordId, values: &Values<'_>, view: &View<'_>, weight: Weight) {
        for (key, written) in values {
            let name = match key {
                Key::Answer { question } => (*question).to_owned(),
                Key::Cell { repeat, row, question } => format!("{repeat}/{row}/{question}"),
            };
            let standing = written.iter().filter(|value| value.stands).map(|value| (value.entry, value.value));
            let current = view.values(&name).iter().map(|shown| (shown.entry, shown.value));
            if !standing.eq(current) {
                let place = Place { record: Some(record), ..Place::default() };
                self.findings.add_as(weight, Code::Current, place, "an answer that stands differently");
            }
        }
    }
}
