//! Frames of blobs: chunk hashes and chunks (`spec/sync.md` §Photos).

use super::frame::CHUNKS_MAX;
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Refused};
use crate::id::{BlobHash, DIGEST_BYTES};
use crate::merkle::{CHUNK_BYTES, NodeHash};

/// A frame of one of the three blob classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobFrame {
    /// The leaves of the chunk tree; comes before the first chunk.
    Hashes(BlobHash, Vec<NodeHash>),
    /// One chunk.
    Chunk {
        /// The blob.
        hash: BlobHash,
        /// Which chunk, from 0.
        index: u64,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

impl BlobFrame {
    /// Encodes the frame.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Hashes(hash, hashes) => {
                let mut writer = Writer::with_capacity(hashes.len() * DIGEST_BYTES + 48);
                writer.array(3).uint(0).bytes(hash.as_bytes()).bytes(&hashes.concat());
                writer.finish()
            }
            Self::Chunk { hash, index, bytes } => {
                let mut writer = Writer::with_capacity(bytes.len() + 64);
                writer.array(4).uint(1).bytes(hash.as_bytes()).uint(*index).bytes(bytes);
                writer.finish()
            }
        }
    }

    /// Decodes a frame.
    ///
    /// # Errors
    /// If it is no such frame, or longer than a blob may be.
    pub fn decode(frame: &[u8]) -> Result<Self, Refused> {
        let mut reader = Reader::new(frame);
        let items = reader.array(4, "blob frame")?;
        let decoded = match (reader.uint("blob frame type")?, items) {
            (0, 3) => {
                let hash = BlobHash::from_bytes(reader.array_of("blob")?);
                let (hashes, rest) = reader.bytes("chunk hashes")?.as_chunks::<DIGEST_BYTES>();
                let is_sound = rest.is_empty() && (1..=CHUNKS_MAX).contains(&hashes.len());
                if !is_sound {
                    return Err(Refused { check: Check::Shape, what: "chunk hashes" });
                }
                Self::Hashes(hash, hashes.to_vec())
            }
            (1, 4) => {
                let hash = BlobHash::from_bytes(reader.array_of("blob")?);
                let index = reader.uint("chunk index")?;
                let bytes = reader.bytes("chunk")?;
                if !(1..=CHUNK_BYTES).contains(&bytes.len()) {
                    return Err(Refused { check: Check::Shape, what: "chunk" });
                }
                Self::Chunk { hash, index, bytes: bytes.to_vec() }
            }
            _ => return Err(Refused { check: Check::Shape, what: "blob frame" }),
        };
        reader.leave();
        reader.finish("blob frame")?;
        Ok(decoded)
    }
}

/// Which chunks are there, most significant bit first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(Vec<u8>);

impl Bits {
    /// The bits of `have`, of which those from `len` on do not count.
    pub(super) fn of(have: &[u8], len: usize) -> Self {
        let mut bits = Self(vec![0; len.div_ceil(8)]);
        (0..len)
            .filter(|at| have.get(at / 8).is_some_and(|byte| byte & 0x80 >> (at % 8) != 0))
            .for_each(|at| bits.set(at));
        bits
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.0.get(at / 8).is_some_and(|byte| byte & 0x80 >> (at % 8) != 0)
    }

    pub(super) fn set(&mut self, at: usize) {
        if let Some(byte) = self.0.get_mut(at / 8) {
            *byte |= 0x80 >> (at % 8);
        }
    }

    /// As a want says it: empty for none.
    pub(super) fn to_wire(&self) -> Vec<u8> {
        if self.count() == 0 { Vec::new() } else { self.0.clone() }
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|byte| byte.count_ones() as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_read_back_and_damaged_ones_are_refused() {
        let hash = BlobHash::from_bytes([1; 32]);
        for frame in [
            BlobFrame::Hashes(hash, vec![[2; 32], [3; 32]]),
            BlobFrame::Chunk { hash, index: 1_023, bytes: vec![4; CHUNK_BYTES] },
        ] {
            let mut bytes = frame.encode();
            assert_eq!(BlobFrame::decode(&bytes).as_ref(), Ok(&frame));
            assert!(BlobFrame::decode(&bytes[..bytes.len() - 1]).is_err());
            bytes.push(0);
            assert!(BlobFrame::decode(&bytes).is_err());
        }
        for bad in [
            BlobFrame::Hashes(hash, vec![]),
            BlobFrame::Hashes(hash, vec![[0; 32]; CHUNKS_MAX + 1]),
            BlobFrame::Chunk { hash, index: 0, bytes: vec![] },
            BlobFrame::Chunk { hash, index: 0, bytes: vec![0; CHUNK_BYTES + 1] },
        ] {
            assert!(BlobFrame::decode(&bad.encode()).is_err());
        }
    }

    #[test]
    fn bits_are_most_significant_first_and_never_more_than_there_are_chunks() {
        let bits = Bits::of(&[0b1010_0000, 0xff], 10);
        assert_eq!((0..12).filter(|at| bits.has(*at)).collect::<Vec<_>>(), [0, 2, 8, 9]);
        assert_eq!(Bits::of(&[], 3).count(), 0);
    }
}
