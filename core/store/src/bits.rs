//! Which chunks of a blob are held: one bit for each, most significant first, as `spec/sync.md` sends it.

use merestone_core::merkle::CHUNK_BYTES;

/// Number of chunks of a blob of this size.
pub(crate) fn chunk_count(bytes: u64) -> u64 {
    bytes.div_ceil(CHUNK_BYTES as u64)
}

/// Whether chunk `index` of a blob of about `bytes` bytes may have this length: all but the last are full.
///
/// How long the last one is, its hash says, which is in the signed root; the size beside the root may be false, and a false
/// one must not keep a photo from becoming whole.
pub(crate) fn is_chunk_len(bytes: u64, index: u32, len: usize) -> bool {
    let count = chunk_count(bytes);
    match u64::from(index) + 1 {
        at if at < count => len == CHUNK_BYTES,
        at => at == count && (1..=CHUNK_BYTES).contains(&len),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bits {
    bytes: Vec<u8>,
    count: u64,
}

impl Bits {
    /// The bits that were stored for a blob of `blob_bytes`; stored bits of another length count as none.
    pub(crate) fn of(stored: Option<Vec<u8>>, blob_bytes: u64) -> Self {
        let count = chunk_count(blob_bytes);
        let len = usize::try_from(count.div_ceil(8)).unwrap_or(0);
        let bytes = stored.filter(|bytes| bytes.len() == len).unwrap_or_else(|| vec![0; len]);
        Self { bytes, count }
    }

    pub(crate) fn set(&mut self, index: u32) {
        if u64::from(index) < self.count {
            self.bytes[index as usize / 8] |= 0x80 >> (index % 8);
        }
    }

    pub(crate) fn has(&self, index: u32) -> bool {
        self.bytes.get(index as usize / 8).is_some_and(|byte| byte & 0x80 >> (index % 8) != 0)
    }

    pub(crate) fn is_none(&self) -> bool {
        self.bytes.iter().all(|byte| *byte == 0)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn is_all(&self) -> bool {
        let held: u64 = self.bytes.iter().map(|byte| u64::from(byte.count_ones())).sum();
        held == self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_a_blob_and_nothing_else() {
        let chunk = CHUNK_BYTES as u64;
        for (bytes, count) in [(1, 1), (chunk, 1), (chunk + 7, 2)] {
            assert_eq!(chunk_count(bytes), count);
        }
        assert!(is_chunk_len(chunk + 7, 0, CHUNK_BYTES) && !is_chunk_len(chunk + 7, 0, CHUNK_BYTES - 1));
        assert!(is_chunk_len(chunk + 7, 1, 7) && is_chunk_len(chunk + 7, 1, 8));
        assert!(!is_chunk_len(chunk + 7, 1, 0) && !is_chunk_len(chunk + 7, 1, CHUNK_BYTES + 1));
        assert!(!is_chunk_len(chunk, 1, 1));
    }

    #[test]
    fn bits_stand_most_significant_first_and_end_with_the_blob() {
        let mut bits = Bits::of(None, 9 * CHUNK_BYTES as u64);
        bits.set(0);
        bits.set(8);
        bits.set(9);
        assert_eq!(bits.as_bytes(), [0x80, 0x80]);
        (0..9).for_each(|index| bits.set(index));
        assert!(bits.is_all());
        assert_eq!(Bits::of(Some(vec![0xff]), 9 * CHUNK_BYTES as u64).as_bytes(), [0, 0]);
    }
}
