//! Enrolment: a device asks, an officer of a party answers, and from then on the observer can sign.
//!
//! ```text
//! device                         officer (office.rs)
//! request ── text or QR ──▶ compares the six words that the observer reads aloud
//! accept  ◀── text or QR ── certify
//! ```

use merestone_core::Check;
use merestone_core::Refused;
use merestone_core::id::MissionId;
use merestone_core::key::{KeyCache, PublicKey};
use merestone_core::roster::{
    ATTESTATION_BYTES_MAX, Attestation, Certificate, Class, EnrolmentRequest, MakeError, MistypedText,
    PERSON_BYTES_MAX, ReadTextError, RequestDraft,
};

use crate::clock::NoEntropy;
use crate::device::{AccessError, Device, Observer};
use crate::qr::QrPicture;
use crate::vault::{KeystoreError, Vault, VaultError};

/// What a new observer asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// Who will sign with the key.
    pub observer: &'a str,
    /// What the device is called.
    pub device: &'a str,
    /// What the device's maker says about it, to be handed to the officer as a file beside the request; 8,192 bytes at most.
    pub attestation: Option<&'a [u8]>,
    /// The observer's key before, which the new one is to follow.
    pub replaces: Option<PublicKey>,
}

/// What a device shows to the officer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// The observer's new key. It is unlocked.
    pub key: PublicKey,
    /// The request as text, at most 1,200 characters.
    pub text: String,
    /// The six words that the observer reads aloud: the officer's device shows the same ones, or it read another request.
    pub words: [&'static str; 6],
    /// Which attestation it names.
    pub attestation: Option<Attestation>,
    /// Which key it is to follow.
    pub replaces: Option<PublicKey>,
}

impl Enrolment {
    pub(crate) fn of(request: &EnrolmentRequest) -> Self {
        let replaces = request.replaces().and_then(|key| PublicKey::admit(key).ok());
        let attestation = request.attestation().copied();
        Self { key: *request.key(), text: request.to_text(), words: words(request), attestation, replaces }
    }

    /// The text as a QR code; a text of 1,200 characters always fits one.
    pub fn qr(&self) -> Option<QrPicture> {
        QrPicture::of(&self.text)
    }
}

/// The six words of a request (`core/spec/roster.md`, Enrolment request).
pub fn words(request: &EnrolmentRequest) -> [&'static str; 6] {
    let list = bip39::Language::English.word_list();
    request.words_bits().map(|bits| list[usize::from(bits)])
}

/// No request was made.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// A name is empty, longer than 64 bytes, or holds what signed text must not.
    #[error("a name cannot be signed: {0}")]
    Name(Refused),
    /// The attestation is empty, or larger than a request may name.
    #[error("an attestation has 1 to {ATTESTATION_BYTES_MAX} bytes")]
    Attestation,
    /// As many observers as a device may have.
    #[error("this device has 64 observers already")]
    TooMany,
    /// The vault made no key.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// There are no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The store could not be used.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// A certificate was not accepted; nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The text is wrong: scan or type it again.
    #[error("the text is not whole: {0}")]
    Mistyped(MistypedText),
    /// It is a certificate of another mission.
    #[error("the certificate is not for mission {mission}")]
    OtherMission {
        /// This device's mission.
        mission: MissionId,
    },
    /// It is for a key that no observer of this device has.
    #[error("the certificate is for key {key}, which is not on this device")]
    OtherKey {
        /// The certified key.
        key: Box<PublicKey>,
    },
    /// No party of the mission signed it.
    #[error("no party of the mission signed the certificate")]
    NoParty,
    /// It breaks another rule.
    #[error("the certificate is refused: {0}")]
    Refused(Refused),
    /// The store could not be used.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Device {
    /// Makes the keys of a new observer and the request to be certified.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn request(&self, vault: &dyn Vault, observer: &str, device: &str) -> Result<Enrolment, RequestError> {
        self.request_as(vault, &Asked { observer, device, ..Asked::default() })
    }

    /// [`request`](Self::request), with an attestation, or for a key that follows another one.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn request_as(&self, vault: &dyn Vault, asked: &Asked<'_>) -> Result<Enrolment, RequestError> {
        use merestone_core::text::{Lines, tidy};
        let Asked { observer, device, attestation, replaces } = *asked;
        let (observer, device) = (tidy(observer.trim(), Lines::One), tidy(device.trim(), Lines::One));
        // Before keys are made: they would stay without ever being asked for.
        for (name, what) in [(&observer, "observer"), (&device, "device")] {
            if name.is_empty() || name.len() > PERSON_BYTES_MAX {
                return Err(RequestError::Name(Refused { check: Check::SizeLimit, what }));
            }
        }
        let named = |bytes| Attestation::of(bytes).ok_or(RequestError::Attestation);
        let attestation = attestation.map(named).transpose()?;
        let replaces = replaces.map(|key| *key.as_bytes());
        let nonce = self.random()?;
        let keys = vault.make(self.entropy())?;
        let transport = *keys.transport.public().as_bytes();
        let (mission, observer, device) = (self.mission(), &*observer, &*device);
        let draft = RequestDraft { mission, transport, observer, device, nonce, attestation, replaces };
        let request = EnrolmentRequest::make(&draft, &*keys.signer).map_err(|error| match error {
            MakeError::Refused(refused) => RequestError::Name(refused),
            MakeError::Signer(_) => RequestError::Vault(VaultError::Keystore(KeystoreError::Refused)),
        })?;
        let enrolment = Enrolment::of(&request);
        if self.seat(request, keys)? { Ok(enrolment) } else { Err(RequestError::TooMany) }
    }

    /// The request of an observer of this device, to show it again.
    pub fn requested(&self, observer: &PublicKey) -> Option<Enrolment> {
        self.request_of(observer).map(|request| Enrolment::of(&request))
    }

    /// Accepts the certificate that a party issued for an observer of this device.
    ///
    /// Another one for the same key (more scopes, another role) takes the place of the first, and the observer's logs
    /// begin a new epoch.
    ///
    /// # Errors
    /// [`AcceptError`].
    pub fn accept(&self, text: &str) -> Result<Observer, AcceptError> {
        let charter = self.charter();
        let certificate = match Certificate::from_text(text, &charter, &mut KeyCache::new()) {
            Ok(certificate) => certificate,
            Err(ReadTextError::Mistyped(mistyped)) => return Err(AcceptError::Mistyped(mistyped)),
            Err(ReadTextError::Refused(refused)) => return Err(refusal(refused, charter.mission())),
        };
        let key = *certificate.key();
        if !self.has_seat(key.as_bytes()) {
            return Err(AcceptError::OtherKey { key: Box::new(key) });
        }
        let received = self.receive(Class::Certificate, &[certificate.as_bytes().to_vec()])?;
        if let Some(refused) = received.refusal() {
            return Err(AcceptError::Refused(refused));
        }
        self.certify(&certificate)?;
        let observer = self.observers().into_iter().find(|observer| observer.key == key);
        observer.ok_or(AcceptError::OtherKey { key: Box::new(key) })
    }
}

fn refusal(refused: Refused, mission: MissionId) -> AcceptError {
    match refused.check {
        Check::MissionMismatch => AcceptError::OtherMission { mission },
        Check::CertificateSigner => AcceptError::NoParty,
        _ => AcceptError::Refused(refused),
    }
}
