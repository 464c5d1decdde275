//! Vectors of whole records: what is applied, what stands how, and what the record says.

use merestone_core::change::Value as Answer;
use merestone_core::check::Policy;
use merestone_core::entry::{Position, SignedEntry, VerifiedEntry};
use merestone_core::id::{EntryId, RecordId, StatementId};
use merestone_core::key::KeyCache;
use merestone_core::record::{HeldEntry, Setting, View, judge_under};
use merestone_core::roster::{Class, CompleteCharter, Coverage, LogIndex, Roster};
use serde_json::{Map, Value, json};

use crate::load::{Vector, bytes};

/// The statements beside the entries.
pub(crate) fn roster(vector: &Vector) -> Roster {
    let charter =
        CompleteCharter::verify(&bytes(&vector.input["charter"]), vector.mission()).expect("a complete charter");
    let mut roster = Roster::new(charter);
    let classes = [
        ("amendments", Class::Amendment),
        ("certificates", Class::Certificate),
        ("cuts", Class::Cut),
        ("acknowledgements", Class::Acknowledgement),
        ("erasures", Class::Erasure),
    ];
    for (key, class) in classes {
        for statement in Vector::list(&vector.input["statements"], key) {
            roster.admit(class, &bytes(statement)).expect("a statement beside the subject");
        }
    }
    roster
}

/// Adds an entry to what is known of its log.
pub(crate) fn remember(chains: &mut LogIndex, entry: &VerifiedEntry) {
    let prev = match &entry.header().position {
        Position::First { certificate: _, earlier: _ } => None,
        Position::Later { prev } => Some(*prev),
    };
    chains.add(entry.log(), entry.header().seq, entry.id(), prev);
}

/// The certificate that the log of `entry` names at its beginning, if that is held.
pub(crate) fn certificate(held: &[VerifiedEntry], chains: &LogIndex, entry: &VerifiedEntry) -> Option<StatementId> {
    let start = chains.start(entry.id())?;
    match &held.iter().find(|held| held.id() == start)?.header().position {
        Position::First { certificate, earlier: _ } => Some(*certificate),
        Position::Later { prev: _ } => None,
    }
}

pub(crate) fn judge<P: Policy>(vector: &Vector, policy: P) -> Result<Value, Value> {
    let roster = roster(vector);
    let (mut entries, mut chains, keys) = (Vec::new(), LogIndex::new(), &mut KeyCache::new());
    for entry in Vector::list(&vector.input, "entries") {
        let header = bytes(&entry["header"]);
        let body = (!entry["body"].is_null()).then(|| bytes(&entry["body"]));
        let entry =
            SignedEntry::new(&header, body.as_deref()).verify(vector.mission(), keys).expect("an authentic entry");
        remember(&mut chains, &entry);
        entries.push(entry);
    }
    let coverage = Coverage::derive(&roster, &chains);
    let held: Vec<HeldEntry> = entries
        .iter()
        .map(|entry| HeldEntry::new_under(entry.clone(), certificate(&entries, &chains, entry), policy))
        .collect();
    let record = RecordId::from_hex(vector.expected["record"].as_str().expect("a record")).expect("64 hex digits");
    let is_elsewhere = |id: EntryId| entries.iter().any(|entry| entry.id() == id && entry.record() != record);
    let setting =
        Setting { roster: &roster, coverage: &coverage, ledgered: &Default::default(), is_elsewhere: &is_elsewhere };
    let judged = judge_under(record, &held, &setting, policy);
    let standings: Map<String, Value> =
        judged.standings().iter().map(|(id, standing)| (id.to_string(), json!(standing.code()))).collect();
    let view = View::of(&judged);
    let shown: Map<String, Value> = view
        .keys()
        .map(|(key, values)| {
            let values =
                values.iter().map(|shown| json!({"value": plain(shown.value), "entry": shown.entry.to_string()}));
            (key.to_owned(), values.collect())
        })
        .collect();
    let applied: Vec<String> = judged.applied().iter().map(|applied| applied.held.id().to_string()).collect();
    assert_eq!(Some(standings.len()), vector.expected["standings"].as_object().map(Map::len), "{}", vector.name);
    assert_eq!(Some(shown.len()), vector.expected["view"].as_object().map(Map::len), "{}", vector.name);
    Ok(json!({"record": record.to_string(), "applied": applied, "standings": standings, "view": shown}))
}

fn plain(value: Answer<'_>) -> Value {
    match value {
        Answer::Null => Value::Null,
        Answer::Bool(value) => json!(value),
        Answer::Int(value) => json!(value),
        Answer::Text(value) => json!(value),
    }
}
