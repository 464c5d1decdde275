//! The vectors of `fixtures/vectors`, made from the specs by a script that shares no code with us.
//!
//! Valid ones must be accepted with the facts their `.expected` names, invalid ones refused with the code it names;
//! and each check of the verifier, switched off, must change the outcome of a vector.

mod bounds;
mod carried;
mod disclosures;
mod entries;
mod exhibits;
mod forks;
mod ledgers;
mod load;
mod records;
mod subject;

use std::collections::BTreeMap;

use load::{Vector, all};
use merestone_core::Check;
use merestone_core::check::{Full, Policy};
use serde_json::{Value, json};

/// Groups that this test judges; `bundle` holds whole bags and is judged where bags are read.
const GROUPS: [&str; 9] =
    ["entry", "change", "claims", "disclosure", "publication", "roster", "record", "checkpoint", "sync"];

/// Every check but one.
#[derive(Clone, Copy, Debug)]
struct Without(Check);

impl Policy for Without {
    fn enforces(self, check: Check) -> bool {
        check != self.0
    }
}

/// What a verifier under `policy` finds: facts, or a code and where.
fn judge<P: Policy>(vector: &Vector, policy: P) -> Value {
    let found = if vector.input["subject"].is_string() {
        subject::judge(vector, policy)
    } else if vector.group == "record" {
        records::judge(vector, policy)
    } else {
        entries::judge(vector, policy)
    };
    found.unwrap_or_else(|refusal| refusal)
}

/// Whether every fact that `wanted` names is in `found` with the same value; `found` may say more.
fn agrees(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().all(|(key, value)| found.get(key).is_some_and(|other| agrees(value, other)))
        }
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(a, b)| agrees(a, b))
        }
        _ => wanted == found,
    }
}

#[test]
fn every_vector_is_judged_as_the_specs_say() {
    let mut wrong = Vec::new();
    let vectors = all(&GROUPS);
    for vector in &vectors {
        let found = judge(vector, Full);
        if !agrees(&vector.expected, &found) {
            wrong.push(format!("{}\n    wanted {}\n    found  {found}", vector.name, vector.expected));
        }
    }
    assert!(wrong.is_empty(), "{} of {} vectors differ:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
}

#[test]
fn there_are_enough_invalid_vectors_and_each_names_its_code() {
    let invalid: Vec<_> = all(&GROUPS).into_iter().filter(|vector| !vector.is_valid).collect();
    assert!(invalid.len() >= 400, "{}", invalid.len());
    for vector in &invalid {
        let code = vector.expected["code"].as_str().unwrap_or_default();
        assert!(Check::ALL.iter().any(|check| check.code() == code), "{}: {code}", vector.name);
    }
}

/// Checks whose failure leaves nothing to go on with, so that no policy can switch them off, and why.
const ALWAYS: [(Check, &str); 11] = [
    (Check::CborMalformed, "there is no item"),
    (Check::CborIndefinite, "the reader has no form for it"),
    (Check::CborFloat, "the reader has no form for it"),
    (Check::CborTag, "the reader has no form for it"),
    (Check::CborSimple, "the reader has no form for it"),
    (Check::TextUtf8, "there is no text"),
    (Check::Shape, "a type, a key or a number that the format does not have"),
    (Check::ChangeMalformed, "there is no change"),
    (Check::DisclosureEntry, "there is nothing to hold the leaves against"),
    (Check::DisclosurePosition, "there is no such leaf"),
    (Check::CertificateRole, "a role that the format does not have"),
];

/// Checks that vectors cannot reach, and the test that does.
const ELSEWHERE: [(Check, &str); 1] =
    [(Check::StatementLimit, "roster: 4,097 statements of one signer would be too big a file")];

#[test]
fn each_check_switched_off_changes_the_outcome_of_a_vector() {
    let mut by_code: BTreeMap<String, Vec<Vector>> = BTreeMap::new();
    for vector in all(&GROUPS).into_iter().filter(|vector| !vector.is_valid) {
        let code = vector.expected["code"].as_str().unwrap_or_default().to_owned();
        by_code.entry(code).or_default().push(vector);
    }
    let mut idle = Vec::new();
    for &check in Check::ALL {
        if ELSEWHERE.iter().any(|(other, _)| *other == check) {
            continue;
        }
        let vectors = by_code.get(check.code()).map_or(&[][..], Vec::as_slice);
        let code = json!(check.code());
        let still_refused = |vector: &Vector| {
            let found = judge(vector, Without(check));
            found["code"] == code && found["entry"] == vector.expected["entry"]
        };
        let always = ALWAYS.iter().any(|(other, _)| *other == check);
        if vectors.is_empty() || (!always && vectors.iter().all(still_refused)) {
            idle.push(format!("{} ({} vectors)", check.code(), vectors.len()));
        }
    }
    assert!(idle.is_empty(), "no vector depends on: {}", idle.join(", "));
}
