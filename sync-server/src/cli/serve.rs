//! `merestone serve`: base camp.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use merestone_core::witness::Witnesses;
use merestone_link::AcceptError;
use merestone_node::Device;
use merestone_node::device::Observer;
use merestone_node::place::Place;
use merestone_node::qr::QrPicture;
use merestone_node::replica::{Camp, LedgerError, Replica, TurnedAway};

use serde::Serialize;

use super::Context;
use super::ledger::KeeperArgs;
use crate::camp::{self, Event, Mirrors, OutcomeShown, PersonShown, Teller};
use crate::exit::{Code, Failure};
use crate::http::{HttpServer, Url, ledger_routes};
use crate::output::{Report, Screen};
use crate::witness::{Collecting, Following};

/// Least time between two checkpoints, in seconds: two exchanges with a witness over a satellite. A next one before that
/// would come before the witnesses answered the first.
const EVERY_MIN_S: u64 = 5;

/// Be base camp: answer every device of the mission, take what it brings, give it what it lacks, until Ctrl-C.
///
/// Base camp's own key is of role *camp*: it signs receipts (what is held here) and can sign no record. Its folder
/// holds nobody else's key. Prints the ticket that devices need for `merestone sync`, then a line for each arrival.
#[derive(Debug, clap::Args)]
#[command(after_help = "How base camp is made:\n  \
    merestone device init charter.cbor --home camp\n  \
    merestone device request --observer 'Base camp' --device laptop --home camp --out camp.request\n  \
    merestone roster certify camp.request --role camp --charter charter.cbor --key state-a.key --out camp.certificate\n  \
    merestone device accept camp.certificate --home camp\n\n\
    Example:\n  merestone serve --home camp")]
pub(crate) struct ServeArgs {
    /// Where to answer, as ADDRESS:PORT; port 0 lets the system choose. Default: port 7411 of every network.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Keep a conversation with another camp: what this one is given, the other holds soon after, and the other way
    /// round. A ticket or KEY@HOST:PORT, as the other camp prints them; may be given several times. One of two is enough.
    #[arg(long, value_name = "TICKET", value_parser = Place::read)]
    mirror: Vec<Place>,
    /// Say nothing on the local networks. By default devices of this mission, and nobody else, recognise base camp there
    /// (`merestone sync --nearby`); bystanders see that Merestone runs here.
    #[arg(long)]
    quiet: bool,
    #[command(flatten)]
    keeper: KeeperArgs,
    /// Ask this witness to cosign each checkpoint (C2SP tlog-witness), as http://HOST:PORT; may be given several times.
    #[arg(long, value_name = "URL", value_parser = Url::read, requires = "ledger_key")]
    witness: Vec<Url>,
    /// Shortest time between two checkpoints, in seconds; at least 5, in which a witness over a satellite answers. Every phone
    /// keeps the newest 2,048, and as many of all older ones: every 15 minutes the newest are three weeks of uninterrupted work,
    /// every minute a day and a half, of which each phone fetches some 2 MB.
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(EVERY_MIN_S..))]
    every: u64,
    /// Let the ledger of so many leaves go on although no quorum of witnesses confirmed that this store has everything that was
    /// ever signed: you know that the key was used nowhere else and that nothing was restored from a copy. Holds for this store
    /// and this size, once.
    #[arg(long, value_name = "LEAVES", requires = "ledger_key")]
    ledger_complete: Option<u64>,
    /// Follow the ledger that another camp keeps and shows there, as http://HOST:PORT: copy its leaves, show devices what final
    /// checkpoints hold, and keep evidence if it shows two histories.
    #[arg(long, value_name = "URL", value_parser = Url::read, conflicts_with = "ledger_key")]
    mirror_ledger: Option<Url>,
    /// Show the ledger over HTTP, as ADDRESS:PORT: checkpoints and tiles of hashes, and bundles of ids, which tell how much was
    /// written and when, and no content (C2SP tlog-tiles).
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
}

