//! The enrolment request: a device key asks a party to certify it, and proves that somebody holds it (`spec/roster.md`).

use super::attestation::Attestation;
use super::transfer::{self, Carried, MistypedText};
use super::{MakeError, present};
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::cose::{self, Envelope, Label};
use crate::id::{MissionId, sha256};
use crate::key::{KEY_BYTES, KeyCache, PublicKey, Signer};

/// Largest request, in bytes.
pub const REQUEST_BYTES_MAX: usize = 512;
/// Longest name of an observer or a device, in bytes.
pub const PERSON_BYTES_MAX: usize = 64;
/// How many words two people compare.
pub const WORDS: usize = 6;

/// What a device asks to be certified as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestDraft<'a> {
    /// The mission it wants to join.
    pub mission: MissionId,
    /// The device's transport public key.
    pub transport: [u8; 32],
    /// Who will sign with the key.
    pub observer: &'a str,
    /// What the device is called.
    pub device: &'a str,
    /// Random, so that asking again gives other words.
    pub nonce: [u8; 8],
    /// What the maker of the device says about the key, which travels beside the request.
    pub attestation: Option<Attestation>,
    /// The key of the same observer that this one is to follow.
    pub replaces: Option<[u8; KEY_BYTES]>,
}

/// A request whose signer proved to hold its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentRequest {
    bytes: Vec<u8>,
    key: PublicKey,
    mission: MissionId,
    transport: [u8; 32],
    observer: String,
    device: String,
    attestation: Option<Attestation>,
    replaces: Option<[u8; KEY_BYTES]>,
}

impl EnrolmentRequest {
    /// Makes a request for the signer's key: of version 1, unless it names an attestation or a key that it replaces.
    ///
    /// # Errors
    /// If a name is empty, too long or not as the spec wants text; or if the signer does not sign.
    pub fn make(draft: &RequestDraft<'_>, signer: &dyn Signer) -> Result<Self, MakeError> {
        let RequestDraft { mission, transport, observer, device, nonce, attestation, replaces } = draft;
        let more = usize::from(attestation.is_some()) + usize::from(replaces.is_some());
        let label = if more == 0 { Label::Request } else { Label::ExtendedRequest };
        let mut writer = Writer::new();
        writer.map(5 + more).uint(1).bytes(mission.as_bytes()).uint(2).bytes(transport);
        writer.uint(3).text(observer).uint(4).text(device).uint(5).bytes(nonce);
        if let Some(attestation) = attestation {
            writer.uint(6).array(2).uint(attestation.bytes()).bytes(attestation.digest());
        }
        if let Some(replaces) = replaces {
            writer.uint(7).bytes(replaces);
        }
        let payload = writer.finish();
        Payload::read(label, &payload, Full)?;
        let bytes = cose::sign(label, signer, &payload)?;
        Ok(Self::verify(&bytes, &mut KeyCache::with_capacity(1))?)
    }

