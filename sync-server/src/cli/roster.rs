//! `merestone roster`: a party's office. It certifies the party's people, ends keys, and shows who may sign.

use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use merestone_core::entry::LogHead;
use merestone_core::id::ScopeId;
use merestone_core::key::PublicKey;
use merestone_core::roster::{CUT_BYTES_MAX, Certificate, Charter, Class, CutDraft, CutReason, Role};
use merestone_node::Device;
use merestone_node::office::{PartyOffice, SeenRequest};
use merestone_node::qr::QrPicture;
use serde::Serialize;

use super::device::{PictureKind, read_carried};
use super::mission::{complete_charter, root_key};
use super::{Context, public_key};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Certify the key of a request for your party: from then on its observer can sign.
    ///
    /// Read the six words to the observer before: they are a short form of the request, and are the same on both sides
    /// only if nobody changed it on the way.
    #[command(
        after_help = "Example:\n  merestone roster certify anna.request --charter charter.cbor --key state-a.key \\\n    \
                      --scope North --out anna.certificate"
    )]
    Certify(CertifyArgs),
    /// End a key that your party certified, at what this device holds of it.
    ///
    /// The cut keeps what the device at --home holds of the key's logs; everything that appears later is set aside and
    /// shown. It is taken up by that device, and travels with every sync. A cut is final: the person returns with a new key.
    #[command(after_help = "Example:\n  merestone roster cut 5be1… --reason stolen --key state-a.key --home camp")]
    Cut(CutArgs),
    /// Take up a cut that was written elsewhere with `roster cut --out`.
    #[command(after_help = "Example:\n  merestone roster add anna.cut --home camp")]
    Add {
        /// The cut.
        cut: PathBuf,
    },
    /// Show who may sign in this mission: parties, their people, what is cut.
    #[command(after_help = "Example:\n  merestone roster show --home camp")]
    Show,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CertifyArgs {
    /// The file with the request's text; `-` is standard input.
    request: PathBuf,
    /// The mission's charter.
    #[arg(long, value_name = "FILE")]
    charter: PathBuf,
    /// Your party's root key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the key may do.
    #[arg(long, value_enum, default_value_t = RoleName::Observer)]
    role: RoleName,
    /// A scope it may work in, by name or id. Repeat for each. Default: all.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The six words as the observer read them to you, instead of being asked whether they are the same.
    #[arg(long, value_name = "WORDS")]
    words: Option<String>,
    /// Write the certificate into this new file too.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Draw the certificate as a QR code into this new file: .svg or .pbm.
    #[arg(long, value_name = "FILE")]
    qr: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CutArgs {
    /// The key to end, 64 hex digits.
    observer_key: String,
    /// Why.
    #[arg(long, value_enum)]
    reason: ReasonName,
    /// Why, in words that everybody will read.
    #[arg(long)]
    text: Option<String>,
    /// Keep nothing of the key, not even what is held.
    #[arg(long)]
    keep_nothing: bool,
    /// Your party's root key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Write the cut into this new file too, for other devices: see `merestone roster add`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What a certificate lets a key do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RoleName {
    /// Records, edits, comments, agrees and objects.
    Observer,
    /// Comments, agrees and objects.
    Reviewer,
    /// As a reviewer, and rules on disputes.
    Arbiter,
    /// Base camp: receipts, no entries.
    Camp,
    /// Receives, signs nothing.
    Auditor,
}

/// Why a key ends.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ReasonName {
    /// The device is lost.
    Lost,
    /// The device was stolen.
    Stolen,
    /// The observer left the mission.
    Left,
    /// The observer has another key.
    Replaced,
    /// The key was misused.
    Misuse,
}

impl RoleName {
    const fn role(self) -> Role {
        match self {
            Self::Observer => Role::Observer,
            Self::Reviewer => Role::Reviewer,
            Self::Arbiter => Role::Arbiter,
            Self::Camp => Role::Camp,
            Self::Auditor => Role::Auditor,
        }
    }
}

impl ReasonName {
    const fn reason(self) -> CutReason {
        match self {
            Self::Lost => CutReason::Lost,
            Self::Stolen => CutReason::Stolen,
            Self::Left => CutReason::Left,
            Self::Replaced => CutReason::Replaced,
            Self::Misuse => CutReason::Misuse,
        }
    }
}

