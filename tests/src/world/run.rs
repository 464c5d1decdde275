//! One world from its seed: hours of saves, meetings and bad luck, and then peace, in which everything must come together.

mod carrying;
mod closing;
mod wires;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use merestone_core::entry::LogHead;
use merestone_core::id::{BlobHash, EntryId};
use merestone_core::roster::{Class, CutDraft, CutReason, Role};
use merestone_core::sync::Version;
use merestone_core::sync::frame::{BlobClass, Wants};
use merestone_node::office::PartyOffice;
use merestone_store::Census;

use super::check::{self, Holding, Shown, Violation, violated};
use super::damage;
use super::deeds::{self, Done};
use super::link::{Ended, LinkPlan};
use super::luck::{Luck, Tally};
use super::meeting::{MeetPlan, Met, meet};
use super::model::{CutMade, Model};
use super::senses::{ClockFault, Time};
use super::site::{Duty, Site};
use super::wire::chain;
use crate::chance::Chance;
use crate::mission::Mission;

/// An hour of the world.
const HOUR_MS: u64 = 3_600_000;

/// Rounds of meetings in peace after which everything must have come together.
const PEACE_ROUNDS: usize = 8;

/// What a world is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Everything but the clocks follows from it.
    pub seed: u64,
    /// The clocks follow from this and the seed.
    pub clocks: u64,
    /// Events that the story of a failure tells, at most.
    pub events: usize,
    /// How contacts are carried.
    pub level: Level,
}

/// How contacts are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A: conversations pumped by hand. Fast.
    Talks,
    /// B: real links in a network in memory, which loses, doubles, reorders and damages.
    Wires,
}

impl Level {
    /// How long a world lasts before there is peace. A contact over a real link costs ten times as much; so those worlds are
    /// shorter, and there are more of them.
    fn hours(self, chance: &mut Chance) -> u64 {
        match self {
            Self::Talks => 4 + chance.below(5),
            Self::Wires => 1 + chance.below(3),
        }
    }

    /// As the command line names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Talks => "a",
            Self::Wires => "b",
        }
    }
}

/// What a world came to.
pub struct Outcome {
    /// What happened.
    pub tally: Tally,
    /// What everybody showed in the end.
    pub shown: Shown,
    /// The bad luck that it had before there was peace.
    pub luck: Luck,
    /// A digest of everything that happened: the same for the same plan.
    pub digest: [u8; 32],
}

/// Something that must hold did not.
#[derive(Debug)]
pub struct Failure {
    /// The world.
    pub plan: Plan,
    /// What was found.
    pub violation: Violation,
    /// What happened last.
    pub story: Vec<String>,
    /// What happened until then.
    pub tally: Tally,
}

/// The invariant, the story, and the command that replays it.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "world {}: {}", self.plan.seed, self.violation)?;
        for event in &self.story {
            writeln!(f, "  {event}")?;
        }
        let Plan { seed, level, .. } = self.plan;
        let level = level.name();
        write!(f, "replay: cargo run --release -p merestone-tests --bin sim -- --level {level} --seed {seed} --seeds 1")
    }
}

/// Runs a world to its end.
///
/// # Errors
/// The first thing that did not hold; a panic, of the product or of the World itself, is one.
pub fn run(plan: Plan, mission: &Mission) -> Result<Outcome, Box<Failure>> {
    let mut world = World::found(plan, mission);
    let luck = world.luck;
    match catch_unwind(AssertUnwindSafe(|| world.live())).unwrap_or_else(|panic| panicked(&*panic)) {
        Ok(shown) => Ok(Outcome { tally: world.total(), shown, luck, digest: world.digest }),
        Err(violation) => {
            let tally = world.total();
            Err(Box::new(Failure { plan, violation, story: world.story.into(), tally }))
        }
    }
}

/// Nothing that a peer, a disk or a person does makes a program panic.
fn panicked<T>(panic: &(dyn Any + Send)) -> Result<T, Violation> {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    violated("no-panic", text.unwrap_or("a panic without words"))
}

