//! A gathering as it goes on: calls begin, roads change, people save, processes die; and at the end everybody stops.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use merestone_core::id::EntryId;
use merestone_core::roster::Role;
use merestone_core::sync::Version;
use merestone_link::{Endpoint, LinkLimits, PeerKey, close_code};
use merestone_node::replica::Serving;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::call::{self, Call, Missed};
use super::mortal::Mortal;
use super::plan::{CallPlan, GatherPlan};
use super::{Gathered, Stage, chain, judge, strangers};
use crate::net::{Host, Net, Weather};
use crate::world::check::{Holding, Violation, violated};
use crate::world::deeds::{self, Done};
use crate::world::site::Site;

/// How often the World looks.
const TICK_MS: u64 = 50;

/// How long anything may take to end after it was asked to: longer than a lost link is believed in (30 s), and the good-byes.
const END: Duration = Duration::from_secs(60);

/// How long tasks and links may linger after everybody is gone.
const LINGER_S: u64 = 60;

/// Where the one that answers is.
const HUB: ([u8; 4], u16) = ([10, 0, 0, 1], 4433);

pub(super) struct Scene<'a, 'p> {
    pub(super) stage: Stage<'a>,
    pub(super) plan: &'p GatherPlan,
    pub(super) net: Net,
    pub(super) calls: Vec<Call>,
    pub(super) gathered: Gathered,
    pub(super) now_ms: u64,
    /// Live entries that must reach somebody: which, whom (by site), until when.
    pub(super) awaited: Vec<(EntryId, usize, u64)>,
    /// Somebody saved since the beginning.
    pub(super) has_saved: bool,
    pub(super) is_hub_dead: bool,
    pub(super) serving: Option<Serving>,
    began_ms: u64,
    hub: Arc<Host>,
    hub_endpoint: Endpoint,
    hub_key: PeerKey,
    hub_has_saved: bool,
    strangers: Vec<JoinHandle<()>>,
}

pub(super) async fn play(stage: Stage<'_>, plan: &GatherPlan) -> Result<Gathered, Box<(Violation, Vec<String>)>> {
    let began_ms = stage.time.now_ms();
    let mut scene = match Scene::set(stage, plan, began_ms) {
        Ok(scene) => scene,
        Err(violation) => return Err(Box::new((violation, Vec::new()))),
    };
    match scene.go_on().await {
        Ok(()) => scene.close().await,
        Err(violation) => Err(Box::new((violation, scene.gathered.story))),
    }
}

/// An endpoint did not come about, which no network in memory is a reason for.
fn unbound(error: &dyn std::fmt::Display) -> Violation {
    Violation { invariant: "no-fault-no-refusal", found: format!("no endpoint: {error}") }
}

impl<'a, 'p> Scene<'a, 'p> {
    fn set(stage: Stage<'a>, plan: &'p GatherPlan, began_ms: u64) -> Result<Self, Violation> {
        let net = Net::new(stage.chance.number(), Weather::slow(5_000));
        net.record();
        let hub = net.host(SocketAddr::from(HUB));
        let limits = LinkLimits { connections_max: plan.connections_max, ..limits(plan.hub_version) };
        let site = &stage.sites[plan.hub];
        let Some(up) = &site.up else { return violated("no-fault-no-refusal", "the one that answers does not run") };
        let carrier = Mortal { host: Arc::clone(&hub), pulse: site.disk.pulse() };
        let seed = draw_seed(stage.chance.number());
        let hub_endpoint =
            up.replica.bind_over(Arc::new(carrier), Some(seed), limits).map_err(|error| unbound(&error))?;
        let serving = up.replica.serve(hub_endpoint.clone()).map_err(|error| unbound(&error))?;
        let hub_key = up.replica.transport_key();
        let calls = plan.calls.iter().map(|call| {
            let number = u8::try_from(call.site % 200).unwrap_or(0);
            let host = net.host(SocketAddr::from(([10, 1, 0, number], 4433)));
            net.set_weather(&host, &hub, call.there);
            net.set_weather(&hub, &host, call.back);
            Call::new(*call, host)
        });
        let calls = calls.collect();
        let strangers = (0..plan.strangers)
            .filter_map(|number| {
                strangers::call(&net, &hub, SocketAddr::from(HUB), number, draw_seed(stage.chance.number()))
            })
            .collect();
        let gathered = Gathered { strangers: plan.strangers.into(), ..Gathered::default() };
        Ok(Self {
            stage,
            plan,
            net,
            calls,
            gathered,
            now_ms: 0,
            awaited: Vec::new(),
            has_saved: false,
            is_hub_dead: false,
            serving: Some(serving),
            began_ms,
            hub,
            hub_endpoint,
            hub_key,
            hub_has_saved: false,
            strangers,
        })
    }