pub(super) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Observer => "observer",
        Role::Reviewer => "reviewer",
        Role::Arbiter => "arbiter",
        Role::Camp => "camp",
        Role::Auditor => "auditor",
    }
}

const fn reason_name(reason: CutReason) -> &'static str {
    match reason {
        CutReason::Lost => "lost",
        CutReason::Stolen => "stolen",
        CutReason::Left => "left",
        CutReason::Replaced => "replaced",
        CutReason::Misuse => "misuse",
    }
}

/// The names of scopes; the id of one that the charter does not name.
pub(super) fn scope_names(charter: &Charter, scopes: &[ScopeId]) -> Vec<String> {
    let name = |id: &ScopeId| {
        let scope = charter.scopes.iter().find(|scope| scope.id == *id);
        scope.map_or_else(|| id.to_string(), |scope| scope.name.clone())
    };
    scopes.iter().map(name).collect()
}

/// The scope of that name or id.
///
/// # Errors
/// If the mission has none, or several of that name.
pub(super) fn scope_named(charter: &Charter, name: &str) -> Result<ScopeId, Failure> {
    let found: Vec<_> =
        charter.scopes.iter().filter(|scope| scope.name == name || scope.id.to_string() == name).collect();
    match found.as_slice() {
        [scope] => Ok(scope.id),
        [] => {
            let names = charter.scopes.iter().map(|scope| scope.name.as_str()).collect::<Vec<_>>().join(", ");
            Err(Failure::new(Code::BadInput, format!("the mission has no scope {name}; it has {names}")))
        }
        _ => Err(Failure::new(Code::BadInput, format!("several scopes are called {name}; give the id"))),
    }
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        match self {
            Self::Certify(args) => certify(context, &args),
            Self::Cut(args) => cut(context, &args),
            Self::Add { cut } => {
                let bytes = input::read(&cut, "a cut", CUT_BYTES_MAX)?;
                let device = context.open(0)?;
                take_up(&device, bytes).map_err(|failure| failure.about(cut.display()))?;
                show(context, &device)
            }
            Self::Show => show(context, &context.open(0)?),
        }
    }
}

fn certify(context: &Context, args: &CertifyArgs) -> Result<Code, Failure> {
    let charter = complete_charter(&args.charter)?;
    let text = read_carried(&args.request, "a request")?;
    let scopes = match args.scopes.as_slice() {
        [] => charter.charter().scopes.iter().map(|scope| scope.id).collect(),
        named => named.iter().map(|name| scope_named(charter.charter(), name)).collect::<Result<Vec<_>, _>>()?,
    };
    let picture_kind = args.qr.as_deref().map(PictureKind::of).transpose()?;
    for file in [&args.out, &args.qr].into_iter().flatten() {
        input::refuse_existing(file)?;
    }
    let root = root_key(context, &args.key)?;
    let office = PartyOffice::new(&root);
    let seen = office.read_request(&charter, &text);
    let seen = seen.map_err(|error| Failure::from(error).about(args.request.display()))?;
    compare_words(&seen, args.words.as_deref())?;
    let mut scopes = scopes;
    scopes.sort_unstable();
    scopes.dedup();
    let certificate = office.certify(&charter, &seen.request, args.role.role(), &scopes)?;

    let text = certificate.to_text();
    if let Some(out) = &args.out {
        input::write_new(out, format!("{text}\n").as_bytes())?;
    }
    let picture = QrPicture::of(&text);
    if let (Some(path), Some(kind), Some(picture)) = (&args.qr, picture_kind, &picture) {
        input::write_new(path, &kind.draw(picture))?;
    }
    let picture = picture.filter(|_| context.screen.is_watched());
    let person = PersonShown::of(&certificate, charter.charter(), false);
    context.screen.show(&Certified { person, text, words: seen.words, picture })?;
    Ok(Code::Done)
}

