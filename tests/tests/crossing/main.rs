//! The crossing into an app: what a phone shows and saves through `merestone-ffi` is what the device shows and saves.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod again;
mod audit;
mod brought;
mod day;
mod meeting;

use std::path::Path;
use std::sync::Arc;

use merestone_core::roster::Role;
use merestone_ffi::{
    Asked, Phone, PhoneError, PhoneHome, PhoneSettings, StoreSecret, create_phone, marker_in, open_phone,
};
use merestone_tests::mission::{Mission, PASSPHRASE};

/// A folder's phone, as one app names it.
fn home(folder: &Path) -> PhoneHome {
    let folder = folder.to_string_lossy().into_owned();
    PhoneHome { marker: marker_in(folder.clone()), folder, store_key: StoreSecret::new(vec![0; 32]).unwrap() }
}

fn settings() -> PhoneSettings {
    PhoneSettings { offset_min: 120, clock: None, location: None, connectivity: None }
}

fn asked(name: &str) -> Asked {
    Asked { observer: name.into(), device: "Phone 3".into(), attestation: None, replaces: None }
}

/// A phone of the mission with one observer, certified and unlocked.
async fn enrolled(mission: &Mission, folder: &Path, name: &str) -> (Arc<Phone>, String) {
    enrolled_with(mission, folder, name, settings()).await
}

async fn enrolled_with(mission: &Mission, folder: &Path, name: &str, settings: PhoneSettings) -> (Arc<Phone>, String) {
    let phone = create_phone(home(folder), settings, mission.charter.as_bytes().to_vec()).await.unwrap();
    let request = phone.request(asked(name), PASSPHRASE.into()).await.unwrap();
    let observer = phone.accept(mission.certify(0, &request.text, Role::Observer)).await.unwrap();
    (phone, observer.key)
}

/// The hash of the inspection form on a phone.
async fn inspection(phone: &Phone) -> String {
    phone.forms().await.unwrap().into_iter().find(|form| form.kind == "inspection").unwrap().hash
}

async fn reopened(folder: &Path) -> Result<Arc<Phone>, PhoneError> {
    open_phone(home(folder), settings()).await
}
