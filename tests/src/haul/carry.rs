//! Inspections to an empty base camp; then nothing new; then a hundredth of them edited.

use super::homes::{self, Load};
use super::namespace::{loopback_bytes, settled_loopback_bytes};
use super::process::{Process, number, text};
use super::sample::Sample;
use super::{Bench, SITE};
use crate::{corpus, floor};

/// As many as the slower systems take in a bounded time.
pub(super) fn thousand(bench: &Bench) -> Vec<Sample> {
    story(bench, "entries-1k", 1_000)
}

/// 10,000 inspections, and everything that follows from them.
pub(super) fn entries(bench: &Bench) -> Vec<Sample> {
    let mut found = floors(bench);
    found.extend(story(bench, "entries", 10_000));
    found
}

/// Ten times as many.
pub(super) fn hundred_thousand(bench: &Bench) -> Vec<Sample> {
    story(bench, "entries-100k", 100_000)
}

/// A hundred times as many.
pub(super) fn million(bench: &Bench) -> Vec<Sample> {
    story(bench, "entries-1m", 1_000_000)
}

/// What a post observes in months, with photos as phones write them: the memory of the phone that hands it over, and of
/// one that receives it all and works out its lists.
pub(super) fn whole_phone(bench: &Bench) -> Vec<Sample> {
    let mut pair = Pair::begin(bench, Load { photos: 100, photo_bytes: 2 << 20, ..Load::entries(10_000) });
    let mut found = pair.meet("phone");
    homes::phone(&corpus::found(), &bench.path("new-phone"), "Marek", Load::entries(0));
    let mut new = Process::start([SITE.as_ref(), bench.path("new-phone").as_os_str()]);
    let opened = number(&new.ask("usage"), "memory_mb");
    let met = new.ask(&format!("meet {}", pair.at));
    assert_eq!(met[0]["is_fully_synced"], true, "the new phone says that both hold the same: {met}");
    new.ask("index");
    let mut memory = |name: &str, mb: f64| found.push(Sample::new(format!("phone/{name}"), "MB", mb));
    memory("opened-memory", opened);
    memory("giver-memory", number(&pair.phone.ask("usage"), "memory_mb"));
    memory("taker-memory", number(&new.ask("usage"), "memory_mb"));
    found
}

/// A phone and a camp, each in a process of its own.
pub(super) struct Pair {
    pub(super) phone: Process,
    pub(super) camp: Process,
    /// Where the camp answers, as `meet` takes it.
    pub(super) at: String,
}

impl Pair {
    /// A phone that holds `load`, and an empty camp.
    pub(super) fn begin(bench: &Bench, load: Load) -> Self {
        let mission = corpus::found();
        homes::phone(&mission, &bench.path("phone"), "Olena", load);
        homes::camp(&mission, &bench.path("camp"));
        let phone = Process::start([SITE.as_ref(), bench.path("phone").as_os_str()]);
        let mut camp = Process::start([SITE.as_ref(), bench.path("camp").as_os_str()]);
        let serving = camp.ask("serve");
        let at = format!("{} {}", text(&serving, "address"), text(&serving, "key"));
        Self { phone, camp, at }
    }

    /// Meets once, and says what it cost under `name`.
    pub(super) fn meet(&mut self, name: &str) -> Vec<Sample> {
        let cpu = self.cpu_s();
        let lo = loopback_bytes();
        let met = self.phone.ask(&format!("meet {}", self.at));
        let cpu = self.cpu_s() - cpu;
        let lo = settled_loopback_bytes() - lo;
        let met = &met[0];
        assert_eq!(met["is_fully_synced"], true, "the phone says that both hold the same: {met}");
        let (here, there) = (self.phone.ask("holding"), self.camp.ask("holding"));
        let is_same = here == there && number(&here, "blobs_missing") == 0.0 && number(&here, "bodies_missing") == 0.0;
        vec![
            Sample::new(format!("{name}/wall"), "ms", number(met, "ms")),
            Sample::new(format!("{name}/bytes"), "bytes on lo", lo as f64),
            Sample::new(format!("{name}/frames"), "bytes in frames", number(met, "frame_bytes")),
            Sample::new(format!("{name}/cpu"), "CPU-s, both sides", cpu),
            Sample::new(format!("{name}/done-is-complete"), "of 1", f64::from(is_same)),
        ]
    }

    fn cpu_s(&mut self) -> f64 {
        number(&self.phone.ask("usage"), "cpu_s") + number(&self.camp.ask("usage"), "cpu_s")
    }

    pub(super) fn camp_memory_mb(&mut self) -> f64 {
        number(&self.camp.ask("usage"), "memory_mb")
    }
}

fn story(bench: &Bench, name: &str, entries: u64) -> Vec<Sample> {
    let mut pair = Pair::begin(bench, Load::entries(entries));
    let mut found = pair.meet(name);
    let index = pair.camp.ask("index");
    found.push(Sample::new(format!("{name}/materialise-wall"), "ms", number(&index, "ms")));
    found.push(Sample::new(format!("{name}/materialise-cpu"), "CPU-s", number(&index, "cpu_s")));
    let ledger = pair.camp.ask("checkpoint");
    found.push(Sample::new(format!("{name}/ledger-wall"), "ms", number(&ledger, "ms")));
    // The camp's receipt after its ledger went on is news; what follows has none.
    pair.meet("settle");
    found.extend(pair.meet(&format!("{name}/unchanged")));
    pair.phone.ask("add 100");
    found.extend(pair.meet(&format!("{name}/hundred-new")));
    pair.phone.ask(&format!("edit {}", entries / 100));
    found.extend(pair.meet(&format!("{name}/one-percent")));
    found.push(Sample::new(format!("{name}/camp-memory"), "MB", pair.camp_memory_mb()));
    found
}

fn floors(bench: &Bench) -> Vec<Sample> {
    let verified = floor::Signatures::make();
    vec![
        Sample::new("floor/verify-strict-one-core", "1/s", verified.one_core_per_s()),
        Sample::new("floor/verify-strict-all-cores", "1/s", verified.all_cores_per_s()),
        Sample::new("floor/sqlite-rows", "rows/s", floor::rows_per_s(bench.folder.path())),
    ]
}
