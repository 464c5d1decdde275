//! A publication: chosen answers of a mission's records for the public, and a party's signed account of all that is not
//! shown (`spec/publication.md`).
//!
//! ```text
//! Choice ──rule──▶ Decision for each leaf ──┐
//! judged records ──condition──▶ State ──────┴──▶ Account ──SignedAccount::make──▶ bytes
//!
//! bytes ──SignedAccount::verify──▶ Account ──Examination, with forms and disclosures──▶ Findings
//!                                              against a bag, record by record ──▶ Findings
//! ```
//!
//! What is shown of an entry is a [`disclosure`](crate::disclosure), and rests on the observer's signature.
//! What is not shown rests on the word of the party that signed the account, until somebody who holds a bag compares.

mod account;
mod against;
mod codes;
mod condition;
mod decision;
mod examine;
mod page;
mod signed;
mod standing;
mod table;

pub use account::{Account, AccountedEntry, AccountedLog, Exception, FormRule, State};
pub use against::{Comparison, NamedNote};
pub use codes::PublicationCode;
pub use condition::{Condition, condition};
pub use decision::{Choice, Decision, FACT_LABELS, NotPublished, Reason, choices, disclose, is_label, label_at};
pub use examine::{Examination, Tally};
pub use page::Page;
pub use signed::SignedAccount;
pub use standing::{Value, Values, values};
pub use table::{HEADER, lines};

use crate::id::RecordId;

/// The version of the layout that this code writes and reads.
pub const VERSION: u64 = 1;
/// The account's file.
pub const ACCOUNT: &str = "data/account.cbor";
/// The file of the page for people.
pub const PAGE: &str = "index.html";
/// The table's file.
pub const TABLE: &str = "table.csv";
/// The file of the note that an account names.
pub const NOTE: &str = "data/ledger/checkpoint.note";
/// Largest account, in bytes: some three million entries.
pub const ACCOUNT_BYTES_MAX: usize = 134_217_728;
/// Largest file with the disclosures of one record, in bytes.
pub const DISCLOSURES_BYTES_MAX: u64 = 268_435_456;

/// The file with the disclosures of a record.
pub fn disclosures_path(record: RecordId) -> String {
    format!("data/disclosures/{record}.cborseq")
}

#[cfg(test)]
mod tests;
