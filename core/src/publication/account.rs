//! The account: a decision for each leaf of each form, and a state for each entry of the scopes.

use super::decision::{Decision, NotPublished, Reason, allowed, is_label, label_at};
use crate::cbor::{Kind as Item, Reader, Writer};
use crate::check::{Check, Policy, Refused};
use crate::entry::{Kind, LOG_ENTRIES_MAX};
use crate::form::{FormDefinition, LEAVES_MAX, NAME_BYTES_MAX, STANDARD_LEAVES, is_question};
use crate::id::{EntryId, Epoch, FormHash, LogId, MissionId, NoteHash, RecordId, ScopeId};
use crate::key::KEY_BYTES;
use crate::roster::{PartyNumber, present};

const SCOPES_MAX: usize = 256;
const RULES_MAX: usize = 1_024;
const EXCEPTIONS_MAX: usize = 4_096;
const EXCEPTION_LABELS_MAX: usize = 256;
const LEAVES_OF_ENTRY_MAX: usize = LEAVES_MAX + STANDARD_LEAVES as usize;
const QUESTIONS_MAX: usize = 4_096;
const LOGS_MAX: usize = 65_536;
/// Four siblings are kept at each position of a log.
const ENTRIES_MAX: usize = 4 * LOG_ENTRIES_MAX as usize;

/// What a party says of everything in its publication's scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The party that decided.
    pub party: PartyNumber,
    /// The scopes, ascending, at least one.
    pub scopes: Vec<ScopeId>,
    /// The rule of each form, ascending.
    pub rules: Vec<FormRule>,
    /// What differs in single records, ascending.
    pub exceptions: Vec<Exception>,
    /// Every log of the scopes, ascending by key, scope and epoch.
    pub logs: Vec<AccountedLog>,
    /// The newest checkpoint note that was held.
    pub note: Option<NoteHash>,
}

/// What is decided of each leaf of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormRule {
    /// The form.
    pub form: FormHash,
    /// A decision for each position.
    pub decisions: Vec<Decision>,
}

/// What is decided otherwise in one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The record.
    pub record: RecordId,
    /// The labels, ascending, each with its decision.
    pub labels: Vec<(String, Decision)>,
}

/// One log and all that is known of its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountedLog {
    /// The key that signs it.
    pub key: [u8; KEY_BYTES],
    /// Its scope.
    pub scope: ScopeId,
    /// Its epoch.
    pub epoch: Epoch,
    /// The party whose certificate it names.
    pub party: Option<PartyNumber>,
    /// Its entries, ascending by seq and id.
    pub entries: Vec<AccountedEntry>,
}

/// An entry and what became of it in the publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountedEntry {
    /// Its position.
    pub seq: u64,
    /// The entry.
    pub id: EntryId,
    /// What became of it.
    pub state: State,
}

/// What became of an entry in a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is applied and has a disclosure.
    Disclosed,
    /// It is applied, and its whole record is left out by decision.
    LeftOut {
        /// Why.
        reason: Reason,
        /// The record.
        record: RecordId,
    },
    /// It was erased.
    Erased,
    /// It, or its body, is not held.
    NotHeld,
    /// It is applied, and nothing of it can be disclosed.
    Void,
    /// It is not applied.
    NotApplied,
    /// It is of a kind of a later version.
    UnknownKind,
    /// It is a signature role and commits to no leaves.
    Role(Kind),
}

impl State {
    /// Its number in an account.
    pub const fn code(self) -> u64 {
        match self {
            State::Disclosed => 0,
            State::LeftOut { reason, record: _ } => reason.code(),
            State::Erased => 16,
            State::NotHeld => 17,
            State::Void => 18,
            State::NotApplied => 19,
            State::UnknownKind => 20,
            State::Role(kind) => 32 + kind.code() as u64,
        }
    }

    /// The state with this number, of those that need no record.
    fn from_code(code: u64) -> Option<Self> {
        match code {
            0 => Some(State::Disclosed),
            16 => Some(State::Erased),
            17 => Some(State::NotHeld),
            18 => Some(State::Void),
            19 => Some(State::NotApplied),
            20 => Some(State::UnknownKind),
            34..=39 => Kind::from_code(code - 32).map(State::Role),
            _ => None,
        }
    }
}

