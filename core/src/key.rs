//! Ed25519 keys: which public keys are admitted, who can sign, and the one predicate that decides about a signature.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use curve25519_dalek::constants::EIGHT_TORSION;
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};

use crate::check::{Check, Full, Policy, Refused};

/// Length of a public key, in bytes.
pub const KEY_BYTES: usize = 32;

/// Length of a signature, in bytes.
pub const SIGNATURE_BYTES: usize = 64;

/// An admitted public key (`spec/entry.md`, Keys and the signature predicate): the canonical encoding of a point
/// of the prime-order subgroup other than the identity.
///
/// Holds the decompressed point. Admission costs about as much as verifying a signature, so admit a key once
/// and keep it, for instance in a [`KeyCache`].
#[derive(Clone, Copy)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Admits the key with these bytes.
    ///
    /// # Errors
    /// `key-not-canonical`, `key-weak` or `key-mixed-order`.
    pub fn admit(bytes: &[u8; KEY_BYTES]) -> Result<Self, Refused> {
        Self::admit_under(bytes, Full)
    }

    /// The key of 64 hex digits; `None` for another text, and for bytes that are not [admitted](Self::admit).
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; KEY_BYTES];
        let is_whole = text.len() == 2 * KEY_BYTES;
        is_whole.then(|| data_encoding::HEXLOWER_PERMISSIVE.decode_mut(text.as_bytes(), &mut bytes).ok()).flatten()?;
        Self::admit(&bytes).ok()
    }

    /// [`admit`](Self::admit) under `policy`.
    ///
    /// # Errors
    /// As [`admit`](Self::admit); bytes that are no point at all are refused under any policy.
    pub fn admit_under<P: Policy>(bytes: &[u8; KEY_BYTES], policy: P) -> Result<Self, Refused> {
        let what = "public key";
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| Refused { check: Check::KeyNotCanonical, what })?;
        let point = key.to_edwards();
        policy.require(point.compress().as_bytes() == bytes, Check::KeyNotCanonical, what)?;
        policy.require(!point.is_small_order(), Check::KeyWeak, what)?;
        policy.require(point.is_torsion_free(), Check::KeyMixedOrder, what)?;
        Ok(Self(key))
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        self.0.as_bytes()
    }

    /// Verifies `signature` over exactly `message`, strictly.
    ///
    /// Statements are never verified with this directly but through [`cose`](crate::cose), which puts their label in front.
    ///
    /// # Errors
    /// `signature-invalid`.
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> Result<(), Refused> {
        self.verify_under(message, signature, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// `signature-invalid`.
    pub fn verify_under<P: Policy>(
        &self,
        message: &[u8],
        signature: &[u8; SIGNATURE_BYTES],
        policy: P,
    ) -> Result<(), Refused> {
        let valid = self.verify_strictly(message, signature);
        policy.require(valid, Check::SignatureInvalid, "signature")
    }

    /// Decides as `verify_strict` of ed25519-dalek does, without decompressing R, a sixth of its time.
    ///
    /// `verify` compares R with the compressed `[S]B - [k]A`. What equals it is the one canonical encoding of a point,
    /// so that R is of small order exactly if it is the canonical encoding of one of the eight such points.
    #[expect(clippy::disallowed_methods, reason = "the two checks that it lacks are made here")]
    fn verify_strictly(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        let is_small = SMALL_ORDER.iter().any(|point| signature[..32] == *point);
        !is_small && !self.0.is_weak() && self.0.verify(message, &Signature::from_bytes(signature)).is_ok()
    }
}

/// The canonical encodings of the points whose order divides eight.
static SMALL_ORDER: LazyLock<[[u8; 32]; 8]> = LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress().0));

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for PublicKey {}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl std::hash::Hash for PublicKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// All digits, lowercase hex.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// Admitted keys by their bytes, so that many signatures of one key pay for its admission once.
///
/// Refused keys are not remembered. A full cache forgets everything: whoever makes us admit that many keys
/// has already paid for it, and the keys in use come back at one admission each.
#[derive(Debug)]
pub struct KeyCache {
    keys: BTreeMap<[u8; KEY_BYTES], PublicKey>,
    keys_max: usize,
}