struct World<'a> {
    seed: u64,
    events: usize,
    level: Level,
    digest: [u8; 32],
    mission: &'a Mission,
    chance: Chance,
    luck: Luck,
    time: Time,
    model: Model,
    sites: Vec<Site>,
    backups: BTreeMap<usize, Backup>,
    hostile: Option<usize>,
    tally: Tally,
    story: VecDeque<String>,
}

/// An old copy of a device.
struct Backup {
    folder: PathBuf,
    duty: Duty,
    has_marker: bool,
    restored: u32,
}

impl<'a> World<'a> {
    fn found(plan: Plan, mission: &'a Mission) -> Self {
        let mut chance = Chance::new(plan.seed);
        let luck = Luck::draw(&mut chance);
        let mut clocks = Chance::new(plan.seed ^ plan.clocks.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x00c1_0c85);
        let time = Time::default();
        let words = format!("world {}", plan.seed);
        let camps = 1 + usize::from(chance.once_in(3));
        let phones = (3 + chance.below(4) + 4 * u64::from(chance.once_in(5))) as usize;
        let mut tally = Tally { seeds: 1, ..Tally::default() };
        let sites = (0..camps + phones).map(|number| {
            let role = if number < camps { Role::Camp } else { Role::Observer };
            let fault = if luck.clocks { ClockFault::draw(&mut clocks) } else { ClockFault::Right };
            tally.clocks += u64::from(fault != ClockFault::Right);
            Site::found(mission, &time, &words, number, role, fault)
        });
        let sites: Vec<Site> = sites.collect();
        let hostile = luck.hostile.then(|| camps + chance.below(phones as u64) as usize);
        let (model, backups, story) = (Model::default(), BTreeMap::new(), VecDeque::new());
        let (seed, events, level, digest) = (plan.seed, plan.events.max(1), plan.level, [0; 32]);
        Self { seed, events, level, digest, mission, chance, luck, time, model, sites, backups, hostile, tally, story }
    }

    fn live(&mut self) -> Result<Shown, Violation> {
        let hours = self.level.hours(&mut self.chance);
        for hour in 0..hours {
            self.time.pass_to(hour * HOUR_MS);
            self.hour(hour)?;
        }
        self.peace()
    }

    fn total(&self) -> Tally {
        let mut tally = self.tally;
        tally.calls = self.sites.iter().map(|site| site.disk.calls()).sum();
        tally.disk_bytes_max = self.sites.iter().filter_map(|site| site.disk.bytes().ok()).max().unwrap_or(0);
        tally
    }

    fn tell(&mut self, event: impl Into<String>) {
        if self.story.len() == self.events {
            self.story.pop_front();
        }
        let minutes = self.time.now_ms() / 60_000;
        let event = format!("{:>3}:{:02}  {}", minutes / 60, minutes % 60, event.into());
        self.digest = chain(self.digest, event.as_bytes());
        self.story.push_back(event);
    }

    /// Everybody saves and meets, in some order, and something goes wrong.
    fn hour(&mut self, hour: u64) -> Result<(), Violation> {
        let mut deeds = Vec::new();
        for number in 0..self.sites.len() {
            if self.sites[number].role != Role::Camp {
                deeds.extend((0..1 + self.chance.below(2)).map(|_| Deed::Save(number)));
            }
        }
        for number in 0..self.sites.len() {
            let key = self.sites[number].key;
            let others: Vec<usize> = (0..self.sites.len()).filter(|other| self.sites[*other].key != key).collect();
            deeds.extend(self.chance.pick(&others).map(|other| Deed::Meet(number, *other)));
        }
        deeds.push(Deed::Trouble);
        deeds.push(Deed::Trouble);
        if self.level == Level::Wires {
            deeds.push(Deed::Gather);
        }
        if self.luck.couriers && self.chance.once_in(2) {
            let mut anybody = || self.chance.below(self.sites.len() as u64) as usize;
            deeds.push(Deed::Carry(anybody(), anybody()));
        }
        for at in (1..deeds.len()).rev() {
            deeds.swap(at, self.chance.below(at as u64 + 1) as usize);
        }
        let (mut saved, mut met) = (BTreeSet::new(), BTreeSet::new());
        let minutes = 60_u64;
        let steps = deeds.len() as u64;
        for (at, deed) in (0..).zip(deeds) {
            self.time.pass_to(hour * HOUR_MS + at * minutes * 60_000 / steps);
            match deed {
                Deed::Save(number) => {
                    // Who may not correct one record writes another.
                    if self.save(number)? || self.save(number)? {
                        saved.insert(number);
                    }
                }
                Deed::Meet(one, other) => {
                    if self.contact(one, other)? {
                        met.extend([one, other]);
                    }
                }
                Deed::Carry(one, other) => self.carry(one, other)?,
                Deed::Trouble => self.trouble()?,
                Deed::Gather => {
                    let (savers, there) = self.gathering()?;
                    saved.extend(savers);
                    met.extend(there);
                }
            }
        }
        for site in self.sites.iter().filter(|site| site.role != Role::Camp) {
            let counts = saved.contains(&site.number) && met.contains(&site.number);
            *(if counts { &mut self.tally.device_hours } else { &mut self.tally.idle_hours }) += 1;
        }
        if let Some(camp) = self.sites[0].up.as_ref().and_then(|up| up.camp.as_ref()) {
            camp.keep_up(self.time.now_ms());
        }
        self.recover(0)
    }

