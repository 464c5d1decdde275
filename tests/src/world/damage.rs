//! Bits that turn around at rest, in a device that is off: in photos, in photos on their way in, in bodies of entries.
//!
//! Whether the product notices is not judged here.

use std::io;
use std::path::PathBuf;

use merestone_core::id::{BlobHash, EntryId};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::disk;
use super::site::Site;
use crate::chance::Chance;

/// Turns a bit of a whole photo around; `None` if there is none.
///
/// # Errors
/// If the World cannot write to its own folder.
pub fn photo(site: &Site, chance: &mut Chance) -> io::Result<Option<BlobHash>> {
    let Some(file) = pick(site, chance, false) else { return Ok(None) };
    site.disk.flip_bit(&file, chance)?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(BlobHash::from_hex(&name))
}

/// Turns a bit of a photo around that is on its way in; whether there was one.
///
/// # Errors
/// If the World cannot write to its own folder.
pub fn partial(site: &Site, chance: &mut Chance) -> io::Result<bool> {
    let Some(file) = pick(site, chance, true) else { return Ok(false) };
    site.disk.flip_bit(&file, chance)?;
    Ok(true)
}

/// Turns a bit of an entry's body around, in its row; `None` if there is none.
///
/// # Errors
/// If the World cannot use the database.
pub fn body(site: &Site, chance: &mut Chance) -> rusqlite::Result<Option<EntryId>> {
    let database = Connection::open(site.folder().join("store/store.db"))?;
    let count: i64 = database.query_row("SELECT count(*) FROM entry WHERE body IS NOT NULL", [], |row| row.get(0))?;
    let at = chance.below(count.unsigned_abs()).cast_signed();
    let sql = "SELECT position, id, body FROM entry WHERE body IS NOT NULL ORDER BY position LIMIT 1 OFFSET ?1";
    let found = database
        .query_row(sql, [at], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?, row.get::<_, Vec<u8>>(2)?)));
    let Some((position, id, mut body)) = found.optional()? else { return Ok(None) };
    let at = usize::try_from(chance.below(body.len() as u64)).unwrap_or(0);
    if let Some(byte) = body.get_mut(at) {
        *byte ^= 1 << chance.below(8);
    }
    database.execute("UPDATE entry SET body = ?2 WHERE position = ?1", params![position, body])?;
    Ok(Some(EntryId::from_bytes(id)))
}

fn pick(site: &Site, chance: &mut Chance, is_partial: bool) -> Option<PathBuf> {
    let mut files = disk::files(&site.folder().join("store/blobs")).unwrap_or_default();
    files.retain(|file| file.to_string_lossy().contains("partial") == is_partial);
    chance.pick(&files).filter(|file| file.metadata().is_ok_and(|about| about.len() > 0)).cloned()
}
