//! Witnesses of the ledger, and copies of it.
//!
//! A witness at work: what it cosigned last is durable before it answers, in one step with the check.

mod ask;
mod collect;
mod follow;
mod mirror;
mod state;

pub(crate) use ask::ask;
pub(crate) use collect::Collecting;
pub(crate) use follow::{Following, keep_split};
pub(crate) use mirror::{MirrorError, mirror};

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use merestone_core::key::SigningKey;
use merestone_core::roster::Ledger;
use merestone_core::witness::{AddCheckpoint, CosignError, Observed, Refusal, Watched, decide};

use self::state::State;
pub(crate) use self::state::{Begin, StateError};
use crate::time;
use tokio::task::spawn_blocking;

/// The witness of one ledger.
pub(crate) struct Witness {
    signer: SigningKey,
    ledger: Ledger,
    /// The tree on which an amendment of the charter lets its witnesses build.
    anchor: Option<Observed>,
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
    /// If another program uses it, if it cannot be read, or if it is not there and was to be, or the other way round.
    pub(crate) fn open(signer: SigningKey, ledger: Ledger, folder: &Path, begin: &Begin) -> Result<Self, WitnessError> {
        let state = Mutex::new(State::open(folder, &ledger, begin)?);
        Ok(Self { signer, ledger, anchor: None, state })
    }

    /// The same, which cosigns nothing that is not built on `anchor` (`core/spec/roster.md`, Witnesses and the ledger's key).
    pub(crate) fn building_on(self, anchor: Option<Observed>) -> Self {
        Self { anchor, ..self }
    }

    /// What a checkpoint is to continue.
    fn since(&self, latest: Option<Observed>) -> Option<Observed> {
        match (latest, self.anchor) {
            (None, anchor) => anchor,
            (Some(latest), Some(anchor)) if latest.size < anchor.size => Some(anchor),
            (Some(latest), _) => Some(latest),
        }
    }

    /// Answers the body of a request. Blocks on the disk.
    ///
    /// # Errors
    /// [`WitnessError`]; then nothing was cosigned.
    pub(crate) fn answer(&self, body: &[u8]) -> Result<WitnessAnswer, WitnessError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = Watched { ledger: self.ledger.clone(), latest: self.since(state.latest()?) };
        match decide(body, &[watched]) {
            Ok(accepted) => {
                // Looked at first: the clock may be set and the question asked again.
                let time = state.time(time::now_s())?;
                state.keep(accepted.checkpoint())?;
                let line = accepted.cosign(&self.signer, time)?;
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

/// Runs what waits for the disk, or for others' tiles, beside what waits for the network.
async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}
