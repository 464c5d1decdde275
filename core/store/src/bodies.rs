//! Bodies that are missing under headers held here, as one peer may be asked for them: those of some scopes.

use merestone_core::id::{LogId, ScopeId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use crate::error::ReadError;
use crate::store::Store;
use crate::tips::{position_end, seq_of};

impl Store {
    /// Positions of entries of `scopes` whose bodies are neither held nor erased, each once: logs in the order in which they
    /// came here, ascending by seq within a log, after `after`; at most `positions_max`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn missing_bodies_in(
        &self,
        scopes: &[ScopeId],
        after: Option<(LogId, u64)>,
        positions_max: usize,
    ) -> Result<Vec<(LogId, u64)>, ReadError> {
        let places: Vec<String> = (2..2 + scopes.len()).map(|place| format!("?{place}")).collect();
        let sql = format!(
            "SELECT l.id, e.position FROM entry e CROSS JOIN log l ON l.log = e.position >> 23
             WHERE e.body_state = 0 AND e.position > ?1 AND l.scope IN ({}) ORDER BY e.position",
            places.join(", ")
        );
        self.read(|connection| {
            let above = match after {
                Some((log, seq)) => last_place(connection, log, seq)?,
                None => 0,
            };
            let scopes = scopes.iter().map(|scope| Value::from(scope.as_bytes().to_vec()));
            let mut select = connection.prepare_cached(&sql)?;
            let mut rows = select.query(params_from_iter([Value::from(above)].into_iter().chain(scopes)))?;
            let mut found = Vec::new();
            while found.len() < positions_max
                && let Some(row) = rows.next()?
            {
                let place = (LogId::from_bytes(row.get(0)?), seq_of(row.get(1)?));
                // Siblings of a fork stand at one position.
                if found.last() != Some(&place) {
                    found.push(place);
                }
            }
            Ok(found)
        })
    }
}

/// The last place of `seq` in a log; a log that is not held is before all others.
fn last_place(connection: &Connection, log: LogId, seq: u64) -> rusqlite::Result<i64> {
    let sql = "SELECT log FROM log WHERE id = ?1";
    let found = connection.prepare_cached(sql)?.query_row([log.as_bytes()], |row| row.get(0)).optional()?;
    Ok(found.map_or(0, |log| position_end(log, seq)))
}
