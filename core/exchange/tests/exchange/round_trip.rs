//! What goes out as an instance comes in as the same answers, to the byte: random fillings of the forms that come with the
//! program and of forms that nobody here made, with answers that programs along the way like to change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::common::{record, record_of};
use crate::dice::Dice;
use crate::skip;
use merestone_core::text::{self, Lines};
use merestone_exchange::export::submission;
use merestone_exchange::import::{Exactness, read_xml};
use merestone_exchange::{Column, ColumnKind, Entry, Record, Schema, Value};
use merestone_forms::{Form, NamedFile, standard};

/// Answers that a form refuses at its field or that only a record of somebody else may hold: in an instance they are texts.
const ODD: [&str; 24] = [
    "NaN",
    "-INF",
    "2024-02-30",
    "0000-01-01",
    "10000-12-31T25:61:61.999+15:00",
    "91 181 0 0",
    "48.1 37.5 0 0;NaN 1",
    "=HYPERLINK(\"http://x\",\"y\")",
    "+380501234567",
    "-1+1",
    "@SUM(A1)",
    "'quoted'",
    "\tbefore",
    "line\nline",
    " blanks ",
    " ",
    "</x><y>&amp;&#0;]]>",
    "😀👩\u{200d}👩\u{200d}👧 🇺🇦",
    "بدر، ٨ ∕ العربية",
    "007",
    "-0",
    "9223372036854775807",
    "9223372036854775808",
    "_x0041_",
];

/// What no entry can hold, so that it cannot go out, and is refused by name where it comes in.
const UNSIGNED: [&str; 5] = ["\u{202e}evil", "\u{2066}a\u{2069}", "e\u{301}", "a\u{7f}b", "a\u{85}b"];

fn answer(dice: &mut Dice, kind: ColumnKind) -> Value {
    let huge = ["1", &"0".repeat(400)].concat();
    match dice.below(6) {
        0 => Value::Blank,
        1 if kind == ColumnKind::Integer => Value::Int([0, -5, i64::MAX, i64::MIN][dice.below(4)]),
        2 => Value::Text(huge),
        3 => Value::Text(dice.text()),
        _ => Value::Text(ODD[dice.below(ODD.len())].to_owned()),
    }
}

/// A text that is stored exactly; an empty one is a blank, and a number is one where a number is asked for.
fn as_stored(kind: ColumnKind, value: Value) -> Option<Value> {
    let Value::Text(said) = value else { return Some(value) };
    if said.is_empty() {
        return Some(Value::Blank);
    }
    text::check(&said, Lines::Many, "answer").ok()?;
    let number = said.parse::<i64>().ok().filter(|number| kind == ColumnKind::Integer && number.to_string() == said);
    Some(number.map_or(Value::Text(said), Value::Int))
}

/// A random filling, with rows in rows. Of a submission that was taken over also what the form calculates is an answer.
fn filling(schema: &Schema, dice: &mut Dice, is_imported: bool) -> BTreeMap<String, Value> {
    let mut cells = BTreeMap::new();
    let mut rows: Vec<Vec<Option<String>>> = vec![vec![None]];
    for (number, table) in schema.tables.iter().enumerate().skip(1) {
        let parents = rows[table.parent.expect("a repeat has one")].clone();
        let mut made = Vec::new();
        for parent in parents {
            for _ in 0..dice.below(3) {
                let id = format!("{:016x}", dice.below(usize::MAX));
                if let Some(parent) = &parent {
                    cells.insert(format!("{}/{id}/within", table.name), Value::Text(parent.clone()));
                }
                made.push(Some(id));
            }
        }
        assert_eq!(rows.len(), number);
        rows.push(made);
    }
    for (table, rows) in schema.tables.iter().zip(&rows) {
        for row in rows {
            for column in &table.columns {
                let is_text =
                    !matches!(column.kind, ColumnKind::Photo | ColumnKind::File | ColumnKind::Trail | ColumnKind::Note);
                if is_text
                    && (is_imported || !column.is_derived)
                    && dice.below(4) > 0
                    && let Some(value) = as_stored(column.kind, answer(dice, column.kind))
                {
                    let key = row.as_ref().map(|row| format!("{}/{row}/{}", table.name, column.name));
                    cells.insert(key.unwrap_or_else(|| column.name.clone()), value);
                }
            }
        }
    }
    cells
}

