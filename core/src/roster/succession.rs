//! The succession: two keys are the same observer's, one after the other (`spec/roster.md`, Succession).

use super::signed::{read_signed, write_signed};
use super::statements::Roster;
use super::{KEPT_MAX, MakeError, PartyNumber, present};
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::cose::{self, Envelope, Label};
use crate::entry::LogHead;
use crate::id::{MissionId, StatementId, sha256};
use crate::key::{KEY_BYTES, KeyCache, Signer};

/// Largest succession, in bytes: heads of 1,024 logs at 63 bytes each, and 1,000 for the rest.
pub const SUCCESSION_BYTES_MAX: usize = 65_536;

/// Which key follows which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuccessionDraft<'a> {
    /// The key before.
    pub old: &'a [u8; KEY_BYTES],
    /// The key after.
    pub new: &'a [u8; KEY_BYTES],
    /// The last entries of the old key's logs that are acknowledged, one for each log at most, in any order.
    pub heads: &'a [LogHead],
}

/// A succession that the old key, or the party, has signed, and the new key not yet.
#[derive(Clone, Debug)]
pub struct ProposedSuccession {
    payload: Vec<u8>,
    said: Payload,
    by: Vec<u8>,
}

impl ProposedSuccession {
    /// A succession that the old key signs; or, if that is lost, the root key of the party that certified both.
    ///
    /// # Errors
    /// What [`Succession::verify`] would refuse, but for the new key's signature; or if the signer does not sign.
    pub fn begin(roster: &Roster, signer: &dyn Signer, draft: &SuccessionDraft<'_>) -> Result<Self, MakeError> {
        let payload = encode(roster.mission(), draft);
        let by = cose::sign(Label::Succession, signer, &sha256(&[&payload]))?;
        Ok(Self::decode(&write_signed(&payload, [by].iter()), roster)?)
    }

    /// Reads a succession that lacks the new key's signature.
    ///
    /// # Errors
    /// As [`Succession::verify`].
    pub fn decode(bytes: &[u8], roster: &Roster) -> Result<Self, Refused> {
        Full.require(bytes.len() <= SUCCESSION_BYTES_MAX, Check::SizeLimit, "succession")?;
        let (payload, signatures) = read_signed(bytes, 1, "succession", Full)?;
        let said = Payload::read(payload, Full)?;
        said.check(roster, Full)?;
        let by = signatures.first().copied().unwrap_or_default();
        said.check_old(by, payload, roster, Full)?;
        Ok(Self { payload: payload.to_vec(), said, by: by.to_vec() })
    }

    /// Adds the signature of the new key.
    ///
    /// # Errors
    /// `succession-signatures` if it is another key; or if it does not sign.
    pub fn complete(&self, roster: &Roster, signer: &dyn Signer) -> Result<Succession, MakeError> {
        let new = cose::sign(Label::Succession, signer, &sha256(&[&self.payload]))?;
        let bytes = write_signed(&self.payload, [new, self.by.clone()].iter());
        Ok(Succession::verify(&bytes, roster)?)
    }

    /// The key that is still to sign.
    pub fn new_key(&self) -> &[u8; KEY_BYTES] {
        &self.said.new
    }

    /// The bytes to send to whoever holds the new key.
    pub fn encode(&self) -> Vec<u8> {
        write_signed(&self.payload, [self.by.clone()].iter())
    }
}

/// Two keys of one observer, as the new key states, and the old one or the party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    id: StatementId,
    bytes: Vec<u8>,
    party: PartyNumber,
    is_by_party: bool,
    old: [u8; KEY_BYTES],
    new: [u8; KEY_BYTES],
    heads: Vec<LogHead>,
}

