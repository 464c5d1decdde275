//! Positions in logs: how far each log has come, and what happens at a fork.
//!
//! An entry counts towards its log's tip once all before it are held and each names the one before.
//! At a fork the main branch takes the sibling with the lower id (`spec/sync.md`, Tips); all others are its branches.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use merestone_core::entry::{LOG_ENTRIES_MAX, Position, VerifiedEntry};
use merestone_core::id::{EntryId, LogId, sha256};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::aside::AsideReason;
use crate::tips::{LogTip, TIP_COLUMNS, log_of, position, position_end, read_tip, seq_of, walk_on};
use crate::wiping::wiping;

/// Siblings kept at one position, those with the lowest ids.
///
/// Two prove a fork; four let peers that saw different ones agree (`spec/sync.md`, frame 6).
pub const SIBLINGS_MAX: usize = 4;

/// What became of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    /// At the end of its log, where the index looks by itself.
    Last,
    /// Below an entry that came before it.
    Between,
    /// It is there; its position, so that a body may be added.
    Held {
        position: i64,
    },
    NotKept,
}

#[derive(Clone, Debug)]
pub(crate) struct LogState {
    log: i64,
    tip: LogTip,
    fork: Option<u64>,
    indexed: u64,
    /// Walk the main branch again from here before the next commit.
    walk_from: Option<u64>,
    /// The batch in hand brought an entry of it.
    is_changed: bool,
    /// The batch in hand brought an entry that was not held, or set one aside.
    is_moved: bool,
    /// The row must be written: it would not be found again by walking on from what it says.
    is_row_old: bool,
    /// Height in the row.
    row_height: u64,
}

/// Entries that a log may grow by before its row is written: a save touches one page less,
/// and reading a tip walks over no more than these.
const ROW_LAG_MAX: u64 = 64;

/// The logs that the writer has touched. Everything in here is in the database too; a rolled back transaction clears it.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    /// By id, so that equal batches write equal rows in an equal order.
    states: BTreeMap<LogId, LogState>,
    /// What the transaction in hand made of logs.
    moved: BTreeMap<LogId, LogTip>,
}

impl Logs {
    /// Forgets what a transaction changed that was not committed.
    pub(crate) fn clear(&mut self) {
        self.read_again();
        self.moved.clear();
    }

    /// Reads every log again when it is needed, because its row says something that is not known here.
    pub(crate) fn read_again(&mut self) {
        self.states.clear();
    }

    /// What the transaction that was committed just now made of logs.
    pub(crate) fn take_moved(&mut self) -> impl Iterator<Item = LogTip> + use<> {
        std::mem::take(&mut self.moved).into_values()
    }

    /// Whether the entry goes right above everything that is held of its log, and the log is not forked.
    pub(crate) fn is_next(&mut self, connection: &Connection, entry: &VerifiedEntry) -> rusqlite::Result<bool> {
        let (prev, seq) = (prev_of(entry), entry.header().seq);
        let Some(state) = self.of_log(connection, entry.log())? else { return Ok(seq == 0) };
        let LogTip { height, head, top, .. } = state.tip;
        Ok((seq, seq, prev, None) == (height, top, head, state.fork))
    }

    /// Whether the entry before this one is held, or this one itself, or the log is forked below it.
    pub(crate) fn connects(&mut self, connection: &Connection, entry: &VerifiedEntry) -> rusqlite::Result<bool> {
        let (Some(prev), seq) = (prev_of(entry), entry.header().seq) else { return Ok(true) };
        let Some(state) = self.of_log(connection, entry.log())? else { return Ok(false) };
        let is_next = seq == state.tip.height && state.tip.head == Some(prev);
        if is_next || state.fork.is_some_and(|fork| fork < seq) {
            return Ok(true);
        }
        let is_before = |seq: u64| Ok::<_, rusqlite::Error>(siblings(connection, state.log, seq)?.contains_key(&prev));
        let is_linked = seq.checked_sub(1).map_or(Ok(false), is_before)?;
        Ok(is_linked || siblings(connection, state.log, seq)?.contains_key(&entry.id()))
    }

