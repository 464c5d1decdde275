//! `merestone roster certify`.

use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use merestone_core::Check;
use merestone_core::roster::{ATTESTATION_BYTES_MAX, Attestation, MakeError};
use merestone_node::office::{PartyOffice, SeenRequest};
use merestone_node::qr::QrPicture;
use serde::Serialize;

use super::replace::{ReplaceArgs, ReplacedShown, Replacing};
use super::show::PersonShown;
use super::{RoleName, scope_named};
use crate::cli::Context;
use crate::cli::device::{PictureKind, read_carried};
use crate::cli::mission::{complete_charter, key_in};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;

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
    /// The file with the attestation that the request names: it is compared, not checked. Keep it with the certificate.
    #[arg(long, value_name = "FILE")]
    attestation: Option<PathBuf>,
    #[command(flatten)]
    replace: ReplaceArgs,
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

pub(super) fn certify(context: &Context, args: &CertifyArgs) -> Result<Code, Failure> {
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
    let root = key_in(&context.asker, &args.key)?;
    let office = PartyOffice::new(&root);
    let seen = office.read_request(&charter, &text);
    let seen = seen.map_err(|error| Failure::from(error).about(args.request.display()))?;
    compare_attestation(&seen, args.attestation.as_deref())?;
    let replacing = args.replace.find(context, &seen, charter.party_by_root(root.public().as_bytes()))?;
    compare_words(&seen, replacing.as_ref(), args.words.as_deref())?;
    let mut scopes = scopes;
    scopes.sort_unstable();
    scopes.dedup();
    let certificate =
        office.certify(&charter, &seen.request, args.role.role(), &scopes).map_err(|error| match error {
            MakeError::Refused(refused) if refused.check == Check::SizeLimit => {
                Failure::new(Code::BadInput, "names and scopes are too long for one certificate: give fewer scopes")
            }
            error => error.into(),
        })?;

    let text = certificate.to_text();
    if let Some(out) = &args.out {
        input::write_new(out, format!("{text}\n").as_bytes())?;
    }
    let picture = QrPicture::of(&text);
    if let (Some(path), Some(kind), Some(picture)) = (&args.qr, picture_kind, &picture) {
        input::write_new(path, &kind.draw(picture))?;
    }
    let replaced = replacing.map(|replacing| args.replace.act(&replacing, &root, &certificate)).transpose()?;
    let picture = picture.filter(|_| context.screen.is_watched());
    let person = PersonShown::of(&certificate, charter.charter(), false);
    context.screen.show(&Certified { person, replaced, text, words: seen.words, picture })?;
    Ok(Code::Done)
}

/// Makes sure that a file is the attestation that the request names; what it says is for others to check.
fn compare_attestation(seen: &SeenRequest, file: Option<&Path>) -> Result<(), Failure> {
    let Some(file) = file else { return Ok(()) };
    let bytes = input::read(file, "an attestation", ATTESTATION_BYTES_MAX)?;
    let given = Attestation::of(&bytes);
    if given.is_some() && given.as_ref() == seen.request.attestation() {
        return Ok(());
    }
    let line = format!("{} is not the attestation that the request names; nothing was certified", file.display());
    Err(Failure::new(Code::BadInput, line))
}

/// Makes sure that the officer compared the words: by those that were typed, or by asking.
fn compare_words(seen: &SeenRequest, replacing: Option<&Replacing>, heard: Option<&str>) -> Result<(), Failure> {
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
    if let Some(attestation) = request.attestation() {
        eprintln_quietly(&attestation.to_string());
    }
    if let Some(replacing) = replacing {
        eprintln_quietly(&replacing.question());
    }
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

#[derive(Serialize)]
struct Certified {
    #[serde(flatten)]
    person: PersonShown,
    /// What was done about the key that this one is to follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<ReplacedShown>,
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
        if let Some(replaced) = &self.replaced {
            replaced.human(self.person.key(), out)?;
        }
        writeln!(out, "Give the certificate to the observer, for `merestone device accept`.")
    }
}
