//! The envelope of every signed item: `COSE_Sign1` (RFC 9052 §4.2) in its only form (`spec/entry.md`, Envelope).
//!
//! ```text
//! bytes ──decode(label)──▶ Envelope ──verify(key)──▶ payload
//!                          who claims to have signed   who did
//! ```
//!
//! An [`Envelope`] has no way to its payload; only verification gives it out.

use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::id::{DIGEST_BYTES, sha256};
use crate::key::{KEY_BYTES, KeyCache, PublicKey, SIGNATURE_BYTES, Signer, SignerUnavailable};

/// COSE algorithm -19: Ed25519 (RFC 9864).
const ALGORITHM: i64 = -19;

/// COSE header parameters: algorithm, key id, type.
const PARAM_ALG: i64 = 1;
const PARAM_KID: i64 = 4;
const PARAM_TYP: i64 = 16;

/// What a signature is about: one label for each statement type, so that none passes as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// An entry header.
    Entry,
    /// A party's signature of the charter.
    Charter,
    /// An enrolment request.
    Request,
    /// A certificate.
    Certificate,
    /// A cut.
    Cut,
    /// A party's signature of an erasure.
    Erasure,
    /// A receipt.
    Receipt,
    /// A party's account of a publication.
    Publication,
    /// A party's signature of a cut that several parties decide.
    AgreedCut,
    /// An inclusion under a final checkpoint.
    Inclusion,
    /// That another party holds a cut.
    Acknowledgement,
    /// A key's or a party's signature of a succession.
    Succession,
    /// A party's signature of an amendment of the charter.
    Amendment,
    /// An enrolment request that names an attestation, or a key that it replaces.
    ExtendedRequest,
}

impl Label {
    /// Every label.
    pub const ALL: [Label; 14] = [
        Label::Entry,
        Label::Charter,
        Label::Request,
        Label::Certificate,
        Label::Cut,
        Label::Erasure,
        Label::Receipt,
        Label::Publication,
        Label::AgreedCut,
        Label::Inclusion,
        Label::Acknowledgement,
        Label::Succession,
        Label::Amendment,
        Label::ExtendedRequest,
    ];

    /// The value of `typ`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Label::Entry => "application/vnd.merestone.entry.v1",
            Label::Charter => "application/vnd.merestone.charter.v1",
            Label::Request => "application/vnd.merestone.request.v1",
            Label::Certificate => "application/vnd.merestone.certificate.v1",
            Label::Cut => "application/vnd.merestone.cut.v1",
            Label::Erasure => "application/vnd.merestone.erasure.v1",
            Label::Receipt => "application/vnd.merestone.receipt.v1",
            Label::Publication => "application/vnd.merestone.publication.v1",
            Label::AgreedCut => "application/vnd.merestone.cut.v2",
            Label::Inclusion => "application/vnd.merestone.inclusion.v1",
            Label::Acknowledgement => "application/vnd.merestone.acknowledgement.v1",
            Label::Succession => "application/vnd.merestone.succession.v1",
            Label::Amendment => "application/vnd.merestone.amendment.v1",
            Label::ExtendedRequest => "application/vnd.merestone.request.v2",
        }
    }
}

/// Signs `payload` as a statement of type `label` and gives the envelope's bytes.
///
/// The signature is made sure of before it is given out ([`Signer::sign_surely`]): a keystore that signs with another key,
/// or a fault while signing, must not become an entry in a chain.
///
/// # Errors
/// If the signer does not sign, or gives bytes that do not verify.
pub fn sign(label: Label, signer: &dyn Signer, payload: &[u8]) -> Result<Vec<u8>, SignerUnavailable> {
    let key = signer.public();
    let protected = protected_header(label, key.as_bytes());
    let message = sig_structure(&protected, payload);
    let signature = signer.sign_surely(&message)?;
    let mut writer = Writer::with_capacity(protected.len() + payload.len() + SIGNATURE_BYTES + 16);
    writer.array(4).bytes(&protected).map(0).bytes(payload).bytes(&signature);
    Ok(writer.finish())
}

/// A decoded envelope whose signature has not been verified: it says who claims to have signed, and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    protected: &'a [u8],
    kid: [u8; KEY_BYTES],
    payload: &'a [u8],
    signature: &'a [u8; SIGNATURE_BYTES],
}

