//! The script of a form's page: it comes to what the tables say, as this crate does.
//!
//! One table each for expressions, for patterns, and for what is kept of what a person types.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use merestone_forms::Answer;
use merestone_forms::expr::{Documents, Expression, Focus};
use merestone_forms::field;
use merestone_forms::model::QuestionKind;
use serde_json::{Value, json};

use crate::expressions::{DOCUMENT, Fixed, Row, rows, same};

/// What the page does not work out, and says so (`(?=` looks ahead); and what chance decides.
const NOT_HERE: &[&str] = &["digest", "geofence", "jr:itext", "random", "uuid", "jr:choice-name", "(?="];
/// The parts of the page's script that need no page.
const SCRIPT: &str = concat!(
    include_str!("../../src/render/pattern.js"),
    include_str!("../../src/render/expr.js"),
    include_str!("../../src/render/field.js"),
);

/// Reads `{script, document, rows}` and writes what each row comes to.
const EXPRESSIONS: &str = r#"
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
Date.now = () => Date.parse("2024-05-06T12:30:15.250Z");
const { Evaluator, element, numberText } = new Function(given.script + "; return { Evaluator, element, numberText };")();
function grown(from, parent) {
  const own = element(parent, from.name, from.text);
  for (const [name, text] of from.attributes) own.attrs.push({ name, text, parent: own, kids: [], attrs: [], asked: true });
  for (const child of from.children) grown(child, own);
  return own;
}
const root = grown(given.document, null);
const focus = (node) => ({ node, current: node, position: 1, size: 1 });
const found = given.rows.map(({ path, ast, kind }) => {
  try {
    const it = new Evaluator({ instance: () => undefined });
    const [context] = it.value(path, focus(root));
    const value = it.value(ast, focus(context));
    if (kind === "number") return numberText(it.number(value));
    return kind === "bool" ? String(it.bool(value)) : it.text(value);
  } catch (error) { return "error: " + error.message; }
});
process.stdout.write(JSON.stringify(found));
"#;

/// Reads `{script, rows}` of patterns and texts.
const PATTERNS: &str = r#"
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const { occurs, NoPattern } = new Function(given.script + "; return { occurs, NoPattern };")();
const found = given.rows.map(([pattern, text]) => {
  try { return String(occurs(pattern, text)); } catch (error) { return error instanceof NoPattern ? "unchecked" : "error: " + error.message; }
});
process.stdout.write(JSON.stringify(found));
"#;

/// Reads `{script, rows}` of kinds and what is typed.
const TYPED: &str = r#"
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const { kept, fits } = new Function(given.script + "; return { kept, fits };")();
const found = given.rows.map(([kind, typed]) => { const text = kept(kind, typed); return fits({ kind }, text) ? text : "!"; });
process.stdout.write(JSON.stringify(found));
"#;

/// What `driver` writes for `input`, or none where there is no node.
fn run(driver: &str, input: &Value) -> Option<Vec<String>> {
    if Command::new("node").arg("--version").output().is_err() {
        crate::skip::skip("there is no node to run the script of a page");
        return None;
    }
    let mut node = Command::new("node");
    let node = node.args(["-e", driver]).env("TZ", "UTC").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = node.spawn().expect("node was there");
    child.stdin.take().expect("piped").write_all(input.to_string().as_bytes()).expect("node reads");
    let output = child.wait_with_output().expect("node ends");
    Some(serde_json::from_slice(&output.stdout).expect("the driver writes JSON"))
}

/// The rows of a table, `\u{…}` read.
fn table(name: &str) -> Vec<Vec<String>> {
    let table = fs::read_to_string(format!("tests/conformance/expected/{name}")).expect("the table is committed");
    let sign = |digits: &str| {
        u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).expect("the number of a sign").to_string()
    };
    let cell = |cell: &str| {
        let mut parts = cell.split("\\u{");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |read, part| {
            let (digits, rest) = part.split_once('}').expect("a number ends");
            read + &sign(digits) + rest
        })
    };
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').map(cell).collect()).collect()
}

fn document(node: roxmltree::Node<'_, '_>) -> Value {
    let text: String = node.children().filter(roxmltree::Node::is_text).filter_map(|text| text.text()).collect();
    let attributes: Vec<_> = node.attributes().map(|one| json!([one.name(), one.value()])).collect();
    let children: Vec<_> = node.children().filter(roxmltree::Node::is_element).map(document).collect();
    json!({ "name": node.tag_name().name(), "text": text, "attributes": attributes, "children": children })
}

