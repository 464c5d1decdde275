//! `merestone sync`: meeting one other device.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use merestone_node::Device;
use merestone_node::replica::{Meet, Replica, Retry, SyncError, SyncOutcome};

use super::{Context, choose_observer};
use crate::camp::{self, OutcomeShown, Ticket};
use crate::exit::{Code, Failure};

/// Meet another device or base camp, and exchange what either lacks: text first, photos after.
///
/// Both prove that they belong to the mission. A link that breaks is made again, and what came is kept: nothing is sent
/// twice. "Synced" is said only if both sides hold the same and nothing is missing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code 0: synced. 2: something is still missing; it is named. 69: not reachable.\n\n\
                  Example:\n  merestone sync 4f1c…@192.168.1.5:7411 --home phone")]
pub(crate) struct SyncArgs {
    /// Where it answers, as `merestone serve` prints it: KEY@HOST:PORT. Without KEY@, whoever answers is asked to prove
    /// that it belongs to the mission, and learns this device's transport key.
    #[arg(value_name = "TICKET", value_parser = Ticket::read)]
    ticket: Ticket,
    /// In whose name, by name or key. Default: the device's only observer.
    #[arg(long, value_name = "WHO")]
    observer: Option<String>,
    /// How often to try in a row without getting anywhere.
    #[arg(long, value_name = "TIMES", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    attempts: u32,
}

impl SyncArgs {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let Self { ticket, observer, attempts } = self;
        let device = Arc::new(context.open(0)?);
        let observer = choose_observer(&device, observer.as_deref())?;
        let addresses = camp::resolve(&ticket.host)?;
        context.unlock(&device, &observer)?;
        let replica = device.replica(&observer.key)?;
        let retry = Retry { attempts_max: attempts, ..Retry::default() };
        let meets = addresses.into_iter().map(|address| Meet { address, expected: ticket.key, stay: false });
        let outcome = camp::runtime()?.block_on(watched(&device, meet(&replica, meets, retry)))?;
        context.screen.show(&OutcomeShown::of(&outcome))?;
        camp::end_of(&outcome)
    }
}

/// Meets at the first address at which a conversation comes about.
async fn meet(replica: &Replica, meets: impl Iterator<Item = Meet>, retry: Retry) -> Result<SyncOutcome, Failure> {
    let mut last = SyncError::Abandoned;
    for meet in meets {
        match replica.sync_until_done(meet, retry).await {
            Ok(outcome) => return Ok(outcome),
            Err(error) => last = error,
        }
    }
    Err(last.into())
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
