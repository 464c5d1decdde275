//! `merestone-audit fork`: two entries of one key at one position, judged with nothing but the mission's id.

use std::fmt::Write as _;

use merestone_core::fork::{Certified as Shown, Fork, ForkRefused};
use merestone_core::id::MissionId;
use serde::Serialize;

use crate::exhibit::Certified;
use crate::folder::printable;
use crate::show;

/// What a fork statement shows, ready to be written down.
#[derive(Clone, Debug, Serialize)]
pub struct ForkReport {
    mission: String,
    mission_name: Option<String>,
    /// The charter in force, and how many amendments led to it.
    charter: Option<(String, u64)>,
    key: String,
    log: String,
    seq: u64,
    entries: Vec<Branch>,
    /// `null` where nobody showed whose key it is.
    certificates: Option<Vec<Certified>>,
    does_not_show: Vec<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
struct Branch {
    entry: String,
    kind: String,
    record: String,
}

const NOT_SHOWN: [&str; 3] = [
    "which of the two was first, and which of them stands",
    "who held the key: a device restored from a backup, a copied key and a thief's look alike",
    "what the entries say: their bodies are not part of it",
];

/// Judges a fork statement.
///
/// # Errors
/// The first check that it fails, with its code.
pub fn fork(bytes: &[u8], mission: MissionId) -> Result<ForkReport, ForkRefused> {
    let fork = Fork::read(bytes, mission)?;
    let [first, _] = &fork.entries;
    let header = first.header();
    let branch = |entry: &merestone_core::entry::VerifiedEntry| Branch {
        entry: entry.id().to_string(),
        kind: show::kind(entry.header().kind),
        record: entry.record().to_string(),
    };
    let certificates = fork.certified.as_ref().map(|certified| {
        let one = |certificate| {
            Certified::of(certificate, certified.charter.charter(), certificate.grants(header.scope, header.kind))
        };
        certified.certificates.iter().map(one).collect()
    });
    Ok(ForkReport {
        mission: mission.to_string(),
        mission_name: fork.certified.as_ref().map(|certified| certified.charter.charter().charter().name.clone()),
        charter: fork
            .certified
            .as_ref()
            .map(|Shown { charter, .. }| (charter.charter().id().to_string(), charter.amendments())),
        key: first.key().to_string(),
        log: first.log().to_string(),
        seq: header.seq,
        entries: fork.entries.iter().map(branch).collect(),
        certificates,
        does_not_show: NOT_SHOWN.to_vec(),
    })
}

impl ForkReport {
    /// The report as lines to read in a terminal.
    pub fn to_text(&self) -> String {
        let mut out = String::from("PASSED  one key signed two entries for one position\n");
        let mut line = |name: &str, value: &str| {
            // Writing to a text cannot fail.
            _ = writeln!(out, "{name:<10} {}", printable(value));
        };
        let named = self.mission_name.as_ref().map_or_else(String::new, |name| format!(" · {name}"));
        line("mission", &format!("{}{named}", self.mission));
        if let Some((charter, amendments)) = &self.charter {
            line("charter", &show::charter_in_force(charter, *amendments));
        }
        line("key", &self.key);
        line("log", &format!("{} · position {}", self.log, self.seq + 1));
        for Branch { entry, kind, record } in &self.entries {
            line("entry", &format!("{entry} · {kind} in record {record}"));
        }
        match &self.certificates {
            Some(certificates) => certificates.iter().for_each(|certified| line("certified", &certified.in_words())),
            None => line("certified", "not shown: whose key it is, the charter and its certificates say"),
        }
        for not in &self.does_not_show {
            line("not shown", not);
        }
        out
    }

    /// The report as JSON, the same bytes for the same statement.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("numbers, texts and lists are always JSON");
        json.push('\n');
        json
    }
}
