//! Keys that a party cuts: its own, and one that is another party's affair.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::entry::LogHead;
use merestone_core::id::{EntryId, LogId, StatementId};
use merestone_core::roster::{Class, CutDraft, CutReason, Role};
use merestone_node::Device;
use merestone_node::office::PartyOffice;

use super::World;
use crate::chance::Chance;
use crate::world::check::{self, Violation, violated};
use crate::world::model::CutMade;

/// Cuts of one key at most.
const CUTS_MAX: usize = 2;

impl World<'_> {
    /// A party cuts the key, at what the device holds of it at which its officer is, or a little below.
    ///
    /// An officer who brings the cut to base camp and another one who brings it to a phone know different heights; the lower
    /// one counts. What a party says of another party's key is refused.
    pub(super) fn cut_key(&mut self, number: usize) -> Result<(), Violation> {
        let number = self.copied().filter(|_| self.chance.once_in(2)).unwrap_or(number);
        let is_foreign = self.chance.once_in(6);
        let uncut = self.sites.iter().filter(|site| site.role != Role::Camp && !site.is_cut).count();
        let key = *self.sites[number].key.as_bytes();
        let cuts = self.model.cuts.iter().filter(|cut| cut.key == key).count();
        let at = if self.chance.once_in(3) { self.chance.below(self.sites.len() as u64) as usize } else { 0 };
        let is_enough = cuts >= CUTS_MAX || (cuts == 0 && uncut < 3 && !is_foreign);
        if is_enough || self.sites[at].is_cut || self.sites[at].key == self.sites[number].key || !self.awake(at)? {
            return Ok(());
        }
        let (owner, count) = (self.sites[number].party, self.mission.roots.len());
        let party = if is_foreign { (owner + 1) % count } else { owner };
        let Some(up) = &self.sites[at].up else { return Ok(()) };
        let Some((kept, names)) = kept(&up.device, key, &mut self.chance) else { return Ok(()) };
        let office = PartyOffice::new(&self.mission.roots[party]);
        let draft = CutDraft { key: &key, kept: &kept, reason: CutReason::Lost, text: None };
        let Ok(cut) = office.cut(&self.mission.charter, &draft) else { return Ok(()) };
        let was_final = self.final_now()?;
        let (made_ms, settled) = (self.time.now_ms(), BTreeSet::new());
        let made = CutMade { id: cut.id(), key, at, made_ms, kept: names, was_final, settled };
        self.arm(at, 12);
        let Some(up) = &self.sites[at].up else { return Ok(()) };
        let is_known = is_kept(&up.device, made.id);
        let is_key_known = up.device.authority().roster().certificates_of(&key).next().is_some();
        let taken = up.device.receive(Class::Cut, &[cut.as_bytes().to_vec()]);
        let _ = up.replica.notify();
        let was_armed = self.sites[at].disk.is_armed() || self.sites[at].is_shaken;
        self.recover(at)?;
        match taken {
            Ok(received) if is_foreign && received.refusal().is_some() => return Ok(()),
            Ok(received) if received.new.len() == 1 && !is_foreign => {}
            Ok(_) if is_foreign => return violated("foreign-cut-refused", "a party cuts the key of another one"),
            Ok(_) if is_known => return Ok(()),
            // Nobody was met here yet who knows this key: the cut waits for its certificate.
            Ok(received) if !is_key_known && received.waiting.len() == 1 => {}
            Ok(_) => return violated("no-fault-no-refusal", "a sound cut of a known key is not taken"),
            Err(_) if was_armed => {}
            Err(error) => return violated("no-fault-no-refusal", format!("a cut is not taken: {error}")),
        }
        // What the officer sees at the device: one that died may have taken the cut before.
        let Some(up) = &self.sites[at].up else { return Ok(()) };
        if is_kept(&up.device, made.id) {
            let names = (self.sites[number].name(), self.sites[at].name());
            self.tell(format!("the key of {} is cut at {}: {:?}", names.0, names.1, made.kept));
            self.tally.cuts += 1;
            self.model.cuts.push(made);
            self.sites.iter_mut().filter(|site| *site.key.as_bytes() == key).for_each(|site| site.is_cut = true);
        }
        Ok(())
    }

    /// Everybody has met: each cut is held, unless the one device it was brought to went back to a copy from before.
    ///
    /// One that is gone so is made again by its party when it hears of the loss; here it was never made.
    pub(super) fn forget_lost_cuts(&mut self) -> Result<(), Violation> {
        let devices: Vec<_> = self.sites.iter().filter_map(|site| Some(&site.up.as_ref()?.device)).collect();
        let is_held = |cut: &CutMade| devices.iter().any(|device| is_kept(device, cut.id));
        let (held, lost): (Vec<_>, Vec<_>) = self.model.cuts.drain(..).partition(is_held);
        self.model.cuts = held;
        for cut in lost {
            if !self.backups.get(&cut.at).is_some_and(|backup| backup.was_restored_since(cut.made_ms)) {
                return violated("statements-survive", format!("nobody holds cut {} any more", cut.id));
            }
            let is_still_cut = self.model.cuts.iter().any(|other| other.key == cut.key);
            self.sites
                .iter_mut()
                .filter(|site| *site.key.as_bytes() == cut.key)
                .for_each(|site| site.is_cut = is_still_cut);
        }
        Ok(())
    }

    /// Everybody has met: whoever lost a key to a cut was told so, and of every cut of it.
    pub(super) fn cut_people_know_it(&self, there: &[usize]) -> Result<(), Violation> {
        for site in there.iter().map(|number| &self.sites[*number]).filter(|site| site.is_cut) {
            let Some(up) = &site.up else { continue };
            let of_it = self.model.cuts.iter().filter(|cut| cut.key == *site.key.as_bytes());
            if let Some(cut) = of_it.into_iter().find(|cut| !is_held(&up.device, cut.id)) {
                return violated("cut-people-know-it", format!("{} was not told of cut {}", site.name(), cut.id));
            }
        }
        Ok(())
    }

    /// A party cuts the key of one of the phones.
    pub(super) fn cut_somebody(&mut self) -> Result<(), Violation> {
        let phones: Vec<usize> =
            self.sites.iter().filter(|site| site.role != Role::Camp).map(|site| site.number).collect();
        let Some(number) = self.chance.pick(&phones).copied() else { return Ok(()) };
        self.cut_key(number)
    }

    /// A device of which there are two.
    fn copied(&self) -> Option<usize> {
        self.sites.iter().find_map(|site| site.cloned_from)
    }
}

