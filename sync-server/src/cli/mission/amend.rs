//! `merestone mission amend`, and signing, showing and taking up what it proposes.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use merestone_core::id::CharterId;
use merestone_core::key::PublicKey;
use merestone_core::roster::{
    Amendment, Changes, Class, CompleteCharter, Frozen, Ledger, Party, PartyNumber, ProposedAmendment, Roster,
};
use merestone_core::witness::{COSIGNED_NOTE_BYTES_MAX, CosignedNote};
use merestone_node::clock::SystemEntropy;
use merestone_node::office::new_scopes;
use serde::Serialize;

use super::found::{named_form, named_key};
use super::given::Given;
use super::seats::{DecisionsShown, SeatsShown};
use super::{CharterShown, key_in, refused_by};
use crate::cli::Context;
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;

/// Largest list of what a key signed: 1,024 lines.
const SIGNED_BYTES_MAX: usize = 1_024 * 130;

#[derive(Debug, clap::Args)]
pub(crate) struct AmendArgs {
    /// The charter file to change; without it, the charter of the device at --home.
    #[arg(long, value_name = "FILE")]
    charter: Option<PathBuf>,
    /// A party that joins, and its public root key, numbered after the last. Repeat for each.
    #[arg(long = "party", value_name = "NAME=KEY")]
    parties: Vec<String>,
    /// Another root key of a party, by number or name; the old one signs too. Repeat for each.
    #[arg(long = "root", value_name = "PARTY=KEY")]
    roots: Vec<String>,
    /// A witness of a party, by number or name: these take the place of those it has. Repeat for each.
    #[arg(long = "witness", value_name = "PARTY=KEY")]
    witnesses: Vec<String>,
    /// A scope that is added. Repeat for each.
    #[arg(long = "scope", value_name = "NAME")]
    scopes: Vec<String>,
    /// A form that is added: a standard form's name, or a file. Repeat for each.
    #[arg(long = "form", value_name = "FORM")]
    forms: Vec<PathBuf>,
    /// The mission's ledger, if it has none; or its name with another key.
    #[arg(long, value_name = "NAME=KEY")]
    ledger: Option<String>,
    /// Another quorum: how many parties decide an erasure or a cut of any key, and the least that amend the charter.
    #[arg(long, value_name = "PARTIES")]
    quorum: Option<u64>,
    /// The final checkpoint on which other witnesses or another ledger key build. Default: the newest final one that the
    /// device at --home holds.
    #[arg(long, value_name = "FILE")]
    note: Option<PathBuf>,
    /// A proposed amendment of the same charter that was dropped: whoever signs this one takes the signature under it back.
    #[arg(long, value_name = "FILE")]
    instead: Vec<PathBuf>,
    /// Your party's root key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the proposal goes: a new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn amend(context: &Context, args: &AmendArgs) -> Result<Code, Failure> {
    let charter = current(context, args.charter.as_deref())?;
    input::refuse_existing(&args.out)?;
    let changes = changes(context, args, &charter)?;
    let root = key_in(&context.asker, &args.key)?;
    let proposed = ProposedAmendment::begin(&charter, &root, &changes)
        .map_err(|error| Failure::from(error).about("the amendment cannot be signed"))?;
    remember(&args.key, &proposed)?;
    input::write_new(&args.out, &proposed.encode())?;
    context.screen.show(&ProposalShown::of(&proposed, &args.out))?;
    Ok(Code::Done)
}

pub(super) fn sign(
    context: &Context,
    given: &Given,
    charter: Option<&Path>,
    key: &Path,
    out: Option<&Path>,
) -> Result<Code, Failure> {
    let mut proposed = proposal(context, given, charter)?;
    let place = given.place(out)?;
    let root = key_in(&context.asker, key)?;
    proposed.sign(&root).map_err(refused_by(key))?;
    remember(key, &proposed)?;
    given.write(out, &proposed.encode())?;
    context.screen.show(&ProposalShown::of(&proposed, place))?;
    Ok(Code::Done)
}

