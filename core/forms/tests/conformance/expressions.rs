//! Expressions: what each row of a table comes to, here and in the evaluator that Enketo uses (npm,
//! openrosa-xpath-evaluator), in the same run.
//!
//! A row is a path to the context node, the kind of result, the expression, and the result. Where the two differ, a
//! fifth column holds the other's result and a sixth the reason; an empty fifth says that it cannot evaluate it.

use std::cell::Cell;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use merestone_forms::expr::{Documents, Expression, Focus, Moment, NodeId, Surroundings, Value, number_text};
use serde_json::json;

const TABLE: &str = "tests/conformance/expected/expressions.tsv";
pub(crate) const DOCUMENT: &str = include_str!("expected/expressions.xml");

/// Half past noon on a day of 2024, UTC; chance that counts.
pub(crate) struct Fixed(Cell<u64>);

impl Default for Fixed {
    fn default() -> Self {
        Self(Cell::new(7))
    }
}

impl Surroundings for Fixed {
    fn now(&self) -> Moment {
        Moment::read("2024-05-06T12:30:15.250Z", 0).expect("this is a moment")
    }
    fn random(&self) -> u64 {
        self.0.set(self.0.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        self.0.get()
    }
    fn choice_label(&self, _: NodeId, _: &str) -> Option<String> {
        None
    }
    fn translation(&self, _: &str) -> Option<String> {
        None
    }
}

pub(crate) struct Row {
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) result: String,
    theirs: Option<String>,
}

pub(crate) fn rows() -> Vec<Row> {
    let table = fs::read_to_string(TABLE).expect("the table is committed");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |index: usize| cells.get(index).map(|cell| (*cell).replace("\\t", "\t"));
        assert!(cells.len() == 4 || cells.len() == 6, "four cells, or six with a reason: {line}");
        Row {
            path: cell(0).unwrap_or_default(),
            kind: cell(1).unwrap_or_default(),
            text: cell(2).unwrap_or_default(),
            result: cell(3).unwrap_or_default(),
            theirs: cell(4),
        }
    };
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(row).collect()
}

fn documents() -> (Documents, NodeId) {
    fn fill(documents: &mut Documents, to: NodeId, from: roxmltree::Node<'_, '_>) {
        for attribute in from.attributes() {
            documents.attribute(to, attribute.name(), attribute.value());
        }
        let own: String = from.children().filter(roxmltree::Node::is_text).filter_map(|text| text.text()).collect();
        documents.set_text(to, &own);
        for child in from.children().filter(roxmltree::Node::is_element) {
            let below = documents.append(to, child.tag_name().name());
            fill(documents, below, child);
        }
    }
    let source = roxmltree::Document::parse(DOCUMENT).expect("the document is well formed");
    let mut documents = Documents::default();
    let root = documents.add("", source.root_element().tag_name().name());
    fill(&mut documents, root, source.root_element());
    (documents, root)
}

/// The result as the table writes it.
fn ours(documents: &Documents, root: NodeId, row: &Row) -> String {
    let surroundings = Fixed::default();
    let evaluate = |text: &str, node: NodeId| {
        let parsed = Expression::parse(text).map_err(|error| format!("error: {error}"))?;
        parsed.evaluate(documents, &surroundings, Focus::at(node)).map_err(|error| format!("error: {error}"))
    };
    let context = match evaluate(&row.path, root) {
        Ok(Value::Nodes(nodes)) if !nodes.is_empty() => nodes[0],
        other => panic!("`{}` leads to no node: {other:?}", row.path),
    };
    let value = match evaluate(&row.text, context) {
        Ok(value) => value,
        Err(error) => return error,
    };
    match row.kind.as_str() {
        "number" => number_text(value.number(documents, 0)),
        "bool" => value.bool().to_string(),
        _ => value.text(documents),
    }
}

/// Whether two results are the same; the last digits of what a processor calculates are its own.
pub(crate) fn same(a: &str, b: &str) -> bool {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs().max(b.abs());
    a == b || matches!((a.parse::<f64>(), b.parse::<f64>()), (Ok(a), Ok(b)) if close(a, b))
}

#[test]
fn every_expression_comes_to_what_the_table_says() {
    let (documents, root) = documents();
    let rows = rows();
    assert!(rows.len() >= 300, "{} rows", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .map(|row| (row, ours(&documents, root, row)))
        .filter(|(row, found)| !same(found, &row.result))
        .map(|(row, found)| format!("{} at {}: {found:?}, wanted {:?}", row.text, row.path, row.result))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_evaluator_of_enketo_comes_to_the_same() {
    let Some(modules) = crate::common::node_modules() else {
        return crate::skip::skip(
            "the evaluator of Enketo is not installed (npm ci in core/forms/tests/conformance/evaluator)",
        );
    };
    let rows = rows();
    let asked: Vec<_> =
        rows.iter().map(|row| json!({ "path": row.path, "kind": row.kind, "text": row.text })).collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/evaluator/evaluate.js");
    let mut node = Command::new("node");
    let mut child = node
        .arg(script)
        .arg(modules)
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is there where its modules are");
    let input = json!({ "document": DOCUMENT, "rows": asked }).to_string();
    child.stdin.take().expect("it was piped").write_all(input.as_bytes()).expect("node reads");
    let output = child.wait_with_output().expect("node ends");
    let results: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).expect("node writes JSON");
    assert_eq!(results.len(), rows.len());
    let mut wrong = Vec::new();
    for (row, result) in rows.iter().zip(&results) {
        let theirs = result["value"].as_str().unwrap_or_default();
        let wanted = row.theirs.as_deref().unwrap_or(&row.result);
        if !same(theirs, wanted) {
            wrong.push(format!("{} at {}: theirs {result}, wanted {wanted:?}", row.text, row.path));
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), rows.len());
}
