//! Entries and files that no two devices write alike.

use crate::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, Media, MissingReason, Photo, Position,
    Rendition, RenditionOrReason, Subject, VerifiedEntry,
};
use crate::id::{BlobHash, EntryId, Epoch, FormHash, ScopeId, StatementId};
use crate::key::SigningKey;
use crate::merkle::chunk_root;
use crate::record::testing::charter;

/// A signed entry after the last of `chain`; `salt` makes two devices with one key write different ones.
pub(in crate::sync) fn entry(
    signer: &SigningKey,
    scope: ScopeId,
    epoch: Epoch,
    chain: &[EntryId],
    salt: u8,
    files: &[[Vec<u8>; 3]],
) -> VerifiedEntry {
    let text = format!("{} {salt} {}", chain.len(), "field ".repeat(20));
    entry_of(signer, scope, epoch, chain, salt, files, text.into_bytes())
}

/// The same, with this content.
pub(in crate::sync) fn entry_of(
    signer: &SigningKey,
    scope: ScopeId,
    epoch: Epoch,
    chain: &[EntryId],
    salt: u8,
    files: &[[Vec<u8>; 3]],
    content: Vec<u8>,
) -> VerifiedEntry {
    let position = match chain.last() {
        Some(prev) => Position::Later { prev: *prev },
        None => Position::First { certificate: StatementId::from_bytes([6; 32]), earlier: Vec::new() },
    };
    let seq = chain.len() as u64;
    let clock = Clock { wall_ms: 1, uptime_ms: seq, boot: [salt; 8], offset_min: 0, source: ClockSource::Device };
    let photos = files.iter().map(photo).collect();
    let context = Context { clock, place: None, post: None, observer: "O. Kovalenko".into(), photos };
    let draft = EntryDraft {
        mission: charter().mission(),
        scope,
        epoch,
        seq,
        position,
        kind: Kind::Change,
        subject: Subject::Creates { writers: Vec::new() },
        body: Body { content: Content::Change(content), context },
        commitment: Some(Commitment { root: [10; 32], form: FormHash::from_bytes([11; 32]) }),
        seen: None,
    };
    draft.sign(signer).expect("a good draft")
}

/// The photo of three files: thumbnail, preview, original. An empty preview was not made.
fn photo([thumbnail, preview, original]: &[Vec<u8>; 3]) -> Photo {
    let rendition = |file: &Vec<u8>| match file.len() {
        0 => RenditionOrReason::Missing(MissingReason::NotDecodable),
        bytes => RenditionOrReason::Rendition(Rendition {
            sha256: BlobHash::of(file),
            bytes: bytes as u64,
            chunks: chunk_root(file),
            width: 1,
            height: 1,
        }),
    };
    Photo {
        sha256: BlobHash::of(original),
        bytes: original.len() as u64,
        chunks: chunk_root(original),
        media: Media::Jpeg,
        width: None,
        height: None,
        thumbnail: rendition(thumbnail),
        preview: rendition(preview),
    }
}

/// A file of `bytes` bytes that no other file begins like.
pub(in crate::sync) fn file(name: u8, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| if at == 0 { name } else { (at * 31 + at / 251) as u8 }).collect()
}