    async fn go_on(&mut self) -> Result<(), Violation> {
        loop {
            self.notice_deaths();
            judge::claims(self)?;
            judge::progress(self)?;
            judge::live(self)?;
            self.change_roads();
            self.save_what_is_due()?;
            self.begin_calls()?;
            let is_done = self.calls.iter().all(Call::is_over) && self.awaited.is_empty();
            if is_done || self.is_hub_dead || self.now_ms >= self.plan.lasts_ms {
                return Ok(());
            }
            sleep(Duration::from_millis(TICK_MS)).await;
            self.now_ms += TICK_MS;
            self.stage.time.pass_to(self.began_ms + self.now_ms);
        }
    }

    /// Everybody stops; what is left of them is judged.
    async fn close(mut self) -> Result<Gathered, Box<(Violation, Vec<String>)>> {
        let ended = self.end().await;
        let mut gathered = std::mem::take(&mut self.gathered);
        let trace = self.net.trace();
        let traffic = self.net.traffic();
        drop(self);
        let found = match ended {
            Ok(()) => wait_for_silence().await,
            Err(violation) => Err(violation),
        };
        if let Err(violation) = found {
            return Err(Box::new((violation, gathered.story)));
        }
        (gathered.bytes, gathered.lost) = (traffic.sent_bytes, traffic.lost);
        let mut words = Vec::with_capacity(trace.len() * 32);
        for (at_us, from, to, bytes) in trace {
            words.extend(at_us.to_be_bytes());
            words.extend(format!("{from}{to}{bytes};").bytes());
        }
        gathered.digest =
            gathered.story.iter().fold(chain([0; 32], &words), |so_far, event| chain(so_far, event.as_bytes()));
        Ok(gathered)
    }

    async fn end(&mut self) -> Result<(), Violation> {
        self.strangers.iter().for_each(JoinHandle::abort);
        for index in 0..self.calls.len() {
            self.end_call(index).await?;
        }
        if let Some(serving) = &self.serving {
            judge::outcomes(&mut self.gathered, &self.calls, serving, &self.stage, self.plan)?;
        }
        if let Some(serving) = self.serving.take()
            && timeout(END, serving.stop()).await.is_err()
        {
            return violated("conversation-ends", "the one that answers does not stop");
        }
        self.hub_endpoint.close(close_code::DONE, "");
        self.gathered.ms = self.now_ms;
        if self.is_hub_dead { Ok(()) } else { judge::holdings(self) }
    }

    async fn end_call(&mut self, index: usize) -> Result<(), Violation> {
        let Some(under_way) = self.calls[index].under_way.take() else { return Ok(()) };
        under_way.stop.send_replace(true);
        let call = &mut self.calls[index];
        let shown = under_way.shown.borrow().clone();
        if call.is_dead {
            under_way.task.abort();
        } else {
            match timeout(END, under_way.task).await {
                Ok(Ok(result)) => call.result = Some(result),
                Ok(Err(broken)) => return violated("no-panic", format!("a call ended with {broken}")),
                Err(_elapsed) => {
                    let found = format!("site {} does not end its call: {shown:?}", call.plan.site);
                    return violated("conversation-ends", found);
                }
            }
        }
        under_way.endpoint.close(close_code::DONE, "");
        let site = self.stage.sites[call.plan.site].name();
        let text = match &self.calls[index].result {
            Some(Ok(outcome)) => {
                let synced = if outcome.is_fully_synced { ", synced" } else { "" };
                let progress = &outcome.progress;
                let entries = (progress.entries_received, progress.entries_sent);
                format!("{site}: {}{synced}, entries {entries:?}", outcome.end)
            }
            Some(Err(Missed::NoLink(error))) => format!("{site}: no link: {error}"),
            Some(Err(Missed::HungUp)) => format!("{site}: hung up"),
            Some(Err(Missed::Abandoned(error))) => return violated("no-panic", format!("{site}: {error}")),
            None => format!("{site} died"),
        };
        self.tell(text);
        Ok(())
    }

