//! The account's payload: written, and read within its limits (`spec/publication.md`, Account).

use super::{Account, AccountedEntry, AccountedLog, Exception, FormRule, State};
use crate::cbor::{Kind as Item, Reader, Writer};
use crate::check::{Check, Policy, Refused};
use crate::entry::LOG_ENTRIES_MAX;
use crate::form::{LEAVES_MAX, NAME_BYTES_MAX, STANDARD_LEAVES, is_question};
use crate::id::{EntryId, Epoch, FormHash, MissionId, NoteHash, RecordId, ScopeId};
use crate::publication::decision::{Decision, Reason, is_label};
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

impl Account {
    pub(in crate::publication) fn encode(&self, mission: MissionId) -> Vec<u8> {
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

    pub(in crate::publication) fn read<P: Policy>(payload: &[u8], policy: P) -> Result<(MissionId, Self), Refused> {
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
