//! Transport keys: which device is at the other end of a link, and nothing about who holds it.

use std::{fmt, sync::Arc};

use merestone_core::key::{PublicKey, SigningKey};

/// The secret half of a device's transport key.
///
/// It proves to a peer that both ends of a link are the ones they mean to be; it signs no record.
/// The secret is wiped from memory when this value and every [`Endpoint`](crate::Endpoint) bound
/// with it are gone.
pub struct TransportKey(Arc<SigningKey>);

/// The public half of a peer's transport key, as TLS proved it.
///
/// Proved means: whoever is at the other end can sign with it now. Whether that device belongs to
/// the mission is for the first frame (a certificate) to show.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey([u8; 32]);

/// An Ed25519 SubjectPublicKeyInfo (RFC 8410) up to the key: there is exactly one encoding, so a
/// comparison replaces a parser.
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl TransportKey {
    /// The key of this 32-byte Ed25519 seed (RFC 8032). Wiping the seed is the caller's part.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Arc::new(SigningKey::from_seed(seed)))
    }

    /// The same key for one more endpoint. The secret is wiped when the last of them is gone.
    #[must_use]
    pub fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// The half that peers see.
    pub fn public(&self) -> PeerKey {
        PeerKey(*self.0.public().as_bytes())
    }

    pub(crate) fn signing_key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for TransportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TransportKey").field(&self.public()).finish()
    }
}

impl PeerKey {
    /// The raw public key. Nothing is checked here: a key that no peer can prove simply never
    /// equals one that TLS reports.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The raw public key.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What TLS shows instead of a certificate (RFC 7250).
    pub(crate) fn to_spki(self) -> Vec<u8> {
        [SPKI_PREFIX.as_slice(), &self.0].concat()
    }

    /// Reads the 44 bytes that [`PeerKey::to_spki`] writes, and nothing else.
    ///
    /// Admitted like every other key of a mission; under a weak one, anybody's signature is valid.
    pub(crate) fn from_spki(spki: &[u8]) -> Option<Self> {
        let key = spki.strip_prefix(&SPKI_PREFIX)?.try_into().ok()?;
        PublicKey::admit(key).ok().map(|key| Self(*key.as_bytes()))
    }

    /// Whether the holder of this key signed `message`.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        PublicKey::admit(&self.0).is_ok_and(|key| key.verify(message, signature).is_ok())
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerKey(")?;
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032 §7.1, test 1.
    const SEED: [u8; 32] = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49,
        0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ];
    const PUBLIC_HEX: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    #[test]
    fn debug_shows_the_public_half_only() {
        let shown = format!("{:?}", TransportKey::from_seed(&SEED));
        assert_eq!(shown, format!("TransportKey(PeerKey({PUBLIC_HEX}))"));
    }

    #[test]
    fn a_key_survives_its_encoding() {
        let key = TransportKey::from_seed(&SEED).public();
        assert_eq!(key.to_spki().len(), 44);
        assert_eq!(PeerKey::from_spki(&key.to_spki()), Some(key));
    }

    #[test]
    fn anything_but_the_one_encoding_is_refused() {
        let good = TransportKey::from_seed(&SEED).public().to_spki();
        let mut longer = good.clone();
        longer.push(0);
        let mut other_algorithm = good.clone();
        other_algorithm[8] = 0x71; // Ed448
        let mut unused_bits = good.clone();
        unused_bits[11] = 1;
        for bad in [&good[..43], &longer, &other_algorithm, &unused_bits, &[]] {
            assert_eq!(PeerKey::from_spki(bad), None, "{bad:02x?}");
        }
    }

    #[test]
    fn keys_anybody_can_sign_with_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        for weak in [identity, [0; 32]] {
            assert_eq!(PeerKey::from_spki(&PeerKey::from_bytes(weak).to_spki()), None);
        }
    }
}
