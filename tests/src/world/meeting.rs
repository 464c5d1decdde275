//! Two devices meet: what happens while they talk, and what must be true of what they say.

use merestone_core::id::{EntryId, LogId, ScopeId};
use merestone_core::receipt::Receipt;
use merestone_core::sync::frame::{Frame, Wants};
use merestone_core::sync::{Class, CloseCode, Version};
use merestone_node::replica::{End, SyncOutcome, Talk, TalkOptions};

use super::check::{self, Holding, Violation, violated};
use super::deeds;
use super::lies::lie;
use super::link::{Bystander, Carried, Ended, LinkPlan, carry};
use super::model::Model;
use super::site::Site;
use crate::chance::Chance;
use crate::mission::Mission;

/// Bytes of frames that wait for one side at most: the window, and one frame of each class above it.
const WAITING_BYTES_MAX: u64 = 4 << 20;

/// How two devices meet.
#[derive(Clone, Copy, Debug)]
pub struct MeetPlan {
    /// Over which link.
    pub link: LinkPlan,
    /// The version of the conversation that both speak: the older one when one of them is old.
    pub version: Version,
    /// Whether both stay and pass on what is written meanwhile.
    pub stay: bool,
    /// When somebody at one of them saves while they talk.
    pub save_at: Option<(u64, usize)>,
    /// What each side wants to receive.
    pub wants: [Wants; 2],
    /// Which side is hostile, and by what seed.
    pub hostile: Option<(usize, u64)>,
}

/// What a meeting came to.
#[derive(Debug)]
pub struct Met {
    /// How the link ended.
    pub ended: Ended,
    /// What was carried.
    pub carried: Carried,
    /// Whether both said at the end that they hold the same.
    pub are_synced: bool,
    /// What the two said is missing, if they are not.
    pub missing: Option<String>,
    /// Whether somebody saved meanwhile.
    pub saved: bool,
    /// How often one side refused the other, by the place of the code in [`CloseCode::ALL`].
    pub codes: [u64; CloseCode::ALL.len()],
}

/// What somebody wrote at one side while the two talked.
#[derive(Clone, Copy, Debug)]
struct Saved {
    side: usize,
    /// Whether it was written in a log that may have forked.
    is_forked: bool,
    /// Frames of entries that left before it and did not arrive yet.
    before: u64,
    /// Whether the other side was told of it.
    is_told: bool,
}

struct Watch<'a> {
    sites: [&'a mut Site; 2],
    mission: &'a Mission,
    model: &'a mut Model,
    chance: &'a mut Chance,
    plan: MeetPlan,
    tamper: Chance,
    /// Frames that a hostile side saw and may send again.
    seen: Vec<(Class, Vec<u8>)>,
    saved: Option<Saved>,
    /// Frames of entries on their way to each side.
    entries_on_way: [u64; 2],
    were_synced: [bool; 2],
    violation: Option<Violation>,
}

