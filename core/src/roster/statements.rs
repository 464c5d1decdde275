//! The statements held of one mission, as a set (`spec/sync.md`, Control frames).

mod cosignatures;
mod founding;
mod held;
mod notes;
mod receipts;
mod rejudged;
mod thinned;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::PartyNumber;
use super::acknowledgement::Acknowledgement;
use super::amendment::{Amendments, Frozen};
use super::certificate::{Certificate, Role};
use super::class::Class;
use super::cut::Cut;
use super::inclusion::{Included, Inclusion};
use super::signed::CompleteCharter;
use super::succession::Succession;
use crate::check::{Check, Full, Policy, Refused};
use crate::erasure::Erasure;
use crate::form::FormDefinition;
use crate::id::{DIGEST_BYTES, FormHash, StatementId, sha256};
use crate::key::{KEY_BYTES, KeyCache};
use crate::receipt::Receipt;

pub use cosignatures::CosignatureHeld;
use cosignatures::Cosignatures;
pub use founding::{CHARTER_FILE_BYTES_MAX, CharterFile};
use notes::Notes;
pub use receipts::{RECEIPT_STORES_MAX, RECEIPTS_OF_STORE_MAX};
pub use thinned::{NEWEST_MAX, SPREAD_MAX};
use waiting::Waiting;

/// Most statements of one signer and class (`spec/roster.md`, Limits).
pub const STATEMENTS_MAX: usize = 4_096;

/// What is said of a form that the charter does not list.
const UNLISTED_FORM: &str = "form that the charter does not list";

/// What is said of a cut that is sound, and whose key its signer is not known to have certified.
const FOREIGN_KEY: &str = "party that did not certify the key";

/// Most inclusions of a signer that is no camp.
pub const INCLUSIONS_OF_OTHERS_MAX: usize = 256;

/// What became of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It was added.
    New(StatementId),
    /// It is held already, or is one that makes way for those held; nothing changed.
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
/// An amendment that comes into force, or ceases to be in force, has every other statement judged again; what is refused only
/// because of the charter in force, or for a certificate or a cut that is not held yet, waits ([`waits`](Self::waits)) and
/// comes in by itself. A receipt is refused until the certificate it rests on is held, so
/// classes are to be exchanged in the order of [`Class::ALL`]. The 4,097th statement of one signer and class
/// is refused. Receipts make way for later ones
/// before there are as many ([`RECEIPT_STORES_MAX`], [`RECEIPTS_OF_STORE_MAX`]); of a text and a witness only the earliest
/// cosignature is kept; and of more checkpoints than that the newest [`NEWEST_MAX`], and [`SPREAD_MAX`] of the others.
#[derive(Clone, Debug)]
pub struct Roster {
    amendments: Amendments,
    certificates: BTreeMap<StatementId, Certificate>,
    successions: BTreeMap<StatementId, Succession>,
    cuts: BTreeMap<StatementId, Cut>,
    acknowledgements: BTreeMap<StatementId, Acknowledgement>,
    erasures: BTreeMap<StatementId, Erasure>,
    /// Shared between the copies of a roster: each may name tens of thousands of logs and photos.
    receipts: BTreeMap<StatementId, Arc<Receipt>>,
    notes: Notes,
    cosignatures: Cosignatures,
    inclusions: BTreeMap<StatementId, Inclusion>,
    forms: BTreeMap<StatementId, (FormDefinition, Vec<u8>)>,

    // Derived from the above.
    /// In force.
    charter: Arc<CompleteCharter>,
    frozen: Option<Frozen>,
    waiting: Waiting,
    /// Keys that only a charter certified which is held and, for a rival's sake, not in force.
    rival_keys: BTreeSet<[u8; KEY_BYTES]>,
    by_key: BTreeMap<[u8; KEY_BYTES], BTreeSet<StatementId>>,
    cuts_by_key: BTreeMap<[u8; KEY_BYTES], BTreeSet<StatementId>>,
    acknowledged: BTreeMap<StatementId, BTreeSet<StatementId>>,
    ledgered: BTreeSet<StatementId>,
    /// The inclusion of each leaf, by what it is about and its signer.
    included: BTreeMap<([u8; DIGEST_BYTES], [u8; KEY_BYTES]), StatementId>,
    counts: BTreeMap<(Class, [u8; KEY_BYTES]), usize>,
}

