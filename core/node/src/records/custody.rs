//! Who holds a copy: each word of it rests on a signed receipt over exact heads and hashes.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::id::{BlobHash, EntryId, LogId, StoreId};
use merestone_core::key::PublicKey;
use merestone_core::receipt::Receipt;
use merestone_core::roster::Role;

use crate::capture::photo_files;
use crate::device::{AccessError, Device};

/// Where an entry is held, as far as receipts show it.
///
/// That an entry is *witnessed* (a cosigned checkpoint includes it) is not known to this version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Custody {
    /// How many keys of other devices than this one and base camps signed that a store of theirs holds it with its body.
    /// Keys are certified one by one, while a device may take any number of store ids.
    pub peers: usize,
    /// Whether a base camp did.
    pub is_at_base_camp: bool,
    /// How many of its photos (originals) it names.
    pub photos: usize,
    /// How many of these some other store holds whole, with their renditions.
    pub photos_elsewhere: usize,
    /// How many of these a base camp holds whole, with their renditions.
    pub photos_at_base_camp: usize,
}

impl Custody {
    /// Whether losing this device would lose the entry or a photo of it, as far as receipts show.
    pub fn is_only_here(&self) -> bool {
        (self.peers == 0 && !self.is_at_base_camp) || self.photos_elsewhere < self.photos
    }

    /// Whether a base camp has all of it.
    pub fn is_handed_over(&self) -> bool {
        self.is_at_base_camp && self.photos_at_base_camp == self.photos
    }
}

impl Device {
    /// Where an entry is held besides this device; `None` when this device does not hold it.
    ///
    /// A receipt counts only if the head that it names is held here at its place: otherwise it is not known which entries it
    /// is about. Only the newest receipt of each store and signer counts.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn custody(&self, entry: EntryId) -> Result<Option<Custody>, AccessError> {
        let Some(stored) = self.store.entry(entry)? else { return Ok(None) };
        let own = self.store.identity()?.store;
        let newest = self.newest_receipts(own);
        let mut keys = merestone_core::key::KeyCache::with_capacity(1);
        let photos = self.verified(&stored, &mut keys).and_then(|entry| entry.body().ok().flatten());
        let photos = photos.map(|body| body.context.photos).unwrap_or_default();
        let files: Vec<Vec<BlobHash>> = photos.iter().map(|photo| photo_files(photo).collect()).collect();

        let mut custody = Custody { photos: photos.len(), ..Custody::default() };
        let (mut elsewhere, mut at_camp) = (vec![false; files.len()], vec![false; files.len()]);
        let mut peers = BTreeSet::new();
        for (receipt, is_camp) in &newest {
            if self.attests(receipt, stored.log, stored.seq, entry)? {
                if *is_camp {
                    custody.is_at_base_camp = true;
                } else {
                    peers.insert(*receipt.signer());
                }
            }
            for (at, files) in files.iter().enumerate() {
                let is_held = files.iter().all(|&file| receipt.holds_blob(file));
                elsewhere[at] |= is_held;
                at_camp[at] |= is_held && *is_camp;
            }
        }
        custody.peers = peers.len();
        custody.photos_elsewhere = elsewhere.into_iter().filter(|&held| held).count();
        custody.photos_at_base_camp = at_camp.into_iter().filter(|&held| held).count();
        Ok(Some(custody))
    }

    /// The newest receipt of each other store, and whether a base camp signed it.
    ///
    /// Anybody can write the id of somebody else's store, so a receipt makes way only for one of its own signer.
    pub(super) fn newest_receipts(&self, own: StoreId) -> Vec<(Receipt, bool)> {
        let roster = self.authority.roster();
        let mut newest: BTreeMap<(StoreId, PublicKey), &Receipt> = BTreeMap::new();
        for receipt in roster.receipts().filter(|receipt| receipt.store() != own) {
            let held = newest.entry((receipt.store(), *receipt.signer())).or_insert(receipt);
            if held.counter() < receipt.counter() {
                *held = receipt;
            }
        }
        let role = |receipt: &Receipt| roster.certificate(receipt.certificate()).map(|certificate| certificate.role());
        newest.into_values().map(|receipt| (receipt.clone(), role(receipt) == Some(Role::Camp))).collect()
    }

    /// Whether a receipt shows that its store holds this entry with its body.
    fn attests(&self, receipt: &Receipt, log: LogId, seq: u64, entry: EntryId) -> Result<bool, AccessError> {
        let Some(held) = receipt.log(log) else { return Ok(false) };
        // Which bodies are missing is not said, so that any may be this one.
        if held.missing > 0 || held.height <= seq {
            return Ok(false);
        }
        if held.head == entry {
            return Ok(true);
        }
        let at_head = self.store.ids_at(log, &[held.height - 1])?;
        let is_head_held = at_head.iter().any(|(_, ids)| ids.contains(&held.head));
        let is_forked = self.store.tip(log)?.is_none_or(|tip| tip.branches.is_some());
        Ok(is_head_held && !is_forked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_only_here_until_all_of_it_is_elsewhere_and_handed_over_when_a_camp_has_all() {
        // Peers, at camp, photos, elsewhere, at camp; only here, handed over.
        for (peers, is_at_base_camp, photos, photos_elsewhere, photos_at_base_camp, only_here, handed_over) in [
            (0, false, 0, 0, 0, true, false),
            (2, false, 0, 0, 0, false, false),
            (1, false, 2, 1, 0, true, false),
            (1, false, 2, 2, 0, false, false),
            (0, true, 0, 0, 0, false, true),
            (0, true, 1, 0, 0, true, false),
            (0, true, 3, 3, 1, false, false),
            (0, true, 1, 1, 1, false, true),
        ] {
            let custody = Custody { peers, is_at_base_camp, photos, photos_elsewhere, photos_at_base_camp };
            assert_eq!((custody.is_only_here(), custody.is_handed_over()), (only_here, handed_over), "{custody:?}");
        }
    }
}