/// Lets two devices that run talk.
///
/// # Errors
/// If something that must hold does not.
pub fn meet(
    sites: [&mut Site; 2],
    plan: MeetPlan,
    mission: &Mission,
    model: &mut Model,
    chance: &mut Chance,
) -> Result<Option<Met>, Violation> {
    let [Some(one), Some(other)] = [&sites[0].up, &sites[1].up] else { return Ok(None) };
    let replicas = [one.replica.clone(), other.replica.clone()];
    let scope = mission.scope();
    let before = [hold(sites[0], scope)?, hold(sites[1], scope)?];
    let begin = |here: usize| {
        let (version, wants) = (plan.version, plan.wants[here]);
        let options = TalkOptions { version, wants, stay: plan.stay, ..TalkOptions::default() };
        Talk::begin(&replicas[here], replicas[1 - here].transport_key(), options)
    };
    let (Ok(one), Ok(other)) = (begin(0), begin(1)) else { return Ok(None) };
    let mut talks = [one, other];
    let tamper = Chance::new(plan.hostile.map_or(0, |(_, seed)| seed));
    let mut watch = Watch {
        sites,
        mission,
        model,
        chance,
        plan,
        tamper,
        seen: Vec::new(),
        saved: None,
        entries_on_way: [0; 2],
        were_synced: [false; 2],
        violation: None,
    };
    let (ended, carried) = carry(plan.link, &mut talks, &mut watch);
    if let Some(violation) = watch.violation {
        return Err(violation);
    }
    let (saved, sites) = (watch.saved.is_some(), watch.sites);
    if carried.waiting_max > WAITING_BYTES_MAX {
        return violated("memory-under-caps", format!("{} bytes wait for one side", carried.waiting_max));
    }
    if ended == Ended::Died {
        talks.iter_mut().for_each(Talk::lost);
    }
    let outcomes = talks.map(Talk::finish);
    let mut codes = [0; CloseCode::ALL.len()];
    for (outcome, site) in outcomes.iter().zip(&sites) {
        let refused = ending(outcome, site)?;
        if let Some(at) = CloseCode::ALL.iter().position(|code| refused == Some(*code)) {
            codes[at] += 1;
        }
    }
    let are_synced = outcomes.iter().all(|of| of.is_fully_synced);
    let said = |of: &SyncOutcome| format!("{:?} {:?} {:?} {:?}; ", of.end, of.rest, of.missing_here, of.missing_there);
    let missing = (!are_synced).then(|| outcomes.iter().map(said).collect());
    let met = Met { ended, carried, are_synced, missing, saved, codes };
    let is_plain = plan.hostile.is_none() && !saved && !matches!(ended, Ended::Killed { .. });
    if is_plain && sites.iter().all(|site| !site.disk.is_armed() && !site.is_shaken) {
        after(&sites, &before, &outcomes, plan, &met, scope)?;
    }
    Ok(Some(met))
}

/// What must be true after a meeting that nothing disturbed but its link.
fn after(
    sites: &[&mut Site; 2],
    before: &[Holding; 2],
    outcomes: &[SyncOutcome; 2],
    plan: MeetPlan,
    met: &Met,
    scope: ScopeId,
) -> Result<(), Violation> {
    if outcomes.iter().any(|outcome| matches!(outcome.end, End::Storage(_))) {
        return Ok(());
    }
    let names = format!("{} and {}", sites[0].name(), sites[1].name());
    let now = [hold(sites[0], scope)?, hold(sites[1], scope)?];
    for (outcome, site) in outcomes.iter().zip(sites) {
        if outcome.is_fully_synced
            && let Some(difference) = now[0].differs(&now[1])
        {
            let found = format!("{names}: {} says fully synced, and {difference}", site.name());
            return violated("synced-means-equal", found);
        }
    }
    let is_cut = sites.iter().any(|site| site.is_cut);
    let grew = now[0].amount() + now[1].amount() > before[0].amount() + before[1].amount();
    let chunks = outcomes.iter().any(|of| of.progress.blobs.iter().any(|blob| blob.bytes_received > 0));
    let had_work = before[0].lacks(&before[1]) || before[1].lacks(&before[0]);
    let is_all_wanted = plan.wants == [Wants::EVERYTHING; 2];
    // Which photos an entry names is in its body: where that rotted nobody asks for them.
    let is_readable = before.iter().all(|of| of.bodies_missing.is_empty());
    if plan.link.promises_progress() && had_work && is_readable && is_all_wanted && !is_cut && !grew && !chunks {
        let found = format!("{names} had something for each other over {:?}, and nothing passed: {:?}", plan.link, met);
        return violated("contact-makes-progress", found);
    }
    if matches!(met.ended, Ended::Closed { code: CloseCode::Bye, .. }) && !is_cut && is_all_wanted {
        // Both had nothing more to say: whatever is not equal is named.
        for (side, outcome) in outcomes.iter().enumerate() {
            let lacks = now[side].lacks(&now[1 - side]) || !now[side].blobs_missing.is_empty();
            let is_named = !outcome.missing_here.is_nothing()
                || !outcome.failed.is_empty()
                || outcomes[1 - side].missing_there.iter().any(|log| log.here > log.there);
            if lacks && !is_named {
                let lacked = now[side].first_lacked(&now[1 - side]);
                let found = format!("{names}: side {side} lacks something and names nothing: {lacked:?}");
                return violated("gaps-reported", found);
            }
        }
    }
    Ok(())
}

