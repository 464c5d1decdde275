//! What is held, and what follows from it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::PartyNumber;
use super::super::acknowledgement::Acknowledgement;
use super::super::amendment::{Amendment, Frozen};
use super::super::certificate::Certificate;
use super::super::class::Class;
use super::super::cut::Cut;
use super::super::inclusion::Inclusion;
use super::super::signed::CompleteCharter;
use super::super::succession::Succession;
use super::{Authority, FOREIGN_KEY, Roster};
use crate::check::{Check, Refused};
use crate::checkpoint::Checkpoint;
use crate::entry::Kind;
use crate::erasure::{Erased, Erasure};
use crate::form::FormDefinition;
use crate::id::{CharterId, DIGEST_BYTES, FormHash, MissionId, RecordId, ScopeId, StatementId, sha256};
use crate::key::{KEY_BYTES, KeyCache};
use crate::receipt::Receipt;
use crate::witness::{Confirmation, Witnesses};

impl Roster {
    /// What founds the mission, as amended by what is in force.
    pub fn charter(&self) -> &CompleteCharter {
        &self.charter
    }

    /// Every amendment held, in force or not, ascending by id.
    pub fn amendments(&self) -> impl Iterator<Item = &Amendment> {
        self.amendments.iter()
    }

    /// The amendments in force, in the order in which they build on each other.
    pub fn amendments_in_force(&self) -> Vec<&Amendment> {
        self.amendments.chain()
    }

    /// The charter as it stands after some amendment that is held, in force or not; or before any.
    pub fn charter_with(&self, id: CharterId) -> Option<&Arc<CompleteCharter>> {
        self.amendments.charter(id)
    }

    /// The amendments of one charter that each have enough signatures, if there are such: then no amendment follows it.
    pub fn frozen(&self) -> Option<&Frozen> {
        self.frozen.as_ref()
    }

    /// Whether a statement is kept that is refused for the charter in force, or for want of a certificate or cut.
    pub fn waits(&self, class: Class, id: StatementId) -> bool {
        self.waiting.contains(class, id)
    }

