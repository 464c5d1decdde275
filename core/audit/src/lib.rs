//! The auditor's command: one folder in, a verdict out, offline.
//!
//! The rules are [`merestone_core::audit`]; this crate reads the files, uses every core, and writes the report.
//! It opens no connection and no database, knows no clock and decodes no pixel.
//!
//! ```no_run
//! use merestone_audit::{Options, audit_folder};
//! use merestone_core::id::MissionId;
//!
//! let mission = MissionId::from_hex(&"0f".repeat(32)).expect("64 hex digits");
//! let report = audit_folder("evidence".as_ref(), mission, &Options::default())?;
//! println!("{}", report.to_text());
//! # Ok::<(), merestone_audit::OpenError>(())
//! ```

mod compare;
mod cores;
mod evidence;
mod exhibit;
mod folder;
mod fork;
mod html;
mod json;
mod leaves;
mod manifests;
mod publication;
mod reader;
mod records;
mod run;
mod scan;
mod show;
mod text;

use std::collections::BTreeMap;

pub use compare::{CompareError, Compared, compare_shown};
pub use evidence::{ChangedSince, Evidence, EvidenceRecords};
pub use exhibit::{ExhibitReport, exhibit};
pub use folder::OpenError;
pub use fork::{ForkReport, fork};
use merestone_core::audit::Report as Facts;
pub use merestone_core::audit::{
    BagCode, Code, Explanation, Finding, Findings, Pass, Place, Verdict, Weight, explain, explanations,
};
use merestone_core::id::{BlobHash, CharterId};
pub use publication::{PublicationReport, audit_publication};
pub use run::{audit_evidence, audit_folder};

/// How an audit is made. None of this changes what is found, only how far it looks and how much the report shows.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// How deep.
    pub pass: Pass,
    /// How many threads work; the report does not depend on it.
    pub threads: usize,
    /// How many records the report shows in full, those with the lowest ids.
    pub records_max: usize,
    /// How many thumbnails the page shows.
    pub thumbnails_max: usize,
    /// Told now and then how far the audit is.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
}

/// Records that a report shows unless asked for more: a page that a browser still opens on an old laptop.
pub const RECORDS_MAX: usize = 1_000;
/// Thumbnails that a page shows unless asked for more: some 10 MB.
pub const THUMBNAILS_MAX: usize = 300;

impl Default for Options<'_> {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
        Self { pass: Pass::Full, threads, records_max: RECORDS_MAX, thumbnails_max: THUMBNAILS_MAX, progress: None }
    }
}

impl Options<'_> {
    fn tell(&self, progress: Progress) {
        if let Some(told) = self.progress {
            told(progress);
        }
    }
}

/// How far an audit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: &'static str,
    /// How much of it is done.
    pub done: u64,
    /// How much there is.
    pub total: u64,
}

/// A finding's place in one line, as reports show it: the shortest that still finds it.
pub fn place_in_words(place: &Place) -> String {
    folder::printable(&show::place(place))
}

/// The result of an audit, ready to be written down.
#[derive(Clone, Debug)]
pub struct Report {
    facts: Facts,
    thumbnails: BTreeMap<BlobHash, Vec<u8>>,
    records_max: usize,
}

impl Report {
    /// Holds the bag to the charter that is in force as the auditor knows it: a bag that was judged by another one fails.
    pub fn hold_to(&mut self, charter: CharterId) {
        let judged_by = self.facts.charter.as_ref().map(|facts| facts.in_force.id);
        if judged_by != Some(charter) {
            let shown = judged_by.map_or_else(|| "no charter".to_owned(), |id| id.to_string());
            self.facts.findings.add(BagCode::CharterOther, Place::bag(), format!("judged by {shown}"));
        }
    }

    /// What the findings add up to.
    pub fn verdict(&self) -> Verdict {
        self.facts.verdict()
    }

    /// The findings, the heaviest first; of each code and weight at most 1,000, while all are counted.
    pub fn findings(&self) -> Vec<Finding> {
        self.facts.findings.iter().collect()
    }

    /// Everything found, as data.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The report as lines to read in a terminal.
    pub fn to_text(&self) -> String {
        text::write(self)
    }

    /// The report as JSON. The same bag, mission and pass give the same bytes.
    pub fn to_json(&self) -> String {
        json::write(self)
    }

    /// The report as one page without any other file.
    pub fn to_html(&self) -> String {
        html::write(self)
    }
}
