//! The signatures of a charter: that every party agreed (`spec/roster.md`, Charter).
//!
//! ```text
//! Charter ──begin──▶ SignedCharter ──complete──▶ CompleteCharter
//! a proposal         agreed by some parties      agreed by all: the root of every other check
//! ```

use std::collections::BTreeMap;

use super::amendment::Former;
use super::charter::{Charter, PARTIES_MAX, Party};
use super::{MakeError, PartyNumber};
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::cose::{self, Envelope, Label};
use crate::id::{CharterId, MissionId, sha256};
use crate::key::{KEY_BYTES, PublicKey, Signer};

/// Largest charter with its signatures, in bytes.
pub const CHARTER_BYTES_MAX: usize = 65_536;

/// Room that one signature takes in a stored charter: 183 bytes, rounded up.
const SIGNATURE_ROOM: usize = 192;

/// A charter with the signatures gathered so far, each of them verified; at least one.
#[derive(Clone, Debug)]
pub struct SignedCharter {
    payload: Vec<u8>,
    charter: Charter,
    mission: MissionId,
    signatures: BTreeMap<PartyNumber, Vec<u8>>,
}

impl SignedCharter {
    /// A charter that its first party signs.
    ///
    /// # Errors
    /// If the charter is not well formed, or the signer is no party's root key or does not sign.
    pub fn begin(charter: &Charter, signer: &dyn Signer) -> Result<Self, MakeError> {
        let payload = charter.encode()?;
        let room = payload.len() + charter.parties.len() * SIGNATURE_ROOM + 16;
        Full.require(room <= CHARTER_BYTES_MAX, Check::SizeLimit, "charter")?;
        let mission = MissionId::from_bytes(sha256(&[&payload]));
        let mut signed = Self { payload, charter: charter.clone(), mission, signatures: BTreeMap::new() };
        signed.sign(signer)?;
        Ok(signed)
    }

    /// Reads a charter and verifies the signatures it carries, be they all or some.
    ///
    /// This proves that the signers agreed to this payload, not that it is the mission that anybody meant:
    /// compare [`mission`](Self::mission).
    ///
    /// # Errors
    /// As [`Charter::decode`]; an envelope code, `charter-signatures`, `signature-invalid`
    /// or `mission-mismatch`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        Self::decode_under(bytes, Full)
    }

    /// [`decode`](Self::decode) under `policy`.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_under<P: Policy>(bytes: &[u8], policy: P) -> Result<Self, Refused> {
        policy.require(bytes.len() <= CHARTER_BYTES_MAX, Check::SizeLimit, "charter")?;
        let (payload, envelopes) = read_signed(bytes, PARTIES_MAX, "charter", policy)?;
        let charter = Charter::decode_under(payload, policy)?;
        let mission = MissionId::from_bytes(sha256(&[payload]));
        let wanted = Wanted {
            label: Label::Charter,
            payload: mission.as_bytes(),
            by_others: Check::CharterSignatures,
            of_others: Check::MissionMismatch,
        };
        let signatures = verify_signatures(&wanted, &envelopes, |key| charter.root_of(key), policy)?;
        Ok(Self { payload: payload.to_vec(), charter, mission, signatures })
    }

    /// Adds the signature of the party whose root key `signer` holds; signing again changes nothing.
    ///
    /// # Errors
    /// `charter-signatures` if the signer is no party's root key; or if it does not sign.
    pub fn sign(&mut self, signer: &dyn Signer) -> Result<PartyNumber, MakeError> {
        let foreign = Refused { check: Check::CharterSignatures, what: "signer" };
        let party = self.charter.party_by_root(signer.public().as_bytes()).ok_or(foreign)?.number;
        let signature = cose::sign(Label::Charter, signer, self.mission.as_bytes())?;
        self.signatures.entry(party).or_insert(signature);
        Ok(party)
    }

    /// Takes over the signatures of another copy.
    ///
    /// # Errors
    /// `mission-mismatch` if it is another charter.
    pub fn merge(&mut self, other: Self) -> Result<(), Refused> {
        Full.require(other.mission == self.mission, Check::MissionMismatch, "charter")?;
        for (party, signature) in other.signatures {
            self.signatures.entry(party).or_insert(signature);
        }
        Ok(())
    }

    /// What the parties agree on.
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// The hash of the payload.
    pub fn mission(&self) -> MissionId {
        self.mission
    }

    /// The parties that have not signed, ascending.
    pub fn missing(&self) -> impl Iterator<Item = &Party> {
        self.charter.parties.iter().filter(|party| !self.signatures.contains_key(&party.number))
    }

    /// The bytes to store and send.
    pub fn encode(&self) -> Vec<u8> {
        write_signed(&self.payload, self.signatures.values())
    }

    /// The charter, if every party signed.
    ///
    /// # Errors
    /// `charter-signatures`.
    pub fn complete(self) -> Result<CompleteCharter, Refused> {
        self.complete_under(Full)
    }

    fn complete_under<P: Policy>(self, policy: P) -> Result<CompleteCharter, Refused> {
        policy.require(self.missing().next().is_none(), Check::CharterSignatures, "parties")?;
        let bytes = self.encode();
        let Self { payload, charter, mission, signatures: _ } = self;
        let former = Former::none(CharterId::from_bytes(*mission.as_bytes()));
        Ok(CompleteCharter { charter, mission, payload, bytes, former })
    }
}

