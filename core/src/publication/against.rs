//! A publication held against a bag: whether the account lists what there is, and whether what is shown is what stands
//! (`spec/publication.md`, Checks).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::account::{Account, State};
use super::codes::PublicationCode as Code;
use super::condition::{Condition, condition};
use super::decision::Decision;
use super::standing::{Values, values};
use crate::audit::{Findings, Place};
use crate::change::Change;
use crate::disclosure::{Disclosure, Said};
use crate::entry::Content;
use crate::form::{FormDefinition, Key};
use crate::id::{EntryId, FormHash, LogId, RecordId};
use crate::record::{HeldEntry, Judged, View};

/// A comparison with a bag, record by record in any order, then [`finish`](Self::finish).
pub struct Comparison<'a> {
    account: &'a Account,
    forms: &'a BTreeMap<FormHash, FormDefinition>,
    listed: HashMap<EntryId, State>,
    /// The last position that is listed of each log.
    tops: BTreeMap<LogId, u64>,
    found: HashSet<EntryId>,
    compared: u64,
    findings: Findings,
}

impl<'a> Comparison<'a> {
    /// Begins a comparison of what an account says.
    pub fn begin(account: &'a Account, forms: &'a BTreeMap<FormHash, FormDefinition>) -> Self {
        let mut tops: BTreeMap<LogId, u64> = BTreeMap::new();
        let mut listed = HashMap::new();
        for (log, seq, id, state) in account.entries() {
            let top = tops.entry(log).or_default();
            *top = seq.max(*top);
            listed.insert(id, state);
        }
        let (found, findings) = (HashSet::new(), Findings::new());
        Self { account, forms, listed, tops, found, compared: 0, findings }
    }

    /// Takes a record of the bag, judged, and what the publication shows of it.
    pub fn record(&mut self, record: RecordId, held: &[HeldEntry], judged: &Judged<'_>, shown: &[Disclosure<'_>]) {
        let mut knows_the_same = true;
        for held in held.iter().filter(|held| held.entry().record() == record) {
            let header = held.entry().header();
            if !self.account.scopes.contains(&header.scope) {
                continue;
            }
            self.compared += 1;
            let at = Place::entry(held.entry().log(), header.seq, held.id());
            let place = Place { record: Some(record), ..at };
            let definition = header.commitment.and_then(|commitment| self.forms.get(&commitment.form));
            let condition = condition(held, judged.standing(held.id()), definition);
            let Some(&state) = self.listed.get(&held.id()) else {
                knows_the_same &= !matches!(condition, Condition::Shown | Condition::Fixed(State::Void));
                self.say_unlisted(held, place);
                continue;
            };
            self.found.insert(held.id());
            knows_the_same &= self.say_state(record, state, condition, place.clone());
            let disclosure = shown.iter().find(|one| one.entry().id() == held.id());
            if let (Some(disclosure), Condition::Shown) = (disclosure, condition) {
                self.say_cells(record, held, disclosure, place);
            }
        }
        knows_the_same &= shown.iter().all(|one| self.found.contains(&one.entry().id()));
        if knows_the_same && !shown.is_empty() {
            self.say_current(record, &values(shown), &View::of(judged));
        }
    }

    /// How many entries of the scopes the bag held.
    pub fn compared(&self) -> u64 {
        self.compared
    }

    /// Everything found.
    pub fn finish(mut self) -> Findings {
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
        } else {
            self.findings.add(Code::Later, place, "beyond what the account lists");
        }
    }

    /// Says how an entry stands otherwise than the account has it; whether both take it for shown, or both do not.
    fn say_state(&mut self, record: RecordId, state: State, condition: Condition, place: Place) -> bool {
        let is_same = match (condition, state) {
            (Condition::Shown, State::Disclosed) => true,
            (Condition::Shown, State::LeftOut { reason: _, record: named }) => named == record,
            (Condition::Shown, _) => false,
            (Condition::Fixed(here), state) => here == state,
        };
        if !is_same {
            let here = match condition {
                Condition::Shown => State::Disclosed.code(),
                Condition::Fixed(state) => state.code(),
            };
            let detail = format!("state {} in the account, {here} in the bag", state.code());
            self.findings.add(Code::Standing, place, detail);
        }
        // What a void entry wrote is not shown, so nothing can be said of what stands.
        is_same && condition != Condition::Fixed(State::Void)
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

    fn say_current(&mut self, record: RecordId, values: &Values<'_>, view: &View<'_>) {
        for (key, written) in values {
            let name = match key {
                Key::Answer { question } => (*question).to_owned(),
                Key::Cell { repeat, row, question } => format!("{repeat}/{row}/{question}"),
            };
            let standing = written.iter().filter(|value| value.stands).map(|value| (value.entry, value.value));
            let current = view.values(&name).iter().map(|shown| (shown.entry, shown.value));
            if !standing.eq(current) {
                let place = Place { record: Some(record), ..Place::default() };
                self.findings.add(Code::Current, place, "an answer that stands differently");
            }
        }
    }
}
