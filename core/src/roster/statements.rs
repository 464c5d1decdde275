//! The statements held of one mission, as a set (`spec/sync.md`, Control frames).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::PartyNumber;
use super::certificate::Certificate;
use super::cut::Cut;
use super::signed::CompleteCharter;
use crate::check::{Check, Full, Policy, Refused};
use crate::checkpoint::Checkpoint;
use crate::entry::Kind;
use crate::erasure::{Erased, Erasure};
use crate::form::FormDefinition;
use crate::id::{DIGEST_BYTES, FormHash, MissionId, RecordId, ScopeId, StatementId, StoreId, sha256};
use crate::key::{KEY_BYTES, KeyCache, PublicKey};
use crate::receipt::Receipt;

/// Most statements of one signer and class.
pub const STATEMENTS_MAX: usize = 4_096;

/// Most stores of one signer of which receipts are kept.
///
/// A device has one, and another after each restore from a copy; but it may write any store id.
pub const RECEIPT_STORES_MAX: usize = 16;

/// Most receipts of one signer and store that are kept, none of which covers another.
///
/// A store that only grows has one; each beyond it shows that the store lost something.
pub const RECEIPTS_OF_STORE_MAX: usize = 4;

/// What a statement is; peers compare the statements of each class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The charter, complete.
    Charter,
    /// A certificate.
    Certificate,
    /// A cut.
    Cut,
    /// An erasure.
    Erasure,
    /// A receipt.
    Receipt,
    /// A checkpoint note.
    Note,
    /// A form definition that the charter lists.
    Form,
}

impl Class {
    /// Every class, in the order in which they are to be sent: what judges comes before what it judges.
    pub const ALL: [Class; 7] =
        [Class::Charter, Class::Certificate, Class::Cut, Class::Erasure, Class::Receipt, Class::Note, Class::Form];

    /// Its number on the wire.
    pub const fn code(self) -> u64 {
        match self {
            Class::Charter => 0,
            Class::Certificate => 1,
            Class::Cut => 2,
            Class::Erasure => 3,
            Class::Receipt => 4,
            Class::Note => 5,
            Class::Form => 6,
        }
    }

    /// The class with this number.
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }
}

/// What became of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It was added.
    New(StatementId),
    /// It is held already, or is a receipt that made way for later ones; nothing changed.
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
/// A cut or a receipt is refused until the certificate it rests on is held, so classes are to be exchanged in the
/// order of [`Class::ALL`]; and the 4,097th statement of one signer and class is refused. Receipts make way for later ones
/// before there are as many ([`RECEIPT_STORES_MAX`], [`RECEIPTS_OF_STORE_MAX`]).
#[derive(Clone, Debug)]
pub struct Roster {
    charter: CompleteCharter,
    certificates: BTreeMap<StatementId, Certificate>,
    cuts: BTreeMap<StatementId, Cut>,
    erasures: BTreeMap<StatementId, Erasure>,
    /// Shared between the copies of a roster: each may name tens of thousands of logs and photos.
    receipts: BTreeMap<StatementId, Arc<Receipt>>,
    notes: BTreeMap<StatementId, Checkpoint>,
    forms: BTreeMap<StatementId, (FormDefinition, Vec<u8>)>,

    // Derived from the above.
    by_key: BTreeMap<[u8; KEY_BYTES], BTreeSet<StatementId>>,
    counts: BTreeMap<(Class, [u8; KEY_BYTES]), usize>,
}

