//! The crossing into Kotlin, Swift and Python.
//!
//! It decides nothing: each call is one call of `merestone-node`, with ids as hex, values as text and errors as the
//! few things an app can act on.
//! A feature that is missing here is added in `merestone-node` first and then exposed.
#![allow(unsafe_code, reason = "uniffi's macros write the exported symbols")]

mod error;
mod value;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use merestone_node::device::{Device, Home, ObserverState, System};
use merestone_node::records::RecordFilter;
use merestone_node::vault::{KeyFiles, Passphrase};
use merestone_node::{RecordId, StoreKey};

pub use error::PhoneError;
pub use value::AnswerValue;

uniffi::setup_scaffolding!();

/// One installation of the app, open.
#[derive(uniffi::Object)]
pub struct Phone {
    device: Device,
    home: Home,
}

/// One observer of this phone.
#[derive(Clone, Debug, uniffi::Record)]
pub struct ObserverLine {
    /// The observer's key, 64 hex digits.
    pub key: String,
    /// The observer's name.
    pub name: String,
    /// Whether the mission certified the key and no party cut it: only then can the observer save.
    pub can_save: bool,
    /// Whether the key is unlocked.
    pub is_unlocked: bool,
}

/// One line of a list of records.
#[derive(Clone, Debug, uniffi::Record)]
pub struct RecordLine {
    /// The record, 64 hex digits.
    pub id: String,
    /// Its kind; empty while its form is not held.
    pub kind: String,
    /// The first text that is answered.
    pub title: String,
    /// Who created it.
    pub observer: String,
    /// Whether some answer has several values.
    pub has_conflict: bool,
    /// What the device of the newest change says of its time, milliseconds since 1970.
    pub updated_ms: i64,
}

/// One question of a record with the values that stand: more than one is a conflict.
#[derive(Clone, Debug, uniffi::Record)]
pub struct AnswerLine {
    /// `question` or `repeat/row/question`.
    pub key: String,
    /// The values, each with who put it.
    pub values: Vec<SignedValue>,
}

/// A value and who signed it.
#[derive(Clone, Debug, uniffi::Record)]
pub struct SignedValue {
    /// The value.
    pub value: AnswerValue,
    /// The entry that put it, 64 hex digits.
    pub entry: String,
    /// The observer's name.
    pub observer: String,
    /// The entry's standing, in the word of the specification.
    pub standing: String,
}

#[uniffi::export]
impl Phone {
    /// Opens the device in `folder`; `marker` is the file that no backup may copy, `store_key` 32 bytes from the
    /// platform's keystore (taken already, and not yet used: the store is in clear), `offset_min` the minutes the
    /// place is ahead of UTC.
    #[uniffi::constructor]
    pub fn open(folder: String, marker: String, store_key: Vec<u8>, offset_min: i16) -> Result<Arc<Self>, PhoneError> {
        let store_key: [u8; 32] =
            store_key.try_into().map_err(|_| PhoneError::Refused { reason: "a store key has 32 bytes".into() })?;
        let home = Home { folder: folder.into(), marker: marker.into() };
        let system = System::real(offset_min)?;
        let device = Device::open(&home, StoreKey::from_bytes(store_key), system)?;
        Ok(Arc::new(Self { device, home }))
    }

    /// The mission, 64 hex digits.
    pub fn mission(&self) -> String {
        self.device.mission().to_string()
    }

    /// The observers of this phone.
    pub fn observers(&self) -> Vec<ObserverLine> {
        let line = |observer: merestone_node::device::Observer| ObserverLine {
            key: observer.key.to_string(),
            name: observer.name,
            can_save: matches!(observer.state, ObserverState::Certified { .. }),
            is_unlocked: observer.is_unlocked,
        };
        self.device.observers().into_iter().map(line).collect()
    }

    /// Unlocks an observer's key with its passphrase, until `lock` or the end of the process.
    pub fn unlock(&self, observer: String, passphrase: String) -> Result<(), PhoneError> {
        let key = self.observer(&observer)?;
        let passphrase = Passphrase::new(passphrase)
            .ok_or_else(|| PhoneError::Locked { reason: "the passphrase is empty".into() })?;
        let vault = KeyFiles::new(&self.home.keys(), passphrase);
        Ok(self.device.unlock(&vault, &key)?)
    }

    /// Forgets all unlocked keys.
    pub fn lock(&self) {
        self.device.lock();
    }

    /// The newest records, or those that hold every word of `text`.
    pub fn records(&self, text: Option<String>, lines_max: u32) -> Result<Vec<RecordLine>, PhoneError> {
        let filter = RecordFilter { text, ..RecordFilter::default() };
        let page = self.device.list(&filter, None, usize::try_from(lines_max).unwrap_or(usize::MAX))?;
        let line = |line: merestone_node::records::RecordLine| RecordLine {
            id: line.id.to_string(),
            kind: line.kind,
            title: line.title,
            observer: line.observer,
            has_conflict: line.has_conflict,
            updated_ms: line.updated_ms,
        };
        Ok(page.lines.into_iter().map(line).collect())
    }

    /// Every answer of a record; none when nothing of it is held.
    pub fn answers(&self, record: String) -> Result<Vec<AnswerLine>, PhoneError> {
        let record =
            RecordId::from_hex(&record).ok_or_else(|| PhoneError::not_there("a record id has 64 hex digits"))?;
        let view = self.device.record(record)?;
        let answers = view.map(|view| view.answers).unwrap_or_default();
        let value = |value: merestone_node::records::ValueView| SignedValue {
            observer: value.author.name(),
            entry: value.entry.to_string(),
            standing: value.standing.code().to_owned(),
            value: value.answer.into(),
        };
        let line = |answer: merestone_node::records::AnswerView| AnswerLine {
            key: answer.key,
            values: answer.values.into_iter().map(value).collect(),
        };
        Ok(answers.into_iter().map(line).collect())
    }

    /// Saves a new record of `kind`; when this returns it is durable. Gives the record's id.
    pub fn save_new(
        &self,
        observer: String,
        kind: String,
        answers: HashMap<String, AnswerValue>,
    ) -> Result<String, PhoneError> {
        let key = self.observer(&observer)?;
        let form = self.device.forms()?.into_iter().find(|form| form.kind == kind);
        let form = form.ok_or_else(|| PhoneError::not_there("the mission has no form of this kind"))?;
        let scope =
            self.device.observers().into_iter().find(|held| held.key == key).and_then(|held| match held.state {
                ObserverState::Certified { scopes, .. } => scopes.first().copied(),
                ObserverState::Requested | ObserverState::Cut { .. } => None,
            });
        let scope = scope.ok_or_else(|| PhoneError::Locked { reason: "the observer is not certified".into() })?;
        let mut draft = self.device.begin(&key, scope, form.hash)?;
        draft.answers = answers.into_iter().map(|(key, value)| (key, value.into())).collect();
        Ok(self.device.save(&draft)?.record.to_string())
    }
}

impl Phone {
    fn observer(&self, key: &str) -> Result<merestone_node::PublicKey, PhoneError> {
        let observers = self.device.observers();
        let found = observers.into_iter().find(|observer| observer.key.to_string() == key);
        found.map(|observer| observer.key).ok_or_else(|| PhoneError::not_there("no observer here has this key"))
    }
}

/// Where the marker lies when one folder holds everything, as on machines without system backups.
#[uniffi::export]
pub fn marker_in(folder: String) -> String {
    Home::new(Path::new(&folder)).marker.to_string_lossy().into_owned()
}