/// Every end has its code; with which code this side refused, if it did.
fn ending(outcome: &SyncOutcome, site: &Site) -> Result<Option<CloseCode>, Violation> {
    match &outcome.end {
        End::ClosedByPeer { code: None, number, .. } => {
            violated("stable-code", format!("{} was refused with number {number}", site.name()))
        }
        End::ClosedHere { code, .. } => Ok(Some(*code).filter(|code| *code != CloseCode::Bye)),
        _ => Ok(None),
    }
}

fn hold(site: &Site, scope: ScopeId) -> Result<Holding, Violation> {
    let Some(up) = &site.up else { return Ok(Holding::default()) };
    let held = Holding::of(&up.device, scope);
    held.map_err(|error| Violation { invariant: "store-readable", found: format!("{}: {error}", site.name()) })
}

impl Bystander for Watch<'_> {
    fn sees(&mut self, from: usize, class: Class, frame: &mut Vec<u8>) -> bool {
        if let Some((hostile, _)) = self.plan.hostile
            && from == hostile
        {
            return self.tamper_with(class, frame);
        }
        match class {
            Class::Control => self.note_claims(from, frame),
            Class::Entries => self.entries_on_way[1 - from] += 1,
            Class::Blobs(_) => {}
        }
        true
    }

    fn reads(&mut self, to: usize, class: Class) {
        if class != Class::Entries {
            return;
        }
        self.entries_on_way[to] = self.entries_on_way[to].saturating_sub(1);
        if let Some(saved) = self.saved.as_mut().filter(|saved| saved.side != to) {
            saved.is_told |= saved.before == 0;
            saved.before = saved.before.saturating_sub(1);
        }
    }

    fn is_dead(&mut self, side: usize) -> bool {
        self.sites[side].disk.is_dead() || self.violation.is_some()
    }

    fn meanwhile(&mut self, now_ms: u64, talks: &mut [Talk; 2]) {
        let Some((_, side)) = self.plan.save_at.filter(|(at, _)| *at <= now_ms) else { return };
        self.plan.save_at = None;
        let is_phone = !matches!(self.sites[side].role, merestone_core::roster::Role::Camp);
        let is_forked = is_phone && self.sites[side].is_doubled;
        self.saved = Some(Saved { side, is_forked, before: self.entries_on_way[1 - side], is_told: false });
        if is_phone {
            // How it ends is seen on the disk later.
            let _ = deeds::save(self.sites[side], self.mission, self.model, self.chance);
            talks[side].look();
        }
    }

    fn listens(&mut self, talks: &[Talk; 2]) {
        for (side, talk) in talks.iter().enumerate() {
            let is_synced = talk.progress().is_fully_synced;
            let is_new = is_synced && !self.were_synced[side];
            self.were_synced[side] = is_synced;
            // Who was not told yet of what was just written may say it of before. Where a forked log differs is found in several
            // rounds of questions, each behind what is on its way: until then one side alone may say it. When both do it must be so.
            let do_both_say_it = talks.iter().all(|talk| talk.progress().is_fully_synced);
            let knows = |saved: Saved| !saved.is_forked && (saved.side == side || saved.is_told);
            let is_quiet = do_both_say_it || self.saved.is_none_or(knows);
            if is_new && is_quiet && self.plan.hostile.is_none() {
                self.compare(side);
            }
        }
    }
}

