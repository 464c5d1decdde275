//! Who signed an amendment: enough parties of the charter it builds on, and everybody whose root key it brings in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Changes, Payload};
use crate::check::{Check, Full, Policy, Refused};
use crate::cose::{self, Envelope, Label};
use crate::id::{CharterId, MissionId, StatementId, sha256};
use crate::key::{KEY_BYTES, PublicKey, Signer};
use crate::roster::charter::{PARTIES_MAX, Party};
use crate::roster::signed::{read_signed, write_signed};
use crate::roster::{CompleteCharter, MakeError, PartyNumber};

/// Largest amendment with its signatures, in bytes: that of a charter.
pub const AMENDMENT_BYTES_MAX: usize = 65_536;

/// One who may sign: a party of the charter before, or, in the second place, one whose root key comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seat {
    comes_in: bool,
    party: PartyNumber,
}

/// An amendment with the signatures gathered so far, each of them verified.
#[derive(Clone, Debug)]
pub struct ProposedAmendment {
    payload: Vec<u8>,
    changes: Changes,
    predecessor: Arc<CompleteCharter>,
    amended: CompleteCharter,
    signatures: BTreeMap<Seat, Vec<u8>>,
}

impl ProposedAmendment {
    /// An amendment of `charter` that its first party signs.
    ///
    /// # Errors
    /// What [`Amendment::verify`] would refuse, but for the missing signatures; or if the signer does not sign.
    pub fn begin(charter: &CompleteCharter, signer: &dyn Signer, changes: &Changes) -> Result<Self, MakeError> {
        let payload = changes.encode(charter.mission(), charter.id());
        let mut proposed = Self::read(payload, &Arc::new(charter.clone()), Full)?;
        proposed.sign(signer)?;
        Full.require(proposed.encode().len() <= AMENDMENT_BYTES_MAX, Check::SizeLimit, "amendment")?;
        Ok(proposed)
    }

    /// Reads an amendment of `charter` and verifies the signatures it carries, be they enough or not.
    ///
    /// # Errors
    /// As [`Amendment::verify`], but for missing signatures.
    pub fn decode(bytes: &[u8], charter: &Arc<CompleteCharter>) -> Result<Self, Refused> {
        Self::decode_under(bytes, charter, Full)
    }

    fn decode_under<P: Policy>(bytes: &[u8], charter: &Arc<CompleteCharter>, policy: P) -> Result<Self, Refused> {
        policy.require(bytes.len() <= AMENDMENT_BYTES_MAX, Check::SizeLimit, "amendment")?;
        let (payload, envelopes) = read_signed(bytes, 2 * PARTIES_MAX, "amendment", policy)?;
        let mut proposed = Self::read(payload.to_vec(), charter, policy)?;
        proposed.verify_signatures(&envelopes, policy)?;
        Ok(proposed)
    }

    fn read<P: Policy>(payload: Vec<u8>, charter: &Arc<CompleteCharter>, policy: P) -> Result<Self, Refused> {
        let said = Payload::read(&payload, policy)?;
        policy.require(said.mission == charter.mission(), Check::MissionMismatch, "amendment")?;
        policy.require(said.predecessor == charter.id(), Check::AmendmentPredecessor, "charter")?;
        let changes = said.admit_keys(policy)?;
        let amended = charter.amended(&changes, CharterId::from_bytes(sha256(&[&payload])), policy)?;
        Ok(Self { payload, changes, predecessor: Arc::clone(charter), amended, signatures: BTreeMap::new() })
    }

    fn verify_signatures<P: Policy>(&mut self, envelopes: &[&[u8]], policy: P) -> Result<(), Refused> {
        let signatures = Check::AmendmentSignatures;
        let mut last = None;
        for &bytes in envelopes {
            let envelope = Envelope::decode_under(Label::Amendment, bytes, policy)?;
            let Some((seat, root)) = self.seat_of(envelope.kid()) else {
                policy.require(false, signatures, "signer")?;
                continue;
            };
            policy.require(last.is_none_or(|last| last < seat), signatures, "order")?;
            last = Some(seat);
            let signed = envelope.verify_under(&root, policy)?;
            policy.require(signed == self.id().as_bytes(), signatures, "signed hash")?;
            self.signatures.entry(seat).or_insert_with(|| bytes.to_vec());
        }
        Ok(())
    }

    /// Adds the signature of the party whose root key `signer` holds; signing again changes nothing.
    ///
    /// # Errors
    /// `amendment-signatures` if the key is no party's of the charter before, nor one that comes in; or if it does not sign.
    pub fn sign(&mut self, signer: &dyn Signer) -> Result<PartyNumber, MakeError> {
        let foreign = Refused { check: Check::AmendmentSignatures, what: "signer" };
        let (seat, _) = self.seat_of(signer.public().as_bytes()).ok_or(foreign)?;
        let signature = cose::sign(Label::Amendment, signer, self.id().as_bytes())?;
        self.signatures.entry(seat).or_insert(signature);
        Ok(seat.party)
    }

    /// Takes over the signatures of another copy.
    ///
    /// # Errors
    /// `amendment-signatures` if it is another amendment.
    pub fn merge(&mut self, other: Self) -> Result<(), Refused> {
        Full.require(other.id() == self.id(), Check::AmendmentSignatures, "amendment")?;
        for (seat, signature) in other.signatures {
            self.signatures.entry(seat).or_insert(signature);
        }
        Ok(())
    }