    /// Inserts an entry at its position, unless it is held or four lower siblings are.
    pub(crate) fn place(
        &mut self,
        connection: &Connection,
        entry: &VerifiedEntry,
        arrived: i64,
        displaced: &mut Vec<EntryId>,
    ) -> rusqlite::Result<Placed> {
        let state = self.of_entry(connection, entry)?;
        let seq = entry.header().seq;
        let siblings = if seq < state.tip.top { siblings(connection, state.log, seq)? } else { BTreeMap::new() };
        if let Some(&position) = siblings.get(&entry.id()) {
            state.is_changed = true;
            return Ok(Placed::Held { position });
        }
        let first = position(state.log, seq);
        let slot = match siblings.last_key_value() {
            None => first,
            Some((highest, &place)) if siblings.len() >= SIBLINGS_MAX => {
                if *highest < entry.id() {
                    return Ok(Placed::NotKept);
                }
                set_entry_aside(connection, place, AsideReason::Displaced)?;
                displaced.push(*highest);
                place
            }
            Some(_) => (first..).find(|place| !siblings.values().any(|taken| taken == place)).unwrap_or(first),
        };
        insert(connection, slot, entry, arrived)?;
        let is_last = seq >= state.tip.top;
        state.follow(connection, entry, siblings.is_empty())?;
        Ok(if is_last { Placed::Last } else { Placed::Between })
    }

    /// Notes that the index has seen a log below `seq`.
    pub(crate) fn indexed(&mut self, connection: &Connection, log: LogId, seq: u64) -> rusqlite::Result<()> {
        if let Some(state) = self.of_log(connection, log)? {
            state.indexed = state.indexed.max(seq);
            state.is_row_old = true;
        }
        Ok(())
    }

    /// Notes that an entry of this log was set aside.
    pub(crate) fn lost(&mut self, connection: &Connection, place: i64) -> rusqlite::Result<()> {
        let sql = "SELECT id FROM log WHERE log = ?1";
        let id = LogId::from_bytes(connection.query_row(sql, [log_of(place)], |row| row.get(0))?);
        let state = self.of_log(connection, id)?;
        if let Some(state) = state {
            state.tip.top = state.tip.top.max(seq_of(place) + 1);
            state.walk_again_from(seq_of(place));
        }
        Ok(())
    }

    /// Makes the row of a log again from its entries; its id.
    ///
    /// That an entry was once held above those that are left, only the row knew: it stays as it is where it can be true.
    pub(crate) fn mend(&mut self, connection: &Connection, log: i64) -> rusqlite::Result<LogId> {
        let sql = "UPDATE log SET height = 0, head = NULL, branches = NULL, fork = NULL,
                                  top = CASE WHEN top BETWEEN 0 AND ?2 THEN top ELSE 0 END WHERE log = ?1 RETURNING id";
        let top_max = LOG_ENTRIES_MAX.cast_signed();
        let id = connection.query_row(sql, params![log, top_max], |row| row.get(0)).map(LogId::from_bytes)?;
        self.states.remove(&id);
        let fork = first_fork(connection, log)?;
        if let Some(state) = self.of_log(connection, id)? {
            (state.fork, state.is_changed) = (fork, true);
            state.walk_again_from(0);
        }
        Ok(id)
    }

    /// Writes the tips that changed and says what they are.
    pub(crate) fn settle(&mut self, connection: &Connection, arrived: i64) -> rusqlite::Result<Vec<LogTip>> {
        let mut tips = Vec::new();
        for state in self.states.values_mut().filter(|state| state.is_changed || state.is_row_old) {
            let is_of_batch = state.is_changed;
            state.settle(connection, arrived)?;
            self.moved.insert(state.tip.log, state.tip);
            if is_of_batch {
                tips.push(state.tip);
            }
        }
        Ok(tips)
    }

    fn of_entry(&mut self, connection: &Connection, entry: &VerifiedEntry) -> rusqlite::Result<&mut LogState> {
        let id = entry.log();
        if self.of_log(connection, id)?.is_none() {
            let (scope, epoch) = (entry.header().scope, entry.header().epoch);
            let sql = "INSERT INTO log (id, key, scope, epoch, height, head, top, fork, branches, arrived, indexed)
                       VALUES (?1, ?2, ?3, ?4, 0, NULL, 0, NULL, NULL, 0, 0)";
            let key = *entry.key().as_bytes();
            connection.prepare_cached(sql)?.execute(params![id.as_bytes(), key, scope.as_bytes(), epoch.as_bytes()])?;
            let tip = LogTip { log: id, key, scope, epoch, height: 0, head: None, branches: None, top: 0, changed: 0 };
            let log = connection.last_insert_rowid();
            self.states.insert(id, LogState::new(log, tip, None, 0));
        }
        Ok(self.states.get_mut(&id).expect("it was found or inserted just now"))
    }

