//! The statements held of one mission, as a set (`spec/sync.md`, Control frames).

mod cosignatures;
mod held;
mod receipts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::PartyNumber;
use super::certificate::Certificate;
use super::class::Class;
use super::cut::Cut;
use super::inclusion::{Included, Inclusion};
use super::signed::CompleteCharter;
use super::succession::Succession;
use crate::check::{Check, Full, Policy, Refused};
use crate::checkpoint::Checkpoint;
use crate::erasure::Erasure;
use crate::form::FormDefinition;
use crate::id::{FormHash, StatementId};
use crate::key::{KEY_BYTES, KeyCache};
use crate::receipt::Receipt;

use cosignatures::Cosignatures;
pub use receipts::{RECEIPT_STORES_MAX, RECEIPTS_OF_STORE_MAX};

/// Most statements of one signer and class.
pub const STATEMENTS_MAX: usize = 4_096;

/// What became of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It was added.
    New(StatementId),
    /// It is held already, or is a receipt or a cosignature that makes way for one held; nothing changed.
    Known(StatementId),
}

impl Admitted {
    /// The statement's id.
    pub fn id(self) -> StatementId {
        match self {
            Admitted::New(id) | Admitted::Known(id) => id,
        }
    }
}

/// On what authority an entry was signed.
#[derive(Clone, Copy, Debug)]
pub enum Authority<'a> {
    /// Its certificate grants its scope and kind.
    Granted(&'a Certificate),
    /// Its certificate is held and does not: `certificate-key` or `out-of-role`.
    Denied(Refused),
    /// Its certificate is not held: `key-not-in-roster` if no certificate names the key at all.
    Unknown(Option<Refused>),
}

/// Every statement held of one mission, each of them verified.
///
/// What it answers depends on the set of statements and not on the order in which they were admitted.
/// A cut or a receipt is refused until the certificate it rests on is held, and an inclusion until the cut, so classes are to be exchanged in the
/// order of [`Class::ALL`]; and the 4,097th statement of one signer and class is refused. Receipts make way for later ones
/// before there are as many ([`RECEIPT_STORES_MAX`], [`RECEIPTS_OF_STORE_MAX`]), and of a text and a witness only the earliest
/// cosignature is kept.
#[derive(Clone, Debug)]
pub struct Roster {
    charter: CompleteCharter,
    certificates: BTreeMap<StatementId, Certificate>,
    successions: BTreeMap<StatementId, Succession>,
    cuts: BTreeMap<StatementId, Cut>,
    erasures: BTreeMap<StatementId, Erasure>,
    /// Shared between the copies of a roster: each may name tens of thousands of logs and photos.
    receipts: BTreeMap<StatementId, Arc<Receipt>>,
    notes: BTreeMap<StatementId, Checkpoint>,
    cosignatures: Cosignatures,
    inclusions: BTreeMap<StatementId, Inclusion>,
    forms: BTreeMap<StatementId, (FormDefinition, Vec<u8>)>,

    // Derived from the above.
    by_key: BTreeMap<[u8; KEY_BYTES], BTreeSet<StatementId>>,
    ledgered: BTreeSet<StatementId>,
    counts: BTreeMap<(Class, [u8; KEY_BYTES]), usize>,
}

