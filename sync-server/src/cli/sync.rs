//! `merestone sync`: meeting another device, known by a ticket or found nearby.

mod nearby;

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use merestone_core::sync::frame::{BlobClass, Wants};
use merestone_node::Device;
use merestone_node::device::Observer;
use merestone_node::place::{Place, Resolved};
use merestone_node::replica::{Meet, Replica, Retry, SyncOutcome, TurnedAway};

use super::serve::Ready;
use super::{Context, choose_observer};
use crate::camp::{self, Event, OutcomeShown, Teller};
use crate::exit::{Code, Failure};

/// Meet another device or base camp, and exchange what either lacks: text first, photos after.
///
/// Both prove that they belong to the mission. A link that breaks is made again, and goes on from what is on the disk.
/// "Synced" is said only if both sides hold the same and nothing is missing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code 0: synced, or without the photos that one of the two did not want. 2: something is \
                  still missing; it is named. 69: not reachable.\n\n\
                  Example:\n  merestone sync 4f1c…@192.168.1.5:7411 --home phone\n\
                  Two devices without base camp:\n  merestone sync --wait --home phone\n  \
                  merestone sync --nearby --home other")]
pub(crate) struct SyncArgs {
    /// Where it answers, as `merestone serve` and `merestone device ticket` print it: a ticket, or KEY@HOST:PORT. Without
    /// KEY@, whoever answers is asked to prove that it belongs to the mission, and learns this device's transport key.
    #[arg(value_name = "TICKET", value_parser = Place::read, required_unless_present_any = ["wait", "nearby"])]
    place: Option<Place>,
    /// Wait until another device calls, instead of calling: prints the ticket that it needs.
    #[arg(long, conflicts_with = "place")]
    wait: bool,
    /// Meet every device of the mission that answers on the local networks.
    #[arg(long, conflicts_with_all = ["place", "wait"])]
    nearby: bool,
    /// How long to look for the first device nearby.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "nearby",
          value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Where to wait, as ADDRESS:PORT; port 0 lets the system choose. Default: port 7411 of every network.
    #[arg(long, value_name = "ADDRESS", requires = "wait")]
    listen: Option<SocketAddr>,
    /// While waiting, say nothing on the local networks: the other device needs the ticket.
    #[arg(long, requires = "wait")]
    quiet: bool,
    /// Take no camera files over this link, but everything else; they come with a later sync. What is said then is
    /// "synced, without the photos that were not wanted", and never "synced".
    #[arg(long, conflicts_with = "wait")]
    no_originals: bool,
    /// Take at most so many bytes of photos in one conversation, small pictures first; the others come with a later
    /// sync, and until then nothing is called synced.
    #[arg(long, value_name = "BYTES", conflicts_with = "wait")]
    photo_bytes_max: Option<u64>,
    /// In whose name, by name or key. Default: the device's only observer.
    #[arg(long, value_name = "WHO")]
    observer: Option<String>,
    /// How often to try in a row without getting anywhere.
    #[arg(long, value_name = "TIMES", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    attempts: u32,
}

impl SyncArgs {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        camp::log();
        let device = Arc::new(context.open(0)?);
        let observer = choose_observer(&device, self.observer.as_deref())?;
        let resolved = self.place.as_ref().map(|place| place.resolve(device.mission())).transpose()?;
        context.unlock(&device, &observer)?;
        let replica = device.replica(&observer.key)?;
        let runtime = camp::runtime()?;
        let retry = Retry { attempts_max: self.attempts, ..Retry::default() };
        let wants = match self.no_originals {
            true => Wants::entries_and(&[BlobClass::Thumbnail, BlobClass::Preview]),
            false => Wants::EVERYTHING,
        };
        let take = Take { wants, photo_bytes_max: self.photo_bytes_max.unwrap_or(u64::MAX) };
        if self.nearby {
            let look_for = Duration::from_secs(self.seconds);
            return runtime.block_on(nearby::meet_all(context.screen, &device, &replica, look_for, take, retry));
        }
        let outcome = match resolved {
            Some(resolved) => Arc::new(runtime.block_on(watched(&device, meet(&replica, resolved, take, retry)))?),
            None => runtime.block_on(self.wait(context, &device, &observer, &replica))?,
        };
        context.screen.show(&OutcomeShown::of(&outcome))?;
        camp::end_of(&outcome)
    }

    /// Answers until a device of the mission came and went.
    async fn wait(
        &self,
        context: &Context,
        device: &Arc<Device>,
        observer: &Observer,
        replica: &Replica,
    ) -> Result<Arc<SyncOutcome>, Failure> {
        let serving = replica.serve(camp::bind(replica, self.listen)?)?;
        let bound = serving.address();
        context.screen.show(&Ready::of(device, observer, replica, bound, context.screen))?;
        let advertising = camp::advertise(device, replica, bound, self.quiet);
        let mut first = FirstVisit(None);
        let answered = camp::answer(serving, &mut first, camp::asked_to_stop()?).await;
        if let Some(advertising) = advertising {
            advertising.stop().await;
        }
        answered?;
        first.0.ok_or_else(|| Failure::new(Code::Unreachable, "stopped before anybody came; nothing changed"))
    }
}

/// Waits for the end of the first visit of somebody who belongs to the mission.
struct FirstVisit(Option<Arc<SyncOutcome>>);

impl Teller for FirstVisit {
    fn tell(&mut self, event: Event) -> Result<ControlFlow<()>, Failure> {
        match event {
            Event::Ended { who: Some(_), outcome, .. } => {
                self.0 = Some(outcome);
                Ok(ControlFlow::Break(()))
            }
            Event::TurnedAway(TurnedAway { address, error }) => {
                tracing::warn!("a call from {address} was refused: {error}");
                Ok(ControlFlow::Continue(()))
            }
            Event::Ended { who: None, .. } | Event::Met { .. } | Event::Synced { .. } => Ok(ControlFlow::Continue(())),
        }
    }
}

/// What to receive, and how much of it.
#[derive(Clone, Copy)]
struct Take {
    wants: Wants,
    photo_bytes_max: u64,
}

/// Meets wherever the peer answers first.
async fn meet(replica: &Replica, at: Resolved, take: Take, retry: Retry) -> Result<SyncOutcome, Failure> {
    let (Resolved { expected, addresses }, Take { wants, photo_bytes_max }) = (at, take);
    let meet = Meet { addresses, expected, stay: false, wants, photo_bytes_max };
    Ok(replica.sync_until_done(meet, retry).await?)
}

/// Shows on a terminal what the device holds by now, while `work` goes on.
async fn watched<T>(device: &Device, work: impl Future<Output = T>) -> T {
    // Draws on standard error, and only if that is a terminal.
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    tokio::pin!(work);
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            done = &mut work => {
                bar.finish_and_clear();
                return done;
            }
            _ = ticks.tick() => {
                if bar.is_hidden() {
                    continue;
                }
                if let Ok(counts) = device.store().counts() {
                    bar.set_message(format!(
                        "{} entries and {} photos held, {} photos to come",
                        counts.entries, counts.blobs, counts.blobs_missing
                    ));
                }
                bar.tick();
            }
        }
    }
}
