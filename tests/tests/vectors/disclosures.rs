//! Vectors of group `disclosure`: what each shows, and that the entry it was made from gives the same bytes again.

use merestone_core::change::Value as Scalar;
use merestone_core::check::{Policy, Refused};
use merestone_core::disclosure::{Chosen, Disclosure, Fact, Opened, Said, SealedDisclosure, make};
use merestone_core::entry::{Clock, Place, SignedEntry};
use merestone_core::form::{FormDefinition, Key};
use merestone_core::key::KeyCache;
use serde_json::{Value, json};

use crate::load::{Vector, all, bytes, hex};

/// The names of the standard block, as the vectors have them.
const STANDARD: [&str; 8] =
    ["coarse place", "exact place", "day", "exact time", "post", "observer", "photos", "reserved"];

fn definition(vector: &Vector) -> FormDefinition {
    FormDefinition::decode(&bytes(&vector.input["forms"][0])).expect("a form beside the disclosure")
}

pub(crate) fn facts<P: Policy>(vector: &Vector, item: &[u8], policy: P) -> Result<Value, Refused> {
    let definition = definition(vector);
    let sealed = SealedDisclosure::read_under(item, vector.mission(), &mut KeyCache::new(), policy)?;
    let form = sealed.form().to_string();
    let disclosure = sealed.open_under(&definition, policy)?;
    let entry = disclosure.entry();
    let opened: Vec<Value> = disclosure.opened().iter().map(opened).collect();
    Ok(json!({"id": entry.id().to_string(), "key": hex(entry.key().as_bytes()), "form": form, "opened": opened}))
}

fn opened(one: &Opened<'_>) -> Value {
    let name = one.name.unwrap_or_else(|| STANDARD[one.position as usize]);
    let mut fact = json!({"position": one.position, "name": name});
    let (key, value) = match &one.said {
        None => ("absent", json!(true)),
        Some(Said::CoarsePlace(cell)) => ("value", json!(cell)),
        Some(Said::ExactPlace(place)) => ("value", place_value(place)),
        Some(Said::Day(day)) => ("value", json!(day)),
        Some(Said::ExactTime(clock)) => ("value", clock_value(clock)),
        Some(Said::Post(text) | Said::Observer(text)) => ("value", json!(text)),
        Some(Said::Photos(photos)) => ("value", photos.iter().map(|photo| json!(photo.sha256.to_string())).collect()),
        Some(Said::Answer(value)) => ("value", scalar(*value)),
        Some(Said::Cells(cells)) => {
            ("cells", cells.iter().map(|cell| json!([cell.row, cell.question, scalar(cell.value)])).collect())
        }
    };
    fact[key] = value;
    fact
}

fn place_value(place: &Place) -> Value {
    json!([place.lat_e7, place.lon_e7, place.accuracy_m, place.source as u64])
}

fn clock_value(clock: &Clock) -> Value {
    json!([clock.wall_ms, clock.uptime_ms, hex(&clock.boot), clock.offset_min, clock.source as u64])
}

fn scalar(value: Scalar<'_>) -> Value {
    match value {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => json!(value),
        Scalar::Int(value) => json!(value),
        Scalar::Text(value) => json!(value),
    }
}

#[test]
fn the_entry_gives_the_same_disclosure_again() {
    let mut made = 0;
    for vector in all(&["disclosure"]).iter().filter(|vector| vector.is_valid) {
        let [entry] = vector.input["entries"].as_array().map_or(&[][..], Vec::as_slice) else { continue };
        let (header, body) = (bytes(&entry["header"]), bytes(&entry["body"]));
        let keys = &mut KeyCache::new();
        let entry = SignedEntry::new(&header, Some(&body)).verify(vector.mission(), keys).expect("a good entry");
        let (definition, item) = (definition(vector), bytes(&vector.input["disclosure"]));
        let sealed = SealedDisclosure::read(&item, vector.mission(), keys).expect("a good header");
        let disclosure = sealed.open(&definition).expect("a good disclosure");
        let again = make(&entry, &definition, &chosen(&disclosure)).expect("what is shown can be shown");
        assert_eq!(hex(&again), hex(&item), "{}", vector.name);
        made += 1;
    }
    assert!(made >= 15, "{made}");
}

/// The choice that gives this disclosure.
fn chosen<'a>(disclosure: &'a Disclosure<'_>) -> Vec<Chosen<'a>> {
    let mut chosen = Vec::new();
    for one in disclosure.opened() {
        match (one.name, &one.said) {
            (None, _) => chosen.push(Chosen::Fact(Fact::ALL[one.position as usize])),
            (Some(repeat), Some(Said::Cells(cells))) => {
                chosen.push(Chosen::Presence(repeat));
                let keys = cells.iter().map(|cell| Key::Cell { repeat, row: cell.row, question: cell.question });
                chosen.extend(keys.map(Chosen::Key));
            }
            // Of what is absent nothing says whether it is a question or a repeat; here repeats have these names.
            (Some(name @ ("people" | "photos")), None) => chosen.push(Chosen::Repeat(name)),
            (Some(question), _) => chosen.push(Chosen::Key(Key::Answer { question })),
        }
    }
    chosen
}