/// The answers of a row, or of the record itself, and the rows that stand in it, in their order and without their ids, which
/// every import makes for itself. A row in which nothing stands comes back with a blank, so that it is there: blanks in rows
/// are left out. What the form calculates only `with_derived`.
fn tree(
    schema: &Schema,
    cells: &BTreeMap<String, Value>,
    at: (usize, Option<&str>),
    with_derived: bool,
) -> Vec<String> {
    let (table, row) = at;
    let mut lines = Vec::new();
    for column in schema.tables[table].columns.iter().filter(|column| with_derived || !column.is_derived) {
        let key = row.map(|row| format!("{}/{row}/{}", schema.tables[table].name, column.name));
        match cells.get(&key.unwrap_or_else(|| column.name.clone())) {
            Some(Value::Blank) if row.is_some() => {}
            Some(value) => lines.push(format!("{}={value:?}", column.name)),
            None => {}
        }
    }
    for (number, inner) in schema.tables.iter().enumerate().filter(|(_, inner)| inner.parent == Some(table)) {
        let within = |row: &str| match cells.get(&format!("{}/{row}/within", inner.name)) {
            Some(Value::Text(around)) => Some(around.as_str()),
            _ => None,
        };
        for own in rows(schema, cells, number).iter().filter(|own| within(own) == row) {
            lines.push(format!("{} (", inner.name));
            lines.extend(tree(schema, cells, (number, Some(own)), with_derived));
            lines.push(")".to_owned());
        }
    }
    lines
}

/// The rows of a repeat, ascending: those with a cell, and those in which another says that it stands.
fn rows(schema: &Schema, cells: &BTreeMap<String, Value>, table: usize) -> BTreeSet<String> {
    let inner: Vec<&str> =
        schema.tables.iter().filter(|inner| inner.parent == Some(table)).map(|inner| inner.name.as_str()).collect();
    let named = cells.iter().filter_map(|(key, value)| match (key.split('/').collect::<Vec<_>>().as_slice(), value) {
        ([_, _, "within"], Value::Text(around)) if inner.iter().any(|name| key.starts_with(&format!("{name}/"))) => {
            Some(around.clone())
        }
        ([repeat, row, _], _) if *repeat == schema.tables[table].name => Some((*row).to_owned()),
        _ => None,
    });
    named.collect()
}

/// The record after somebody put another answer.
fn edited(mut record: Record, key: &str) -> Record {
    let entry = "ef".repeat(32);
    record.entries.push(Entry { entry: entry.clone(), ..record.entries[0].clone() });
    for answer in record.answers.iter_mut().filter(|answer| answer.key == key) {
        (answer.values[0].value, answer.values[0].entry) = (Value::Text("put here".into()), entry.clone());
    }
    record
}

