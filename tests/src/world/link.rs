//! A link between two conversations, in the time of the world: how fast, how far, how long it lives.
//!
//! Frames of one side leave one after the other, most urgent class first, and arrive in that order, as QUIC streams of different
//! classes do on a link that loses nothing. Loss shows as a slower link. When the link dies, what was on its way is lost.

use std::collections::{BTreeMap, VecDeque};

use merestone_core::sync::{Class, CloseCode};
use merestone_node::replica::Talk;

use crate::chance::Chance;

/// How often a conversation learns the time.
const WAKE_US: u64 = 1_000_000;

/// Frames on their way to one side, at most: what a link's window holds.
const WINDOW_BYTES: u64 = 512 * 1024;

/// Nothing moves for so long: the two have nothing more to say. Longer than any patience of the product's own but the one for a silent peer.
const QUIET_US: u64 = 15_000_000;

/// A link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkPlan {
    /// Round trip, in milliseconds.
    pub round_trip_ms: u64,
    /// Bytes per second, each way.
    pub bytes_per_s: u64,
    /// It dies after so many milliseconds.
    pub lives_ms: u64,
    /// It dies after so many bytes, both ways together.
    pub bytes_max: u64,
}

impl LinkPlan {
    /// A link that nothing ever happens to.
    pub const GOOD: Self = Self { round_trip_ms: 20, bytes_per_s: 10_000_000, lives_ms: u64::MAX, bytes_max: u64::MAX };

    /// Any link there may be on a road.
    pub fn draw(chance: &mut Chance) -> Self {
        let longest = if chance.once_in(4) { 900 } else { 300 };
        let round_trip_ms = 5 + chance.below(longest);
        let bytes_per_s = 4_000 << chance.below(12);
        let lives_ms = match chance.below(4) {
            0 => u64::MAX,
            1 => 10_000 + chance.below(110_000),
            _ => 1_000 + chance.below(9_000),
        };
        let bytes_max = if chance.once_in(3) { 200 + chance.below(40_000) } else { u64::MAX };
        Self { round_trip_ms, bytes_per_s, lives_ms, bytes_max }
    }

    /// Whether the product promises progress on it: it lives for 2 s at a round trip of at most 300 ms, and a photo's chunk passes
    /// within half of that.
    pub fn promises_progress(&self) -> bool {
        self.lives_ms >= 2_000 && self.round_trip_ms <= 300 && self.bytes_max >= 200_000 && self.bytes_per_s >= 128_000
    }
}

/// How a link ended for the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A side said good-bye or refused, with this code.
    Closed {
        /// Which side.
        by: usize,
        /// Its code.
        code: CloseCode,
    },
    /// The link died.
    Died,
    /// Both had nothing more to say and stayed.
    Quiet,
    /// The process of a side died.
    Killed {
        /// Which side.
        side: usize,
    },
}

/// What the World does while two devices talk.
pub trait Bystander {
    /// A frame leaves `from`; it may be changed, or swallowed by answering `false`.
    fn sees(&mut self, from: usize, class: Class, frame: &mut Vec<u8>) -> bool;

    /// A frame was taken in by `to`.
    fn reads(&mut self, to: usize, class: Class);

    /// Called after every step; `true` when the process of that side is dead.
    fn is_dead(&mut self, side: usize) -> bool;

    /// Something else happens at this moment, if it is time: somebody saves, a cut arrives.
    fn meanwhile(&mut self, now_ms: u64, talks: &mut [Talk; 2]);

    /// What the two claim has changed.
    fn listens(&mut self, talks: &[Talk; 2]);
}

/// What was carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Time that passed.
    pub ms: u64,
    /// Bytes, both ways.
    pub bytes: u64,
    /// Frames, both ways.
    pub frames: u64,
    /// Most bytes of frames that waited for one side at one time.
    pub waiting_max: u64,
}

struct Link<'a> {
    plan: LinkPlan,
    talks: &'a mut [Talk; 2],
    now_us: u64,
    /// When the sender of a side may send again.
    free_us: [u64; 2],
    /// On the way, by time of arrival and number.
    on_way: BTreeMap<(u64, u64), (usize, Parcel)>,
    waiting: [u64; 2],
    /// What came while a conversation took nothing.
    held: [VecDeque<Parcel>; 2],
    /// Parcels put on the way so far.
    put: u64,
    /// When something moved last.
    moved_us: u64,
    carried: Carried,
}

enum Parcel {
    Frame(Class, Vec<u8>),
    Close(CloseCode),
}

