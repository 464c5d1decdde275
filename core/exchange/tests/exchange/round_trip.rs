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
use merestone_exchange::{ColumnKind, Schema, Value};
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

/// The answers without the ids of their rows, which every import makes for itself.
fn bare(cells: &BTreeMap<String, Value>) -> Vec<(String, Value)> {
    let short = |key: &str| match key.split('/').collect::<Vec<_>>()[..] {
        [repeat, _, question] => format!("{repeat}/{question}"),
        _ => key.to_owned(),
    };
    let is_answer = |key: &String| !key.ends_with("/within");
    let mut bare: Vec<_> =
        cells.iter().filter(|(key, _)| is_answer(key)).map(|(key, value)| (short(key), value.clone())).collect();
    bare.sort();
    bare
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
        // A row in which nothing stands comes back with a blank, so that it is there.
        let mut came: Vec<_> = bare(&taken.answers);
        let mut went = bare(&cells);
        let blank: BTreeSet<_> =
            came.iter().filter(|(key, value)| key.contains('/') && *value == Value::Blank).cloned().collect();
        came.retain(|one| !blank.contains(one));
        went.retain(|one| !blank.contains(one));
        for (came, went) in came.iter().zip(&went) {
            assert_eq!(came, went, "{name}");
        }
        assert_eq!(came.len(), went.len(), "{name}");
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
