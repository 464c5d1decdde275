//! Amendments of the charter: parties add scopes, and now and then agree to two things that exclude each other.

use std::sync::Arc;

use merestone_core::id::{ScopeId, StatementId, sha256};
use merestone_core::key::SigningKey;
use merestone_core::roster::{
    Certificate, Changes, Class, CompleteCharter, EnrolmentRequest, ProposedAmendment, RequestDraft, Role, Scope,
};

use super::World;
use crate::world::check::{Violation, violated};

/// Amendments of a world at most.
const AMENDMENTS_MAX: usize = 3;

impl World<'_> {
    /// All parties agree to another scope, and somebody is certified in it; the two come to different devices.
    ///
    /// Of several amendments a later one builds on the one before, or, against the rules, on the same charter.
    pub(super) fn amend(&mut self) -> Result<(), Violation> {
        let count = self.amended.len();
        if count >= AMENDMENTS_MAX {
            return Ok(());
        }
        let founded = Arc::new(self.mission.charter.clone());
        let charter = match self.amended.last() {
            Some(_) if self.chance.once_in(3) => founded,
            Some(amended) => Arc::clone(amended),
            None => founded,
        };
        let number = u8::try_from(count).unwrap_or(u8::MAX);
        let scope = Scope { id: ScopeId::from_bytes([0x80 + number; 8]), name: format!("Scope {number}") };
        let id = scope.id;
        let amendment = self.agreed(&charter, Changes { scopes: vec![scope], ..Changes::default() });
        let (bytes, amended) = match amendment {
            Ok(agreed) => agreed,
            Err(error) => return violated("parties-may-amend", error),
        };
        let Some(at) = self.bring(Class::Amendment, &bytes)? else { return Ok(()) };
        let text = format!("an amendment comes to {}", self.sites[at].name());
        self.tell(text);
        let certificate = member(&amended, &self.mission.roots[count % 3], number, id);
        if let Some(at) = self.bring(Class::Certificate, certificate.as_bytes())? {
            let text = format!("a certificate under it comes to {}", self.sites[at].name());
            self.tell(text);
        }
        self.amended.push(amended);
        self.tally.amendments += 1;
        Ok(())
    }

    /// Nothing waits where what it waits for is held, and rivals are in force nowhere.
    pub(super) fn nothing_waits_in_vain(&self, there: &[usize]) -> Result<(), Violation> {
        for site in there.iter().map(|number| &self.sites[*number]).filter(|site| !site.is_cut) {
            let Some(up) = &site.up else { continue };
            let roster = up.device.authority().roster().clone();
            for (class, id, bytes, _) in roster.waiting() {
                let mut again = roster.clone();
                if again.admit(class, bytes).is_ok() {
                    let found = format!("{}: {class:?} {id} waits and would hold", site.name());
                    return violated("nothing-waits-in-vain", found);
                }
            }
            let mut named: Vec<_> = roster.amendments().map(|held| (held.predecessor(), held.amended().id())).collect();
            named.sort_unstable();
            named.dedup();
            let has_rivals = named.windows(2).any(|two| two[0].0 == two[1].0);
            let chain = roster.amendments_in_force().len();
            if has_rivals != roster.frozen().is_some() || (!has_rivals && chain != named.len()) {
                let found = format!("{}: {} amendments, {chain} in force", site.name(), named.len());
                return violated("charter-as-agreed", found);
            }
        }
        Ok(())
    }

    fn agreed(
        &self,
        charter: &Arc<CompleteCharter>,
        changes: Changes,
    ) -> Result<(Vec<u8>, Arc<CompleteCharter>), String> {
        let [first, others @ ..] = &self.mission.roots;
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let mut proposed = ProposedAmendment::begin(charter, first, &changes).map_err(|error| said(&error))?;
        for root in others {
            proposed.sign(root).map_err(|error| said(&error))?;
        }
        let amendment = proposed.complete().map_err(|refused| said(&refused))?;
        Ok((amendment.as_bytes().to_vec(), Arc::clone(amendment.amended())))
    }

    /// Brings a statement to any device, which holds it from then on or lets it wait; `None` if nobody could take it.
    fn bring(&mut self, class: Class, bytes: &[u8]) -> Result<Option<usize>, Violation> {
        let at = self.chance.below(self.sites.len() as u64) as usize;
        if self.sites[at].is_cut || !self.awake(at)? {
            return Ok(None);
        }
        self.arm(at, 12);
        let Some(up) = &self.sites[at].up else { return Ok(None) };
        let taken = up.device.receive(class, &[bytes.to_vec()]);
        let _ = up.replica.notify();
        let was_armed = self.sites[at].disk.is_armed() || self.sites[at].is_shaken;
        let said = taken.map(|received| received.refused.first().copied()).map_err(|error| error.to_string());
        self.recover(at)?;
        match said {
            Ok(None) => Ok(self.sites[at].up.as_ref().filter(|up| is_kept(&up.device, class, bytes)).map(|_| at)),
            Ok(Some((_, refused))) => {
                violated("no-fault-no-refusal", format!("a sound {class:?} is refused: {refused}"))
            }
            Err(_) if was_armed => Ok(None),
            Err(error) => violated("no-fault-no-refusal", format!("a {class:?} is not taken: {error}")),
        }
    }
}

fn is_kept(device: &merestone_node::Device, class: Class, bytes: &[u8]) -> bool {
    let (roster, id): (_, StatementId) = (device.authority().roster(), class.id_of(bytes));
    roster.holds(class, id) || roster.waits(class, id)
}

/// The certificate of somebody who has no device yet, in one scope.
fn member(charter: &CompleteCharter, root: &SigningKey, number: u8, scope: ScopeId) -> Certificate {
    let [key, transport] = [b"member", b"phone!"].map(|of| SigningKey::from_seed(&sha256(&[of.as_slice(), &[number]])));
    let draft = RequestDraft {
        mission: charter.mission(),
        transport: *transport.public().as_bytes(),
        observer: "Member",
        device: "Phone",
        nonce: [number; 8],
        attestation: None,
        replaces: None,
    };
    let request = EnrolmentRequest::make(&draft, &key).expect("a request that keeps the rules");
    Certificate::issue(charter, root, &request, Role::Observer, &[scope]).expect("a party certifies its own")
}
