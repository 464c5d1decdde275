//! `merestone witness`: cosign the checkpoints of the mission's ledger, and never two that contradict each other.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use merestone_core::roster::Ledger;
use merestone_core::witness::{COSIGNED_NOTE_BYTES_MAX, REQUEST_BYTES_MAX, Witnesses, verifier_key};
use merestone_node::clock::SystemEntropy;
use merestone_node::vault::PartyKeyFile;
use serde::Serialize;

use super::mission::{complete_charter, key_in};
use super::{Context, UnlockCostArgs};
use crate::camp;
use crate::exit::{Code, Failure};
use crate::http::{HttpServer, witness_routes};
use crate::input;
use crate::output::Report;
use crate::witness::{Begin, Witness};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a witness's key: it cosigns checkpoints and does nothing else.
    #[command(after_help = "Example:\n  merestone witness key --out witness-a.key")]
    Key {
        /// Where the key is kept: a new file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        cost: UnlockCostArgs,
    },
    /// Answer base camp over HTTP (C2SP tlog-witness) until Ctrl-C.
    ///
    /// What was cosigned last is on the disk before the answer leaves. Copying the folder of --state, or starting a second
    /// witness of one key, takes away what a witness is for.
    #[command(
        after_help = "Example:\n  merestone witness serve --key witness-a.key --charter charter.cbor --state witness-a \\\n    --new --listen 0.0.0.0:7412        (--new the first time only)"
    )]
    Serve {
        #[command(flatten)]
        who: WitnessArgs,
        /// Where to answer, as ADDRESS:PORT; port 0 lets the system choose.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7412")]
        listen: SocketAddr,
    },
    /// Answer one request that came on a stick: see `merestone ledger request`.
    #[command(
        after_help = "Example:\n  merestone witness sign ledger.request --out ledger.answer --key witness-a.key \\\n    --charter charter.cbor --state witness-a"
    )]
    Sign {
        /// The request.
        request: PathBuf,
        #[command(flatten)]
        who: WitnessArgs,
        /// Where the answer goes: a new file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Which witness.
#[derive(Debug, clap::Args)]
pub(crate) struct WitnessArgs {
    /// The witness's key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The mission's charter, which names the ledger and its witnesses.
    #[arg(long, value_name = "FILE")]
    charter: PathBuf,
    /// The folder in which the witness keeps what it cosigned last.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Begin with nothing, the first time: this key never cosigned anything. A witness that forgot what it cosigned could
    /// cosign a second history.
    #[arg(long, conflicts_with = "latest")]
    new: bool,
    /// Begin with this checkpoint, because the folder was lost: the largest that anybody holds with this witness's
    /// cosignature.
    #[arg(long, value_name = "NOTE")]
    latest: Option<PathBuf>,
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        match self {
            Self::Key { out, cost } => make_key(context, &out, &cost),
            Self::Serve { who, listen } => serve(context, &who, listen),
            Self::Sign { request, who, out } => sign(context, &request, &who, &out),
        }
    }
}

fn make_key(context: &Context, out: &Path, cost: &UnlockCostArgs) -> Result<Code, Failure> {
    input::refuse_existing(out)?;
    let passphrase = context.asker.choose(&out.display().to_string())?;
    let key = PartyKeyFile::make(out, &passphrase, cost.cost(), &SystemEntropy)?;
    let public = key.public();
    context.screen.show(&KeyMade {
        key: public.to_string(),
        verifier_key: verifier_key(public),
        file: out.to_owned(),
    })?;
    Ok(Code::Done)
}

#[derive(Serialize)]
struct KeyMade {
    key: String,
    verifier_key: String,
    file: PathBuf,
}

impl Report for KeyMade {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "public key    {}", self.key)?;
        writeln!(out, "verifier key  {}", self.verifier_key)?;
        writeln!(out, "kept in       {}, wrapped by the passphrase", self.file.display())?;
        writeln!(out, "Give the public key to whoever founds the mission (`mission found --witness 'PARTY=KEY'`);")?;
        writeln!(out, "others' programs take the verifier key.")
    }
}