/// Carries frames until the conversation or the link ends.
pub fn carry(plan: LinkPlan, talks: &mut [Talk; 2], world: &mut dyn Bystander) -> (Ended, Carried) {
    let (on_way, held, carried) = (BTreeMap::new(), Default::default(), Carried::default());
    let mut link =
        Link { plan, talks, now_us: 0, free_us: [0; 2], on_way, waiting: [0; 2], held, put: 0, moved_us: 0, carried };
    let ended = link.run(world);
    link.carried.ms = link.now_us / 1_000;
    (ended, link.carried)
}

impl Link<'_> {
    fn run(&mut self, world: &mut dyn Bystander) -> Ended {
        let mut wake_us = WAKE_US;
        let mut closed = None;
        loop {
            if let Some(side) = (0..2).find(|side| world.is_dead(*side)) {
                return Ended::Killed { side };
            }
            if self.now_us / 1_000 >= self.plan.lives_ms || self.carried.bytes >= self.plan.bytes_max {
                return Ended::Died;
            }
            for side in 0..2 {
                self.send(side, world);
                if world.is_dead(side) {
                    return Ended::Killed { side };
                }
                if let (None, Some(close)) = (closed, self.talks[side].close()) {
                    closed = Some((side, close.code));
                    self.put(side, self.now_us.max(self.free_us[side]), Parcel::Close(close.code));
                }
            }
            if let Some((by, code)) = closed
                && self.talks[1 - by].is_over()
            {
                return Ended::Closed { by, code };
            }
            if self.on_way.is_empty() && self.now_us.saturating_sub(self.moved_us) > QUIET_US {
                return Ended::Quiet;
            }
            let arrival = self.on_way.keys().next().map(|(at, _)| *at);
            let free = self.free_us.iter().copied().filter(|at| *at > self.now_us).min();
            self.now_us = [arrival, free].into_iter().flatten().chain([wake_us]).min().unwrap_or(wake_us);
            let now_ms = self.now_us / 1_000;
            world.meanwhile(now_ms, self.talks);
            if self.now_us >= wake_us {
                wake_us += WAKE_US;
                self.talks.iter_mut().for_each(|talk| talk.wake(now_ms));
            }
            self.arrive(world);
            world.listens(self.talks);
        }
    }

    fn send(&mut self, side: usize, world: &mut dyn Bystander) {
        while self.free_us[side] <= self.now_us && self.waiting[1 - side] < WINDOW_BYTES {
            let talk = &mut self.talks[side];
            let next = Class::ALL.into_iter().find_map(|class| Some((class, talk.next_frame(class)?)));
            let Some((class, mut frame)) = next else { return };
            if world.is_dead(side) {
                return;
            }
            let bytes = frame.len() as u64 + 8;
            self.carried.bytes += bytes;
            self.carried.frames += 1;
            self.free_us[side] = self.now_us + (bytes * 1_000_000 / self.plan.bytes_per_s.max(1)).max(1);
            if world.sees(side, class, &mut frame) {
                self.waiting[1 - side] += frame.len() as u64;
                self.carried.waiting_max = self.carried.waiting_max.max(self.waiting[1 - side]);
                self.put(side, self.free_us[side], Parcel::Frame(class, frame));
            }
        }
    }

    fn put(&mut self, from: usize, at_us: u64, parcel: Parcel) {
        let at = at_us + self.plan.round_trip_ms * 500;
        self.put += 1;
        self.on_way.insert((at, self.put), (1 - from, parcel));
        self.moved_us = self.now_us;
    }

    fn arrive(&mut self, world: &mut dyn Bystander) {
        while let Some(entry) = self.on_way.first_entry()
            && entry.key().0 <= self.now_us
        {
            let (to, parcel) = entry.remove();
            self.moved_us = self.now_us;
            self.held[to].push_back(parcel);
            self.hand_over(to, world);
            if world.is_dead(to) {
                return;
            }
        }
        (0..2).for_each(|to| self.hand_over(to, world));
    }

    /// What has come and is taken; the rest waits until the conversation takes more.
    fn hand_over(&mut self, to: usize, world: &mut dyn Bystander) {
        let talk = &mut self.talks[to];
        let is_taken = |talk: &Talk, parcel: &Parcel| {
            let class = if let Parcel::Frame(class, _) = parcel { *class } else { Class::Control };
            talk.is_over() || talk.is_receiving(class)
        };
        // A class that is not read holds up no other.
        while let Some(at) = self.held[to].iter().position(|parcel| is_taken(talk, parcel)) {
            match self.held[to].remove(at) {
                None => return,
                Some(Parcel::Close(code)) => talk.closed_by_peer(code),
                Some(Parcel::Frame(class, frame)) => {
                    self.waiting[to] -= frame.len() as u64;
                    talk.deliver(class, frame);
                    world.reads(to, class);
                }
            }
        }
    }
}