#[test]
fn the_script_of_a_page_comes_to_the_same() {
    let data = |text: &str| {
        let expression = Expression::parse(text).ok()?;
        serde_json::from_str::<Value>(&expression.data()).ok()
    };
    let is_here = |row: &&Row| !row.result.starts_with("error") && !NOT_HERE.iter().any(|name| row.text.contains(name));
    let rows = rows();
    let rows: Vec<&Row> = rows.iter().filter(is_here).collect();
    assert!(rows.len() >= 300, "{} rows", rows.len());
    let asked: Vec<Value> =
        rows.iter().map(|row| json!({ "path": data(&row.path), "ast": data(&row.text), "kind": row.kind })).collect();
    let source = roxmltree::Document::parse(DOCUMENT).expect("the document is well formed");
    let input = json!({ "script": SCRIPT, "document": document(source.root_element()), "rows": asked });
    let Some(found) = run(EXPRESSIONS, &input) else { return };
    assert_eq!(found.len(), rows.len());
    let wrong = rows.iter().zip(&found).filter(|(row, found)| !same(found, &row.result));
    let wrong: Vec<String> =
        wrong.map(|(row, found)| format!("{} at {}: {found:?}, wanted {:?}", row.text, row.path, row.result)).collect();
    assert!(wrong.is_empty(), "{} of {} rows: {wrong:#?}", wrong.len(), rows.len());
}

#[test]
fn patterns_mean_the_same_on_a_page_and_no_pattern_hangs_it() {
    let rows = table("patterns.tsv");
    let mut documents = Documents::default();
    let root = documents.add("", "data");
    let nodes = ["pattern", "text"].map(|name| documents.append(root, name));
    let expression = Expression::parse("regex(text, pattern)").expect("an expression");
    for row in &rows {
        documents.set_text(nodes[0], &row[0]);
        documents.set_text(nodes[1], &row[1]);
        let found = expression.evaluate(&documents, &Fixed::default(), Focus::at(root)).map(|value| value.bool());
        assert_eq!(found.ok().map(|found| found.to_string()).as_ref(), Some(&row[2]), "{row:?}");
    }
    let long = ["a".repeat(60_000) + "!", "1".repeat(60_000)];
    let hostile = [("^(a+)+$", &long[0]), ("(a|aa)+$", &long[0]), (r"^(\d+)*\.$", &long[1])];
    let given: Vec<Value> = rows.iter().map(|row| json!([row[0], row[1]])).collect();
    let hung = hostile.iter().map(|(pattern, text)| json!([pattern, text]));
    let too_large = ["((a{100}){100}){100}", "(){1000}{1000}", "((((a|b)*)*)*)*{9999}"].map(|one| json!([one, "a"]));
    let asked: Vec<Value> = given.into_iter().chain(hung).chain(too_large).collect();
    let Some(found) = run(PATTERNS, &json!({ "script": SCRIPT, "rows": asked })) else { return };
    for (row, found) in rows.iter().zip(&found) {
        assert_eq!(found, row.get(3).unwrap_or(&row[2]), "{row:?}");
    }
    assert_eq!(found[rows.len()..], ["false", "false", "false", "unchecked", "unchecked", "unchecked"]);
}

#[test]
fn what_a_person_types_is_kept_alike_on_a_device_and_on_a_page() {
    let rows = table("typed.tsv");
    let kinds = [
        QuestionKind::Text,
        QuestionKind::Integer,
        QuestionKind::Decimal,
        QuestionKind::Range,
        QuestionKind::Date,
        QuestionKind::Time,
        QuestionKind::DateTime,
        QuestionKind::GeoPoint,
        QuestionKind::GeoTrace,
        QuestionKind::GeoShape,
        QuestionKind::Acknowledge,
    ];
    for row in &rows {
        let kind = kinds.iter().find(|kind| kind.name() == row[0]).unwrap_or_else(|| panic!("{row:?}"));
        let kept = match field::read(kind, &BTreeMap::new(), &row[1]) {
            Ok(Answer::Blank) => String::new(),
            Ok(Answer::Int(number)) => number.to_string(),
            Ok(Answer::Text(text)) => text,
            Ok(Answer::Bool(value)) => value.to_string(),
            Err(_) => "!".to_owned(),
        };
        assert_eq!(kept, row[2], "{row:?}");
    }
    let asked: Vec<Value> = rows.iter().map(|row| json!([row[0], row[1]])).collect();
    let Some(found) = run(TYPED, &json!({ "script": SCRIPT, "rows": asked })) else { return };
    for (row, found) in rows.iter().zip(&found) {
        assert_eq!(found, &row[2], "{row:?}");
    }
}
