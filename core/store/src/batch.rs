//! What is committed together: everything in a batch becomes durable, or nothing of it.

use std::collections::BTreeSet;

use merestone_core::entry::VerifiedEntry;
use merestone_core::id::{BlobHash, EntryId, RecordId, StatementId, StoreId};

use crate::aside::AsideReason;
use crate::blob::WholeBlob;
use crate::claim::{BlobClaim, BlobClass};
use crate::drafts::{DraftId, DraftStep, SavedDraft};
use crate::error::CommitError;
use crate::index::{IndexRow, StaleTurn};
use crate::ledger::LedgerAppend;
use crate::tips::LogTip;

/// Longest statement: a receipt of the largest mission, with room.
pub const STATEMENT_BYTES_MAX: usize = 1 << 20;

/// Longest draft, setting, agreement and text of an index row: larger ones are a bug of the caller.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

/// The classes of statements (`spec/sync.md`, Control frames).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum StatementClass {
    /// The mission's charter.
    Charter = 0,
    /// A certificate.
    Certificate = 1,
    /// A cut.
    Cut = 2,
    /// An erasure.
    Erasure = 3,
    /// A receipt.
    Receipt = 4,
    /// A checkpoint note.
    Note = 5,
    /// A form definition.
    Form = 6,
    /// A cosignature of a checkpoint note.
    Cosignature = 7,
    /// That a final checkpoint held a leaf.
    Inclusion = 8,
    /// An amendment of the charter.
    Amendment = 9,
    /// That two keys are the same observer's.
    Succession = 10,
    /// That another party holds a cut.
    Acknowledgement = 11,
}

impl StatementClass {
    /// All classes, ascending.
    pub const ALL: [Self; 12] = [
        Self::Charter,
        Self::Certificate,
        Self::Cut,
        Self::Erasure,
        Self::Receipt,
        Self::Note,
        Self::Form,
        Self::Cosignature,
        Self::Inclusion,
        Self::Amendment,
        Self::Succession,
        Self::Acknowledgement,
    ];

    /// Its number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The id of a statement of this class (`spec/roster.md`).
    pub fn id_of(self, bytes: &[u8]) -> StatementId {
        let class = merestone_core::roster::Class::from_code(self.code().into());
        class.map_or_else(|| StatementId::of(bytes), |class| class.id_of(bytes))
    }

    /// The class with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }
}

/// Things to commit together, in any order of adding.
///
/// They are written in a fixed order: settings, statements, entries, bodies, blobs, erasures, index, drafts, peers,
/// ledger.
/// What is held already is left as it is, so the same batch may be committed again.
#[derive(Debug, Default)]
pub struct Batch {
    pub(crate) settings: Vec<(String, Option<Vec<u8>>)>,
    pub(crate) dropped_settings: Vec<(String, Vec<u8>)>,
    pub(crate) statements: Vec<NewStatement>,
    pub(crate) dropped_statements: Vec<(StatementClass, StatementId)>,
    pub(crate) entries: Vec<VerifiedEntry>,
    pub(crate) bodies: Vec<(EntryId, Vec<u8>)>,
    pub(crate) blob_names: Vec<(EntryId, BlobClaim, BlobClass)>,
    pub(crate) blobs: Vec<WholeBlob>,
    pub(crate) erased_bodies: Vec<EntryId>,
    pub(crate) erased_blobs: Vec<BlobHash>,
    pub(crate) touched: Vec<RecordId>,
    pub(crate) touched_keys: BTreeSet<[u8; 32]>,
    pub(crate) touch_all: bool,
    pub(crate) rows: Vec<IndexRow>,
    pub(crate) dropped_rows: Vec<RecordId>,
    pub(crate) indexed: Vec<StaleTurn>,
    pub(crate) drafts: Vec<(DraftId, DraftStep)>,
    pub(crate) receipts: Vec<NewReceipt>,
    pub(crate) agreements: Vec<([u8; 32], Option<Vec<u8>>)>,
    pub(crate) ledger: Vec<LedgerAppend>,
    pub(crate) internal: Vec<Internal>,
    pub(crate) is_refetchable: bool,
    pub(crate) is_connected: bool,
    pub(crate) is_next: bool,
}

