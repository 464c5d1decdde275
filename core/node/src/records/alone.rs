//! What would be lost with this device: for whoever hands it in.

use merestone_core::receipt::Receipt;
use merestone_store::{BlobClass, LogTip, PAGE_LINKS_MAX};

use crate::device::{AccessError, Device};

/// What is held here and, as far as receipts show it, nowhere else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldAlone {
    /// Entries of which no other store signed that it holds them.
    pub entries: u64,
    /// Entries of which no base camp did.
    pub entries_not_at_camp: u64,
    /// Originals that no other store signed for.
    pub photos: u64,
    /// Originals that no base camp did.
    pub photos_not_at_camp: u64,
}

impl Device {
    /// What would be lost with this device. Whoever's work it is counts: a device carries what others wrote, too.
    ///
    /// Rests on the same receipts as [`custody`](Self::custody), for all logs and photos in one go. Of a forked log all entries
    /// count but the heads that were signed for: a receipt does not say which branch is below.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn held_alone(&self) -> Result<HeldAlone, AccessError> {
        let receipts = self.newest_receipts(self.store.identity()?.store);
        let mut alone = HeldAlone::default();
        for tip in self.store.each_tip(None) {
            let tip = tip?;
            let held = self.entries_held(&tip)?;
            let (mut anywhere, mut at_camp) = (0, 0);
            for (receipt, is_camp) in &receipts {
                let shown = self.entries_attested(receipt, &tip)?;
                anywhere = shown.max(anywhere);
                at_camp = if *is_camp { shown.max(at_camp) } else { at_camp };
            }
            alone.entries += held.saturating_sub(anywhere);
            alone.entries_not_at_camp += held.saturating_sub(at_camp);
        }
        let scopes: Vec<_> = self.charter().charter().scopes.iter().map(|scope| scope.id).collect();
        for photo in self.store.blob_census(&scopes, &[BlobClass::Original])?.whole {
            let of = |is_enough: fn(bool) -> bool| {
                receipts.iter().any(|(receipt, is_camp)| is_enough(*is_camp) && receipt.holds_blob(photo))
            };
            alone.photos += u64::from(!of(|_| true));
            alone.photos_not_at_camp += u64::from(!of(|is_camp| is_camp));
        }
        Ok(alone)
    }

    fn entries_held(&self, tip: &LogTip) -> Result<u64, AccessError> {
        if tip.branches.is_none() && tip.top == tip.height {
            return Ok(tip.height);
        }
        let (mut count, mut from) = (0, 0);
        loop {
            let links = self.store.links(tip.log, from, PAGE_LINKS_MAX)?;
            let Some(last) = links.last() else { return Ok(count) };
            count += links.len() as u64;
            from = last.seq + 1;
        }
    }

    /// How many entries of a log a receipt shows to be held with their bodies.
    fn entries_attested(&self, receipt: &Receipt, tip: &LogTip) -> Result<u64, AccessError> {
        let Some(held) = receipt.log(tip.log).filter(|held| held.missing == 0 && held.height > 0) else { return Ok(0) };
        let is_main_head = tip.head == Some(held.head) && tip.height == held.height;
        let is_head_held = is_main_head
            || self.store.ids_at(tip.log, &[held.height - 1])?.iter().any(|(_, ids)| ids.contains(&held.head));
        Ok(match (is_head_held, tip.branches) {
            (false, _) => 0,
            (true, None) => held.height,
            (true, Some(_)) => 1,
        })
    }
}