impl AccountedLog {
    /// What tells it from other logs.
    pub fn place(&self) -> ([u8; KEY_BYTES], ScopeId, Epoch) {
        (self.key, self.scope, self.epoch)
    }

    /// Its id.
    pub fn id(&self) -> LogId {
        LogId::derive(&self.key, self.scope, self.epoch)
    }
}

impl Account {
    /// What is decided of the leaf at `position`, in an entry of `record` under a form; `None` if the account says
    /// nothing of it.
    pub fn decided(
        &self,
        record: RecordId,
        form: FormHash,
        definition: &FormDefinition,
        position: u32,
    ) -> Option<&Decision> {
        let label = label_at(definition, position)?;
        if let Ok(at) = self.exceptions.binary_search_by_key(&record, |one| one.record) {
            let labels = &self.exceptions[at].labels;
            if let Ok(at) = labels.binary_search_by(|(one, _)| one.as_bytes().cmp(label.as_bytes())) {
                return Some(&labels[at].1);
            }
        }
        let rule = self.rules.binary_search_by_key(&form, |rule| rule.form).ok()?;
        self.rules[rule].decisions.get(position as usize)
    }

    /// What is decided of every leaf of an entry of `record` under a form; `None` if something is left open.
    pub fn decisions(&self, record: RecordId, form: FormHash, definition: &FormDefinition) -> Option<Vec<&Decision>> {
        let count = STANDARD_LEAVES + definition.leaves.len() as u32;
        (0..count).map(|position| self.decided(record, form, definition, position)).collect()
    }

    /// Whether a form allows what is decided of the entries of `record` under it.
    ///
    /// # Errors
    /// If something is left open, must be disclosed and would not be, or is disclosed in part and is no repeat.
    pub fn permits(
        &self,
        record: RecordId,
        form: FormHash,
        definition: &FormDefinition,
    ) -> Result<Vec<&Decision>, NotPublished> {
        let count = STANDARD_LEAVES + definition.leaves.len() as u32;
        let mut decisions = Vec::with_capacity(count as usize);
        for position in 0..count {
            let label = || label_at(definition, position).unwrap_or_default().to_owned();
            let decision = self.decided(record, form, definition, position);
            let decision = decision.ok_or_else(|| NotPublished::NotDecided { form, label: label() })?;
            allowed(form, definition, position, decision)?;
            decisions.push(decision);
        }
        Ok(decisions)
    }

    /// Every entry that is listed, with its log, its position and its state.
    pub fn entries(&self) -> impl Iterator<Item = (LogId, u64, EntryId, State)> {
        self.logs.iter().flat_map(|log| {
            let id = log.id();
            log.entries.iter().map(move |entry| (id, entry.seq, entry.id, entry.state))
        })
    }

    pub(super) fn encode(&self, mission: MissionId) -> Vec<u8> {
        let Self { party, scopes, rules, exceptions, logs, note } = self;
        let mut out = Writer::new();
        out.map(5 + usize::from(!exceptions.is_empty()) + usize::from(note.is_some()));
        out.uint(1).bytes(mission.as_bytes()).uint(2).uint(party.0).uint(3).array(scopes.len());
        scopes.iter().for_each(|scope| _ = out.bytes(scope.as_bytes()));
        out.uint(4).array(rules.len());
        for rule in rules {
            out.array(2).bytes(rule.form.as_bytes()).array(rule.decisions.len());
            rule.decisions.iter().for_each(|decision| write_decision(&mut out, decision));
        }
        if !exceptions.is_empty() {
            out.uint(5).array(exceptions.len());
            exceptions.iter().for_each(|exception| write_exception(&mut out, exception));
        }
        out.uint(6).array(logs.len());
        logs.iter().for_each(|log| write_log(&mut out, log));
        if let Some(note) = note {
            out.uint(7).bytes(note.as_bytes());
        }
        out.finish()
    }

