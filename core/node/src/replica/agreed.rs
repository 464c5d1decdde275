//! What was last agreed with a peer, as the store keeps it. What follows from it, the conversation decides.

use merestone_core::cbor::{Kind, Reader, Writer};
use merestone_core::check::Refused;
use merestone_core::id::{LogId, ScopeId, StatementId, StoreId};
use merestone_core::sync::{Agreement, LastAgreement, LocalTip, agreed_digest};
use merestone_link::PeerKey;
use merestone_store::{Batch, LogTip, ReadError, Store};

use super::answer::local_tip;

/// Most scopes of an agreement: as many as a certificate grants.
const SCOPES_MAX: usize = merestone_core::roster::SCOPES_MAX;

/// An agreement, and since which commit of this store it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Agreed {
    agreement: Agreement,
    since: u64,
}

impl Agreed {
    /// What is remembered of a peer. What cannot be read is not remembered: the next conversation is longer.
    pub(super) fn with(store: &Store, peer: PeerKey) -> Option<Self> {
        let value = store.agreement(peer.as_bytes()).ok()??;
        Self::decode(&value).ok()
    }

    /// The agreement, with the logs that changed since; `tips` are all logs of the store, read after it.
    ///
    /// A log of a scope that is not granted any more is nobody's affair here.
    pub(super) fn since(self, tips: &[LogTip], granted: &[ScopeId]) -> LastAgreement {
        let Self { agreement, since } = self;
        let concerns = |tip: &&LogTip| granted.contains(&tip.scope) && agreement.scopes.contains(&tip.scope);
        let changed: Vec<LogId> =
            tips.iter().filter(|tip| tip.changed > since).filter(concerns).map(|tip| tip.log).collect();
        LastAgreement { agreement, changed }
    }

    /// Remembers an agreement, or forgets the one there was. Blocks on the disk.
    ///
    /// The session speaks of what it was told of, and another conversation may have committed since. So the logs are looked
    /// at as they are now: if they are not what was agreed, what was agreed before stays, and is as true as it was.
    pub(super) fn remember(store: &Store, peer: PeerKey, agreement: Option<Agreement>) {
        let value = match agreement {
            None => None,
            Some(agreement) => match Self::now(store, agreement) {
                Ok(Some(agreed)) => Some(agreed.encode()),
                Ok(None) | Err(_) => return,
            },
        };
        let mut batch = Batch::new();
        batch.refetchable().agreement(*peer.as_bytes(), value);
        // Lost without harm.
        let _ = store.commit(batch);
    }

    fn now(store: &Store, agreement: Agreement) -> Result<Option<Self>, ReadError> {
        let tips = all_tips(store)?;
        let since = tips.iter().map(|tip| tip.changed).max().unwrap_or(0);
        let agreed = tips.iter().filter(|tip| agreement.scopes.contains(&tip.scope));
        let agreed: Vec<LocalTip> = agreed.filter_map(local_tip).collect();
        Ok((agreed_digest(agreed) == agreement.digest).then_some(Self { agreement, since }))
    }

    fn encode(&self) -> Vec<u8> {
        let Self { agreement: Agreement { store, scopes, digest, certificate }, since } = self;
        let mut writer = Writer::new();
        writer.array(5).bytes(store.as_bytes()).array(scopes.len());
        scopes.iter().for_each(|scope| _ = writer.bytes(scope.as_bytes()));
        writer.bytes(digest);
        match certificate {
            Some(certificate) => writer.bytes(certificate.as_bytes()),
            None => writer.null(),
        };
        writer.uint(*since);
        writer.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        let what = "agreement";
        let mut reader = Reader::new(bytes);
        reader.array_exact(5, what)?;
        let store = StoreId::from_bytes(reader.array_of(what)?);
        let count = reader.array(SCOPES_MAX, what)?;
        let mut scopes = Vec::with_capacity(count);
        for _ in 0..count {
            scopes.push(ScopeId::from_bytes(reader.array_of(what)?));
        }
        let digest = reader.array_of(what)?;
        let certificate = match reader.peek(what)? {
            Kind::Null => {
                reader.null(what)?;
                None
            }
            _ => Some(StatementId::from_bytes(reader.array_of(what)?)),
        };
        let since = reader.uint(what)?;
        reader.finish(what)?;
        Ok(Self { agreement: Agreement { store, scopes, digest, certificate }, since })
    }
}

/// How far all logs have come, ascending.
pub(super) fn all_tips(store: &Store) -> Result<Vec<LogTip>, ReadError> {
    let mut tips: Vec<LogTip> = Vec::new();
    loop {
        let page = store.tips(None, tips.last().map(|tip| tip.log))?;
        if page.is_empty() {
            return Ok(tips);
        }
        tips.extend(page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agreement_reads_back_and_what_was_cut_off_is_none() {
        for certificate in [None, Some(StatementId::from_bytes([4; 32]))] {
            let agreement = Agreement {
                store: StoreId::from_bytes([1; 16]),
                scopes: vec![ScopeId::from_bytes([2; 8]), ScopeId::from_bytes([3; 8])],
                digest: [5; 32],
                certificate,
            };
            let agreed = Agreed { agreement, since: 1 << 40 };
            let bytes = agreed.encode();
            assert_eq!(Agreed::decode(&bytes), Ok(agreed));
            for end in 0..bytes.len() {
                assert!(Agreed::decode(&bytes[..end]).is_err(), "{end}");
            }
        }
    }
}