impl Succession {
    /// Verifies a succession against the charter and the certificates held.
    ///
    /// # Errors
    /// `size-limit`, an encoding code, `shape`, `mission-mismatch`, `succession-order`, `succession-keys`, an envelope
    /// code, a key code, `signature-invalid` or `succession-signatures`, in this order.
    pub fn verify(bytes: &[u8], roster: &Roster) -> Result<Self, Refused> {
        Self::verify_under(bytes, roster, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_under<P: Policy>(bytes: &[u8], roster: &Roster, policy: P) -> Result<Self, Refused> {
        policy.require(bytes.len() <= SUCCESSION_BYTES_MAX, Check::SizeLimit, "succession")?;
        let (payload, signatures) = read_signed(bytes, 2, "succession", policy)?;
        let &[new, by] = signatures.as_slice() else {
            return Err(Refused { check: Check::Shape, what: "signatures" });
        };
        let said = Payload::read(payload, policy)?;
        let party = said.check(roster, policy)?;
        let signer = said.signer_of(new, payload, policy)?;
        policy.require(signer == said.new, Check::SuccessionSignatures, "new key")?;
        let signed = said.check_old(by, payload, roster, policy)?;
        let Payload { mission: _, old, new, heads } = said;
        let party = signed.or(party).unwrap_or(PartyNumber(0));
        let is_by_party = signed.is_some();
        Ok(Self { id: StatementId::of(bytes), bytes: bytes.to_vec(), party, is_by_party, old, new, heads })
    }

    /// Its id.
    pub fn id(&self) -> StatementId {
        self.id
    }

    /// The bytes as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The party that certified both keys; if there are several, the one that signed, or that with the lowest number.
    pub fn party(&self) -> PartyNumber {
        self.party
    }

    /// Whether the party signed in the place of the old key.
    pub fn is_by_party(&self) -> bool {
        self.is_by_party
    }

    /// The key before.
    pub fn old(&self) -> &[u8; KEY_BYTES] {
        &self.old
    }

    /// The key after.
    pub fn new_key(&self) -> &[u8; KEY_BYTES] {
        &self.new
    }

    /// The last entries of the old key's logs that are acknowledged, ascending by (scope, epoch).
    pub fn heads(&self) -> &[LogHead] {
        &self.heads
    }
}

#[derive(Clone, Debug)]
struct Payload {
    mission: MissionId,
    old: [u8; KEY_BYTES],
    new: [u8; KEY_BYTES],
    heads: Vec<LogHead>,
}

fn encode(mission: MissionId, draft: &SuccessionDraft<'_>) -> Vec<u8> {
    let SuccessionDraft { old, new, heads } = draft;
    let mut heads = heads.to_vec();
    heads.sort_by_key(LogHead::log);
    let mut writer = Writer::new();
    writer.map(4).uint(1).bytes(mission.as_bytes()).uint(2).bytes(*old).uint(3).bytes(*new);
    writer.uint(4).array(heads.len());
    for head in &heads {
        head.encode(&mut writer);
    }
    writer.finish()
}

impl Payload {
    fn read<P: Policy>(payload: &[u8], policy: P) -> Result<Self, Refused> {
        let mut reader = Reader::with(payload, policy);
        let (mut mission, mut old, mut new, mut heads) = (None, None, None, None);
        let mut fields = reader.map("succession")?;
        while let Some(key) = fields.next(&mut reader)? {
            match key {
                1 => mission = Some(MissionId::from_bytes(reader.array_of("mission")?)),
                2 => old = Some(reader.array_of("old key")?),
                3 => new = Some(reader.array_of("new key")?),
                4 => heads = Some(LogHead::decode_list(&mut reader, KEPT_MAX, "heads")?),
                _ => return Err(Refused { check: Check::Shape, what: "succession" }),
            }
        }
        reader.finish("succession")?;
        let (mission, old) = (present(mission, "mission")?, present(old, "old key")?);
        Ok(Self { mission, old, new: present(new, "new key")?, heads: present(heads, "heads")? })
    }

    /// The first party that certified both keys.
    fn check<P: Policy>(&self, roster: &Roster, policy: P) -> Result<Option<PartyNumber>, Refused> {
        policy.require(self.mission == roster.mission(), Check::MissionMismatch, "succession")?;
        policy.require(self.old != self.new, Check::SuccessionOrder, "keys")?;
        policy.require(self.heads.is_sorted_by(|a, b| a.log() < b.log()), Check::SuccessionOrder, "heads")?;
        let party = self.parties(roster).into_iter().min();
        policy.require(party.is_some(), Check::SuccessionKeys, "keys")?;
        Ok(party)
    }

    /// The parties that certified both keys.
    fn parties(&self, roster: &Roster) -> Vec<PartyNumber> {
        let of_new: Vec<PartyNumber> = roster.certificates_of(&self.new).map(|held| held.party()).collect();
        roster.certificates_of(&self.old).map(|held| held.party()).filter(|party| of_new.contains(party)).collect()
    }

    fn signer_of<P: Policy>(&self, signature: &[u8], payload: &[u8], policy: P) -> Result<[u8; KEY_BYTES], Refused> {
        let envelope = Envelope::decode_under(Label::Succession, signature, policy)?;
        let (signer, signed) = envelope.open_under(&mut KeyCache::with_capacity(1), policy)?;
        policy.require(signed == sha256(&[payload]), Check::SuccessionSignatures, "signed hash")?;
        Ok(*signer.as_bytes())
    }

    /// The party, if it is its root key that signed in the place of the old key.
    fn check_old<P: Policy>(
        &self,
        signature: &[u8],
        payload: &[u8],
        roster: &Roster,
        policy: P,
    ) -> Result<Option<PartyNumber>, Refused> {
        let signer = self.signer_of(signature, payload, policy)?;
        if signer == self.old {
            return Ok(None);
        }
        let party = roster.charter().party_by_root(&signer);
        let is_own = party.is_some_and(|party| self.parties(roster).contains(&party));
        policy.require(is_own, Check::SuccessionSignatures, "old key")?;
        Ok(party)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::{certificate, key, roster};
    use crate::roster::{Class, Role};

    fn held() -> Roster {
        let own = [30, 31, 32].map(|seed| certificate(1, seed, Role::Observer));
        let mut roster = roster(&own);
        let other = certificate(2, 33, Role::Observer);
        roster.admit(Class::Certificate, other.as_bytes()).expect("well formed");
        roster
    }

    fn public(seed: u8) -> [u8; KEY_BYTES] {
        *key(seed).public().as_bytes()
    }

    fn begin(roster: &Roster, by: u8, old: u8, new: u8) -> Result<ProposedSuccession, Check> {
        let draft = SuccessionDraft { old: &public(old), new: &public(new), heads: &[] };
        ProposedSuccession::begin(roster, &key(by), &draft).map_err(|error| match error {
            MakeError::Refused(refused) => refused.check,
            MakeError::Signer(_) => panic!("the key signs"),
        })
    }

    #[test]
    fn the_old_key_or_the_party_and_the_new_key_make_two_keys_one_observers() {
        let mut roster = held();
        for (by, old, new, is_by_party) in [(30, 30, 31, false), (1, 31, 32, true)] {
            let half = begin(&roster, by, old, new).expect("it signs");
            let half = ProposedSuccession::decode(&half.encode(), &roster).expect("it reads back");
            let made = half.complete(&roster, &key(new)).expect("the new key signs");
            assert_eq!((made.is_by_party(), made.party()), (is_by_party, PartyNumber(1)));
            assert!(half.complete(&roster, &key(33)).is_err(), "another key in its place");
            roster.admit(Class::Succession, made.as_bytes()).expect("well formed");
        }
        let same = [30, 31, 32].map(public).into_iter().collect();
        assert!([30, 31, 32].into_iter().all(|seed| roster.same_observer(&public(seed)) == same));
        assert_eq!(roster.same_observer(&public(33)).len(), 1);
    }

    #[test]
    fn nobody_else_makes_two_keys_one_observers() {
        let roster = held();
        let check = |by, old, new| begin(&roster, by, old, new).err();
        assert_eq!(check(2, 30, 31), Some(Check::SuccessionSignatures), "another party");
        assert_eq!(check(31, 30, 31), Some(Check::SuccessionSignatures), "the new key alone");
        assert_eq!(check(30, 30, 30), Some(Check::SuccessionOrder));
        assert_eq!(check(30, 30, 33), Some(Check::SuccessionKeys), "a key of another party");
        assert_eq!(check(34, 34, 30), Some(Check::SuccessionKeys), "a key that nobody certified");
    }
}