    /// A save, perhaps with a kill in it; whether the person was told that it is done.
    fn save(&mut self, number: usize) -> Result<bool, Violation> {
        if !self.awake(number)? {
            return Ok(false);
        }
        self.arm(number, 40);
        let site = &mut self.sites[number];
        let done = match self.chance.below(6) {
            0 => deeds::settle(site, &mut self.model, &mut self.chance),
            _ => deeds::save(site, self.mission, &mut self.model, &mut self.chance),
        };
        let name = self.sites[number].name();
        self.tell(format!("{name} saves: {done:?}"));
        let is_saved = matches!(done, Done::Saved);
        let is_shaken = self.sites[number].is_shaken;
        let is_armed = self.sites[number].disk.is_armed() || is_shaken;
        match done {
            Done::Saved => self.tally.entries += 1,
            Done::Refused(_) => {}
            Done::Storage(_) if is_armed => self.tally.untold += 1,
            Done::Storage(error) => return violated("no-fault-no-refusal", format!("{name}: {error}")),
            Done::Wrong(_) if is_armed => self.tally.untold += 1,
            Done::Wrong(error) => return violated("no-fault-no-refusal", format!("{name}: {error}")),
        }
        if is_shaken && !is_saved && !self.sites[number].disk.is_dead() {
            // After a failed flush nothing is written any more until the app is started again, on a disk that is sound.
            self.sites[number].stop();
            self.sites[number].disk.revive();
            self.restart(number)?;
        }
        self.recover(number)?;
        Ok(is_saved)
    }

    /// A meeting over some link, perhaps with a kill in it; whether it was tried.
    fn contact(&mut self, one: usize, other: usize) -> Result<bool, Violation> {
        if !self.awake(one)? || !self.awake(other)? {
            return Ok(false);
        }
        // A clone shows the same key as its original: a device does not call itself.
        if self.sites[one].key == self.sites[other].key {
            return Ok(false);
        }
        let mut link = LinkPlan::draw(&mut self.chance);
        if !self.luck.short_links {
            (link.lives_ms, link.bytes_max) = (u64::MAX, u64::MAX);
        }
        let side = self.chance.below(2) as usize;
        let save_at = (self.luck.busy && self.chance.once_in(3)).then(|| (self.chance.below(2_000), side));
        let hostile = [one, other].iter().position(|number| self.hostile == Some(*number));
        let hostile = hostile.filter(|_| self.chance.once_in(2)).map(|side| (side, self.chance.number()));
        let version = self.version(one, other);
        let mut wants = [Wants::EVERYTHING; 2];
        if self.chance.once_in(6) {
            // A person who pays for each byte leaves the originals for later.
            wants[self.chance.below(2) as usize] = Wants::entries_and(&[BlobClass::Thumbnail, BlobClass::Preview]);
        }
        let plan = MeetPlan { link, version, stay: save_at.is_some(), save_at, wants, hostile };
        self.tally.old_versions += u64::from(version == Version::V1);
        self.arm(one, 400);
        self.arm(other, 400);
        let Some(met) = self.meet(one, other, plan)? else {
            let is_sound = |site: &Site| !site.disk.is_armed() && !site.is_shaken;
            if is_sound(&self.sites[one]) && is_sound(&self.sites[other]) {
                return violated("no-fault-no-refusal", format!("{one} and {other} cannot begin to talk"));
            }
            self.recover(one)?;
            self.recover(other)?;
            return Ok(true);
        };
        self.tally.contacts += 1;
        self.tally.bytes += met.carried.bytes;
        self.tally.synced += u64::from(met.are_synced);
        self.tally.dead_links += u64::from(met.ended == Ended::Died);
        self.tally.hostile += u64::from(hostile.is_some());
        self.tally.refusals += met.codes.iter().sum::<u64>();
        self.tally.count_codes(met.codes);
        self.recover(one)?;
        self.recover(other)?;
        Ok(true)
    }

