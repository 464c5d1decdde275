//! From a draft to an entry: encoded, checked by the verifier's own rules, signed.

use super::body::{BODY_BYTES_MAX, Body};
use super::header::{Commitment, Header, Kind, Position, Subject};
use super::{VerifiedEntry, check_size};
use crate::check::{Full, Refused};
use crate::cose::{self, Label};
use crate::id::{Epoch, MissionId, NoteHash, ScopeId};
use crate::key::{Signer, SignerUnavailable};

/// An entry before it is signed. Lists may be in any order; signing sorts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryDraft {
    /// The mission.
    pub mission: MissionId,

    /// The scope of the signer's log.
    pub scope: ScopeId,
    /// The epoch of the signer's log.
    pub epoch: Epoch,
    /// The place in that log.
    pub seq: u64,
    /// What that place rests on.
    pub position: Position,

    /// What the entry is.
    pub kind: Kind,
    /// The record it is about.
    pub subject: Subject,
    /// The body.
    pub body: Body,
    /// The claims over the body: in a change, and only there.
    pub commitment: Option<Commitment>,
    /// The newest cosigned checkpoint note held.
    pub seen: Option<NoteHash>,
}

/// A draft did not become an entry; nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftRefused {
    /// A verifier would refuse the entry.
    #[error("the draft breaks a rule: {0}")]
    Rule(#[from] Refused),
    /// The key's holder did not sign.
    #[error(transparent)]
    Signer(#[from] SignerUnavailable),
}

impl EntryDraft {
    /// Signs the draft with the key of its log.
    ///
    /// Nothing that a verifier would refuse is signed. The change inside the body is judged by
    /// [`change`](crate::change) and not here.
    ///
    /// # Errors
    /// The rule that the draft breaks, or that the signer did not sign.
    pub fn sign(self, signer: &dyn Signer) -> Result<VerifiedEntry, DraftRefused> {
        let EntryDraft { mission, scope, epoch, seq, position, kind, subject, mut body, commitment, seen } = self;
        body.context.photos.sort_by_key(|photo| photo.sha256);
        let body_bytes = body.encode();
        check_size(&body_bytes, BODY_BYTES_MAX, Full, "body")?;
        Body::decode(kind, &body_bytes)?;

        let header = Header {
            mission,
            scope,
            epoch,
            seq,
            position: sorted_position(position),
            kind,
            subject: sorted_subject(subject),
            body: Body::hash(&body_bytes),
            commitment,
            seen,
        };
        let payload = header.encode();
        let header = Header::decode_under(&payload, mission, Full)?;
        // The limits of its lists keep a header below HEADER_BYTES_MAX.
        let header_bytes = cose::sign(Label::Entry, signer, &payload)?;
        Ok(VerifiedEntry::of_parts(*signer.public(), header, header_bytes, Some(body_bytes)))
    }
}

fn sorted_position(position: Position) -> Position {
    match position {
        Position::First { certificate, mut earlier } => {
            earlier.sort_by_key(|head| head.log());
            Position::First { certificate, earlier }
        }
        Position::Later { prev } => Position::Later { prev },
    }
}

fn sorted_subject(subject: Subject) -> Subject {
    match subject {
        Subject::Creates { mut writers } => {
            writers.sort_unstable();
            writers.dedup();
            Subject::Creates { writers }
        }
        Subject::Of { record, mut refs } => {
            refs.sort_unstable();
            refs.dedup();
            Subject::Of { record, refs }
        }
    }
}
