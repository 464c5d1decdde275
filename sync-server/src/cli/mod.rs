//! The verbs: what can be typed, and who does it.

mod answers;
mod bag;
mod courier;
mod device;
mod doctor;
mod erasure;
mod export;
mod fill;
mod form;
mod import;
mod ledger;
mod mission;
mod photo;
mod publish;
mod record;
mod roster;
mod serve;
mod sync;
mod view;
mod witness;

pub(crate) use view::scope_name;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use merestone_core::key::PublicKey;
use merestone_node::Device;
use merestone_node::device::{Home, Observer, ObserverState, System};
use merestone_node::vault::{KeyFiles, UnlockCost};
use merestone_store::StoreKey;

use crate::demo::DemoArgs;
use crate::exit::{Code, Failure};
use crate::output::Screen;
use crate::passphrase::Asker;

/// Observations that teams record without a network, sign, merge when they meet, and that auditors check alone.
#[derive(Debug, Parser)]
#[command(
    name = "merestone",
    version,
    max_term_width = 100,
    subcommand_required = true,
    after_help = "A first walk through it, in one folder:\n  \
        each party   merestone mission key --out state-a.key\n  \
        each party   merestone witness key --out witness-a.key\n  \
        base camp    merestone mission key --out ledger.key\n  \
        one of them  merestone mission found --name Border --party 'State A=KEY' … --scope North \\\n                 \
                       --ledger border.example/ledger=KEY --witness 1=KEY … --key state-a.key --out charter.cbor\n  \
        the others   merestone mission sign charter.cbor --key state-b.key\n  \
        a device     merestone device init charter.cbor --home phone\n  \
        a device     merestone device request --observer Anna --device phone --out anna.request --home phone\n  \
        an officer   merestone roster certify anna.request --charter charter.cbor --key state-a.key \\\n                 \
                       --out anna.certificate          (and --words 'the six words that Anna reads out', in a script)\n  \
        a device     merestone device accept anna.certificate --home phone\n  \
        an observer  merestone record new --form inspection --set post='North gate' … --home phone\n  \
        each party   merestone witness serve --key witness-a.key --charter charter.cbor --state witness-a --new\n  \
        base camp    merestone serve --home camp --ledger-key ledger.key --witness http://HOST:7412 …\n                 \
                       (a device too, certified with --role camp)\n  \
        a device     merestone sync KEY@HOST:PORT --home phone\n  \
        without one  merestone courier write stick.courier --home phone\n  \
        base camp    merestone courier read stick.courier --home camp\n  \
        base camp    merestone ledger show --home camp\n  \
        base camp    merestone bag write evidence --home camp\n  \
        an auditor   merestone-audit evidence --mission ID\n\n\
        Exit codes: 0 done, 1 failed, 2 cannot be decided, 64 wrong use, 65 bad input,\n69 not reachable, 74 storage.\n\
        `merestone VERB --help` explains each verb with an example. Only `serve`, `sync`, `witness` and `ledger mirror` use a\nnetwork;\n`demo` uses that of this machine."
)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

