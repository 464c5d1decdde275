//! Who may sign what, where, from which entry to which (`spec/roster.md`).
//!
//! Everything here hangs on one charter, which every party of the mission signed. Under it parties certify keys and
//! cut them; a [`Roster`] holds these statements as a set, so that what it answers depends on which statements are
//! held and never on the order in which they came.
//!
//! ```text
//! CompleteCharter ─┬─ Amendment     parties → another charter in force
//!                  ├─ Certificate   party → key, role, scopes
//!                  ├─ Cut           party → key, kept positions ─┬─▶ Coverage
//!                  ├─ Acknowledgement  another party holds it   ─┤
//!                  ├─ Inclusion     what was final before a cut ─┘
//!                  └─ Erasure, Receipt, Checkpoint
//! ```

mod acknowledgement;
mod agreed;
mod amendment;
mod attestation;
mod by_certified;
mod certificate;
mod chains;
mod charter;
mod class;
mod coverage;
mod cut;
mod gathered;
mod inclusion;
mod parts;
mod request;
mod settled;
mod signed;
mod statements;
mod succession;
pub(crate) mod transfer;

use std::fmt;

use crate::check::{Check, Refused};
use crate::key::SignerUnavailable;

pub use acknowledgement::{ACKNOWLEDGEMENT_BYTES_MAX, Acknowledgement};
pub use agreed::ProposedCut;
pub use amendment::{AMENDMENT_BYTES_MAX, Amendment, Changes, Frozen, ProposedAmendment, Rival};
pub use attestation::{ATTESTATION_BYTES_MAX, Attestation};
pub(crate) use by_certified::ByCertified;
pub use certificate::{CERTIFICATE_BYTES_MAX, CERTIFICATE_SCOPES_MAX, Certificate, Role};
pub use chains::{Chains, Link, LogIndex};
pub use charter::{Charter, FORMS_MAX, Ledger, NAME_BYTES_MAX, PARTIES_MAX, Party, SCOPES_MAX, Scope, WITNESSES_MAX};
pub use class::Class;
pub use coverage::{Coverage, LogPosition};
pub use cut::{CUT_BYTES_MAX, CUT_TEXT_BYTES_MAX, Cut, CutBy, CutDraft, CutReason, KEPT_MAX};
pub(crate) use gathered::{Gathered, GatheredKind};
pub use inclusion::{INCLUSION_BYTES_MAX, Included, Inclusion};
pub use parts::{PART_BYTES, PARTS_CHARS_MAX, PARTS_MAX, Parts, PartsError, TooManyParts};
pub use request::{EnrolmentRequest, PERSON_BYTES_MAX, REQUEST_BYTES_MAX, ReadTextError, RequestDraft, WORDS};
pub use settled::Shown;
#[cfg(test)]
pub(crate) use signed::write_signed;
pub use signed::{CHARTER_BYTES_MAX, CompleteCharter, SignedCharter};
pub use statements::{
    Admitted, Authority, CHARTER_FILE_BYTES_MAX, CharterFile, CosignatureHeld, INCLUSIONS_OF_OTHERS_MAX, NEWEST_MAX,
    RECEIPT_STORES_MAX, RECEIPTS_OF_STORE_MAX, Roster, SPREAD_MAX, STATEMENTS_MAX,
};
pub use succession::{ProposedSuccession, SUCCESSION_BYTES_MAX, Succession, SuccessionDraft};
pub use transfer::{Carried, MistypedText, TRANSFER_CHARS_MAX};

/// The number of a party in the charter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyNumber(pub u64);

impl fmt::Display for PartyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a statement was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MakeError {
    /// Every reader would refuse it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The key did not sign.
    #[error(transparent)]
    Signer(#[from] SignerUnavailable),
}

/// The value of a map key that must be there.
pub(crate) fn present<T>(value: Option<T>, what: &'static str) -> Result<T, Refused> {
    value.ok_or(Refused { check: Check::Shape, what })
}