impl Roster {
    /// The roster of a mission of which only the charter is held.
    pub fn new(charter: CompleteCharter) -> Self {
        Self::of(Amendments::new(charter))
    }

    /// A roster of amendments and nothing else.
    fn of(amendments: Amendments) -> Self {
        let (charter, frozen) = amendments.in_force();
        let charter = Arc::clone(charter);
        Self {
            amendments,
            charter,
            frozen,
            waiting: Waiting::default(),
            rival_keys: BTreeSet::new(),
            certificates: BTreeMap::new(),
            successions: BTreeMap::new(),
            cuts: BTreeMap::new(),
            acknowledgements: BTreeMap::new(),
            erasures: BTreeMap::new(),
            receipts: BTreeMap::new(),
            notes: Notes::default(),
            cosignatures: Cosignatures::default(),
            inclusions: BTreeMap::new(),
            forms: BTreeMap::new(),
            by_key: BTreeMap::new(),
            cuts_by_key: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            ledgered: BTreeSet::new(),
            included: BTreeMap::new(),
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
        let id = class.id_of(bytes);
        if self.holds(class, id) {
            return Ok(Admitted::Known(id));
        }
        let judged = self.judge(class, id, bytes, policy);
        match judged {
            Ok(_) => self.waiting.remove(class, id),
            Err(refused) => {
                self.keep_waiting(class, bytes, refused);
                self.note_rival(class, bytes, policy);
            }
        }
        match (class, judged) {
            (Class::Amendment, Ok(_)) => self.follow_amendments(policy),
            (_, Ok(Admitted::New(_))) => self.let_in(class, id, policy),
            (_, Ok(Admitted::Known(_)) | Err(_)) => {}
        }
        judged
    }

    fn judge<P: Policy>(
        &mut self,
        class: Class,
        id: StatementId,
        bytes: &[u8],
        policy: P,
    ) -> Result<Admitted, Refused> {
        // Statements are few, and a cache that outlived the call would have to be of one policy.
        let keys = &mut KeyCache::with_capacity(4);
        match class {
            Class::Charter => {
                CompleteCharter::verify_under(bytes, self.mission(), policy)?;
                Ok(Admitted::Known(id))
            }
            Class::Amendment => self.add_amendment(bytes, policy).map(|()| Admitted::New(id)),
            Class::Certificate => {
                let certificate = Certificate::verify_under(bytes, &self.charter, keys, policy)?;
                self.count(class, self.root(certificate.party()), policy)?;
                self.by_key.entry(*certificate.key().as_bytes()).or_default().insert(id);
                self.certificates.insert(id, certificate);
                Ok(Admitted::New(id))
            }
            Class::Succession => {
                let succession = Succession::verify_under(bytes, self, policy)?;
                self.count(class, self.root(succession.party()), policy)?;
                self.successions.insert(id, succession);
                Ok(Admitted::New(id))
            }
            Class::Cut => {
                let cut = Cut::verify_under(bytes, &self.charter, keys, policy)?;
                let is_own = self
                    .certificates_of(cut.key())
                    .any(|certificate| cut.by().parties().contains(&certificate.party()));
                policy.require(is_own, Check::CutSigner, FOREIGN_KEY)?;
                // A party's second cut of a key counts as known, so which of the two is in force is a matter of arrival.
                #[cfg(planted)]
                if crate::planted::is("second-cut-known")
                    && self.cuts().any(|held| held.key() == cut.key() && held.by() == cut.by())
                {
                    return Ok(Admitted::Known(id));
                }
                self.count(class, self.roots(cut.by().parties()), policy)?;
                self.cuts_by_key.entry(*cut.key()).or_default().insert(id);
                self.cuts.insert(id, cut);
                Ok(Admitted::New(id))
            }
            Class::Acknowledgement => {
                let acknowledgement = Acknowledgement::verify_under(bytes, self, policy)?;
                self.count(class, self.roots(&[acknowledgement.party(), acknowledgement.of()]), policy)?;
                self.acknowledged.entry(acknowledgement.cut()).or_default().insert(id);
                self.acknowledgements.insert(id, acknowledgement);
                Ok(Admitted::New(id))
            }
            Class::Erasure => {
                let erasure = Erasure::verify_under(bytes, &self.charter, policy)?;
                self.count(class, self.roots(erasure.parties()), policy)?;
                self.erasures.insert(id, erasure);
                Ok(Admitted::New(id))
            }
            Class::Receipt => self.admit_receipt(bytes, policy),
            Class::Note => self.admit_note(bytes, policy),
            Class::Cosignature => self.admit_cosignature(bytes, policy),
            Class::Inclusion => {
                let inclusion = Inclusion::verify_under(bytes, self, policy)?;
                self.admit_inclusion(inclusion, policy)
            }
            Class::Form => {
                let form = FormDefinition::decode_under(bytes, policy)?;
                let is_listed = self.charter.charter().forms.binary_search(&FormHash::of(bytes)).is_ok();
                policy.require(is_listed, Check::Shape, UNLISTED_FORM)?;
                self.forms.insert(id, (form, bytes.to_vec()));
                Ok(Admitted::New(id))
            }
        }
    }

    /// Of one signer and leaf the inclusion at the lowest index is kept, then the one under the least note, then the lowest
    /// id.
    fn admit_inclusion<P: Policy>(&mut self, inclusion: Inclusion, policy: P) -> Result<Admitted, Refused> {
        let (id, signer) = (inclusion.id(), *inclusion.signer().as_bytes());
        let slot = (*inclusion.included().id(), signer);
        let other = self.included.get(&slot).and_then(|held| self.inclusions.get(held));
        if let Some((index, size, other)) = other.map(|held| (held.index(), held.size(), held.id())) {
            if (index, size, other) < (inclusion.index(), inclusion.size(), id) {
                return Ok(Admitted::Known(id));
            }
            self.inclusions.remove(&other);
        } else {
            let is_camp = self.certificates_of(&signer).any(|held| held.role() == Role::Camp);
            let most = if is_camp { STATEMENTS_MAX } else { INCLUSIONS_OF_OTHERS_MAX };
            self.count_up_to(most, Class::Inclusion, signer, policy)?;
        }
        if let Included::Statement(of) = inclusion.included() {
            self.ledgered.insert(*of);
        }
        self.included.insert(slot, id);
        self.inclusions.insert(id, inclusion);
        Ok(Admitted::New(id))
    }

    fn root(&self, party: PartyNumber) -> [u8; KEY_BYTES] {
        self.charter.charter().party(party).map_or([0; KEY_BYTES], |party| *party.root.as_bytes())
    }

    /// The share of several parties: none of them alone fills it.
    fn roots(&self, parties: &[PartyNumber]) -> [u8; KEY_BYTES] {
        match parties {
            [party] => self.root(*party),
            parties => {
                let roots: Vec<[u8; KEY_BYTES]> = parties.iter().map(|party| self.root(*party)).collect();
                sha256(&roots.iter().map(<[u8; KEY_BYTES]>::as_slice).collect::<Vec<_>>())
            }
        }
    }

    fn count<P: Policy>(&mut self, class: Class, signer: [u8; KEY_BYTES], policy: P) -> Result<(), Refused> {
        self.count_up_to(STATEMENTS_MAX, class, signer, policy)
    }

    fn count_up_to<P: Policy>(
        &mut self,
        most: usize,
        class: Class,
        signer: [u8; KEY_BYTES],
        policy: P,
    ) -> Result<(), Refused> {
        let count = self.counts.entry((class, signer)).or_default();
        policy.require(*count < most, Check::StatementLimit, "statements")?;
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