    pub(super) fn read<P: Policy>(payload: &[u8], policy: P) -> Result<(MissionId, Self), Refused> {
        let mut reader = Reader::with(payload, policy);
        let (mut mission, mut party, mut scopes, mut rules, mut logs, mut note) = (None, None, None, None, None, None);
        let mut exceptions = Vec::new();
        let mut fields = reader.map("account")?;
        while let Some(key) = fields.next(&mut reader)? {
            match key {
                1 => mission = Some(MissionId::from_bytes(reader.array_of("mission")?)),
                2 => party = Some(PartyNumber(reader.uint("party")?)),
                3 => scopes = Some(list(&mut reader, 1, SCOPES_MAX, "scopes", read_scope)?),
                4 => rules = Some(list(&mut reader, 0, RULES_MAX, "rules", read_rule)?),
                5 => exceptions = list(&mut reader, 1, EXCEPTIONS_MAX, "exceptions", read_exception)?,
                6 => logs = Some(list(&mut reader, 0, LOGS_MAX, "logs", read_log)?),
                7 => note = Some(NoteHash::from_bytes(reader.array_of("note")?)),
                _ => return Err(shape("account")),
            }
        }
        reader.finish("account")?;
        let mission = present(mission, "mission")?;
        let (party, scopes) = (present(party, "party")?, present(scopes, "scopes")?);
        let (rules, logs) = (present(rules, "rules")?, present(logs, "logs")?);
        Ok((mission, Self { party, scopes, rules, exceptions, logs, note }))
    }

    /// Whether everything stands in its only order.
    pub(super) fn check_order<P: Policy>(&self, policy: P) -> Result<(), Refused> {
        let check = |holds, what| policy.require(holds, Check::PublicationOrder, what);
        check(self.rules.is_sorted_by(|a, b| a.form < b.form), "rules")?;
        let decisions = self.rules.iter().flat_map(|rule| &rule.decisions);
        let labels = self.exceptions.iter().flat_map(|exception| &exception.labels);
        for decision in decisions.chain(labels.map(|(_, decision)| decision)) {
            if let Decision::Partly { questions, rest: _ } = decision {
                check(questions.is_sorted_by(|a, b| a < b), "questions")?;
            }
        }
        check(self.exceptions.is_sorted_by(|a, b| a.record < b.record), "exceptions")?;
        for exception in &self.exceptions {
            check(exception.labels.is_sorted_by(|(a, _), (b, _)| a < b), "labels")?;
        }
        check(self.logs.is_sorted_by(|a, b| a.place() < b.place()), "logs")?;
        for log in &self.logs {
            check(log.entries.is_sorted_by(|a, b| (a.seq, a.id) < (b.seq, b.id)), "entries")?;
        }
        Ok(())
    }
}

fn write_decision(out: &mut Writer, decision: &Decision) {
    match decision {
        Decision::Disclosed => _ = out.uint(0),
        Decision::Withheld(reason) => _ = out.uint(reason.code()),
        Decision::Partly { questions, rest } => {
            out.array(2).uint(rest.code()).array(questions.len());
            questions.iter().for_each(|question| _ = out.text(question));
        }
    }
}

fn write_exception(out: &mut Writer, exception: &Exception) {
    out.array(2).bytes(exception.record.as_bytes()).array(exception.labels.len());
    for (label, decision) in &exception.labels {
        out.array(2).text(label);
        write_decision(out, decision);
    }
}

fn write_log(out: &mut Writer, log: &AccountedLog) {
    out.array(5).bytes(&log.key).bytes(log.scope.as_bytes()).bytes(log.epoch.as_bytes());
    match log.party {
        Some(party) => _ = out.uint(party.0),
        None => _ = out.null(),
    }
    out.array(log.entries.len());
    for AccountedEntry { seq, id, state } in &log.entries {
        let record = match state {
            State::LeftOut { reason: _, record } => Some(record),
            _ => None,
        };
        out.array(3 + usize::from(record.is_some())).uint(*seq).bytes(id.as_bytes()).uint(state.code());
        if let Some(record) = record {
            out.bytes(record.as_bytes());
        }
    }
}

