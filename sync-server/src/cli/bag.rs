//! `merestone bag`: evidence for auditors.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use merestone_core::id::ScopeId;
use merestone_node::Device;
use merestone_node::bag::{self, LeftOut, WrittenBag};
use serde::Serialize;

use super::{Context, roster};
use crate::exit::{Code, Failure};
use crate::output::{self, Report};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write what this device holds into a new folder that an auditor checks alone, offline.
    ///
    /// The folder is a BagIt bag. Nothing in it depends on when or by whom it was written. The auditor needs the mission's
    /// id besides, from another source than the bag: a bag never vouches for itself.
    #[command(after_help = "Exit code 0: everything held is in it. 2: something was left out; it is named.\n\n\
                      Example:\n  merestone bag write evidence --home camp\n  merestone-audit evidence --mission ID")]
    Write {
        /// The folder: a new one, or empty.
        folder: PathBuf,
        /// Only this scope, by name or id. Repeat for each. Default: those that this device's certificates grant.
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
    },
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let Self::Write { folder, scopes } = self;
        let device = context.open(0)?;
        let charter = device.charter();
        let named = scopes.iter().map(|name| roster::scope_named(charter.charter(), name));
        let named = named.collect::<Result<Vec<_>, _>>()?;
        let own = if named.is_empty() { granted(&device) } else { Some(named) };
        let only = own.as_deref();
        let written = bag::write(device.store(), device.authority(), only, &folder)?;
        let shown = BagShown::of(&folder, &device.mission().to_string(), &written);
        context.screen.show(&shown)?;
        Ok(if shown.left_out.is_empty() { Code::Done } else { Code::Undecided })
    }
}

/// The scopes that the certificates of this device grant; `None` if these are all of the mission, or there is none.
fn granted(device: &Device) -> Option<Vec<ScopeId>> {
    let roster = device.authority().roster();
    let own = device.observers();
    let certificates = own.iter().flat_map(|observer| roster.certificates_of(observer.key.as_bytes()));
    let granted: BTreeSet<ScopeId> =
        certificates.flat_map(|certificate| certificate.scopes().iter().copied()).collect();
    let all = roster.charter().charter().scopes.iter().map(|scope| scope.id).collect::<BTreeSet<_>>();
    (!granted.is_empty() && granted != all).then(|| granted.into_iter().collect())
}

#[derive(Serialize)]
struct BagShown {
    bag: PathBuf,
    mission: String,
    logs: u64,
    entries: u64,
    bodies_absent: u64,
    photos: u64,
    checkpoints: u64,
    ledger_leaves: u64,
    files: u64,
    bytes: u64,
    left_out: Vec<LeftOutShown>,
}

#[derive(Serialize)]
struct LeftOutShown {
    what: &'static str,
    id: String,
}

impl BagShown {
    fn of(folder: &Path, mission: &str, written: &WrittenBag) -> Self {
        let WrittenBag { logs, entries, bodies_absent, photos, notes, leaves, files, bytes, left_out } = written;
        Self {
            bag: folder.to_owned(),
            mission: mission.to_owned(),
            logs: *logs,
            entries: *entries,
            bodies_absent: *bodies_absent,
            photos: *photos,
            checkpoints: *notes,
            ledger_leaves: *leaves,
            files: *files,
            bytes: *bytes,
            left_out: left_out.iter().map(|left| LeftOutShown::of(*left)).collect(),
        }
    }
}

impl LeftOutShown {
    fn of(left: LeftOut) -> Self {
        match left {
            LeftOut::DamagedPhoto(hash) => Self { what: "damaged-photo", id: hash.to_string() },
            LeftOut::AbsentPhoto(hash) => Self { what: "absent-photo", id: hash.to_string() },
            LeftOut::Leaves { held, used } => Self { what: "ledger-leaves", id: format!("{used} of {held}") },
            LeftOut::Siblings(count) => Self { what: "displaced-siblings", id: count.to_string() },
            LeftOut::Receipt(id) => Self { what: "receipt-of-other-scopes", id: id.to_string() },
        }
    }

    fn line(&self) -> String {
        match self.what {
            "damaged-photo" => format!("photo {} is damaged here: sync with a peer that holds it", self.id),
            "absent-photo" => format!("photo {} is not held here: sync with a peer that holds it", self.id),
            "ledger-leaves" => format!(
                "the ledger after {} leaves: something that the next ones name is not held here; sync with base camp",
                self.id
            ),
            "displaced-siblings" => format!("{} siblings at forks that are beyond what a bag takes", self.id),
            _ => format!("receipt {} speaks of other scopes too", self.id),
        }
    }
}

impl Report for BagShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "bag      {}", self.bag.display())?;
        writeln!(out, "mission  {}", self.mission)?;
        writeln!(out, "holds    {} entries in {} logs, {} photos and pictures", self.entries, self.logs, self.photos)?;
        if self.ledger_leaves > 0 {
            writeln!(out, "ledger   {} leaves, {} checkpoints", self.ledger_leaves, self.checkpoints)?;
        }
        writeln!(out, "size     {} in {} files", output::bytes(self.bytes), self.files)?;
        if self.bodies_absent > 0 {
            writeln!(out, "absent   {} bodies: withheld, erased or not held", self.bodies_absent)?;
        }
        for left in &self.left_out {
            writeln!(out, "left out {}", left.line())?;
        }
        writeln!(out, "Check it with: merestone-audit {} --mission {}", self.bag.display(), self.mission)
    }
}