/// What every verb takes, after what is its own.
#[derive(Debug, clap::Args)]
#[command(next_display_order = 1_000, next_help_heading = "Everywhere")]
struct Common {
    /// The device's folder: its records, photos and wrapped keys.
    #[arg(long, global = true, value_name = "DIR", env = "MERESTONE_HOME", hide_env_values = true)]
    home: Option<PathBuf>,
    /// Print one JSON object on one line instead of text.
    #[arg(long, global = true)]
    json: bool,
    /// Read the passphrase from the first line of this file instead of asking.
    #[arg(long, global = true, value_name = "FILE", env = "MERESTONE_PASSPHRASE_FILE", hide_env_values = true)]
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Walk through everything on this machine: a mission, ten devices, a bag, an audit, six forgeries.
    Demo(DemoArgs),
    /// Found a mission: the charter that all parties sign.
    #[command(subcommand)]
    Mission(mission::Verb),
    /// Make a device, and enrol the observers who use it.
    #[command(subcommand)]
    Device(device::Verb),
    /// A party's office: certify its people, end keys, and see who may sign.
    #[command(subcommand)]
    Roster(roster::Verb),
    /// Record, edit and read observations.
    #[command(subcommand)]
    Record(record::Verb),
    /// Forget a record or a photo, as enough parties agreed.
    #[command(subcommand)]
    Erasure(erasure::Verb),
    /// Attach photos to a record.
    #[command(subcommand)]
    Photo(photo::Verb),
    Sync(sync::SyncArgs),
    /// Carry what a device holds on a stick, where no network reaches.
    #[command(subcommand)]
    Courier(courier::Verb),
    /// Write what this device holds as a bag for auditors.
    #[command(subcommand)]
    Bag(bag::Verb),
    Publish(publish::PublishArgs),
    /// Check and take up forms.
    #[command(subcommand)]
    Form(form::Verb),
    /// Write records for other programs: tables, maps, documents.
    #[command(subcommand)]
    Export(export::Verb),
    Import(import::ImportArgs),
    Serve(serve::ServeArgs),
    /// How far the ledger is confirmed, and witnesses that only a stick reaches.
    #[command(subcommand)]
    Ledger(ledger::Verb),
    /// Be a witness of the ledger: cosign its checkpoints, never two that contradict each other.
    #[command(subcommand)]
    Witness(witness::Verb),
    Doctor(doctor::DoctorArgs),
}

/// What a verb works with.
pub(crate) struct Context {
    home: Option<PathBuf>,
    pub(crate) screen: Screen,
    pub(crate) asker: Asker,
}

/// Understands a command line.
///
/// # Errors
/// What was not understood, in one line; or the help that was asked for, which is printed here.
pub(crate) fn read(words: impl Iterator<Item = OsString>) -> Result<Args, Failure> {
    let parsed = Args::command().try_get_matches_from(words).and_then(|matches| Args::from_arg_matches(&matches));
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
            Ok(()) => Failure::new(Code::Done, String::new()),
            Err(error) => Failure::output(&error),
        },
        _ => Failure::new(Code::Usage, misused(&error)),
    })
}

/// The first paragraph of what clap says, on one line.
fn misused(error: &clap::Error) -> String {
    if matches!(error.kind(), ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
        return "which verb? see `merestone --help`".to_owned();
    }
    let said = error.to_string();
    let first = said.split("\n\n").next().unwrap_or(&said);
    let first = first.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{first}; see `merestone --help`")
}

impl Args {
    /// Does what was asked for.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn run(self) -> Result<Code, Failure> {
        let Common { home, json, passphrase_file } = self.common;
        let context = Context { home, screen: Screen::new(json), asker: Asker::new(passphrase_file) };
        match self.verb {
            Verb::Demo(args) => args.run(&context),
            Verb::Mission(verb) => verb.run(&context),
            Verb::Device(verb) => verb.run(&context),
            Verb::Roster(verb) => verb.run(&context),
            Verb::Record(verb) => verb.run(&context),
            Verb::Erasure(verb) => verb.run(&context),
            Verb::Photo(verb) => verb.run(&context),
            Verb::Sync(args) => args.run(&context),
            Verb::Courier(verb) => verb.run(&context),
            Verb::Bag(verb) => verb.run(&context),
            Verb::Publish(args) => args.run(&context),
            Verb::Form(verb) => verb.run(&context),
            Verb::Export(verb) => verb.run(&context),
            Verb::Import(args) => args.run(&context),
            Verb::Serve(args) => args.run(&context),
            Verb::Ledger(verb) => verb.run(&context),
            Verb::Witness(verb) => verb.run(&context),
            Verb::Doctor(args) => args.run(&context),
        }
    }
}

impl Context {
    /// The device's folder.
    ///
    /// # Errors
    /// If none was named.
    pub(crate) fn home(&self) -> Result<Home, Failure> {
        let folder = self.home.as_deref().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.ok_or_else(|| {
            Failure::new(Code::Usage, "which device? name its folder with --home DIR, or set MERESTONE_HOME")
        })?;
        Ok(Home::new(folder))
    }

    /// Opens the device, in a place `offset_min` minutes ahead of UTC.
    ///
    /// # Errors
    /// If there is none, or it cannot be opened.
    pub(crate) fn open(&self, offset_min: i16) -> Result<Device, Failure> {
        Ok(Device::open(&self.home()?, store_key(), System::real(offset_min)?)?)
    }

