//! Erasure: enough parties agree that what a record says, or a photo, is to be forgotten (`spec/record.md`, Erasure).
//!
//! The statement names a whole history or a photo, never one change out of a history. Headers stay; which bodies
//! go is worked out by [`record`](crate::record), which knows the ancestors of the entries named.

use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::cose::Label;
use crate::id::{BlobHash, EntryId, MissionId, RecordId, StatementId};
use crate::key::Signer;
use crate::roster::{CompleteCharter, Gathered, GatheredKind, MakeError, PartyNumber, present};

/// Largest erasure with its signatures, in bytes.
pub const ERASURE_BYTES_MAX: usize = 16_384;
/// Most heads that one erasure names.
pub const HEADS_MAX: usize = 256;
/// Longest text of an erasure, in bytes.
pub const ERASURE_TEXT_BYTES_MAX: usize = 1_024;

/// Most signatures: one for each party of the largest charter.
const SIGNATURES_MAX: usize = 64;

/// What is to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erased {
    /// The bodies of these change entries of the record and of all their ancestors. Ascending, at least one.
    Heads(Vec<EntryId>),
    /// A photo, by the hash of its original, with its renditions; the entries that name it stay.
    Photo(BlobHash),
}

/// Why it is to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErasureReason {
    /// The privacy of a person.
    Privacy,
    /// The safety of a person.
    Safety,
    /// Unlawful content.
    Unlawful,
    /// A court ordered it.
    Court,
}

impl ErasureReason {
    /// Every reason.
    pub const ALL: [ErasureReason; 4] =
        [ErasureReason::Privacy, ErasureReason::Safety, ErasureReason::Unlawful, ErasureReason::Court];

    /// Its number in an erasure.
    pub const fn code(self) -> u64 {
        match self {
            ErasureReason::Privacy => 1,
            ErasureReason::Safety => 2,
            ErasureReason::Unlawful => 3,
            ErasureReason::Court => 4,
        }
    }

    /// The reason with this number.
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// What parties are asked to agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureDraft {
    /// The record.
    pub record: RecordId,
    /// What of it.
    pub erased: Erased,
    /// Why.
    pub reason: ErasureReason,
    /// Why, in words that may be public.
    pub text: Option<String>,
}

/// An erasure with the signatures gathered so far, each of them verified; at least one.
#[derive(Clone, Debug)]
pub struct ProposedErasure {
    draft: ErasureDraft,
    gathered: Gathered,
}

const KIND: GatheredKind =
    GatheredKind { label: Label::Erasure, by: Check::ErasureQuorum, signatures_max: SIGNATURES_MAX, what: "erasure" };

impl ProposedErasure {
    /// An erasure that its first party signs. Heads may be in any order.
    ///
    /// # Errors
    /// What [`Erasure::verify`] would refuse, but for the quorum; or if the signer does not sign.
    pub fn begin(charter: &CompleteCharter, signer: &dyn Signer, mut draft: ErasureDraft) -> Result<Self, MakeError> {
        if let Erased::Heads(heads) = &mut draft.erased {
            heads.sort_unstable();
            heads.dedup();
        }
        let payload = encode(charter.mission(), &draft);
        read(&payload, Full)?;
        let mut proposed = Self { draft, gathered: Gathered::new(&KIND, payload) };
        proposed.sign(charter, signer)?;
        Ok(proposed)
    }

    /// Reads an erasure and verifies the signatures it carries, be they enough or not.
    ///
    /// # Errors
    /// As [`Erasure::verify`], but for too few signatures.
    pub fn decode(bytes: &[u8], charter: &CompleteCharter) -> Result<Self, Refused> {
        Self::decode_under(bytes, charter, Full)
    }

    fn decode_under<P: Policy>(bytes: &[u8], charter: &CompleteCharter, policy: P) -> Result<Self, Refused> {
        policy.require(bytes.len() <= ERASURE_BYTES_MAX, Check::SizeLimit, "erasure")?;
        let (gathered, draft) = Gathered::decode(&KIND, bytes, charter, policy, |payload| {
            let (mission, draft) = read(payload, policy)?;
            policy.require(mission == charter.mission(), Check::MissionMismatch, "erasure")?;
            Ok(draft)
        })?;
        Ok(Self { draft, gathered })
    }

    /// Adds the signature of the party whose root key `signer` holds; signing again changes nothing.
    ///
    /// # Errors
    /// `erasure-quorum` if the signer is no party's root key; or if it does not sign.
    pub fn sign(&mut self, charter: &CompleteCharter, signer: &dyn Signer) -> Result<PartyNumber, MakeError> {
        self.gathered.sign(charter, signer)
    }

    /// What the parties are asked to agree on.
    pub fn draft(&self) -> &ErasureDraft {
        &self.draft
    }

