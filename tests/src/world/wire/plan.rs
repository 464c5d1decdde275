//! How a gathering goes: who calls whom, when, over which roads, and what befalls them.

use merestone_core::sync::Version;

use super::super::link::LinkPlan;
use super::super::luck::Luck;
use crate::chance::Chance;
use crate::net::Weather;

/// A contact of this length makes progress, if its road is good enough.
pub(super) const PROMISED_MS: u64 = 2_000;

/// One device that calls.
#[derive(Clone, Copy, Debug)]
pub struct CallPlan {
    /// Which.
    pub site: usize,
    /// When it calls, in milliseconds from the beginning of the gathering.
    pub at_ms: u64,
    /// What datagrams meet towards the one that answers.
    pub there: Weather,
    /// And towards the caller.
    pub back: Weather,
    /// For how long after the call anything passes.
    pub lives_ms: u64,
    /// A time in which only one side hears the other.
    pub deaf: Option<Deaf>,
    /// When the caller's address becomes another.
    pub moves_ms: Option<u64>,
    /// When its person saves something.
    pub saves_ms: Option<u64>,
    /// The newest version that its program speaks.
    pub version: Version,
    /// Whether it stays connected when both hold the same.
    pub stays: bool,
}

/// A time in which one side hears nothing.
#[derive(Clone, Copy, Debug)]
pub struct Deaf {
    /// When it begins.
    pub from_ms: u64,
    /// When it ends.
    pub until_ms: u64,
    /// Whether it is the caller that hears nothing.
    pub is_caller: bool,
}

/// A gathering.
#[derive(Clone, Debug)]
pub struct GatherPlan {
    /// Who answers.
    pub hub: usize,
    /// Who calls, in order of time.
    pub calls: Vec<CallPlan>,
    /// When the person at the one that answers saves something.
    pub hub_saves_ms: Option<u64>,
    /// The newest version that its program speaks.
    pub hub_version: Version,
    /// Endpoints without a certificate that call too: half of them never hear an answer, the others say nothing.
    pub strangers: u8,
    /// Connections that the one that answers takes at one time.
    pub connections_max: usize,
    /// When everybody is asked to stop.
    pub lasts_ms: u64,
}

impl CallPlan {
    /// A call at once over a link that nothing happens to.
    fn calm(site: usize) -> Self {
        let link = LinkPlan::GOOD;
        let weather = Weather {
            delay_us: link.round_trip_ms * 500,
            bytes_per_s: Some(link.bytes_per_s),
            queue_bytes: 64_000,
            ..Weather::default()
        };
        Self {
            site,
            at_ms: 0,
            there: weather,
            back: weather,
            lives_ms: u64::MAX,
            deaf: None,
            moves_ms: None,
            saves_ms: None,
            version: Version::NEWEST,
            stays: false,
        }
    }

    /// Whether its first two seconds must bring something across.
    pub(super) fn promises_progress(&self) -> bool {
        let roads = [self.there, self.back];
        let round_trip_us: u64 = roads.iter().map(|road| road.delay_us + road.jitter_us).sum();
        let is_early = |ms: Option<u64>| ms.is_some_and(|ms| ms <= self.at_ms + PROMISED_MS);
        round_trip_us <= 300_000
            && roads.iter().all(|road| road.lost_ppm <= 100_000 && road.overtaken_ppm == 0)
            && roads.iter().all(|road| road.bytes_per_s.is_none_or(|rate| rate >= 128_000))
            && self.lives_ms >= PROMISED_MS
            && self.deaf.is_none()
            && !is_early(self.moves_ms)
    }

    /// Whether what is saved on one side reaches the other soon, while both are connected.
    pub(super) fn is_kind(&self) -> bool {
        self.promises_progress()
            && self.lives_ms == u64::MAX
            && self.moves_ms.is_none()
            && [self.there, self.back].iter().all(|road| road.damaged_ppm == 0)
    }
}

impl GatherPlan {
    /// Two devices meet in calm weather.
    pub fn calm(hub: usize, site: usize, version: Version) -> Self {
        let call = CallPlan { version, ..CallPlan::calm(site) };
        Self { lasts_ms: 600_000, ..Self::of(hub, vec![call]) }
    }

    fn of(hub: usize, calls: Vec<CallPlan>) -> Self {
        let hub_version = Version::NEWEST;
        Self { hub, calls, hub_saves_ms: None, hub_version, strangers: 0, connections_max: 48, lasts_ms: 40_000 }
    }

