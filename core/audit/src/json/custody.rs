//! What was withheld and erased by scope, who holds copies, and between which times: in `report.json`.

use merestone_core::audit::Report as Facts;
use merestone_core::audit::custody::{ErasureFacts, Holder, ScopeFacts};
use merestone_core::audit::times::Bounded;
use merestone_core::bounds::Bound;
use serde::Serialize;

use crate::show;

#[derive(Serialize)]
pub(super) struct Scope {
    scope: String,
    scope_name: String,
    is_claimed: bool,
    logs: u64,
    entries: u64,
    /// Bodies that are not there, erased or not.
    bodies_withheld: u64,
    bodies_erased: u64,
    entries_left_out: u64,
}

impl Scope {
    pub(super) fn of(facts: &Facts, of: &ScopeFacts) -> Self {
        let ScopeFacts { scope, is_claimed, logs, entries, withheld, erased, left_out } = *of;
        Self {
            scope: scope.to_string(),
            scope_name: show::scope_name(facts, scope),
            is_claimed,
            logs,
            entries,
            bodies_withheld: withheld,
            bodies_erased: erased,
            entries_left_out: left_out,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Erasure {
    erasure: String,
    record: String,
    what: &'static str,
    reason: &'static str,
    parties: Vec<u64>,
}

impl Erasure {
    pub(super) fn of(of: &ErasureFacts) -> Self {
        let ErasureFacts { id, record, is_photo, reason, parties } = of;
        Self {
            erasure: id.to_string(),
            record: record.to_string(),
            what: if *is_photo { "photo" } else { "record" },
            reason: show::erasure_reason(*reason),
            parties: parties.iter().map(|party| party.0).collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Copy<'a> {
    log: String,
    party: u64,
    observer: &'a str,
    device: &'a str,
    store: String,
    /// Orders the receipts of one store; a receipt has no time.
    counter: u64,
    height: u64,
    head: String,
    bodies_missing: u64,
    receipt: String,
}

impl<'a> Copy<'a> {
    pub(super) fn of(of: &'a Holder) -> Self {
        let Holder { log, party, observer, device, store, counter, height, head, bodies_missing, receipt } = of;
        Self {
            log: log.to_string(),
            party: party.0,
            observer,
            device,
            store: store.to_string(),
            counter: *counter,
            height: *height,
            head: head.to_string(),
            bodies_missing: *bodies_missing,
            receipt: receipt.to_string(),
        }
    }
}

/// How many entries witnesses' times bound.
#[derive(Serialize)]
pub(super) struct Times {
    both: u64,
    not_after: u64,
    not_before: u64,
    trusting_few: u64,
    open: u64,
}

impl Times {
    pub(super) fn of(of: Bounded) -> Self {
        let Bounded { both, not_after, not_before, trusting, open } = of;
        Self { both, not_after, not_before, trusting_few: trusting, open }
    }
}

/// One end of an interval, in seconds since 1970.
#[derive(Serialize)]
pub(super) struct End {
    time: u64,
    by_parties: Vec<u64>,
    /// Whether they are more than may lie; otherwise this only follows from trusting them.
    holds: bool,
}

impl End {
    pub(super) fn of(of: &Bound) -> Self {
        Self { time: of.time, by_parties: of.by.iter().map(|party| party.0).collect(), holds: of.holds }
    }
}