impl Roster {
    /// The roster of a mission of which only the charter is held.
    pub fn new(charter: CompleteCharter) -> Self {
        Self {
            charter,
            certificates: BTreeMap::new(),
            cuts: BTreeMap::new(),
            erasures: BTreeMap::new(),
            receipts: BTreeMap::new(),
            notes: BTreeMap::new(),
            forms: BTreeMap::new(),
            by_key: BTreeMap::new(),
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
            Class::Cut => {
                let cut = Cut::verify_under(bytes, &self.charter, keys, policy)?;
                let is_own = self.certificates_of(cut.key()).any(|certificate| certificate.party() == cut.party());
                policy.require(is_own, Check::CutSigner, "party that did not certify the key")?;
                // A party's second cut of a key counts as known, so which of the two is in force is a matter of arrival.
                #[cfg(planted)]
                if crate::planted::is("second-cut-known")
                    && self.cuts().any(|held| held.key() == cut.key() && held.party() == cut.party())
                {
                    return Ok(Admitted::Known(id));
                }
                self.count(class, self.root(cut.party()), policy)?;
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
            Class::Form => {
                let form = FormDefinition::decode_under(bytes, policy)?;
                let is_listed = self.charter.charter().forms.binary_search(&FormHash::of(bytes)).is_ok();
                policy.require(is_listed, Check::Shape, "form that the charter does not list")?;
                self.forms.insert(id, (form, bytes.to_vec()));
            }
        }
        Ok(Admitted::New(id))
    }

    fn admit_receipt<P: Policy>(&mut self, bytes: &[u8], policy: P) -> Result<Admitted, Refused> {
        let receipt = Receipt::verify_under(bytes, self, policy)?;
        let id = receipt.id();
        if self.receipts.values().any(|held| held.covers(&receipt)) {
            return Ok(Admitted::Known(id));
        }
        let signer = *receipt.signer();
        self.receipts.retain(|_, held| !receipt.covers(held));
        self.receipts.insert(id, Arc::new(receipt));
        for old in self.receipts_too_many(&signer) {
            self.receipts.remove(&old);
        }
        Ok(if self.receipts.contains_key(&id) { Admitted::New(id) } else { Admitted::Known(id) })
    }

    /// What founds the mission.
    pub fn charter(&self) -> &CompleteCharter {
        &self.charter
    }

    /// The mission.
    pub fn mission(&self) -> MissionId {
        self.charter.mission()
    }

    /// The certificate with this id.
    pub fn certificate(&self, id: StatementId) -> Option<&Certificate> {
        self.certificates.get(&id)
    }

    /// The certificates of a key, ascending by id.
    pub fn certificates_of(&self, key: &[u8; KEY_BYTES]) -> impl Iterator<Item = &Certificate> {
        self.by_key.get(key).into_iter().flatten().filter_map(|id| self.certificates.get(id))
    }

    /// On what authority `key` signs an entry of `kind` in `scope`, in a log that names `certificate` at seq 0.
    pub fn authority(
        &self,
        certificate: StatementId,
        key: &[u8; KEY_BYTES],
        scope: ScopeId,
        kind: Kind,
    ) -> Authority<'_> {
        let what = "certificate";
        match self.certificate(certificate) {
            None if self.by_key.contains_key(key) => Authority::Unknown(None),
            None => Authority::Unknown(Some(Refused { check: Check::KeyNotInRoster, what: "key" })),
            Some(held) if held.key().as_bytes() != key => {
                Authority::Denied(Refused { check: Check::CertificateKey, what })
            }
            Some(held) if held.grants(scope, kind) => Authority::Granted(held),
            Some(_) => Authority::Denied(Refused { check: Check::OutOfRole, what }),
        }
    }

    /// The party for which the key of a certificate signs.
    pub fn party_of(&self, certificate: StatementId) -> Option<PartyNumber> {
        self.certificate(certificate).map(Certificate::party)
    }

