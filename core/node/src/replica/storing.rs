//! Chunks of photos on their way to the disk: those of one blob that wait together are written with one flush.

use merestone_core::id::BlobHash;
use merestone_core::sync::{BlobState, Committed, LocalChange, Token};
use merestone_store::{BlobError, Chunk};

use super::host::{Answer, Host};
use super::reading::WantedFile;

/// Chunks written with one flush: all that a conversation may have on its way to the disk.
pub(super) const CHUNKS_MAX: usize = 64;

/// One chunk and what its answer belongs to.
pub(super) struct WaitingChunk {
    pub(super) token: Token,
    pub(super) index: u64,
    pub(super) bytes: Vec<u8>,
}

impl Host {
    /// Makes chunks of one blob durable, and the blob whole with the last one; one answer for each.
    pub(super) fn chunks(&self, hash: BlobHash, chunks: &[WaitingChunk]) -> Vec<Answer> {
        let wanted = self.reading.wanted();
        let file = wanted.files().get(&hash).cloned();
        let written = match file {
            Some(file) => self.write(&file, chunks),
            // It became whole while the list was read that asked for it again.
            None => self
                .shared
                .store
                .is_blob_whole(hash)
                .map_err(BlobError::from)
                .map(|is_whole| if is_whole { BlobState::Whole } else { BlobState::Damaged }),
        };
        let state = match written {
            Ok(state) => state,
            Err(error) => {
                let mut trouble = Some(error.into());
                let failed = |chunk: &WaitingChunk| Answer {
                    trouble: trouble.take(),
                    ..Answer::committed(chunk.token, Committed::Failed)
                };
                return chunks.iter().map(failed).collect();
            }
        };
        if state != BlobState::Partial
            && let Some(file) = wanted.files().remove(&hash)
            && state == BlobState::Damaged
        {
            // Perhaps another entry describes it rightly; its description is tried when it is asked for again.
            self.shared.false_claims().insert(file.claim);
        }
        if state == BlobState::Whole {
            let change = LocalChange { blobs: true, ..LocalChange::default() };
            self.shared.hub.publish(Some(self.member), &change);
        }
        let last = chunks.len().saturating_sub(1);
        let state_at = |at| if at == last { state } else { BlobState::Partial };
        let answers = chunks.iter().enumerate();
        answers.map(|(at, chunk)| Answer::committed(chunk.token, Committed::Chunk(state_at(at)))).collect()
    }

    /// Writes chunks of one blob, and finishes it with the last one.
    fn write(&self, file: &WantedFile, chunks: &[WaitingChunk]) -> Result<BlobState, BlobError> {
        let hash = file.claim.hash;
        let index = |chunk: &WaitingChunk| u32::try_from(chunk.index).unwrap_or(u32::MAX);
        let borrowed: Vec<_> = chunks.iter().map(|chunk| Chunk { index: index(chunk), bytes: &chunk.bytes }).collect();
        match self.shared.store.write_chunks(&file.claim, &borrowed) {
            Ok(()) => {}
            // It was erased meanwhile.
            Err(BlobError::NotWanted { hash: _ }) => return Ok(BlobState::Damaged),
            Err(error) => return Err(error),
        }
        let is_all = match self.reading.wanted().files().get_mut(&hash) {
            Some(file) => {
                chunks.iter().for_each(|chunk| file.mark(chunk.index));
                file.is_all()
            }
            None => false,
        };
        if !is_all {
            return Ok(BlobState::Partial);
        }
        match self.shared.store.finish_blob(&file.claim) {
            Ok(_) => Ok(BlobState::Whole),
            Err(BlobError::Incomplete { hash: _ }) => Ok(BlobState::Partial),
            Err(BlobError::Mismatch { hash: _ } | BlobError::NotWanted { hash: _ }) => Ok(BlobState::Damaged),
            Err(error) => Err(error),
        }
    }
}

impl WantedFile {
    fn chunk_count(&self) -> usize {
        usize::try_from(self.claim.bytes.div_ceil(merestone_core::merkle::CHUNK_BYTES as u64)).unwrap_or(usize::MAX)
    }

    fn mark(&mut self, index: u64) {
        let bytes = self.chunk_count().div_ceil(8);
        self.have.resize(bytes, 0);
        if let Some(byte) = usize::try_from(index / 8).ok().and_then(|at| self.have.get_mut(at)) {
            *byte |= 0x80 >> (index % 8);
        }
    }

    fn is_all(&self) -> bool {
        let held: usize = self.have.iter().map(|byte| byte.count_ones() as usize).sum();
        held == self.chunk_count()
    }
}
