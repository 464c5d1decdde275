//! Whether this store has everything that its ledger's key ever signed.
//!
//! A store that was restored from a copy, and a key that was given to a new machine, may lack leaves that were signed. No
//! rule inside the store can see that. The witnesses can: what a quorum of them cosigned last holds whatever any final
//! checkpoint held, since two quorums share an honest party.

use std::collections::BTreeSet;

use merestone_core::roster::PartyNumber;
use merestone_core::witness::Witnesses;
use merestone_store::{Batch, Store};

use super::super::Shared;
use super::LedgerError;

/// The id of the store for which a quorum of witnesses confirmed that nothing is lost; a restored store has another id.
const CONFIRMED: &str = "node/ledger-confirmed";

/// What is known of that.
#[derive(Debug)]
pub(super) struct Confirming {
    /// Parties whose witnesses must confirm; 0 in a mission without witnesses, whose ledger nobody could ask about.
    needed: usize,
    is_confirmed: bool,
    heard: BTreeSet<PartyNumber>,
    /// Most leaves that a witness says it cosigned.
    told: u64,
}

impl Confirming {
    /// As the store has it.
    pub(super) fn open(shared: &Shared) -> Result<Self, LedgerError> {
        let roster = shared.authority.roster();
        let quorum = Witnesses::of(roster.charter().charter()).map(|witnesses| witnesses.quorum());
        // Where nothing is ever final all there are must do.
        let needed = quorum.map_or(0, |quorum| quorum.last.min(quorum.parties));
        let known = shared.store.setting(CONFIRMED)?;
        let store = shared.store.identity()?.store;
        let is_own = known.is_some_and(|id| id == store.as_bytes());
        Ok(Self { needed, is_confirmed: needed == 0 || is_own, heard: BTreeSet::new(), told: 0 })
    }

    /// Whether the ledger of `size` leaves may go on.
    pub(super) fn check(&self, size: u64) -> Result<(), LedgerError> {
        let (needed, heard) = (self.needed, self.heard.len());
        match self.told {
            told if told > size => Err(LedgerError::Lost { told, size }),
            _ if self.is_confirmed => Ok(()),
            _ => Err(LedgerError::Unconfirmed { heard, needed }),
        }
    }

    pub(super) fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// Witnesses of these parties cosigned just now what this store has.
    pub(super) fn hear(&mut self, store: &Store, parties: &[PartyNumber]) -> Result<(), LedgerError> {
        self.heard.extend(parties);
        if !self.is_confirmed && self.heard.len() >= self.needed { self.declare(store) } else { Ok(()) }
    }

    /// Nothing is lost.
    pub(super) fn declare(&mut self, store: &Store) -> Result<(), LedgerError> {
        keep(store, Some(store.identity()?.store.as_bytes().to_vec()))?;
        self.is_confirmed = true;
        Ok(())
    }

    /// A witness says that it cosigned `told` leaves; this store has `size`.
    pub(super) fn told(&mut self, store: &Store, told: u64, size: u64) -> Result<(), LedgerError> {
        if told > size && told > self.told {
            // After a restart the witnesses are asked again, whether or not the leaves came back.
            keep(store, None)?;
            (self.is_confirmed, self.told) = (self.needed == 0, told);
            self.heard.clear();
        }
        Ok(())
    }
}

fn keep(store: &Store, value: Option<Vec<u8>>) -> Result<(), LedgerError> {
    let mut batch = Batch::new();
    batch.setting(CONFIRMED, value);
    store.commit(batch)?;
    Ok(())
}
