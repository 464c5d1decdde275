//! `merestone publish`: chosen answers for everybody, and a signed account of all that is withheld.

mod policy;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use merestone_core::publication::{Reason, State};
use merestone_node::publish::{PhotoLeftOut, Plan, Published, publish};
use serde::Serialize;

use super::mission::key_in;
use super::{Context, roster};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::{self, Report};
use policy::{Decisions, POLICY_BYTES_MAX};

/// Publish chosen answers of the records of some scopes, each under its observer's signature.
///
/// Whatever is not disclosed is withheld for a reason that you say: for a label, or for the rest. The party whose key is
/// given signs an account of every leaf and every entry, so that nothing is left out in silence.
///
/// A label is the name of a question or a repeat (see `merestone form check`), or a fact: context/coarse-place,
/// context/exact-place, context/day, context/exact-time, context/post, context/observer, context/photos. Of a repeat,
/// REPEAT/QUESTION discloses one question's cells. A reason is personal-data, security, source-protection, third-party,
/// legal or undecided.
#[derive(Debug, clap::Args)]
#[command(after_help = "A policy has one decision on each line, and # begins a remark:\n  \
        disclose LABEL\n  withhold LABEL REASON\n  withhold-rest REASON\n  leave-out RECORD REASON\n  \
        in RECORD disclose LABEL\n  in RECORD withhold LABEL REASON\n\n\
        Photos are copied where context/photos is disclosed and the file is nothing but pixels; others are named.\n\
        Exit code 0: published. 2: published, and a photo was left out; it is named.\n\n\
        Example:\n  merestone publish for-the-press --scope North --disclose post_state --disclose context/day \\\n    \
        --withhold note=personal-data --withhold-rest security --key state-a.key --home camp\n  \
        merestone-audit publication for-the-press --mission ID")]
pub(crate) struct PublishArgs {
    /// The folder: a new one, or empty.
    folder: PathBuf,
    /// A scope, by name or id. Repeat for each.
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<String>,
    /// Show this in every applied entry. Repeat for each.
    #[arg(long, value_name = "LABEL")]
    disclose: Vec<String>,
    /// Do not show this, and why. Repeat for each.
    #[arg(long, value_name = "LABEL=REASON")]
    withhold: Vec<String>,
    /// Why everything that is not named is withheld.
    #[arg(long, value_name = "REASON")]
    withhold_rest: Option<String>,
    /// Show nothing of a record, and why. Repeat for each.
    #[arg(long, value_name = "RECORD=REASON")]
    leave_out: Vec<String>,
    /// Decisions in a file, besides those given here.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Your party's root key, which signs the account.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

impl PublishArgs {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let decided = self.read_policy()?.decide().map_err(misused)?;
        let device = context.open(0)?;
        let charter = device.charter();
        let scopes = self.scopes.iter().map(|name| roster::scope_named(charter.charter(), name));
        let scopes = scopes.collect::<Result<Vec<_>, _>>()?;
        let root = key_in(&context.asker, &self.key)?;
        let plan = Plan { scopes, choice: decided.choice, exceptions: decided.exceptions, left_out: decided.left_out };
        let published = publish(&device, &plan, &root, &self.folder)?;
        context.screen.show(&PublishedShown::of(self.folder, device.mission().to_string(), &published))?;
        Ok(if published.photos_left_out.is_empty() { Code::Done } else { Code::Undecided })
    }

    fn read_policy(&self) -> Result<Decisions, Failure> {
        let mut policy = Decisions::default();
        if let Some(path) = &self.policy {
            policy.read(&input::read_text(path, "a policy", POLICY_BYTES_MAX)?).map_err(misused)?;
        }
        for label in &self.disclose {
            policy.disclose(label).map_err(misused)?;
        }
        for said in &self.withhold {
            let (label, reason) = pair(said, "--withhold LABEL=REASON")?;
            policy.withhold(label, reason).map_err(misused)?;
        }
        if let Some(reason) = &self.withhold_rest {
            policy.withhold_rest(reason).map_err(misused)?;
        }
        for said in &self.leave_out {
            let (record, reason) = pair(said, "--leave-out RECORD=REASON")?;
            policy.leave_out(record, reason).map_err(misused)?;
        }
        Ok(policy)
    }
}

fn misused(line: String) -> Failure {
    Failure::new(Code::Usage, line)
}

fn pair<'a>(said: &'a str, wanted: &str) -> Result<(&'a str, &'a str), Failure> {
    said.split_once('=').ok_or_else(|| Failure::new(Code::Usage, format!("{said}: a reason is missing; say {wanted}")))
}

#[derive(Serialize)]
struct PublishedShown {
    publication: PathBuf,
    mission: String,
    party: u64,
    account: String,
    logs: u64,
    entries: u64,
    shown: u64,
    records: u64,
    leaves: u64,
    not_shown: BTreeMap<String, u64>,
    photos: u64,
    photos_left_out: Vec<PhotoShown>,
    files: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct PhotoShown {
    photo: String,
    why: &'static str,
}

impl PublishedShown {
    fn of(publication: PathBuf, mission: String, published: &Published) -> Self {
        let Published { party, account, tally, photos, photos_left_out, files, bytes } = published;
        let not_shown = tally.states.iter().filter(|(state, _)| **state != 0);
        let photo = |(hash, why): &(_, PhotoLeftOut)| PhotoShown {
            photo: ToString::to_string(hash),
            why: match why {
                PhotoLeftOut::Metadata => "metadata",
                PhotoLeftOut::NotHeld => "not-held",
            },
        };
        Self {
            publication,
            mission,
            party: party.0,
            account: account.to_string(),
            logs: tally.logs,
            entries: tally.entries,
            shown: tally.shown,
            records: tally.records,
            leaves: tally.leaves,
            not_shown: not_shown.map(|(&state, &count)| (state_word(state), count)).collect(),
            photos: *photos,
            photos_left_out: photos_left_out.iter().map(photo).collect(),
            files: *files,
            bytes: *bytes,
        }
    }
}

/// A state as programs read it.
fn state_word(state: u64) -> String {
    if let Some(reason) = Reason::from_code(state) {
        return format!("left-out-{}", reason.as_str());
    }
    State::word_of(state).unwrap_or("later-state").to_owned()
}

impl Report for PublishedShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "publication  {}", self.publication.display())?;
        writeln!(out, "account      {}, signed by party {}", self.account, self.party)?;
        writeln!(out, "lists        {} entries in {} logs", self.entries, self.logs)?;
        writeln!(out, "shows        {} leaves of {} entries in {} records", self.leaves, self.shown, self.records)?;
        for (state, count) in &self.not_shown {
            writeln!(out, "not shown    {count} entries: {state}")?;
        }
        writeln!(out, "photos       {}", self.photos)?;
        for PhotoShown { photo, why } in &self.photos_left_out {
            let said = if *why == "metadata" { "its file says more than its pixels" } else { "it is not held here" };
            writeln!(out, "left out     photo {photo}: {said}")?;
        }
        writeln!(out, "size         {} in {} files", output::bytes(self.bytes), self.files)?;
        let folder = self.publication.display();
        writeln!(
            out,
            "Look at {folder}/index.html; check it with: merestone-audit publication {folder} --mission {}",
            self.mission
        )
    }
}
