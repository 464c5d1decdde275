//! The connections that read: kept for the next read, counted while they are lent.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, InterruptHandle};

use crate::error::ReadError;
use crate::gate::Gate;
use crate::schema;

/// Readers that are kept open for the next read: as many as screens and forty peers ask at one time, so that few are opened
/// when needed. Each keeps up to 4 MiB of pages.
const IDLE_READERS: usize = 12;

pub(crate) struct Readers {
    database: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<Reader>,
    /// Those that are lent, and those that are being opened.
    lent: usize,
    /// How to end what a reader is at, by its number.
    interrupts: BTreeMap<u64, InterruptHandle>,
    next: u64,
    is_closed: bool,
}

struct Reader {
    number: u64,
    connection: Connection,
}

/// A reader for one read. It goes back when it is dropped.
pub(crate) struct Lent<'a> {
    readers: &'a Readers,
    gate: &'a Gate,
    reader: Option<Reader>,
}

impl Readers {
    pub(crate) fn new(database: PathBuf) -> Self {
        Self { database, state: Mutex::default() }
    }

    pub(crate) fn lend<'a>(&'a self, gate: &'a Gate) -> Result<Lent<'a>, ReadError> {
        let mut state = self.state();
        if state.is_closed {
            return Err(ReadError::Closed);
        }
        state.lent += 1;
        let mut lent = Lent { readers: self, gate, reader: state.idle.pop() };
        drop(state);
        if lent.reader.is_none() {
            let connection = schema::open_reader(&self.database)?;
            let mut state = self.state();
            let number = state.next;
            state.next += 1;
            state.interrupts.insert(number, connection.get_interrupt_handle());
            lent.reader = Some(Reader { number, connection });
        }
        Ok(lent)
    }

    /// Lends none any more, closes those that are back, and ends what the others are at; how many those are.
    pub(crate) fn close(&self) -> usize {
        let mut state = self.state();
        state.is_closed = true;
        for Reader { number, connection } in std::mem::take(&mut state.idle) {
            state.interrupts.remove(&number);
            drop(connection);
        }
        // Again at each call: one that was between two statements was not interrupted by the last.
        state.interrupts.values().for_each(InterruptHandle::interrupt);
        state.lent
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent<'_> {
    pub(crate) fn connection(&self) -> Result<&Connection, ReadError> {
        self.reader.as_ref().map(|reader| &reader.connection).ok_or(ReadError::Closed)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.readers.state();
        match self.reader.take() {
            Some(reader) if !state.is_closed && state.idle.len() < IDLE_READERS => state.idle.push(reader),
            Some(Reader { number, connection }) => {
                state.interrupts.remove(&number);
                // Before it counts as back: the last connection to close moves the log into the file, and only the writer may.
                drop(connection);
            }
            None => {}
        }
        state.lent -= 1;
        drop(state);
        self.gate.tell_closer();
    }
}