#[derive(Debug)]
pub(crate) struct NewStatement {
    pub(crate) class: StatementClass,
    pub(crate) signer: Option<[u8; 32]>,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct NewReceipt {
    pub(crate) holder: StoreId,
    pub(crate) counter: u64,
    pub(crate) statement: StatementId,
}

/// What the store writes on its own account.
#[derive(Debug)]
pub(crate) enum Internal {
    /// Chunks of a partial blob whose bytes are durable.
    Chunks { row: i64, chunks: Vec<u32> },
    /// Which chunks are durable is not known any more.
    ForgetChunks { row: i64 },
    /// A whole blob turned out to be damaged; its file is set aside.
    LostBlob { hash: BlobHash, reason: AsideReason },
    /// What came of a blob has another SHA-256; its file is set aside, and what is held of the blob stays as it is.
    PartAside { hash: BlobHash },
    /// Files of erased blobs are gone.
    BlobsGone { hashes: Vec<BlobHash> },
    /// A row whose bytes are not those of its id.
    Damaged(Damaged),
}

/// A damaged row, by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Damaged {
    Entry {
        position: i64,
    },
    Body {
        position: i64,
    },
    Statement {
        row: i64,
    },
    /// The row of a log, by its number.
    Log {
        log: i64,
    },
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry, with its body if it has one.
    ///
    /// Its record is marked as stale for the index. Where the entry is held without a body, the body is added.
    pub fn entry(&mut self, entry: VerifiedEntry) -> &mut Self {
        self.entries.push(entry);
        self
    }

    /// Adds a body that arrived after its header. It must have the hash that the header names; a body that was erased is refused
    /// and named in [`Committed::refused_bodies`].
    pub fn body(&mut self, entry: EntryId, body: Vec<u8>) -> &mut Self {
        self.bodies.push((entry, body));
        self
    }

    /// Adds a verified statement. `signer` is the key whose number of statements is limited.
    pub fn statement(&mut self, class: StatementClass, signer: Option<[u8; 32]>, bytes: Vec<u8>) -> &mut Self {
        self.statements.push(NewStatement { class, signer, bytes });
        self
    }

    /// Drops a statement that made way for another one: a receipt for a later receipt.
    pub fn drop_statement(&mut self, class: StatementClass, id: StatementId) -> &mut Self {
        self.dropped_statements.push((class, id));
        self
    }

    /// Keeps `value` under `name`, or removes it. Names that begin with `store/` are the store's own and are ignored.
    pub fn setting(&mut self, name: &str, value: Option<Vec<u8>>) -> &mut Self {
        if !name.starts_with("store/") {
            self.settings.push((name.to_owned(), value));
        }
        self
    }

    /// Gives the store a new id, as after a restore from a copy.
    pub fn renew_store(&mut self, store: StoreId) -> &mut Self {
        self.settings.push((crate::store::STORE.to_owned(), Some(store.as_bytes().to_vec())));
        self
    }

    /// Removes the setting `name` if it still is `value`.
    pub fn drop_setting(&mut self, name: &str, value: Vec<u8>) -> &mut Self {
        if !name.starts_with("store/") {
            self.dropped_settings.push((name.to_owned(), value));
        }
        self
    }

    /// Keeps a draft, in place of the one with this id. A draft that was [saved](Self::save_draft) is none any more: the
    /// batch is refused with [`CommitError::Draft`].
    pub fn draft(&mut self, id: DraftId, bytes: Vec<u8>) -> &mut Self {
        self.drafts.push((id, DraftStep::Keep { bytes }));
        self
    }

    /// Keeps `bytes` in place of `was`. A draft that is not `was` any more, because somebody else changed it, or that is gone,
    /// stays as it is: the batch is refused with [`CommitError::Draft`].
    pub fn change_draft(&mut self, id: DraftId, was: Vec<u8>, bytes: Vec<u8>) -> &mut Self {
        self.drafts.push((id, DraftStep::Change { was, bytes }));
        self
    }

