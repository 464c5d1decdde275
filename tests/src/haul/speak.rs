//! One inspection after the other, while connected.

use super::Bench;
use super::carry::Pair;
use super::homes::Load;
use super::sample::Sample;
use crate::timing::{median, percentile};

/// On a link that carries everything at once.
pub(super) fn live(bench: &Bench) -> Vec<Sample> {
    let mut pair = Pair::begin(bench, Load::entries(100));
    let told = pair.phone.ask(&format!("live {} 500 4", pair.at));
    let ms = |name: &str| -> Vec<f64> {
        told[name].as_array().map(|all| all.iter().filter_map(serde_json::Value::as_f64).collect()).unwrap_or_default()
    };
    let (durable, saved) = (ms("ms"), ms("save_ms"));
    vec![
        Sample::new("live/p50", "ms", median(&durable)),
        Sample::new("live/p99", "ms", percentile(&durable, 99)),
        Sample::new("live/max", "ms", percentile(&durable, 100)),
        Sample::new("live/save-p50", "ms", median(&saved)),
        Sample::new("live/save-p99", "ms", percentile(&saved, 99)),
        Sample::new("live/saved", "entries", durable.len() as f64),
    ]
}
