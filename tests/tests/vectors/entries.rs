//! Vectors of entries in order of delivery: groups `entry`, `change`, `claims` and part of `roster`.

use std::collections::HashMap;

use merestone_core::change::{Admission, Change, RecordIndex, Step};
use merestone_core::check::{Check, Policy, Refused};
use merestone_core::claims::Claims;
use merestone_core::entry::log::follows_under;
use merestone_core::entry::{Content, SignedEntry, Tip, VerifiedEntry};
use merestone_core::form::{FormDefinition, LeafTable};
use merestone_core::id::{FormHash, LogId, RecordId};
use merestone_core::key::KeyCache;
use merestone_core::roster::{Authority, LogIndex};
use serde_json::{Value, json};

use crate::load::{Vector, bytes, hex};
use crate::records;

/// What is known after the entries so far.
#[derive(Default)]
struct Held {
    tips: HashMap<LogId, Tip>,
    records: HashMap<RecordId, RecordIndex>,
    forms: HashMap<FormHash, FormDefinition>,
    entries: Vec<VerifiedEntry>,
    chains: LogIndex,
}

/// Facts of the change of one entry.
struct ChangeFacts {
    hash: String,
    max_op: u64,
}

pub(crate) fn judge<P: Policy>(vector: &Vector, policy: P) -> Result<Value, Value> {
    let mut held = Held::default();
    for form in Vector::list(&vector.input, "forms").map(bytes) {
        let definition = FormDefinition::decode(&form).expect("a form beside the entries");
        held.forms.insert(FormHash::of(&form), definition);
    }
    let keys = &mut KeyCache::new();
    let mut facts = Vec::new();
    let mut opened = json!({});
    for (at, entry) in Vector::list(&vector.input, "entries").enumerate() {
        let refused = |refused: Refused| json!({"code": refused.check.code(), "entry": at});
        let header = bytes(&entry["header"]);
        let body = (!entry["body"].is_null()).then(|| bytes(&entry["body"]));
        let entry =
            SignedEntry::new(&header, body.as_deref()).verify_with(vector.mission(), keys, policy).map_err(refused)?;
        let tip = follows_under(held.tips.get(&entry.log()), &entry, policy).map_err(refused)?;
        held.tips.insert(entry.log(), tip);
        records::remember(&mut held.chains, &entry);
        held.entries.push(entry.clone());
        if vector.group == "roster" {
            authority(vector, &held, &entry, policy).map_err(refused)?;
        }
        let change = change(vector, &mut held, &entry, policy, &mut opened).map_err(refused)?;
        let mut fact = json!({
            "id": entry.id().to_string(),
            "log": entry.log().to_string(),
            "seq": entry.header().seq,
            "kind": entry.header().kind.code(),
            "record": entry.record().to_string(),
            "actor": entry.actor().to_string(),
            "change": change.as_ref().map(|change| change.hash.clone()),
            "max_op": change.as_ref().map(|change| change.max_op),
            "claims": entry.header().commitment.map(|commitment| hex(&commitment.root)),
        });
        if body.is_none() {
            // Nobody sees the change of a withheld body; the vector names it all the same.
            for key in ["change", "max_op"] {
                fact[key] = vector.expected["entries"][at][key].clone();
            }
        }
        facts.push(fact);
    }
    opened["entries"] = Value::Array(facts);
    Ok(opened)
}

fn authority<P: Policy>(vector: &Vector, held: &Held, entry: &VerifiedEntry, policy: P) -> Result<(), Refused> {
    let roster = records::roster(vector);
    let certificate = records::certificate(&held.entries, &held.chains, entry).expect("a log that begins");
    let header = entry.header();
    match roster.authority(certificate, entry.key().as_bytes(), header.scope, header.kind) {
        Authority::Granted(_) | Authority::Unknown(None) => Ok(()),
        Authority::Denied(refused) | Authority::Unknown(Some(refused)) if policy.enforces(refused.check) => {
            Err(refused)
        }
        Authority::Denied(_) | Authority::Unknown(Some(_)) => Ok(()),
    }
}

fn change<P: Policy>(
    vector: &Vector,
    held: &mut Held,
    entry: &VerifiedEntry,
    policy: P,
    opened: &mut Value,
) -> Result<Option<ChangeFacts>, Refused> {
    let Some(body) = entry.body_under(policy)? else { return Ok(None) };
    let Content::Change(chunk) = &body.content else { return Ok(None) };
    let change = Change::decode_under(chunk, entry.actor(), policy)?;
    let refs = entry.header().refs();
    let index = held.records.entry(entry.record()).or_default();
    let admission = index.admit_under(&change, Step { entry: entry.id(), refs }, policy)?;
    assert_eq!(admission, Admission::Admitted, "{}: delivered before what it names", vector.name);

    let form =
        entry.header().commitment.and_then(|commitment| Some((commitment.root, held.forms.get(&commitment.form)?)));
    if let Some((root, form)) = form {
        let table = LeafTable::new(form);
        let claims = Claims::compute(&table, &change, &body.context);
        let known = claims.unknown_questions().next().is_none();
        policy.require(known, Check::ClaimsUnknownQuestion, "a key the form does not name")?;
        policy.require(!known || claims.root() == root, Check::ClaimsMismatch, "claims")?;
        if vector.group == "claims" && vector.expected["entry"] == json!(held.entries.len() - 1) {
            *opened = open(&table, &claims, &change);
            opened["entry"] = json!(held.entries.len() - 1);
        }
    }
    Ok(Some(ChangeFacts { hash: change.hash().to_string(), max_op: change.max_op() }))
}

/// The seed, root and leaves of the entry a claims vector asks for; salts are in the leaves' contents.
fn open(table: &LeafTable, claims: &Claims, change: &Change<'_>) -> Value {
    let leaves: Vec<String> = (0..table.leaves())
        .map(|position| {
            let opening = claims.open(position).expect("a leaf of the table");
            assert_eq!(opening.root(), Some(claims.root()), "leaf {position} does not lead to the root");
            hex(&merestone_core::merkle::leaf_hash(&opening.content))
        })
        .collect();
    // A content is an array of the position, the salt and perhaps the value: the salt is its 16-byte string.
    let salts: Vec<String> = (0..table.leaves())
        .map(|position| {
            let opening = claims.open(position).expect("a leaf of the table");
            let mut reader = merestone_core::cbor::Reader::new(&opening.content);
            let salt = reader.array(3, "leaf").and_then(|_| reader.uint("position")).and_then(|_| reader.bytes("salt"));
            hex(salt.expect("a leaf"))
        })
        .collect();
    json!({"seed": hex(change.seed()), "root": hex(&claims.root()), "leaves": leaves, "salts": salts})
}
