//! What a witness answers (C2SP tlog-witness): a pure function of the request and of what it cosigned before.

use super::cosigned::checkpoint_among;
use super::{AddCheckpoint, CosignError, Cosignature, NoteRefused};
use crate::checkpoint::Checkpoint;
use crate::checkpoint::note::{parse_text, split};
use crate::key::Signer;
use crate::merkle::{self, NodeHash};
use crate::roster::Ledger;

/// A tree that a witness cosigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Its leaves.
    pub size: u64,
    /// Its root.
    pub root: NodeHash,
}

/// A ledger that a witness watches, and the latest of it that it cosigned.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The ledger.
    pub ledger: Ledger,
    /// `None` before the first cosignature.
    pub latest: Option<Observed>,
}

/// A checkpoint that a witness may cosign, once it has kept [`observed`](Self::observed) as the latest of this ledger.
///
/// Check and keeping are one step: between [`decide`] and the commit nobody else may change what was read for it,
/// otherwise two requests could each be consistent and together take leaves back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    checkpoint: Checkpoint,
}

impl Accepted {
    /// What must be durable before the answer leaves.
    pub fn observed(&self) -> Observed {
        Observed { size: self.checkpoint.size(), root: *self.checkpoint.root() }
    }

    /// The checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The body of the answer: the witness's line, made at `time`, in seconds since 1970.
    ///
    /// # Errors
    /// As [`Cosignature::make`].
    pub fn cosign(&self, signer: &dyn Signer, time: u64) -> Result<String, CosignError> {
        Cosignature::make(&self.checkpoint, signer, time).map(|cosignature| cosignature.line())
    }
}

/// Why a witness does not cosign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No request, or no note in it.
    #[error("no request to add a checkpoint")]
    Malformed,
    /// The old size is above the checkpoint's.
    #[error("the old size is above the checkpoint's")]
    OldSize,
    /// The ledger's key did not sign it.
    #[error("the checkpoint is not signed by the ledger's key")]
    NotSigned,
    /// A ledger that this witness does not watch.
    #[error("the ledger is not watched here")]
    UnknownLedger,
    /// The old size is not that of the latest cosigned checkpoint.
    #[error("the latest checkpoint cosigned here has {size} leaves")]
    Behind {
        /// Its size.
        size: u64,
    },
    /// Another root at the size that was cosigned: the ledger showed two histories.
    #[error("another tree of {size} leaves was cosigned here")]
    SplitView {
        /// That size.
        size: u64,
    },
    /// The consistency proof does not verify.
    #[error("the consistency proof does not verify")]
    Inconsistent,
}

impl Refusal {
    /// The HTTP status of the answer.
    pub const fn status(self) -> u16 {
        match self {
            Refusal::Malformed | Refusal::OldSize => 400,
            Refusal::NotSigned => 403,
            Refusal::UnknownLedger => 404,
            Refusal::Behind { .. } | Refusal::SplitView { .. } => 409,
            Refusal::Inconsistent => 422,
        }
    }

    /// The body of an answer of 409: the latest cosigned size.
    pub fn body(self) -> Option<String> {
        match self {
            Refusal::Behind { size } | Refusal::SplitView { size } => Some(format!("{size}\n")),
            Refusal::Malformed
            | Refusal::OldSize
            | Refusal::NotSigned
            | Refusal::UnknownLedger
            | Refusal::Inconsistent => None,
        }
    }
}

