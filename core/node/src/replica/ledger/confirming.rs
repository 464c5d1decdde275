//! Whether this store has everything that its ledger's key ever signed.
//!
//! A store that was restored from a copy, and a key that was given to a new machine, may lack leaves that were signed. No
//! rule inside the store can see that. The witnesses can: what a quorum of them cosigned last holds whatever any final
//! checkpoint held, since two quorums share an honest party.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::cbor::{Reader, Writer};
use merestone_core::check::Refused;
use merestone_core::roster::PartyNumber;
use merestone_core::witness::{WITNESSES_MAX, Witnesses};
use merestone_store::{Batch, Store};

use super::super::Shared;
use super::LedgerError;

/// The id of the store for which a quorum of witnesses confirmed that nothing is lost; a restored store has another id.
const CONFIRMED: &str = "node/ledger-confirmed";

/// The witnesses that confirmed that so far, and for which store: on a stick answers come one by one, to one run each.
const HEARD: &str = "node/ledger-heard";

/// For which store and how many leaves somebody vouched without witnesses.
const VOUCHED: &str = "node/ledger-vouched";

/// Longest name of a witness that was asked, in bytes: an address.
const ASKED_BYTES_MAX: usize = 2_048;

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
    /// For each witness that cosigned since this was opened its party: parties may lie, and not addresses.
    known: BTreeMap<String, PartyNumber>,
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
        let heard = shared.store.setting(HEARD)?.map(|bytes| read_heard(&bytes)).transpose();
        let heard = heard.map_err(|_| LedgerError::Damaged)?.filter(|(of, _)| of == store.as_bytes());
        let (heard, told) = (heard.map(|(_, heard)| heard).unwrap_or_default(), BTreeMap::new());
        let known: BTreeMap<_, _> = heard.clone();
        Ok(Self { needed, is_confirmed: needed == 0 || is_own, liars, heard, told, known })
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

    /// The witness that was asked at `asked` cosigned anew what this store has; it is of this party. One that was asked before
    /// keeps the party that it had.
    pub(super) fn hear(&mut self, store: &Store, asked: &str, party: PartyNumber) -> Result<(), LedgerError> {
        self.told.remove(asked);
        if asked.len() <= ASKED_BYTES_MAX && self.known.len() < WITNESSES_MAX {
            self.known.entry(asked.to_owned()).or_insert(party);
        }
        if self.is_confirmed {
            return Ok(());
        }
        if asked.len() <= ASKED_BYTES_MAX && self.heard.len() < WITNESSES_MAX {
            self.heard.entry(asked.to_owned()).or_insert(party);
        }
        keep(store, HEARD, Some(write_heard(store.identity()?.store.as_bytes(), &self.heard)))?;
        if self.parties().len() >= self.needed { self.declare(store) } else { Ok(()) }
    }

    fn parties(&self) -> BTreeSet<PartyNumber> {
        self.heard.values().copied().collect()
    }

    /// More leaves than `size`, if witnesses of more parties say so than may lie: the most that all of those vouch for. The
    /// number is not signed, so a witness that never showed whose it is counts for nobody.
    fn lost(&self, size: u64) -> Option<u64> {
        let mut of_parties: BTreeMap<PartyNumber, u64> = BTreeMap::new();
        for (asked, told) in self.told.iter().filter(|(_, told)| **told > size) {
            if let Some(party) = self.known.get(asked) {
                let most = of_parties.entry(*party).or_default();
                *most = told.max(most).to_owned();
            }
        }
        let mut told: Vec<u64> = of_parties.into_values().collect();
        told.sort_unstable_by(|a, b| b.cmp(a));
        told.get(self.liars).copied()
    }

    /// Somebody knows that nothing is lost of a ledger of `told` leaves, which this store has: `size`. Once of each store.
    pub(super) fn vouch(&mut self, store: &Store, told: u64, size: u64) -> Result<(), LedgerError> {
        if self.is_confirmed {
            return Ok(());
        }
        if told != size {
            return Err(LedgerError::OtherSize { told, size });
        }
        let vouched = [store.identity()?.store.as_bytes().as_slice(), &size.to_be_bytes()].concat();
        if store.setting(VOUCHED)?.as_ref() == Some(&vouched) {
            return Err(LedgerError::VouchedBefore { size });
        }
        keep(store, VOUCHED, Some(vouched))?;
        self.declare(store)
    }

    /// Nothing is lost.
    fn declare(&mut self, store: &Store) -> Result<(), LedgerError> {
        keep(store, CONFIRMED, Some(store.identity()?.store.as_bytes().to_vec()))?;
        self.is_confirmed = true;
        Ok(())
    }

    /// The witness that was asked at `asked` says that it cosigned `told` leaves; this store has `size`.
    ///
    /// One that says so alone may lie, and its word is not signed: it confirms nothing, stops nothing, and takes nothing back
    /// that it confirmed with a signature.
    pub(super) fn told(&mut self, store: &Store, asked: &str, told: u64, size: u64) -> Result<(), LedgerError> {
        if told <= size {
            return Ok(());
        }
        let most = self.told.entry(asked.to_owned()).or_default();
        *most = told.max(*most);
        if self.lost(size).is_some() {
            // After a restart the witnesses are asked again, whether or not the leaves came back.
            keep(store, CONFIRMED, None)?;
            keep(store, HEARD, None)?;
            self.is_confirmed = self.needed == 0;
            self.heard.clear();
        }
        Ok(())
    }
}

fn keep(store: &Store, name: &str, value: Option<Vec<u8>>) -> Result<(), LedgerError> {
    let mut batch = Batch::new();
    batch.setting(name, value);
    store.commit(batch)?;
    Ok(())
}

fn write_heard(store: &[u8], heard: &BTreeMap<String, PartyNumber>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(2).bytes(store).array(heard.len());
    for (asked, party) in heard {
        writer.array(2).bytes(asked.as_bytes()).uint(party.0);
    }
    writer.finish()
}

fn read_heard(bytes: &[u8]) -> Result<([u8; 16], BTreeMap<String, PartyNumber>), Refused> {
    let mut reader = Reader::new(bytes);
    reader.array_exact(2, "heard")?;
    let (store, mut heard) = (reader.array_of("store")?, BTreeMap::new());
    for _ in 0..reader.array(WITNESSES_MAX, "heard")? {
        reader.array_exact(2, "heard")?;
        let asked = String::from_utf8_lossy(reader.bytes("asked")?).into_owned();
        heard.insert(asked, PartyNumber(reader.uint("party")?));
        reader.leave();
    }
    reader.leave();
    reader.leave();
    reader.finish("heard")?;
    Ok((store, heard))
}
