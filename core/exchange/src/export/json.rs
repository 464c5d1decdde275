//! Everything as one JSON document (`core/spec/exchange.md`, `core/spec/export-1.schema.json`).

use serde::Serialize;

use crate::record::Record;
use crate::schema::Schema;

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    version: u32,
    mission: &'a str,
    form: Form<'a>,
    records: &'a [Record],
}

#[derive(Serialize)]
struct Form<'a> {
    kind: &'a str,
    title: &'a str,
    version: &'a str,
    hash: &'a str,
}

/// The records of one form, whole: every value with its entry and standing, every entry with what became of it.
pub fn json(mission: &str, hash: &str, schema: &Schema, records: &[Record]) -> Vec<u8> {
    let Schema { kind, title, version, .. } = schema;
    let form = Form { kind, title, version, hash };
    let document = Document { format: "merestone-export", version: 1, mission, form, records };
    // The types above have no map with keys that are not text, which is all that serde_json refuses.
    serde_json::to_vec(&document).unwrap_or_default()
}