    /// Reads a request and verifies that its signer holds the key.
    ///
    /// # Errors
    /// `size-limit`, an encoding or envelope code, a key code, `signature-invalid` or `shape`.
    pub fn verify(bytes: &[u8], keys: &mut KeyCache) -> Result<Self, Refused> {
        Self::verify_under(bytes, keys, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_under<P: Policy>(bytes: &[u8], keys: &mut KeyCache, policy: P) -> Result<Self, Refused> {
        policy.require(bytes.len() <= REQUEST_BYTES_MAX, Check::SizeLimit, "request")?;
        let (label, envelope) = Envelope::decode_one_of([Label::Request, Label::ExtendedRequest], bytes, policy)?;
        envelope.check_payload_encoding(policy)?;
        let (key, payload) = envelope.open_under(keys, policy)?;
        let payload = Payload::read(label, payload, policy)?;
        let Payload { mission, transport, observer, device, attestation, replaces } = payload;
        policy.require(replaces != Some(*key.as_bytes()), Check::Shape, "replaced key")?;
        Ok(Self { bytes: bytes.to_vec(), key, mission, transport, observer, device, attestation, replaces })
    }

    /// Reads a request from the text a device shows.
    ///
    /// # Errors
    /// What is mistyped, or why the request in it is refused.
    pub fn from_text(text: &str, keys: &mut KeyCache) -> Result<Self, ReadTextError> {
        Ok(Self::verify(&transfer::decode(Carried::Request, text)?, keys)?)
    }

    /// The text for a device to show.
    pub fn to_text(&self) -> String {
        transfer::encode(Carried::Request, &self.bytes)
    }

    /// The six words that two people compare by voice, as positions in the BIP-39 English list, each below 2,048.
    ///
    /// 66 bits: an impostor who wants a request with the same words tries 2^65 keys on average.
    pub fn words_bits(&self) -> [u16; WORDS] {
        let digest = sha256(&[b"merestone/words/v1", &self.bytes]);
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        let bits = u128::from_be_bytes(first);
        std::array::from_fn(|word| (bits >> (128 - 11 * (word + 1)) & 0x7ff) as u16)
    }

    /// The bytes as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key that asks.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The mission it wants to join.
    pub fn mission(&self) -> MissionId {
        self.mission
    }

    /// The device's transport public key.
    pub fn transport(&self) -> &[u8; 32] {
        &self.transport
    }

    /// Who signs with the key.
    pub fn observer(&self) -> &str {
        &self.observer
    }

    /// What the device is called.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// What the maker of the device says about the key, by its length and hash; nobody here checks what it says.
    pub fn attestation(&self) -> Option<&Attestation> {
        self.attestation.as_ref()
    }

    /// The key that this one is to follow, as the device says: a succession makes it so, not the request.
    pub fn replaces(&self) -> Option<&[u8; KEY_BYTES]> {
        self.replaces.as_ref()
    }
}

/// Why a text gave no request or certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadTextError {
    /// The text itself is wrong: scan or type it again.
    #[error(transparent)]
    Mistyped(#[from] MistypedText),
    /// The text is whole, and what it carries is refused: scanning it again does not help.
    #[error(transparent)]
    Refused(#[from] Refused),
}

struct Payload {
    mission: MissionId,
    transport: [u8; 32],
    observer: String,
    device: String,
    attestation: Option<Attestation>,
    replaces: Option<[u8; KEY_BYTES]>,
}

impl Payload {
    fn read<P: Policy>(label: Label, payload: &[u8], policy: P) -> Result<Self, Refused> {
        let is_extended = label == Label::ExtendedRequest;
        let mut reader = Reader::with(payload, policy);
        let (mut mission, mut transport, mut observer, mut device) = (None, None, None, None);
        let mut nonce: Option<[u8; 8]> = None;
        let (mut attestation, mut replaces) = (None, None);
        let mut fields = reader.map("request")?;
        while let Some(key) = fields.next(&mut reader)? {
            match key {
                1 => mission = Some(MissionId::from_bytes(reader.array_of("mission")?)),
                2 => transport = Some(reader.array_of("transport key")?),
                3 => observer = Some(read_person(&mut reader, "observer")?),
                4 => device = Some(read_person(&mut reader, "device")?),
                5 => nonce = Some(reader.array_of("nonce")?),
                6 if is_extended => attestation = Some(Attestation::read(&mut reader)?),
                7 if is_extended => replaces = Some(reader.array_of("replaced key")?),
                _ => return Err(Refused { check: Check::Shape, what: "request" }),
            }
        }
        reader.finish("request")?;
        present(nonce, "nonce")?;
        // One way to ask for the same: what names neither is of version 1.
        let names_more = attestation.is_some() || replaces.is_some();
        policy.require(names_more || !is_extended, Check::Shape, "request")?;
        Ok(Self {
            mission: present(mission, "mission")?,
            transport: present(transport, "transport key")?,
            observer: present(observer, "observer")?,
            device: present(device, "device")?,
            attestation,
            replaces,
        })
    }
}

fn read_person<P: Policy>(reader: &mut Reader<'_, P>, what: &'static str) -> Result<String, Refused> {
    let name = reader.text(PERSON_BYTES_MAX, what)?;
    reader.policy().require(!name.is_empty(), Check::Shape, what)?;
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::attestation::ATTESTATION_BYTES_MAX;
    use super::*;
    use crate::key::SigningKey;

    fn draft() -> RequestDraft<'static> {
        let (mission, transport) = (MissionId::from_bytes([1; 32]), [2; 32]);
        let (attestation, replaces) = (None, None);
        RequestDraft {
            mission,
            transport,
            observer: "Олена Ш.",
            device: "Phone 7",
            nonce: [3; 8],
            attestation,
            replaces,
        }
    }

    fn key() -> SigningKey {
        SigningKey::from_seed(&[5; 32])
    }

    #[test]
    fn a_request_travels_as_text_with_the_same_words() {
        let made = EnrolmentRequest::make(&draft(), &key()).expect("well formed");
        let read = EnrolmentRequest::from_text(&made.to_text(), &mut KeyCache::new()).expect("the same");
        assert_eq!(read, made);
        assert_eq!((read.observer(), read.device(), read.key()), ("Олена Ш.", "Phone 7", key().public()));
        assert_eq!(read.words_bits(), made.words_bits());
        let again = EnrolmentRequest::make(&RequestDraft { nonce: [4; 8], ..draft() }, &key()).expect("well formed");
        assert_ne!(again.words_bits(), made.words_bits());
    }

    #[test]
    fn words_are_the_first_66_bits_of_the_digest() {
        let request = EnrolmentRequest::make(&draft(), &key()).expect("well formed");
        let digest = sha256(&[b"merestone/words/v1", request.as_bytes()]);
        let bits: String = digest.iter().map(|byte| format!("{byte:08b}")).collect();
        let wanted: Vec<u16> = (0..6).map(|i| u16::from_str_radix(&bits[11 * i..11 * i + 11], 2).unwrap()).collect();
        assert_eq!(request.words_bits().to_vec(), wanted);
    }

    #[test]
    fn the_largest_request_fits_its_text_limit() {
        let name = "n".repeat(PERSON_BYTES_MAX);
        let draft = RequestDraft { observer: &name, device: &name, ..draft() };
        let request = EnrolmentRequest::make(&draft, &key()).expect("names at the limit");
        assert!(request.as_bytes().len() <= REQUEST_BYTES_MAX);
        assert!(request.to_text().len() <= transfer::TRANSFER_CHARS_MAX);
        let attestation = Attestation::of(&[7; ATTESTATION_BYTES_MAX]);
        let draft = RequestDraft { attestation, replaces: Some([9; 32]), ..draft };
        let request = EnrolmentRequest::make(&draft, &key()).expect("everything at its limit");
        assert!(request.as_bytes().len() <= REQUEST_BYTES_MAX);
        assert!(request.to_text().len() <= transfer::TRANSFER_CHARS_MAX);
    }

    #[test]
    fn the_words_cover_the_attestation_and_the_key_that_is_replaced() {
        let plain = EnrolmentRequest::make(&draft(), &key()).expect("well formed");
        let attested = RequestDraft { attestation: Attestation::of(b"chain"), ..draft() };
        let replacing = RequestDraft { replaces: Some([9; 32]), ..draft() };
        let other = RequestDraft { attestation: Attestation::of(b"other chain"), ..draft() };
        let mut words = vec![plain.words_bits()];
        for draft in [attested, replacing, other] {
            let made = EnrolmentRequest::make(&draft, &key()).expect("well formed");
            let read = EnrolmentRequest::verify(made.as_bytes(), &mut KeyCache::new()).expect("the same");
            assert_eq!((read.attestation(), read.replaces()), (draft.attestation.as_ref(), draft.replaces.as_ref()));
            words.push(made.words_bits());
        }
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 4);
        let itself = RequestDraft { replaces: Some(*key().public().as_bytes()), ..draft() };
        assert!(EnrolmentRequest::make(&itself, &key()).is_err());
    }

    #[test]
    fn malformed_requests_are_neither_made_nor_taken() {
        let long = "n".repeat(PERSON_BYTES_MAX + 1);
        for (name, wanted) in [("", Check::Shape), ("a\nb", Check::TextForbidden), (&long, Check::SizeLimit)] {
            let made = EnrolmentRequest::make(&RequestDraft { observer: name, ..draft() }, &key());
            let Err(MakeError::Refused(refused)) = made else { panic!("{name:?} was accepted") };
            assert_eq!(refused.check, wanted, "{name:?}");
        }
        let mut bytes = EnrolmentRequest::make(&draft(), &key()).expect("well formed").bytes;
        *bytes.last_mut().expect("not empty") ^= 1;
        let refused = EnrolmentRequest::verify(&bytes, &mut KeyCache::new()).expect_err("another signature");
        assert_eq!(refused.check, Check::SignatureInvalid);
        let entry = cose::sign(Label::Entry, &key(), b"\xa0").expect("signs");
        let refused = EnrolmentRequest::verify(&entry, &mut KeyCache::new()).expect_err("another label");
        assert_eq!(refused.check, Check::CoseType);
    }
}
