//! One figure, and how figures are printed.

use serde_json::{Value, json};

/// What was promised of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    fn bound(self) -> f64 {
        match self {
            Self::AtMost(bound) | Self::AtLeast(bound) => bound,
        }
    }

    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }
}

/// One figure.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    name: String,
    /// `None` when there is nothing to measure here; the note says why.
    value: Option<f64>,
    unit: &'static str,
    target: Option<Target>,
    /// What this machine gives without us, in the same unit and the same rounds: nobody gets below it.
    floor: Option<f64>,
    rounds: usize,
    /// Least and greatest round.
    spread: Option<(f64, f64)>,
    note: String,
}

impl Row {
    /// A value that was read off once.
    pub(crate) fn once(name: &str, unit: &'static str, value: f64) -> Self {
        Self::of(name, unit, Some(value), 1, None)
    }

    /// Something that is not here.
    pub(crate) fn absent(name: &str, unit: &'static str, why: &str) -> Self {
        Self::of(name, unit, None, 0, None).note(why)
    }

    /// The median of rounds.
    pub(crate) fn median(name: &str, unit: &'static str, rounds: &[f64]) -> Self {
        let sorted = merestone_tests::timing::sorted(rounds);
        let spread = sorted.first().copied().zip(sorted.last().copied());
        Self::of(name, unit, Some(merestone_tests::timing::median(rounds)), rounds.len(), spread)
    }

    fn of(name: &str, unit: &'static str, value: Option<f64>, rounds: usize, spread: Option<(f64, f64)>) -> Self {
        Self { name: name.into(), value, unit, target: None, floor: None, rounds, spread, note: String::new() }
    }

    pub(crate) fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    pub(crate) fn floor(mut self, floor: f64) -> Self {
        self.floor = Some(floor);
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn to_json(&self) -> Value {
        let Self { name, value, unit, target, floor, rounds, spread, note } = self;
        json!({
            "name": name,
            "value": value.map(rounded),
            "unit": unit,
            "target": target.map(Target::bound),
            "target_is": target.map(|target| match target {
                Target::AtMost(_) => "at most",
                Target::AtLeast(_) => "at least",
            }),
            "is_met": target.zip(*value).map(|(target, value)| target.is_met(value)),
            "floor": floor.map(rounded),
            "near": self.near().map(rounded),
            "rounds": rounds,
            "min": spread.map(|(min, _)| rounded(min)),
            "max": spread.map(|(_, max)| rounded(max)),
            "note": note,
        })
    }

    /// How much of what the machine gives is reached, from 0 to 1, whether more is better or less.
    fn near(&self) -> Option<f64> {
        let (value, floor) = self.value.zip(self.floor)?;
        Some(value.min(floor) / value.max(floor))
    }

    fn to_cells(&self) -> [String; 9] {
        let Self { name, value, unit, target, floor, rounds, spread, note } = self;
        let target = target.map(|target| {
            let (sign, is_met) = match target {
                Target::AtMost(_) => ("≤", value.map(|value| target.is_met(value))),
                Target::AtLeast(_) => ("≥", value.map(|value| target.is_met(value))),
            };
            let verdict = if is_met == Some(false) { " missed" } else { "" };
            format!("{sign} {}{verdict}", number(target.bound()))
        });
        [
            name.clone(),
            value.map(number).unwrap_or_default(),
            (*unit).to_owned(),
            target.unwrap_or_default(),
            floor.map(number).unwrap_or_default(),
            self.near().map(|near| format!("{:.0} %", near * 100.0)).unwrap_or_default(),
            rounds.to_string(),
            spread.map(|(min, max)| format!("{}–{}", number(min), number(max))).unwrap_or_default(),
            note.clone(),
        ]
    }
}

/// All rows as one JSON array.
pub(crate) fn json_of(rows: &[Row]) -> String {
    let rows: Vec<Value> = rows.iter().map(Row::to_json).collect();
    format!("{:#}\n", Value::Array(rows))
}

/// All rows as a table with a heading.
pub(crate) fn table_of(rows: &[Row]) -> String {
    let heading = ["name", "value", "unit", "target", "floor", "near", "rounds", "spread", "note"].map(String::from);
    let lines: Vec<[String; 9]> = std::iter::once(heading).chain(rows.iter().map(Row::to_cells)).collect();
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 9] = std::array::from_fn(width);
    let mut table = String::new();
    for cells in &lines {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

/// Four significant digits: nothing here is known better.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powf(3.0 - value.abs().log10().floor());
    (value * scale).round() / scale
}

fn number(value: f64) -> String {
    format!("{}", rounded(value))
}