impl<'a> Envelope<'a> {
    /// Decodes an envelope of type `label`.
    ///
    /// # Errors
    /// An encoding code, `shape`, `cose-algorithm`, `cose-unprotected` or `cose-type`, in this order.
    pub fn decode(label: Label, bytes: &'a [u8]) -> Result<Self, Refused> {
        Self::decode_under(label, bytes, Full)
    }

    /// [`decode`](Self::decode) under `policy`.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_under<P: Policy>(label: Label, bytes: &'a [u8], policy: P) -> Result<Self, Refused> {
        Ok(Self::decode_one_of([label], bytes, policy)?.1)
    }

    /// Decodes an envelope of one of the types `labels`, the versions of one statement, and says of which.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub(crate) fn decode_one_of<P: Policy, const N: usize>(
        labels: [Label; N],
        bytes: &'a [u8],
        policy: P,
    ) -> Result<(Label, Self), Refused> {
        check_encoding(bytes, policy, "envelope")?;
        let mut reader = Reader::with(bytes, policy);
        reader.array_exact(4, "envelope")?;
        let protected = reader.bytes("protected")?;
        let is_unprotected_empty = read_unprotected(&mut reader)?;
        let payload = reader.bytes("payload")?;
        let signature = reader.bytes("signature")?;
        let shape = |_| Refused { check: Check::Shape, what: "signature" };
        let signature = signature.try_into().map_err(shape)?;

        check_encoding(protected, policy, "protected")?;
        let Protected { algorithm, kid, typ } = Protected::decode(protected, policy)?;
        policy.require(algorithm == ALGORITHM, Check::CoseAlgorithm, "algorithm")?;
        policy.require(is_unprotected_empty, Check::CoseUnprotected, "unprotected")?;
        let named = labels.into_iter().find(|label| label.as_str() == typ);
        policy.require(named.is_some(), Check::CoseType, "typ")?;
        Ok((named.unwrap_or(labels[0]), Self { protected, kid, payload, signature }))
    }

    /// The public key that the envelope names as its signer's; not admitted yet, and nothing is proved.
    pub fn kid(&self) -> &[u8; KEY_BYTES] {
        &self.kid
    }

    /// SHA-256 of `domain` and the payload: a name for what it says, whoever signed it how often.
    pub fn payload_digest(&self, domain: &[u8]) -> [u8; DIGEST_BYTES] {
        sha256(&[domain, self.payload])
    }

    /// Checks that the payload is one deterministic CBOR item, which a verifier reports before anything about the signer.
    ///
    /// # Errors
    /// An encoding code.
    pub fn check_payload_encoding<P: Policy>(&self, policy: P) -> Result<(), Refused> {
        check_encoding(self.payload, policy, "payload")
    }

    /// The payload, if `key` is the one named and signed it.
    ///
    /// # Errors
    /// `signature-invalid`.
    pub fn verify(&self, key: &PublicKey) -> Result<&'a [u8], Refused> {
        self.verify_under(key, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// `signature-invalid`.
    pub fn verify_under<P: Policy>(&self, key: &PublicKey, policy: P) -> Result<&'a [u8], Refused> {
        policy.require(key.as_bytes() == &self.kid, Check::SignatureInvalid, "kid")?;
        key.verify_under(&sig_structure(self.protected, self.payload), self.signature, policy)?;
        Ok(self.payload)
    }

    /// The signer's key and the payload of an envelope whose bytes, signature and all, are known to have verified before.
    pub(crate) fn reopen(&self, keys: &mut KeyCache) -> Result<(PublicKey, &'a [u8]), Refused> {
        Ok((keys.admit(&self.kid)?, self.payload))
    }

    /// Admits the key that the envelope names and verifies with it: the signer and the payload.
    ///
    /// # Errors
    /// As [`PublicKey::admit`], then `signature-invalid`.
    pub fn open(&self, keys: &mut KeyCache) -> Result<(PublicKey, &'a [u8]), Refused> {
        self.open_under(keys, Full)
    }

    /// [`open`](Self::open) under `policy`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_under<P: Policy>(&self, keys: &mut KeyCache, policy: P) -> Result<(PublicKey, &'a [u8]), Refused> {
        let key = keys.admit_under(&self.kid, policy)?;
        Ok((key, self.verify_under(&key, policy)?))
    }
}

struct Protected<'a> {
    algorithm: i64,
    kid: [u8; KEY_BYTES],
    typ: &'a str,
}

