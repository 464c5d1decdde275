//! The limits of every reader and of filling, held to the table of `core/spec/forms.md`.

use merestone_core::change::TEXT_BYTES_MAX;
use merestone_core::form::LEAVES_MAX;

use crate::form::graph::{EDGES_MAX, LOOKS_MAX};
use crate::instances::files::TABLE_CELLS_MAX;
use crate::model::{FORM_NAME_BYTES_MAX, GROUPS_DEPTH_MAX, LANGUAGES_MAX, NOTICES_MAX};
use crate::workbook::excel::UNPACKED_BYTES_MAX;
use crate::workbook::{CELLS_BYTES_MAX, COLUMNS_MAX, FILE_BYTES_MAX, FILE_ROWS_MAX};
use crate::xform::itext::LENT_BYTES_MAX;
use crate::xform::source::NODES_MAX;
use crate::{expr, filling, markup};

#[test]
fn the_page_of_the_format_says_every_limit_as_it_is() {
    let page = include_str!("../../spec/forms.md");
    let rows: [(&str, u64); 27] = [
        ("bytes of a file, and of each beside it", FILE_BYTES_MAX as u64),
        ("bytes that a workbook unpacks to", UNPACKED_BYTES_MAX),
        ("rows of all sheets of a file", FILE_ROWS_MAX as u64),
        ("columns of a sheet", COLUMNS_MAX as u64),
        ("bytes of all cells, each with 32 beside its text", CELLS_BYTES_MAX as u64),
        ("cells of all tables beside a form, blank ones included", TABLE_CELLS_MAX as u64),
        ("elements, attributes and texts of an XML file", u64::from(NODES_MAX)),
        ("depth of elements", markup::DEPTH_MAX as u64),
        ("attributes of an element", markup::ATTRIBUTES_MAX as u64),
        ("declarations of namespaces", markup::NAMESPACES_MAX as u64),
        ("bytes of texts that are referred to, each time counted", LENT_BYTES_MAX as u64),
        ("depth of groups and repeats", GROUPS_DEPTH_MAX as u64),
        ("bytes of a name in a form", FORM_NAME_BYTES_MAX as u64),
        ("languages", LANGUAGES_MAX as u64),
        ("leaves of a definition", LEAVES_MAX as u64),
        ("remarks on what has no effect", NOTICES_MAX as u64),
        ("bytes of an expression", expr::EXPRESSION_BYTES_MAX as u64),
        ("depth of an expression", expr::DEPTH_MAX as u64),
        ("ties between what follows from answers and what it looks at", EDGES_MAX as u64),
        ("nodes looked at to find those", LOOKS_MAX as u64),
        ("steps of one evaluation", expr::STEPS_MAX),
        ("steps of all evaluations of one action", expr::ACTION_STEPS_MAX),
        ("rows of all repeats", filling::ROWS_MAX as u64),
        ("groups and questions in all rows", filling::ANSWERS_MAX as u64),
        ("bytes of an answer, and of what is calculated", TEXT_BYTES_MAX as u64),
        ("digits of a number", crate::field::DIGITS_MAX as u64),
        ("cells of a sheet of an `.xls`, filled or not", crate::workbook::legacy::CELLS_MAX),
    ];
    for (what, limit) in rows {
        let written = format!("\n| {what} | {} |", grouped(limit));
        assert!(page.contains(&written), "the page does not say `{}`", written.trim());
    }
    let table = page.split("\n## Limits\n").nth(1).unwrap_or_default().split("\n## ").next().unwrap_or_default();
    assert_eq!(table.matches("\n| ").count(), rows.len() + 1, "and no other");
}

/// With commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let lead = digits.len() % 3;
    let (first, rest) = digits.split_at(lead);
    let mut groups: Vec<&str> =
        rest.as_bytes().chunks(3).map(|chunk| std::str::from_utf8(chunk).unwrap_or("")).collect();
    if !first.is_empty() {
        groups.insert(0, first);
    }
    groups.join(",")
}
