//! Rows of logs, compared with the entries that they are about.
//!
//! A row has no hash of its own. If a bit of it changes, the device would sign after an entry that nobody has; so rows are
//! compared before anything is read from them, and one that does not agree is made again from the entries.

use rusqlite::Connection;

use crate::batch::{Batch, Damaged, Internal};
use crate::error::ReadError;
use crate::logs::{is_row_sound, read_state};
use crate::store::Store;

impl Store {
    /// Makes the rows of logs again that do not agree with their entries, and notes each as set aside; how many they were.
    ///
    /// What is compared: the last entry of the prefix is held at its place, and in a forked log what is beside the main branch.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub(crate) fn mend_rows(&self) -> Result<usize, ReadError> {
        let broken = self.read(|connection| Ok(broken_rows(connection)?))?;
        if broken.is_empty() {
            return Ok(0);
        }
        let mut batch = Batch::new();
        for log in &broken {
            batch.internal(Internal::Damaged(Damaged::Log { log: *log }));
        }
        self.commit(batch).map_err(ReadError::set_aside)?;
        Ok(broken.len())
    }
}

fn broken_rows(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut select = connection.prepare_cached("SELECT log FROM log ORDER BY log")?;
    let logs = select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
    let mut broken = Vec::new();
    for log in logs {
        // A value of another shape than the schema allows is damage too.
        let is_sound = match read_state(connection, log) {
            Ok(state) => is_row_sound(connection, &state)?,
            Err(rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::FromSqlConversionFailure(..)) => false,
            Err(error) => return Err(error),
        };
        if !is_sound {
            broken.push(log);
        }
    }
    Ok(broken)
}