    fn seat_of(&self, key: &[u8; KEY_BYTES]) -> Option<(Seat, PublicKey)> {
        let before = self.predecessor.charter().root_of(key).map(|found| (false, found));
        let incoming = || self.incoming().find(|party| party.root.as_bytes() == key);
        let found = before.or_else(|| incoming().map(|party| (true, (party.number, party.root))));
        found.map(|(comes_in, (party, root))| (Seat { comes_in, party }, root))
    }

    /// The parties whose root key is not that of a party before: they join, or replace it.
    fn incoming(&self) -> impl Iterator<Item = &Party> {
        let before = self.predecessor.charter();
        let is_new = |party: &&Party| before.party(party.number).is_none_or(|held| held.root != party.root);
        self.changes.parties.iter().filter(is_new)
    }

    /// The id of the charter as it stands after it.
    pub fn id(&self) -> CharterId {
        self.amended.id()
    }

    /// What it changes.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The charter it builds on.
    pub fn predecessor(&self) -> &CompleteCharter {
        &self.predecessor
    }

    /// The charter as it would stand.
    pub fn amended(&self) -> &CompleteCharter {
        &self.amended
    }

    /// The parties of the charter before that signed, ascending.
    pub fn parties(&self) -> impl Iterator<Item = PartyNumber> {
        self.signatures.keys().filter(|seat| !seat.comes_in).map(|seat| seat.party)
    }

    /// The parties without whose signature it is none, and which have not signed: those whose root key it brings in, each with
    /// that key, and those whose root key it replaces, with the old one.
    pub fn missing(&self) -> Vec<(PartyNumber, PublicKey)> {
        let mut missing = Vec::new();
        for party in self.incoming() {
            let held = self.predecessor.charter().party(party.number);
            let old = held.map(|held| (Seat { comes_in: false, party: party.number }, held.root));
            let new = (Seat { comes_in: true, party: party.number }, party.root);
            let open = old.into_iter().chain([new]).filter(|(seat, _)| !self.signatures.contains_key(seat));
            missing.extend(open.map(|(seat, root)| (seat.party, root)));
        }
        missing
    }

    /// How many more parties of the charter before have to sign.
    pub fn lacks(&self) -> u64 {
        self.predecessor.amending().saturating_sub(self.parties().count() as u64)
    }

    /// The bytes to send.
    pub fn encode(&self) -> Vec<u8> {
        write_signed(&self.payload, self.signatures.values())
    }

    /// The amendment, if enough parties signed.
    ///
    /// # Errors
    /// `amendment-quorum`.
    pub fn complete(self) -> Result<Amendment, Refused> {
        let bytes = self.encode();
        self.complete_under(&bytes, Full)
    }

    fn complete_under<P: Policy>(self, bytes: &[u8], policy: P) -> Result<Amendment, Refused> {
        policy.require(self.lacks() == 0, Check::AmendmentQuorum, "signatures")?;
        policy.require(self.missing().is_empty(), Check::AmendmentQuorum, "key that comes in or is replaced")?;
        let signers = self.parties().collect();
        let Self { payload: _, changes, predecessor, amended, signatures: _ } = self;
        let predecessor = predecessor.id();
        let id = StatementId::of(bytes);
        Ok(Amendment { id, bytes: bytes.to_vec(), predecessor, changes, signers, amended: Arc::new(amended) })
    }
}

/// An amendment that enough parties signed.
#[derive(Clone, Debug)]
pub struct Amendment {
    id: StatementId,
    bytes: Vec<u8>,
    predecessor: CharterId,
    changes: Changes,
    signers: BTreeSet<PartyNumber>,
    amended: Arc<CompleteCharter>,
}

impl Amendment {
    /// Verifies an amendment of `charter`.
    ///
    /// # Errors
    /// `size-limit`, an encoding code, `shape`, `mission-mismatch`, `amendment-predecessor`, a key code, `amendment-change`,
    /// `charter-order`, `charter-keys`, `amendment-note`, an envelope code, `amendment-signatures`, `signature-invalid` or
    /// `amendment-quorum`, in this order.
    pub fn verify(bytes: &[u8], charter: &Arc<CompleteCharter>) -> Result<Self, Refused> {
        Self::verify_under(bytes, charter, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_under<P: Policy>(bytes: &[u8], charter: &Arc<CompleteCharter>, policy: P) -> Result<Self, Refused> {
        ProposedAmendment::decode_under(bytes, charter, policy)?.complete_under(bytes, policy)
    }

    /// Which charter an amendment says it builds on, before anything of it is verified.
    ///
    /// # Errors
    /// `size-limit` or an encoding code.
    pub fn predecessor_in(bytes: &[u8]) -> Result<CharterId, Refused> {
        Ok(Self::named_under(bytes, Full)?.1)
    }

    /// Mission and predecessor.
    pub(super) fn named_under<P: Policy>(bytes: &[u8], policy: P) -> Result<(MissionId, CharterId), Refused> {
        policy.require(bytes.len() <= AMENDMENT_BYTES_MAX, Check::SizeLimit, "amendment")?;
        let (payload, _) = read_signed(bytes, 2 * PARTIES_MAX, "amendment", policy)?;
        let Payload { mission, predecessor, .. } = Payload::read(payload, policy)?;
        Ok((mission, predecessor))
    }

    /// Its id as a statement; others with other signatures may say the same.
    pub fn id(&self) -> StatementId {
        self.id
    }

    /// The bytes as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The charter it builds on.
    pub fn predecessor(&self) -> CharterId {
        self.predecessor
    }

    /// What it changes.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The parties of the charter before that signed it.
    pub fn signers(&self) -> &BTreeSet<PartyNumber> {
        &self.signers
    }

    /// The charter as it stands after it.
    pub fn amended(&self) -> &Arc<CompleteCharter> {
        &self.amended
    }
}
