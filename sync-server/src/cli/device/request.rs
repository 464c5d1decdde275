//! `merestone device request`: the keys of a new observer, and what the officer is shown.

use std::io::{self, Write};
use std::path::PathBuf;

use merestone_core::roster::ATTESTATION_BYTES_MAX;
use merestone_node::enrolment::{Asked, Enrolment};
use merestone_node::qr::QrPicture;
use merestone_node::vault::KeyFiles;
use serde::Serialize;

use super::PictureKind;
use crate::cli::roster::named::NamedShown;
use crate::cli::{Context, UnlockCostArgs, public_key};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;

#[derive(Debug, clap::Args)]
pub(crate) struct RequestArgs {
    /// The observer's name, as it will stand in the certificate.
    #[arg(long, value_name = "NAME")]
    observer: String,
    /// What the device is called.
    #[arg(long, value_name = "NAME")]
    device: String,
    /// The observer's key before, which the new one is to follow: 64 hex digits.
    #[arg(long, value_name = "KEY")]
    replaces: Option<String>,
    /// A file of at most 8,192 bytes in which the device's maker attests the device or a key. The request names it by its
    /// hash: give the file to the officer too. Merestone does not check what it says.
    #[arg(long, value_name = "FILE")]
    attestation: Option<PathBuf>,
    /// Write the request into this new file too.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Draw the request as a QR code into this new file: .svg or .pbm.
    #[arg(long, value_name = "FILE")]
    qr: Option<PathBuf>,
    #[command(flatten)]
    cost: UnlockCostArgs,
}

impl RequestArgs {
    pub(super) fn run(&self, context: &Context) -> Result<Code, Failure> {
        let Self { observer, device: name, replaces, attestation, out, qr, cost } = self;
        let replaces = replaces.as_deref().map(public_key).transpose()?;
        let read = |file: &PathBuf| input::read(file, "an attestation", ATTESTATION_BYTES_MAX);
        let attestation = attestation.as_ref().map(read).transpose()?;
        let device = context.open(0)?;
        let picture_kind = qr.as_deref().map(PictureKind::of).transpose()?;
        for file in [out, qr].into_iter().flatten() {
            input::refuse_existing(file)?;
        }
        let passphrase = context.asker.choose(observer)?;
        let vault = KeyFiles::with_cost(&device.home().keys(), passphrase, cost.cost());
        let asked = Asked { observer, device: name, attestation: attestation.as_deref(), replaces };
        let enrolment = device.request_as(&vault, &asked)?;
        if let Some(out) = out {
            input::write_new(out, format!("{}\n", enrolment.text).as_bytes())?;
        }
        if let (Some(path), Some(kind), Some(picture)) = (qr, picture_kind, enrolment.qr()) {
            input::write_new(path, &kind.draw(&picture))?;
        }
        let picture = if context.screen.is_watched() { enrolment.qr() } else { None };
        context.screen.show(&RequestMade::of(&enrolment, picture))?;
        Ok(Code::Done)
    }
}

#[derive(Serialize)]
struct RequestMade {
    key: String,
    request: String,
    words: [&'static str; 6],
    #[serde(flatten)]
    named: NamedShown,
    #[serde(skip)]
    picture: Option<QrPicture>,
}

impl RequestMade {
    fn of(enrolment: &Enrolment, picture: Option<QrPicture>) -> Self {
        Self {
            key: enrolment.key.to_string(),
            request: enrolment.text.clone(),
            words: enrolment.words,
            named: NamedShown::new(enrolment.attestation.as_ref(), enrolment.replaces.as_ref()),
            picture,
        }
    }
}

impl Report for RequestMade {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(picture) = &self.picture {
            write!(out, "{}", picture.to_terminal())?;
        }
        writeln!(out, "{}", self.request)?;
        writeln!(out, "six words  {}", self.words.join(" "))?;
        writeln!(out, "key        {}", self.key)?;
        self.named.lines("           ", out)?;
        writeln!(
            out,
            "Give the request to your party's officer, and read the six words to the officer, who compares them."
        )
    }
}
