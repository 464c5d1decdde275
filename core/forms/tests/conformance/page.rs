//! The script of a form's page: it comes to what the table of expressions says, as this crate does.

use std::io::Write as _;
use std::process::{Command, Stdio};

use merestone_forms::expr::Expression;
use serde_json::{Value, json};

use crate::expressions::{DOCUMENT, Row, rows, same};

/// What the page does not work out, and says so; and what chance decides.
const NOT_HERE: &[&str] = &["digest", "geofence", "jr:itext", "random", "uuid", "jr:choice-name"];

/// Reads `{script, document, rows}` and writes what each row comes to.
const DRIVER: &str = r#"
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
Date.now = () => Date.parse("2024-05-06T12:30:15.250Z");
const made = new Function(given.script + "; return { Evaluator, element, numberText };")();
const { Evaluator, element, numberText } = made;
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

fn document(node: roxmltree::Node<'_, '_>) -> Value {
    let text: String = node.children().filter(roxmltree::Node::is_text).filter_map(|text| text.text()).collect();
    let attributes: Vec<_> = node.attributes().map(|one| json!([one.name(), one.value()])).collect();
    let children: Vec<_> = node.children().filter(roxmltree::Node::is_element).map(document).collect();
    json!({ "name": node.tag_name().name(), "text": text, "attributes": attributes, "children": children })
}

#[test]
fn the_script_of_a_page_comes_to_the_same() {
    if Command::new("node").arg("--version").output().is_err() {
        return crate::skip::skip("there is no node to run the script of a page");
    }
    let data = |text: &str| {
        let expression = Expression::parse(text).ok()?;
        serde_json::from_str::<Value>(&expression.data()).ok()
    };
    let is_here = |row: &&Row| !row.result.starts_with("error") && !NOT_HERE.iter().any(|name| row.text.contains(name));
    let rows = rows();
    let rows: Vec<&Row> = rows.iter().filter(is_here).collect();
    let asked: Vec<Value> =
        rows.iter().map(|row| json!({ "path": data(&row.path), "ast": data(&row.text), "kind": row.kind })).collect();
    let source = roxmltree::Document::parse(DOCUMENT).expect("the document is well formed");
    let input = json!({
        "script": include_str!("../../src/render/expr.js"),
        "document": document(source.root_element()),
        "rows": asked,
    });
    let mut node = Command::new("node");
    let node = node.args(["-e", DRIVER]).env("TZ", "UTC").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = node.spawn().expect("node was there");
    child.stdin.take().expect("piped").write_all(input.to_string().as_bytes()).expect("node reads");
    let output = child.wait_with_output().expect("node ends");
    let found: Vec<String> = serde_json::from_slice(&output.stdout).expect("the driver writes JSON");
    assert_eq!(found.len(), rows.len());
    let wrong = rows.iter().zip(&found).filter(|(row, found)| !same(found, &row.result));
    let wrong: Vec<String> =
        wrong.map(|(row, found)| format!("{} at {}: {found:?}, wanted {:?}", row.text, row.path, row.result)).collect();
    assert!(wrong.is_empty(), "{} of {} rows: {wrong:#?}", wrong.len(), rows.len());
}
