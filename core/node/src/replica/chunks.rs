//! Photos on their way out, chunk by chunk.
//!
//! A file is hashed once, when its chunk hashes are asked for; that its chunks have not changed since, the receiver sees.

use std::collections::VecDeque;
use std::io::{Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use merestone_core::id::{BlobHash, ScopeId};
use merestone_core::merkle::{CHUNK_BYTES, NodeHash, leaf_hash, root};
use merestone_store::{BlobError, BlobFile, Store};

/// Files kept open for one peer: as many as it may want at one time.
const OPEN_MAX: usize = 64;

/// The files that one peer is being sent.
#[derive(Default)]
pub(super) struct Outgoing {
    open: Mutex<VecDeque<Arc<OpenBlob>>>,
}

struct OpenBlob {
    hash: BlobHash,
    file: Mutex<BlobFile>,
    hashes: Vec<NodeHash>,
}

impl Outgoing {
    /// The chunk hashes of a blob that is held whole and that an entry of `scopes` names; `None` otherwise.
    ///
    /// A file that is not what entries say of it is hashed whole, and set aside if it is damaged.
    pub(super) fn hashes(
        &self,
        store: &Store,
        hash: BlobHash,
        scopes: &[ScopeId],
    ) -> Result<Option<Vec<NodeHash>>, BlobError> {
        let claims = store.claims_in(scopes, hash)?;
        if claims.is_empty() {
            return Ok(None);
        }
        let Some(blob) = open(store, hash)? else { return Ok(None) };
        let found = root(&blob.hashes);
        if claims.iter().all(|claim| claim.chunks != found) && !store.verify_blob(hash)? {
            return Ok(None);
        }
        let hashes = blob.hashes.clone();
        self.keep(blob);
        Ok(Some(hashes))
    }

    /// One chunk; `None` when it is gone or shorter than it was.
    pub(super) fn chunk(&self, store: &Store, hash: BlobHash, index: u64) -> Result<Option<Vec<u8>>, BlobError> {
        let blob = match self.find(hash) {
            Some(blob) => blob,
            None => match open(store, hash)? {
                Some(blob) => self.keep(blob),
                None => return Ok(None),
            },
        };
        let chunk = read_chunk(&mut whole(&blob.file), index)?;
        let is_there = usize::try_from(index).is_ok_and(|index| index < blob.hashes.len()) && !chunk.is_empty();
        Ok(is_there.then_some(chunk))
    }

    fn find(&self, hash: BlobHash) -> Option<Arc<OpenBlob>> {
        self.files().iter().find(|open| open.hash == hash).cloned()
    }

    fn keep(&self, blob: OpenBlob) -> Arc<OpenBlob> {
        let blob = Arc::new(blob);
        let mut files = self.files();
        files.retain(|open| open.hash != blob.hash);
        if files.len() >= OPEN_MAX {
            files.pop_front();
        }
        files.push_back(Arc::clone(&blob));
        blob
    }

    fn files(&self) -> MutexGuard<'_, VecDeque<Arc<OpenBlob>>> {
        whole(&self.open)
    }
}

/// Opens a blob and hashes its chunks, one at a time.
fn open(store: &Store, hash: BlobHash) -> Result<Option<OpenBlob>, BlobError> {
    let Some(mut file) = store.open_blob(hash)? else { return Ok(None) };
    let mut hashes = Vec::new();
    loop {
        let chunk = read_piece(&mut file)?;
        if chunk.is_empty() {
            break;
        }
        hashes.push(leaf_hash(&chunk));
    }
    Ok(Some(OpenBlob { hash, file: Mutex::new(file), hashes }))
}

fn read_chunk(file: &mut BlobFile, index: u64) -> Result<Vec<u8>, BlobError> {
    file.seek(SeekFrom::Start(index * CHUNK_BYTES as u64))?;
    Ok(read_piece(file)?)
}

fn read_piece(file: &mut BlobFile) -> std::io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(CHUNK_BYTES);
    file.take(CHUNK_BYTES as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

/// A file's position is set before each read, and the list is whole after each statement.
fn whole<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