    /// Unlocks the keys of an observer of an open device.
    ///
    /// # Errors
    /// If the passphrase is another, or nobody can be asked for it.
    pub(crate) fn unlock(&self, device: &Device, observer: &Observer) -> Result<(), Failure> {
        let passphrase = self.asker.ask(&observer.name)?;
        device.unlock(&KeyFiles::new(&device.home().keys(), passphrase), &observer.key)?;
        Ok(())
    }
}

/// The store takes a key from day one and does not use it yet: nothing is encrypted at rest in this version.
pub(crate) fn store_key() -> StoreKey {
    StoreKey::from_bytes([0; 32])
}

/// The observer that is meant: by name or key; or the only one there is.
///
/// # Errors
/// If there is none, or it is not clear which.
pub(crate) fn choose_observer(device: &Device, who: Option<&str>) -> Result<Observer, Failure> {
    let observers = device.observers();
    let bad = |line: String| Failure::new(Code::BadInput, line);
    let can_sign = |observer: &&Observer| matches!(observer.state, ObserverState::Certified { .. });
    let mut meant = match who {
        Some(who) => observers.iter().filter(|one| one.name == who || one.key.to_string() == who).collect::<Vec<_>>(),
        None => observers.iter().collect(),
    };
    if meant.len() > 1 && meant.iter().filter(|one| can_sign(one)).count() == 1 {
        meant.retain(can_sign);
    }
    match (meant.as_slice(), who) {
        ([one], _) => Ok((*one).clone()),
        ([], Some(_)) => Err(bad("no observer here has that name or key; see `merestone device show`".to_owned())),
        ([], None) => {
            Err(bad("this device has no observer; make a request with `merestone device request`".to_owned()))
        }
        (several, _) => {
            let keys = several.iter().map(|one| one.key.to_string()).collect::<Vec<_>>().join(" or ");
            Err(bad(format!("which observer? name one with --observer: {keys}")))
        }
    }
}

/// How much work one try of a passphrase is.
#[derive(Debug, clap::Args)]
pub(crate) struct UnlockCostArgs {
    /// Memory that each try of the passphrase takes (Argon2id). Less is quicker for you and for a thief.
    #[arg(long, value_name = "MIB", default_value_t = UnlockCost::PHONE.memory_kib / 1_024,
          value_parser = clap::value_parser!(u32).range(1..=1_024))]
    kdf_memory_mib: u32,
}

impl UnlockCostArgs {
    pub(crate) fn cost(&self) -> UnlockCost {
        UnlockCost { memory_kib: self.kdf_memory_mib * 1_024, ..UnlockCost::PHONE }
    }
}

/// 64 hex digits as a public key.
pub(crate) fn public_key(text: &str) -> Result<PublicKey, Failure> {
    let bad = |why: &str| Failure::new(Code::BadInput, format!("{why}; a public key is 64 hex digits"));
    // Any id of 32 bytes reads hex alike.
    let bytes = merestone_core::id::MissionId::from_hex(text.trim()).ok_or_else(|| bad("not a key"))?;
    PublicKey::admit(bytes.as_bytes()).map_err(|refused| bad(&refused.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a page's shell blocks that call `merestone`, split into words as a shell does.
    fn commands(page: &str) -> Vec<Vec<String>> {
        let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
        let lines = blocks.flat_map(|block| block.replace("\\\n", " ").lines().map(words).collect::<Vec<_>>());
        lines.filter(|words| words.first().is_some_and(|word| word == "merestone")).collect()
    }

    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
        for char in line.split(" #").next().unwrap_or_default().chars() {
            match char {
                '\'' => is_quoted = !is_quoted,
                ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
                char => word.push(char),
            }
        }
        words.push(word);
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn every_command_of_the_first_page_is_one() {
        let commands = commands(include_str!("../../../README.md"));
        assert!(commands.len() > 10, "{} commands", commands.len());
        for words in commands {
            if let Err(error) = Args::try_parse_from(&words) {
                panic!("{}: {error}", words.join(" "));
            }
        }
    }
}