fn is_held(device: &Device, cut: StatementId) -> bool {
    device.authority().roster().holds(Class::Cut, cut)
}

/// Whether a device has a cut, be it one that waits for the certificate of the key.
fn is_kept(device: &Device, cut: StatementId) -> bool {
    let roster = device.authority().roster();
    roster.holds(Class::Cut, cut) || roster.waits(Class::Cut, cut)
}

/// The last entry that a cut keeps of each log, and its seq.
type Kept = BTreeMap<LogId, (u64, EntryId)>;

/// What a cut of the key keeps: in each log an entry at the end of a branch that is held, or a little below.
fn kept(device: &Device, key: [u8; 32], chance: &mut Chance) -> Option<(Vec<LogHead>, Kept)> {
    let (mut kept, mut names) = (Vec::new(), BTreeMap::new());
    for tip in check::tips(device).ok()?.iter().filter(|tip| tip.key == key) {
        let below = if chance.once_in(4) { 5 } else { 2 };
        let Some(seq) = tip.height.checked_sub(1 + chance.below(below)) else { continue };
        let ids = device.store().ids_at(tip.log, &[seq]).ok()?;
        let Some(id) = ids.first().and_then(|(_, ids)| chance.pick(ids)).copied() else { continue };
        kept.push(LogHead { scope: tip.scope, epoch: tip.epoch, seq, id });
        names.insert(tip.log, (seq, id));
    }
    Some((kept, names))
}