/// Makes sure that the officer compared the words: by those that were typed, or by asking.
fn compare_words(seen: &SeenRequest, heard: Option<&str>) -> Result<(), Failure> {
    let differ = || {
        let line =
            "the six words differ: this is not the request that the observer's device shows; nothing was certified";
        Failure::new(Code::BadInput, line)
    };
    if let Some(heard) = heard {
        let is_same = heard.split_whitespace().map(str::to_lowercase).eq(seen.words.iter().copied());
        return if is_same { Ok(()) } else { Err(differ()) };
    }
    let nobody = || Failure::new(Code::Usage, "give the six words that the observer reads to you with --words");
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(nobody());
    }
    let request = &seen.request;
    eprintln_quietly(&format!("{} · {}\n{}", request.observer(), request.device(), seen.words.join(" ")));
    eprintln_quietly("Does the observer read you the same six words? Type yes:");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|_| nobody())?;
    if answer.trim() == "yes" { Ok(()) } else { Err(differ()) }
}

/// A question goes to standard error, so that standard output holds the certificate only.
fn eprintln_quietly(line: &str) {
    // If nobody can read the question, nobody answers yes.
    let _ = writeln!(io::stderr(), "{line}");
}

fn cut(context: &Context, args: &CutArgs) -> Result<Code, Failure> {
    let key = public_key(&args.observer_key)?;
    let device = context.open(0)?;
    if let Some(out) = &args.out {
        input::refuse_existing(out)?;
    }
    let kept = if args.keep_nothing { Vec::new() } else { held_heads(&device, &key)? };
    let root = root_key(context, &args.key)?;
    let text = args.text.as_deref();
    let draft = CutDraft { key: key.as_bytes(), kept: &kept, reason: args.reason.reason(), text };
    let cut = PartyOffice::new(&root).cut(&device.charter(), &draft)?;
    take_up(&device, cut.as_bytes().to_vec())?;
    if let Some(out) = &args.out {
        input::write_new(out, cut.as_bytes())?;
    }
    let kept = kept.iter().map(KeptShown::of).collect();
    context.screen.show(&CutMade { cut: cut.id().to_string(), key: key.to_string(), kept })?;
    Ok(Code::Done)
}

/// What the device holds of a key, log by log.
fn held_heads(device: &Device, key: &PublicKey) -> Result<Vec<LogHead>, Failure> {
    let (mut heads, mut after) = (Vec::new(), None);
    loop {
        let tips = device.store().tips(None, after)?;
        let Some(last) = tips.last() else { return Ok(heads) };
        after = Some(last.log);
        for tip in tips.iter().filter(|tip| tip.key == *key.as_bytes()) {
            if let (Some(id), Some(seq)) = (tip.head, tip.height.checked_sub(1)) {
                heads.push(LogHead { scope: tip.scope, epoch: tip.epoch, seq, id });
            }
        }
    }
}

fn take_up(device: &Device, cut: Vec<u8>) -> Result<(), Failure> {
    let received = device.receive(Class::Cut, &[cut])?;
    match received.refused.first() {
        None => Ok(()),
        Some((_, refused)) => {
            let line = format!("the cut is refused ({refused}); a party can cut the keys that it certified itself");
            Err(Failure::new(Code::BadInput, line))
        }
    }
}

fn show(context: &Context, device: &Device) -> Result<Code, Failure> {
    let authority = device.authority();
    let roster = authority.roster();
    let charter = roster.charter().charter();
    let person = |certificate: &Certificate| {
        let of_key = |cut: &&merestone_core::roster::Cut| cut.key() == certificate.key().as_bytes();
        let is_cut = roster.cuts().filter(of_key).any(|cut| cut.party() == certificate.party());
        PersonShown::of(certificate, charter, is_cut)
    };
    let mut people: Vec<_> = roster.certificates().map(person).collect();
    people.sort_by(|a, b| (a.party, &a.observer, &a.device, &a.key).cmp(&(b.party, &b.observer, &b.device, &b.key)));
    let cuts = roster.cuts().map(|cut| CutShown {
        cut: cut.id().to_string(),
        party: cut.party().0,
        key: PublicKey::admit(cut.key()).map_or_else(|_| String::new(), |key| key.to_string()),
        reason: reason_name(cut.reason()),
        text: cut.text().map(str::to_owned),
        kept: cut.kept().iter().map(KeptShown::of).collect(),
    });
    let parties = charter.parties.iter().map(|party| (party.number.0, party.name.clone())).collect();
    let shown = RosterShown { mission: roster.mission().to_string(), parties, people, cuts: cuts.collect() };
    drop(roster);
    context.screen.show(&shown)?;
    Ok(Code::Done)
}