    /// The newest version that both speak; where programs are old, every third device has not been updated.
    fn version(&self, one: usize, other: usize) -> Version {
        let is_old = self.luck.old_versions && [one, other].iter().any(|number| number % 3 == 1);
        if is_old { Version::V1 } else { Version::NEWEST }
    }

    fn meet(&mut self, one: usize, other: usize, plan: MeetPlan) -> Result<Option<Met>, Violation> {
        if self.level == Level::Wires {
            return self.meet_by_wire(one, other, plan);
        }
        let [first, second] = self.sites.get_disjoint_mut([one, other]).expect("two different devices meet");
        let names = format!("{} meets {}", first.name(), second.name());
        let one_is_cut = first.is_cut || second.is_cut;
        let met = meet([first, second], plan, self.mission, &mut self.model, &mut self.chance);
        let text = match &met {
            Ok(Some(met)) => format!(
                "{names}: {:?}, {} bytes in {} ms{}{}{}",
                met.ended,
                met.carried.bytes,
                met.carried.ms,
                if met.are_synced { ", synced" } else { "" },
                if plan.hostile.is_some() { ", one hostile" } else { "" },
                if one_is_cut { ", one cut" } else { "" },
            ),
            Ok(None) => format!("{names}: not begun"),
            Err(violation) => format!("{names}: {violation}"),
        };
        self.tell(text);
        met
    }

    /// Lets something fail in what comes next, now and then.
    fn arm(&mut self, number: usize, calls: u64) {
        let Luck { kills, power_cuts, io_errors, full_disks, .. } = self.luck;
        let disk = &self.sites[number].disk;
        if (kills || power_cuts) && self.chance.once_in(6) {
            disk.kill_in(1 + self.chance.below(calls));
        } else if io_errors && self.chance.once_in(8) {
            disk.fail_in(1 + self.chance.below(calls));
        } else if full_disks && self.chance.once_in(8) {
            disk.limit_room(Some(self.chance.below(40_000)));
            self.tally.full_disks += 1;
        }
    }

    /// After a deed: a dead process is started again, a disk that failed is sound again, and what must be there is.
    fn recover(&mut self, number: usize) -> Result<(), Violation> {
        let site = &mut self.sites[number];
        if !site.is_up() {
            return Ok(());
        }
        if site.disk.is_dead() {
            self.tally.kills += 1;
            site.kill();
            if self.luck.power_cuts && self.chance.once_in(2) {
                self.cut_power(number)?;
            }
        } else if site.disk.disarm() {
            self.tally.io_errors += 1;
            if self.chance.once_in(2) {
                site.is_shaken = true;
                return Ok(());
            }
            site.stop();
        } else {
            return Ok(());
        }
        self.sites[number].disk.revive();
        self.restart(number)
    }

    fn cut_power(&mut self, number: usize) -> Result<(), Violation> {
        let site = &mut self.sites[number];
        let name = site.name();
        match site.disk.cut_power(&mut self.chance) {
            Ok(lost) => {
                self.tally.power_cuts += 1;
                self.tally.undone += (lost.sectors + lost.lengths + lost.names) as u64;
                self.tell(format!("the power of {name} is cut: {lost:?}"));
                Ok(())
            }
            Err(error) => panic!("the World cannot write to its own folder: {error}"),
        }
    }

