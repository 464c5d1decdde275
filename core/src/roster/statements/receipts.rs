//! Which receipts are kept: they make way for later ones (`spec/sync.md`, Receipt limits).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Admitted, Roster};
use crate::check::{Policy, Refused};
use crate::id::{StatementId, StoreId};
use crate::key::PublicKey;
use crate::receipt::Receipt;

/// Most stores of one signer of which receipts are kept.
///
/// A device has one, and another after each restore from a copy; but it may write any store id.
pub const RECEIPT_STORES_MAX: usize = 16;

/// Most receipts of one signer and store that are kept, none of which covers another.
///
/// A store that only grows has one; each beyond it shows that the store lost something.
pub const RECEIPTS_OF_STORE_MAX: usize = 4;

impl Roster {
    pub(super) fn admit_receipt<P: Policy>(&mut self, bytes: &[u8], policy: P) -> Result<Admitted, Refused> {
        let receipt = Receipt::verify_under(bytes, self, policy)?;
        let id = receipt.id();
        if self.receipts.values().any(|held| held.covers(&receipt)) {
            return Ok(Admitted::Known(id));
        }
        let signer = *receipt.signer();
        self.receipts.retain(|_, held| !receipt.covers(held));
        self.receipts.insert(id, Arc::new(receipt));
        for old in self.receipts_too_many(&signer) {
            self.receipts.remove(&old);
        }
        Ok(if self.receipts.contains_key(&id) { Admitted::New(id) } else { Admitted::Known(id) })
    }

    /// The receipts of a signer beyond its newest stores, and beyond the newest of each store.
    fn receipts_too_many(&self, signer: &PublicKey) -> Vec<StatementId> {
        let mut stores: BTreeMap<StoreId, Vec<(Reverse<u64>, StatementId)>> = BTreeMap::new();
        for held in self.receipts.values().filter(|held| held.signer() == signer) {
            stores.entry(held.store()).or_default().push((Reverse(held.counter()), held.id()));
        }
        stores.values_mut().for_each(|receipts| receipts.sort_unstable());
        let mut stores: Vec<_> = stores.into_iter().collect();
        // Ids of stores ascend, and the sort is stable.
        stores.sort_by_key(|(_, receipts)| receipts.first().map(|(counter, _)| *counter));
        let kept = |at: usize| if at < RECEIPT_STORES_MAX { RECEIPTS_OF_STORE_MAX } else { 0 };
        let beyond = stores.into_iter().enumerate().flat_map(|(at, (_, receipts))| receipts.into_iter().skip(kept(at)));
        beyond.map(|(_, id)| id).collect()
    }
}
