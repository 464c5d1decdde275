//! The account: a decision for each leaf of each form, and a state for each entry of the scopes.

use super::decision::{Decision, NotPublished, Reason, allowed, label_at};
use crate::check::{Check, Policy, Refused};
use crate::entry::Kind;
use crate::form::{FormDefinition, STANDARD_LEAVES};
use crate::id::{EntryId, Epoch, FormHash, LogId, NoteHash, RecordId, ScopeId};
use crate::key::KEY_BYTES;
use crate::roster::PartyNumber;

mod codec;

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

    /// What a number other than a reason says, in a few words for people; `None` of a later version's.
    pub fn words_of(code: u64) -> Option<&'static str> {
        Some(match Self::from_code(code)? {
            State::Disclosed | State::LeftOut { reason: _, record: _ } => "shown as decided",
            State::Erased => "erased",
            State::NotHeld => "not held by the publisher, or its content is not",
            State::Void => "applied, and nothing of it can be shown as signed",
            State::NotApplied => "not applied: set aside, superseded by a fork, out of role or waiting",
            State::UnknownKind => "of a kind of a later version",
            State::Role(Kind::Receipt) => "receipts: taken notice of",
            State::Role(Kind::HostComment) => "host comments",
            State::Role(Kind::Concurrence) => "concurrences",
            State::Role(Kind::Objection) => "objections",
            State::Role(Kind::Dissent) => "dissents",
            State::Role(Kind::Ruling) => "rulings",
            State::Role(Kind::CoAuthorship) => "co-authorships",
            State::Role(Kind::Change | Kind::Unknown(_)) => return None,
        })
    }

    /// The same in one word for programs.
    pub fn word_of(code: u64) -> Option<&'static str> {
        Some(match Self::from_code(code)? {
            State::Disclosed | State::LeftOut { reason: _, record: _ } => "disclosed",
            State::Erased => "erased",
            State::NotHeld => "not-held",
            State::Void => "void",
            State::NotApplied => "not-applied",
            State::UnknownKind => "unknown-kind",
            State::Role(Kind::Receipt) => "receipt",
            State::Role(Kind::HostComment) => "host-comment",
            State::Role(Kind::Concurrence) => "concurrence",
            State::Role(Kind::Objection) => "objection",
            State::Role(Kind::Dissent) => "dissent",
            State::Role(Kind::Ruling) => "ruling",
            State::Role(Kind::CoAuthorship) => "co-authorship",
            State::Role(Kind::Change | Kind::Unknown(_)) => return None,
        })
    }

    /// The state with this number, of those that need no record.
    pub(super) fn from_code(code: u64) -> Option<Self> {
        match code {
            0 => Some(State::Disclosed),
            16 => Some(State::Erased),
            17 => Some(State::NotHeld),
            18 => Some(State::Void),
            19 => Some(State::NotApplied),
            20 => Some(State::UnknownKind),
            34..=40 => Kind::from_code(code - 32).map(State::Role),
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
