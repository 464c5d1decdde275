//! What was last agreed with a peer, as the store keeps it, and how much there is to say since. What follows from it, the
//! conversation decides.

use merestone_core::cbor::{Kind, Reader, Writer};
use merestone_core::check::Refused;
use merestone_core::id::{LogId, ScopeId, StatementId, StoreId};
use merestone_core::sync::frame::BlobClass;
use merestone_core::sync::{Agreement, LastAgreement, LocalTip, agreed_digest};
use merestone_link::PeerKey;
use merestone_store::{Batch, LogTip, ReadError, Store};

use super::Shared;
use super::answer::{local_tip, stored_blob_class};

/// Most scopes of an agreement: as many as a certificate grants.
const SCOPES_MAX: usize = merestone_core::roster::CERTIFICATE_SCOPES_MAX;

/// Entries whose transfer is long enough for larger datagrams to win back what their discovery costs: 200 bytes each, of
/// which 3 % are saved, for some 13 kB of probes and what is said to them.
const MANY_ENTRIES: u64 = 2_000;

/// An agreement, and since which commit of this store it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Agreed {
    agreement: Agreement,
    since: u64,
    held: Held,
}

/// What was held of the scopes that this device's certificate grants, when something was agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    entries: u64,
    /// Digest of the photos held, of all classes.
    blobs: [u8; 32],
    blobs_missing: u64,
}

/// Whether the next meeting with a peer may carry much, as far as this side can know: photos, or thousands of entries.
///
/// Wrong at little harm: what the peer has to say is not known here.
pub(super) fn expects_much(shared: &Shared, peer: PeerKey) -> bool {
    let Some(agreed) = Agreed::with(&shared.store, peer) else { return true };
    // A store that cannot be read says so to the conversation.
    let tips: Result<Vec<LogTip>, ReadError> = shared.store.each_tip(None).collect();
    let Ok(now) = tips.and_then(|tips| Held::now(shared, &tips)) else { return true };
    now.is_much_more_than(&agreed.held)
}

impl Held {
    fn now(shared: &Shared, tips: &[LogTip]) -> Result<Self, ReadError> {
        let scopes = shared.certificate().map_or_else(Vec::new, |held| held.scopes().to_vec());
        let entries = tips.iter().filter(|tip| scopes.contains(&tip.scope)).map(|tip| tip.height).sum();
        // Counted in the same way when a conversation with everything wanted begins, so seldom counted here.
        let census = shared.counted.census(&shared.store, &scopes, &BlobClass::ALL.map(stored_blob_class))?;
        Ok(Self { entries, blobs: census.digest, blobs_missing: census.missing })
    }

    fn is_much_more_than(&self, before: &Self) -> bool {
        let is_photo_new = self.blobs != before.blobs || self.blobs_missing > 0;
        is_photo_new || self.entries > before.entries.saturating_add(MANY_ENTRIES)
    }
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
        let Self { agreement, since, held: _ } = self;
        let concerns = |tip: &&LogTip| granted.contains(&tip.scope) && agreement.scopes.contains(&tip.scope);
        let changed: Vec<LogId> =
            tips.iter().filter(|tip| tip.changed > since).filter(concerns).map(|tip| tip.log).collect();
        LastAgreement { agreement, changed }
    }

    /// Remembers an agreement, or forgets the one there was. Blocks on the disk.
    ///
    /// The session speaks of what it was told of, and another conversation may have committed since. So the logs are looked
    /// at as they are now: if they are not what was agreed, what was agreed before stays, and is as true as it was.
    pub(super) fn remember(shared: &Shared, peer: PeerKey, agreement: Option<Agreement>) {
        let value = match agreement {
            None => None,
            Some(agreement) => match Self::now(shared, agreement) {
                Ok(Some(agreed)) => Some(agreed.encode()),
                Ok(None) | Err(_) => return,
            },
        };
        let mut batch = Batch::new();
        batch.refetchable().agreement(*peer.as_bytes(), value);
        // Lost without harm.
        let _ = shared.store.commit(batch);
    }

    fn now(shared: &Shared, agreement: Agreement) -> Result<Option<Self>, ReadError> {
        let tips = shared.store.each_tip(None).collect::<Result<Vec<_>, _>>()?;
        let since = tips.iter().map(|tip| tip.changed).max().unwrap_or(0);
        let agreed = tips.iter().filter(|tip| agreement.scopes.contains(&tip.scope));
        let agreed: Vec<LocalTip> = agreed.filter_map(local_tip).collect();
        if agreed_digest(agreed) != agreement.digest {
            return Ok(None);
        }
        Ok(Some(Self { agreement, since, held: Held::now(shared, &tips)? }))
    }

    fn encode(&self) -> Vec<u8> {
        let Self { agreement: Agreement { store, scopes, digest, certificate }, since, held } = self;
        let mut writer = Writer::new();
        writer.array(8).bytes(store.as_bytes()).array(scopes.len());
        scopes.iter().for_each(|scope| _ = writer.bytes(scope.as_bytes()));
        writer.bytes(digest);
        match certificate {
            Some(certificate) => writer.bytes(certificate.as_bytes()),
            None => writer.null(),
        };
        writer.uint(*since).uint(held.entries).bytes(&held.blobs).uint(held.blobs_missing);
        writer.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        let what = "agreement";
        let mut reader = Reader::new(bytes);
        reader.array_exact(8, what)?;
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
        let (entries, blobs) = (reader.uint(what)?, reader.array_of(what)?);
        let held = Held { entries, blobs, blobs_missing: reader.uint(what)? };
        reader.finish(what)?;
        Ok(Self { agreement: Agreement { store, scopes, digest, certificate }, since, held })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Held = Held { entries: 10_000, blobs: [6; 32], blobs_missing: 0 };

    #[test]
    fn a_few_entries_are_little_and_a_photo_or_thousands_of_entries_are_much() {
        assert!(!HELD.is_much_more_than(&HELD));
        assert!(!Held { entries: 10_100, ..HELD }.is_much_more_than(&HELD));
        assert!(Held { entries: 20_000, ..HELD }.is_much_more_than(&HELD));
        assert!(Held { blobs: [7; 32], ..HELD }.is_much_more_than(&HELD));
        let lacking = Held { blobs_missing: 1, ..HELD };
        assert!(lacking.is_much_more_than(&lacking), "the peer may have it by now");
    }

    #[test]
    fn an_agreement_reads_back_and_what_was_cut_off_is_none() {
        for certificate in [None, Some(StatementId::from_bytes([4; 32]))] {
            let agreement = Agreement {
                store: StoreId::from_bytes([1; 16]),
                scopes: vec![ScopeId::from_bytes([2; 8]), ScopeId::from_bytes([3; 8])],
                digest: [5; 32],
                certificate,
            };
            let agreed = Agreed { agreement, since: 1 << 40, held: HELD };
            let bytes = agreed.encode();
            assert_eq!(Agreed::decode(&bytes), Ok(agreed));
            for end in 0..bytes.len() {
                assert!(Agreed::decode(&bytes[..end]).is_err(), "{end}");
            }
        }
    }
}
