//! Witnesses of the ledger, and copies of it.
//!
//! A witness at work: what it cosigned last is durable before it answers, in one step with the check.

mod ask;
mod collect;
mod mirror;
mod state;

pub(crate) use collect::Collecting;
pub(crate) use mirror::{MirrorError, mirror};

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use merestone_core::key::SigningKey;
use merestone_core::roster::Ledger;
use merestone_core::witness::{AddCheckpoint, CosignError, Observed, Refusal, Watched, decide};

use self::state::State;
pub(crate) use self::state::StateError;
use crate::time;

/// The witness of one ledger.
pub(crate) struct Witness {
    signer: SigningKey,
    ledger: Ledger,
    /// Held from the check until the new latest is on the disk: two requests that were each consistent could otherwise
    /// together take leaves back.
    state: Mutex<State>,
}

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WitnessAnswer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// The number of leaves that were cosigned.
    pub(crate) cosigned: Option<u64>,
    /// Whether two trees of one size are kept now as evidence.
    pub(crate) is_split: bool,
}

/// A request was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WitnessError {
    /// What was cosigned could not be kept, or not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The key did not sign.
    #[error(transparent)]
    Sign(#[from] CosignError),
}

impl Witness {
    /// Opens the witness whose state is in `folder`; nobody else may use that folder meanwhile.
    ///
    /// # Errors
    /// If another program uses it, or it cannot be read.
    pub(crate) fn open(signer: SigningKey, ledger: Ledger, folder: &Path) -> Result<Self, WitnessError> {
        let state = Mutex::new(State::open(folder, &ledger)?);
        Ok(Self { signer, ledger, state })
    }

    /// Answers the body of a request. Blocks on the disk.
    ///
    /// # Errors
    /// [`WitnessError`]; then nothing was cosigned.
    pub(crate) fn answer(&self, body: &[u8]) -> Result<WitnessAnswer, WitnessError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = Watched { ledger: self.ledger.clone(), latest: state.latest()? };
        match decide(body, &[watched]) {
            Ok(accepted) => {
                state.keep(accepted.checkpoint())?;
                let line = accepted.cosign(&self.signer, time::now_s())?;
                let cosigned = Some(accepted.observed().size);
                Ok(WitnessAnswer { status: 200, body: line, cosigned, is_split: false })
            }
            Err(refusal) => {
                let is_split = matches!(refusal, Refusal::SplitView { .. });
                if let (true, Ok(request)) = (is_split, AddCheckpoint::parse(body)) {
                    state.keep_refused(&request.note, &self.ledger)?;
                }
                let words = refusal.body().unwrap_or_else(|| format!("{refusal}\n"));
                Ok(WitnessAnswer { status: refusal.status(), body: words, cosigned: None, is_split })
            }
        }
    }

    /// What it cosigned last.
    ///
    /// # Errors
    /// If a former answer could not be kept.
    pub(crate) fn latest(&self) -> Result<Option<Observed>, WitnessError> {
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner).latest()?)
    }
}
