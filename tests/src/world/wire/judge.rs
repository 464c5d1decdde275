//! What must be true of a gathering: of claims when they are made, of good contacts after two seconds, of live entries, and of
//! what everybody was told in the end.

use merestone_core::id::EntryId;
use merestone_core::sync::CloseCode;
use merestone_link::{ConnectError, close_code};
use merestone_node::replica::{End, Serving, SyncOutcome};

use super::call::{Call, Missed};
use super::plan::{GatherPlan, PROMISED_MS};
use super::scene::Scene;
use super::{Gathered, Stage};
use crate::world::check::{Holding, Violation, violated};

/// How long a saved entry may take to be durable at everybody who is connected over a kind road: a lost datagram is sent
/// again after some round trips, and a hop may lose several in a row.
const LIVE_MS: u64 = 10_000;

/// "Fully synced" means equal sets at that moment; where one side goes on with others, that it holds what the caller does.
pub(super) fn claims(scene: &mut Scene<'_, '_>) -> Result<(), Violation> {
    for index in 0..scene.calls.len() {
        let call = &scene.calls[index];
        let is_synced = call.shown().is_some_and(|shown| shown.is_fully_synced);
        let (is_new, number) = (is_synced && !call.was_synced, call.plan.site);
        scene.calls[index].was_synced = is_synced;
        if is_new && !scene.is_hub_dead && !scene.calls[index].is_dead {
            claim(scene, index, number)?;
        }
    }
    Ok(())
}

fn claim(scene: &mut Scene<'_, '_>, index: usize, number: usize) -> Result<(), Violation> {
    let hub = scene.plan.hub;
    scene.calls[index].made_progress = true;
    // A disk that may fail may fail this look too.
    let (Some(caller), Some(other)) = (scene.hold(number), scene.hold(hub)) else { return Ok(()) };
    let is_alone = scene.plan.calls.len() == 1 && !scene.has_saved;
    let difference = if is_alone { caller.differs(&other) } else { lacks(&other, &caller) };
    let names = format!("{} and {}", scene.stage.sites[number].name(), scene.stage.sites[hub].name());
    scene.tell(format!("{names}: synced"));
    if let Some(difference) = difference {
        return violated("synced-means-equal", format!("{names} show fully synced, and {difference}"));
    }
    owe(scene, hub, &caller);
    if is_alone {
        owe(scene, number, &other);
    }
    Ok(())
}

/// What the one holds and the other does not, of entries and photos.
fn lacks(one: &Holding, of: &Holding) -> Option<String> {
    let entry = of.entries.iter().find(|(id, _)| !one.entries.contains_key(*id));
    let blob = of.blobs.iter().find(|blob| !one.blobs.contains(*blob));
    let entry = entry.map(|(id, (log, seq))| format!("the one that answers lacks entry {id} at {seq} of log {log}"));
    entry.or_else(|| blob.map(|blob| format!("the one that answers lacks blob {blob}")))
}

/// From now on a power cut must leave `number` all that is `held` on the other side: somebody was told so.
fn owe(scene: &mut Scene<'_, '_>, number: usize, held: &Holding) {
    let duty = &mut scene.stage.sites[number].duty;
    duty.told.extend(held.entries.keys());
    duty.blobs.extend(&held.blobs);
}