/// A charter that every party signed, as it stands after amendments.
#[derive(Clone, Debug)]
pub struct CompleteCharter {
    pub(super) charter: Charter,
    mission: MissionId,
    payload: Vec<u8>,
    bytes: Vec<u8>,
    /// What amendments put something else in the place of.
    pub(super) former: Former,
}

impl CompleteCharter {
    /// Verifies that `bytes` are the charter of `mission`, signed by every party.
    ///
    /// # Errors
    /// As [`SignedCharter::decode`], `mission-mismatch` if it is another mission's, `charter-signatures` if a party is missing.
    pub fn verify(bytes: &[u8], mission: MissionId) -> Result<Self, Refused> {
        Self::verify_under(bytes, mission, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_under<P: Policy>(bytes: &[u8], mission: MissionId, policy: P) -> Result<Self, Refused> {
        let signed = SignedCharter::decode_under(bytes, policy)?;
        policy.require(signed.mission == mission, Check::MissionMismatch, "charter")?;
        let mut complete = signed.complete_under(policy)?;
        complete.bytes = bytes.to_vec();
        Ok(complete)
    }

    /// What the parties agreed on, amendments included.
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// The mission it founds.
    pub fn mission(&self) -> MissionId {
        self.mission
    }

    /// What the founding parties signed; its hash is the mission id.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The bytes as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads `[payload, [+ signature]]`.
pub(crate) fn read_signed<'a, P: Policy>(
    bytes: &'a [u8],
    signatures_max: usize,
    what: &'static str,
    policy: P,
) -> Result<(&'a [u8], Vec<&'a [u8]>), Refused> {
    let mut reader = Reader::with(bytes, policy);
    reader.array_exact(2, what)?;
    let payload = reader.bytes("payload")?;
    let count = reader.array(signatures_max, "signatures")?;
    let signatures = (0..count).map(|_| reader.bytes("signature")).collect::<Result<Vec<_>, _>>()?;
    reader.leave();
    reader.leave();
    reader.finish(what)?;
    policy.require(!signatures.is_empty(), Check::Shape, "signatures")?;
    Ok((payload, signatures))
}

/// Writes `[payload, [+ signature]]`.
pub(crate) fn write_signed<'a>(payload: &[u8], signatures: impl ExactSizeIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let mut writer = Writer::with_capacity(payload.len() + signatures.len() * SIGNATURE_ROOM + 16);
    writer.array(2).bytes(payload).array(signatures.len());
    for signature in signatures {
        writer.bytes(signature);
    }
    writer.finish()
}

/// What parties are to have signed.
pub(crate) struct Wanted<'a> {
    pub(crate) label: Label,
    pub(crate) payload: &'a [u8; 32],
    /// The check that refuses signatures by anybody but a party, repeated or out of order.
    pub(crate) by_others: Check,
    /// The check that refuses signatures of another payload.
    pub(crate) of_others: Check,
}