    /// Starts a device whose process is gone, and looks whether everything is there.
    fn restart(&mut self, number: usize) -> Result<(), Violation> {
        let (kills, power_cuts) = (self.luck.kills, self.luck.power_cuts);
        if (kills || power_cuts) && self.chance.once_in(10) {
            // Killed while it starts.
            self.sites[number].disk.kill_in(1 + self.chance.below(40));
            let _ = self.sites[number].start();
            if self.sites[number].disk.is_dead() {
                self.tally.kills += 1;
                self.sites[number].kill();
                if power_cuts && self.chance.once_in(2) {
                    self.cut_power(number)?;
                }
            }
            self.sites[number].stop();
            self.sites[number].disk.revive();
        }
        let site = &mut self.sites[number];
        if let Err(error) = site.start() {
            return violated("opens-after-a-kill", format!("{}: {error}", site.name()));
        }
        check::duty(site)?;
        let text = format!("{} is started again (life {})", site.name(), site.lives());
        self.tell(text);
        let site = &mut self.sites[number];
        if site.role != Role::Camp {
            for done in deeds::go_on(site, &mut self.model) {
                match done {
                    Done::Saved => self.tally.entries += 1,
                    Done::Refused(_) => {}
                    Done::Storage(error) | Done::Wrong(error) => {
                        return violated("no-fault-no-refusal", format!("a draft that was left: {error}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a device runs, or can be made to.
    fn awake(&mut self, number: usize) -> Result<bool, Violation> {
        if !self.sites[number].is_up() {
            self.restart(number)?;
        }
        Ok(self.sites[number].is_up())
    }

    /// Something that no device did.
    fn trouble(&mut self) -> Result<(), Violation> {
        let phones: Vec<usize> =
            self.sites.iter().filter(|site| site.role != Role::Camp).map(|site| site.number).collect();
        let Some(number) = self.chance.pick(&phones).copied() else { return Ok(()) };
        match self.chance.below(6) {
            0 if self.luck.power_cuts => {
                self.sites[number].kill();
                self.tally.kills += 1;
                self.cut_power(number)?;
                self.sites[number].disk.revive();
                self.restart(number)
            }
            1 if self.luck.restores => self.back_up_or_restore(number),
            2 if self.luck.clones => self.clone_device(number),
            3 if self.luck.cuts => self.cut_key(number),
            4 | 5 if self.luck.bit_flips => self.flip(number),
            _ => Ok(()),
        }
    }

    fn back_up_or_restore(&mut self, number: usize) -> Result<(), Violation> {
        let name = self.sites[number].name();
        // A device of which there are two is not restored as well: too many forks to tell them apart.
        if self.sites[number].cloned_from.is_some() || self.sites.iter().any(|site| site.cloned_from == Some(number)) {
            return Ok(());
        }
        match self.backups.get_mut(&number) {
            None => {
                let has_marker = self.chance.once_in(3);
                self.sites[number].stop();
                let folder = self.sites[number].disk.home().with_file_name("backup");
                let but: &[&str] = if has_marker { &[] } else { &["install-marker"] };
                self.sites[number].disk.back_up(&folder, but).map_err(io)?;
                let duty = self.sites[number].duty.clone();
                self.model.copy_drafts(self.sites[number].key.as_bytes());
                self.backups.insert(number, Backup { folder, duty, has_marker, restored: 0 });
                self.tell(format!(
                    "{name} is backed up, {}",
                    if has_marker { "marker too" } else { "without its marker" }
                ));
                self.restart(number)
            }
            Some(backup) if backup.restored < 2 => {
                backup.restored += 1;
                let site = &mut self.sites[number];
                site.kill();
                site.disk.restore(&backup.folder).map_err(io)?;
                site.duty = backup.duty.clone();
                // With its marker it cannot know that it is a copy, and goes on in logs that others hold more of.
                site.is_doubled |= backup.has_marker;
                // It holds less than it said of itself; what it said is void.
                site.duty.heights.clear();
                site.duty.blobs.clear();
                site.disk.revive();
                self.tally.restores += 1;
                self.tell(format!("{name} is restored from its backup"));
                self.restart(number)
            }
            Some(_) => Ok(()),
        }
    }

    fn clone_device(&mut self, number: usize) -> Result<(), Violation> {
        let is_doubled = self.sites[number].is_doubled || self.sites[number].cloned_from.is_some();
        if is_doubled || self.backups.contains_key(&number) || self.tally.clones > 0 || self.sites[number].is_cut {
            return Ok(());
        }
        let at = self.sites.len();
        self.sites[number].stop();
        let clone = self.sites[number].clone_at(at);
        let clone = clone.unwrap_or_else(|error| panic!("the World cannot write to its own folder: {error}"));
        self.sites[number].is_doubled = true;
        self.model.copy_drafts(self.sites[number].key.as_bytes());
        self.sites.push(clone);
        self.tally.clones += 1;
        let text = format!("{} is cloned as {}", self.sites[number].name(), self.sites[at].name());
        self.tell(text);
        self.restart(number)?;
        self.restart(at)
    }

    /// The party cuts the key, at what a camp holds of it, or a little below.
    fn cut_key(&mut self, number: usize) -> Result<(), Violation> {
        let uncut = self.sites.iter().filter(|site| site.role != Role::Camp && !site.is_cut).count();
        let key = *self.sites[number].key.as_bytes();
        let cuts = self.model.cuts.iter().filter(|cut| cut.key == key).count();
        if cuts > 1 || (cuts == 0 && uncut < 3) || !self.awake(0)? {
            return Ok(());
        }
        let Some(up) = &self.sites[0].up else { return Ok(()) };
        let Ok(tips) = check::tips(&up.device) else { return Ok(()) };
        let (mut kept, mut made) = (Vec::new(), CutMade { key, kept: BTreeMap::new() });
        for tip in tips.iter().filter(|tip| tip.key == key && tip.branches.is_none()) {
            let Some(seq) = tip.height.checked_sub(1 + self.chance.below(2)) else { continue };
            let ids = up.device.store().ids_at(tip.log, &[seq]).unwrap_or_default();
            let Some(id) = ids.first().and_then(|(_, ids)| ids.first()).copied() else { continue };
            kept.push(LogHead { scope: tip.scope, epoch: tip.epoch, seq, id });
            made.kept.insert(tip.log, seq);
        }
        let office = PartyOffice::new(&self.mission.roots[self.sites[number].party]);
        let draft = CutDraft { key: &key, kept: &kept, reason: CutReason::Lost, text: None };
        let cut = office.cut(&self.mission.charter, &draft);
        let Ok(cut) = cut else { return Ok(()) };
        match up.device.receive(Class::Cut, &[cut.as_bytes().to_vec()]) {
            Ok(received) if received.new.len() == 1 => {}
            // The camp has not met anybody yet who knows this key: the party's officer waits.
            Ok(_) if cuts == 0 => return Ok(()),
            Ok(_) if up.device.authority().roster().ids(Class::Cut).contains(&cut.id()) => return Ok(()),
            Ok(_) => return violated("no-fault-no-refusal", "a second cut of a key is not taken"),
            Err(error) => return violated("no-fault-no-refusal", format!("a cut is not taken: {error}")),
        }
        let _ = up.replica.notify();
        self.model.cuts.push(made);
        for site in self.sites.iter_mut().filter(|site| *site.key.as_bytes() == key) {
            site.is_cut = true;
        }
        self.tally.cuts += 1;
        let text = format!("the key of {} is cut: {:?}", self.sites[number].name(), self.model.cuts.last());
        self.tell(text);
        Ok(())
    }

    /// Bits of a closed device turn around; a person runs the check that the product offers.
    fn flip(&mut self, number: usize) -> Result<(), Violation> {
        let site = &mut self.sites[number];
        site.stop();
        let name = site.name();
        let broken = |error: &dyn fmt::Display| -> ! { panic!("the World cannot write to its own folder: {error}") };
        match self.chance.below(4) {
            0 => {
                let is_flipped = damage::partial(site, &mut self.chance).unwrap_or_else(|error| broken(&error));
                self.tally.bit_flips += u64::from(is_flipped);
                self.restart(number)
            }
            1 => match damage::body(site, &mut self.chance).unwrap_or_else(|error| broken(&error)) {
                Some(entry) => self.flipped_body(number, entry),
                None => self.restart(number),
            },
            _ => match damage::photo(site, &mut self.chance).unwrap_or_else(|error| broken(&error)) {
                Some(photo) => self.flipped_photo(number, photo),
                None => {
                    self.tell(format!("{name} has no photo"));
                    self.restart(number)
                }
            },
        }
    }

    /// The only copy of what a person was told is saved may have been lost; it is said, and that is all that can be done.
    fn flipped_photo(&mut self, number: usize, photo: BlobHash) -> Result<(), Violation> {
        let site = &mut self.sites[number];
        site.duty.blobs.remove(&photo);
        site.duty.saved.values_mut().for_each(|photos| photos.retain(|of| *of != photo));
        let census = self.census(number, "a photo")?;
        let is_noticed =
            !census.aside.is_empty() || census.blobs_lost.contains(&photo) || census.blobs_unknown.contains(&photo);
        if is_noticed {
            return Ok(());
        }
        violated("damage-reported", format!("site {number}: a bit of {photo} turned around and nobody noticed"))
    }

    fn flipped_body(&mut self, number: usize, entry: EntryId) -> Result<(), Violation> {
        self.sites[number].duty.saved.remove(&entry);
        self.census(number, "a body")?;
        let missing = self.holding(number)?.bodies_missing;
        if missing.contains(&entry) {
            return Ok(());
        }
        violated("damage-reported", format!("site {number}: a bit of the body of {entry} turned around, unnoticed"))
    }

    fn census(&mut self, number: usize, what: &str) -> Result<Census, Violation> {
        self.tally.bit_flips += 1;
        let site = &mut self.sites[number];
        let name = site.name();
        if let Err(error) = site.start() {
            return violated("opens-after-a-kill", format!("{name}: {error}"));
        }
        let census = site.up.as_ref().map(|up| up.device.store().check()).transpose();
        self.tell(format!("a bit of {what} of {name} turns around"));
        census
            .map(Option::unwrap_or_default)
            .map_err(|error| Violation { invariant: "damage-reported", found: format!("{name}: {error}") })
    }

    /// Nothing goes wrong any more: everybody meets until nothing moves, and then everything must be the same everywhere.
    fn peace(&mut self) -> Result<Shown, Violation> {
        self.hostile = None;
        let calm = Luck { kills: false, power_cuts: false, full_disks: false, io_errors: false, ..self.luck };
        self.luck = Luck {
            short_links: false,
            bit_flips: false,
            busy: false,
            restores: false,
            clones: false,
            cuts: false,
            hostile: false,
            ..calm
        };
        self.time.pass_to(self.time.now_ms() + HOUR_MS);
        self.tell("peace");
        for number in 0..self.sites.len() {
            self.sites[number].disk.revive();
            if self.sites[number].is_shaken {
                self.sites[number].stop();
            }
            let _ = self.awake(number)?;
        }
        let there: Vec<usize> = self.sites.iter().filter(|site| site.is_up()).map(|site| site.number).collect();
        self.gather(&there)?;
        self.compare(&there)
    }

    fn gather(&mut self, there: &[usize]) -> Result<(), Violation> {
        let hub = there[0];
        let mut amount = 0;
        for round in 0..PEACE_ROUNDS {
            let mut unsynced = String::new();
            for &number in &there[1..] {
                let version = self.version(hub, number);
                let (link, wants) = (LinkPlan::GOOD, [Wants::EVERYTHING; 2]);
                let plan = MeetPlan { link, version, stay: false, save_at: None, wants, hostile: None };
                let Some(met) = self.meet(hub, number, plan)? else {
                    return violated("no-fault-no-refusal", format!("{number} cannot begin to talk in peace"));
                };
                self.tally.contacts += 1;
                if !met.are_synced && !self.sites[number].is_cut {
                    unsynced = met.missing.unwrap_or_default();
                }
            }
            if round == 0
                && let Some(camp) = self.sites[hub].up.as_ref().and_then(|up| up.camp.as_ref())
            {
                camp.keep_up(self.time.now_ms());
                if let Some(trouble) = camp.ledger_trouble() {
                    return violated("ledger-continues", trouble);
                }
            }
            let mut now = 0;
            for &number in there {
                now += self.holding(number)?.amount();
            }
            if round > 0 && unsynced.is_empty() {
                return Ok(());
            }
            if round > 1 && now == amount {
                return self.only_what_is_lost(there, &unsynced);
            }
            amount = now;
        }
        violated("peace-brings-together", format!("still not the same after {PEACE_ROUNDS} rounds"))
    }

    /// Nothing moves, and not all say "synced": then something must be held by nobody at all.
    fn only_what_is_lost(&mut self, there: &[usize], unsynced: &str) -> Result<(), Violation> {
        let (mut whole, mut missing, mut is_body_missing) = (BTreeSet::new(), BTreeSet::new(), false);
        for &number in there.iter().filter(|number| !self.sites[**number].is_cut) {
            let holding = self.holding(number)?;
            whole.extend(holding.blobs);
            missing.extend(holding.blobs_missing);
            is_body_missing |= !holding.bodies_missing.is_empty();
        }
        match missing.iter().find(|blob| whole.contains(*blob)) {
            Some(blob) => violated("peace-brings-together", format!("blob {blob} is held and does not pass")),
            // A body that rotted comes again by courier only.
            None if missing.is_empty() && !is_body_missing => {
                let found =
                    format!("nothing moves, nothing is missing, and not all say that they are synced: {unsynced}");
                violated("peace-brings-together", found)
            }
            None => Ok(()),
        }
    }

    fn holding(&self, number: usize) -> Result<Holding, Violation> {
        holding_of(&self.sites[number], self.mission)
    }

    fn compare(&mut self, there: &[usize]) -> Result<Shown, Violation> {
        let doubled: BTreeSet<[u8; 32]> =
            self.sites.iter().filter(|site| site.is_doubled).map(|site| *site.key.as_bytes()).collect();
        let honest: Vec<usize> = there.iter().copied().filter(|number| !self.sites[*number].is_cut).collect();
        let mut reference: Option<(String, Shown)> = None;
        let said = |error: String| Violation { invariant: "store-readable", found: error };
        for &number in &honest {
            check::duty(&self.sites[number])?;
            let Some(up) = &self.sites[number].up else { continue };
            let holding = self.holding(number)?;
            check::photos(&up.device, &holding)?;
            if self.tally.bit_flips == 0 {
                check::nothing_aside(&up.device)?;
            }
            // What it cannot read of an entry it says, and cannot show.
            if !holding.bodies_missing.is_empty() {
                continue;
            }
            let shown = Shown::by(&up.device).map_err(said)?;
            match &reference {
                None => {
                    check::truth(&up.device, &self.model, &doubled)?;
                    reference = Some((self.sites[number].name(), shown));
                }
                Some((name, reference)) => {
                    if let Some(difference) = reference.differs(&shown) {
                        let found = format!("{name} and {}: {difference}", self.sites[number].name());
                        return violated("honest-nodes-converge", found);
                    }
                }
            }
        }
        let hub = self.holding(honest[0])?;
        for site in self.sites.iter().filter(|site| site.is_up()) {
            if let Some(lost) = site.duty.saved.keys().find(|id| !hub.entries.contains_key(*id)) {
                let found = format!("entry {lost} of {} reached nobody in peace", site.name());
                return violated("saved-survives", found);
            }
        }
        // Perhaps each of them lacks the body of something.
        let Some((_, shown)) = reference else { return Ok(Shown::default()) };
        for number in self.visited(&honest)? {
            self.audit(number, &shown)?;
        }
        if hub.bodies_missing.is_empty() {
            self.welcome(honest[0], &shown)?;
        }
        Ok(shown)
    }
}

fn holding_of(site: &Site, mission: &Mission) -> Result<Holding, Violation> {
    let Some(up) = &site.up else { return Ok(Holding::default()) };
    Holding::of(&up.device, mission.scope()).map_err(|found| Violation { invariant: "store-readable", found })
}

/// The World's own folder must take what it writes.
fn io<T>(error: std::io::Error) -> T {
    panic!("the World cannot write to its own folder: {error}")
}

enum Deed {
    Save(usize),
    Meet(usize, usize),
    Carry(usize, usize),
    Trouble,
    Gather,
}