/// An array of `len_min` to `len_max` items.
fn list<'a, P: Policy, T>(
    reader: &mut Reader<'a, P>,
    len_min: usize,
    len_max: usize,
    what: &'static str,
    item: impl Fn(&mut Reader<'a, P>) -> Result<T, Refused>,
) -> Result<Vec<T>, Refused> {
    let len = reader.array(len_max, what)?;
    if len < len_min {
        return Err(shape(what));
    }
    let items = (0..len).map(|_| item(reader)).collect::<Result<_, _>>()?;
    reader.leave();
    Ok(items)
}

fn read_scope<P: Policy>(reader: &mut Reader<'_, P>) -> Result<ScopeId, Refused> {
    reader.array_of("scope").map(ScopeId::from_bytes)
}

fn read_rule<P: Policy>(reader: &mut Reader<'_, P>) -> Result<FormRule, Refused> {
    reader.array_exact(2, "rule")?;
    let form = FormHash::from_bytes(reader.array_of("form")?);
    let decisions = list(reader, 1, LEAVES_OF_ENTRY_MAX, "decisions", read_decision)?;
    reader.leave();
    Ok(FormRule { form, decisions })
}

fn read_decision<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Decision, Refused> {
    let what = "decision";
    if reader.peek(what)? != Item::Array {
        let code = reader.uint(what)?;
        return match code {
            0 => Ok(Decision::Disclosed),
            code => Reason::from_code(code).map(Decision::Withheld).ok_or(shape(what)),
        };
    }
    reader.array_exact(2, what)?;
    let rest = Reason::from_code(reader.uint(what)?).ok_or(shape(what))?;
    let questions = list(reader, 1, QUESTIONS_MAX, "questions", |reader| {
        let question = reader.text(NAME_BYTES_MAX, "question")?;
        if is_question(question) { Ok(question.to_owned()) } else { Err(shape("question")) }
    })?;
    reader.leave();
    Ok(Decision::Partly { questions, rest })
}

fn read_exception<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Exception, Refused> {
    reader.array_exact(2, "exception")?;
    let record = RecordId::from_bytes(reader.array_of("record")?);
    let labels = list(reader, 1, EXCEPTION_LABELS_MAX, "labels", |reader| {
        reader.array_exact(2, "label")?;
        let label = reader.text(NAME_BYTES_MAX, "label")?;
        if !is_label(label) || label == "context/reserved" {
            return Err(shape("label"));
        }
        let decision = read_decision(reader)?;
        reader.leave();
        Ok((label.to_owned(), decision))
    })?;
    reader.leave();
    Ok(Exception { record, labels })
}

fn read_log<P: Policy>(reader: &mut Reader<'_, P>) -> Result<AccountedLog, Refused> {
    reader.array_exact(5, "log")?;
    let key = reader.array_of("key")?;
    let (scope, epoch) = (read_scope(reader)?, Epoch::from_bytes(reader.array_of("epoch")?));
    let party = match reader.peek("party")? {
        Item::Null => reader.null("party").map(|()| None)?,
        _ => Some(PartyNumber(reader.uint("party")?)),
    };
    let entries = list(reader, 1, ENTRIES_MAX, "entries", read_entry)?;
    reader.leave();
    Ok(AccountedLog { key, scope, epoch, party, entries })
}

fn read_entry<P: Policy>(reader: &mut Reader<'_, P>) -> Result<AccountedEntry, Refused> {
    let what = "entry";
    let len = reader.array(4, what)?;
    if len < 3 {
        return Err(shape(what));
    }
    let seq = reader.uint("seq")?;
    reader.policy().require(seq < LOG_ENTRIES_MAX, Check::SizeLimit, "seq")?;
    let id = EntryId::from_bytes(reader.array_of(what)?);
    let code = reader.uint("state")?;
    let state = if len == 3 {
        State::from_code(code)
    } else {
        let record = RecordId::from_bytes(reader.array_of("record")?);
        Reason::from_code(code).map(|reason| State::LeftOut { reason, record })
    };
    reader.leave();
    Ok(AccountedEntry { seq, id, state: state.ok_or(shape("state"))? })
}

const fn shape(what: &'static str) -> Refused {
    Refused { check: Check::Shape, what }
}
