//! The audit: what a bag shows, believing nothing in it but a mission id the auditor brought (`spec/bundle.md`).
//!
//! ```text
//! charter, statements, forms ── authority ──▶ Roster, Attested
//! notes, the ledger's leaves ── ledger ──▶ LedgerView
//! each log file ── fast::split, check_entries (any core) ── LogWalk (in order) ──▶ LogSummary, rows
//! each record   ── EntryIndex::records ── full::audit_record (any core) ──▶ RecordOutcome
//!                                                                   all of them ──▶ Report
//! ```
//!
//! Nothing here fails: what is wrong becomes a [`Finding`]. Nothing here reads a file or starts a thread either; the
//! shell (`merestone-audit`) hands bytes in and may do so from as many cores as it has.
//!
//! The fast pass keeps of an entry nothing but the place of its leaf in the ledger. The full pass keeps one
//! [`Row`](index::Row) of 48 bytes for each, and the entries of one record at a time for each core. Logs of keys that were cut take some 200 bytes an entry while they
//! are read.

pub mod against_ledger;
pub mod authority;
pub mod bag;
pub mod charter;
mod code;
pub mod compare;
pub mod custody;
pub mod detail;
mod explain;
pub mod fast;
mod finding;
pub mod full;
pub mod index;
pub mod ledger;
pub mod logs;
mod report;
pub mod times;
pub mod walk;

pub use code::{BagCode, Code, Verdict, Weight};
pub use explain::{Explanation, explain, explanations};
pub use finding::{Finding, Findings, PLACES_MAX, Place};
pub use report::{CharterFacts, Counts, Person, REPORT_VERSION, Records, Report};

/// How deep an audit goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pass {
    /// Canonical form, signatures, chains, roster, checkpoint.
    Fast,
    /// The same, and bodies, changes, claims, documents, photos.
    Full,
}

impl Pass {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Pass::Fast => "fast",
            Pass::Full => "full",
        }
    }
}

#[cfg(test)]
mod tests;