    fn of_log(&mut self, connection: &Connection, id: LogId) -> rusqlite::Result<Option<&mut LogState>> {
        let vacant = match self.states.entry(id) {
            Entry::Occupied(known) => return Ok(Some(known.into_mut())),
            Entry::Vacant(vacant) => vacant,
        };
        let sql = format!("SELECT {TIP_COLUMNS}, fork, indexed FROM log WHERE id = ?1");
        let found = connection.prepare_cached(&sql)?.query_row([id.as_bytes()], read_row);
        let Some(mut state) = found.optional()? else { return Ok(None) };
        walk_on(connection, state.log, &mut state.tip, |_| {})?;
        Ok(Some(vacant.insert(state)))
    }
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<LogState> {
    let fork = row.get::<_, Option<i64>>(10)?.map(i64::cast_unsigned);
    let (log, tip) = read_tip(row)?;
    Ok(LogState::new(log, tip, fork, row.get::<_, i64>(11)?.cast_unsigned()))
}

/// A log as its row has it.
pub(crate) fn read_state(connection: &Connection, log: i64) -> rusqlite::Result<LogState> {
    let sql = format!("SELECT {TIP_COLUMNS}, fork, indexed FROM log WHERE log = ?1");
    connection.prepare_cached(&sql)?.query_row([log], read_row)
}

/// Whether the row of a log agrees with its entries.
pub(crate) fn is_row_sound(connection: &Connection, row: &LogState) -> rusqlite::Result<bool> {
    let LogTip { height, head, branches, top, .. } = row.tip;
    if height > LOG_ENTRIES_MAX || top > LOG_ENTRIES_MAX {
        return Ok(false);
    }
    let is_head_held = match (height.checked_sub(1), head) {
        (None, None) => true,
        (Some(last), Some(head)) => siblings(connection, row.log, last)?.contains_key(&head),
        (None, Some(_)) | (Some(_), None) => false,
    };
    let Some(fork) = row.fork else { return Ok(is_head_held && branches.is_none()) };
    if !is_head_held || fork >= LOG_ENTRIES_MAX {
        return Ok(false);
    }
    // The row of a forked log is written with every commit that changes what is beside its main branch.
    let mut again = row.clone();
    again.walk(connection, fork)?;
    Ok(again.tip.branches == branches && again.tip.height >= height)
}

/// The first seq at which two entries of a log are held.
fn first_fork(connection: &Connection, log: i64) -> rusqlite::Result<Option<u64>> {
    let sql = "SELECT position FROM entry WHERE position >= ?1 AND position < ?2 ORDER BY position";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([position(log, 0), position(log + 1, 0)])?;
    let mut before = None;
    while let Some(row) = rows.next()? {
        let seq = seq_of(row.get(0)?);
        if before.replace(seq) == Some(seq) {
            return Ok(Some(seq));
        }
    }
    Ok(None)
}

impl LogState {
    fn new(log: i64, tip: LogTip, fork: Option<u64>, indexed: u64) -> Self {
        let row_height = tip.height;
        Self {
            log,
            tip,
            fork,
            indexed,
            walk_from: None,
            is_changed: false,
            is_moved: false,
            is_row_old: false,
            row_height,
        }
    }

    /// Moves the tip after an entry was inserted.
    fn follow(&mut self, connection: &Connection, entry: &VerifiedEntry, is_alone: bool) -> rusqlite::Result<()> {
        let (id, seq) = (entry.id(), entry.header().seq);
        let is_next = seq == self.tip.height && prev_of(entry) == self.tip.head;
        let was_above = self.tip.top > seq;
        self.tip.top = self.tip.top.max(seq + 1);
        (self.is_changed, self.is_moved) = (true, true);
        if !is_alone {
            self.fork = Some(self.fork.map_or(seq, |fork| fork.min(seq)));
        }
        if is_alone && is_next && self.walk_from.is_none() {
            self.tip.height += 1;
            self.tip.head = Some(id);
            if !was_above {
                return Ok(());
            }
            // The last entry came before: it does not say that the log changed now.
            self.is_row_old = true;
            if self.fork.is_none() {
                return walk_on(connection, self.log, &mut self.tip, |_| {});
            }
        }
        self.is_row_old = true;
        if let Some(fork) = self.fork {
            self.walk_again_from(fork);
        }
        Ok(())
    }

    fn walk_again_from(&mut self, seq: u64) {
        (self.is_moved, self.is_row_old) = (true, true);
        self.walk_from = Some(self.walk_from.map_or(seq, |from| from.min(seq)));
    }