impl Watch<'_> {
    /// "Fully synced" means equal sets, photos included, at that moment.
    fn compare(&mut self, side: usize) {
        let scope = self.mission.scope();
        let held = [hold(self.sites[0], scope), hold(self.sites[1], scope)];
        let [Ok(one), Ok(other)] = held else { return };
        if let Some(difference) = one.differs(&other) {
            let found = format!("{} shows fully synced, and {difference}", self.sites[side].name());
            self.violation = Some(Violation { invariant: "synced-means-equal", found });
        }
    }

    /// Remembers what a side says it holds durably.
    fn note_claims(&mut self, from: usize, frame: &[u8]) {
        let site = &mut *self.sites[from];
        match Frame::decode(frame) {
            Ok(Frame::Kept(tips)) => {
                for tip in tips {
                    self.note_chain(from, tip.log, tip.height, tip.head);
                }
            }
            Ok(Frame::Receipt(bytes)) => {
                let (Some(up), own) = (&site.up, site.store_id()) else { return };
                let Ok(receipt) = Receipt::verify(&bytes, &up.device.authority().roster()) else { return };
                if Some(receipt.store()) != own {
                    return;
                }
                let counts = up.device.store().missing_body_counts().unwrap_or_default();
                for log in receipt.logs() {
                    let missing = counts.iter().find(|(of, _)| *of == log.log).map_or(0, |(_, count)| *count);
                    if log.missing < missing {
                        let found = format!(
                            "{} signs that {} bodies of log {} are missing, and {missing} are",
                            site.name(),
                            log.missing,
                            log.log
                        );
                        self.violation = Some(Violation { invariant: "receipt-names-what-is-missing", found });
                    }
                }
                site.duty.blobs.extend(receipt.blobs());
                for log in receipt.logs() {
                    self.note_chain(from, log.log, log.height, log.head);
                }
            }
            _ => {}
        }
    }

    /// A side says that it holds a log up to a head: so it must now, and after a power cut.
    fn note_chain(&mut self, from: usize, log: LogId, height: u64, head: EntryId) {
        let site = &mut *self.sites[from];
        let Some(up) = &site.up else { return };
        match check::chain_to(&up.device, log, height, head) {
            Ok(Ok(chain)) => site.duty.told.extend(chain),
            Ok(Err(lacking)) => {
                let found = format!("{} says that it holds {height} of log {log}, and lacks {lacking}", site.name());
                self.violation = Some(Violation { invariant: "acknowledged-is-durable", found });
            }
            // A disk that may fail may fail this look too.
            Err(_) => {}
        }
    }

    /// What a hostile side does with what an honest program wanted to send.
    fn tamper_with(&mut self, class: Class, frame: &mut Vec<u8>) -> bool {
        let chance = &mut self.tamper;
        if self.seen.len() < 64 {
            self.seen.push((class, frame.clone()));
        }
        match chance.below(24) {
            0 => {
                let at = chance.below(frame.len() as u64);
                if let Some(byte) = usize::try_from(at).ok().and_then(|at| frame.get_mut(at)) {
                    *byte ^= 1 << chance.below(8);
                }
            }
            1 => frame.truncate(usize::try_from(chance.below(frame.len() as u64 + 1)).unwrap_or(0)),
            2 => {
                let len = chance.below(300);
                *frame = (0..len).map(|_| chance.number().to_be_bytes()[0]).collect();
            }
            3 => {
                let of_class: Vec<Vec<u8>> =
                    self.seen.iter().filter(|(of, _)| *of == class).map(|(_, frame)| frame.clone()).collect();
                if let Some(again) = chance.pick(&of_class) {
                    frame.clone_from(again);
                }
            }
            4 => return false,
            5 | 6 => lie(frame, chance),
            _ => {}
        }
        true
    }
}
