//! Two real processes over real sockets and a bad link: 600 ms round trip, 5 % loss, 256 kbit/s with a queue of 16 kB,
//! down for 3 s of every 10.
//!
//! The whole figure, 1,000 entries and 20 photos, takes minutes:
//! `MERESTONE_ROUGH=full cargo test -p merestone-tests --test rough_link -- --nocapture`.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use merestone_core::id::BlobHash;
use merestone_node::Device;
use merestone_node::capture::PhotoSource;
use merestone_tests::chance::Chance;
use merestone_tests::net::Weather;
use merestone_tests::outpost;
use merestone_tests::relay::Relay;
use merestone_tests::saving::{self, Saver};
use tempfile::TempDir;

const PEER: &str = env!("CARGO_BIN_EXE_rough_peer");

/// What an entry of this form costs on the wire, in bytes: for the figure only.
const ENTRY_BYTES: u64 = 250;

/// How much is carried.
struct Load {
    entries: u64,
    photos: u64,
    /// What of the link must be used, in percent: a short transfer pays the same beginning and end as a long one.
    goodput_min: u64,
}

fn load() -> Load {
    match std::env::var("MERESTONE_ROUGH").as_deref() {
        Ok("full") => Load { entries: 1_000, photos: 20, goodput_min: 50 },
        _ => Load { entries: 100, photos: 2, goodput_min: 30 },
    }
}

/// A device with one observer, closed.
fn home(name: &str, load: &Load) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mission = outpost::found();
    let device = outpost::create(&mission, folder.path());
    let observer = mission.enrol(&device, 0, name);
    let mut quiet = |_: &_| Ok(());
    let mut saver = Saver::new(&device, observer, Chance::new(1), &mut quiet);
    for _ in load.photos..load.entries {
        saver.save_one(None, false).unwrap();
    }
    let mut chance = Chance::new(2);
    for _ in 0..load.photos {
        let draft = device.begin(&observer, mission.scope(), outpost::form()).unwrap();
        let draft = device.keep(draft).unwrap();
        device.attach(draft.id, PhotoSource::Bytes(&photo(&mut chance)), None, None).unwrap();
        device.save(&device.put(draft.id, "n01", 1).unwrap()).unwrap();
    }
    folder
}

/// A photo of 200 kB that nothing makes shorter: what a small one lacks is noise in JPEG comments.
fn photo(chance: &mut Chance) -> Vec<u8> {
    const BYTES: usize = 200_000;
    let mut photo = saving::photo(chance).unwrap();
    while photo.len() + 4 < BYTES {
        let noise = (BYTES - photo.len() - 4).min(60_000);
        let mut comment = vec![0xff, 0xfe];
        comment.extend(u16::try_from(noise + 2).unwrap().to_be_bytes());
        comment.extend((0..noise).map(|_| chance.number() as u8));
        photo.splice(2..2, comment);
    }
    photo
}

/// Every entry and every whole photo, each once, and the bytes of the photos.
fn held(folder: &Path) -> (BTreeSet<String>, BTreeSet<BlobHash>, u64) {
    let device: Device = outpost::open(folder).unwrap();
    let store = device.store();
    let mut entries = BTreeSet::new();
    for tip in store.tips(None, None).unwrap() {
        for entry in store.log_entries(tip.log, 0, usize::MAX).unwrap() {
            assert!(entries.insert(entry.id.to_string()), "nothing is there twice");
        }
    }
    let photos: BTreeSet<BlobHash> = store.whole_blobs(None).unwrap().into_iter().collect();
    let bytes = photos.iter().map(|photo| store.open_blob(*photo).unwrap().unwrap().length().unwrap()).sum();
    (entries, photos, bytes)
}

/// A peer that answers until this is dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(folder: &Path) -> (Serving, String, String) {
    let mut command = Command::new(PEER);
    let mut child = command.arg("serve").arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (address, key) = line.trim().split_once(' ').unwrap();
    (Serving(child), address.to_owned(), key.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_arrives_once_over_a_bad_link_that_is_well_used() {
    let load = load();
    let (phone, camp) = (home("Olena", &load), home("Camp", &Load { entries: 0, photos: 0, goodput_min: 0 }));
    let (serving, address, key) = serve(camp.path());
    let weather = Weather::rough();
    let relay = Relay::to(address.parse().unwrap(), weather, weather, 11).await.unwrap();
    let (folder, through) = (phone.path().to_owned(), relay.address().to_string());
    let calling = move || Command::new(PEER).arg("sync").arg(folder).arg(through).arg(key).output().unwrap();
    let said = tokio::task::spawn_blocking(calling).await.unwrap();
    let took = relay.elapsed();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    drop(serving);

    let (sent, arrived) = (held(phone.path()), held(camp.path()));
    assert!(sent.0 == arrived.0 && sent.1 == arrived.1, "both hold the same");
    assert_eq!(arrived.0.len() as u64, load.entries);
    assert!(arrived.1.len() as u64 >= load.photos);

    let (mut entries, mut photo_bytes, mut meetings) = (0, 0, 0);
    for line in String::from_utf8(said.stdout).unwrap().lines() {
        let mut words = line.split(' ');
        entries += words.next().unwrap().parse::<u64>().unwrap();
        photo_bytes += words.next().unwrap().parse::<u64>().unwrap();
        meetings += 1;
    }
    let (once, all) = (load.entries * ENTRY_BYTES + arrived.2, entries * ENTRY_BYTES + photo_bytes);
    let could = |at: Duration| weather.capacity_bytes(u64::try_from(at.as_micros()).unwrap()).unwrap();
    let goodput = once * 100 / could(took);
    eprintln!(
        "{} entries and {} photos ({} bytes) in {:.1} s and {meetings} conversations: {goodput} % of what the link could \
         carry while up, {:.2} % of the application's bytes sent again, {:?} there, {:?} back",
        load.entries,
        arrived.1.len(),
        arrived.2,
        took.as_secs_f64(),
        all.saturating_sub(once) as f64 * 100.0 / once as f64,
        relay.there(),
        relay.back(),
    );
    assert!(all * 100 <= once * 102, "{all} bytes were sent for {once}");
    assert!(goodput >= load.goodput_min, "{goodput} %");
}
