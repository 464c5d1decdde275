//! One line a value and system, and how the lines are printed.

use std::collections::BTreeMap;

use merestone_tests::haul::Sample;
use merestone_tests::timing::{median, sorted};
use serde_json::{Value, json};

/// The values of one system, by name and round.
#[derive(Default)]
pub(crate) struct Series {
    /// In the order in which they were first found.
    names: Vec<(String, String)>,
    values: BTreeMap<String, BTreeMap<usize, f64>>,
}

/// One value of one system over all rounds.
pub(crate) struct Line {
    work: String,
    system: String,
    unit: String,
    /// By round; empty when there is none.
    values: Vec<f64>,
    /// How many times better ours was in the same round, where both have the value.
    ratios: Vec<f64>,
    target: Option<f64>,
    note: String,
}

/// By how much we mean to be ahead: work, system, ratio.
const TARGETS: &[(&str, &str, f64)] =
    &[("entries/wall", "comapeo-core", 20.0), ("entries/wall", "iroh-docs", 3.0), ("photos/rate", "iroh-blobs", 1.0)];

impl Series {
    pub(crate) fn add(&mut self, round: usize, samples: &[Sample]) {
        for Sample { name, value, unit } in samples {
            if !self.values.contains_key(name) {
                self.names.push((name.clone(), unit.clone()));
            }
            self.values.entry(name.clone()).or_default().insert(round, *value);
        }
    }

    /// A line for each name; with ratios to the same name of `ours`.
    pub(crate) fn lines(&self, system: &str, note: &str, ours: Option<&Self>) -> Vec<Line> {
        let line = |(work, unit): &(String, String)| {
            let values = &self.values[work];
            let own = ours.and_then(|ours| ours.values.get(work));
            let ratio = |(round, theirs): (&usize, &f64)| {
                let ours = own?.get(round)?;
                Some(if is_more_better(unit) { ours / theirs } else { theirs / ours })
            };
            let target = TARGETS.iter().find(|(of, by, _)| of == work && *by == system && ours.is_some());
            Line {
                work: work.clone(),
                system: system.into(),
                unit: unit.clone(),
                values: values.values().copied().collect(),
                ratios: values.iter().filter_map(ratio).collect(),
                target: target.map(|(_, _, target)| *target),
                note: note.into(),
            }
        };
        self.names.iter().map(line).collect()
    }
}

/// Whether more of this unit is better.
fn is_more_better(unit: &str) -> bool {
    matches!(unit, "MB/s" | "of 1" | "1/s" | "rows/s")
}

impl Line {
    /// A system that could not take part.
    pub(crate) fn absent(work: &str, system: &str, why: &str) -> Self {
        let (work, system, note) = (work.into(), system.into(), why.into());
        Self { work, system, unit: String::new(), values: Vec::new(), ratios: Vec::new(), target: None, note }
    }

    fn to_json(&self) -> Value {
        let Self { work, system, unit, values, ratios, target, note } = self;
        json!({
            "work": work,
            "system": system,
            "unit": unit,
            "median": (!values.is_empty()).then(|| rounded(median(values))),
            "values": values.iter().copied().map(rounded).collect::<Vec<_>>(),
            "ratio": (!ratios.is_empty()).then(|| rounded(median(ratios))),
            "ratios": ratios.iter().copied().map(rounded).collect::<Vec<_>>(),
            "ratio_target": target,
            "note": note,
        })
    }

    fn to_cells(&self) -> [String; 9] {
        let Self { work, system, unit, values, ratios, target, note } = self;
        let verdict = target.map(|target| {
            let missed = if median(ratios) < target { " missed" } else { "" };
            format!("≥ {target}{missed}")
        });
        [
            work.clone(),
            system.clone(),
            middle(values),
            unit.clone(),
            spread(values),
            middle(ratios),
            spread(ratios),
            verdict.unwrap_or_default(),
            format!("{} rounds; {note}", values.len()),
        ]
    }
}

fn middle(values: &[f64]) -> String {
    if values.is_empty() { String::new() } else { shown(median(values)) }
}

fn spread(values: &[f64]) -> String {
    let sorted = sorted(values);
    match sorted[..] {
        [] | [_] => String::new(),
        [least, .., greatest] => format!("{}–{}", shown(least), shown(greatest)),
    }
}

/// Four significant digits: nothing here is known better. Bytes are counted, and shown to the last one.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powf((3.0 - value.abs().log10().floor()).max(0.0));
    (value * scale).round() / scale
}

fn shown(value: f64) -> String {
    format!("{}", rounded(value))
}

/// All lines as one JSON array.
pub(crate) fn json_of(lines: &[Line]) -> String {
    let lines: Vec<Value> = lines.iter().map(Line::to_json).collect();
    format!("{:#}\n", Value::Array(lines))
}

/// All lines as a table with a heading.
pub(crate) fn text_of(lines: &[Line]) -> String {
    let heading = ["work", "system", "median", "unit", "spread", "ratio", "spread", "target", "how"].map(String::from);
    let lines: Vec<[String; 9]> = std::iter::once(heading).chain(lines.iter().map(Line::to_cells)).collect();
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 9] = std::array::from_fn(width);
    let mut table = String::new();
    for cells in &lines {
        let cells: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        table.push_str(cells.join("  ").trim_end());
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_says_how_many_times_better_ours_is_in_the_same_round() {
        let series = |values: &[(usize, f64)], name: &str, unit: &str| {
            let mut series = Series::default();
            for (round, value) in values {
                series.add(*round, &[Sample::new(name, unit, *value)]);
            }
            series
        };
        let ours = series(&[(0, 100.0), (1, 200.0)], "entries/wall", "ms");
        let theirs = series(&[(1, 600.0), (2, 900.0)], "entries/wall", "ms").lines("iroh-docs", "", Some(&ours));
        assert_eq!(theirs[0].ratios, [3.0], "only the round that both took");
        assert_eq!(theirs[0].target, Some(3.0));
        let ours = series(&[(0, 300.0)], "photos/rate", "MB/s");
        let theirs = series(&[(0, 150.0)], "photos/rate", "MB/s").lines("iroh-blobs", "", Some(&ours));
        assert_eq!(theirs[0].ratios, [2.0], "more a second is better");
    }
}