    /// Removes a draft: the person discarded it.
    pub fn drop_draft(&mut self, id: DraftId) -> &mut Self {
        self.drafts.push((id, DraftStep::Drop));
        self
    }

    /// Says that a draft becomes an entry of this batch: it is removed, and what became of it is
    /// [remembered](crate::Store::saved_draft). `was` are the bytes that were signed; `None` if the draft was never kept. Where
    /// the draft is another by now, or was saved, the batch is refused with [`CommitError::Draft`].
    pub fn save_draft(&mut self, id: DraftId, was: Option<Vec<u8>>, saved: SavedDraft) -> &mut Self {
        self.drafts.push((id, DraftStep::Save { was, saved }));
        self
    }

    /// Says that `entry` names a blob: it is wanted from now on unless it is held.
    pub fn blob_name(&mut self, entry: EntryId, claim: BlobClaim, class: BlobClass) -> &mut Self {
        self.blob_names.push((entry, claim, class));
        self
    }

    /// Says that a blob is held whole; its file is durable already. Some entry must name it, in this batch or before.
    pub fn blob(&mut self, blob: WholeBlob) -> &mut Self {
        self.blobs.push(blob);
        self
    }

    /// Erases the body of an entry for good, also where it lies aside; the header stays. The record's index row is dropped
    /// with it.
    pub fn erase_body(&mut self, entry: EntryId) -> &mut Self {
        self.erased_bodies.push(entry);
        self
    }

    /// Erases a blob for good: its file is removed, and it is not wanted any more.
    pub fn erase_blob(&mut self, hash: BlobHash) -> &mut Self {
        self.erased_blobs.push(hash);
        self
    }

    /// Marks a record's index row as stale for a reason that is no entry, for instance a cut.
    pub fn touch(&mut self, record: RecordId) -> &mut Self {
        self.touched.push(record);
        self
    }

    /// Marks every record as stale in which one of these keys signed: its standing may be another, for instance after a cut.
    pub fn touch_keys(&mut self, keys: impl IntoIterator<Item = [u8; 32]>) -> &mut Self {
        self.touched_keys.extend(keys);
        self
    }

    /// Marks every record as stale: the index is built again.
    pub fn touch_all(&mut self) -> &mut Self {
        self.touch_all = true;
        self
    }

    /// Puts a record's row and words into the index, in place of the earlier ones.
    pub fn index(&mut self, row: IndexRow) -> &mut Self {
        self.rows.push(row);
        self
    }

    /// Takes a record out of the index.
    pub fn drop_index(&mut self, record: RecordId) -> &mut Self {
        self.dropped_rows.push(record);
        self
    }

    /// Says that all records in a page of stale ones are indexed, by what came with the page.
    pub fn indexed(&mut self, through: StaleTurn) -> &mut Self {
        self.indexed.push(through);
        self
    }

    /// Says which receipt of another store is its newest; one with a lower counter changes nothing.
    pub fn receipt(&mut self, holder: StoreId, counter: u64, statement: StatementId) -> &mut Self {
        self.receipts.push(NewReceipt { holder, counter, statement });
        self
    }

    /// Remembers what was agreed with a peer, or forgets it.
    pub fn agreement(&mut self, peer: [u8; 32], value: Option<Vec<u8>>) -> &mut Self {
        self.agreements.push((peer, value));
        self
    }

    /// Appends leaves to the ledger. Together with a [`setting`](Self::setting) that says what tree they make.
    pub fn ledger(&mut self, append: LedgerAppend) -> &mut Self {
        self.ledger.push(append);
        self
    }

    /// Says that all of it can be had again from a peer or built again: it does not use up the ballast,
    /// which is for the work of the person at this device.
    pub fn refetchable(&mut self) -> &mut Self {
        self.is_refetchable = true;
        self
    }

    /// Says that its entries come from a peer: one that does not connect to what is held of its log is left out, with the
    /// blobs that it names, and named in [`Committed::unconnected`]. What stands above a gap is in no tip, so no peer would
    /// ever ask for it or fill the gap. In a forked log the tip tells of all that stands above the fork.
    pub fn connected(&mut self) -> &mut Self {
        self.is_connected = true;
        self
    }

