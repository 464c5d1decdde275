//! Writing one batch inside a transaction.

use std::collections::BTreeSet;

use merestone_core::id::{BlobHash, EntryId, RecordId, sha256};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::aside::AsideReason;
use crate::batch::{Batch, Committed, Damaged, Internal, NewReceipt, NewStatement};
use crate::bits::Bits;
use crate::blob::WholeBlob;
use crate::claim::{BlobClaim, BlobClass};
use crate::error::CommitError;
use crate::index::{self, StaleTurn};
use crate::ledger;
use crate::logs::{self, Logs, Placed};
use crate::wiping::wiping;

/// States of a body, as the schema numbers them.
pub(crate) const BODY_MISSING: u8 = 0;
pub(crate) const BODY_HELD: u8 = 1;
pub(crate) const BODY_ERASED: u8 = 2;

/// States of a blob, as the schema numbers them.
pub(crate) const BLOB_MISSING: u8 = 0;
pub(crate) const BLOB_WHOLE: u8 = 1;
pub(crate) const BLOB_BEING_ERASED: u8 = 2;
pub(crate) const BLOB_ERASED: u8 = 3;

pub(crate) struct Apply<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) logs: &'a mut Logs,
    /// Number of this commit.
    pub(crate) arrived: i64,
    /// Newest turn in the queue of stale records.
    pub(crate) turn: &'a mut i64,
}

/// What an entry's row says about its body.
struct BodyRow {
    position: i64,
    record: RecordId,
    state: u8,
    hash: [u8; 32],
}

