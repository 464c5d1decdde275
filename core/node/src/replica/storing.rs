//! Chunks of photos on their way to the disk, and the photo that they make.

use std::sync::{Arc, Mutex};

use merestone_core::merkle::NodeHash;
use merestone_core::sync::{BlobState, Committed, LocalChange, Token};
use merestone_store::{BlobError, IncomingBlob};

use super::arrivals::whole;
use super::host::{Answer, Host, Trouble};
use super::reading::FileKey;

/// One chunk and what its answer belongs to.
pub(super) struct WaitingChunk {
    pub(super) token: Token,
    /// Of which file.
    pub(super) file: FileKey,
    pub(super) index: u64,
    pub(super) bytes: Vec<u8>,
}

impl Host {
    /// The peer begins to send a blob, of which these are the chunk hashes; their root was compared.
    pub(super) fn chunk_hashes(&self, token: Token, file: FileKey, hashes: &[NodeHash]) -> Answer {
        let file = self.reading.wanted().files().get(&file).cloned();
        let Some(file) = file else { return Answer::committed(token, Committed::ChunkHashes) };
        let begun = self.shared.arrivals.begin(&self.shared.store, self.member, &file.claim, hashes, &file.have);
        match begun {
            // It became whole or was erased since it was asked for; the chunks' answers will say which.
            Ok(()) | Err(BlobError::NotWanted { hash: _ }) => Answer::committed(token, Committed::ChunkHashes),
            Err(error) => Answer::failed(token, error.into()),
        }
    }

    /// Writes one chunk that was compared with its hash, and makes the blob whole and durable with the last one.
    pub(super) fn chunk(&self, chunk: &WaitingChunk) -> Answer {
        match self.write(chunk) {
            Ok(Written::All(blob)) => self.make_whole(chunk.file, chunk.token, &blob),
            Ok(Written::Known(state)) => self.settled(chunk.file, chunk.token, state),
            Err(error) => failed(chunk.token, error),
        }
    }

    /// Writes one chunk that was compared with its hash; `Err`: the blob of which it was the last, to be
    /// [made whole](Self::make_whole), which waits for the disk.
    pub(super) fn write_chunk(&self, chunk: &WaitingChunk) -> Result<Answer, Arc<Mutex<IncomingBlob>>> {
        match self.write(chunk) {
            Ok(Written::All(blob)) => Err(blob),
            Ok(Written::Known(state)) => Ok(self.settled(chunk.file, chunk.token, state)),
            Err(error) => Ok(failed(chunk.token, error)),
        }
    }

    /// Makes a blob whole and durable, of which the chunk of `token` was the last to come.
    pub(super) fn make_whole(&self, file: FileKey, token: Token, blob: &Mutex<IncomingBlob>) -> Answer {
        match self.seal(&mut whole(blob)) {
            Ok(state) => self.settled(file, token, state),
            Err(error) => failed(token, error),
        }
    }

    /// Draws what follows from what is held of a blob now, and answers.
    fn settled(&self, file: FileKey, token: Token, state: BlobState) -> Answer {
        match state {
            BlobState::Partial => {}
            BlobState::Damaged => {
                if self.reading.wanted().files().remove(&file).is_some() {
                    self.shared.arrivals.end(file);
                }
            }
            BlobState::Whole => {
                self.reading.wanted().forget(file.0);
                self.shared.arrivals.end_all(file.0);
                let change = LocalChange { blobs: true, ..LocalChange::default() };
                self.shared.hub.publish(Some(self.member), &change);
            }
        }
        Answer::committed(token, Committed::Chunk(state))
    }

    fn write(&self, chunk: &WaitingChunk) -> Result<Written, BlobError> {
        let claim = self.reading.wanted().files().get(&chunk.file).map(|file| file.claim);
        let Some(blob) = claim.and_then(|claim| self.shared.arrivals.blob(&claim)) else {
            // Another conversation made it whole, or it was erased.
            let is_whole = self.shared.store.is_blob_whole(chunk.file.0)?;
            return Ok(Written::Known(if is_whole { BlobState::Whole } else { BlobState::Damaged }));
        };
        let mut incoming = whole(&blob);
        incoming.write(u32::try_from(chunk.index).unwrap_or(u32::MAX), &chunk.bytes)?;
        let is_all = incoming.is_all();
        drop(incoming);
        Ok(if is_all { Written::All(blob) } else { Written::Known(BlobState::Partial) })
    }

    fn seal(&self, blob: &mut IncomingBlob) -> Result<BlobState, BlobError> {
        match self.shared.store.seal_blob(blob) {
            Ok(_) => Ok(BlobState::Whole),
            Err(BlobError::Incomplete { hash: _ }) => Ok(BlobState::Partial),
            Err(BlobError::Mismatch { hash: _ }) => {
                self.shared.doubts.note(*blob.claim());
                Ok(BlobState::Damaged)
            }
            Err(BlobError::NotWanted { hash: _ }) => Ok(BlobState::Damaged),
            Err(error) => Err(error),
        }
    }
}

/// What is there after a chunk was written.
enum Written {
    /// Every chunk; the whole is not durable yet.
    All(Arc<Mutex<IncomingBlob>>),
    Known(BlobState),
}

fn failed(token: Token, error: BlobError) -> Answer {
    Answer { trouble: Some(Trouble::Store(error.into())), ..Answer::committed(token, Committed::Failed) }
}
