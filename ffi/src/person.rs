//! People and their keys, as lines of a screen.

use merestone_node::device::{Observer, ObserverState};
use merestone_node::enrolment::Enrolment;
use merestone_node::qr::QrPicture;
use merestone_node::records::Author;

use crate::ids::count;

/// What the mission says of an observer's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ObserverStanding {
    /// No certificate yet: drafts can be made and nothing saved.
    Requested,
    /// Certified.
    Certified,
    /// Its party cut the key: what was saved stays, nothing new can be.
    Cut,
}

/// One observer of this phone.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ObserverLine {
    /// The observer's key on this phone, 64 hex digits.
    pub key: String,
    /// The observer's name.
    pub name: String,
    /// What the phone is called in the request.
    pub device: String,
    /// What the mission says of the key.
    pub state: ObserverStanding,
    /// The number of the party that certified it.
    pub party: Option<u64>,
    /// What it may do: `observer`, `reviewer`, `arbiter`, `camp` or `auditor`.
    pub role: Option<String>,
    /// The scopes that its certificate grants.
    pub scopes: Vec<String>,
    /// Whether records can be saved with it once it is unlocked.
    pub can_save: bool,
    /// Whether the key is unlocked.
    pub is_unlocked: bool,
}

impl From<Observer> for ObserverLine {
    fn from(observer: Observer) -> Self {
        let Observer { key, name, device, state, is_unlocked } = observer;
        let mut line = Self {
            key: key.to_string(),
            name,
            device,
            state: ObserverStanding::Requested,
            party: None,
            role: None,
            scopes: Vec::new(),
            can_save: false,
            is_unlocked,
        };
        match state {
            ObserverState::Requested => {}
            ObserverState::Certified { certificate: _, party, role, scopes } => {
                line.state = ObserverStanding::Certified;
                line.party = Some(party.0);
                line.can_save = role == merestone_core::roster::Role::Observer;
                line.role = Some(role.name().to_owned());
                line.scopes = scopes.iter().map(ToString::to_string).collect();
            }
            ObserverState::Cut { certificate: _ } => line.state = ObserverStanding::Cut,
        }
        line
    }
}

/// What a new observer asks for.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Asked {
    /// Who will sign with the key: at most 64 bytes.
    pub observer: String,
    /// What the phone is called: at most 64 bytes.
    pub device: String,
    /// What the phone's maker says about it, to be handed to the officer as a file beside the request; 8,192 bytes at most.
    #[uniffi(default = None)]
    pub attestation: Option<Vec<u8>>,
    /// The observer's key before, which the new one is to follow.
    #[uniffi(default = None)]
    pub replaces: Option<String>,
}

/// What a phone shows to the officer.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct EnrolmentLine {
    /// The observer's new key, unlocked.
    pub key: String,
    /// The request, to be carried to the officer: at most 1,200 characters.
    pub text: String,
    /// Six words that the observer reads aloud: the officer's machine shows the same ones, or it read another request.
    pub words: Vec<String>,
    /// The text as a QR code.
    pub qr: Option<QrLine>,
}

impl From<Enrolment> for EnrolmentLine {
    fn from(enrolment: Enrolment) -> Self {
        Self {
            qr: enrolment.qr().map(Into::into),
            key: enrolment.key.to_string(),
            words: enrolment.words.iter().map(ToString::to_string).collect(),
            text: enrolment.text,
        }
    }
}

/// A QR code.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct QrLine {
    /// Modules on a side, the light border included.
    pub modules: u32,
    /// Row by row, a byte for each module: 1 is dark.
    pub dark: Vec<u8>,
}

impl From<QrPicture> for QrLine {
    fn from(picture: QrPicture) -> Self {
        let modules = picture.modules();
        let at = |place: usize| u8::from(picture.is_dark(place / modules, place % modules));
        Self { modules: count(modules), dark: (0..modules * modules).map(at).collect() }
    }
}

/// Who signed something, as the certificate says.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PersonLine {
    /// The key.
    pub key: String,
    /// The observer's name; the key while no certificate is held.
    pub observer: String,
    /// What the device is called; empty while no certificate is held.
    pub device: String,
    /// The number of the party that certified the key.
    pub party: Option<u64>,
    /// The party's name.
    pub party_name: String,
    /// What the key may do; empty while no certificate is held.
    pub role: String,
}

impl From<Author> for PersonLine {
    fn from(author: Author) -> Self {
        let (key, observer) = (author.key.to_string(), author.name());
        match author.certified {
            None => Self {
                key,
                observer,
                device: String::new(),
                party: None,
                party_name: String::new(),
                role: String::new(),
            },
            Some(certified) => Self {
                key,
                observer,
                device: certified.device,
                party: Some(certified.party.0),
                party_name: certified.party_name,
                role: certified.role.name().to_owned(),
            },
        }
    }
}
