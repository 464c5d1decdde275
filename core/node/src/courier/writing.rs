//! Writing a bundle: statements first, then entries, then photos, the small ones before the large ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use merestone_core::courier::{Blob, Contents, For, LeftOut, Part, SECTIONS_MAX, Section, TRAILER_BYTES};
use merestone_core::id::{BlobHash, LogId, RecordId, ScopeId, StoreId};
use merestone_core::merkle::{CHUNK_BYTES, NodeHash, leaf_hash, root};
use merestone_core::receipt::Receipt;
use merestone_core::roster::{Certificate, Class as StatementClass, Roster};
use merestone_core::sync::frame::{BlobClass, FRAME_BYTES_MAX, Frame};
use merestone_core::sync::wire::{BATCH_ENTRIES_MAX, Outgoing, encode_batch};
use merestone_core::sync::{BlobFrame, Class};
use merestone_store::{BlobError, BlobFile, Store, StoredBody};

use super::error::WriteCourierError;
use super::file::Making;
use crate::PublicKey;
use crate::device::{AccessError, Device};

/// Bytes of a section in the contents, at most.
const ROW_BYTES: u64 = 100;
/// Bytes of the contents without its sections, and of the trailer, at most.
const FIXED_BYTES: u64 = 1_200 + TRAILER_BYTES as u64;

/// What a bundle is to carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CourierOrder {
    /// For which device: by name, observer or key. It then carries what that device lacked when it signed its newest
    /// receipt held here. `None`: everything.
    pub made_for: Option<String>,
    /// Leave out the camera's files.
    pub without_originals: bool,
    /// The most bytes that the file may have. Photos that do not fit are left out and named.
    pub bytes_max: Option<u64>,
    /// Photos that are on another stick already.
    pub without: BTreeSet<BlobHash>,
}

/// A bundle was written, and is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourierWritten {
    /// Its length.
    pub bytes: u64,
    /// Statements in it.
    pub statements: u64,
    /// Entries in it.
    pub entries: u64,
    /// Photos and renditions in it.
    pub blobs: u64,
    /// Whose device it was made for: observer and device.
    pub made_for: Option<(String, String)>,
    /// Photos that were to be in it and are not, because they did not fit or because originals were left out.
    pub left_out: Vec<LeftOutPhoto>,
    /// Photos that turned out damaged here. They were set aside, and come again from a peer.
    pub damaged: Vec<BlobHash>,
}

/// A photo or rendition that is not in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOutPhoto {
    /// A record that it belongs to.
    pub record: Option<RecordId>,
    /// SHA-256 of the file.
    pub hash: BlobHash,
    /// What it is for.
    pub class: BlobClass,
    /// Its size.
    pub bytes: u64,
}

impl Device {
    /// Writes what this device holds, of the scopes that `observer`'s certificate grants, as one new file. No key needs to be unlocked.
    ///
    /// The file has its name only when it is whole and durable.
    ///
    /// # Errors
    /// See [`WriteCourierError`]; then there is no file.
    pub fn write_courier(
        &self,
        observer: &PublicKey,
        path: &Path,
        order: &CourierOrder,
    ) -> Result<CourierWritten, WriteCourierError> {
        let not_enrolled = || WriteCourierError::NotEnrolled { key: Box::new(*observer) };
        let id = self.desk().certificate(observer).ok_or_else(not_enrolled)?;
        let roster = self.authority.roster().clone();
        let maker = roster.certificate(id).ok_or_else(not_enrolled)?.clone();
        let recipient = order.made_for.as_deref().map(|who| Recipient::find(&roster, who)).transpose()?;
        let granted = |scope: &&ScopeId| recipient.as_ref().is_none_or(|to| to.certificate.scopes().contains(scope));
        let mut scopes: Vec<ScopeId> = maker.scopes().iter().filter(granted).copied().collect();
        scopes.sort();
        let store = &*self.store;
        let making = Making::begin(path)?;
        let mut writing =
            Writing { store, making, scopes: &scopes, recipient: recipient.as_ref(), sections: Vec::new() };
        let statements = writing.statements(&roster)?;
        let entries = writing.entries()?;
        let length = writing.length();
        if let Some(bytes_max) = order.bytes_max.filter(|max| length > *max) {
            return Err(WriteCourierError::TooSmall { bytes_max, wanted: length });
        }
        let blobs = writing.blobs(order)?;
        let Writing { making, sections, .. } = writing;
        let left_bytes = blobs.left_out.iter().map(|left| left.bytes).sum();
        let contents = Contents {
            mission: self.mission(),
            maker: maker.as_bytes().to_vec(),
            store: store.identity().map_err(AccessError::from)?.store,
            made_for: recipient.as_ref().map(|to| For { store: to.receipt.store(), receipt: to.receipt.id() }),
            sections,
            left_out: LeftOut { blobs: blobs.left_out.len() as u64, bytes: left_bytes },
            scopes,
        };
        let bytes = making.finish(&contents)?;
        let made_for = recipient.map(|to| {
            let request = to.certificate.request();
            (request.observer().to_owned(), request.device().to_owned())
        });
        let Blobs { written, left_out, damaged } = blobs;
        Ok(CourierWritten { bytes, statements, entries, blobs: written, made_for, left_out, damaged })
    }
}