    pub(super) fn tell(&mut self, event: impl Into<String>) {
        self.gathered.story.push(format!("{:>6.2} s  {}", seconds(self.now_ms), event.into()));
    }

    fn notice_deaths(&mut self) {
        for index in 0..self.calls.len() {
            let call = &mut self.calls[index];
            if !call.is_dead && self.stage.sites[call.plan.site].disk.is_dead() {
                call.is_dead = true;
                if let Some(under_way) = &call.under_way {
                    under_way.task.abort();
                }
                let name = self.stage.sites[call.plan.site].name();
                self.tell(format!("{name} dies"));
            }
        }
        if !self.is_hub_dead && self.stage.sites[self.plan.hub].disk.is_dead() {
            self.is_hub_dead = true;
            self.serving = None;
            self.tell("the one that answers dies");
        }
    }

    fn begin_calls(&mut self) -> Result<(), Violation> {
        for index in 0..self.calls.len() {
            let call = &self.calls[index];
            if call.under_way.is_some() || call.is_dead || call.plan.at_ms > self.now_ms {
                continue;
            }
            let (plan, host) = (call.plan, Arc::clone(&call.host));
            let before = [self.hold(plan.site), self.hold(self.plan.hub)];
            let site = &self.stage.sites[plan.site];
            let Some(up) = &site.up else { continue };
            let carrier = Mortal { host, pulse: site.disk.pulse() };
            let seed = draw_seed(self.stage.chance.number());
            let endpoint = up.replica.bind_over(Arc::new(carrier), Some(seed), limits(plan.version));
            let endpoint = endpoint.map_err(|error| unbound(&error))?;
            let to = (SocketAddr::from(HUB), self.hub_key);
            let under_way = call::begin(endpoint, up.replica.clone(), to, plan.stays);
            let name = site.name();
            let call = &mut self.calls[index];
            call.under_way = Some(under_way);
            call.before = before.into_iter().collect::<Option<Vec<_>>>().and_then(|both| both.try_into().ok());
            self.gathered.contacts += 1;
            self.gathered.old += u64::from(plan.version.min(self.plan.hub_version) < Version::NEWEST);
            self.tell(format!("{name} calls over {}", road(&plan)));
        }
        Ok(())
    }

    /// Links die, go deaf, and change their address.
    fn change_roads(&mut self) {
        for index in 0..self.calls.len() {
            let call = &mut self.calls[index];
            let (plan, host) = (call.plan, Arc::clone(&call.host));
            if !call.is_shut && self.now_ms >= plan.at_ms.saturating_add(plan.lives_ms) {
                call.is_shut = true;
                self.net.shut(&host, &self.hub);
                self.net.shut(&self.hub, &host);
                self.gathered.dead_links += 1;
                self.tell(format!("the link of site {} dies", plan.site));
            }
            let call = &mut self.calls[index];
            if !call.has_moved && plan.moves_ms.is_some_and(|at| at <= self.now_ms) {
                call.has_moved = true;
                let number = u8::try_from(plan.site % 200).unwrap_or(0);
                host.move_to(SocketAddr::from(([10, 2, 0, number], 5_000)));
                self.gathered.moves += 1;
                self.tell(format!("site {} has another address", plan.site));
            }
            let Some(deaf) = plan.deaf.filter(|_| !self.calls[index].is_shut) else { continue };
            let (from, to) = if deaf.is_caller { (&self.hub, &host) } else { (&host, &self.hub) };
            if (deaf.from_ms..deaf.until_ms).contains(&self.now_ms) {
                self.net.shut(from, to);
            } else {
                self.net.open(from, to);
            }
        }
    }