/// Verifies parties' signatures: each by a root key, ascending by the party's number.
pub(crate) fn verify_signatures<P: Policy>(
    wanted: &Wanted<'_>,
    envelopes: &[&[u8]],
    root_of: impl Fn(&[u8; KEY_BYTES]) -> Option<(PartyNumber, PublicKey)>,
    policy: P,
) -> Result<BTreeMap<PartyNumber, Vec<u8>>, Refused> {
    let mut signatures = BTreeMap::new();
    let mut last = None;
    for &bytes in envelopes {
        let envelope = Envelope::decode_under(wanted.label, bytes, policy)?;
        let Some((party, root)) = root_of(envelope.kid()) else {
            policy.require(false, wanted.by_others, "signer")?;
            continue;
        };
        policy.require(last.is_none_or(|last| last < party), wanted.by_others, "signatures")?;
        last = Some(party);
        let payload = envelope.verify_under(&root, policy)?;
        policy.require(payload == wanted.payload, wanted.of_others, "signed hash")?;
        signatures.entry(party).or_insert_with(|| bytes.to_vec());
    }
    Ok(signatures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::{charter as complete, key};

    fn charter() -> Charter {
        complete().charter().clone()
    }

    fn signed_by(seeds: &[u8]) -> SignedCharter {
        let mut signed = SignedCharter::begin(&charter(), &key(seeds[0])).expect("a party signs");
        for &seed in &seeds[1..] {
            signed.sign(&key(seed)).expect("a party signs");
        }
        signed
    }

    #[test]
    fn a_charter_is_complete_when_every_party_signed_in_whatever_order() {
        let mut here = signed_by(&[3]);
        let there = SignedCharter::decode(&signed_by(&[2, 1]).encode()).expect("a charter of two");
        assert_eq!(here.missing().map(|party| party.number.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(here.clone().complete().err().map(|r| r.check), Some(Check::CharterSignatures));
        here.merge(there).expect("the same charter");
        let complete = here.clone().complete().expect("all signed");
        let read = CompleteCharter::verify(&here.encode(), here.mission()).expect("complete");
        assert_eq!(read.charter(), &charter());
        assert_eq!(read.as_bytes(), complete.as_bytes());
    }

    #[test]
    fn a_charter_of_another_mission_or_with_other_signatures_is_refused() {
        let signed = signed_by(&[1, 2, 3]);
        let (payload, bytes) = (charter().encode().expect("well formed"), signed.encode());
        let mission = signed.mission();
        let by = |seed: u8, message: &[u8]| cose::sign(Label::Charter, &key(seed), message).expect("signs");
        let all: Vec<_> = [1, 2, 3].map(|seed| by(seed, mission.as_bytes())).into();
        let with = |signatures: &[Vec<u8>]| write_signed(&payload, signatures.iter());
        let code = |bytes: &[u8], mission| CompleteCharter::verify(bytes, mission).err().map(|r| r.check);

        assert_eq!(code(&with(&all), mission), None);
        assert_eq!(with(&all), bytes);
        let other = MissionId::from_bytes([0; 32]);
        let mut label = cose::sign(Label::Erasure, &key(1), mission.as_bytes()).expect("signs");
        let rows = [
            ("another mission", bytes.clone(), other, Check::MissionMismatch),
            ("two of three", with(&all[..2]), mission, Check::CharterSignatures),
            ("none", with(&[]), mission, Check::Shape),
            ("order", with(&[all[1].clone(), all[0].clone(), all[2].clone()]), mission, Check::CharterSignatures),
            ("twice", with(&[all[0].clone(), all[0].clone()]), mission, Check::CharterSignatures),
            ("stranger", with(&[by(9, mission.as_bytes())]), mission, Check::CharterSignatures),
            ("another payload", with(&[by(1, &[0; 32])]), mission, Check::MissionMismatch),
            ("another label", with(&[std::mem::take(&mut label)]), mission, Check::CoseType),
        ];
        for (name, bytes, mission, wanted) in rows {
            assert_eq!(code(&bytes, mission), Some(wanted), "{name}");
        }
        assert!(SignedCharter::begin(&charter(), &key(9)).is_err(), "a stranger begins no charter");
    }
}