    fn settle(&mut self, connection: &Connection, arrived: i64) -> rusqlite::Result<()> {
        if let Some(from) = self.walk_from.take() {
            self.walk(connection, from)?;
        }
        self.is_changed = false;
        if std::mem::take(&mut self.is_moved) {
            self.tip.changed = arrived.cast_unsigned();
        }
        if !self.is_row_old && self.tip.height < self.row_height + ROW_LAG_MAX {
            return Ok(());
        }
        let sql =
            "UPDATE log SET height = ?2, head = ?3, top = ?4, fork = ?5, branches = ?6, arrived = ?7, indexed = ?8
                   WHERE log = ?1";
        connection.prepare_cached(sql)?.execute(params![
            self.log,
            self.tip.height.cast_signed(),
            self.tip.head.as_ref().map(EntryId::as_bytes),
            self.tip.top.cast_signed(),
            self.fork.map(u64::cast_signed),
            self.tip.branches,
            self.tip.changed.cast_signed(),
            self.indexed.cast_signed(),
        ])?;
        self.is_row_old = false;
        self.row_height = self.tip.height;
        Ok(())
    }

    /// Finds the main branch again from `from`, or from the first fork if that is lower, and what is beside it.
    fn walk(&mut self, connection: &Connection, from: u64) -> rusqlite::Result<()> {
        let from = from.min(self.fork.unwrap_or(from));
        if from < self.tip.height {
            self.tip.height = from;
            // Below the first fork there is one entry at each seq.
            self.tip.head = match from.checked_sub(1) {
                None => None,
                Some(before) => siblings(connection, self.log, before)?.first_key_value().map(|(id, _)| *id),
            };
        }
        let mut on_main = Vec::new();
        walk_on(connection, self.log, &mut self.tip, |id| on_main.push(id))?;
        if let Some(fork) = self.fork {
            on_main.sort_unstable();
            self.tip.branches = branches(connection, self.log, fork, &on_main)?;
        }
        Ok(())
    }
}

pub(crate) fn prev_of(entry: &VerifiedEntry) -> Option<EntryId> {
    match &entry.header().position {
        Position::First { certificate: _, earlier: _ } => None,
        Position::Later { prev } => Some(*prev),
    }
}

fn insert(connection: &Connection, place: i64, entry: &VerifiedEntry, arrived: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO entry (position, id, prev, record, kind, arrived, body_hash, body_state, header, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let (header, body) = (entry.header(), entry.body_bytes());
    connection.prepare_cached(sql)?.execute(params![
        place,
        entry.id().as_bytes(),
        prev_of(entry).as_ref().map(EntryId::as_bytes),
        header.record().as_ref().map(merestone_core::id::RecordId::as_bytes),
        header.kind.code(),
        arrived,
        header.body,
        u8::from(body.is_some()),
        entry.header_bytes(),
        body,
    ])?;
    Ok(())
}

/// The entries held at one seq of a log, by id, with their positions.
pub(crate) fn siblings(connection: &Connection, log: i64, seq: u64) -> rusqlite::Result<BTreeMap<EntryId, i64>> {
    let sql = "SELECT id, position FROM entry WHERE position BETWEEN ?1 AND ?2";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map([position(log, seq), position_end(log, seq)], |row| {
        Ok((EntryId::from_bytes(row.get(0)?), row.get(1)?))
    })?;
    rows.collect()
}

/// Digest of the entries from `fork` on that are not in `on_main`, which is sorted.
fn branches(connection: &Connection, log: i64, fork: u64, on_main: &[EntryId]) -> rusqlite::Result<Option<[u8; 32]>> {
    let sql = "SELECT id FROM entry WHERE position >= ?1 AND position < ?2";
    let mut select = connection.prepare_cached(sql)?;
    let rows =
        select.query_map([position(log, fork), position(log + 1, 0)], |row| row.get(0).map(EntryId::from_bytes))?;
    let mut beside = Vec::new();
    for id in rows {
        let id = id?;
        if on_main.binary_search(&id).is_err() {
            beside.push(id);
        }
    }
    beside.sort_unstable();
    let parts: Vec<&[u8]> = beside.iter().map(|id| id.as_bytes().as_slice()).collect();
    Ok(if parts.is_empty() { None } else { Some(sha256(&parts)) })
}

/// Moves an entry's row to the rows set aside.
pub(crate) fn set_entry_aside(connection: &Connection, place: i64, reason: AsideReason) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO aside (what, id, reason, record, bytes, body)
               SELECT 'entry', id, ?2, coalesce(record, id), header, body FROM entry WHERE position = ?1";
    let copied = connection.prepare_cached(sql)?.execute(params![place, reason.code()])?;
    // What it names is wanted again when it comes again.
    let sql = "UPDATE blob_name SET scope = NULL WHERE entry = (SELECT id FROM entry WHERE position = ?1)";
    connection.prepare_cached(sql)?.execute([place])?;
    wiping(connection, || connection.prepare_cached("DELETE FROM entry WHERE position = ?1")?.execute([place]))?;
    Ok(copied > 0)
}