/// Whom a bundle is for, and what they hold for sure.
struct Recipient {
    certificate: Certificate,
    receipt: Receipt,
}

impl Recipient {
    fn find(roster: &Roster, who: &str) -> Result<Self, WriteCourierError> {
        let is_meant = |held: &&Certificate| {
            let request = held.request();
            held.key().to_string() == who || request.device() == who || request.observer() == who
        };
        let meant: Vec<&Certificate> = roster.certificates().filter(is_meant).collect();
        let keys: BTreeSet<&[u8; 32]> = meant.iter().map(|held| held.key().as_bytes()).collect();
        let Some(first) = meant.first() else { return Err(WriteCourierError::UnknownDevice) };
        if keys.len() > 1 {
            return Err(WriteCourierError::SeveralDevices { count: keys.len() });
        }
        let mut newest: BTreeMap<StoreId, &Receipt> = BTreeMap::new();
        for held in roster.receipts().filter(|held| held.signer() == first.key()) {
            let last = newest.entry(held.store()).or_insert(held);
            if last.counter() < held.counter() {
                *last = held;
            }
        }
        // Of several stores nobody can tell which one the device has now: one that was restored from a copy lacks what the
        // one before it held. So the one that states least is believed.
        let entries = |receipt: &Receipt| receipt.logs().iter().map(|log| log.height).sum::<u64>();
        let least = newest.into_values().min_by_key(|held| (entries(held), held.blobs().len(), held.store()));
        let receipt = least.ok_or_else(|| WriteCourierError::NoReceipt { key: Box::new(*first.key()) })?.clone();
        let certificate = roster.certificate(receipt.certificate()).unwrap_or(first);
        Ok(Self { certificate: certificate.clone(), receipt })
    }

    /// From which entry on a log is to be sent: its beginning, unless the whole of what they hold of it is held here too.
    fn from(&self, store: &Store, log: LogId) -> Result<u64, AccessError> {
        let Some(held) = self.receipt.log(log).filter(|held| held.missing == 0) else { return Ok(0) };
        let Some(last) = held.height.checked_sub(1) else { return Ok(0) };
        let here = store.ids_at(log, &[last])?;
        Ok(if here.iter().any(|(_, ids)| ids.contains(&held.head)) { held.height } else { 0 })
    }
}

struct Writing<'a> {
    store: &'a Store,
    making: Making,
    scopes: &'a [ScopeId],
    recipient: Option<&'a Recipient>,
    sections: Vec<Section>,
}

/// What became of the photos.
#[derive(Default)]
struct Blobs {
    written: u64,
    left_out: Vec<LeftOutPhoto>,
    damaged: Vec<BlobHash>,
}

