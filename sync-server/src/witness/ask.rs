//! Asking one witness over HTTP, and naming what is wrong with its answers.

use std::sync::Arc;

use merestone_core::checkpoint::Checkpoint;
use merestone_core::witness::{COSIGNED_NOTE_BYTES_MAX, parse_conflict};
use merestone_node::replica::{AnswerError, Camp, Cosigned, LedgerError, Question};

use super::on_disk;
use crate::http::{Answer, HttpError, Url, post};

/// How often a witness may name another size in one asking: once for a camp that knows nothing of it, once more for one that
/// was asked by somebody else meanwhile.
const CONFLICTS_MAX: usize = 3;

/// What a witness gave.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) cosigned: Cosigned,
}

/// Why a witness gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// Nothing came that could be read.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An answer that is none.
    #[error("its answer is not that of a witness")]
    Garbage,
    /// Signature lines, none of which is of a witness of the mission under this checkpoint.
    #[error("no line of its answer is a cosignature of this checkpoint by a witness of the mission")]
    NoWitness,
    /// It names again and again a size from which it then takes no proof.
    #[error(
        "it cosigned {size} leaves last, and takes no proof from there: it was shown another tree, or answers anything with 409"
    )]
    Conflict {
        /// The size that it named last.
        size: u64,
    },
    /// It does not cosign: another ledger, another key, or the proof did not verify.
    #[error("it refuses with status {status}: {}", meaning(*.status))]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The ledger, which signs nothing more, for instance.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Trouble {
    /// A name that programs may rely on.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Trouble::Http(HttpError::Unreachable) => "witness-unreachable",
            Trouble::Http(HttpError::TooSlow) => "witness-slow",
            Trouble::Http(HttpError::TooLong { .. }) => "witness-too-long",
            Trouble::Http(HttpError::Malformed) | Trouble::Garbage => "witness-garbage",
            Trouble::NoWitness => "witness-unknown",
            Trouble::Conflict { .. } => "witness-conflict",
            Trouble::Refused { .. } => "witness-refuses",
            Trouble::Ledger(LedgerError::Lost { .. } | LedgerError::Behind { .. }) => "ledger-lost",
            Trouble::Ledger(_) => "ledger-stopped",
        }
    }
}

/// What a witness says with a status.
const fn meaning(status: u16) -> &'static str {
    match status {
        400 => "it does not take what base camp asks for a question; report it",
        403 => "the ledger's key of its charter is another: compare `merestone mission show` there and here",
        404 => "it watches another ledger: was it started with this charter?",
        408 => "the question did not reach it in time",
        422 => "it was shown another tree, or this ledger lost leaves: the folder of its state may hold the evidence",
        500..=599 => "it could not keep what it cosigned, or its clock is wrong: look at that machine",
        _ => "something else than a witness may answer there",
    }
}

/// Asks a witness to cosign the newest checkpoint; `old` is what it cosigned last, as far as is known, and is kept up.
/// `None`: there is nothing that it could cosign.
///
/// # Errors
/// [`Trouble`].
pub(crate) async fn ask(camp: &Arc<Camp>, url: &Url, old: &mut u64) -> Result<Option<Asked>, Trouble> {
    let mut last = None;
    for _ in 0..CONFLICTS_MAX {
        let asked = match question(camp, url, *old).await {
            // It alone says so: it is asked from the beginning next time.
            Err(Trouble::Conflict { size }) => {
                *old = 0;
                return Err(Trouble::Conflict { size });
            }
            other => other?,
        };
        let Some(Question { checkpoint, body }) = asked else { return Ok(None) };
        let Answer { status, body } = post(url, "add-checkpoint", body, COSIGNED_NOTE_BYTES_MAX).await?;
        match status {
            200 => {
                let cosigned = take(camp, url, checkpoint.clone(), body).await?;
                *old = checkpoint.size();
                return Ok(Some(Asked { checkpoint, cosigned }));
            }
            409 => {
                let size = parse_conflict(&body).ok_or(Trouble::Garbage)?;
                if last.replace(size) == Some(size) || size == *old {
                    return Err(Trouble::Conflict { size });
                }
                *old = size;
            }
            status => return Err(Trouble::Refused { status }),
        }
    }
    Err(Trouble::Conflict { size: *old })
}

async fn question(camp: &Arc<Camp>, url: &Url, old: u64) -> Result<Option<Question>, Trouble> {
    let (of, asked) = (Arc::clone(camp), url.to_string());
    let asked = on_disk(move || match of.question(old) {
        Err(LedgerError::Lost { told, size: _ }) => {
            of.witness_told(&asked, told)?;
            Err(Trouble::Conflict { size: told })
        }
        other => Ok(other?),
    });
    asked.await
}

async fn take(camp: &Arc<Camp>, url: &Url, checkpoint: Checkpoint, answer: Vec<u8>) -> Result<Cosigned, Trouble> {
    let (of, asked) = (Arc::clone(camp), url.to_string());
    on_disk(move || of.take_answer(&checkpoint, &answer, &asked)).await.map_err(|error| match error {
        AnswerError::Malformed => Trouble::Garbage,
        AnswerError::NoWitness | AnswerError::NotAsked => Trouble::NoWitness,
        AnswerError::Ledger(error) => Trouble::Ledger(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::MirrorError;
    use merestone_core::audit::explain;

    #[test]
    fn every_code_that_base_camp_says_is_explained() {
        let https = [HttpError::Unreachable, HttpError::TooSlow, HttpError::TooLong { max: 1 }, HttpError::Malformed];
        let asked = https.map(Trouble::Http).into_iter().chain([
            Trouble::Garbage,
            Trouble::NoWitness,
            Trouble::Conflict { size: 1 },
            Trouble::Refused { status: 403 },
            Trouble::Ledger(LedgerError::Lost { told: 2, size: 1 }),
            Trouble::Ledger(LedgerError::Damaged),
        ]);
        let copied = https.map(|source| MirrorError::Http { path: String::new(), source }).into_iter().chain([
            MirrorError::NoLedger,
            MirrorError::Status { path: String::new(), status: 404 },
            MirrorError::Malformed { path: String::new() },
            MirrorError::Ledger(LedgerError::Unproved { size: 1 }),
        ]);
        let codes = asked.map(|trouble| trouble.code()).chain(copied.map(|error| error.code()));
        for code in codes.chain(["ledger-split"]) {
            assert!(explain(code).is_some_and(|row| row.advice.ends_with('.')), "{code}");
        }
    }
}
