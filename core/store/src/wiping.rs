//! Moving content so that nothing of it stays behind.

use rusqlite::Connection;

/// Deletes something of which a copy was set aside, and overwrites the pages that become free.
///
/// An erasure that comes later reaches the copy, and would not reach free pages.
pub(crate) fn wiping(
    connection: &Connection,
    delete: impl FnOnce() -> rusqlite::Result<usize>,
) -> rusqlite::Result<usize> {
    let before: u8 = connection.query_row("PRAGMA secure_delete", [], |row| row.get(0))?;
    connection.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
    let deleted = delete();
    // As SQLite numbers it: 2 is FAST, the writer's choice; an erasure's own commit has it at 1 already.
    let after = if before == 2 { "PRAGMA secure_delete = FAST" } else { "PRAGMA secure_delete = ON" };
    connection.query_row(after, [], |_| Ok(()))?;
    deleted
}
