//! `merestone roster`: a party's office. It certifies the party's people, ends keys, and shows who may sign.

mod acts;
mod agree;
mod certify;
mod cut;
pub(in crate::cli) mod named;
mod replace;
mod show;
mod succeed;

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use merestone_core::id::ScopeId;
use merestone_core::roster::{CUT_BYTES_MAX, Charter, CutReason, Role};

pub(in crate::cli) use self::acts::ActsShown;
use self::agree::AgreeArgs;
use self::certify::CertifyArgs;
use self::cut::CutArgs;
use self::succeed::SucceedArgs;
use super::Context;
use crate::exit::{Code, Failure};
use crate::input;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Certify the key of a request for your party: from then on its observer can sign.
    ///
    /// The observer reads the six words from his own screen, and you compare: say none yourself. They are a short form of the
    /// request, and are the same on both sides only if nobody changed it on the way.
    /// Of a request that follows a lost key, --succession and --cut do in one go what `roster succeed` and `roster cut` do.
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
    /// Show a cut that several parties sign, and sign it for yours.
    ///
    /// One party alone cuts nothing that a final checkpoint held before. What the charter's quorum agreed to acts at any height.
    #[command(after_help = "Example:\n  merestone roster agree anna.cut --charter charter.cbor --key state-b.key")]
    Agree(AgreeArgs),
    /// Vouch that a new key is the observer's whose key is lost, with what the device at --home holds of the old one.
    ///
    /// The new device adds its own signature: see `merestone device succeed`. To end the old key as well, see `roster cut`.
    #[command(
        after_help = "Example:\n  merestone roster succeed 5be1… 77c0… --key state-a.key --out anna.succession --home camp"
    )]
    Succeed(SucceedArgs),
    /// Take up a cut that was written elsewhere with `roster cut --out`, or that enough parties agreed to.
    #[command(after_help = "Example:\n  merestone roster add anna.cut --home camp")]
    Add {
        /// The cut.
        cut: PathBuf,
    },
    /// Show who may sign in this mission: parties, their people, what is cut.
    #[command(after_help = "Example:\n  merestone roster show --home camp")]
    Show,
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
            Self::Certify(args) => certify::certify(context, &args),
            Self::Cut(args) => cut::cut(context, &args),
            Self::Agree(args) => agree::agree(context, &args),
            Self::Succeed(args) => succeed::succeed(context, &args),
            Self::Add { cut } => {
                let bytes = input::read(&cut, "a cut", CUT_BYTES_MAX)?;
                let device = context.open(0)?;
                cut::take_up(&device, bytes).map_err(|failure| failure.about(cut.display()))?;
                show::show(context, &device)
            }
            Self::Show => show::show(context, &context.open(0)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_and_reason_has_one_name_in_and_out() {
        for name in RoleName::value_variants() {
            let typed = name.to_possible_value().expect("no variant is skipped");
            assert_eq!(typed.get_name(), name.role().name());
        }
        for name in ReasonName::value_variants() {
            let typed = name.to_possible_value().expect("no variant is skipped");
            assert_eq!(typed.get_name(), reason_name(name.reason()));
        }
        assert_eq!(RoleName::value_variants().len(), Role::ALL.len());
        assert_eq!(ReasonName::value_variants().len(), CutReason::ALL.len());
    }
}