impl KeyCache {
    /// A cache of the usual size: 4,096 keys, under 1 MiB, a hundred times the phones of a mission.
    pub fn new() -> Self {
        Self::with_capacity(4_096)
    }

    /// A cache of at most `keys_max` keys, at least one.
    pub fn with_capacity(keys_max: usize) -> Self {
        Self { keys: BTreeMap::new(), keys_max: keys_max.max(1) }
    }

    /// The key with these bytes, admitted now or before.
    ///
    /// # Errors
    /// As [`PublicKey::admit`].
    pub fn admit(&mut self, bytes: &[u8; KEY_BYTES]) -> Result<PublicKey, Refused> {
        self.admit_under(bytes, Full)
    }

    /// [`admit`](Self::admit) under `policy`. A cache serves one policy only.
    ///
    /// # Errors
    /// As [`PublicKey::admit_under`].
    pub fn admit_under<P: Policy>(&mut self, bytes: &[u8; KEY_BYTES], policy: P) -> Result<PublicKey, Refused> {
        if let Some(&key) = self.keys.get(bytes) {
            return Ok(key);
        }
        let key = PublicKey::admit_under(bytes, policy)?;
        if self.keys.len() >= self.keys_max {
            self.keys.clear();
        }
        self.keys.insert(*bytes, key);
        Ok(key)
    }
}

impl Default for KeyCache {
    fn default() -> Self {
        Self::new()
    }
}

/// Whoever holds a private key: this process, or a keystore of the platform that never gives it out.
pub trait Signer {
    /// The public half.
    fn public(&self) -> &PublicKey;

    /// Signs exactly `message`.
    ///
    /// # Errors
    /// If the holder of the key does not sign now.
    fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], SignerUnavailable>;

    /// [`sign`](Self::sign), and makes sure that the signature is the key's before anybody relies on it: one that is not
    /// would end the chain it stands in, because nobody accepts what follows.
    ///
    /// A holder elsewhere may have used another key, so its signature is verified.
    ///
    /// # Errors
    /// As [`sign`](Self::sign), or if what was signed does not verify.
    fn sign_surely(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], SignerUnavailable> {
        let signature = self.sign(message)?;
        self.public().verify(message, &signature).map_err(|_| SignerUnavailable::NotNow)?;
        Ok(signature)
    }
}

/// The holder of a private key did not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerUnavailable {
    /// Not now, or it gave bytes that are no signature of its key.
    #[error("the signing key is not available")]
    NotNow,
    /// Never again: it does not have the key any more.
    #[error("the signing key is gone")]
    Gone,
}

/// A private key in memory, overwritten with zeros when dropped.
///
/// It is made from a seed and cannot be copied or read back: whoever stores the seed keeps it wrapped.
pub struct SigningKey {
    secret: ed25519_dalek::SigningKey,
    public: PublicKey,
}

