//! One value that a haul found.

use std::io::Write as _;

use serde_json::{Value, json};

/// One value of one round.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What it is of.
    pub name: String,
    /// How much.
    pub value: f64,
    /// In what.
    pub unit: String,
}

impl Sample {
    /// A value.
    pub fn new(name: impl Into<String>, unit: &str, value: f64) -> Self {
        Self { name: name.into(), value, unit: unit.into() }
    }

    pub(super) fn say(&self) {
        let Self { name, value, unit } = self;
        // Whoever does not read it has gone.
        let _ = writeln!(std::io::stdout(), "{}", json!({ "name": name, "value": value, "unit": unit }));
    }

    pub(super) fn read(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| value[name].as_str().map(String::from);
        Some(Self { name: text("name")?, value: value["value"].as_f64()?, unit: text("unit")? })
    }
}

/// The value of a name in one round.
pub fn of_round(samples: &[Sample], name: &str) -> Option<f64> {
    samples.iter().find(|sample| sample.name == name).map(|sample| sample.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_haul_says_is_read_again() {
        let line = r#"{"name":"entries/wall","value":0.5,"unit":"s"}"#;
        assert_eq!(Sample::read(line), Some(Sample::new("entries/wall", "s", 0.5)));
        assert_eq!(Sample::read("ready"), None);
    }
}