#[derive(Serialize)]
struct PersonShown {
    certificate: String,
    party: u64,
    observer: String,
    device: String,
    key: String,
    role: &'static str,
    scopes: Vec<String>,
    cut: bool,
}

impl PersonShown {
    fn of(certificate: &Certificate, charter: &Charter, is_cut: bool) -> Self {
        Self {
            certificate: certificate.id().to_string(),
            party: certificate.party().0,
            observer: certificate.request().observer().to_owned(),
            device: certificate.request().device().to_owned(),
            key: certificate.key().to_string(),
            role: role_name(certificate.role()),
            scopes: scope_names(charter, certificate.scopes()),
            cut: is_cut,
        }
    }
}

impl Report for PersonShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let cut = if self.cut { " · cut" } else { "" };
        let Self { observer, device, role, party, key, .. } = self;
        writeln!(out, "{observer} · {device} · {role} of party {party} in {}{cut}", self.scopes.join(", "))?;
        writeln!(out, "    key {key}")
    }
}

#[derive(Serialize)]
struct Certified {
    #[serde(flatten)]
    person: PersonShown,
    text: String,
    words: [&'static str; 6],
    #[serde(skip)]
    picture: Option<QrPicture>,
}

impl Report for Certified {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(picture) = &self.picture {
            write!(out, "{}", picture.to_terminal())?;
        }
        writeln!(out, "{}", self.text)?;
        self.person.human(out)?;
        writeln!(out, "Give the certificate to the observer, for `merestone device accept`.")
    }
}

#[derive(Serialize)]
struct KeptShown {
    scope: String,
    epoch: String,
    seq: u64,
    entry: String,
}

impl KeptShown {
    fn of(head: &LogHead) -> Self {
        let LogHead { scope, epoch, seq, id } = head;
        Self { scope: scope.to_string(), epoch: epoch.to_string(), seq: *seq, entry: id.to_string() }
    }
}

#[derive(Serialize)]
struct CutMade {
    cut: String,
    key: String,
    kept: Vec<KeptShown>,
}

impl Report for CutMade {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "key {} is cut", self.key)?;
        for kept in &self.kept {
            writeln!(out, "  kept up to entry {} of its log in scope {}", kept.seq + 1, kept.scope)?;
        }
        if self.kept.is_empty() {
            writeln!(out, "  nothing of it is kept")?;
        }
        writeln!(out, "Whatever else it signed is set aside and shown. The cut travels with every sync.")
    }
}

#[derive(Serialize)]
struct CutShown {
    cut: String,
    party: u64,
    key: String,
    reason: &'static str,
    text: Option<String>,
    kept: Vec<KeptShown>,
}

#[derive(Serialize)]
struct RosterShown {
    mission: String,
    parties: Vec<(u64, String)>,
    people: Vec<PersonShown>,
    cuts: Vec<CutShown>,
}

impl Report for RosterShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "mission {}", self.mission)?;
        for (number, name) in &self.parties {
            writeln!(out, "party {number}: {name}")?;
            for person in self.people.iter().filter(|person| person.party == *number) {
                write!(out, "  ")?;
                person.human(out)?;
            }
            for cut in self.cuts.iter().filter(|cut| cut.party == *number) {
                let text =
                    cut.text.as_deref().map_or_else(String::new, |text| format!(": {}", crate::output::one_line(text)));
                writeln!(out, "  cut: key {} ({}){text}", cut.key, cut.reason)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_and_reason_has_one_name_in_and_out() {
        for name in RoleName::value_variants() {
            let typed = name.to_possible_value().expect("no variant is skipped");
            assert_eq!(typed.get_name(), role_name(name.role()));
        }
        for name in ReasonName::value_variants() {
            let typed = name.to_possible_value().expect("no variant is skipped");
            assert_eq!(typed.get_name(), reason_name(name.reason()));
        }
        assert_eq!(RoleName::value_variants().len(), Role::ALL.len());
        assert_eq!(ReasonName::value_variants().len(), CutReason::ALL.len());
    }
}
