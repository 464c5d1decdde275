//! Statements that an amendment, a certificate or a cut may let in, or let in again: kept beside those that hold, and told to nobody.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::class::Class;
use crate::check::{Check, Refused};
use crate::id::{DIGEST_BYTES, StatementId};
use crate::key::KEY_BYTES;

/// Most statements of one room that wait for one which is not held: what one party's people may need on their first day,
/// and little for whoever sends what will never hold.
const WAITING_MAX: usize = 1_024;
/// Most bytes of these.
const WAITING_BYTES_MAX: usize = 8 << 20;
/// Where the names of what a statement rests on stand: at its beginning, or before its signature. Between may lie tens of
/// kilobytes of kept logs or of a proof.
const NAMES_FIRST: usize = 512;
const NAMES_LAST: usize = 256;

/// Whose room a statement takes that waits: of the parties whose signatures were verified, by their root keys; or of all
/// those that nobody vouches for together.
pub(super) type Room = Option<[u8; KEY_BYTES]>;

/// One that waits.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) bytes: Arc<[u8]>,
    /// Why it is not in force.
    pub(super) refused: Refused,
    /// Whether it held once, and so counted against the limit of its signer: such a one needs no room here.
    pub(super) did_hold: bool,
    room: Room,
}

impl Kept {
    /// One that held.
    pub(super) fn former(bytes: Arc<[u8]>, refused: Refused) -> Self {
        Self { bytes, refused, did_hold: true, room: None }
    }
}

/// What waits.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    kept: BTreeMap<(Class, StatementId), Kept>,
    /// How many there are in each room, and their bytes; without those that held.
    rooms: BTreeMap<Room, (usize, usize)>,
}

impl Waiting {
    /// Keeps a statement that was refused, if what is not held yet may change that and there is room.
    pub(super) fn keep(&mut self, class: Class, bytes: &[u8], refused: Refused, room: Room) {
        let id = class.id_of(bytes);
        if !may_change(class, refused) || self.kept.contains_key(&(class, id)) {
            return;
        }
        let (count, taken) = self.rooms.entry(room).or_default();
        if *count == WAITING_MAX || *taken + bytes.len() > WAITING_BYTES_MAX {
            return;
        }
        (*count, *taken) = (*count + 1, *taken + bytes.len());
        self.kept.insert((class, id), Kept { bytes: bytes.into(), refused, did_hold: false, room });
    }

    /// Keeps a statement that held.
    pub(super) fn keep_former(&mut self, class: Class, id: StatementId, bytes: Arc<[u8]>, refused: Refused) {
        self.remove(class, id);
        self.kept.insert((class, id), Kept::former(bytes, refused));
    }

    pub(super) fn remove(&mut self, class: Class, id: StatementId) {
        if let Some(Kept { bytes, did_hold: false, room, .. }) = self.kept.remove(&(class, id))
            && let Some((count, taken)) = self.rooms.get_mut(&room)
        {
            (*count, *taken) = (*count - 1, *taken - bytes.len());
        }
    }

    pub(super) fn contains(&self, class: Class, id: StatementId) -> bool {
        self.kept.contains_key(&(class, id))
    }

    /// Those of later classes than `class` in which one of these names stands, in the order of the classes.
    pub(super) fn naming(&self, class: Class, names: &[[u8; DIGEST_BYTES]]) -> Vec<(Class, StatementId, Arc<[u8]>)> {
        let is_in = |part: &[u8]| part.windows(DIGEST_BYTES).any(|part| names.iter().any(|name| part == name));
        let is_named = |bytes: &[u8]| {
            let (first, rest) = bytes.split_at(bytes.len().min(NAMES_FIRST));
            is_in(first) || is_in(&rest[rest.len().saturating_sub(NAMES_LAST)..])
        };
        let later = self.kept.iter().filter(|((other, _), kept)| *other > class && is_named(&kept.bytes));
        later.map(|((class, id), kept)| (*class, *id, Arc::clone(&kept.bytes))).collect()
    }

    pub(super) fn bytes(&self, class: Class, id: StatementId) -> Option<&[u8]> {
        self.kept.get(&(class, id)).map(|kept| &*kept.bytes)
    }

    /// All of them, in the order of the classes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Class, StatementId, &Kept)> {
        self.kept.iter().map(|((class, id), kept)| (*class, *id, kept))
    }
}

/// Whether a charter with another party, key, scope or form, or one more certificate or cut, might not refuse it.
fn may_change(class: Class, refused: Refused) -> bool {
    match refused.check {
        Check::AmendmentPredecessor => class == Class::Amendment,
        Check::CertificateSigner | Check::CertificateScope => class == Class::Certificate,
        Check::SuccessionKeys | Check::SuccessionSignatures => class == Class::Succession,
        Check::CutSigner | Check::CutQuorum => class == Class::Cut,
        Check::AcknowledgementSigner | Check::AcknowledgementCut => class == Class::Acknowledgement,
        Check::ErasureQuorum => class == Class::Erasure,
        Check::CheckpointInvalid => matches!(class, Class::Note | Class::Cosignature),
        Check::CosignatureInvalid => class == Class::Cosignature,
        Check::InclusionSigner | Check::InclusionLeaf | Check::InclusionProof | Check::InclusionFinal => {
            class == Class::Inclusion
        }
        Check::Shape => class == Class::Form && refused.what == super::UNLISTED_FORM,
        _ => false,
    }
}
