//! The column `parameters`: `key=value` pairs, separated by spaces, commas or semicolons.

use std::collections::BTreeMap;

use super::columns::Line;
use crate::refused::{FormRefused, Reason};

/// Parameters that have a meaning for some type.
const KNOWN: &[&str] = &[
    "allow-mock-accuracy",
    "app",
    "capture-accuracy",
    "end",
    "identify-user",
    "incremental",
    "label",
    "location-max-age",
    "location-min-interval",
    "location-priority",
    "max-pixels",
    "placeholder",
    "quality",
    "randomize",
    "reference-geometry",
    "rows",
    "seed",
    "start",
    "step",
    "tick_interval",
    "tick_labelset",
    "track-changes",
    "track-changes-reasons",
    "unacceptable-accuracy-threshold",
    "value",
    "warning-accuracy",
];

/// Reads the cell.
pub(super) fn read(line: Line<'_>) -> Result<BTreeMap<String, String>, FormRefused> {
    let mut parameters = BTreeMap::new();
    let mut rest = line.cell("parameters").trim();
    let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
    while !rest.is_empty() {
        let unknown = || line.refused("parameters", Reason::UnknownParameter(rest.to_owned()));
        let (key, after) = rest.split_once('=').ok_or_else(unknown)?;
        let key = key.trim().to_lowercase();
        if !KNOWN.contains(&key.as_str()) {
            return Err(line.refused("parameters", Reason::UnknownParameter(key)));
        }
        let after = after.trim_start();
        let end = value_end(after, is_between);
        parameters.insert(key, after[..end].to_owned());
        rest = after[end..].trim_start_matches(is_between);
    }
    Ok(parameters)
}

/// A value ends at what separates pairs; inside `${…}` and parentheses nothing does.
fn value_end(text: &str, is_between: impl Fn(char) -> bool) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            c if depth == 0 && is_between(c) => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_the_next_pair_begins() {
        let between = |c: char| matches!(c, ' ' | ',' | ';');
        let check = |text: &str, wanted: &str| assert_eq!(&text[..value_end(text, between)], wanted);
        check("true;seed=1", "true");
        check("${a b} seed=2", "${a b}");
        check("int(now(), 1) x", "int(now(), 1)");
        check("last", "last");
    }
}
