//! Folders of devices, filled before anything is measured.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use merestone_core::entry::{Media, MissingReason, Photo, RenditionOrReason, VerifiedEntry};
use merestone_core::id::{BlobHash, ScopeId};
use merestone_core::merkle::chunk_root;
use merestone_core::roster::{Class, Role};
use merestone_node::Device;
use merestone_node::device::{ObserverState, System};
use merestone_node::vault::Vault as _;
use merestone_store::{Batch, BlobClaim, BlobClass};

use crate::chance::Chance;
use crate::corpus::{self, Author, BATCH, batch};
use crate::mission::{self, Mission};

/// What a phone holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Load {
    /// Inspections of 30 answers, in one log.
    pub(super) entries: u64,
    /// Further inspections with one photo each.
    pub(super) photos: u64,
    /// Bytes of each photo.
    pub(super) photo_bytes: usize,
}

impl Load {
    /// Inspections alone.
    pub(super) fn entries(entries: u64) -> Self {
        Self { entries, photos: 0, photo_bytes: 0 }
    }

    /// Photos alone, one an inspection.
    pub(super) fn photos(photos: u64, photo_bytes: usize) -> Self {
        Self { entries: 0, photos, photo_bytes }
    }
}

/// Makes a phone in `folder` that holds `load`, and closes it.
///
/// # Panics
/// If the folder takes no device.
pub(super) fn phone(mission: &Mission, folder: &Path, name: &str, load: Load) {
    phone_in(mission, mission.scope(), folder, name, load);
}

/// The same, of a team that works in this scope.
///
/// # Panics
/// If the folder takes no device.
pub(super) fn phone_in(mission: &Mission, scope: ScopeId, folder: &Path, name: &str, load: Load) {
    let device = mission.create_device(folder, System::real(120).expect("a system with a clock"));
    let observer = mission.enrol_in(&device, 0, name, Role::Observer, &[scope]);
    let held = device.observers().into_iter().find(|held| held.key == observer);
    let Some(ObserverState::Certified { certificate, .. }) = held.map(|held| held.state) else {
        panic!("the observer was enrolled")
    };
    let keys = mission::vault(&device).unlock(&observer).expect("the key is in its file");
    let mut author = Author::new_in(mission, scope, &*keys.signer, certificate, name);
    let mut left = 0..load.entries;
    loop {
        let page: Vec<_> = left.by_ref().take(BATCH).map(|number| author.sign(author.draft(number))).collect();
        if page.is_empty() {
            break;
        }
        device.store().commit(batch(&page)).expect("room on the disk");
    }
    for number in 0..load.photos {
        let seed = merestone_core::id::sha256(&[name.as_bytes(), &number.to_be_bytes()]);
        let original = noise(load.photo_bytes, u64::from_be_bytes(*seed.first_chunk().expect("32 bytes hold eight")));
        let draft = author.draft_with(load.entries + number, vec![describe(&original)]);
        keep_photo(&device, author.sign(draft), &original);
    }
}

/// Inspections in one log of a [`relay`].
pub(super) const LOG_ENTRIES: u64 = 2_000;

/// Makes a phone in `folder` that holds what others wrote, in logs of [`LOG_ENTRIES`] inspections each, and closes it.
///
/// # Panics
/// If the folder takes no device.
pub(super) fn relay(mission: &Mission, folder: &Path, entries: u64) {
    let device = mission.create_device(folder, System::real(120).expect("a system with a clock"));
    mission.enrol(&device, 0, "Relay");
    let logs = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..crate::floor::cores() {
            scope.spawn(|| {
                loop {
                    let log = logs.fetch_add(1, Ordering::Relaxed);
                    let first = log * LOG_ENTRIES;
                    if first >= entries {
                        break;
                    }
                    write_log(mission, &device, log, first..entries.min(first + LOG_ENTRIES));
                }
            });
        }
    });
}

fn write_log(mission: &Mission, device: &Device, log: u64, numbers: std::ops::Range<u64>) {
    let (key, certificate) = corpus::stranger(mission, log);
    let bytes = [certificate.as_bytes().to_vec()];
    device.receive(Class::Certificate, &bytes).expect("the store takes certificates");
    let mut author = Author::new(mission, &key, certificate.id(), certificate.request().observer());
    let page: Vec<_> = numbers.map(|number| author.sign(author.draft(number))).collect();
    device.store().commit(batch(&page)).expect("room on the disk");
}

/// Makes a base camp in `folder`, empty, and closes it.
///
/// # Panics
/// If the folder takes no device.
pub(super) fn camp(mission: &Mission, folder: &Path) {
    camp_in(mission, &[mission.scope()], folder);
}

/// The same for these scopes.
///
/// # Panics
/// If the folder takes no device.
pub(super) fn camp_in(mission: &Mission, scopes: &[ScopeId], folder: &Path) {
    let device = mission.create_device(folder, System::real(120).expect("a system with a clock"));
    mission.enrol_in(&device, 2, "Base camp", Role::Camp, scopes);
}

/// As a camera's file of which no small picture can be made here: what is measured is the original.
fn describe(original: &[u8]) -> Photo {
    let missing = RenditionOrReason::Missing(MissingReason::NotDecodable);
    Photo {
        sha256: BlobHash::of(original),
        bytes: original.len() as u64,
        chunks: chunk_root(original),
        media: Media::Jpeg,
        width: None,
        height: None,
        thumbnail: missing.clone(),
        preview: missing,
    }
}

fn keep_photo(device: &Device, entry: VerifiedEntry, original: &[u8]) {
    let claim = BlobClaim { hash: BlobHash::of(original), bytes: original.len() as u64, chunks: chunk_root(original) };
    let mut batch = Batch::new();
    batch
        .blob_name(entry.id(), claim, BlobClass::Original)
        .blob(device.store().write_blob(original).expect("room on the disk"));
    batch.entry(entry);
    device.store().commit(batch).expect("room on the disk");
}

/// Bytes that do not compress.
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut chance = Chance::new(seed);
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        noise.extend(chance.number().to_be_bytes());
    }
    noise.truncate(bytes);
    noise
}