    /// Says that its entries are signed here, each for the place after the last of its log. If anything stands there by now,
    /// or the log is forked, the batch is refused with [`CommitError::NotNext`].
    pub fn signed_here(&mut self) -> &mut Self {
        self.is_next = true;
        self
    }

    pub(crate) fn internal(&mut self, item: Internal) -> &mut Self {
        self.internal.push(item);
        self
    }

    /// Whether it may change which blobs are named, held or missing. An entry alone at the end of its log does not:
    /// the blobs that it names come with it under their own names.
    pub(crate) fn touches_blobs(&self) -> bool {
        let is_about_blobs = |item: &Internal| match item {
            Internal::Chunks { row: _, chunks: _ }
            | Internal::ForgetChunks { row: _ }
            | Internal::PartAside { hash: _ } => false,
            Internal::LostBlob { .. } | Internal::BlobsGone { .. } | Internal::Damaged(_) => true,
        };
        !(self.blob_names.is_empty() && self.blobs.is_empty() && self.erased_blobs.is_empty())
            || self.internal.iter().any(is_about_blobs)
    }

    pub(crate) fn erases(&self) -> bool {
        !self.erased_bodies.is_empty() || !self.erased_blobs.is_empty()
    }

    /// Bytes that will be written, roughly: how many batches go into one transaction depends on it.
    pub(crate) fn weight(&self) -> usize {
        let entries: usize = self
            .entries
            .iter()
            .map(|entry| entry.header_bytes().len() + entry.body_bytes().map_or(0, <[u8]>::len))
            .sum();
        let bodies: usize = self.bodies.iter().map(|(_, body)| body.len()).sum();
        let statements: usize = self.statements.iter().map(|statement| statement.bytes.len()).sum();
        let rows: usize = self.rows.iter().map(|row| row.text.len()).sum();
        entries + bodies + statements + rows
    }

    /// Refuses what is longer than its limit, before anything is written.
    pub(crate) fn check_lengths(&self) -> Result<(), CommitError> {
        let short = |what, bytes: usize, bytes_max| {
            if bytes <= bytes_max { Ok(()) } else { Err(CommitError::TooLong { what, bytes, bytes_max }) }
        };
        for statement in &self.statements {
            short("statement", statement.bytes.len(), STATEMENT_BYTES_MAX)?;
        }
        for (_, value) in &self.settings {
            short("setting", value.as_ref().map_or(0, Vec::len), VALUE_BYTES_MAX)?;
        }
        for (_, step) in &self.drafts {
            short("draft", step.bytes(), VALUE_BYTES_MAX)?;
        }
        for (_, value) in &self.agreements {
            short("agreement", value.as_ref().map_or(0, Vec::len), VALUE_BYTES_MAX)?;
        }
        for row in &self.rows {
            let IndexRow { record: _, scope: _, kind, flags: _, updated: _, title, status, text } = row;
            short("index row", kind.len() + title.len() + status.len() + text.len(), VALUE_BYTES_MAX)?;
        }
        Ok(())
    }
}

/// A batch is durable.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Number of entries that were not held before.
    pub entries_new: usize,
    /// Number of entries that were held already.
    pub entries_held: usize,
    /// Siblings at a forked position that are not kept, because four lower ids are.
    pub not_kept: Vec<EntryId>,
    /// Entries of a [connected](Batch::connected) batch that were left out: the one before is not held.
    pub unconnected: Vec<EntryId>,
    /// Bodies that came for entries whose body was erased, or that are not held.
    pub refused_bodies: Vec<EntryId>,
    /// How far each log of these entries has come.
    pub tips: Vec<LogTip>,
    /// The disk is so full that the ballast had to be given up: there is room for very little more.
    pub low_room: bool,
    /// After an erasure: the write-ahead log was emptied too. Otherwise a reader held it;
    /// it is emptied as soon as no reader does.
    pub log_emptied: bool,
    /// An entry stands below others now, or took the place of one.
    pub(crate) is_inside: bool,
}
