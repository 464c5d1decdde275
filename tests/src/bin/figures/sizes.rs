//! How large the two programs are, and how many crates are in them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use crate::row::{Row, Target};

/// 5 MB, as shops and mail servers count.
const AUDIT_BYTES_MAX: f64 = 5e6;

/// As many as somebody can look through in a day.
const AUDIT_CRATES_MAX: f64 = 100.0;

pub(crate) fn measure() -> Vec<Row> {
    let audit = bytes("merestone-audit").target(Target::AtMost(AUDIT_BYTES_MAX));
    let tree = crates("merestone-audit").target(Target::AtMost(AUDIT_CRATES_MAX));
    vec![audit, bytes("merestone"), tree, crates("merestone-server")]
}

/// The folder of this program, where the others of the same build are.
pub(crate) fn beside(program: &str) -> Option<PathBuf> {
    let path = std::env::current_exe().ok()?.with_file_name(program);
    path.is_file().then_some(path)
}

fn bytes(program: &str) -> Row {
    let name = format!("size/{program}");
    let Some(found) = beside(program).and_then(|path| path.metadata().ok()) else {
        return Row::absent(&name, "bytes", "not built: cargo build --release --bins");
    };
    Row::once(&name, "bytes", found.len() as f64)
}

fn crates(package: &str) -> Row {
    let name = format!("size/{package}-crates");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = Command::new(cargo)
        .args(["tree", "--offline", "-e", "normal", "--prefix", "none", "-p", package])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let Some(tree) = tree.ok().filter(|tree| tree.status.success()) else {
        return Row::absent(&name, "crates", "cargo tree does not answer here");
    };
    let text = String::from_utf8_lossy(&tree.stdout);
    // Name and version; what follows is where it comes from, or that it was listed before.
    let crates: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, rest)| (name, rest.split(' ').next().unwrap_or_default()))
        .collect();
    Row::once(&name, "crates", crates.len() as f64).note("with its own, not counting build and test dependencies")
}