impl Writing<'_> {
    /// How long the file is if it ends here, at most.
    fn length(&self) -> u64 {
        self.making.at + FIXED_BYTES + ROW_BYTES * self.sections.len() as u64
    }

    fn end_section(&mut self, part: Part) -> Result<(), WriteCourierError> {
        if self.sections.len() >= SECTIONS_MAX {
            return Err(WriteCourierError::TooMany { max: SECTIONS_MAX });
        }
        self.sections.push(self.making.section(part));
        Ok(())
    }

    /// All statements: they are few, and the recipient may have lost some.
    fn statements(&mut self, roster: &Roster) -> Result<u64, WriteCourierError> {
        let mut total = 0;
        for class in StatementClass::ALL {
            let (mut page, mut bytes) = (Vec::new(), 0);
            for id in roster.ids(class) {
                let Some(statement) = roster.bytes(class, id) else { continue };
                if !page.is_empty() && bytes + statement.len() + 64 > FRAME_BYTES_MAX {
                    self.statement_page(class, std::mem::take(&mut page))?;
                    bytes = 0;
                }
                total += 1;
                bytes += statement.len() + 16;
                page.push(statement.to_vec());
            }
            if !page.is_empty() {
                self.statement_page(class, page)?;
            }
        }
        Ok(total)
    }

    fn statement_page(&mut self, class: StatementClass, page: Vec<Vec<u8>>) -> Result<(), WriteCourierError> {
        let count = page.len() as u64;
        self.making.frame(Class::Control, &Frame::Statements(class, page).encode())?;
        self.end_section(Part::Statements { class, count })
    }

    fn entries(&mut self) -> Result<u64, WriteCourierError> {
        let mut total = 0;
        for &scope in self.scopes {
            let mut pending = Vec::new();
            for tip in self.store.each_tip(Some(scope)) {
                let tip = tip.map_err(AccessError::from)?;
                // What lies beside the main branch is not named in a receipt.
                let is_forked = tip.branches.is_some();
                let known = self.recipient.filter(|_| !is_forked);
                let from = known.map_or(Ok(0), |to| to.from(self.store, tip.log))?;
                total += self.log(scope, tip.log, from, &mut pending)?;
            }
            self.batches(scope, &mut pending, 1)?;
        }
        Ok(total)
    }

    fn log(
        &mut self,
        scope: ScopeId,
        log: LogId,
        mut from: u64,
        pending: &mut Vec<(Vec<u8>, Option<Vec<u8>>)>,
    ) -> Result<u64, WriteCourierError> {
        let mut total = 0;
        loop {
            let page = self.store.log_entries(log, from, BATCH_ENTRIES_MAX).map_err(AccessError::from)?;
            let Some(last) = page.last() else { return Ok(total) };
            from = last.seq + 1;
            total += page.len() as u64;
            pending.extend(page.into_iter().map(|entry| {
                let body = match entry.body {
                    StoredBody::Held(bytes) => Some(bytes),
                    StoredBody::Missing | StoredBody::Erased => None,
                };
                (entry.header, body)
            }));
            self.batches(scope, pending, BATCH_ENTRIES_MAX)?;
        }
    }

    /// Writes frames of entries while at least `at_least` wait, each a section.
    fn batches(
        &mut self,
        scope: ScopeId,
        pending: &mut Vec<(Vec<u8>, Option<Vec<u8>>)>,
        at_least: usize,
    ) -> Result<(), WriteCourierError> {
        while pending.len() >= at_least {
            let outgoing: Vec<_> =
                pending.iter().map(|(header, body)| Outgoing { header, body: body.as_deref() }).collect();
            // The store checks headers when it reads them.
            let (frame, taken) = encode_batch(&outgoing).map_err(|_| AccessError::Damaged)?;
            self.making.frame(Class::Entries, &frame)?;
            self.end_section(Part::Entries { scope, count: taken as u64 })?;
            pending.drain(..taken);
        }
        Ok(())
    }

    fn blobs(&mut self, order: &CourierOrder) -> Result<Blobs, WriteCourierError> {
        let mut blobs = Blobs::default();
        for class in BlobClass::ALL {
            let held = self.store.blob_census(self.scopes, &[stored(class)]).map_err(AccessError::from)?.whole;
            for hash in held {
                let is_theirs = self.recipient.is_some_and(|to| to.receipt.holds_blob(hash));
                if is_theirs || order.without.contains(&hash) {
                    continue;
                }
                let claims = self.store.claims_in(self.scopes, hash).map_err(AccessError::from)?;
                let Some(bytes) = claims.first().map(|claim| claim.bytes) else { continue };
                let is_unwanted = order.without_originals && class == BlobClass::Original;
                let length = self.length() + ROW_BYTES + section_bytes(bytes);
                if is_unwanted || order.bytes_max.is_some_and(|max| length > max) {
                    let record = self.record_of(hash)?;
                    blobs.left_out.push(LeftOutPhoto { record, hash, class, bytes });
                    continue;
                }
                let roots: Vec<NodeHash> = claims.iter().map(|claim| claim.chunks).collect();
                match self.blob(Blob { hash, class, bytes }, &roots)? {
                    true => blobs.written += 1,
                    false => blobs.damaged.push(hash),
                }
            }
        }
        Ok(blobs)
    }

    /// Writes one blob. `false`: it is damaged here, and was set aside; nothing of it was written.
    fn blob(&mut self, blob: Blob, roots: &[NodeHash]) -> Result<bool, WriteCourierError> {
        let class = Class::Blobs(blob.class);
        let Some(hashes) = chunk_hashes(self.store, blob.hash).map_err(AccessError::from)? else { return Ok(false) };
        if !roots.contains(&root(&hashes)) {
            // Either the file is damaged, or an entry describes it falsely and nobody could take it.
            self.store.verify_blob(blob.hash).map_err(AccessError::from)?;
            return Ok(false);
        }
        self.making.frame(class, &BlobFrame::Hashes(blob.hash, hashes).encode())?;
        let mut index = 0;
        let file = self.store.open_blob(blob.hash).map_err(AccessError::from)?;
        let Some(mut file) = file else { return Err(AccessError::Damaged.into()) };
        while let Some(bytes) = chunk(&mut file).map_err(|error| AccessError::from(BlobError::from(error)))? {
            self.making.frame(class, &BlobFrame::Chunk { hash: blob.hash, index, bytes }.encode())?;
            index += 1;
        }
        self.end_section(Part::Blob(blob))?;
        Ok(true)
    }

    fn record_of(&self, hash: BlobHash) -> Result<Option<RecordId>, AccessError> {
        let naming = self.store.entries_naming(hash)?;
        let Some(first) = naming.first() else { return Ok(None) };
        Ok(self.store.entry(*first)?.map(|entry| entry.record))
    }
}

/// Length of the section of a blob, at most.
fn section_bytes(blob_bytes: u64) -> u64 {
    const HEADS: u64 = 64;
    let chunks = blob_bytes.div_ceil(CHUNK_BYTES as u64);
    blob_bytes + chunks * (32 + HEADS) + HEADS
}

fn chunk_hashes(store: &Store, hash: BlobHash) -> Result<Option<Vec<NodeHash>>, BlobError> {
    let Some(mut file) = store.open_blob(hash)? else { return Ok(None) };
    let mut hashes = Vec::new();
    while let Some(bytes) = chunk(&mut file)? {
        hashes.push(leaf_hash(&bytes));
    }
    Ok(Some(hashes))
}

fn chunk(file: &mut BlobFile) -> std::io::Result<Option<Vec<u8>>> {
    use std::io::Read as _;
    let mut bytes = Vec::with_capacity(CHUNK_BYTES);
    file.take(CHUNK_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
}

const fn stored(class: BlobClass) -> merestone_store::BlobClass {
    match class {
        BlobClass::Thumbnail => merestone_store::BlobClass::Thumbnail,
        BlobClass::Preview => merestone_store::BlobClass::Preview,
        BlobClass::Original => merestone_store::BlobClass::Original,
    }
}
