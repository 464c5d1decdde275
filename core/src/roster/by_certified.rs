//! Statements that a certified key signs and that name its certificate: receipts and acknowledgements.

use super::certificate::{Certificate, Role};
use super::statements::Roster;
use crate::check::{Check, Policy, Refused};
use crate::cose::{Envelope, Label};
use crate::id::StatementId;
use crate::key::PublicKey;

/// What such a statement is.
pub(crate) struct ByCertified {
    pub(crate) label: Label,
    pub(crate) bytes_max: usize,
    /// The check that refuses a signer who was not entitled to it.
    pub(crate) by: Check,
    /// Whether a role entitles to it.
    pub(crate) grants: fn(Role) -> bool,
    /// What it is called where it is refused.
    pub(crate) what: &'static str,
}

impl ByCertified {
    /// The signer and what it signed. Who no certificate names is refused unread.
    pub(crate) fn open<'a, P: Policy>(
        &self,
        bytes: &'a [u8],
        roster: &Roster,
        policy: P,
    ) -> Result<(PublicKey, &'a [u8]), Refused> {
        policy.require(bytes.len() <= self.bytes_max, Check::SizeLimit, self.what)?;
        let envelope = Envelope::decode_under(self.label, bytes, policy)?;
        envelope.check_payload_encoding(policy)?;
        // The key was admitted with its certificate, so it is looked up there instead of being admitted again.
        let held = roster.certificates_of(envelope.kid()).next();
        let signer = *held.ok_or(Refused { check: self.by, what: "signer" })?.key();
        Ok((signer, envelope.verify_under(&signer, policy)?))
    }

    /// The certificate that the statement names: one of the signer's, of a role that entitles to it.
    pub(crate) fn certificate<'r, P: Policy>(
        &self,
        named: StatementId,
        signer: &PublicKey,
        roster: &'r Roster,
        policy: P,
    ) -> Result<&'r Certificate, Refused> {
        let held = roster.certificate(named).ok_or(Refused { check: self.by, what: "certificate" })?;
        policy.require(held.key() == signer, self.by, "certificate's key")?;
        policy.require((self.grants)(held.role()), self.by, "role")?;
        Ok(held)
    }
}
