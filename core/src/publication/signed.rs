//! The account's envelope: which party decided, and that it decided exactly this (`spec/publication.md`, Account).

use super::ACCOUNT_BYTES_MAX;
use super::account::Account;
use crate::check::{Check, Full, Policy, Refused};
use crate::cose::{self, Envelope, Label};
use crate::id::StatementId;
use crate::key::{KeyCache, Signer};
use crate::roster::{CompleteCharter, MakeError, PartyNumber};

/// An account whose signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAccount {
    id: StatementId,
    bytes: Vec<u8>,
    account: Account,
}

impl SignedAccount {
    /// Signs an account for the party whose root key `signer` holds; the party it names is put in.
    ///
    /// # Errors
    /// What [`verify`](Self::verify) would refuse; or if the signer does not sign.
    pub fn make(charter: &CompleteCharter, signer: &dyn Signer, account: Account) -> Result<Self, MakeError> {
        let party = charter.party_by_root(signer.public().as_bytes());
        let party = party.ok_or(Refused { check: Check::PublicationSigner, what: "signer" })?;
        let payload = Account { party, ..account }.encode(charter.mission());
        check(&Account::read(&payload, Full)?.1, charter, Full)?;
        let bytes = cose::sign(Label::Publication, signer, &payload)?;
        Ok(Self::verify(&bytes, charter)?)
    }

    /// Verifies an account under the mission's charter.
    ///
    /// # Errors
    /// The first failing check of `spec/publication.md`, Checks.
    pub fn verify(bytes: &[u8], charter: &CompleteCharter) -> Result<Self, Refused> {
        Self::verify_under(bytes, charter, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_under<P: Policy>(bytes: &[u8], charter: &CompleteCharter, policy: P) -> Result<Self, Refused> {
        policy.require(bytes.len() <= ACCOUNT_BYTES_MAX, Check::SizeLimit, "account")?;
        let envelope = Envelope::decode_under(Label::Publication, bytes, policy)?;
        envelope.check_payload_encoding(policy)?;
        let (signer, payload) = envelope.open_under(&mut KeyCache::with_capacity(1), policy)?;
        let (mission, account) = Account::read(payload, policy)?;
        policy.require(mission == charter.mission(), Check::MissionMismatch, "account")?;
        let party = charter.party_by_root(signer.as_bytes());
        policy.require(party == Some(account.party), Check::PublicationSigner, "signer")?;
        check(&account, charter, policy)?;
        Ok(Self { id: StatementId::of(bytes), bytes: bytes.to_vec(), account })
    }

    /// Its id.
    pub fn id(&self) -> StatementId {
        self.id
    }

    /// The bytes as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The party that decided.
    pub fn party(&self) -> PartyNumber {
        self.account.party
    }

    /// What it says.
    pub fn account(&self) -> &Account {
        &self.account
    }
}

fn check<P: Policy>(account: &Account, charter: &CompleteCharter, policy: P) -> Result<(), Refused> {
    let scopes = &account.scopes;
    let known = scopes.iter().all(|&scope| charter.charter().has_scope(scope));
    policy.require(known && scopes.is_sorted_by(|a, b| a < b), Check::PublicationScope, "scopes")?;
    let is_theirs = account.logs.iter().all(|log| scopes.contains(&log.scope));
    policy.require(is_theirs, Check::PublicationScope, "scope of a log")?;
    account.check_order(policy)
}
