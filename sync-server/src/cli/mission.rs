//! `merestone mission`: keys of parties, and the charter they sign.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use merestone_core::checkpoint::ledger_verifier_key;
use merestone_core::id::FormHash;
use merestone_core::key::PublicKey;
use merestone_core::roster::{CHARTER_BYTES_MAX, Charter, CompleteCharter, Ledger, SignedCharter};
use merestone_forms::{Form, standard};
use merestone_node::clock::SystemEntropy;
use merestone_node::office::{MissionPlan, PartyOffice};
use merestone_node::vault::PartyKeyFile;
use serde::Serialize;

use super::form::FormFile;
use super::{Context, UnlockCostArgs, public_key};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;
use crate::passphrase::Asker;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a party's root key: it signs the charter and certifies the party's people.
    ///
    /// Keep the file on a machine of the party's own, and a copy in a safe. It is wrapped by a passphrase.
    #[command(after_help = "Example:\n  merestone mission key --out state-a.key")]
    Key {
        /// Where the key is kept: a new file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        cost: UnlockCostArgs,
    },
    /// Write the charter of a new mission, signed by the first party.
    ///
    /// The charter names the parties with their public keys, the scopes (which records travel together) and the forms.
    /// Its hash is the mission's id. The mission begins when every party has signed: see `merestone mission sign`.
    #[command(
        after_help = "Example:\n  merestone mission found --name 'Border mission' --party 'State A=2f6c…' --party 'State B=91d0…' \
                      \\\n    --party 'Neutral body=c377…' --scope North --scope South --key state-a.key --out charter.cbor"
    )]
    Found(FoundArgs),
    /// Add a party's signature to a charter, after reading it.
    ///
    /// The file is replaced by one with the signature added, unless --out names another.
    #[command(
        after_help = "Example:\n  merestone mission show charter.cbor\n  merestone mission sign charter.cbor --key state-b.key"
    )]
    Sign {
        /// The charter.
        charter: PathBuf,
        /// The party's root key.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Write here instead of replacing the charter.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Show what a charter says and who has signed it: that of a file, or of the device.
    #[command(after_help = "Example:\n  merestone mission show charter.cbor\n  merestone mission show --home phone")]
    Show {
        /// The charter; without it, that of the device at --home.
        charter: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct FoundArgs {
    /// The mission's name.
    #[arg(long)]
    name: String,
    /// A party and its public root key (64 hex digits), numbered from 1 as given. Repeat for each party.
    #[arg(long = "party", value_name = "NAME=KEY", required = true)]
    parties: Vec<String>,
    /// A scope: records of one scope travel together. Repeat for each.
    #[arg(long = "scope", value_name = "NAME", required = true)]
    scopes: Vec<String>,
    /// A form: inspection, incident, patrol, access-restriction, crossing-count, or a file. Repeat for each. Default: these five.
    #[arg(long = "form", value_name = "FORM")]
    forms: Vec<PathBuf>,
    /// The mission's ledger: a name without white space, and the public key that signs its checkpoints (made with
    /// `merestone mission key`). Base camp keeps it: see `merestone serve --ledger-key`.
    #[arg(long, value_name = "NAME=KEY")]
    ledger: Option<String>,
    /// A witness of the ledger: the number of its party, as given above, and its public key (made with `merestone witness
    /// key`). Repeat for each; a checkpoint is confirmed by parties, so one for each party is enough.
    #[arg(long = "witness", value_name = "PARTY=KEY", requires = "ledger")]
    witnesses: Vec<String>,
    /// How many parties an erasure needs. Default: more than half.
    #[arg(long, value_name = "PARTIES")]
    quorum: Option<u64>,
    /// The root key of the party that signs first.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the charter goes: a new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        match self {
            Self::Key { out, cost } => make_key(context, out, &cost),
            Self::Found(args) => found(context, &args),
            Self::Sign { charter, key, out } => sign(context, &charter, &key, out.as_deref()),
            Self::Show { charter } => show(context, charter.as_deref()),
        }
    }
}

/// The key of a party or a ledger in a file, unlocked.
pub(super) fn root_key(asker: &Asker, path: &Path) -> Result<merestone_core::key::SigningKey, Failure> {
    // Looked at first: nobody should type a passphrase for a file that is not there.
    input::read(path, "a party's key", merestone_node::vault::KEYFILE_BYTES_MAX)?;
    let passphrase = asker.ask(&path.display().to_string())?;
    Ok(PartyKeyFile::unlock(path, &passphrase)?)
}

/// The charter in a file, signed by every party.
pub(super) fn complete_charter(path: &Path) -> Result<CompleteCharter, Failure> {
    signed_charter(path)?.complete().map_err(|refused| {
        let line = format!("{}: {refused}; not every party has signed: see `merestone mission show`", path.display());
        Failure::new(Code::BadInput, line)
    })
}