/// What a witness that watches these ledgers answers to `body`.
///
/// # Errors
/// The first refusal in the order of the spec.
pub fn decide(body: &[u8], watched: &[Watched]) -> Result<Accepted, Refusal> {
    let AddCheckpoint { old, proof, note } = AddCheckpoint::parse(body).map_err(|_| Refusal::Malformed)?;
    let (origin, _, _) = split(&note).and_then(|(text, _)| parse_text(text)).ok_or(Refusal::Malformed)?;
    let watched = watched.iter().find(|watched| watched.ledger.origin == origin).ok_or(Refusal::UnknownLedger)?;
    let checkpoint = checkpoint_among(&note, &watched.ledger).map_err(|refused| match refused {
        NoteRefused::Checkpoint(_) => Refusal::NotSigned,
        NoteRefused::Malformed | NoteRefused::Unknown | NoteRefused::Order | NoteRefused::Invalid => Refusal::Malformed,
    })?;
    let (size, root) = (checkpoint.size(), checkpoint.root());
    let latest = watched.latest.unwrap_or(Observed { size: 0, root: merkle::root(&[]) });
    if old > size {
        return Err(Refusal::OldSize);
    }
    if old != latest.size {
        return Err(Refusal::Behind { size: latest.size });
    }
    if size == latest.size && *root != latest.root {
        return Err(Refusal::SplitView { size });
    }
    merkle::verify_consistency(old, &latest.root, size, root, &proof)
        .map_err(|merkle::ProofInvalid| Refusal::Inconsistent)?;
    Ok(Accepted { checkpoint })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{charter_with_witnesses, checkpoint};
    use super::super::{CosignedNote, Witnesses};
    use super::*;
    use crate::record::testing::key;

    fn leaves(count: u8) -> Vec<NodeHash> {
        (0..count).map(|n| merkle::leaf_hash(&[n])).collect()
    }

    fn request(old: u64, size: u8) -> AddCheckpoint {
        let proof = merkle::consistency_proof(old, &leaves(size)).unwrap_or_default();
        let note = checkpoint(size.into(), merkle::root(&leaves(size))).as_bytes().to_vec();
        AddCheckpoint { old, proof, note }
    }

    fn watched(latest: Option<u8>) -> Vec<Watched> {
        let ledger = charter_with_witnesses(&[1]).ledger.expect("a ledger");
        let latest = latest.map(|size| Observed { size: size.into(), root: merkle::root(&leaves(size)) });
        vec![
            Watched { ledger: Ledger { origin: "other.example".into(), ..ledger.clone() }, latest: None },
            Watched { ledger, latest },
        ]
    }

    #[test]
    fn a_ledger_that_only_grows_is_cosigned_each_time() {
        let charter = charter_with_witnesses(&[1]);
        let witnesses = Witnesses::of(&charter).expect("a ledger");
        let mut latest = None;
        for size in [0, 1, 1, 5, 8, 8, 13] {
            let request = request(latest.unwrap_or(0).into(), size);
            let accepted = decide(&request.encode(), &watched(latest)).expect("consistent");
            assert_eq!(accepted.observed(), Observed { size: size.into(), root: merkle::root(&leaves(size)) });
            let line = accepted.cosign(&key(61), 100).expect("it signs");
            let mut note = CosignedNote::new(accepted.checkpoint().clone());
            assert_eq!(note.add(line.as_bytes(), &witnesses), Ok(1));
            latest = Some(size);
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_status() {
        let check = |about: &str, request: &AddCheckpoint, latest: Option<u8>, wanted: Refusal, status: u16| {
            let refusal = decide(&request.encode(), &watched(latest)).expect_err(about);
            assert_eq!((refusal, refusal.status()), (wanted, status), "{about}");
            assert_eq!(refusal.body().is_some(), status == 409, "{about}");
        };
        let good = request(3, 7);
        check("nothing cosigned yet", &good, None, Refusal::Behind { size: 0 }, 409);
        check("another size cosigned", &good, Some(5), Refusal::Behind { size: 5 }, 409);
        check("taking leaves back", &request(3, 3), Some(5), Refusal::Behind { size: 5 }, 409);
        check("old above the size", &AddCheckpoint { old: 8, ..good.clone() }, Some(8), Refusal::OldSize, 400);
        check("no proof", &AddCheckpoint { proof: vec![], ..good.clone() }, Some(3), Refusal::Inconsistent, 422);
        let from_nothing = AddCheckpoint { proof: vec![[1; 32]], ..request(0, 7) };
        check("a proof from nothing", &from_nothing, None, Refusal::Inconsistent, 422);
        let other = checkpoint(3, [9; 32]).as_bytes().to_vec();
        check(
            "another tree of one size",
            &AddCheckpoint { note: other, ..request(3, 3) },
            Some(3),
            Refusal::SplitView { size: 3 },
            409,
        );
        let rewritten = checkpoint(7, [9; 32]).as_bytes().to_vec();
        check(
            "another history",
            &AddCheckpoint { note: rewritten, ..good.clone() },
            Some(3),
            Refusal::Inconsistent,
            422,
        );
        check("no note", &AddCheckpoint { note: b"text\n".to_vec(), ..good.clone() }, Some(3), Refusal::Malformed, 400);
        let text = |from: &str, to: &str| {
            let note = String::from_utf8(good.note.clone()).expect("a text").replacen(from, to, 1);
            AddCheckpoint { note: note.into_bytes(), ..good.clone() }
        };
        check("not as signed", &text("\n7\n", "\n8\n"), Some(3), Refusal::NotSigned, 403);
        check("another origin", &text("example.org/ledger", "nobody.example"), Some(3), Refusal::UnknownLedger, 404);
        check(
            "another ledger's origin",
            &text("example.org/ledger", "other.example"),
            Some(3),
            Refusal::NotSigned,
            403,
        );
        assert_eq!(decide(b"", &watched(None)), Err(Refusal::Malformed));
    }

    #[test]
    fn lines_of_others_do_not_matter_wherever_they_stand() {
        let mut request = request(3, 7);
        let note = String::from_utf8(request.note.clone()).expect("a text");
        request.note = note.replacen("\n\n", "\n\n\u{2014} w.example AAAAAQID\n", 1).into_bytes();
        assert!(decide(&request.encode(), &watched(Some(3))).is_ok());
    }
}
