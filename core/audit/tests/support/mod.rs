//! Small bags, made through core's own drafts, and the forger's tools.

#![allow(dead_code, unused_imports, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

mod bag;
mod device;
mod ledger;
mod mission;
mod scene;

pub(crate) use bag::{Bag, Disk, item, log_path, raw_item};
pub(crate) use device::{Device, Made};
pub(crate) use ledger::{checkpoint, cosign, cosignature_leaves, cosigned, everybody, put_leaves, put_note};
use merestone_audit::{Code, Finding, Report};
use merestone_core::entry::{Media, MissingReason, Photo, Rendition, RenditionOrReason};
use merestone_core::form::{FormDefinition, Leaf, Shape};
use merestone_core::id::{BlobHash, ScopeId};
use merestone_core::key::SigningKey;
use merestone_core::merkle::chunk_root;
pub(crate) use mission::{Mission, Plan, ledger_key, witness_key};
pub(crate) use scene::Scene;

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

pub(crate) fn scope() -> ScopeId {
    ScopeId::from_bytes([1; 8])
}

/// A scope of the charter in which nobody is enrolled.
pub(crate) fn other_scope() -> ScopeId {
    ScopeId::from_bytes([2; 8])
}

pub(crate) fn form() -> FormDefinition {
    let leaf = |name: &str, shape| Leaf { name: name.into(), shape };
    FormDefinition {
        kind: "inspection".into(),
        title: "Inspection".into(),
        version: "1".into(),
        leaves: vec![
            leaf("post_state", Shape::Answer),
            leaf("count_best", Shape::Answer),
            leaf("note", Shape::Answer),
            leaf("source", Shape::Answer),
            leaf("source_licence", Shape::Answer),
            leaf("photos", Shape::Repeat),
        ],
        source: None,
        must: Vec::new(),
    }
}

pub(crate) fn photo(original: &[u8], thumbnail: &[u8]) -> Photo {
    Photo {
        sha256: BlobHash::of(original),
        bytes: original.len() as u64,
        chunks: chunk_root(original),
        media: Media::Jpeg,
        width: None,
        height: None,
        thumbnail: RenditionOrReason::Rendition(Rendition {
            sha256: BlobHash::of(thumbnail),
            bytes: thumbnail.len() as u64,
            chunks: chunk_root(thumbnail),
            width: 8,
            height: 8,
        }),
        preview: RenditionOrReason::Missing(MissingReason::NotDecodable),
    }
}

/// Bytes in the place of a rendition; nobody decodes them.
pub(crate) fn tiny_jpeg() -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0];
    bytes.extend([0x11; 60]);
    bytes.extend([0xff, 0xd9]);
    bytes
}

/// The findings of a code.
pub(crate) fn with_code(report: &Report, code: impl Into<Code>) -> Vec<Finding> {
    let code = code.into();
    report.findings().into_iter().filter(|finding| finding.code == code).collect()
}

/// The codes found that are no notes.
pub(crate) fn serious(report: &Report) -> Vec<&'static str> {
    let mut codes: Vec<&str> = report
        .findings()
        .iter()
        .filter(|finding| finding.weight != merestone_audit::Weight::Note)
        .map(|finding| finding.code.as_str())
        .collect();
    codes.dedup();
    codes
}