    /// Every certificate, ascending by id.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.values()
    }

    /// Every cut, ascending by id. What they cover is worked out by [`Coverage`](super::Coverage).
    pub fn cuts(&self) -> impl Iterator<Item = &Cut> {
        self.cuts.values()
    }

    /// Every erasure, ascending by id.
    pub fn erasures(&self) -> impl Iterator<Item = &Erasure> {
        self.erasures.values()
    }

    /// The erasures that are about a record, ascending by id.
    pub fn erasures_of(&self, record: RecordId) -> impl Iterator<Item = &Erasure> {
        self.erasures().filter(move |erasure| erasure.record() == record)
    }

    /// Whether an erasure names the photo with this original, in whatever record.
    pub fn is_photo_erased(&self, original: crate::id::BlobHash) -> bool {
        self.erasures().any(|erasure| *erasure.erased() == Erased::Photo(original))
    }

    /// Every receipt that no later one covers, ascending by id.
    pub fn receipts(&self) -> impl Iterator<Item = &Receipt> {
        self.receipts.values().map(|receipt| &**receipt)
    }

    /// Every checkpoint note, ascending by id.
    pub fn notes(&self) -> impl Iterator<Item = &Checkpoint> {
        self.notes.values()
    }

    /// The checkpoint with the most leaves; of several, the one with the lowest id.
    pub fn newest_note(&self) -> Option<&Checkpoint> {
        self.notes.values().rev().max_by_key(|note| note.size())
    }

    /// The form definition with this hash.
    pub fn form(&self, hash: FormHash) -> Option<&FormDefinition> {
        self.forms.get(&StatementId::from_bytes(*hash.as_bytes())).map(|(form, _)| form)
    }

    /// Whether a statement is held.
    pub fn holds(&self, class: Class, id: StatementId) -> bool {
        self.bytes(class, id).is_some()
    }

    /// The bytes of a statement as received.
    pub fn bytes(&self, class: Class, id: StatementId) -> Option<&[u8]> {
        match class {
            Class::Charter => Some(self.charter.as_bytes()).filter(|bytes| StatementId::of(bytes) == id),
            Class::Certificate => self.certificates.get(&id).map(Certificate::as_bytes),
            Class::Cut => self.cuts.get(&id).map(Cut::as_bytes),
            Class::Erasure => self.erasures.get(&id).map(Erasure::as_bytes),
            Class::Receipt => self.receipts.get(&id).map(|receipt| receipt.as_bytes()),
            Class::Note => self.notes.get(&id).map(Checkpoint::as_bytes),
            Class::Form => self.forms.get(&id).map(|(_, bytes)| bytes.as_slice()),
        }
    }

    /// The ids of the statements of a class, ascending.
    pub fn ids(&self, class: Class) -> Vec<StatementId> {
        match class {
            Class::Charter => vec![StatementId::of(self.charter.as_bytes())],
            Class::Certificate => self.certificates.keys().copied().collect(),
            Class::Cut => self.cuts.keys().copied().collect(),
            Class::Erasure => self.erasures.keys().copied().collect(),
            Class::Receipt => self.receipts.keys().copied().collect(),
            Class::Note => self.notes.keys().copied().collect(),
            Class::Form => self.forms.keys().copied().collect(),
        }
    }

    /// The digest of a class: SHA-256 over its ids, ascending; `None` if nothing of it is held.
    pub fn digest(&self, class: Class) -> Option<[u8; DIGEST_BYTES]> {
        let ids = self.ids(class);
        let parts: Vec<&[u8]> = ids.iter().map(|id| id.as_bytes().as_slice()).collect();
        (!ids.is_empty()).then(|| sha256(&parts))
    }

    /// The receipts of a signer beyond its newest stores, and beyond the newest of each store.
    fn receipts_too_many(&self, signer: &PublicKey) -> Vec<StatementId> {
        let mut stores: BTreeMap<StoreId, Vec<(Reverse<u64>, StatementId)>> = BTreeMap::new();
        for held in self.receipts.values().filter(|held| held.signer() == signer) {
            stores.entry(held.store()).or_default().push((Reverse(held.counter()), held.id()));
        }
        stores.values_mut().for_each(|receipts| receipts.sort_unstable());
        let mut stores: Vec<_> = stores.into_iter().collect();
        // Ids of stores ascend, and the sort is stable.
        stores.sort_by_key(|(_, receipts)| receipts.first().map(|(counter, _)| *counter));
        let kept = |at: usize| if at < RECEIPT_STORES_MAX { RECEIPTS_OF_STORE_MAX } else { 0 };
        let beyond = stores.into_iter().enumerate().flat_map(|(at, (_, receipts))| receipts.into_iter().skip(kept(at)));
        beyond.map(|(_, id)| id).collect()
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
mod tests {
    use super::*;
    use crate::id::BlobHash;
    use crate::receipt::{LeftOut, ReceiptDraft};
    use crate::record::testing::{certificate, charter, key, roster, scope};
    use crate::roster::{CutDraft, CutReason, Role};

    #[test]
    fn admitting_is_idempotent_and_in_any_order() {
        let certificates = [certificate(1, 30, Role::Observer), certificate(2, 31, Role::Arbiter)];
        let lost = key(30);
        let draft = CutDraft { key: lost.public().as_bytes(), kept: &[], reason: CutReason::Lost, text: None };
        let cut = Cut::make(&charter(), &key(1), &draft).expect("a party cuts");
        let statements = [
            (Class::Certificate, certificates[0].as_bytes()),
            (Class::Certificate, certificates[1].as_bytes()),
            (Class::Cut, cut.as_bytes()),
        ];
        let mut rosters = Vec::new();
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2]] {
            let mut roster = Roster::new(charter());
            for (class, bytes) in order.map(|index| statements[index]) {
                let id = StatementId::of(bytes);
                assert_eq!(roster.admit(class, bytes), Ok(Admitted::New(id)));
                assert_eq!(roster.admit(class, bytes), Ok(Admitted::Known(id)));
                assert_eq!(roster.bytes(class, id), Some(bytes));
            }
            rosters.push(Class::ALL.map(|class| roster.digest(class)));
            assert_eq!(roster.party_of(certificates[1].id()), Some(PartyNumber(2)));
            assert_eq!(roster.certificates_of(key(30).public().as_bytes()).count(), 1);
        }
        assert!(rosters.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(rosters[0].map(|digest| digest.is_some()), [true, true, true, false, false, false, false]);
    }

    #[test]
    fn statements_of_another_class_or_mission_are_refused() {
        let mut roster = Roster::new(charter());
        let certificate = certificate(1, 30, Role::Observer);
        let rows = [(Class::Cut, Check::CoseType), (Class::Receipt, Check::CoseType), (Class::Charter, Check::Shape)];
        for (class, wanted) in rows {
            let refused = roster.admit(class, certificate.as_bytes()).expect_err("another class");
            assert_eq!(refused.check, wanted, "{class:?}");
        }
        let other = crate::record::testing::charter_with_scopes(5);
        let refused = roster.admit(Class::Charter, other.as_bytes()).expect_err("another mission");
        assert_eq!(refused.check, Check::MissionMismatch);
        let own = roster.admit(Class::Charter, charter().as_bytes()).map(Admitted::id);
        assert_eq!(own.ok(), roster.ids(Class::Charter).pop());
    }

    #[test]
    fn a_receipt_makes_way_for_a_later_one_that_covers_it() {
        let camp = certificate(1, 30, Role::Camp);
        let held = roster(std::slice::from_ref(&camp));
        let receipt = |counter, blobs: &[u8]| {
            let blobs = blobs.iter().map(|&blob| BlobHash::from_bytes([blob; 32])).collect();
            let store = StoreId::from_bytes([1; 16]);
            let draft = ReceiptDraft {
                store,
                counter,
                logs: vec![],
                blobs,
                certificate: camp.id(),
                left_out: LeftOut::default(),
            };
            Receipt::make(&held, &key(30), draft).expect("a certified key signs")
        };
        let receipts = [receipt(1, &[1]), receipt(2, &[1, 2]), receipt(3, &[3])];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
            let mut roster = held.clone();
            for index in order {
                roster.admit(Class::Receipt, receipts[index].as_bytes()).expect("well formed");
            }
            let mut counters: Vec<_> = roster.receipts().map(Receipt::counter).collect();
            counters.sort_unstable();
            assert_eq!(counters, [2, 3]);
        }
    }

    #[test]
    fn of_one_signer_the_newest_stores_and_the_newest_receipts_of_each_are_kept_in_any_order() {
        let camps = [certificate(1, 30, Role::Camp), certificate(1, 31, Role::Camp)];
        let held = roster(&camps);
        let receipt = |signer: usize, store: u8, counter: u64, blob: u8| {
            let store = StoreId::from_bytes([store; 16]);
            let blobs = vec![BlobHash::from_bytes([blob; 32])];
            let draft = ReceiptDraft {
                store,
                counter,
                logs: vec![],
                blobs,
                certificate: camps[signer].id(),
                left_out: LeftOut::default(),
            };
            Receipt::make(&held, &key([30, 31][signer]), draft).expect("a certified key signs")
        };
        // Each states something that no other does: none covers another.
        let mut all: Vec<_> = (1..=20).map(|store| receipt(0, store, 100 + u64::from(store % 10), store)).collect();
        all.extend((1..=6).map(|counter| receipt(0, 21, 1_000 + counter, counter as u8)));
        all.push(receipt(1, 1, 1, 1));
        let mut kept: BTreeSet<_> =
            [9, 19, 8, 18, 7, 17, 6, 16, 5, 15, 4, 14, 3, 13, 2].map(|at| all[at - 1].id()).into();
        kept.extend(all[22..26].iter().map(Receipt::id));
        kept.insert(all[26].id());
        for step in [1, 5, 8, 26] {
            let mut roster = held.clone();
            // Steps that have no factor in common with 27 reach every receipt.
            for at in (0..all.len()).map(|at| (at + 1) * step % all.len()) {
                let admitted = roster.admit(Class::Receipt, all[at].as_bytes()).expect("well formed");
                assert_eq!(admitted == Admitted::New(all[at].id()), roster.holds(Class::Receipt, all[at].id()));
            }
            assert_eq!(roster.receipts().map(Receipt::id).collect::<BTreeSet<_>>(), kept, "step {step}");
        }
    }

    #[test]
    fn a_party_cuts_only_keys_that_it_certified() {
        let mut roster = roster(&[certificate(1, 30, Role::Observer)]);
        let lost = key(30);
        let draft = CutDraft { key: lost.public().as_bytes(), kept: &[], reason: CutReason::Lost, text: None };
        let [own, foreign] = [1, 2].map(|party| Cut::make(&charter(), &key(party), &draft).expect("a root key signs"));
        assert_eq!(roster.admit(Class::Cut, foreign.as_bytes()).expect_err("foreign").check, Check::CutSigner);
        assert!(roster.admit(Class::Cut, own.as_bytes()).is_ok());
    }

    #[test]
    fn authority_is_that_of_the_certificate_the_log_names() {
        let [own, other, reviewer] = [
            certificate(1, 30, Role::Observer),
            certificate(1, 31, Role::Observer),
            certificate(2, 32, Role::Reviewer),
        ];
        let roster = roster(&[own.clone(), other.clone(), reviewer.clone()]);
        let code = |certificate: StatementId, seed: u8, n: u8| {
            let signer = key(seed);
            match roster.authority(certificate, signer.public().as_bytes(), scope(n), Kind::Change) {
                Authority::Granted(_) => None,
                Authority::Denied(refused) => Some(refused.check.code()),
                Authority::Unknown(refused) => Some(refused.map_or("unknown", |refused| refused.check.code())),
            }
        };
        let absent = StatementId::from_bytes([0; 32]);
        assert_eq!(code(own.id(), 30, 1), None);
        assert_eq!(code(own.id(), 30, 9), Some("out-of-role"));
        assert_eq!(code(reviewer.id(), 32, 1), Some("out-of-role"));
        assert_eq!(code(other.id(), 30, 1), Some("certificate-key"));
        assert_eq!(code(absent, 30, 1), Some("unknown"));
        assert_eq!(code(absent, 33, 1), Some("key-not-in-roster"));
    }

    #[test]
    fn one_signer_fills_only_its_own_share() {
        let mut roster = roster(&[certificate(1, 30, Role::Observer), certificate(2, 31, Role::Observer)]);
        let cut = |signer: u8, n: u64| {
            let (lost, text) = (key(29 + signer), n.to_string());
            let draft =
                CutDraft { key: lost.public().as_bytes(), kept: &[], reason: CutReason::Lost, text: Some(&text) };
            Cut::make(&charter(), &key(signer), &draft).expect("a party cuts")
        };
        roster.counts.insert((Class::Cut, *key(1).public().as_bytes()), STATEMENTS_MAX - 1);
        assert!(roster.admit(Class::Cut, cut(1, 1).as_bytes()).is_ok());
        let refused = roster.admit(Class::Cut, cut(1, 2).as_bytes()).expect_err("over the limit");
        assert_eq!(refused.check, Check::StatementLimit);
        assert!(roster.admit(Class::Cut, cut(2, 2).as_bytes()).is_ok());
    }
}