/// A contact of two seconds over a good road brings something across, if there was anything.
pub(super) fn progress(scene: &mut Scene<'_, '_>) -> Result<(), Violation> {
    if scene.plan.calls.len() > 1 || scene.plan.strangers > 0 {
        return Ok(());
    }
    let Some(call) = scene.calls.first() else { return Ok(()) };
    if call.is_judged || call.under_way.is_none() || scene.now_ms < call.plan.at_ms + PROMISED_MS {
        return Ok(());
    }
    let (number, hub) = (call.plan.site, scene.plan.hub);
    scene.calls[0].is_judged = true;
    let call = &scene.calls[0];
    let traffic = scene.net.traffic();
    // Of the loss that was promised to be at most one in ten, chance may have made more.
    let is_good = call.plan.promises_progress() && traffic.lost * 10 <= traffic.sent;
    if !is_good || scene.has_saved || !scene.are_sound(&[number, hub]) {
        return Ok(());
    }
    let (Some([one, other]), Some(now), Some(other_now)) = (&call.before, scene.hold(number), scene.hold(hub)) else {
        return Ok(());
    };
    let had_work = one.lacks(other) || other.lacks(one);
    let grew = now.amount() + other_now.amount() > one.amount() + other.amount();
    let carried = call.shown().is_some_and(|shown| {
        shown.is_fully_synced || shown.progress.blobs.iter().any(|blobs| blobs.bytes_received + blobs.bytes_sent > 0)
    });
    let is_done = call.made_progress || call.is_over();
    if grew || carried || is_done {
        scene.gathered.promised += 1;
        return Ok(());
    }
    let names = format!("{} and {}", scene.stage.sites[number].name(), scene.stage.sites[hub].name());
    let found = format!(
        "{names} talk for {PROMISED_MS} ms, {}, and nothing passed ({} of {} datagrams lost): {:?}",
        if had_work { "have something for each other" } else { "hold the same" },
        traffic.lost,
        traffic.sent,
        call.shown()
    );
    violated("contact-makes-progress", found)
}

/// Notes who must get what somebody saved just now.
pub(super) fn await_live(scene: &mut Scene<'_, '_>, from: usize, new: &[EntryId]) {
    let until = scene.now_ms + LIVE_MS;
    if until > scene.plan.lasts_ms || scene.is_hub_dead || scene.plan.strangers > 0 {
        return;
    }
    let hub = scene.plan.hub;
    let is_well = |call: &Call| call.plan.is_kind() && call.plan.stays && call.is_connected();
    let writer_is_well = from == hub || scene.calls.iter().any(|call| call.plan.site == from && is_well(call));
    if !writer_is_well || !scene.are_sound(&[from, hub]) {
        return;
    }
    let readers = scene.calls.iter().filter(|call| is_well(call)).map(|call| call.plan.site).chain([hub]);
    let readers: Vec<usize> = readers.filter(|reader| *reader != from && scene.are_sound(&[*reader])).collect();
    for id in new {
        scene.awaited.extend(readers.iter().map(|reader| (*id, *reader, until)));
    }
}

/// A live entry reaches a connected peer.
pub(super) fn live(scene: &mut Scene<'_, '_>) -> Result<(), Violation> {
    let (hub, now_ms) = (scene.plan.hub, scene.now_ms);
    let mut awaited = std::mem::take(&mut scene.awaited);
    let mut late = None;
    awaited.retain(|(id, reader, until)| {
        let holds = scene.stage.sites[*reader]
            .up
            .as_ref()
            .is_some_and(|up| matches!(up.device.store().entry(*id), Ok(Some(_))));
        if holds {
            scene.gathered.live += 1;
            return false;
        }
        if *until > now_ms {
            return true;
        }
        let is_there =
            *reader == hub || scene.calls.iter().any(|call| call.plan.site == *reader && call.is_connected());
        if is_there && !scene.is_hub_dead && scene.are_sound(&[*reader, hub]) {
            late = Some((*id, *reader));
        }
        false
    });
    scene.awaited = awaited;
    match late {
        None => Ok(()),
        Some((id, reader)) => {
            let name = scene.stage.sites[reader].name();
            violated("live-entry-arrives", format!("{name} is connected, and entry {id} did not come in {LIVE_MS} ms"))
        }
    }
}

/// Every end has its code, and honest devices find no fault with each other, whatever the road did to their datagrams.
pub(super) fn outcomes(
    gathered: &mut Gathered,
    calls: &[Call],
    serving: &Serving,
    stage: &Stage<'_>,
    plan: &GatherPlan,
) -> Result<(), Violation> {
    let callers = serving.callers();
    for call in calls {
        let Some(result) = &call.result else { continue };
        let (one, other) = (&stage.sites[call.plan.site], &stage.sites[plan.hub]);
        let name = one.name();
        let is_plain = ![one, other].iter().any(|site| site.is_cut || site.is_doubled || site.disk.is_armed());
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(Missed::NoLink(error)) => {
                gathered.refusals += 1;
                no_link(error, plan, &name)?;
                continue;
            }
            Err(Missed::HungUp | Missed::Abandoned(_)) => continue,
        };
        ending(outcome, plan, is_plain, &name, gathered)?;
        let key = one.up.as_ref().map(|up| up.replica.transport_key());
        let answered = callers.iter().find(|caller| Some(caller.transport) == key);
        let answered = answered.and_then(|caller| caller.outcome.as_ref());
        if let Some(outcome) = answered {
            ending(outcome, plan, is_plain, &other.name(), gathered)?;
        }
        gathered.synced += u64::from(outcome.is_fully_synced);
        if !outcome.is_fully_synced {
            gathered.missing = format!("{name}: {:?} {:?} {:?}; ", outcome.end, outcome.rest, outcome.missing_here);
        }
    }
    Ok(())
}

