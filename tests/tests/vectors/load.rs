//! Reading vectors from disk.

use std::fs;
use std::path::{Path, PathBuf};

use merestone_core::id::MissionId;
use serde_json::Value;

/// One vector.
pub(crate) struct Vector {
    /// `group/valid/name`.
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) is_valid: bool,
    pub(crate) input: Value,
    pub(crate) expected: Value,
}

impl Vector {
    /// The mission a verifier is given.
    pub(crate) fn mission(&self) -> MissionId {
        MissionId::from_hex(self.input["mission"].as_str().expect("a mission")).expect("64 hex digits")
    }

    /// The list under `key`, empty when absent.
    pub(crate) fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
        value[key].as_array().into_iter().flatten()
    }
}

/// All vectors of `groups`, by name.
pub(crate) fn all(groups: &[&str]) -> Vec<Vector> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors");
    let mut vectors = Vec::new();
    for group in groups {
        for kind in ["valid", "invalid"] {
            for path in files(&root.join(group).join(kind)) {
                vectors.push(Vector {
                    name: format!("{group}/{kind}/{}", path.file_stem().unwrap_or_default().to_string_lossy()),
                    group: (*group).to_owned(),
                    is_valid: kind == "valid",
                    input: json(&path),
                    expected: json(&path.with_extension("expected")),
                });
            }
        }
    }
    vectors
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder that can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    paths
}

fn json(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Hex, or pieces of hex and repetitions, joined.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(hex) => {
            let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex digits");
            (0..hex.len()).step_by(2).map(digit).collect()
        }
        Value::Array(pieces) => pieces.iter().flat_map(bytes).collect(),
        repeated => {
            let times = repeated["times"].as_u64().expect("a number of times");
            bytes(&repeated["repeat"]).repeat(usize::try_from(times).expect("a length"))
        }
    }
}

/// Lowercase hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