    fn save_what_is_due(&mut self) -> Result<(), Violation> {
        for index in 0..self.calls.len() {
            let call = &mut self.calls[index];
            if !call.has_saved && !call.is_dead && call.plan.saves_ms.is_some_and(|at| at <= self.now_ms) {
                call.has_saved = true;
                let site = call.plan.site;
                self.save_unless_camp(site)?;
            }
        }
        if !self.hub_has_saved && !self.is_hub_dead && self.plan.hub_saves_ms.is_some_and(|at| at <= self.now_ms) {
            self.hub_has_saved = true;
            self.save_unless_camp(self.plan.hub)?;
        }
        Ok(())
    }

    /// A camp's people sign no entries.
    fn save_unless_camp(&mut self, number: usize) -> Result<(), Violation> {
        if self.stage.sites[number].role == Role::Camp { Ok(()) } else { self.save(number) }
    }

    /// Somebody saves while devices talk; those that are well connected must hear of it.
    fn save(&mut self, number: usize) -> Result<(), Violation> {
        let Stage { sites, mission, model, chance, .. } = &mut self.stage;
        let site = &mut sites[number];
        let before: BTreeSet<EntryId> = site.duty.saved.keys().copied().collect();
        let done = deeds::save(site, mission, model, chance);
        let (name, is_armed, is_cut) = (site.name(), site.disk.is_armed(), site.is_cut);
        let new: Vec<EntryId> = site.duty.saved.keys().filter(|id| !before.contains(*id)).copied().collect();
        self.tell(format!("{name} saves: {done:?}"));
        self.has_saved = true;
        match done {
            Done::Saved => self.gathered.saved.push(number),
            Done::Refused(_) => {}
            Done::Storage(_) | Done::Wrong(_) if is_armed => self.gathered.untold += 1,
            Done::Storage(error) | Done::Wrong(error) => {
                return violated("no-fault-no-refusal", format!("{name}: {error}"));
            }
        }
        if !is_armed && !is_cut {
            judge::await_live(self, number, &new);
        }
        Ok(())
    }

    /// What a device holds, as far as its disk can be read.
    pub(super) fn hold(&self, number: usize) -> Option<Holding> {
        let up = self.stage.sites[number].up.as_ref()?;
        Holding::of(&up.device, self.stage.mission.scope()).ok()
    }

    /// Whether nothing was asked of the disks of these devices that may fail them.
    pub(super) fn are_sound(&self, numbers: &[usize]) -> bool {
        let sound =
            |site: &Site| !site.disk.is_armed() && !site.is_cut && !site.is_doubled && site.cloned_from.is_none();
        numbers.iter().all(|number| sound(&self.stage.sites[*number]))
    }
}

/// Waits until no task and no link is left.
async fn wait_for_silence() -> Result<(), Violation> {
    let metrics = Handle::current().metrics();
    for _ in 0..LINGER_S {
        if metrics.num_alive_tasks() == 0 {
            return Ok(());
        }
        sleep(Duration::from_secs(1)).await;
    }
    violated("no-task-leaks", format!("{} tasks are left when everybody is gone", metrics.num_alive_tasks()))
}

/// The limits of a program, old or new.
fn limits(newest: Version) -> LinkLimits {
    let version_max = match newest {
        Version::V1 => merestone_link::Version::V1,
        Version::V2 => merestone_link::Version::V2,
        Version::V3 => merestone_link::Version::V3,
    };
    LinkLimits { version_max, ..LinkLimits::default() }
}

/// The seed of an endpoint.
fn draw_seed(number: u64) -> [u8; 32] {
    chain([0; 32], &number.to_be_bytes())
}

/// A road in words.
fn road(plan: &CallPlan) -> String {
    let way = |of: &Weather| {
        let rate = of.bytes_per_s.map_or("any".to_owned(), |rate| format!("{}", rate / 1_000));
        format!(
            "{}+{} ms {} kB/s lost {} % doubled {} % overtaken {} % damaged {} %",
            of.delay_us / 1_000,
            of.jitter_us / 1_000,
            rate,
            of.lost_ppm / 10_000,
            of.doubled_ppm / 10_000,
            of.overtaken_ppm / 10_000,
            of.damaged_ppm / 10_000,
        )
    };
    let old = if plan.version < Version::NEWEST { ", old version" } else { "" };
    format!("[{}] and back [{}]{old}", way(&plan.there), way(&plan.back))
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}