impl Roster {
    /// The roster of a mission of which only the charter is held.
    pub fn new(charter: CompleteCharter) -> Self {
        Self {
            charter,
            certificates: BTreeMap::new(),
            successions: BTreeMap::new(),
            cuts: BTreeMap::new(),
            erasures: BTreeMap::new(),
            receipts: BTreeMap::new(),
            notes: BTreeMap::new(),
            cosignatures: Cosignatures::default(),
            inclusions: BTreeMap::new(),
            forms: BTreeMap::new(),
            by_key: BTreeMap::new(),
            ledgered: BTreeSet::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Verifies a statement and adds it. Adding it again changes nothing.
    ///
    /// # Errors
    /// The first check it fails; `statement-limit`.
    pub fn admit(&mut self, class: Class, bytes: &[u8]) -> Result<Admitted, Refused> {
        self.admit_under(class, bytes, Full)
    }

    /// [`admit`](Self::admit) under `policy`.
    ///
    /// # Errors
    /// As [`admit`](Self::admit).
    pub fn admit_under<P: Policy>(&mut self, class: Class, bytes: &[u8], policy: P) -> Result<Admitted, Refused> {
        let id = StatementId::of(bytes);
        if self.holds(class, id) {
            return Ok(Admitted::Known(id));
        }
        // Statements are few, and a cache that outlived the call would have to be of one policy.
        let keys = &mut KeyCache::with_capacity(4);
        match class {
            Class::Charter => {
                CompleteCharter::verify_under(bytes, self.mission(), policy)?;
                return Ok(Admitted::Known(id));
            }
            Class::Certificate => {
                let certificate = Certificate::verify_under(bytes, &self.charter, keys, policy)?;
                self.count(class, self.root(certificate.party()), policy)?;
                self.by_key.entry(*certificate.key().as_bytes()).or_default().insert(id);
                self.certificates.insert(id, certificate);
            }
            Class::Succession => {
                let succession = Succession::verify_under(bytes, self, policy)?;
                self.count(class, self.root(succession.party()), policy)?;
                self.successions.insert(id, succession);
            }
            Class::Cut => {
                let cut = Cut::verify_under(bytes, &self.charter, keys, policy)?;
                let is_own = self
                    .certificates_of(cut.key())
                    .any(|certificate| cut.by().parties().contains(&certificate.party()));
                policy.require(is_own, Check::CutSigner, "party that did not certify the key")?;
                // A party's second cut of a key counts as known, so which of the two is in force is a matter of arrival.
                #[cfg(planted)]
                if crate::planted::is("second-cut-known")
                    && self.cuts().any(|held| held.key() == cut.key() && held.by() == cut.by())
                {
                    return Ok(Admitted::Known(id));
                }
                let first = cut.by().parties().first().copied();
                self.count(class, first.map_or([0; KEY_BYTES], |party| self.root(party)), policy)?;
                self.cuts.insert(id, cut);
            }
            Class::Erasure => {
                let erasure = Erasure::verify_under(bytes, &self.charter, policy)?;
                let first = erasure.parties().first().copied();
                self.count(class, first.map_or([0; KEY_BYTES], |party| self.root(party)), policy)?;
                self.erasures.insert(id, erasure);
            }
            Class::Receipt => return self.admit_receipt(bytes, policy),
            Class::Note => {
                let none = Refused { check: Check::CheckpointInvalid, what: "ledger" };
                let ledger = self.charter.charter().ledger.as_ref().ok_or(none)?;
                let note = Checkpoint::verify_under(bytes, ledger, policy)?;
                let key = *ledger.key.as_bytes();
                self.count(class, key, policy)?;
                self.notes.insert(id, note);
            }
            Class::Cosignature => return self.admit_cosignature(bytes, policy),
            Class::Inclusion => {
                let inclusion = Inclusion::verify_under(bytes, self, policy)?;
                self.count(class, *inclusion.signer().as_bytes(), policy)?;
                if let Included::Statement(statement) = inclusion.included()
                    && self.certificates.contains_key(statement)
                {
                    self.ledgered.insert(*statement);
                }
                self.inclusions.insert(id, inclusion);
            }
            Class::Form => {
                let form = FormDefinition::decode_under(bytes, policy)?;
                let is_listed = self.charter.charter().forms.binary_search(&FormHash::of(bytes)).is_ok();
                policy.require(is_listed, Check::Shape, "form that the charter does not list")?;
                self.forms.insert(id, (form, bytes.to_vec()));
            }
        }
        Ok(Admitted::New(id))
    }

    fn root(&self, party: PartyNumber) -> [u8; KEY_BYTES] {
        self.charter.charter().party(party).map_or([0; KEY_BYTES], |party| *party.root.as_bytes())
    }

    fn count<P: Policy>(&mut self, class: Class, signer: [u8; KEY_BYTES], policy: P) -> Result<(), Refused> {
        let count = self.counts.entry((class, signer)).or_default();
        policy.require(*count < STATEMENTS_MAX, Check::StatementLimit, "statements")?;
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
