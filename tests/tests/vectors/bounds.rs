//! Times of cosignatures, and the bounds that follow from them.

use merestone_core::bounds::{Bound, Sighting, Timeline};
use merestone_core::roster::PartyNumber;
use merestone_core::witness::Quorum;
use serde_json::{Value, json};

use crate::agrees;
use crate::load::{Vector, all};

#[test]
fn bounds_are_those_of_the_page() {
    let vectors = all(&["bounds"]);
    assert!(!vectors.is_empty());
    for vector in &vectors {
        let found = judge(vector);
        assert!(agrees(&vector.expected, &found), "{}\n wanted {}\n found  {found}", vector.name, vector.expected);
    }
}

fn judge(vector: &Vector) -> Value {
    let parties = vector.input["parties"].as_u64().and_then(|n| usize::try_from(n).ok()).expect("a number");
    let quorum = Quorum::of(parties);
    let timeline = Timeline::new(quorum, sightings(&vector.input["cosigned"]), sightings(&vector.input["logged"]));
    let bounds = timeline.between(vector.input["leaf"].as_u64(), vector.input["seen"].as_u64());
    if bounds.is_contradictory() {
        return json!({"code": "bounds-contradict"});
    }
    let after: Vec<Value> = numbers(&vector.input["leaves"]).map(|leaf| shown(timeline.not_after(leaf))).collect();
    let before: Vec<Value> = numbers(&vector.input["sizes"]).map(|size| shown(timeline.not_before(size))).collect();
    json!({"liars": quorum.liars, "not_after": after, "not_before": before})
}

fn sightings(rows: &Value) -> Vec<Sighting> {
    let rows = rows.as_array().expect("rows");
    let number = |row: &Value, at: usize| row[at].as_u64().expect("a number");
    rows.iter()
        .map(|row| Sighting { at: number(row, 0), party: PartyNumber(number(row, 1)), time: number(row, 2) })
        .collect()
}

fn numbers(list: &Value) -> impl Iterator<Item = u64> {
    list.as_array().expect("a list").iter().map(|number| number.as_u64().expect("a number"))
}

fn shown(bound: Option<&Bound>) -> Value {
    bound.map_or(Value::Null, |bound| {
        let by: Vec<u64> = bound.by.iter().map(|party| party.0).collect();
        json!({"time": bound.time, "by": by, "holds": bound.holds})
    })
}
