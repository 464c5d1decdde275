//! One world from its seed: hours of saves, meetings and bad luck, and then peace, in which everything must come together.

mod amending;
mod carrying;
mod closing;
mod cuts;
mod doubles;
mod finality;
mod hours;
mod mishaps;
mod peace;
mod rot;
mod wires;

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use merestone_core::roster::{CompleteCharter, Role};

use super::check::{Holding, Shown, Violation};
use super::luck::{Luck, Tally};
use super::model::Model;
use super::senses::{ClockFault, Time};
use super::site::Site;
use super::wire::chain;
use super::witnesses::Witnesses;
use crate::chance::Chance;
use crate::mission::Mission;
use crate::outpost::Missions;
use doubles::Backup;

/// An hour of the world.
const HOUR_MS: u64 = 3_600_000;

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
pub fn run(plan: Plan, missions: &Missions) -> Result<Outcome, Box<Failure>> {
    let founded = catch_unwind(AssertUnwindSafe(|| World::found(plan, missions)));
    let mut world = match founded {
        Ok(world) => world,
        Err(panic) => {
            let violation = no_panic(&*panic);
            return Err(Box::new(Failure { plan, violation, story: Vec::new(), tally: Tally::default() }));
        }
    };
    let luck = world.luck;
    match catch_unwind(AssertUnwindSafe(|| world.live())).unwrap_or_else(|panic| Err(no_panic(&*panic))) {
        Ok(shown) => Ok(Outcome { tally: world.total(), shown, luck, digest: world.digest }),
        Err(violation) => {
            let tally = world.total();
            Err(Box::new(Failure { plan, violation, story: world.story.into(), tally }))
        }
    }
}

/// Nothing that a peer, a disk or a person does makes a program panic.
fn no_panic(panic: &(dyn Any + Send)) -> Violation {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Violation { invariant: "no-panic", found: text.unwrap_or("a panic without words").to_owned() }
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
    witnesses: Witnesses,
    /// The charters after each amendment that somebody holds or held.
    amended: Vec<Arc<CompleteCharter>>,
    tally: Tally,
    story: VecDeque<String>,
}

impl<'a> World<'a> {
    fn found(plan: Plan, missions: &'a Missions) -> Self {
        let mut chance = Chance::new(plan.seed);
        let luck = Luck::draw(&mut chance);
        let mission = if luck.witnesses { &missions.witnessed } else { &missions.bare };
        let mut clocks = Chance::new(plan.seed ^ plan.clocks.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x00c1_0c85);
        let time = Time::default();
        let words = format!("world {}", plan.seed);
        let camps = match luck.witnesses {
            true => 1 + chance.below(3) as usize,
            false => 1 + usize::from(chance.once_in(3)),
        };
        let phones = (3 + chance.below(4) + 4 * u64::from(chance.once_in(5))) as usize;
        let mut tally = Tally { seeds: 1, ..Tally::default() };
        let sites = (0..camps + phones).map(|number| {
            let role = if number < camps { Role::Camp } else { Role::Observer };
            let fault = if luck.clocks { ClockFault::draw(&mut clocks) } else { ClockFault::Right };
            tally.clocks += u64::from(fault != ClockFault::Right);
            Site::found(mission, &time, &words, number, role, fault)
        });
        let mut sites: Vec<Site> = sites.collect();
        if luck.couriers && chance.once_in(2) {
            // An island, reached by nothing but sticks until there is peace.
            let island = camps + chance.below(phones as u64) as usize;
            sites[island].away_until_ms = u64::MAX;
        }
        let hostile = luck.hostile.then(|| camps + chance.below(phones as u64) as usize);
        let (model, backups, story) = (Model::default(), BTreeMap::new(), VecDeque::new());
        let (seed, events, level, digest) = (plan.seed, plan.events.max(1), plan.level, [0; 32]);
        let witnesses = if luck.witnesses { Witnesses::of(mission) } else { Witnesses::default() };
        Self {
            seed,
            events,
            level,
            digest,
            mission,
            chance,
            luck,
            time,
            model,
            sites,
            backups,
            hostile,
            witnesses,
            amended: Vec::new(),
            tally,
            story,
        }
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

    fn holding(&self, number: usize) -> Result<Holding, Violation> {
        holding_of(&self.sites[number], self.mission)
    }
}

fn holding_of(site: &Site, mission: &Mission) -> Result<Holding, Violation> {
    let Some(up) = &site.up else { return Ok(Holding::default()) };
    Holding::of(&up.device, mission.scope()).map_err(|found| Violation { invariant: "store-readable", found })
}

/// The World's own folder must take what it writes.
fn io<T>(error: impl fmt::Display) -> T {
    panic!("the World cannot write to its own folder: {error}")
}
