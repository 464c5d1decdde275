//! The first frame of each side, in both versions.

use super::{StatementClass, Wants};
use crate::id::{MissionId, ScopeId, StatementId, StoreId};

/// The first frame of each side in version 1 (`spec/sync-1.md` §Hello).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The version the sender speaks.
    pub version: u64,
    /// The mission.
    pub mission: MissionId,
    /// One of the device's certificates, as bytes.
    pub certificate: Option<Vec<u8>>,
    /// The sender's store.
    pub store: StoreId,
    /// Digest of each class of statements that is not empty.
    pub statements: Vec<(StatementClass, [u8; 32])>,
    /// Digest of each scope that is not empty.
    pub tips: Vec<(ScopeId, [u8; 32])>,
    /// What the sender wants.
    pub wants: Wants,
}

/// The first frame of each side in version 2 (`spec/sync.md` §Hello).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelloV2 {
    /// The mission.
    pub mission: MissionId,
    /// One of the device's certificates.
    pub certificate: Shown,
    /// The sender's store.
    pub store: StoreId,
    /// [`classes_digest`](crate::sync::classes_digest) of the statements held.
    pub statements: [u8; 32],
    /// Root of the digest tree of each scope that is not empty.
    pub tips: Vec<(ScopeId, [u8; 32])>,
    /// What the sender wants.
    pub wants: Wants,
    /// Digest of the blobs held whole, of the classes the sender wants and the scopes it is granted, and how many of
    /// these are missing; `None` where counting them takes long.
    pub blobs: Option<([u8; 32], u64)>,
    /// What the sender remembers as last agreed with the peer.
    pub agreed: Option<[u8; 32]>,
}

/// How a hello shows a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// There is none.
    Nothing,
    /// By its id: the peer held it when the two met last.
    Named(StatementId),
    /// As bytes.
    Whole(Vec<u8>),
}
