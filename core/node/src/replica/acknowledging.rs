//! What a device says of other parties' cuts: that it holds them (`spec/roster.md`, Acknowledgement).

use merestone_core::id::StatementId;
use merestone_core::roster::{Class, CutBy, Roster};
use merestone_store::CommitError;

use super::{ReceiptKey, Shared};

/// Acknowledgements of one party about the cuts of another after which a device adds none.
///
/// A quarter of what may be held of them, because devices that have not met yet say the same.
const ACKNOWLEDGED_MAX: usize = 1_024;

impl Shared {
    /// Says that this device holds the cuts of other parties of which nobody of its own party said so.
    pub(super) fn acknowledge(&self) -> Result<(), CommitError> {
        let Some(key) = &self.receipts else { return Ok(()) };
        let (unsaid, roster) = {
            let roster = self.authority.roster();
            let unsaid = unsaid(&roster, key);
            if unsaid.is_empty() {
                return Ok(());
            }
            (unsaid, roster.clone())
        };
        // A keystore may wait for a person: nobody waits for the roster meanwhile.
        let made = unsaid.into_iter().filter_map(|cut| key.acknowledge(&roster, cut).ok());
        let made: Vec<Vec<u8>> = made.map(|made| made.as_bytes().to_vec()).collect();
        if !made.is_empty() {
            self.take_up(Class::Acknowledgement, &made, None)?;
        }
        Ok(())
    }
}

/// The cuts of other parties that nobody of this key's party acknowledged; none if the key itself is cut.
fn unsaid(roster: &Roster, key: &ReceiptKey) -> Vec<StatementId> {
    let Some(own) = roster.certificate(key.certificate()) else { return Vec::new() };
    let party = own.party();
    if !own.role().grants_acknowledgements() {
        return Vec::new();
    }
    if roster.cuts_of(own.key().as_bytes()).any(|cut| cut.by().parties().contains(&party)) {
        return Vec::new();
    }
    let mut said = std::collections::BTreeMap::new();
    for of in roster.acknowledgements().filter(|held| held.party() == party).map(|held| held.of()) {
        *said.entry(of).or_insert(0) += 1;
    }
    let mut unsaid = Vec::new();
    for cut in roster.cuts() {
        let CutBy::Party(of) = cut.by() else { continue };
        let count = said.entry(*of).or_insert(0);
        let is_said = || roster.acknowledgements_of(cut.id()).any(|held| held.party() == party);
        if *of != party && *count < ACKNOWLEDGED_MAX && !is_said() {
            *count += 1;
            unsaid.push(cut.id());
        }
    }
    unsaid
}
