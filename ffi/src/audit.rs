//! Judging a bag, as `merestone-audit` does: for auditors' scripts, and for an app that wants to look at what it hands in.

use std::path::Path;
use std::sync::Arc;

use merestone_audit::{ChangedSince, Evidence, OpenError, Options, Pass, audit_evidence, explain, place_in_words};
use merestone_core::id::RecordId;

use crate::error::{PhoneError, StorageFault, whole};
use crate::ids;
use crate::page::at_most;
use crate::runtime::blocking;

/// How an audit is made.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AuditOptions {
    /// Leaves out what entries say and photos; records are then not judged.
    #[uniffi(default = false)]
    pub is_fast: bool,
    /// How many records the report shows in full, those with the lowest ids, at most 1,000; `AuditReport.records` gives all.
    pub records_max: u32,
}

/// One thing that an audit has to say.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FindingLine {
    /// Its stable code; `explain_code` says what it means.
    pub code: String,
    /// `failure`, `doubt` or `note`.
    pub weight: String,
    /// What it is about, in words.
    pub place: String,
    /// What was found.
    pub says: String,
}

/// What a finding means, for somebody who is not an engineer.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ExplanationLine {
    /// The code.
    pub code: String,
    /// What it usually weighs: `failure`, `doubt` or `note`.
    pub weight: String,
    /// What it means.
    pub means: String,
    /// What to do about it.
    pub does: String,
}

/// Some records of a bag.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct EvidencePage {
    /// Each an object of the list `records` in `report.json` (`core/spec/bundle.md`, Report).
    pub records: Vec<String>,
    /// What to ask for the next page with; none when this was the last.
    pub next: Option<String>,
}

/// Judges the bag in the folder `path` for the mission asked for; nothing is written, and no connection opened.
///
/// The mission's id comes from two parties that do not trust each other, never from the bag.
/// Whatever is in the folder, this ends with a report; only a path that holds no bag is refused (`no-bag`).
/// Cancelled, the audit ends by itself and its report is dropped.
#[uniffi::export]
pub async fn audit_bag(path: String, mission: String, options: AuditOptions) -> Result<Arc<AuditReport>, PhoneError> {
    let mission = ids::mission(&mission)?;
    blocking(move || {
        let pass = if options.is_fast { Pass::Fast } else { Pass::Full };
        let options = Options { pass, records_max: at_most(options.records_max), ..Options::default() };
        Ok(Arc::new(AuditReport { evidence: Arc::new(audit_evidence(Path::new(&path), mission, &options)?) }))
    })
    .await
}

/// What the finding of a code means; none if no finding has it.
#[uniffi::export]
pub fn explain_code(code: String) -> Option<ExplanationLine> {
    let found = explain(&code)?;
    Some(ExplanationLine {
        code: found.code.to_owned(),
        weight: found.weight.as_str().to_owned(),
        means: found.meaning.to_owned(),
        does: found.advice.to_owned(),
    })
}

/// The result of an audit. `records` and `record` read the bag, so it must stay where it is.
#[derive(uniffi::Object)]
pub struct AuditReport {
    evidence: Arc<Evidence>,
}

#[uniffi::export]
impl AuditReport {
    /// `PASSED`, `FAILED` or `INDETERMINATE`.
    pub fn verdict(&self) -> String {
        self.evidence.report().verdict().as_str().to_owned()
    }

    /// The report as lines to read in a terminal.
    pub fn text(&self) -> String {
        self.evidence.report().to_text()
    }

    /// `report.json`: the same bag, mission and pass give the same bytes on any machine.
    pub fn json(&self) -> String {
        self.evidence.report().to_json()
    }

    /// The report as one page without any other file.
    pub fn html(&self) -> String {
        self.evidence.report().to_html()
    }

    /// What was found, the heaviest first; of each code and weight at most 1,000.
    pub fn findings(&self) -> Vec<FindingLine> {
        let findings = self.evidence.report().findings().into_iter();
        let line = |finding: merestone_audit::Finding| FindingLine {
            code: finding.code.as_str().to_owned(),
            weight: finding.weight.as_str().to_owned(),
            place: place_in_words(&finding.place),
            says: finding.detail.into_owned(),
        };
        findings.map(line).collect()
    }

    /// Whether records were judged: not by the fast pass, and not where the charter could not be read.
    pub fn has_records(&self) -> bool {
        self.evidence.has_records()
    }

    /// Some records, ascending by id, from the first one behind `after` on: at most `records_max` and 1,000, fewer where they
    /// are large. Refused (`changed`) when the bag is no longer what was judged.
    pub async fn records(&self, after: Option<String>, records_max: u32) -> Result<EvidencePage, PhoneError> {
        let evidence = Arc::clone(&self.evidence);
        blocking(move || {
            let after = after.as_deref().map(ids::record).transpose()?;
            page(&evidence, after, at_most(records_max))
        })
        .await
    }

    /// One record, as in `records`; none if no entry of the bag belongs to it, or records were not judged.
    pub async fn record(&self, id: String) -> Result<Option<String>, PhoneError> {
        let evidence = Arc::clone(&self.evidence);
        blocking(move || {
            let found = evidence.record(ids::record(&id)?)?;
            Ok(found.map(|record| evidence.record_json(&record)))
        })
        .await
    }
}

fn page(evidence: &Evidence, after: Option<RecordId>, records_max: usize) -> Result<EvidencePage, PhoneError> {
    let mut page = EvidencePage { records: Vec::new(), next: None };
    let (mut bytes, mut last) = (0, None);
    for record in evidence.records(after) {
        let record = record?;
        if page.records.len() >= records_max || bytes > PAGE_BYTES {
            page.next = last;
            break;
        }
        let shown = evidence.record_json(&record);
        bytes += shown.len();
        last = Some(record.id.to_string());
        page.records.push(shown);
    }
    Ok(page)
}

/// A page of records ends behind the record with which it has more bytes than this.
const PAGE_BYTES: usize = 1 << 20;

impl From<OpenError> for PhoneError {
    fn from(error: OpenError) -> Self {
        let reason = whole(&error);
        match error {
            OpenError::NotFound { .. } => Self::NotThere { reason },
            OpenError::NotAFolder { .. } | OpenError::NotABag { .. } => Self::refused("no-bag", reason),
            OpenError::Unreadable { .. } => Self::storage(StorageFault::Failed, reason),
        }
    }
}

impl From<ChangedSince> for PhoneError {
    fn from(error: ChangedSince) -> Self {
        Self::refused("changed", error)
    }
}