/// Whether more call than have a place.
fn is_full(plan: &GatherPlan) -> bool {
    plan.connections_max < plan.calls.len() || plan.strangers > 0
}

fn no_link(error: &ConnectError, plan: &GatherPlan, name: &str) -> Result<(), Violation> {
    match error {
        ConnectError::NoAnswer | ConnectError::ClosedByPeer { .. } => Ok(()),
        ConnectError::Busy if is_full(plan) => Ok(()),
        other => violated("honest-devices-agree", format!("{name} gets no link: {other}")),
    }
}

fn ending(
    outcome: &SyncOutcome,
    plan: &GatherPlan,
    is_plain: bool,
    name: &str,
    gathered: &mut Gathered,
) -> Result<(), Violation> {
    match &outcome.end {
        End::ClosedByPeer { code: None, number, .. } => {
            violated("stable-code", format!("{name} was refused with number {number}"))
        }
        // Links of its own that were cut, and are not known to be dead.
        End::RefusedByLink { number: close_code::TOO_MANY_FROM_PEER, .. } => Ok(()),
        End::RefusedByLink { number: close_code::MADE_ROOM, .. } if is_full(plan) => Ok(()),
        End::RefusedByLink { number, .. } => {
            violated("honest-devices-agree", format!("{name}: the link refused with {number}"))
        }
        End::Misbehaved { violation } => violated("honest-devices-agree", format!("{name}: {violation}")),
        End::Aborted { transport_code } => {
            violated("honest-devices-agree", format!("{name}: QUIC gave up with {transport_code:#x}"))
        }
        End::ClosedByPeer { code: Some(code), .. } | End::ClosedHere { code, .. } => {
            gathered.refusals += u64::from(*code != CloseCode::Bye);
            let at = CloseCode::ALL.iter().position(|of| of == code).filter(|_| *code != CloseCode::Bye);
            at.into_iter().for_each(|at| gathered.codes[at] += 1);
            let is_fair = matches!(code, CloseCode::Bye | CloseCode::Storage | CloseCode::TooSlow | CloseCode::Busy);
            if is_plain && !is_fair {
                return violated("honest-devices-agree", format!("{name}: {}", outcome.end));
            }
            Ok(())
        }
        End::Storage(error) if is_plain => violated("no-fault-no-refusal", format!("{name}: {error}")),
        End::Storage(_) | End::Done | End::Stopped | End::Lost { .. } => Ok(()),
    }
}

/// What is told at the end is so.
pub(super) fn holdings(scene: &mut Scene<'_, '_>) -> Result<(), Violation> {
    let hub = scene.plan.hub;
    if scene.plan.calls.len() != 1 || scene.stage.sites[hub].disk.is_armed() {
        return Ok(());
    }
    let Some(call) = scene.calls.first() else { return Ok(()) };
    let number = call.plan.site;
    let Some(Ok(outcome)) = &call.result else { return Ok(()) };
    if !outcome.is_fully_synced || scene.stage.sites[number].disk.is_armed() || scene.has_saved {
        return Ok(());
    }
    let (Some(one), Some(other)) = (scene.hold(number), scene.hold(hub)) else { return Ok(()) };
    match one.differs(&other) {
        None => Ok(()),
        Some(difference) => {
            let name = scene.stage.sites[number].name();
            violated("synced-means-equal", format!("{name} says fully synced at the end, and {difference}"))
        }
    }
}
