//! What sync promises, haul by haul, over QUIC on the loopback interface: see `merestone_tests::haul`.

use std::collections::BTreeMap;

use merestone_tests::haul::{HAULS, Haul};

use crate::row::{Row, Target};

/// Rounds of a haul that takes seconds.
const ROUNDS: usize = 3;

/// What takes an hour, and is measured by `compare --only growth`.
const ELSEWHERE: [(&str, &str); 2] = [
    (
        "sync/growth/hundred-new/wall",
        "100 new ones at 1,000,000 against 10,000, to be at most 2: compare --only growth",
    ),
    ("sync/growth/cpu-each", "one of 1,000,000 against one of 10,000: compare --only growth"),
];

/// Makes a floor of what the machine gave.
type Floor = fn(f64) -> f64;

/// What a row is of.
struct Promise {
    /// Of the haul.
    sample: &'static str,
    unit: &'static str,
    target: Option<Target>,
    /// The floor, worked out from the median of another sample of the same haul.
    floor: Option<(&'static str, Floor)>,
    note: &'static str,
}

const fn plain(sample: &'static str, unit: &'static str, note: &'static str) -> Promise {
    Promise { sample, unit, target: None, floor: None, note }
}

const fn at_most(sample: &'static str, unit: &'static str, bound: f64, note: &'static str) -> Promise {
    Promise { target: Some(Target::AtMost(bound)), ..plain(sample, unit, note) }
}

const fn at_least(sample: &'static str, unit: &'static str, bound: f64, note: &'static str) -> Promise {
    Promise { target: Some(Target::AtLeast(bound)), ..plain(sample, unit, note) }
}

/// 10,000 signatures at this rate, in ms.
fn verified_ms(per_s: f64) -> f64 {
    10_000.0 / per_s * 1e3
}

fn same(value: f64) -> f64 {
    value
}

#[rustfmt::skip]
const PROMISES: &[Promise] = &[
    Promise { floor: Some(("floor/verify-strict-all-cores", verified_ms)),
        ..plain("entries/wall", "ms", "10,000 inspections to an empty camp, durable on both sides; the floor is verify_strict on all cores") },
    at_most("entries/bytes", "bytes on lo", 2.7e6, "the same"),
    Promise { floor: Some(("floor/verify-strict-one-core", |per_s| 10_000.0 / per_s)),
        ..at_most("entries/cpu", "CPU-s", 1.2, "both sides, without lists and ledger; the floor is verify_strict") },
    plain("entries/materialise-cpu", "CPU-s", "the lists that a person sees, afterwards, at the camp"),
    plain("entries/materialise-wall", "ms", "the same"),
    at_least("entries/done-is-complete", "of 1", 1.0, "equal digests of all hashes on both sides when they said they were done"),
    at_most("entries/unchanged/frames", "bytes in frames", 1e3, "nothing new, both directions"),
    at_most("entries/unchanged/bytes", "bytes on lo", 6e3, "the same, with handshake and good-bye"),
    plain("entries/unchanged/wall", "ms", "the same"),
    at_most("entries/unchanged/round-trips", "round trips", 1.2, "after the handshake, from a link of 600 ms against one of 200 ms"),
    at_most("entries/one-percent/bytes", "bytes on lo", 26e3, "100 of 10,000 edited while apart"),
    at_most("entries/one-percent/wall", "ms", 100.0, "the same"),
    plain("entries/hundred-new/wall", "ms", "100 new ones while apart"),
    at_most("phone/giver-memory", "MB", 96.0, "most memory of a phone's process that hands over 10,000 entries and 100 photos of 2 MiB"),
    at_most("phone/taker-memory", "MB", 96.0, "most memory of a phone's process that receives them and works out its lists"),
    plain("phone/opened-memory", "MB", "of that process before it meets anybody"),
    plain("entries/camp-memory", "MB", "most memory of the camp over all of this"),
    Promise { floor: Some(("floor/quinn", same)), ..plain("photos/rate", "MB/s", "25 photos of 4 MiB, verified and durable; the floor is one stream of quinn") },
    plain("photos/overhead", "%", "bytes on lo above those of the photos"),
    plain("photos/cpu", "CPU-s", "both sides"),
    plain("cuts/carried-again", "bytes on lo", "for each of 50 cuts, with its handshake"),
    at_most("cuts/arrived-again", "bytes", 65_536.0, "for each of 50 cuts, arrived at the receiver beyond the photos' size"),
    plain("cuts/handed-again", "bytes", "for each of 50 cuts, handed to the link and not durable at the other end"),
    at_most("kills/handed-again", "bytes", 1_048_576.0, "for each of 50 kills of the receiver"),
    at_most("cuts/meetings-for-the-rest", "conversations", 1.0, "after the last cut, until everything was there"),
    plain("kills/carried-again", "bytes on lo", "for each of 50 kills of the receiver"),
    at_most("urgent/p99", "ms", 2e3, "an inspection while 100 MB of photos wait, 256 kbit/s with a queue of 16 kB; save to the peer's word"),
    at_most("live/p99", "ms", 10.0, "an inspection while connected; save to the peer's word that it is durable"),
    plain("live/p50", "ms", "the same"),
    plain("live/save-p99", "ms", "the save alone"),
    at_least("forty/throughput", "× one phone", 0.8, "40 phones of 16 teams with 1,000 inspections and 20 photos of 200 to 400 kB each; entries a second that the camp carried"),
    plain("forty/throughput-for-cpu", "× one phone", "the same for each second of processor time, which neighbours do not change"),
    plain("forty/entries-rate", "entries/s", "the same, to the camp and from it"),
    plain("forty/photos-rate", "MB/s", "the same"),
    at_most("forty/slowest", "× median", 2.0, "the slowest phone"),
    at_most("forty/camp-memory", "MB", 256.0, "most memory of the camp's process"),
    at_least("forty/fully-synced", "phones", 40.0, "phones that were told so"),
];

pub(crate) fn measure() -> Vec<Row> {
    let mut found: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut failed = Vec::new();
    for haul in HAULS.iter().filter(|haul| !haul.is_long) {
        failed.extend(rounds(haul, &mut found).err());
    }
    let row = |promise: &Promise| {
        let Promise { sample, unit, target, floor, note } = promise;
        let name = format!("sync/{sample}");
        let Some(values) = found.get(*sample) else {
            return Row::absent(&name, unit, failed.first().map_or("the haul did not say it", String::as_str));
        };
        let mut row = Row::median(&name, unit, values).note(*note);
        if let Some(target) = target {
            row = row.target(*target);
        }
        if let Some((of, floor)) = floor
            && let Some(values) = found.get(*of)
        {
            row = row.floor(floor(merestone_tests::timing::median(values)));
        }
        row
    };
    let elsewhere = ELSEWHERE.iter().map(|(name, why)| Row::absent(name, "× at 10,000", why));
    PROMISES.iter().map(row).chain(elsewhere).collect()
}

fn rounds(haul: &Haul, found: &mut BTreeMap<String, Vec<f64>>) -> Result<(), String> {
    for _ in 0..ROUNDS.min(haul.rounds_max) {
        for sample in haul.measure()? {
            found.entry(sample.name).or_default().push(sample.value);
        }
    }
    Ok(())
}
