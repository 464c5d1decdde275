//! What becomes of other statements when another charter is in force, or when what they rest on comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::certificate::Certificate;
use super::super::class::Class;
use super::super::cut::Cut;
use super::waiting::Kept;
use super::{Admitted, FOREIGN_KEY, Roster};
use crate::check::{Check, Policy, Refused};
use crate::id::StatementId;
use crate::key::{KEY_BYTES, KeyCache};

impl Roster {
    pub(super) fn add_amendment<P: Policy>(&mut self, bytes: &[u8], policy: P) -> Result<(), Refused> {
        let amendment = self.amendments.verify(bytes, policy)?;
        self.amendments.add(amendment, policy)
    }

    /// Takes in what waited for an amendment that came, and judges everything again if another charter is in force now.
    pub(super) fn follow_amendments<P: Policy>(&mut self, policy: P) {
        while self.take_in_waiting(policy) {}
        let (charter, frozen) = self.amendments.in_force();
        if charter.id() == self.charter.id() {
            self.frozen = frozen;
            return;
        }
        let mut next = Self::of(self.amendments.clone());
        let mut all: Vec<_> = self.all().into_iter().collect();
        // What held comes before what waited: a signer's limit takes away nothing that was relied on.
        all.sort_by_key(|((class, id), kept)| (*class, !kept.did_hold, *id));
        for ((class, id), Kept { bytes, did_hold, .. }) in all {
            // Planted: what waited is not judged again.
            #[cfg(planted)]
            if crate::planted::is("not-judged-again") && !did_hold {
                let refused = Refused { check: Check::CertificateScope, what: "scopes" };
                next.keep_waiting(class, &bytes, refused);
                continue;
            }
            match next.judge(class, id, &bytes, policy) {
                Ok(Admitted::New(_) | Admitted::Known(_)) => {}
                Err(refused) => {
                    next.note_rival(class, &bytes, policy);
                    match did_hold {
                        true => next.waiting.keep_former(class, id, bytes, refused),
                        false => next.keep_waiting(class, &bytes, refused),
                    }
                }
            }
        }
        *self = next;
    }

    /// Keeps a statement that was refused, if that may change.
    pub(super) fn keep_waiting(&mut self, class: Class, bytes: &[u8], refused: Refused) {
        let room = match refused.what {
            FOREIGN_KEY if class == Class::Cut => {
                // Only a sound cut is refused so.
                let cut = Cut::verify(bytes, &self.charter, &mut KeyCache::with_capacity(2)).ok();
                cut.map(|cut| self.roots(cut.by().parties()))
            }
            _ => None,
        };
        self.waiting.keep(class, bytes, refused, room);
    }

    /// Takes in what waited for a statement that is new: of a certificate what names it or its key, of a cut likewise.
    pub(super) fn let_in<P: Policy>(&mut self, class: Class, id: StatementId, policy: P) {
        // Planted: nothing is let in.
        #[cfg(planted)]
        if crate::planted::is("nothing-let-in") {
            return;
        }
        let mut new = vec![(class, id)];
        while let Some((class, id)) = new.pop() {
            let Some(key) = self.key_named(class, id) else { continue };
            for (class, id, bytes) in self.waiting.naming(class, &[key, *id.as_bytes()]) {
                if self.judge(class, id, &bytes, policy).is_ok() {
                    self.waiting.remove(class, id);
                    new.push((class, id));
                }
            }
        }
    }

    /// The key that a certificate certifies or a cut ends; other statements let nothing in.
    fn key_named(&self, class: Class, id: StatementId) -> Option<[u8; KEY_BYTES]> {
        match class {
            Class::Certificate => Some(*self.certificates.get(&id)?.key().as_bytes()),
            Class::Cut => Some(*self.cuts.get(&id)?.key()),
            _ => None,
        }
    }

    /// Remembers the key of a certificate that holds under a charter which only a rival keeps out of force: entries of such a
    /// key are no stranger's.
    pub(super) fn note_rival<P: Policy>(&mut self, class: Class, bytes: &[u8], policy: P) {
        if class != Class::Certificate || self.frozen.is_none() {
            return;
        }
        let keys = &mut KeyCache::with_capacity(2);
        let mut charters = self.amendments.charters();
        let verified = charters.find_map(|charter| Certificate::verify_under(bytes, charter, keys, policy).ok());
        drop(charters);
        self.rival_keys.extend(verified.map(|certificate| *certificate.key().as_bytes()));
    }

    /// Adds the amendments that waited for one that is held now; whether there were any.
    fn take_in_waiting<P: Policy>(&mut self, policy: P) -> bool {
        let amendments = self.waiting.iter().filter(|(class, _, _)| *class == Class::Amendment);
        let waiting: Vec<(StatementId, Arc<[u8]>)> =
            amendments.map(|(_, id, kept)| (id, Arc::clone(&kept.bytes))).collect();
        let mut is_news = false;
        for (id, bytes) in waiting {
            if self.add_amendment(&bytes, policy).is_ok() {
                self.waiting.remove(Class::Amendment, id);
                is_news = true;
            }
        }
        is_news
    }

    /// Everything but charter and amendments, held or waiting, in the order of the classes.
    fn all(&self) -> BTreeMap<(Class, StatementId), Kept> {
        let refused = Refused { check: Check::AmendmentPredecessor, what: "charter" };
        let mut all: BTreeMap<_, _> =
            self.waiting.iter().map(|(class, id, kept)| ((class, id), kept.clone())).collect();
        for class in Class::ALL.into_iter().filter(|class| !matches!(class, Class::Charter | Class::Amendment)) {
            for id in self.ids(class) {
                let bytes = self.bytes(class, id).unwrap_or_default().into();
                all.insert((class, id), Kept::former(bytes, refused));
            }
        }
        all
    }
}