impl ServeArgs {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        camp::log();
        let device = Arc::new(context.open(0)?);
        let observer = camp::camp_key(&device)?;
        let ledger = self.keeper.key(context, &device)?;
        context.unlock(&device, &observer)?;
        let replica = device.replica(&observer.key)?;
        let runtime = camp::runtime()?;
        let camp = runtime.block_on(async {
            // Whoever is told that base camp is ready may stop it.
            let stopped = camp::asked_to_stop()?;
            let endpoint = camp::bind(&replica, self.listen)?;
            let camp = Arc::new(Camp::around(replica, ledger, Duration::from_secs(self.every))?);
            if let Some(leaves) = self.ledger_complete {
                camp.vouch(leaves)?;
            }
            let serving = camp.serve(endpoint)?;
            context.screen.show(&Ready::of(&device, &observer, camp.replica(), serving.address(), context.screen))?;
            let http = self.show_ledger(context, &camp).await?;
            if self.keeper.ledger_key.is_some() && self.witness.is_empty() && has_witnesses(&device) {
                tracing::warn!(
                    "this mission has witnesses and none is asked, so no checkpoint is shown to devices: --witness URL, or `merestone ledger request` for a stick"
                );
            }
            let collecting = Collecting::begin(context.screen, &camp, &self.witness);
            let following = Following::begin(context.screen, &device, &camp, self.mirror_ledger.as_ref());
            let mirrors = Mirrors::begin(context.screen, &device, camp.replica(), &self.mirror)?;
            let advertising = camp::advertise(&device, camp.replica(), serving.address(), self.quiet);
            let answered = camp::answer(serving, &mut Lines { screen: context.screen, camp: &camp }, stopped).await;
            if let Some(advertising) = advertising {
                advertising.stop().await;
            }
            mirrors.stop().await;
            drop((collecting, following, http));
            answered?;
            Ok::<_, Failure>(camp)
        })?;
        // Everybody has gone: what they brought is in the ledger before the auditors come.
        match camp.checkpoint() {
            // What arrived is kept; the ledger takes it up once the witnesses are heard.
            Err(error @ LedgerError::Unconfirmed { .. }) => tracing::warn!("the ledger did not go on: {error}"),
            other => drop(other?),
        }
        context.screen.show(&Stopped::of(&camp))?;
        Ok(Code::Done)
    }

    async fn show_ledger(&self, context: &Context, camp: &Camp) -> Result<Option<HttpServer>, Failure> {
        let Some(address) = self.http else { return Ok(None) };
        let server = HttpServer::begin(address, ledger_routes(camp.replica().clone())).await?;
        let url = format!("http://{}", server.address());
        context.screen.show(&HttpReady { event: "http", url })?;
        Ok(Some(server))
    }
}

fn has_witnesses(device: &Device) -> bool {
    Witnesses::of(device.charter().charter()).is_some_and(|witnesses| witnesses.quorum().parties > 0)
}

/// Somebody answers here.
#[derive(Serialize)]
pub(super) struct Ready {
    event: &'static str,
    mission: String,
    address: String,
    key: String,
    ticket: String,
    /// The ticket to scan or paste; `None` where no other device could reach this one.
    ticket_text: Option<String>,
    #[serde(skip)]
    picture: Option<QrPicture>,
}

impl Ready {
    pub(super) fn of(
        device: &Device,
        observer: &Observer,
        replica: &Replica,
        bound: SocketAddr,
        screen: Screen,
    ) -> Self {
        let ticket = camp::ticket(replica.transport_key(), camp::reachable(bound).unwrap_or(bound));
        let text = device.ticket(&observer.key, bound, Some(&observer.device)).map(|ticket| ticket.to_text()).ok();
        Self {
            event: "ready",
            mission: device.mission().to_string(),
            address: bound.to_string(),
            key: ticket.split('@').next().unwrap_or_default().to_owned(),
            ticket,
            picture: text.as_deref().filter(|_| screen.is_watched()).and_then(QrPicture::of),
            ticket_text: text,
        }
    }
}

impl Report for Ready {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(picture) = &self.picture {
            write!(out, "{}", picture.to_terminal())?;
        }
        writeln!(out, "mission    {}", self.mission)?;
        writeln!(out, "answering  {}", self.address)?;
        writeln!(out, "key        {}", self.key)?;
        writeln!(out, "devices    merestone sync {}", self.ticket)?;
        if let Some(text) = &self.ticket_text {
            writeln!(out, "ticket     {text}")?;
        }
        writeln!(out, "Stop with Ctrl-C; whoever is connected goes on next time.")
    }
}