    /// Two devices meet over any road there may be.
    pub fn pair(hub: usize, site: usize, luck: &Luck, chance: &mut Chance) -> Self {
        let mut call = draw_call(site, luck, chance);
        call.at_ms = 0;
        let busy = luck.busy && chance.once_in(3);
        call.stays = busy;
        call.saves_ms = (busy && chance.once_in(2)).then(|| chance.below(4_000));
        let hub_saves_ms = (busy && call.saves_ms.is_none()).then(|| chance.below(4_000));
        let lasts_ms = if busy { 20_000 } else { 40_000 };
        Self { hub_saves_ms, hub_version: luck.version_of(hub), lasts_ms, ..Self::of(hub, vec![call]) }
    }

    /// Many devices call one at about the same time, and most of them stay.
    pub fn many(hub: usize, sites: &[usize], luck: &Luck, chance: &mut Chance) -> Self {
        let mut calls: Vec<CallPlan> = sites.iter().map(|site| draw_call(*site, luck, chance)).collect();
        calls.sort_by_key(|call| (call.at_ms, call.site));
        let strangers = if luck.hostile { u8::try_from(chance.below(24)).unwrap_or(0) } else { 0 };
        let connections_max = if chance.once_in(4) { 1 + sites.len() / 2 } else { 48 };
        let hub_saves_ms = luck.busy.then(|| 4_000 + chance.below(10_000));
        let hub_version = luck.version_of(hub);
        Self { hub_saves_ms, hub_version, strangers, connections_max, lasts_ms: 30_000, ..Self::of(hub, calls) }
    }
}

fn draw_call(site: usize, luck: &Luck, chance: &mut Chance) -> CallPlan {
    let at_ms = chance.below(3_000);
    let saves_ms = (luck.busy && chance.once_in(2)).then(|| at_ms + 2_000 + chance.below(12_000));
    let (version, stays) = (luck.version_of(site), !chance.once_in(4));
    if chance.once_in(3) {
        let (there, back) = (gentle_weather(chance), gentle_weather(chance));
        return CallPlan { at_ms, there, back, saves_ms, version, stays, ..CallPlan::calm(site) };
    }
    let (there, back) = (rough_weather(chance), rough_weather(chance));
    let lives_ms = if luck.short_links && chance.once_in(2) { 1_000 + chance.below(9_000) } else { u64::MAX };
    let deaf = chance.once_in(6).then(|| {
        let from_ms = at_ms + chance.below(8_000);
        Deaf { from_ms, until_ms: from_ms + 500 + chance.below(6_000), is_caller: chance.once_in(2) }
    });
    CallPlan {
        site,
        at_ms,
        there,
        back,
        lives_ms,
        deaf,
        moves_ms: chance.once_in(4).then(|| at_ms + chance.below(8_000)),
        saves_ms,
        version,
        stays,
    }
}

/// One direction of a road that is as good as progress is promised on.
fn gentle_weather(chance: &mut Chance) -> Weather {
    let lost = if chance.once_in(2) { 0 } else { chance.below(100_000) };
    Weather {
        delay_us: 1_000 * (1 + chance.below(120)),
        jitter_us: 1_000 * chance.below(30),
        lost_ppm: u32::try_from(lost).unwrap_or(0),
        bytes_per_s: chance.once_in(2).then(|| 128_000 << chance.below(6)),
        queue_bytes: 16_000 + chance.below(60_000),
        ..Weather::default()
    }
}

/// One direction of any road there may be.
fn rough_weather(chance: &mut Chance) -> Weather {
    let slowest_ms = if chance.once_in(4) { 450 } else { 100 };
    let mut now_and_then = |ppm: u64| {
        let is_so = chance.once_in(4);
        let ppm = u32::try_from(chance.below(ppm)).unwrap_or(0);
        if is_so { ppm } else { 0 }
    };
    let (doubled_ppm, overtaken_ppm) = (now_and_then(200_000), now_and_then(200_000));
    let damaged_ppm = now_and_then(100_000);
    let lost = match chance.below(6) {
        0..=2 => 0,
        3 => chance.below(100_000),
        4 => chance.below(300_000),
        _ => chance.below(600_000),
    };
    Weather {
        delay_us: 1_000 * (1 + chance.below(slowest_ms)),
        jitter_us: if chance.once_in(3) { 1_000 * chance.below(60) } else { 0 },
        lost_ppm: u32::try_from(lost).unwrap_or(0),
        doubled_ppm,
        overtaken_ppm,
        damaged_ppm,
        bytes_per_s: chance.once_in(2).then(|| 8_000 << chance.below(10)),
        queue_bytes: 8_000 + chance.below(60_000),
        ..Weather::default()
    }
}