fn comes_back(name: &str, form: &Form, rounds: usize) {
    let schema = Schema::of(form);
    let mut dice = Dice(1 + name.len() as u64);
    for round in 0..rounds {
        let is_imported = round % 2 == 1;
        let cells = filling(&schema, &mut dice, is_imported);
        let mark = ("imported/0000000000000000/instance".to_owned(), Value::Text("uuid:1".into()));
        let out = submission(&schema, &record_of(cells.clone().into_iter().chain(is_imported.then_some(mark))));
        assert_eq!(out.left_out, [], "{name}");
        let read =
            |xml: &[u8]| read_xml(&schema, xml, Exactness::Exact).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        let taken = read(&out.xml);
        let all = |cells: &BTreeMap<String, Value>| tree(&schema, cells, (0, None), true);
        assert_eq!(all(&taken.answers), all(&cells), "{name}");
        let is_text = |column: &&Column| column.kind == ColumnKind::Text && !column.is_derived;
        let texts = schema.tables[0].columns.iter().filter(is_text).map(|column| column.name.clone());
        if let Some(key) = texts.into_iter().find(|key| taken.answers.contains_key(key)) {
            let out = submission(&schema, &edited(record(&taken, &[]), &key));
            assert_eq!(out.left_out, [], "{name}");
            let mut wanted = cells.clone();
            wanted.insert(key, Value::Text("put here".into()));
            let kept = |cells: &BTreeMap<String, Value>| tree(&schema, cells, (0, None), false);
            assert_eq!(kept(&read(&out.xml).answers), kept(&wanted), "{name}: edited");
        }
        let again = submission(&schema, &record(&taken, &[]));
        assert_eq!(again.left_out, [], "{name}");
        let thrice = submission(&schema, &record(&read(&again.xml), &[]));
        assert!(thrice.xml == again.xml, "{name}: not the same bytes");
    }
}

#[test]
fn the_forms_that_come_with_the_program_come_back() {
    for (number, form) in standard::ALL.into_iter().enumerate() {
        comes_back(&format!("standard {number}"), &Form::read_tables(form).expect("a standard form"), 200);
    }
}

#[test]
fn forms_that_nobody_here_made_come_back() {
    let Some(folder) = shared() else {
        return skip::skip("the forms of others are absent (MERESTONE_SHARED names their folder)");
    };
    let mut came = 0;
    for path in files(&folder) {
        let bytes = std::fs::read(&path).expect("a file");
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // What is refused, or needs files beside it, is the business of `core/forms`.
        if let Ok(form) = Form::read(NamedFile { name: &name, bytes: &bytes }, &[]) {
            comes_back(&name, &form, 40);
            came += 1;
        }
    }
    assert!(came >= 30, "only {came} forms were read");
}

#[test]
fn what_cannot_be_signed_is_refused_where_it_comes_in_and_a_long_note_too() {
    let form = Form::read_tables(standard::INSPECTION).expect("a standard form");
    let schema = Schema::of(&form);
    let column = schema.tables[0].columns.iter().find(|column| column.kind == ColumnKind::Text).expect("a text");
    let mut rows: Vec<(String, &str)> = UNSIGNED.map(|text| (text.to_owned(), "text-not-exact")).into();
    rows.push(("x".repeat(7 << 20), "answer-too-long"));
    rows.push(("x".repeat(10 << 20), "instance-too-large"));
    rows.push(("a\0b".to_owned(), "not-xml"));
    for (text, code) in rows {
        let (open, close) = (
            column.path.iter().map(|name| format!("<{name}>")).collect::<String>(),
            column.path.iter().rev().map(|name| format!("</{name}>")).collect::<String>(),
        );
        let (root, id) = (&schema.root, &schema.kind);
        let xml =
            format!("<{root} id=\"{id}\">{open}{text}{close}<meta><instanceID>uuid:1</instanceID></meta></{root}>");
        let refused = read_xml(&schema, xml.as_bytes(), Exactness::Exact).map(|_| ());
        assert_eq!(refused.map_err(|refused| refused.code()), Err(code));
    }
}

/// The forms beside the project, if they are there.
fn shared() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let near = ["../shared/fixtures/forms", "../../shared/fixtures/forms"].map(|place| root.join(place));
    let given = std::env::var_os("MERESTONE_SHARED").map(|shared| PathBuf::from(shared).join("fixtures/forms"));
    given.into_iter().chain(near).find(|folder| folder.is_dir())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let is_expected = path.to_string_lossy().ends_with(".expected.xml");
            if path.is_dir() {
                open.push(path);
            } else if !is_expected {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
