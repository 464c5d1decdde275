//! `merestone mission show --text` and `--qr`: a charter or an amendment as texts, for people to carry.

use std::io::{self, Write};
use std::path::Path;

use merestone_node::qr::QrPicture;
use serde::Serialize;

use super::given::{Given, parts};
use crate::cli::Context;
use crate::exit::{Code, Failure};
use crate::output::Report;

/// In which form `mission show` gives what it shows.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct AsText {
    /// As texts to paste: each part begins with MERESTONE-CHARTER: and is one line.
    #[arg(long, group = "form")]
    text: bool,
    /// As QR codes to scan, one for each part, 77 columns wide.
    #[arg(long, group = "form")]
    qr: bool,
    /// Only this part.
    #[arg(long, value_name = "NUMBER", requires = "form")]
    part: Option<usize>,
}

impl AsText {
    pub(super) fn is_wanted(self) -> bool {
        self.text || self.qr
    }
}

/// Shows the file, or the charter of the device at --home, as texts.
pub(super) fn show(context: &Context, file: Option<&Path>, wanted: AsText) -> Result<Code, Failure> {
    let bytes = match file {
        Some(file) => {
            let given = Given::read(file)?;
            if !given.is_amendment() && given.charter_file().is_err() {
                given.signed_charter()?;
            }
            given.bytes().to_vec()
        }
        None => context.open(0)?.authority().roster().charter_file(),
    };
    let parts = parts(&bytes)?;
    let count = parts.texts().len();
    let all = (1..).zip(parts.texts()).map(|(part, text)| PartShown {
        part,
        of: count,
        picture: wanted.qr.then(|| QrPicture::of(&text)).flatten(),
        text,
    });
    let shown: Vec<_> = all.filter(|shown| wanted.part.is_none_or(|part| part == shown.part)).collect();
    if shown.is_empty() {
        return Err(Failure::bad_input(format!("there is no such part: it has {count}")));
    }
    context.screen.show(&TextsShown { id: parts.id().to_owned(), parts: shown })?;
    Ok(Code::Done)
}

#[derive(Serialize)]
struct TextsShown {
    id: String,
    parts: Vec<PartShown>,
}

#[derive(Serialize)]
struct PartShown {
    part: usize,
    of: usize,
    text: String,
    #[serde(skip)]
    picture: Option<QrPicture>,
}

impl Report for TextsShown {
    /// Texts stand alone, so that what is printed can be given to a verb as it is.
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        for PartShown { part, of, text, picture } in &self.parts {
            match picture {
                Some(picture) => writeln!(out, "part {part} of {of}\n{}", picture.to_terminal())?,
                None => writeln!(out, "{text}")?,
            }
        }
        Ok(())
    }
}
