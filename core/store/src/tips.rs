//! Where entries stand, and how far a log has come: reading what [`logs`](crate::logs) writes.

use merestone_core::id::{EntryId, Epoch, LogId, ScopeId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

const SLOT_BITS: u32 = 3;
const SEQ_BITS: u32 = 20;

/// How far one log has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogTip {
    /// The log's id.
    pub log: LogId,
    /// The public key of its author.
    pub key: [u8; 32],
    /// Its scope.
    pub scope: ScopeId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Number of entries in its contiguous prefix along the main branch.
    pub height: u64,
    /// The last entry of that prefix; `None` while the log's first entry is not held.
    pub head: Option<EntryId>,
    /// SHA-256 of the ids, ascending, of all kept entries that are not on the main branch, in a forked log.
    pub branches: Option<[u8; 32]>,
    /// One above the highest seq ever held, also when the entry was lost since.
    /// An author whose log has `top > height` must begin a new epoch before signing again.
    pub top: u64,
    /// Number of the commit that last brought an entry of it or set one aside. The numbers grow with every commit for as
    /// long as the store is open; after an opening they go on from the greatest that any log has.
    pub changed: u64,
}

/// First position of `seq` in a log.
pub(crate) fn position(log: i64, seq: u64) -> i64 {
    (log << (SEQ_BITS + SLOT_BITS)) | (seq.cast_signed() << SLOT_BITS)
}

/// Last position of `seq` in a log.
pub(crate) fn position_end(log: i64, seq: u64) -> i64 {
    position(log, seq) | ((1 << SLOT_BITS) - 1)
}

pub(crate) fn seq_of(position: i64) -> u64 {
    ((position >> SLOT_BITS) & ((1 << SEQ_BITS) - 1)).cast_unsigned()
}

pub(crate) fn log_of(position: i64) -> i64 {
    position >> (SEQ_BITS + SLOT_BITS)
}

/// The columns that [`read_tip`] reads.
pub(crate) const TIP_COLUMNS: &str = "id, key, scope, epoch, height, head, branches, top, log, arrived";

/// The log's number and its tip as its row has it; [`walk_on`] brings it up to date.
pub(crate) fn read_tip(row: &Row<'_>) -> rusqlite::Result<(i64, LogTip)> {
    let tip = LogTip {
        log: LogId::from_bytes(row.get(0)?),
        key: row.get(1)?,
        scope: ScopeId::from_bytes(row.get(2)?),
        epoch: Epoch::from_bytes(row.get(3)?),
        height: row.get::<_, i64>(4)?.cast_unsigned(),
        head: row.get::<_, Option<[u8; 32]>>(5)?.map(EntryId::from_bytes),
        branches: row.get(6)?,
        top: row.get::<_, i64>(7)?.cast_unsigned(),
        changed: row.get::<_, i64>(9)?.cast_unsigned(),
    };
    Ok((row.get(8)?, tip))
}

/// Moves a tip over the entries that follow it along the main branch, telling `pass` of each, and its top to the last entry.
///
/// The last entry says when the log changed, unless its row does: whatever comes below the end has the row written.
pub(crate) fn walk_on(
    connection: &Connection,
    log: i64,
    tip: &mut LogTip,
    mut pass: impl FnMut(EntryId),
) -> rusqlite::Result<()> {
    let sql =
        "SELECT position, arrived FROM entry WHERE position >= ?1 AND position < ?2 ORDER BY position DESC LIMIT 1";
    let places = [position(log, 0), position(log + 1, 0)];
    let last = connection.prepare_cached(sql)?.query_row(places, |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)));
    if let Some((last, arrived)) = last.optional()? {
        tip.top = tip.top.max(seq_of(last) + 1);
        tip.changed = tip.changed.max(arrived.cast_unsigned());
    }
    let sql = "SELECT id FROM entry WHERE position BETWEEN ?1 AND ?2 AND prev IS ?3 ORDER BY id LIMIT 1";
    // The main branch takes the sibling that came first instead of the one with the lower id.
    #[cfg(planted)]
    let sql = match merestone_core::planted::is("main-branch-by-arrival") {
        true => "SELECT id FROM entry WHERE position BETWEEN ?1 AND ?2 AND prev IS ?3 ORDER BY position LIMIT 1",
        false => sql,
    };
    let mut next = connection.prepare_cached(sql)?;
    while tip.height < tip.top {
        let places = (position(log, tip.height), position_end(log, tip.height));
        let head = tip.head.as_ref().map(EntryId::as_bytes);
        let Some(id) = next.query_row(params![places.0, places.1, head], |row| row.get(0)).optional()? else { break };
        let id = EntryId::from_bytes(id);
        tip.height += 1;
        tip.head = Some(id);
        pass(id);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use merestone_core::entry::LOG_ENTRIES_MAX;

    #[test]
    fn positions_of_a_log_stand_together_and_read_back() {
        for (log, seq) in [(1, 0), (1, LOG_ENTRIES_MAX - 1), (65_536, 7)] {
            let (first, last) = (position(log, seq), position_end(log, seq));
            assert_eq!((log_of(first), seq_of(first)), (log, seq));
            assert_eq!((log_of(last), seq_of(last)), (log, seq));
            assert!(position(log, 0) <= first && last < position(log + 1, 0));
        }
    }
}
