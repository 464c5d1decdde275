//! `merestone mission found`: the charter of a new mission.

use std::path::{Path, PathBuf};

use merestone_core::id::FormHash;
use merestone_core::key::PublicKey;
use merestone_core::roster::Ledger;
use merestone_forms::{Form, standard};
use merestone_node::clock::SystemEntropy;
use merestone_node::office::{MissionPlan, PartyOffice};

use super::key::{key_in, refused_by};
use super::shown::CharterShown;
use crate::cli::form::FormFile;
use crate::cli::{Context, public_key};
use crate::exit::{Code, Failure};
use crate::input;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct FoundArgs {
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
    /// How many parties decide an erasure, or a cut of any key at any height (two at least), and the least that amend the charter.
    /// Default: more than half.
    #[arg(long, value_name = "PARTIES")]
    quorum: Option<u64>,
    /// The root key of the party that signs first.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the charter goes: a new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn found(context: &Context, args: &FoundArgs) -> Result<Code, Failure> {
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
    let root = key_in(&context.asker, &args.key)?;
    let signed = PartyOffice::new(&root).found(&charter).map_err(refused_by(&args.key))?;
    input::write_new(&args.out, &signed.encode())?;
    context.screen.show(&CharterShown::of(&signed).kept(&args.out))?;
    Ok(Code::Done)
}

/// `NAME=KEY`.
pub(super) fn named_key(option: &str, text: &str) -> Result<(String, PublicKey), Failure> {
    let usage = || Failure::new(Code::Usage, format!("{option} {text}: write NAME=KEY, the key as 64 hex digits"));
    let (name, key) = text.rsplit_once('=').ok_or_else(usage)?;
    let key = public_key(key).map_err(|failure| failure.about(format!("{option} {name}")))?;
    Ok((name.trim().to_owned(), key))
}

pub(super) fn named_form(path: &Path) -> Result<FormHash, Failure> {
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
