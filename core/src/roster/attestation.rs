//! What the maker of a device says about a key (`spec/roster.md`, Enrolment request): opaque here, named by length and hash.

use std::fmt;

use data_encoding::HEXLOWER;

use crate::cbor::Reader;
use crate::check::{Check, Policy, Refused};
use crate::id::sha256;

/// Largest attestation, in bytes: a chain of five X.509 certificates, each of about 1.5 KiB, as Android's key attestation
/// has at most; Apple's objects are smaller.
pub const ATTESTATION_BYTES_MAX: usize = 8_192;

/// Which attestation a request is made with. The attestation itself is a file beside the request.
///
/// Merestone checks no attestation: which makers a party believes is for it to say, and their formats change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attestation {
    bytes: u64,
    digest: [u8; 32],
}

impl Attestation {
    /// The name of an attestation; `None` if it is empty or larger than [`ATTESTATION_BYTES_MAX`].
    pub fn of(attestation: &[u8]) -> Option<Self> {
        let is_in_bounds = (1..=ATTESTATION_BYTES_MAX).contains(&attestation.len());
        is_in_bounds.then(|| Self { bytes: attestation.len() as u64, digest: sha256(&[attestation]) })
    }

    /// How long it is, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its SHA-256.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    pub(super) fn read<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Self, Refused> {
        reader.array_exact(2, "attestation")?;
        let bytes = reader.uint("attestation")?;
        let digest = reader.array_of("attestation")?;
        let policy = reader.policy();
        policy.require(bytes > 0, Check::Shape, "attestation")?;
        policy.require(bytes <= ATTESTATION_BYTES_MAX as u64, Check::SizeLimit, "attestation")?;
        reader.leave();
        Ok(Self { bytes, digest })
    }
}

/// What everybody who shows a request or certificate must say of it.
impl fmt::Display for Attestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, digest } = self;
        write!(f, "attestation: {bytes} bytes, not checked by Merestone; SHA-256 {}", HEXLOWER.encode(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attestation_is_neither_empty_nor_larger_than_its_limit() {
        for (bytes, is_taken) in
            [(0, false), (1, true), (ATTESTATION_BYTES_MAX, true), (ATTESTATION_BYTES_MAX + 1, false)]
        {
            let named = Attestation::of(&vec![7; bytes]);
            assert_eq!(named.map(|named| named.bytes()), is_taken.then_some(bytes as u64));
        }
    }
}