impl<'a> Protected<'a> {
    fn decode<P: Policy>(bytes: &'a [u8], policy: P) -> Result<Self, Refused> {
        let mut reader = Reader::with(bytes, policy);
        let (mut algorithm, mut kid, mut typ) = (None, None, None);
        let mut fields = reader.map("protected")?;
        while let Some(key) = fields.next(&mut reader)? {
            match key {
                PARAM_ALG => algorithm = Some(reader.int("algorithm")?),
                PARAM_KID => kid = Some(reader.array_of("kid")?),
                PARAM_TYP => typ = Some(reader.text(usize::MAX, "typ")?),
                _ => return Err(Refused { check: Check::Shape, what: "protected" }),
            }
        }
        reader.finish("protected")?;
        let missing = |what| Refused { check: Check::Shape, what };
        Ok(Self {
            algorithm: algorithm.ok_or(missing("algorithm"))?,
            kid: kid.ok_or(missing("kid"))?,
            typ: typ.ok_or(missing("typ"))?,
        })
    }
}

fn read_unprotected<P: Policy>(reader: &mut Reader<'_, P>) -> Result<bool, Refused> {
    let mut fields = reader.map("unprotected")?;
    let mut is_empty = true;
    while fields.next(reader)?.is_some() {
        reader.skip("unprotected")?;
        is_empty = false;
    }
    Ok(is_empty)
}

/// Whether `bytes` are one item of deterministic CBOR, whatever it says.
pub(crate) fn check_encoding<P: Policy>(bytes: &[u8], policy: P, what: &'static str) -> Result<(), Refused> {
    let mut reader = Reader::with(bytes, policy);
    reader.skip(what)?;
    reader.finish(what)
}

pub(crate) fn protected_header(label: Label, kid: &[u8; KEY_BYTES]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(96);
    writer.map(3);
    writer.int(PARAM_ALG).int(ALGORITHM);
    writer.int(PARAM_KID).bytes(kid);
    writer.int(PARAM_TYP).text(label.as_str());
    writer.finish()
}

