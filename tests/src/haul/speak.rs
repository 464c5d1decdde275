//! One inspection after the other while connected; and how many round trips a meeting takes.

use std::net::SocketAddr;

use super::Bench;
use super::carry::Pair;
use super::homes::Load;
use super::process::number;
use super::sample::Sample;
use crate::net::Weather;
use crate::relay::Relay;
use crate::timing::{median, percentile};

/// On a link that carries everything at once.
pub(super) fn live(bench: &Bench) -> Vec<Sample> {
    let mut pair = Pair::begin(bench, Load::entries(100));
    speak(&mut pair, "live", "500 4")
}

/// Over 256 kbit/s with a queue of 16 kB, with 100 MB of photos waiting: an inspection once a second on average.
pub(super) fn urgent(bench: &Bench) -> Vec<Sample> {
    let mut pair = Pair::begin(bench, Load::photos(25, 4 << 20));
    let weather = Weather { bytes_per_s: Some(32_000), queue_bytes: 16_000, ..Weather::default() };
    through(&mut pair, weather, |pair| speak(pair, "urgent", "40 2000"))
}

/// Nothing new, over links of two lengths: what the longer one takes more is round trips.
pub(super) fn round_trips(bench: &Bench) -> Vec<Sample> {
    let mut pair = Pair::begin(bench, Load::entries(100));
    pair.meet("first");
    pair.meet("settled");
    let mut ms = |round_trip_us: u64| {
        through(&mut pair, Weather::slow(round_trip_us / 2), |pair| {
            let met = (0..3).map(|_| {
                let met = pair.phone.ask(&format!("meet {}", pair.at));
                assert_eq!(met[0]["is_fully_synced"], true, "nothing is new: {met}");
                number(&met[0], "ms")
            });
            // The least: a neighbour on the machine only ever adds.
            met.fold(f64::INFINITY, f64::min)
        })
    };
    let (short, long) = (ms(200_000), ms(600_000));
    // One of them is the handshake's.
    let after_handshake = (long - short) / 400.0 - 1.0;
    vec![
        Sample::new("entries/unchanged/round-trips", "after the handshake", after_handshake),
        Sample::new("entries/unchanged/wall-at-200-ms", "ms", short),
        Sample::new("entries/unchanged/wall-at-600-ms", "ms", long),
    ]
}

fn speak(pair: &mut Pair, name: &str, how: &str) -> Vec<Sample> {
    let told = pair.phone.ask(&format!("live {} {how}", pair.at));
    let ms = |name: &str| -> Vec<f64> {
        told[name].as_array().map(|all| all.iter().filter_map(serde_json::Value::as_f64).collect()).unwrap_or_default()
    };
    let (durable, saved) = (ms("ms"), ms("save_ms"));
    let photo_bytes = told["photo_bytes"].as_f64().unwrap_or(0.0);
    vec![
        Sample::new(format!("{name}/p50"), "ms", median(&durable)),
        Sample::new(format!("{name}/p99"), "ms", percentile(&durable, 99)),
        Sample::new(format!("{name}/max"), "ms", percentile(&durable, 100)),
        Sample::new(format!("{name}/save-p50"), "ms", median(&saved)),
        Sample::new(format!("{name}/save-p99"), "ms", percentile(&saved, 99)),
        Sample::new(format!("{name}/saved"), "entries", durable.len() as f64),
        Sample::new(format!("{name}/photo-bytes"), "bytes meanwhile", photo_bytes),
    ]
}

/// Puts a relay with this weather in both directions between the two, for as long as `work` takes.
fn through<T>(pair: &mut Pair, weather: Weather, work: impl FnOnce(&mut Pair) -> T) -> T {
    let runtime = tokio::runtime::Runtime::new().expect("a system with threads");
    let direct = pair.at.clone();
    let (address, key) = direct.split_once(' ').expect("an address and a key");
    let target: SocketAddr = address.parse().expect("an address");
    let relay = runtime.block_on(Relay::to(target, weather, weather, 1)).expect("a loopback");
    pair.at = format!("{} {key}", relay.address());
    let done = work(pair);
    pair.at = direct;
    drop(relay);
    done
}