impl SigningKey {
    /// The key of a 32-byte seed (RFC 8032 §5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        // A multiple of the base point by a clamped scalar is canonical and of prime order: nothing to check.
        let public = PublicKey(secret.verifying_key());
        Self { secret, public }
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs exactly `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        ed25519_dalek::Signer::sign(&self.secret, message).to_bytes()
    }
}

impl Signer for SigningKey {
    fn public(&self) -> &PublicKey {
        self.public()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], SignerUnavailable> {
        Ok(self.sign(message))
    }

    /// Signs twice. Ed25519 is deterministic and the public half was derived from this very seed, so a fault
    /// while signing shows as a difference; verifying would find the same and cost twice as much as the second signature,
    /// in every save of a person who waits.
    fn sign_surely(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], SignerUnavailable> {
        let signature = self.sign(message);
        if std::hint::black_box(self).sign(message) == signature {
            Ok(signature)
        } else {
            Err(SignerUnavailable::NotNow)
        }
    }
}

/// Shows the public half only.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::{EdwardsPoint, Scalar};
    use sha2::{Digest as _, Sha512};

    use super::*;

    /// L, the order of the prime-order subgroup, little-endian.
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];

    #[derive(Clone, Copy)]
    struct Without(Check);

    impl Policy for Without {
        fn enforces(self, check: Check) -> bool {
            check != self.0
        }
    }

    fn refused(bytes: &[u8; 32]) -> Option<Check> {
        PublicKey::admit(bytes).err().map(|refused| refused.check)
    }

    fn field_prime_plus(value: u8) -> [u8; 32] {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (0xed + value, 0x7f);
        bytes
    }

    #[test]
    fn keys_outside_the_prime_order_subgroup_are_refused() {
        let honest = *SigningKey::from_seed(&[7; 32]).public();
        assert_eq!(refused(honest.as_bytes()), None);
        for (order, torsion) in EIGHT_TORSION.iter().enumerate() {
            assert_eq!(refused(torsion.compress().as_bytes()), Some(Check::KeyWeak), "torsion point {order}");
            let mixed = (honest.0.to_edwards() + torsion).compress();
            let wanted = (order != 0).then_some(Check::KeyMixedOrder);
            assert_eq!(refused(mixed.as_bytes()), wanted, "honest key plus torsion point {order}");
        }
    }

    #[test]
    fn other_encodings_of_a_point_are_refused() {
        let mut negative_zero = [0; 32];
        (negative_zero[0], negative_zero[31]) = (1, 0x80);
        let mut no_point = [0; 32];
        no_point[0] = 2;
        for bytes in [field_prime_plus(0), field_prime_plus(1), field_prime_plus(18), negative_zero, no_point] {
            assert_eq!(refused(&bytes), Some(Check::KeyNotCanonical), "{bytes:02x?}");
        }
    }

    #[test]
    fn each_admission_check_refuses_alone() {
        let honest = SigningKey::from_seed(&[7; 32]).public().0.to_edwards();
        let rows = [
            (field_prime_plus(1), Check::KeyNotCanonical, Some(Check::KeyWeak)),
            (EIGHT_TORSION[0].compress().0, Check::KeyWeak, None),
            ((honest + EIGHT_TORSION[3]).compress().0, Check::KeyMixedOrder, None),
        ];
        for (bytes, dropped, next) in rows {
            assert_eq!(refused(&bytes), Some(dropped));
            let result = PublicKey::admit_under(&bytes, Without(dropped));
            assert_eq!(result.err().map(|refused| refused.check), next, "{dropped}");
        }
    }

    #[test]
    fn only_the_one_strict_signature_verifies() {
        let key = SigningKey::from_seed(&[9; 32]);
        let good = key.sign(b"message");
        assert_eq!(key.public().verify(b"message", &good), Ok(()));

        let mut rows = vec![("another message", *b"massage", good)];
        let mut high = good;
        let mut carry = 0;
        for (byte, l) in high[32..].iter_mut().zip(L) {
            let sum = u16::from(*byte) + u16::from(l) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        assert_eq!(carry, 0);
        rows.push(("S + L", *b"message", high));
        for point in EIGHT_TORSION {
            let mut small = good;
            small[..32].copy_from_slice(point.compress().as_bytes());
            rows.push(("R of small order", *b"message", small));
        }
        let mut flipped = good;
        flipped[0] ^= 1;
        rows.push(("another R", *b"message", flipped));
        for (name, message, signature) in rows {
            let result = key.public().verify(&message, &signature);
            assert_eq!(result.err().map(|refused| refused.check), Some(Check::SignatureInvalid), "{name}");
        }
    }

    /// Signs `message` as RFC 8032 does, with any bytes as R.
    fn sign_oddly(secret: Scalar, key: &VerifyingKey, r: [u8; 32], r_scalar: Scalar) -> [u8; 64] {
        let hash = Sha512::new().chain_update(r).chain_update(key.as_bytes()).chain_update(b"message").finalize();
        let k = Scalar::from_bytes_mod_order_wide(&hash.into());
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&r);
        signature[32..].copy_from_slice(&(r_scalar + k * secret).to_bytes());
        signature
    }

    /// The key of `secret` with one of the eight points of small order added.
    fn odd_key(secret: Scalar, torsion: u16) -> VerifyingKey {
        let point = EdwardsPoint::mul_base(&secret) + EIGHT_TORSION[usize::from(torsion) % 8];
        VerifyingKey::from_bytes(&point.compress().0).expect("the encoding of a point")
    }

    #[test]
    fn every_signature_is_judged_as_verify_strict_judges_it() {
        let mut accepted = 0;
        for case in 0..8 * 8 * 8 * 3u16 {
            let bit = |at: u16| case >> at & 1 == 1;
            let secret = Scalar::from(u64::from(case) + 2);
            let key = odd_key(secret, case >> 6);
            let r_scalar = if bit(0) { Scalar::ZERO } else { Scalar::from(u64::from(case) + 99) };
            let r = EdwardsPoint::mul_base(&r_scalar) + EIGHT_TORSION[usize::from(case >> 1) % 8];
            let mut r = r.compress().0;
            r[31] ^= u8::from(bit(4)) << 7;
            let mut signature = sign_oddly(secret, &key, r, r_scalar);
            if bit(5) {
                signature[usize::from(case) % 64] ^= 1;
            }
            let strict = key.verify_strict(b"message", &Signature::from_bytes(&signature)).is_ok();
            assert_eq!(PublicKey(key).verify(b"message", &signature).is_ok(), strict, "case {case}");
            accepted += u32::from(strict);
        }
        assert!(accepted > 10, "{accepted} are good");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "shows what it takes")]
    fn what_verify_takes_with_an_r_of_small_order_is_refused() {
        let secret = Scalar::from(77u8);
        let key = odd_key(secret, 0);
        let signature = sign_oddly(secret, &key, EIGHT_TORSION[0].compress().0, Scalar::ZERO);
        assert!(key.verify(b"message", &Signature::from_bytes(&signature)).is_ok(), "the looser predicate takes it");
        assert!(PublicKey(key).verify(b"message", &signature).is_err());
    }

    #[test]
    fn the_identity_key_signs_nothing_even_when_admitted() {
        // With A the identity, R = [S]B satisfies the equation for every message.
        let identity = EIGHT_TORSION[0].compress().0;
        let key = PublicKey::admit_under(&identity, Without(Check::KeyWeak)).expect("admitted without the check");
        let mut forged = [0; 64];
        forged[..32].copy_from_slice(curve25519_dalek::constants::ED25519_BASEPOINT_COMPRESSED.as_bytes());
        forged[32] = 1;
        let result = key.verify(b"anything", &forged);
        assert_eq!(result.err().map(|refused| refused.check), Some(Check::SignatureInvalid));
    }

    #[test]
    fn rfc_8032_test_2_verifies() {
        let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = SigningKey::from_seed(&seed);
        assert_eq!(key.public().to_string(), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let wanted: [u8; 64] = hex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        assert_eq!(key.sign(&[0x72]), wanted);
    }

    #[test]
    fn a_full_cache_still_admits_and_a_refused_key_stays_refused() {
        let mut cache = KeyCache::with_capacity(2);
        for seed in 0..5 {
            let key = *SigningKey::from_seed(&[seed; 32]).public();
            assert_eq!(cache.admit(key.as_bytes()), Ok(key));
            assert!(cache.keys.len() <= 2);
        }
        for _ in 0..2 {
            assert!(cache.admit(EIGHT_TORSION[1].compress().as_bytes()).is_err());
        }
    }

    #[test]
    fn a_signing_key_shows_its_public_half_only() {
        let key = SigningKey::from_seed(&[9; 32]);
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.public()));
    }

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).expect("hex");
        bytes.try_into().expect("the length asked for")
    }
}