    /// The statements that [wait](Self::waits), in the order of the classes, and why each was refused.
    pub fn waiting(&self) -> impl Iterator<Item = (Class, StatementId, &[u8], Refused)> {
        self.waiting.iter().map(|(class, id, kept)| (class, id, &*kept.bytes, kept.refused))
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

    /// Whether a certificate names this key, be it one that only a rival amendment keeps out of force.
    pub fn knows_key(&self, key: &[u8; KEY_BYTES]) -> bool {
        self.by_key.contains_key(key) || self.rival_keys.contains(key)
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
            None if self.knows_key(key) => Authority::Unknown(None),
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

    /// The cuts of a key, ascending by id.
    pub fn cuts_of(&self, key: &[u8; KEY_BYTES]) -> impl Iterator<Item = &Cut> {
        self.cuts_by_key.get(key).into_iter().flatten().filter_map(|id| self.cuts.get(id))
    }

    /// The cut with this id.
    pub fn cut(&self, id: StatementId) -> Option<&Cut> {
        self.cuts.get(&id)
    }

    /// Every acknowledgement, ascending by id.
    pub fn acknowledgements(&self) -> impl Iterator<Item = &Acknowledgement> {
        self.acknowledgements.values()
    }

    /// The acknowledgement with this id.
    pub fn acknowledgement(&self, id: StatementId) -> Option<&Acknowledgement> {
        self.acknowledgements.get(&id)
    }

    /// The acknowledgements of a cut, ascending by id.
    pub fn acknowledgements_of(&self, cut: StatementId) -> impl Iterator<Item = &Acknowledgement> {
        self.acknowledged.get(&cut).into_iter().flatten().filter_map(|id| self.acknowledgements.get(id))
    }

    /// Of how many other parties a cut of one party needs acknowledgements: with that party they are more than may lie.
    /// `None` where no checkpoint can become final, so that no cut needs any.
    pub fn acknowledgements_needed(&self) -> Option<usize> {
        self.acknowledgements_needed_at(u64::MAX)
    }

    /// The same by the charter that judges a checkpoint of `size` leaves, so that no amendment moves what was shown before it.
    pub(crate) fn acknowledgements_needed_at(&self, size: u64) -> Option<usize> {
        let quorum = Witnesses::at(&self.charter, size)?.quorum();
        (quorum.confirmation(quorum.parties) == Confirmation::Final).then_some(quorum.liars)
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

    /// Every succession, ascending by id.
    pub fn successions(&self) -> impl Iterator<Item = &Succession> {
        self.successions.values()
    }

    /// The keys of the observer whose key this is, as far as successions say so; with this key.
    pub fn same_observer(&self, key: &[u8; KEY_BYTES]) -> BTreeSet<[u8; KEY_BYTES]> {
        let (mut same, mut open) = (BTreeSet::from([*key]), vec![*key]);
        while let Some(key) = open.pop() {
            for succession in self.successions.values() {
                let (old, new) = (succession.old(), succession.new_key());
                if *old == key || *new == key {
                    open.extend([*old, *new].into_iter().filter(|other| same.insert(*other)));
                }
            }
        }
        same
    }

    /// Every inclusion, ascending by id.
    pub fn inclusions(&self) -> impl Iterator<Item = &Inclusion> {
        self.inclusions.values()
    }

    /// The statements of which an inclusion is held: they are in the ledger.
    pub fn ledgered(&self) -> &BTreeSet<StatementId> {
        &self.ledgered
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
            Class::Amendment => self.amendments.get(id).map(Amendment::as_bytes),
            Class::Certificate => self.certificates.get(&id).map(Certificate::as_bytes),
            Class::Cut => self.cuts.get(&id).map(Cut::as_bytes),
            Class::Acknowledgement => self.acknowledgements.get(&id).map(Acknowledgement::as_bytes),
            Class::Erasure => self.erasures.get(&id).map(Erasure::as_bytes),
            Class::Receipt => self.receipts.get(&id).map(|receipt| receipt.as_bytes()),
            Class::Note => self.notes.get(id).map(Checkpoint::as_bytes),
            Class::Cosignature => self.cosignatures.bytes(id),
            Class::Succession => self.successions.get(&id).map(Succession::as_bytes),
            Class::Inclusion => self.inclusions.get(&id).map(Inclusion::as_bytes),
            Class::Form => self.forms.get(&id).map(|(_, bytes)| bytes.as_slice()),
        }
    }

    /// The bytes of a statement that is held or [waits](Self::waits).
    pub fn kept_bytes(&self, class: Class, id: StatementId) -> Option<&[u8]> {
        self.bytes(class, id).or_else(|| self.waiting.bytes(class, id))
    }

    /// The cuts that wait for a certificate of their key and for nothing else. Whoever shows one is cut.
    pub fn cuts_waiting(&self) -> Vec<Cut> {
        let keys = &mut KeyCache::with_capacity(4);
        let waiting =
            self.waiting().filter(|(class, _, _, refused)| *class == Class::Cut && refused.what == FOREIGN_KEY);
        waiting.filter_map(|(_, _, bytes, _)| Cut::verify(bytes, &self.charter, keys).ok()).collect()
    }

    /// The ids of the statements of a class, ascending.
    pub fn ids(&self, class: Class) -> Vec<StatementId> {
        match class {
            Class::Charter => vec![StatementId::of(self.charter.as_bytes())],
            Class::Amendment => self.amendments.ids(),
            Class::Certificate => self.certificates.keys().copied().collect(),
            Class::Cut => self.cuts.keys().copied().collect(),
            Class::Acknowledgement => self.acknowledgements.keys().copied().collect(),
            Class::Erasure => self.erasures.keys().copied().collect(),
            Class::Receipt => self.receipts.keys().copied().collect(),
            Class::Note => self.notes.ids(),
            Class::Cosignature => self.cosignatures.ids(),
            Class::Succession => self.successions.keys().copied().collect(),
            Class::Inclusion => self.inclusions.keys().copied().collect(),
            Class::Form => self.forms.keys().copied().collect(),
        }
    }

    /// The digest of a class: SHA-256 over its ids, ascending; `None` if nothing of it is held.
    pub fn digest(&self, class: Class) -> Option<[u8; DIGEST_BYTES]> {
        let ids = self.ids(class);
        let parts: Vec<&[u8]> = ids.iter().map(|id| id.as_bytes().as_slice()).collect();
        (!ids.is_empty()).then(|| sha256(&parts))
    }
}