/// What is signed (RFC 9052 §4.4), without external data.
fn sig_structure(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(protected.len() + payload.len() + 32);
    writer.array(4).text("Signature1").bytes(protected).bytes(b"").bytes(payload);
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;

    fn key() -> SigningKey {
        SigningKey::from_seed(&[3; 32])
    }

    fn sealed(protected: &[u8], unprotected: &[u8], payload: &[u8]) -> Vec<u8> {
        let signature = key().sign(&sig_structure(protected, payload));
        let mut writer = Writer::new();
        writer.array(4).bytes(protected).raw(unprotected).bytes(payload).bytes(&signature);
        writer.finish()
    }

    fn open(label: Label, bytes: &[u8]) -> Result<(PublicKey, Vec<u8>), Check> {
        let opened = Envelope::decode(label, bytes).and_then(|envelope| envelope.open(&mut KeyCache::new()));
        opened.map(|(key, payload)| (key, payload.to_vec())).map_err(|refused| refused.check)
    }

    #[test]
    fn a_statement_opens_under_its_own_label_only() {
        for signed in Label::ALL {
            let bytes = sign(signed, &key(), b"payload").expect("a key in memory signs");
            assert_eq!(bytes, sealed(&protected_header(signed, key().public().as_bytes()), &[0xa0], b"payload"));
            for expected in Label::ALL {
                let wanted =
                    if signed == expected { Ok((*key().public(), b"payload".to_vec())) } else { Err(Check::CoseType) };
                assert_eq!(open(expected, &bytes), wanted);
            }
        }
    }

    #[test]
    fn the_layout_is_the_one_in_the_spec() {
        let bytes = sign(Label::Cut, &key(), &[1, 2]).expect("a key in memory signs");
        let kid = key().public().to_string();
        let typ = data_encoding::HEXLOWER.encode(b"application/vnd.merestone.cut.v1");
        let head = format!("845849a3013204 5820{kid} 107820{typ} a0 420102 5840").replace(' ', "");
        assert_eq!(data_encoding::HEXLOWER.encode(&bytes[..bytes.len() - 64]), head);
    }

    #[test]
    fn refusals_of_the_envelope() {
        let public = *key().public();
        let kid = public.as_bytes();
        let header = |alg: i64, typ: &str| {
            let mut writer = Writer::new();
            writer.map(3).int(1).int(alg).int(4).bytes(kid).int(16).text(typ);
            writer.finish()
        };
        let good = protected_header(Label::Entry, kid);
        let entry = Label::Entry.as_str();
        let mut extra = Writer::new();
        extra.map(4).int(1).int(-19).int(3).uint(0).int(4).bytes(kid).int(16).text(entry);
        let mut no_kid = Writer::new();
        no_kid.map(2).int(1).int(-19).int(16).text(entry);
        let mut unordered = Writer::new();
        unordered.map(3).int(4).bytes(kid).int(1).int(-19).int(16).text(entry);
        let mut twice = Writer::new();
        twice.map(4).int(1).int(-19).int(1).int(-19).int(4).bytes(kid).int(16).text(entry);
        let mut trailing = good.clone();
        trailing.push(0);
        let rows: &[(&str, Vec<u8>, Check)] = &[
            ("EdDSA", sealed(&header(-8, entry), &[0xa0], b""), Check::CoseAlgorithm),
            ("ES256", sealed(&header(-7, entry), &[0xa0], b""), Check::CoseAlgorithm),
            ("unprotected", sealed(&good, &[0xa1, 0x04, 0x00], b""), Check::CoseUnprotected),
            ("two faults: algorithm first", sealed(&header(-8, "x"), &[0xa1, 0x04, 0x00], b""), Check::CoseAlgorithm),
            ("two faults: encoding first", sealed(&header(-8, "x"), &[0xa1, 0x04, 0xc1], b""), Check::CborTag),
            ("typ", sealed(&header(-19, "x"), &[0xa0], b""), Check::CoseType),
            ("unknown parameter", sealed(&extra.finish(), &[0xa0], b""), Check::Shape),
            ("no kid", sealed(&no_kid.finish(), &[0xa0], b""), Check::Shape),
            ("protected order", sealed(&unordered.finish(), &[0xa0], b""), Check::CborKeyOrder),
            ("protected twice", sealed(&twice.finish(), &[0xa0], b""), Check::CborDuplicateKey),
            ("protected trailing", sealed(&trailing, &[0xa0], b""), Check::CborTrailing),
            ("empty protected", sealed(b"", &[0xa0], b""), Check::CborMalformed),
            ("unprotected no map", sealed(&good, &[0x80], b""), Check::Shape),
        ];
        for (name, bytes, wanted) in rows {
            assert_eq!(open(Label::Entry, bytes), Err(*wanted), "{name}");
        }
    }

    #[test]
    fn refusals_of_damaged_bytes() {
        let good = sign(Label::Entry, &key(), b"payload").expect("a key in memory signs");
        let mut tagged = vec![0xd2];
        tagged.extend(&good);
        let mut trailing = good.clone();
        trailing.push(0);
        let mut five = good.clone();
        five[0] = 0x85;
        five.push(0);
        let mut payload = good.clone();
        let at = good.len() - 66 - 7;
        payload[at] ^= 1;
        let mut signature = good.clone();
        *signature.last_mut().expect("not empty") ^= 0x80;
        let rows = [
            ("tag 18", tagged, Check::CborTag),
            ("trailing", trailing, Check::CborTrailing),
            ("five items", five, Check::Shape),
            ("payload", payload, Check::SignatureInvalid),
            ("S beyond L", signature, Check::SignatureInvalid),
            ("empty", Vec::new(), Check::CborMalformed),
        ];
        for (name, bytes, wanted) in rows {
            assert_eq!(open(Label::Entry, &bytes), Err(wanted), "{name}");
        }
        for len in 0..good.len() {
            assert_eq!(open(Label::Entry, &good[..len]), Err(Check::CborMalformed), "cut to {len} bytes");
        }
    }

    #[test]
    fn a_signature_counts_for_the_named_key_only() {
        let bytes = sign(Label::Entry, &key(), b"payload").expect("a key in memory signs");
        let envelope = Envelope::decode(Label::Entry, &bytes).expect("an envelope");
        let other = SigningKey::from_seed(&[4; 32]);
        assert_eq!(envelope.verify(key().public()), Ok(b"payload".as_slice()));
        assert_eq!(envelope.verify(other.public()), Err(Refused { check: Check::SignatureInvalid, what: "kid" }));
    }

    #[test]
    fn a_signer_that_signs_with_another_key_is_found_out() {
        struct Confused(SigningKey, SigningKey);
        impl Signer for Confused {
            fn public(&self) -> &PublicKey {
                self.0.public()
            }
            fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignerUnavailable> {
                Ok(self.1.sign(message))
            }
        }
        let signer = Confused(key(), SigningKey::from_seed(&[4; 32]));
        assert_eq!(sign(Label::Entry, &signer, b"payload"), Err(SignerUnavailable::NotNow));
    }
}