pub(super) fn show(context: &Context, given: &Given, charter: Option<&Path>) -> Result<Code, Failure> {
    context.screen.show(&ProposalShown::of(&proposal(context, given, charter)?, Path::new(&given.name())))?;
    Ok(Code::Done)
}

pub(super) fn add(context: &Context, path: &Path, charter: Option<&Path>) -> Result<Code, Failure> {
    let given = Given::read(path)?;
    let refuse = |refused: merestone_core::Refused| {
        let line = format!("{} is not taken up ({refused}); see `merestone mission show`", given.name());
        Failure::new(Code::BadInput, line)
    };
    let shown = match charter {
        Some(charter) => {
            let file = Given::read(charter)?;
            file.place(None)?;
            let mut roster = file.charter_file()?;
            roster.admit(Class::Amendment, given.bytes()).map_err(refuse)?;
            file.write(None, &roster.charter_file())?;
            CharterShown::of_roster(&roster).kept(charter)
        }
        None => {
            let device = context.open(0)?;
            let bytes = given.bytes().to_vec();
            device.receive(Class::Amendment, &[bytes])?.refusal().map_or(Ok(()), |refused| Err(refuse(refused)))?;
            CharterShown::of_roster(&device.authority().roster())
        }
    };
    context.screen.show(&shown)?;
    Ok(Code::Done)
}

/// The roster of a charter file, or of the device at --home.
fn roster(context: &Context, charter: Option<&Path>) -> Result<Roster, Failure> {
    match charter {
        Some(path) => Given::read(path)?.charter_file(),
        None => Ok(context.open(0)?.authority().roster().clone()),
    }
}

fn current(context: &Context, charter: Option<&Path>) -> Result<CompleteCharter, Failure> {
    let roster = roster(context, charter)?;
    if let Some(frozen) = roster.frozen() {
        let line = format!("the charter cannot be amended any more: {}", FrozenShown::of(frozen).line());
        return Err(Failure::new(Code::BadInput, line));
    }
    Ok(roster.charter().clone())
}

pub(super) fn proposal(context: &Context, given: &Given, charter: Option<&Path>) -> Result<ProposedAmendment, Failure> {
    let refuse = |refused: merestone_core::Refused| {
        let line = format!("{} is no amendment of this charter ({refused})", given.name());
        Failure::new(Code::BadInput, line)
    };
    let roster = roster(context, charter)?;
    let predecessor = Amendment::predecessor_in(given.bytes()).map_err(refuse)?;
    let known = roster.charter_with(predecessor).cloned();
    let charter = known.unwrap_or_else(|| Arc::new(roster.charter().clone()));
    ProposedAmendment::decode(given.bytes(), &charter).map_err(refuse)
}

fn changes(context: &Context, args: &AmendArgs, charter: &CompleteCharter) -> Result<Changes, Failure> {
    let held = charter.charter();
    let mut parties: Vec<Party> = Vec::new();
    let last = held.parties.last().map_or(0, |party| party.number.0);
    for (number, party) in (last + 1..).zip(&args.parties) {
        let (name, root) = named_key("--party", party)?;
        parties.push(Party { number: PartyNumber(number), name, root, witnesses: Vec::new() });
    }
    for root in &args.roots {
        let (name, key) = named_key("--root", root)?;
        party_named(&mut parties, &held.parties, &name)?.root = key;
    }
    let mut begun: Vec<PartyNumber> = Vec::new();
    for witness in &args.witnesses {
        let (name, key) = named_key("--witness", witness)?;
        let party = party_named(&mut parties, &held.parties, &name)?;
        if !begun.contains(&party.number) {
            begun.push(party.number);
            party.witnesses.clear();
        }
        party.witnesses.push(key);
    }
    parties.sort_by_key(|party| party.number);
    let scopes = new_scopes(&args.scopes, &SystemEntropy)?;
    let mut forms = args.forms.iter().map(|form| named_form(form)).collect::<Result<Vec<_>, _>>()?;
    forms.sort_unstable();
    let ledger = args.ledger.as_deref().map(|ledger| named_key("--ledger", ledger)).transpose()?;
    let ledger = ledger.map(|(origin, key)| Ledger { origin, key });
    let moves = ledger.is_some() || !begun.is_empty();
    let note = match &args.note {
        Some(path) => Some(input::read(path, "a checkpoint", COSIGNED_NOTE_BYTES_MAX)?),
        None if moves && args.charter.is_none() => newest_final(context)?,
        None => None,
    };
    let mut instead = Vec::with_capacity(args.instead.len());
    for path in &args.instead {
        instead.push(proposal(context, &Given::read(path)?, args.charter.as_deref())?.id());
    }
    instead.sort_unstable();
    Ok(Changes { parties, scopes, forms, ledger, quorum: args.quorum, note, instead })
}

