//! Signatures of parties over the hash of one payload, gathered one after the other: what agreed cuts and erasures share.

use std::collections::BTreeMap;

use super::signed::{Wanted, read_signed, verify_signatures, write_signed};
use super::{CompleteCharter, MakeError, PartyNumber};
use crate::check::{Check, Policy, Refused};
use crate::cose::{self, Label};
use crate::id::sha256;
use crate::key::Signer;

/// A payload and the signatures of parties over its hash, each of them verified.
#[derive(Clone, Debug)]
pub(crate) struct Gathered {
    label: Label,
    /// The check that refuses whatever is wrong with the signatures.
    by: Check,
    payload: Vec<u8>,
    signatures: BTreeMap<PartyNumber, Vec<u8>>,
}

/// How the bytes of such a statement are read: at most so many signatures, and `what` names it where it is refused.
pub(crate) struct GatheredKind {
    pub(crate) label: Label,
    pub(crate) by: Check,
    pub(crate) signatures_max: usize,
    pub(crate) what: &'static str,
}

impl Gathered {
    /// Signed by nobody yet.
    pub(crate) fn new(kind: &GatheredKind, payload: Vec<u8>) -> Self {
        Self { label: kind.label, by: kind.by, payload, signatures: BTreeMap::new() }
    }

    /// Reads `[payload, [+ signature]]`. The payload is judged by `judge`, before any signature is.
    pub(crate) fn decode<T, P: Policy>(
        kind: &GatheredKind,
        bytes: &[u8],
        charter: &CompleteCharter,
        policy: P,
        judge: impl FnOnce(&[u8]) -> Result<T, Refused>,
    ) -> Result<(Self, T), Refused> {
        let (payload, envelopes) = read_signed(bytes, kind.signatures_max, kind.what, policy)?;
        let judged = judge(payload)?;
        let hash = sha256(&[payload]);
        let wanted = Wanted { label: kind.label, payload: &hash, by_others: kind.by, of_others: kind.by };
        let signatures = verify_signatures(&wanted, &envelopes, |key| charter.root_of(key), policy)?;
        Ok((Self { signatures, ..Self::new(kind, payload.to_vec()) }, judged))
    }

    /// Adds the signature of the party whose root key `signer` holds; signing again changes nothing.
    pub(crate) fn sign(&mut self, charter: &CompleteCharter, signer: &dyn Signer) -> Result<PartyNumber, MakeError> {
        let foreign = Refused { check: self.by, what: "signer" };
        let party = charter.party_by_root(signer.public().as_bytes()).ok_or(foreign)?;
        let signature = cose::sign(self.label, signer, &sha256(&[&self.payload]))?;
        self.signatures.entry(party).or_insert(signature);
        Ok(party)
    }

    /// The parties that signed so far, ascending.
    pub(crate) fn parties(&self) -> impl Iterator<Item = PartyNumber> {
        self.signatures.keys().copied()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        write_signed(&self.payload, self.signatures.values())
    }
}