fn signed_charter(path: &Path) -> Result<SignedCharter, Failure> {
    let bytes = input::read(path, "a charter", CHARTER_BYTES_MAX)?;
    SignedCharter::decode(&bytes).map_err(|refused| {
        let line = format!("{} is not a charter ({refused}); ask for the file again", path.display());
        Failure::new(Code::BadInput, line)
    })
}

fn make_key(context: &Context, out: PathBuf, cost: &UnlockCostArgs) -> Result<Code, Failure> {
    if out.symlink_metadata().is_ok() {
        let line = format!("{} exists already; a key is never replaced: name another file", out.display());
        return Err(Failure::new(Code::BadInput, line));
    }
    let passphrase = context.asker.choose(&out.display().to_string())?;
    let key = PartyKeyFile::make(&out, &passphrase, cost.cost(), &SystemEntropy)?;
    context.screen.show(&KeyMade { key: key.public().to_string(), file: out })?;
    Ok(Code::Done)
}

#[derive(Serialize)]
struct KeyMade {
    key: String,
    file: PathBuf,
}

impl Report for KeyMade {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "public key  {}", self.key)?;
        writeln!(out, "kept in     {}, wrapped by the passphrase", self.file.display())?;
        writeln!(
            out,
            "Give the public key to whoever founds the mission. Nobody can help if the passphrase is forgotten."
        )
    }
}

fn found(context: &Context, args: &FoundArgs) -> Result<Code, Failure> {
    let parties = args.parties.iter().map(|party| named_key("--party", party)).collect::<Result<Vec<_>, _>>()?;
    let forms = if args.forms.is_empty() {
        standard::ALL.into_iter().chain([standard::REDACTION]).map(standard_form).collect::<Result<Vec<_>, _>>()?
    } else {
        args.forms.iter().map(|form| named_form(form)).collect::<Result<Vec<_>, _>>()?
    };
    let ledger = args.ledger.as_deref().map(|ledger| named_key("--ledger", ledger)).transpose()?;
    let ledger = ledger.map(|(origin, key)| Ledger { origin, key });
    let quorum = args.quorum.unwrap_or(parties.len() as u64 / 2 + 1);
    let (name, scopes) = (args.name.clone(), args.scopes.clone());
    let plan = MissionPlan { name, parties, scopes, forms, ledger, quorum };
    let mut charter = plan.charter(&SystemEntropy)?;
    for witness in &args.witnesses {
        let (number, key) = named_key("--witness", witness)?;
        let party = charter.parties.iter_mut().find(|party| party.number.to_string() == number || party.name == number);
        let party =
            party.ok_or_else(|| Failure::bad_input(format!("--witness {number}: no party has that number or name")))?;
        party.witnesses.push(key);
    }
    // Said before a passphrase is asked for.
    charter.encode().map_err(|refused| {
        Failure::new(Code::BadInput, format!("the charter cannot be signed: {refused}; mend the names, keys or quorum"))
    })?;
    let root = root_key(&context.asker, &args.key)?;
    let signed = PartyOffice::new(&root).found(&charter).map_err(|error| not_a_party(error, &args.key))?;
    input::write_new(&args.out, &signed.encode())?;
    context.screen.show(&CharterShown::of(&signed).kept(&args.out))?;
    Ok(Code::Done)
}

fn sign(context: &Context, path: &Path, key: &Path, out: Option<&Path>) -> Result<Code, Failure> {
    signed_charter(path)?;
    let bytes = input::read(path, "a charter", CHARTER_BYTES_MAX)?;
    let root = root_key(&context.asker, key)?;
    let signed = PartyOffice::new(&root).sign(&bytes).map_err(|error| not_a_party(error, key))?;
    match out {
        Some(out) => input::write_new(out, &signed)?,
        None => input::replace(path, &signed)?,
    }
    let out = out.unwrap_or(path);
    context.screen.show(&CharterShown::of(&signed_charter(out)?).kept(out))?;
    Ok(Code::Done)
}

fn show(context: &Context, path: Option<&Path>) -> Result<Code, Failure> {
    let shown = match path {
        Some(path) => CharterShown::of(&signed_charter(path)?).kept(path),
        None => {
            let charter = context.open(0)?.charter();
            CharterShown::new(charter.charter(), &charter.mission().to_string(), &[])
        }
    };
    context.screen.show(&shown)?;
    Ok(Code::Done)
}

fn not_a_party(error: merestone_core::roster::MakeError, key: &Path) -> Failure {
    Failure::from(error).about(format!("the key in {} cannot sign this charter, is it a party's?", key.display()))
}

