//! Whether this store has everything that its ledger's key ever signed.
//!
//! A store that was restored from a copy, and a key that was given to a new machine, may lack leaves that were signed. No
//! rule inside the store can see that. The witnesses can: what a quorum of them cosigned last holds whatever any final
//! checkpoint held, since two quorums share an honest party.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Parties of which all witnesses may lie.
    liars: usize,
    /// For each witness that was asked the one party that its answers confirm: whoever repeats lines of others confirms
    /// nothing in their names.
    heard: BTreeMap<String, PartyNumber>,
    /// For each witness that was asked the most leaves that it says it cosigned.
    told: BTreeMap<String, u64>,
}

impl Confirming {
    /// As the store has it.
    pub(super) fn open(shared: &Shared) -> Result<Self, LedgerError> {
        let roster = shared.authority.roster();
        let quorum = Witnesses::of(roster.charter().charter()).map(|witnesses| witnesses.quorum());
        // Where nothing is ever final all there are must do.
        let needed = quorum.map_or(0, |quorum| quorum.last.min(quorum.parties));
        let liars = quorum.map_or(0, |quorum| quorum.liars);
        let known = shared.store.setting(CONFIRMED)?;
        let store = shared.store.identity()?.store;
        let is_own = known.is_some_and(|id| id == store.as_bytes());
        let (heard, told) = Default::default();
        Ok(Self { needed, is_confirmed: needed == 0 || is_own, liars, heard, told })
    }

    /// Whether the ledger of `size` leaves may go on.
    pub(super) fn check(&self, size: u64) -> Result<(), LedgerError> {
        match self.lost(size) {
            Some(told) => Err(LedgerError::Lost { told, size }),
            None if self.is_confirmed => Ok(()),
            None => Err(LedgerError::Unconfirmed { heard: self.parties().len(), needed: self.needed }),
        }
    }

    pub(super) fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// The witness that was asked at `asked` gave cosignatures of these parties, ascending, under what this store has.
    pub(super) fn hear(&mut self, store: &Store, asked: &str, parties: &[PartyNumber]) -> Result<(), LedgerError> {
        if let Some(&first) = parties.first() {
            self.heard.entry(asked.to_owned()).or_insert(first);
        }
        self.told.remove(asked);
        if !self.is_confirmed && self.parties().len() >= self.needed { self.declare(store) } else { Ok(()) }
    }

    fn parties(&self) -> BTreeSet<PartyNumber> {
        self.heard.values().copied().collect()
    }

    /// More leaves than `size`, if more witnesses say so than may lie: the most that all of those vouch for.
    fn lost(&self, size: u64) -> Option<u64> {
        let mut told: Vec<u64> = self.told.values().copied().filter(|told| *told > size).collect();
        told.sort_unstable_by(|a, b| b.cmp(a));
        told.get(self.liars).copied()
    }

    /// Nothing is lost.
    pub(super) fn declare(&mut self, store: &Store) -> Result<(), LedgerError> {
        keep(store, Some(store.identity()?.store.as_bytes().to_vec()))?;
        self.is_confirmed = true;
        Ok(())
    }

    /// The witness that was asked at `asked` says that it cosigned `told` leaves; this store has `size`.
    ///
    /// One that says so alone may lie, and its word is not signed: it confirms nothing, and it stops nothing.
    pub(super) fn told(&mut self, store: &Store, asked: &str, told: u64, size: u64) -> Result<(), LedgerError> {
        if told <= size {
            return Ok(());
        }
        self.heard.remove(asked);
        let most = self.told.entry(asked.to_owned()).or_default();
        *most = told.max(*most);
        if self.lost(size).is_some() {
            // After a restart the witnesses are asked again, whether or not the leaves came back.
            keep(store, None)?;
            self.is_confirmed = self.needed == 0;
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