    /// The parties that signed so far, ascending.
    pub fn parties(&self) -> impl Iterator<Item = PartyNumber> + '_ {
        self.gathered.parties()
    }

    /// The bytes to store and send.
    pub fn encode(&self) -> Vec<u8> {
        self.gathered.encode()
    }

    /// The erasure, if enough parties signed.
    ///
    /// # Errors
    /// `erasure-quorum`; `size-limit` if the signatures make it too large.
    pub fn complete(self, charter: &CompleteCharter) -> Result<Erasure, Refused> {
        Erasure::verify(&self.encode(), charter)
    }
}

/// An erasure that at least the charter's quorum of parties signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    id: StatementId,
    bytes: Vec<u8>,
    draft: ErasureDraft,
    parties: Vec<PartyNumber>,
}

impl Erasure {
    /// Verifies an erasure under the mission's charter.
    ///
    /// # Errors
    /// `size-limit`, an encoding code, `shape`, `mission-mismatch`, an envelope code, `erasure-quorum`
    /// or `signature-invalid`.
    pub fn verify(bytes: &[u8], charter: &CompleteCharter) -> Result<Self, Refused> {
        Self::verify_under(bytes, charter, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_under<P: Policy>(bytes: &[u8], charter: &CompleteCharter, policy: P) -> Result<Self, Refused> {
        let ProposedErasure { draft, gathered } = ProposedErasure::decode_under(bytes, charter, policy)?;
        let parties: Vec<PartyNumber> = gathered.parties().collect();
        policy.require(charter.erase(&parties), Check::ErasureQuorum, "signatures")?;
        Ok(Self { id: StatementId::of(bytes), bytes: bytes.to_vec(), draft, parties })
    }

    /// Its id.
    pub fn id(&self) -> StatementId {
        self.id
    }

    /// The bytes as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The record it is about.
    pub fn record(&self) -> RecordId {
        self.draft.record
    }

    /// What is to be forgotten.
    pub fn erased(&self) -> &Erased {
        &self.draft.erased
    }

    /// Why.
    pub fn reason(&self) -> ErasureReason {
        self.draft.reason
    }

    /// Why, in words.
    pub fn text(&self) -> Option<&str> {
        self.draft.text.as_deref()
    }

    /// The parties that signed, ascending.
    pub fn parties(&self) -> &[PartyNumber] {
        &self.parties
    }
}

fn encode(mission: MissionId, draft: &ErasureDraft) -> Vec<u8> {
    let ErasureDraft { record, erased, reason, text } = draft;
    let mut writer = Writer::new();
    writer.map(4 + usize::from(text.is_some())).uint(1).bytes(mission.as_bytes()).uint(2).bytes(record.as_bytes());
    match erased {
        Erased::Heads(heads) => {
            writer.uint(3).array(heads.len());
            for head in heads {
                writer.bytes(head.as_bytes());
            }
        }
        Erased::Photo(photo) => {
            writer.uint(4).bytes(photo.as_bytes());
        }
    }
    writer.uint(5).uint(reason.code());
    if let Some(text) = text {
        writer.uint(6).text(text);
    }
    writer.finish()
}

fn read<P: Policy>(payload: &[u8], policy: P) -> Result<(MissionId, ErasureDraft), Refused> {
    let mut reader = Reader::with(payload, policy);
    let (mut mission, mut record, mut heads, mut photo, mut reason, mut text) = (None, None, None, None, None, None);
    let mut fields = reader.map("erasure")?;
    while let Some(key) = fields.next(&mut reader)? {
        match key {
            1 => mission = Some(MissionId::from_bytes(reader.array_of("mission")?)),
            2 => record = Some(RecordId::from_bytes(reader.array_of("record")?)),
            3 => heads = Some(read_heads(&mut reader)?),
            4 => photo = Some(BlobHash::from_bytes(reader.array_of("photo")?)),
            5 => reason = ErasureReason::from_code(reader.uint("reason")?),
            6 => text = Some(reader.note(ERASURE_TEXT_BYTES_MAX, "text")?.to_owned()),
            _ => return Err(Refused { check: Check::Shape, what: "erasure" }),
        }
    }
    reader.finish("erasure")?;
    policy.require(text.as_ref().is_none_or(|text| !text.is_empty()), Check::Shape, "text")?;
    let erased = match (heads, photo) {
        (Some(heads), None) => Erased::Heads(heads),
        (None, Some(photo)) => Erased::Photo(photo),
        _ => return Err(Refused { check: Check::Shape, what: "heads or photo" }),
    };
    let (record, reason) = (present(record, "record")?, present(reason, "reason")?);
    Ok((present(mission, "mission")?, ErasureDraft { record, erased, reason, text }))
}

fn read_heads<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Vec<EntryId>, Refused> {
    let len = reader.array(HEADS_MAX, "heads")?;
    let heads = (0..len).map(|_| reader.array_of("head").map(EntryId::from_bytes)).collect::<Result<Vec<_>, _>>()?;
    reader.leave();
    let is_ascending = !heads.is_empty() && heads.is_sorted_by(|a, b| a < b);
    reader.policy().require(is_ascending, Check::Shape, "heads")?;
    Ok(heads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cose;
    use crate::id::sha256;
    use crate::record::testing::{charter, key};
    use crate::roster::write_signed;

    fn draft() -> ErasureDraft {
        let heads = vec![EntryId::from_bytes([2; 32]), EntryId::from_bytes([1; 32])];
        let (record, reason) = (RecordId::from_bytes([1; 32]), ErasureReason::Safety);
        ErasureDraft { record, erased: Erased::Heads(heads), reason, text: Some("asked by the family".into()) }
    }

    fn signed(seeds: &[u8]) -> ProposedErasure {
        let mut proposed = ProposedErasure::begin(&charter(), &key(seeds[0]), draft()).expect("a party signs");
        for &seed in &seeds[1..] {
            proposed.sign(&charter(), &key(seed)).expect("a party signs");
        }
        proposed
    }

    fn code<T>(result: Result<T, Refused>) -> Option<Check> {
        result.err().map(|refused| refused.check)
    }

    #[test]
    fn an_erasure_counts_from_the_quorum_on() {
        assert_eq!(charter().charter().quorum, 2);
        assert_eq!(code(signed(&[1]).complete(&charter())), Some(Check::ErasureQuorum));
        assert_eq!(code(signed(&[1, 1]).complete(&charter())), Some(Check::ErasureQuorum));
        let erasure = signed(&[2, 1]).complete(&charter()).expect("two parties");
        assert_eq!(erasure.parties(), [PartyNumber(1), PartyNumber(2)]);
        assert_eq!(erasure.erased(), &Erased::Heads(vec![EntryId::from_bytes([1; 32]), EntryId::from_bytes([2; 32])]));
        assert_eq!(Erasure::verify(erasure.as_bytes(), &charter()), Ok(erasure));
    }

    #[test]
    fn a_proposal_travels_from_party_to_party() {
        let mut there = ProposedErasure::decode(&signed(&[2]).encode(), &charter()).expect("one signature");
        there.sign(&charter(), &key(1)).expect("a party signs");
        assert_eq!(there.encode(), signed(&[1, 2]).encode());
        assert!(there.sign(&charter(), &key(9)).is_err(), "a stranger signs nothing");
    }

    #[test]
    fn signatures_that_are_foreign_unordered_or_of_something_else_are_refused() {
        let payload = encode(charter().mission(), &signed(&[1]).draft);
        let by = |label, seed, message: &[u8]| cose::sign(label, &key(seed), message).expect("signs");
        let hash = sha256(&[&payload]);
        let good = [by(Label::Erasure, 1, &hash), by(Label::Erasure, 2, &hash)];
        let swapped = [good[1].clone(), good[0].clone()];
        let foreign = [good[0].clone(), by(Label::Erasure, 9, &hash)];
        let other = [good[0].clone(), by(Label::Erasure, 2, &[0; 32])];
        let label = [good[0].clone(), by(Label::Charter, 2, &hash)];
        let rows = [
            (&good, None),
            (&swapped, Some(Check::ErasureQuorum)),
            (&foreign, Some(Check::ErasureQuorum)),
            (&other, Some(Check::ErasureQuorum)),
            (&label, Some(Check::CoseType)),
        ];
        for (signatures, wanted) in rows {
            let bytes = write_signed(&payload, signatures.iter());
            assert_eq!(code(Erasure::verify(&bytes, &charter())), wanted);
        }
    }

    #[test]
    fn malformed_erasures_are_never_signed() {
        let begin = |draft| match ProposedErasure::begin(&charter(), &key(1), draft) {
            Err(MakeError::Refused(refused)) => Some(refused.check),
            _ => None,
        };
        let many = (0..=256u16).map(|n| EntryId::from_bytes(sha256(&[&n.to_be_bytes()]))).collect();
        assert_eq!(begin(draft()), None);
        assert_eq!(begin(ErasureDraft { erased: Erased::Photo(BlobHash::from_bytes([3; 32])), ..draft() }), None);
        assert_eq!(begin(ErasureDraft { erased: Erased::Heads(vec![]), ..draft() }), Some(Check::Shape));
        assert_eq!(begin(ErasureDraft { erased: Erased::Heads(many), ..draft() }), Some(Check::SizeLimit));
        assert_eq!(begin(ErasureDraft { text: Some(String::new()), ..draft() }), Some(Check::Shape));
    }
}