/// `NAME=KEY`.
fn named_key(option: &str, text: &str) -> Result<(String, PublicKey), Failure> {
    let usage = || Failure::new(Code::Usage, format!("{option} {text}: write NAME=KEY, the key as 64 hex digits"));
    let (name, key) = text.rsplit_once('=').ok_or_else(usage)?;
    let key = public_key(key).map_err(|failure| failure.about(format!("{option} {name}")))?;
    Ok((name.trim().to_owned(), key))
}

fn named_form(path: &Path) -> Result<FormHash, Failure> {
    let file = FormFile::open(path)?;
    form_hash(&file.read()?, &file.path)
}

fn standard_form(document: &str) -> Result<FormHash, Failure> {
    form_hash(&Form::read_tables(document)?, "standard form")
}

fn form_hash(form: &Form, name: &str) -> Result<FormHash, Failure> {
    let hash = form.definition().hash();
    hash.map_err(|refused| Failure::new(Code::BadInput, format!("{name} cannot be signed: {refused}; make it smaller")))
}

/// A charter, as `mission` shows it everywhere.
#[derive(Serialize)]
pub(super) struct CharterShown {
    mission: String,
    name: String,
    parties: Vec<PartyShown>,
    scopes: Vec<ScopeShown>,
    forms: Vec<String>,
    ledger: Option<LedgerShown>,
    /// The ledger's key for others' programs (C2SP signed-note).
    ledger_verifier_key: Option<String>,
    quorum: u64,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

#[derive(Serialize)]
struct PartyShown {
    number: u64,
    name: String,
    key: String,
    signed: bool,
}

#[derive(Serialize)]
struct LedgerShown {
    name: String,
    key: String,
}

#[derive(Serialize)]
struct ScopeShown {
    id: String,
    name: String,
}

impl CharterShown {
    fn of(signed: &SignedCharter) -> Self {
        let missing = signed.missing().map(|party| party.number.0).collect::<Vec<_>>();
        Self::new(signed.charter(), &signed.mission().to_string(), &missing)
    }

    fn new(charter: &Charter, mission: &str, missing: &[u64]) -> Self {
        let party = |party: &merestone_core::roster::Party| PartyShown {
            number: party.number.0,
            name: party.name.clone(),
            key: party.root.to_string(),
            signed: !missing.contains(&party.number.0),
        };
        Self {
            mission: mission.to_owned(),
            name: charter.name.clone(),
            parties: charter.parties.iter().map(party).collect(),
            scopes: charter
                .scopes
                .iter()
                .map(|scope| ScopeShown { id: scope.id.to_string(), name: scope.name.clone() })
                .collect(),
            forms: charter.forms.iter().map(ToString::to_string).collect(),
            ledger_verifier_key: charter.ledger.as_ref().map(ledger_verifier_key),
            ledger: charter
                .ledger
                .as_ref()
                .map(|Ledger { origin, key }| LedgerShown { name: origin.clone(), key: key.to_string() }),
            quorum: charter.quorum,
            complete: missing.is_empty(),
            file: None,
        }
    }

    fn kept(mut self, file: &Path) -> Self {
        self.file = Some(file.to_owned());
        self
    }
}

impl Report for CharterShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "mission  {}", self.mission)?;
        writeln!(out, "name     {}", self.name)?;
        for party in &self.parties {
            let signed = if party.signed { "signed" } else { "has not signed" };
            writeln!(out, "party {}  {} · {} · {signed}", party.number, party.name, party.key)?;
        }
        for scope in &self.scopes {
            writeln!(out, "scope    {} · {}", scope.name, scope.id)?;
        }
        for form in &self.forms {
            writeln!(out, "form     {}", form_name(form))?;
        }
        if let Some(LedgerShown { name, key }) = &self.ledger {
            writeln!(out, "ledger   {name} · {key}")?;
        }
        writeln!(out, "erasure  needs {} of {} parties", self.quorum, self.parties.len())?;
        if let Some(file) = &self.file {
            writeln!(out, "file     {}", file.display())?;
        }
        match self.complete {
            true => writeln!(out, "Every party has signed: devices can be made with it."),
            false => {
                writeln!(out, "Not every party has signed: send the file to the next, for `merestone mission sign`.")
            }
        }
    }
}

/// A form's hash, with its title where it is one that comes with the program.
fn form_name(hash: &str) -> String {
    let known =
        standard::ALL.into_iter().chain([standard::REDACTION]).filter_map(|document| Form::read_tables(document).ok());
    let mut titles = known.filter(|form| form.definition().hash().is_ok_and(|known| known.to_string() == hash));
    titles.next().map_or_else(|| hash.to_owned(), |form| format!("{} · {hash}", form.model().title))
}
