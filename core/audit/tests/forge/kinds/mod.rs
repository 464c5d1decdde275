//! The table of kinds, by layer.

mod agreement;
mod body;
mod bytes;
mod chain;
mod encoding;
mod header;
mod keys;
mod layout;
mod ledger;
mod media;
mod notes;
mod random;
mod receipts;
mod roster;
mod trust;

use crate::chance::Chance;
use crate::kind::{Expected, Forger, Kind};
use crate::scene::Scene;
use crate::support::Bag;

/// The layers of what is done to entries and logs.
pub(crate) const OF_LOGS: &[&str] = &["bytes", "encoding", "header", "keys", "chain", "body"];

/// Every kind, with its layer.
pub(crate) fn all() -> Vec<(&'static str, Kind)> {
    let layers = [
        ("bytes", bytes::kinds()),
        ("encoding", encoding::kinds()),
        ("header", header::kinds()),
        ("keys", keys::kinds()),
        ("chain", chain::kinds()),
        ("body", body::kinds()),
        ("roster", roster::kinds()),
        ("receipts", receipts::kinds()),
        ("media", media::kinds()),
        ("ledger", ledger::kinds()),
        ("witness", notes::kinds()),
        ("layout", layout::kinds()),
        ("trust", trust::kinds()),
        ("agreement", agreement::kinds()),
        ("random", random::kinds()),
    ];
    layers.into_iter().flat_map(|(layer, kinds)| kinds.into_iter().map(move |kind| (layer, kind))).collect()
}

type Forge = fn(&mut Bag, &Scene, &mut Chance) -> Option<Expected>;

fn row(name: &'static str, by: Forger, passes: &'static [merestone_audit::Pass], forge: Forge) -> Kind {
    Kind { name, by, passes, forge }
}