#[derive(Serialize)]
struct HttpReady {
    event: &'static str,
    url: String,
}

impl Report for HttpReady {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "ledger     {}/checkpoint", self.url)
    }
}

#[derive(Serialize)]
struct Stopped {
    event: &'static str,
    /// `None` at a camp that keeps no ledger.
    ledger_size: Option<u64>,
    /// Leaves of the newest checkpoint that is shown.
    #[serde(rename = "ledger_shown")]
    shown: Option<u64>,
}

impl Stopped {
    fn of(camp: &Camp) -> Self {
        let shown = camp.replica().authority().roster().newest_shown_note().map_or(0, |note| note.size());
        let ledger_size = camp.ledger_size();
        Self { event: "stopped", ledger_size, shown: ledger_size.map(|_| shown) }
    }
}

impl Report for Stopped {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        match (self.ledger_size, self.shown) {
            (Some(size), Some(shown)) if size > shown => writeln!(
                out,
                "ledger     {size} leaves; the newest checkpoint that enough witnesses cosigned is of {shown}"
            )?,
            (Some(size), _) => writeln!(out, "ledger     {size} leaves, and a checkpoint over all of them")?,
            (None, _) => {}
        }
        writeln!(out, "stopped    everything that was acknowledged is on the disk")
    }
}

/// Tells events as lines, and warns while the ledger does not go on.
struct Lines<'a> {
    screen: Screen,
    camp: &'a Camp,
}

impl Teller for Lines<'_> {
    fn tell(&mut self, event: Event) -> Result<ControlFlow<()>, Failure> {
        match event {
            Event::Met { who, from } => self.screen.show(&Met { event: "met", who, from: from.to_string() })?,
            Event::TurnedAway(away) => self.screen.show(&AwayShown::of(&away))?,
            Event::Synced { who } => self.screen.show(&Synced { event: "synced", who })?,
            Event::Ended { who, from, outcome } => {
                let outcome = OutcomeShown::of(&outcome);
                self.screen.show(&Ended { event: "ended", who, from: from.to_string(), outcome })?;
                if let Some(trouble) = self.camp.ledger_trouble() {
                    tracing::warn!("the ledger does not go on, what arrives is kept: {trouble}");
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

#[derive(Serialize)]
struct AwayShown {
    event: &'static str,
    from: String,
    code: &'static str,
    why: String,
}

impl AwayShown {
    fn of(away: &TurnedAway) -> Self {
        let code = match away.error {
            AcceptError::NoCommonVersion => "version",
            AcceptError::TimedOut
            | AcceptError::NoRawKey
            | AcceptError::Handshake { .. }
            | AcceptError::HungUp
            | AcceptError::EndpointClosed => "handshake",
            AcceptError::MadeRoom => "busy",
        };
        Self { event: "turned-away", from: away.address.to_string(), code, why: away.error.to_string() }
    }
}

impl Report for AwayShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "refused    {}: {}", self.from, self.why)
    }
}

#[derive(Serialize)]
struct Met {
    event: &'static str,
    who: PersonShown,
    from: String,
}

impl Report for Met {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "met        {} from {}", self.who.line(), self.from)
    }
}

#[derive(Serialize)]
struct Synced {
    event: &'static str,
    who: PersonShown,
}

impl Report for Synced {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "synced     {}", self.who.line())
    }
}

#[derive(Serialize)]
struct Ended {
    event: &'static str,
    who: Option<PersonShown>,
    from: String,
    outcome: OutcomeShown,
}

impl Report for Ended {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let who = self.who.as_ref().map_or_else(|| "somebody who proved nothing".to_owned(), PersonShown::line);
        writeln!(out, "ended      {who} from {}: {}, {}", self.from, self.outcome.end(), self.outcome.carried())?;
        for line in self.outcome.missing_lines() {
            writeln!(out, "missing    {line}")?;
        }
        Ok(())
    }
}
