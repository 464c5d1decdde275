//! Everything as one JSON document (`core/spec/exchange.md`, `core/spec/export-1.schema.json`).

use serde::Serialize;

use super::NotWritten;
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
///
/// # Errors
/// If the library refuses a value; none of a record is refused.
pub fn json(mission: &str, hash: &str, schema: &Schema, records: &[Record]) -> Result<Vec<u8>, NotWritten> {
    let Schema { kind, title, version, .. } = schema;
    let form = Form { kind, title, version, hash };
    let document = Document { format: "merestone-export", version: 1, mission, form, records };
    serde_json::to_vec(&document).map_err(|error| NotWritten::new("JSON", error))
}