/// The party among those that change, or else one of the charter that from now on does.
fn party_named<'a>(parties: &'a mut Vec<Party>, held: &[Party], name: &str) -> Result<&'a mut Party, Failure> {
    let is = |party: &Party| party.number.to_string() == name || party.name == name;
    if let Some(at) = parties.iter().position(is) {
        return Ok(&mut parties[at]);
    }
    let party = held.iter().find(|party| is(party));
    let party = party.ok_or_else(|| Failure::bad_input(format!("{name}: no party has that number or name")))?;
    parties.push(party.clone());
    let last = parties.len() - 1;
    Ok(&mut parties[last])
}

/// The newest final note of the device at --home, with its cosignatures.
fn newest_final(context: &Context) -> Result<Option<Vec<u8>>, Failure> {
    let device = context.open(0)?;
    let roster = device.authority().roster();
    let notes = roster.cosigned_notes();
    Ok(notes.iter().rev().find(|note| note.is_final(roster.charter())).map(CosignedNote::encode))
}

/// Keeps beside a key what it signs, and refuses a second amendment of one charter that does not take the place of the first:
/// two that each have enough signatures would end all amending.
fn remember(key: &Path, proposed: &ProposedAmendment) -> Result<(), Failure> {
    let mut path = key.as_os_str().to_owned();
    path.push(".signed");
    let path = PathBuf::from(path);
    let before = match path.try_exists() {
        Ok(true) => input::read_text(&path, "what a key signed", SIGNED_BYTES_MAX)?,
        Ok(false) | Err(_) => String::new(),
    };
    let (predecessor, id) = (proposed.predecessor().id().to_string(), proposed.id().to_string());
    let of_same = before.lines().filter_map(|line| line.split_once(' ')).filter(|(of, _)| *of == predecessor);
    for (_, other) in of_same {
        let is_named = CharterId::from_hex(other).is_some_and(|other| proposed.changes().instead.contains(&other));
        if other != id && !is_named {
            let line = format!(
                "this key signed the amendment {other} of the same charter; sign one that takes its place (`mission amend --instead FILE`), or two could freeze the charter"
            );
            return Err(Failure::new(Code::BadInput, line));
        }
    }
    if !before.lines().any(|line| line == format!("{predecessor} {id}")) {
        let kept = fs::write(&path, format!("{before}{predecessor} {id}\n"));
        kept.map_err(|error| Failure::new(Code::Storage, format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

/// An amendment in force.
#[derive(Serialize)]
pub(super) struct AmendmentShown {
    pub(super) charter: String,
    statement: String,
    signers: Vec<u64>,
}

impl AmendmentShown {
    pub(super) fn of(amendment: &Amendment) -> Self {
        Self {
            charter: amendment.amended().id().to_string(),
            statement: amendment.id().to_string(),
            signers: amendment.signers().iter().map(|party| party.0).collect(),
        }
    }

    pub(super) fn signed(&self) -> String {
        self.signers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// Amendments that keep each other out of force.
#[derive(Serialize)]
pub(super) struct FrozenShown {
    after: String,
    rivals: Vec<String>,
    signed_both: Vec<u64>,
}

impl FrozenShown {
    pub(super) fn of(frozen: &Frozen) -> Self {
        Self {
            after: frozen.charter.to_string(),
            rivals: frozen.rivals.iter().map(|rival| rival.id.to_string()).collect(),
            signed_both: frozen.signed_both().iter().map(|party| party.0).collect(),
        }
    }

    fn line(&self) -> String {
        let both: Vec<String> = self.signed_both.iter().map(u64::to_string).collect();
        format!("enough parties signed each of {}; more than one: party {}", self.rivals.join(" and "), both.join(", "))
    }

    pub(super) fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "frozen   after {}: {}", self.after, self.line())
    }
}

/// A proposed amendment, and who signed it.
#[derive(Serialize)]
struct ProposalShown {
    mission: String,
    predecessor: String,
    charter: String,
    parties: Vec<String>,
    scopes: Vec<String>,
    forms: Vec<String>,
    ledger: Option<String>,
    quorum: Option<u64>,
    builds_on_note: bool,
    instead: Vec<String>,
    /// What the witnesses would give after it.
    seats: Option<SeatsShown>,
    decides: DecisionsShown,
    signed: Vec<String>,
    lacks: u64,
    /// Keys without which it is none.
    missing: Vec<String>,
    complete: bool,
    file: PathBuf,
}

impl ProposalShown {
    fn of(proposed: &ProposedAmendment, file: &Path) -> Self {
        let (changes, before) = (proposed.changes(), proposed.predecessor().charter());
        let name = |number| before.party(number).map_or_else(|| number.to_string(), |party| party.name.clone());
        let party = |party: &Party| {
            let witnesses: Vec<String> = party.witnesses.iter().map(PublicKey::to_string).collect();
            format!("{} · {} · {} · witnesses {}", party.number, party.name, party.root, witnesses.join(", "))
        };
        let missing = proposed.missing();
        Self {
            mission: proposed.predecessor().mission().to_string(),
            predecessor: proposed.predecessor().id().to_string(),
            charter: proposed.id().to_string(),
            parties: changes.parties.iter().map(party).collect(),
            scopes: changes.scopes.iter().map(|scope| format!("{} · {}", scope.name, scope.id)).collect(),
            forms: changes.forms.iter().map(ToString::to_string).collect(),
            ledger: changes.ledger.as_ref().map(|ledger| format!("{} · {}", ledger.origin, ledger.key)),
            quorum: changes.quorum,
            builds_on_note: changes.note.is_some(),
            instead: changes.instead.iter().map(ToString::to_string).collect(),
            seats: SeatsShown::of(proposed.amended().charter()),
            decides: DecisionsShown::of(proposed.amended().charter()),
            signed: proposed.parties().map(name).collect(),
            lacks: proposed.lacks(),
            complete: proposed.lacks() == 0 && missing.is_empty(),
            missing: missing.into_iter().map(|(party, key)| format!("party {party} with {key}")).collect(),
            file: file.to_owned(),
        }
    }
}

impl Report for ProposalShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "amends   {}", self.predecessor)?;
        writeln!(out, "charter  {}", self.charter)?;
        for (about, what) in [("party", &self.parties), ("scope", &self.scopes), ("form", &self.forms)] {
            for what in what {
                writeln!(out, "{about:<9}{what}")?;
            }
        }
        if let Some(ledger) = &self.ledger {
            writeln!(out, "ledger   {ledger}")?;
        }
        if let Some(quorum) = self.quorum {
            writeln!(out, "quorum   {quorum}")?;
        }
        for other in &self.instead {
            writeln!(out, "instead  of {other}")?;
        }
        writeln!(out, "after it")?;
        if let Some(seats) = &self.seats {
            seats.human(out)?;
        }
        self.decides.human(out)?;
        writeln!(out, "signed   by {}; {} more parties are needed", self.signed.join(", "), self.lacks)?;
        for missing in &self.missing {
            writeln!(out, "missing  {missing}")?;
        }
        let file = self.file.display();
        match self.complete {
            true => writeln!(out, "Enough parties signed: take it up with `merestone mission add {file}`."),
            false => writeln!(out, "Send {file} to the next, for `merestone mission sign`."),
        }
    }
}
