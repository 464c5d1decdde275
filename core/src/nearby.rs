//! What a device says of itself on a local network, so that members of its mission know it and bystanders do not
//! (`spec/nearby.md`). Nothing here is sent; `merestone-link` carries it.

use crate::id::sha256;
use crate::roster::CompleteCharter;

/// Bytes that are drawn anew for each advertisement.
pub const SALT_BYTES: usize = 16;
const CHECK_BYTES: usize = 8;
/// Length of an [`Advert`] as bytes.
pub const ADVERT_BYTES: usize = SALT_BYTES + 32 + CHECK_BYTES;

/// One advertisement: a transport key that only those can read who hold the charter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert([u8; ADVERT_BYTES]);

impl Advert {
    /// Hides `transport` under what the charter's holders know and `salt`, which must be random and used once.
    pub fn make(charter: &CompleteCharter, transport: &[u8; 32], salt: [u8; SALT_BYTES]) -> Self {
        let secret = secret(charter);
        let mut hidden = pad(&secret, &salt);
        hidden.iter_mut().zip(transport).for_each(|(byte, key)| *byte ^= key);
        let mut bytes = [0; ADVERT_BYTES];
        bytes[..SALT_BYTES].copy_from_slice(&salt);
        bytes[SALT_BYTES..SALT_BYTES + 32].copy_from_slice(&hidden);
        bytes[SALT_BYTES + 32..].copy_from_slice(&check(&secret, &salt, transport));
        Self(bytes)
    }

    /// An advertisement as it was heard; `None` if it has another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; ADVERT_BYTES] {
        &self.0
    }

    /// The transport key of a device of this charter's mission; `None` if it is of another mission or of nobody.
    pub fn recognise(&self, charter: &CompleteCharter) -> Option<[u8; 32]> {
        let secret = secret(charter);
        let (salt, rest) = self.0.split_first_chunk::<SALT_BYTES>()?;
        let (hidden, said) = rest.split_first_chunk::<32>()?;
        let mut transport = pad(&secret, salt);
        transport.iter_mut().zip(hidden).for_each(|(byte, other)| *byte ^= other);
        (check(&secret, salt, &transport) == *said).then_some(transport)
    }
}

/// The charter's payload and not its hash: the mission id stands in every publication.
fn secret(charter: &CompleteCharter) -> [u8; 32] {
    sha256(&[b"merestone/nearby/v1", charter.payload()])
}

fn pad(secret: &[u8; 32], salt: &[u8; SALT_BYTES]) -> [u8; 32] {
    sha256(&[b"merestone/nearby/pad/v1", secret, salt])
}

fn check(secret: &[u8; 32], salt: &[u8; SALT_BYTES], transport: &[u8; 32]) -> [u8; CHECK_BYTES] {
    let digest = sha256(&[b"merestone/nearby/check/v1", secret, salt, transport]);
    let mut out = [0; CHECK_BYTES];
    out.copy_from_slice(&digest[..CHECK_BYTES]);
    out
}