impl Apply<'_> {
    pub(crate) fn all(mut self, batch: &Batch) -> Result<Committed, CommitError> {
        let mut committed = Committed::default();
        let mut touched: BTreeSet<RecordId> = batch.touched.iter().copied().collect();
        for item in &batch.internal {
            self.internal(item)?;
        }
        for (name, value) in &batch.settings {
            self.setting(name, value.as_deref())?;
        }
        for (name, value) in &batch.dropped_settings {
            let sql = "DELETE FROM setting WHERE name = ?1 AND value = ?2";
            self.connection.prepare_cached(sql)?.execute(params![name, value])?;
        }
        for statement in &batch.statements {
            self.statement(statement)?;
        }
        for (class, id) in &batch.dropped_statements {
            let sql = "DELETE FROM statement WHERE class = ?1 AND id = ?2";
            self.connection.prepare_cached(sql)?.execute(params![class.code(), id.as_bytes()])?;
        }
        self.entries(batch, &mut committed, &mut touched)?;
        committed.is_inside |= !committed.not_kept.is_empty();
        for (entry, body) in &batch.bodies {
            match self.body(*entry, body)? {
                Some(record) => drop(touched.insert(record)),
                None => committed.refused_bodies.push(*entry),
            }
        }
        self.blobs(batch, &committed.unconnected)?;
        for entry in &batch.erased_bodies {
            self.erase_body(*entry)?;
        }
        self.index(batch)?;
        for (id, step) in &batch.drafts {
            step.apply(self.connection, *id)?;
        }
        self.peers(batch)?;
        for append in &batch.ledger {
            ledger::append(self.connection, append)?;
        }
        committed.tips = self.logs.settle(self.connection, self.arrived)?;
        self.stale(&touched)?;
        self.stale_logs(batch)?;
        Ok(committed)
    }

    fn entries(
        &mut self,
        batch: &Batch,
        committed: &mut Committed,
        touched: &mut BTreeSet<RecordId>,
    ) -> Result<(), CommitError> {
        for entry in &batch.entries {
            if batch.is_next && !self.logs.is_next(self.connection, entry)? {
                return Err(CommitError::NotNext { log: entry.log(), seq: entry.header().seq });
            }
            if batch.is_connected && !self.logs.connects(self.connection, entry)? {
                committed.unconnected.push(entry.id());
                continue;
            }
            let placed = self.logs.place(self.connection, entry, self.arrived, &mut committed.not_kept)?;
            match placed {
                Placed::Last => committed.entries_new += 1,
                Placed::Between => {
                    committed.entries_new += 1;
                    committed.is_inside = true;
                    touched.insert(entry.record());
                }
                Placed::NotKept => committed.not_kept.push(entry.id()),
                Placed::Held { position: _ } => {
                    committed.entries_held += 1;
                    let Some(body) = entry.body_bytes() else { continue };
                    match self.body(entry.id(), body)? {
                        Some(record) => drop(touched.insert(record)),
                        None => committed.refused_bodies.push(entry.id()),
                    }
                }
            }
        }
        // Planted: the last entry of a batch is counted and not written.
        #[cfg(planted)]
        if merestone_core::planted::is("drop-batch-tail")
            && let [_, .., last] = batch.entries.as_slice()
        {
            self.connection.execute("DELETE FROM entry WHERE id = ?1", [last.id().as_bytes()])?;
        }
        Ok(())
    }

    /// Adds a body to its entry; `None` when the entry is not held or its body was erased.
    fn body(&self, entry: EntryId, body: &[u8]) -> Result<Option<RecordId>, CommitError> {
        let Some(row) = self.body_row(entry)? else { return Ok(None) };
        if sha256(&[body]) != row.hash {
            return Err(CommitError::Body);
        }
        if row.state == BODY_MISSING {
            let sql = "UPDATE entry SET body = ?2, body_state = ?3 WHERE position = ?1";
            self.connection.prepare_cached(sql)?.execute(params![row.position, body, BODY_HELD])?;
        }
        Ok(Some(row.record).filter(|_| row.state != BODY_ERASED))
    }

    fn erase_body(&self, entry: EntryId) -> Result<(), CommitError> {
        let sql = "DELETE FROM aside WHERE what = 'body' AND id = ?1";
        self.connection.prepare_cached(sql)?.execute([entry.as_bytes()])?;
        // The header of a displaced sibling stays: it says nothing of what was observed, and proves the fork.
        let sql = "UPDATE aside SET body = NULL WHERE what = 'entry' AND id = ?1";
        self.connection.prepare_cached(sql)?.execute([entry.as_bytes()])?;
        let Some(row) = self.body_row(entry)? else { return Ok(()) };
        let sql = "UPDATE entry SET body = NULL, body_state = ?2 WHERE position = ?1";
        self.connection.prepare_cached(sql)?.execute(params![row.position, BODY_ERASED])?;
        index::drop_record(self.connection, row.record)?;
        Ok(())
    }

    fn body_row(&self, entry: EntryId) -> rusqlite::Result<Option<BodyRow>> {
        let sql = "SELECT position, coalesce(record, id), body_state, body_hash FROM entry
                   WHERE substr(id, 1, 8) = substr(?1, 1, 8) AND id = ?1";
        let mut select = self.connection.prepare_cached(sql)?;
        let row = select.query_row([entry.as_bytes()], |row| {
            let record = RecordId::from_bytes(row.get(1)?);
            Ok(BodyRow { position: row.get(0)?, record, state: row.get(2)?, hash: row.get(3)? })
        });
        row.optional()
    }

    fn setting(&self, name: &str, value: Option<&[u8]>) -> rusqlite::Result<()> {
        match value {
            Some(value) => {
                let sql =
                    "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
                self.connection.prepare_cached(sql)?.execute(params![name, value])?;
            }
            None => drop(self.connection.prepare_cached("DELETE FROM setting WHERE name = ?1")?.execute([name])?),
        }
        Ok(())
    }

    fn statement(&self, statement: &NewStatement) -> rusqlite::Result<()> {
        let NewStatement { class, signer, bytes } = statement;
        let id = class.id_of(bytes);
        let sql = "INSERT INTO statement (id, class, signer, bytes) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        self.connection.prepare_cached(sql)?.execute(params![id.as_bytes(), class.code(), signer, bytes])?;
        Ok(())
    }

    fn blobs(&self, batch: &Batch, left_out: &[EntryId]) -> rusqlite::Result<()> {
        for (entry, claim, class) in batch.blob_names.iter().filter(|(entry, ..)| !left_out.contains(entry)) {
            self.blob_name(*entry, claim, *class)?;
        }
        for blob in &batch.blobs {
            self.blob_whole(blob)?;
        }
        for hash in &batch.erased_blobs {
            let sql = "UPDATE blob SET state = ?2, held = NULL WHERE hash = ?1 AND state <> ?3";
            self.connection.prepare_cached(sql)?.execute(params![hash.as_bytes(), BLOB_BEING_ERASED, BLOB_ERASED])?;
        }
        Ok(())
    }

    fn blob_name(&self, entry: EntryId, claim: &BlobClaim, class: BlobClass) -> rusqlite::Result<()> {
        let BlobClaim { hash, bytes, chunks } = claim;
        // A file that is whole or erased is so whatever else is said about it.
        let sql = "INSERT INTO blob (hash, bytes, chunks, class, state, held)
                   VALUES (?1, ?2, ?3, ?4, coalesce((SELECT max(state) FROM blob WHERE hash = ?1), 0), NULL)
                   ON CONFLICT (hash, chunks, bytes) DO UPDATE SET class = min(class, ?4)
                   RETURNING blob";
        let values = params![hash.as_bytes(), bytes.cast_signed(), chunks, class.code()];
        let blob: i64 = self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
        let sql = "INSERT INTO blob_name (blob, entry, scope)
                   VALUES (?1, ?2, (SELECT l.scope FROM entry e CROSS JOIN log l ON l.log = e.position >> 23
                                    WHERE substr(e.id, 1, 8) = substr(?2, 1, 8) AND e.id = ?2))
                   ON CONFLICT (blob, entry) DO UPDATE SET scope = excluded.scope";
        self.connection.prepare_cached(sql)?.execute(params![blob, entry.as_bytes()])?;
        Ok(())
    }

    fn blob_whole(&self, blob: &WholeBlob) -> rusqlite::Result<()> {
        let sql = "UPDATE blob SET state = ?2, held = NULL WHERE hash = ?1 AND state = ?3";
        let hash = blob.hash();
        self.connection.prepare_cached(sql)?.execute(params![hash.as_bytes(), BLOB_WHOLE, BLOB_MISSING])?;
        Ok(())
    }

    fn stale(&mut self, touched: &BTreeSet<RecordId>) -> rusqlite::Result<()> {
        let mut insert = self.connection.prepare_cached("INSERT INTO stale (turn, record) VALUES (?1, ?2)")?;
        for record in touched {
            *self.turn += 1;
            insert.execute(params![*self.turn, record.as_bytes()])?;
        }
        Ok(())
    }

    /// Has logs indexed from their beginning again.
    fn stale_logs(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        if !batch.touch_all && batch.touched_keys.is_empty() {
            return Ok(());
        }
        // What is known of the logs is written by now; it is forgotten, so that all is read again.
        self.logs.read_again();
        if batch.touch_all {
            self.connection.prepare_cached("UPDATE log SET indexed = 0")?.execute([])?;
            return Ok(());
        }
        let mut select = self.connection.prepare_cached("SELECT log, key FROM log")?;
        let logs = select.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?)))?;
        let mut update = self.connection.prepare_cached("UPDATE log SET indexed = 0 WHERE log = ?1")?;
        for log in logs.collect::<rusqlite::Result<Vec<_>>>()? {
            if batch.touched_keys.contains(&log.1) {
                update.execute([log.0])?;
            }
        }
        Ok(())
    }

    fn index(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        for record in &batch.dropped_rows {
            index::drop_record(self.connection, *record)?;
        }
        for row in &batch.rows {
            index::put(self.connection, row)?;
        }
        for StaleTurn { turn, logs } in &batch.indexed {
            self.connection.prepare_cached("DELETE FROM stale WHERE turn <= ?1")?.execute([turn])?;
            for (log, seq) in logs {
                self.logs.indexed(self.connection, *log, *seq)?;
            }
        }
        Ok(())
    }

    fn peers(&self, batch: &Batch) -> rusqlite::Result<()> {
        for NewReceipt { holder, counter, statement } in &batch.receipts {
            let sql = "INSERT INTO receipt (holder, counter, statement) VALUES (?1, ?2, ?3)
                       ON CONFLICT (holder) DO UPDATE SET counter = ?2, statement = ?3 WHERE counter < ?2";
            let values = params![holder.as_bytes(), counter.cast_signed(), statement.as_bytes()];
            self.connection.prepare_cached(sql)?.execute(values)?;
        }
        for (peer, value) in &batch.agreements {
            let Some(value) = value else {
                self.connection.prepare_cached("DELETE FROM agreement WHERE peer = ?1")?.execute([peer])?;
                continue;
            };
            let sql = "INSERT INTO agreement (peer, value) VALUES (?1, ?2) ON CONFLICT (peer) DO UPDATE SET value = ?2";
            self.connection.prepare_cached(sql)?.execute(params![peer, value])?;
        }
        Ok(())
    }

    fn internal(&mut self, item: &Internal) -> rusqlite::Result<()> {
        match item {
            Internal::Chunks { row, chunks } => self.chunks(*row, chunks),
            Internal::ForgetChunks { row } => {
                self.connection.prepare_cached("UPDATE blob SET held = NULL WHERE blob = ?1")?.execute([row])?;
                Ok(())
            }
            Internal::LostBlob { hash, reason } => self.lost_blob(*hash, *reason),
            Internal::PartAside { hash } => self.note_blob_aside(*hash, AsideReason::Damaged),
            Internal::BlobsGone { hashes } => {
                let sql = "UPDATE blob SET state = ?2 WHERE hash = ?1 AND state = ?3";
                let mut update = self.connection.prepare_cached(sql)?;
                for hash in hashes {
                    update.execute(params![hash.as_bytes(), BLOB_ERASED, BLOB_BEING_ERASED])?;
                }
                Ok(())
            }
            Internal::Damaged(damaged) => self.damaged(damaged),
        }
    }

    fn chunks(&self, row: i64, chunks: &[u32]) -> rusqlite::Result<()> {
        let sql = "SELECT held, bytes FROM blob WHERE blob = ?1 AND state = ?2";
        let mut select = self.connection.prepare_cached(sql)?;
        let found = select.query_row(params![row, BLOB_MISSING], |row| {
            Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
        });
        let Some((held, bytes)) = found.optional()? else { return Ok(()) };
        let mut bits = Bits::of(held, bytes);
        chunks.iter().for_each(|&chunk| bits.set(chunk));
        let sql = "UPDATE blob SET held = ?2 WHERE blob = ?1";
        self.connection.prepare_cached(sql)?.execute(params![row, bits.as_bytes()])?;
        Ok(())
    }

    fn lost_blob(&self, hash: BlobHash, reason: AsideReason) -> rusqlite::Result<()> {
        let sql = "UPDATE blob SET state = ?2, held = NULL WHERE hash = ?1 AND state = ?3";
        self.connection.prepare_cached(sql)?.execute(params![hash.as_bytes(), BLOB_MISSING, BLOB_WHOLE])?;
        self.note_blob_aside(hash, reason)
    }

    fn note_blob_aside(&self, hash: BlobHash, reason: AsideReason) -> rusqlite::Result<()> {
        let sql = "INSERT INTO aside (what, id, reason, bytes, body) VALUES ('blob', ?1, ?2, NULL, NULL)";
        self.connection.prepare_cached(sql)?.execute(params![hash.as_bytes(), reason.code()])?;
        Ok(())
    }

    fn damaged(&mut self, damaged: &Damaged) -> rusqlite::Result<()> {
        match damaged {
            Damaged::Entry { position } => {
                if logs::set_entry_aside(self.connection, *position, AsideReason::Damaged)? {
                    self.logs.lost(self.connection, *position)?;
                }
            }
            Damaged::Body { position } => {
                let sql = "INSERT INTO aside (what, id, reason, record, bytes, body)
                           SELECT 'body', id, ?3, coalesce(record, id), NULL, body FROM entry
                           WHERE position = ?1 AND body_state = ?2";
                let values = params![position, BODY_HELD, AsideReason::Damaged.code()];
                self.connection.prepare_cached(sql)?.execute(values)?;
                let sql = "UPDATE entry SET body = NULL, body_state = ?2 WHERE position = ?1 AND body_state = ?3";
                let values = params![position, BODY_MISSING, BODY_HELD];
                wiping(self.connection, || self.connection.prepare_cached(sql)?.execute(values))?;
            }
            Damaged::Statement { row } => {
                let sql = "INSERT INTO aside (what, id, reason, bytes, body)
                           SELECT 'statement', id, ?2, bytes, NULL FROM statement
                           WHERE statement = ?1";
                self.connection.prepare_cached(sql)?.execute(params![row, AsideReason::Damaged.code()])?;
                self.connection.prepare_cached("DELETE FROM statement WHERE statement = ?1")?.execute([row])?;
            }
            Damaged::Log { log } => {
                let id = self.logs.mend(self.connection, *log)?;
                let sql = "INSERT INTO aside (what, id, reason, bytes, body) VALUES ('log', ?1, ?2, NULL, NULL)";
                let values = params![id.as_bytes(), AsideReason::Damaged.code()];
                self.connection.prepare_cached(sql)?.execute(values)?;
            }
        }
        Ok(())
    }
}