impl WitnessArgs {
    fn open(&self, context: &Context) -> Result<(Arc<Witness>, Ledger), Failure> {
        let charter = complete_charter(&self.charter)?;
        let anchor = charter.anchor();
        let witnesses = Witnesses::of(charter.charter());
        let Some(witnesses) = witnesses else {
            return Err(Failure::bad_input("the charter names no ledger, so there is nothing to witness"));
        };
        let key = key_in(&context.asker, &self.key)?;
        if !witnesses.iter().any(|witness| witness.key == *key.public()) {
            return Err(Failure::bad_input("the charter does not name this key as a witness's; use the one it names"));
        }
        let ledger = witnesses.ledger().clone();
        let begin = match &self.latest {
            Some(path) => Begin::After(input::read(path, "a checkpoint", COSIGNED_NOTE_BYTES_MAX)?),
            None if self.new => Begin::New,
            None => Begin::Again,
        };
        let witness = Witness::open(key, ledger.clone(), &self.state, &begin)?.building_on(anchor);
        Ok((Arc::new(witness), ledger))
    }
}

fn serve(context: &Context, who: &WitnessArgs, listen: SocketAddr) -> Result<Code, Failure> {
    camp::log();
    let (witness, ledger) = who.open(context)?;
    let cosigned = witness.latest()?.map(|latest| latest.size);
    let runtime = camp::runtime()?;
    runtime.block_on(async {
        let stopped = camp::asked_to_stop()?;
        let server = HttpServer::begin(listen, witness_routes(Arc::clone(&witness))).await?;
        let url = format!("http://{}", server.address());
        context.screen.show(&Ready { event: "ready", origin: ledger.origin, url, cosigned })?;
        stopped.await;
        Ok::<_, Failure>(())
    })?;
    let cosigned = witness.latest()?.map(|latest| latest.size);
    context.screen.show(&Stopped { event: "stopped", cosigned })?;
    Ok(Code::Done)
}

#[derive(Serialize)]
struct Ready {
    event: &'static str,
    origin: String,
    url: String,
    /// Leaves of the checkpoint that it cosigned last; `None` before the first.
    cosigned: Option<u64>,
}

impl Report for Ready {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "witness of  {}", self.origin)?;
        writeln!(out, "base camp   merestone serve --witness {}", self.url)?;
        match self.cosigned {
            Some(size) => writeln!(out, "cosigned    {size} leaves last"),
            None => writeln!(out, "cosigned    nothing yet"),
        }
    }
}

#[derive(Serialize)]
struct Stopped {
    event: &'static str,
    cosigned: Option<u64>,
}

impl Report for Stopped {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "stopped     {} leaves cosigned", self.cosigned.unwrap_or_default())
    }
}

fn sign(context: &Context, request: &Path, who: &WitnessArgs, out: &Path) -> Result<Code, Failure> {
    input::refuse_existing(out)?;
    let body = input::read(request, "a request to cosign", REQUEST_BYTES_MAX)?;
    let (witness, _) = who.open(context)?;
    let answer = witness.answer(&body)?;
    // 409 tells the camp from where to prove; every other refusal is for the person here.
    if answer.status == 200 || answer.status == 409 {
        input::write_new(out, answer.body.as_bytes())?;
    }
    let (cosigned, why) = (answer.cosigned, answer.body.trim().to_owned());
    let shown = Signed { status: answer.status, cosigned, why, split: answer.is_split, file: out.to_owned() };
    context.screen.show(&shown)?;
    Ok(match answer.status {
        200 => Code::Done,
        409 if !answer.is_split => Code::Undecided,
        _ => Code::Failed,
    })
}

#[derive(Serialize)]
struct Signed {
    status: u16,
    cosigned: Option<u64>,
    #[serde(skip)]
    why: String,
    split: bool,
    file: PathBuf,
}

impl Report for Signed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        match (self.status, self.cosigned) {
            (200, Some(size)) => writeln!(out, "cosigned    {size} leaves, in {}", self.file.display()),
            (409, _) if self.split => writeln!(
                out,
                "refused     the ledger signed another tree of {} leaves than the one cosigned here; both notes are in the folder split-{}: show them to every party",
                self.why, self.why
            ),
            (409, _) => writeln!(
                out,
                "refused     {} leaves were cosigned here last: carry {} back, and the camp proves from there",
                self.why,
                self.file.display()
            ),
            (status, _) => writeln!(out, "refused     {status}: {}", self.why),
        }
    }
}
