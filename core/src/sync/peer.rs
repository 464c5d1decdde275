//! Who the peer is, as far as its hello shows (`spec/sync.md` §Hello).

use std::collections::BTreeSet;

use super::close::{Close, CloseCode};
use super::config::{CutKey, SessionConfig};
use super::frame::{StatementClass, Wants};
use crate::id::{MissionId, ScopeId, StatementId, StoreId};
use crate::key::KeyCache;
use crate::roster::Certificate;

/// What a hello of either version says about who speaks.
#[derive(Debug)]
pub(super) struct Introduction {
    pub(super) mission: MissionId,
    pub(super) certificate: Option<Vec<u8>>,
    pub(super) store: StoreId,
    pub(super) wants: Wants,
}

/// A peer with a certificate.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) certificate: Certificate,
    pub(super) store: StoreId,
    pub(super) wants: Wants,
    /// Scopes that both certificates grant, ascending.
    pub(super) scopes: Vec<ScopeId>,
    /// The cuts of its key, and what shows what they leave; not empty: it may send, and receives these and what its sending
    /// needs.
    pub(super) cuts: BTreeSet<(StatementClass, StatementId)>,
}

impl Peer {
    /// The peer that `hello` shows; `None` if one of the two sides has no certificate that this side can check.
    pub(super) fn judge(config: &SessionConfig, hello: &Introduction, cuts: &[CutKey]) -> Result<Option<Self>, Close> {
        if hello.mission != config.mission {
            return Err(Close::new(CloseCode::MissionMismatch, "mission"));
        }
        let (Some(charter), Some(bytes)) = (&config.charter, &hello.certificate) else { return Ok(None) };
        let Ok(certificate) = Certificate::verify(bytes, charter, &mut KeyCache::with_capacity(2)) else {
            return Ok(None);
        };
        if *certificate.request().transport() != config.peer_transport {
            return Err(Close::new(CloseCode::PeerTransportKey, "transport key"));
        }
        let Some(own) = &config.certificate else { return Ok(None) };
        let shared = own.scopes().iter().filter(|scope| certificate.scopes().binary_search(scope).is_ok());
        let scopes = shared.copied().collect();
        let mut peer = Self { certificate, store: hello.store, wants: hello.wants, scopes, cuts: BTreeSet::new() };
        peer.learn(cuts);
        Ok(Some(peer))
    }

    /// Takes notice of cuts. Whether one is of the peer's key and was not known.
    pub(super) fn learn(&mut self, cuts: &[CutKey]) -> bool {
        let before = self.cuts.len();
        for cut in cuts {
            let is_its = cut.key == *self.certificate.key().as_bytes() && cut.party == self.certificate.party();
            if is_its {
                self.cuts.insert((cut.class, cut.statement));
            }
        }
        self.cuts.len() > before
    }

    pub(super) fn is_cut(&self) -> bool {
        !self.cuts.is_empty()
    }
}
