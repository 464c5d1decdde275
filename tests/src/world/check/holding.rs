//! What one store holds, by hash.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::id::{BlobHash, EntryId, LogId, ScopeId, StatementId};
use merestone_core::roster::Class;
use merestone_node::Device;
use merestone_store::{BlobClass, LogTip, PAGE_LINKS_MAX};

use crate::world::model::Chain;

/// Everything that one store holds, by hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Entries with their log and place.
    pub entries: BTreeMap<EntryId, (LogId, u64)>,
    /// Photos and renditions held whole, of those that entries name.
    pub blobs: BTreeSet<BlobHash>,
    /// Those named and not held.
    pub blobs_missing: BTreeSet<BlobHash>,
    /// Bodies that are not held.
    pub bodies_missing: BTreeSet<EntryId>,
    /// Statements but receipts and notes, which every meeting makes more of.
    pub statements: BTreeSet<StatementId>,
}

impl Holding {
    /// What a device holds.
    ///
    /// # Errors
    /// What the store says.
    pub fn of(device: &Device, scope: ScopeId) -> Result<Self, String> {
        let store = device.store();
        let mut holding = Self::default();
        for tip in tips(device)? {
            let mut from = 0;
            loop {
                let page = store.links(tip.log, from, PAGE_LINKS_MAX).map_err(|error| error.to_string())?;
                let Some(last) = page.last() else { break };
                from = last.seq + 1;
                holding.entries.extend(page.into_iter().map(|link| (link.id, (tip.log, link.seq))));
            }
        }
        let classes = [BlobClass::Original, BlobClass::Preview, BlobClass::Thumbnail];
        let census = store.blob_census(&[scope], &classes).map_err(|error| error.to_string())?;
        (holding.blobs, holding.blobs_missing) =
            (census.whole.into_iter().collect(), census.missing.into_iter().collect());
        let bodies = store.missing_bodies(usize::MAX >> 1).map_err(|error| error.to_string())?;
        holding.bodies_missing = bodies.into_iter().map(|(_, _, id)| id).collect();
        let roster = device.authority().roster();
        for class in [Class::Certificate, Class::Cut, Class::Erasure] {
            holding.statements.extend(roster.ids(class));
        }
        Ok(holding)
    }

    /// How much it is: grows with every entry, photo and statement.
    pub fn amount(&self) -> usize {
        self.entries.len() + self.blobs.len() + self.statements.len()
    }

    /// Whether the other side holds something that this one lacks.
    pub fn lacks(&self, other: &Self) -> bool {
        self.first_lacked(other).is_some()
    }

    /// The first thing that the other side holds and this one lacks, in words.
    pub fn first_lacked(&self, other: &Self) -> Option<String> {
        let entry = || other.entries.keys().find(|id| !self.entries.contains_key(*id)).map(|id| format!("entry {id}"));
        let blob = || other.blobs.iter().find(|blob| !self.blobs.contains(*blob)).map(|id| format!("blob {id}"));
        let statement = || other.statements.difference(&self.statements).next().map(|id| format!("statement {id}"));
        entry().or_else(blob).or_else(statement)
    }

    /// The first difference in entries and photos, in words; `None` if there is none.
    pub fn differs(&self, other: &Self) -> Option<String> {
        let lacks = |one: &Self, another: &Self, who: &str| {
            let entry = another.entries.iter().find(|(id, _)| !one.entries.contains_key(*id));
            let entry = entry.map(|(id, (log, seq))| format!("{who} lacks entry {id} at {seq} of log {log}"));
            entry.or_else(|| {
                let blob = another.blobs.iter().find(|blob| !one.blobs.contains(*blob));
                blob.map(|blob| format!("{who} lacks blob {blob}"))
            })
        };
        let bodies = || {
            let missing = self.bodies_missing.iter().chain(&other.bodies_missing).next();
            missing.map(|id| format!("the body of {id} is missing"))
        };
        let photos = || {
            let missing = self.blobs_missing.iter().chain(&other.blobs_missing).next();
            missing.map(|blob| format!("blob {blob} is missing"))
        };
        lacks(self, other, "the one").or_else(|| lacks(other, self, "the other")).or_else(bodies).or_else(photos)
    }
}

/// The entry before each entry that is held.
///
/// # Errors
/// What the store says.
pub fn chain(device: &Device) -> Result<Chain, String> {
    let mut chain = Chain::new();
    for tip in tips(device)? {
        let mut from = 0;
        loop {
            let page = device.store().links(tip.log, from, PAGE_LINKS_MAX).map_err(|error| error.to_string())?;
            let Some(last) = page.last() else { break };
            from = last.seq + 1;
            chain.extend(page.into_iter().map(|link| (link.id, link.prev)));
        }
    }
    Ok(chain)
}

/// The tips of all logs, ascending.
///
/// # Errors
/// What the store says.
pub fn tips(device: &Device) -> Result<Vec<LogTip>, String> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = device.store().tips(None, after).map_err(|error| error.to_string())?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(last.log);
        all.extend(page);
    }
}

/// The entries that a device acknowledges when it names the head of a log and how many there are: the head and all before.
///
/// # Errors
/// What the store says; `Ok(Err(_))` names an entry that is acknowledged and not there.
pub fn chain_to(
    device: &Device,
    log: LogId,
    height: u64,
    head: EntryId,
) -> Result<Result<Vec<EntryId>, EntryId>, String> {
    let (mut before, mut from) = (BTreeMap::new(), 0);
    while from < height {
        let page = device.store().links(log, from, PAGE_LINKS_MAX).map_err(|error| error.to_string())?;
        let Some(last) = page.last() else { break };
        from = last.seq + 1;
        before.extend(page.into_iter().map(|link| (link.id, link.prev)));
    }
    let (mut chain, mut next) = (Vec::new(), (height > 0).then_some(head));
    while let Some(id) = next {
        let Some(prev) = before.get(&id) else { return Ok(Err(id)) };
        chain.push(id);
        next = *prev;
    }
    Ok(Ok(chain))
}
