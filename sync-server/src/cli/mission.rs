//! `merestone mission`: keys of parties, the charter they sign, and how they amend it.

mod amend;
mod compare;
mod found;
mod given;
mod key;
mod seats;
mod shown;
mod texts;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use merestone_core::roster::{MakeError, SignedCharter};
use merestone_node::office::PartyOffice;

use self::found::FoundArgs;
use self::given::Given;
pub(super) use self::given::{charter_bytes, complete_charter};
pub(super) use self::key::{key_in, refused_by};
pub(super) use self::shown::CharterShown;
use super::{Context, UnlockCostArgs};
use crate::exit::{Code, Failure};

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
    /// The file is replaced by one with the signature added, unless --out names another. It can be a file of the texts that
    /// `merestone mission show --text` gives or that were scanned, in any order; `-` reads either from standard input.
    #[command(
        after_help = "Example:\n  merestone mission show charter.cbor\n  merestone mission sign charter.cbor --key state-b.key"
    )]
    Sign {
        /// The charter, or the amendment that another party proposes.
        charter: PathBuf,
        /// Of an amendment: the charter file that it changes; without it, the charter of the device at --home.
        #[arg(long = "charter", value_name = "FILE")]
        amended: Option<PathBuf>,
        /// The party's root key.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Write here instead of replacing the charter.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Propose a change of the charter: a party, scope, form or ledger that is added, another key.
    ///
    /// Nothing is taken away. It takes as many parties as would make a checkpoint final, and whoever's root key comes in or is
    /// replaced: see `merestone mission sign`, and then `merestone mission add`.
    #[command(
        after_help = "Example:\n  merestone mission amend --charter charter.cbor --party 'State C=77ab…' --scope West \\\n    \
                      --key state-a.key --out west.amendment"
    )]
    Amend(amend::AmendArgs),
    /// Take up an amendment that enough parties signed: at the device at --home, or into a charter file.
    #[command(
        after_help = "Example:\n  merestone mission add west.amendment --home camp\n  merestone mission add west.amendment --charter charter.cbor"
    )]
    Add {
        /// The amendment.
        amendment: PathBuf,
        /// The charter file to take it up into.
        #[arg(long, value_name = "FILE")]
        charter: Option<PathBuf>,
    },
    /// Say which parties signed both of two charters, or both of two amendments of one charter.
    ///
    /// Of two charters it compares root keys: a mission that is shown to some with one charter and to others with another has
    /// two ids, and who signed both is named.
    #[command(after_help = "Example:\n  merestone mission compare charter.cbor other.cbor")]
    Compare {
        /// One.
        one: PathBuf,
        /// The other.
        other: PathBuf,
        /// Of amendments: the charter file that they change; without it, the charter of the device at --home.
        #[arg(long, value_name = "FILE")]
        charter: Option<PathBuf>,
    },
    /// Show what a charter or a proposed amendment says and who has signed it: that of a file, or of the device.
    ///
    /// With --text or --qr it is shown as texts for another laptop: every verb that takes a charter takes a file of them.
    #[command(
        after_help = "Example:\n  merestone mission show charter.cbor\n  merestone mission show --home phone\n  merestone mission show charter.cbor --qr"
    )]
    Show {
        /// The charter, or a proposed amendment; without it, the charter of the device at --home.
        file: Option<PathBuf>,
        /// Of an amendment: the charter file that it changes; without it, the charter of the device at --home.
        #[arg(long, value_name = "FILE")]
        charter: Option<PathBuf>,
        #[command(flatten)]
        as_text: texts::AsText,
    },
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        match self {
            Self::Key { out, cost } => key::make(context, out, &cost),
            Self::Found(args) => found::found(context, &args),
            Self::Sign { charter, amended, key, out } => {
                let given = Given::read(&charter)?;
                match given.is_amendment() {
                    true => amend::sign(context, &given, amended.as_deref(), &key, out.as_deref()),
                    false => sign(context, &given, &key, out.as_deref()),
                }
            }
            Self::Amend(args) => amend::amend(context, &args),
            Self::Add { amendment, charter } => amend::add(context, &amendment, charter.as_deref()),
            Self::Compare { one, other, charter } => compare::compare(context, [&one, &other], charter.as_deref()),
            Self::Show { file, charter: _, as_text } if as_text.is_wanted() => {
                texts::show(context, file.as_deref(), as_text)
            }
            Self::Show { file: None, charter: _, as_text: _ } => {
                context.screen.show(&CharterShown::of_roster(&context.open(0)?.authority().roster()))?;
                Ok(Code::Done)
            }
            Self::Show { file: Some(file), charter, as_text: _ } => {
                let given = Given::read(&file)?;
                match given.is_amendment() {
                    true => amend::show(context, &given, charter.as_deref()),
                    false => show(context, &given, &file),
                }
            }
        }
    }
}

fn sign(context: &Context, given: &Given, key: &Path, out: Option<&Path>) -> Result<Code, Failure> {
    given.signed_charter()?;
    let place = given.place(out)?;
    let root = key_in(&context.asker, key)?;
    let signed = PartyOffice::new(&root).sign(given.bytes()).map_err(refused_by(key))?;
    given.write(out, &signed)?;
    let signed = SignedCharter::decode(&signed).map_err(MakeError::from)?;
    context.screen.show(&CharterShown::of(&signed).kept(place))?;
    Ok(Code::Done)
}

fn show(context: &Context, given: &Given, path: &Path) -> Result<Code, Failure> {
    let shown = match given.charter_file() {
        Ok(roster) => CharterShown::of_roster(&roster),
        Err(_) => CharterShown::of(&given.signed_charter()?),
    };
    context.screen.show(&shown.kept(path))?;
    Ok(Code::Done)
}
