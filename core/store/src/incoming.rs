//! Photos on their way in: chunks go to the file as they come, one flush makes the whole durable, and a kill loses nothing.
//!
//! Beside the partial file lie its chunk hashes. Neither is flushed while chunks arrive: after a kill or a power cut, what is
//! in the file is compared with the hashes, and the hashes with the root that a signed entry names, so whatever the disk
//! kept counts and nothing else does.

use std::fs::{self, File};
use std::io::{Read, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use merestone_core::id::{BlobHash, DIGEST_BYTES};
use merestone_core::merkle::{self, CHUNK_BYTES, NodeHash};
use sha2::{Digest as _, Sha256};

use crate::apply::BLOB_WHOLE;
use crate::batch::{Batch, Internal};
use crate::bits::{Bits, chunk_count, is_chunk_len};
use crate::blob::{WholeBlob, hash_file};
use crate::claim::BlobClaim;
use crate::error::BlobError;
use crate::gate::{BlobFile, Gate, Writing, is_shut};
use crate::store::Store;

/// What is held of a blob that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldPart {
    /// All of it.
    Whole,
    /// These chunks, compared with their hashes; most significant bit first, empty for none.
    Chunks(Vec<u8>),
}

/// A blob on its way in. Dropping it keeps what came for the next time.
#[derive(Debug)]
pub struct IncomingBlob {
    claim: BlobClaim,
    path: PathBuf,
    row: i64,
    file: BlobFile,
    have: Bits,
    /// Length of the file once all of it is there: up to the claim's last chunk, what came says how long that is.
    bytes: u64,
    /// SHA-256 over the first `hashed` chunks.
    hasher: Sha256,
    hashed: u32,
}

impl Store {
    /// What is held of a blob that some entry names: what a kill left in its file is compared with the chunk hashes beside it,
    /// and a file that a kill left without its row gets its row.
    ///
    /// # Errors
    /// If the disk cannot be read, or a file not set aside.
    pub fn held_part(&self, claim: &BlobClaim) -> Result<HeldPart, BlobError> {
        let _inside = self.gate.enter()?;
        let moving = self.moving();
        let nothing = || HeldPart::Chunks(Vec::new());
        let Some(row) = self.claimed(claim)? else { return Ok(nothing()) };
        if row.state == BLOB_WHOLE || self.take_in_unknown(claim)? {
            return Ok(HeldPart::Whole);
        }
        let path = self.folder.partial_blob(claim.hash, row.blob);
        if !path.exists() {
            return Ok(nothing());
        }
        let Some(hashes) = read_hashes(&hashes_beside(&path), claim) else {
            // Noted by `write_chunks`, each after its flush.
            return Ok(HeldPart::Chunks(row.have));
        };
        let have = compare(&path, claim, &hashes, &self.gate)?;
        // Planted: what has the length of a chunk is taken for it.
        #[cfg(planted)]
        let have = if merestone_core::planted::is("resume-unverified") { long_enough(&path, claim)? } else { have };
        drop(moving);
        if !Bits::of(Some(have.clone()), claim.bytes).is_all() {
            return Ok(HeldPart::Chunks(have));
        }
        // The kill came after the last chunk.
        let mut incoming = self.receive_blob(claim, &hashes, &have)?;
        match self.seal_blob(&mut incoming) {
            Ok(_) => Ok(HeldPart::Whole),
            Err(BlobError::Mismatch { hash: _ }) => Ok(nothing()),
            Err(error) => Err(error),
        }
    }

    /// Begins to take in a blob, or goes on where `have`, from [`held_part`](Self::held_part), says. `hashes` are the leaves of
    /// its chunk tree.
    ///
    /// # Errors
    /// [`BlobError::NotWanted`] if no entry says `claim` or the blob is held or erased; [`BlobError::Mismatch`] if the
    /// hashes have another root; or the disk refuses.
    pub fn receive_blob(&self, claim: &BlobClaim, hashes: &[NodeHash], have: &[u8]) -> Result<IncomingBlob, BlobError> {
        let hash = claim.hash;
        if hashes.len() as u64 != chunk_count(claim.bytes) || merkle::root(hashes) != claim.chunks {
            return Err(BlobError::Mismatch { hash });
        }
        let _inside = self.gate.enter()?;
        let _moving = self.moving();
        let row = self.claimed(claim)?.filter(|row| row.state != BLOB_WHOLE).ok_or(BlobError::NotWanted { hash })?;
        let path = self.folder.partial_blob(hash, row.blob);
        let is_new = !path.exists();
        if is_new && !row.have.is_empty() {
            // The bits outlived their bytes; none of them is true.
            let mut batch = Batch::new();
            batch.internal(Internal::ForgetChunks { row: row.blob });
            self.commit(batch)?;
        }
        // A single chunk is there or not; nothing of it needs to be found again.
        if hashes.len() > 1 && read_hashes(&hashes_beside(&path), claim).is_none() {
            fs::write(hashes_beside(&path), hashes.as_flattened())?;
        }
        let file = File::options().create(true).truncate(false).read(true).write(true).open(&path)?;
        let have = Bits::of(Some(have.to_vec()).filter(|_| !is_new), claim.bytes);
        // Where the last chunk is there the file ends with it, and writing it says the same.
        let bytes = file.metadata()?.len();
        let file = self.gate.lend(file)?;
        Ok(IncomingBlob { claim: *claim, path, row: row.blob, file, have, bytes, hasher: Sha256::new(), hashed: 0 })
    }

    /// Makes a blob whole of which every chunk came: compares its SHA-256, makes it durable, names it and notes it as held.
    ///
    /// # Errors
    /// [`BlobError::Incomplete`]; [`BlobError::Mismatch`] when the content is another: the file is then set aside;
    /// [`BlobError::NotWanted`] when it was erased meanwhile. Or the disk refuses.
    pub fn seal_blob(&self, incoming: &mut IncomingBlob) -> Result<WholeBlob, BlobError> {
        let (claim, path) = (incoming.claim, incoming.path.clone());
        let hash = claim.hash;
        let _inside = self.gate.enter()?;
        if !incoming.have.is_all() {
            return Err(BlobError::Incomplete { hash });
        }
        // Planted: each chunk was compared when it came, so the whole is not.
        #[cfg(planted)]
        let is_trusted = merestone_core::planted::is("resume-unverified");
        #[cfg(not(planted))]
        let is_trusted = false;
        if !is_trusted && incoming.digest()? != hash {
            return self.refuse_whole(hash, &path, incoming.row);
        }
        if let Err(error) = incoming.file.sync() {
            // What the disk holds of it is unknown now, and would look written; a peer has it still.
            if !is_shut(&error) {
                let _ = fs::remove_file(&path);
            }
            return Err(error.into());
        }
        let blob = WholeBlob { hash, bytes: incoming.bytes };
        self.name_whole(&claim, &path, blob)
    }

    /// Gives a durable partial file its name, and its row.
    pub(crate) fn name_whole(
        &self,
        claim: &BlobClaim,
        path: &std::path::Path,
        blob: WholeBlob,
    ) -> Result<WholeBlob, BlobError> {
        let moving = self.moving();
        let folder = match self.claimed(claim)? {
            Some(row) if row.state == BLOB_WHOLE => {
                let _ = fs::remove_file(path);
                None
            }
            Some(_) => Some(self.rename_whole(&moving, path, blob)?),
            None => {
                let _ = fs::remove_file(path);
                let _ = fs::remove_file(hashes_beside(path));
                return Err(BlobError::NotWanted { hash: blob.hash });
            }
        };
        let _ = fs::remove_file(hashes_beside(path));
        drop(moving);
        if let Some(folder) = folder {
            crate::folder::flush_folder(&folder)?;
        }
        let mut batch = Batch::new();
        batch.blob(blob).refetchable();
        self.commit(batch)?;
        Ok(blob)
    }

    /// All chunks are right and the whole is another file: the first such is set aside, and others are fetched by another
    /// description. More would let whoever makes up descriptions fill the disk.
    pub(crate) fn refuse_whole<T>(&self, hash: BlobHash, path: &std::path::Path, row: i64) -> Result<T, BlobError> {
        let moving = self.moving();
        let is_first = !self.folder.is_aside(&hash.to_string());
        match is_first {
            true => drop(self.folder.set_aside(path, &hash.to_string())?),
            false => fs::remove_file(path)?,
        }
        let _ = fs::remove_file(hashes_beside(path));
        drop(moving);
        let mut batch = Batch::new();
        batch.internal(Internal::ForgetChunks { row });
        if is_first {
            batch.internal(Internal::PartAside { hash });
        }
        self.commit(batch)?;
        Err(BlobError::Mismatch { hash })
    }

    /// A kill may have come between a file's name and its row. Whether the blob is held by now.
    fn take_in_unknown(&self, claim: &BlobClaim) -> Result<bool, BlobError> {
        let path = self.folder.blob(claim.hash);
        if !path.exists() {
            return Ok(false);
        }
        let blob = hash_file(&path, &self.gate)?;
        if blob.hash != claim.hash {
            return Ok(false);
        }
        // Its name may not have been durable yet.
        if let Some(folder) = path.parent() {
            crate::folder::flush_folder(folder)?;
        }
        let mut batch = Batch::new();
        batch.blob(blob).refetchable();
        self.commit(batch)?;
        Ok(true)
    }
}

impl IncomingBlob {
    /// Writes one chunk that was compared with its hash; one that came before changes nothing.
    ///
    /// # Errors
    /// If it does not fit its place, or the disk refuses.
    pub fn write(&mut self, index: u32, bytes: &[u8]) -> Result<(), BlobError> {
        if !is_chunk_len(self.claim.bytes, index, bytes.len()) {
            return Err(BlobError::Chunk { hash: self.claim.hash, index });
        }
        if self.have.has(index) {
            return Ok(());
        }
        let start = u64::from(index) * CHUNK_BYTES as u64;
        self.file.seek(SeekFrom::Start(start))?;
        Writing(&self.file).write_all(bytes)?;
        self.have.set(index);
        self.bytes = self.bytes.max(start + bytes.len() as u64);
        let is_next = self.hashed == index;
        // A photo that goes on after a cut is hashed from where it goes on, so the right file is taken for a damaged one.
        #[cfg(planted)]
        let is_next = is_next || merestone_core::planted::is("resume-hashes-the-rest");
        if is_next {
            self.hasher.update(bytes);
            self.hashed += 1;
        }
        Ok(())
    }

    /// Which chunks are in the file, most significant bit first.
    pub fn have(&self) -> &[u8] {
        self.have.as_bytes()
    }

    /// Whether all are.
    pub fn is_all(&self) -> bool {
        self.have.is_all()
    }

    /// What entries say about it.
    pub fn claim(&self) -> &BlobClaim {
        &self.claim
    }

    /// SHA-256 of the whole; what did not come in order is read again.
    fn digest(&mut self) -> Result<BlobHash, BlobError> {
        let mut rest = self.bytes.saturating_sub(u64::from(self.hashed) * CHUNK_BYTES as u64);
        if rest > 0 {
            self.file.seek(SeekFrom::Start(self.bytes - rest))?;
        }
        let mut piece = vec![0; CHUNK_BYTES];
        while rest > 0 {
            let len = usize::try_from(rest).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
            self.file.read_exact(&mut piece[..len])?;
            self.hasher.update(&piece[..len]);
            self.hashed += 1;
            rest -= len as u64;
        }
        Ok(BlobHash::from_bytes(self.hasher.clone().finalize().into()))
    }
}

/// Where the chunk hashes of a partial file lie.
pub(crate) fn hashes_beside(partial: &std::path::Path) -> PathBuf {
    let mut name = partial.as_os_str().to_owned();
    name.push(".chunks");
    name.into()
}

/// The chunk hashes that lie there, if they are those of this blob.
fn read_hashes(path: &std::path::Path, claim: &BlobClaim) -> Option<Vec<NodeHash>> {
    let bytes_max = chunk_count(claim.bytes).checked_mul(DIGEST_BYTES as u64)?;
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(bytes_max + 1).read_to_end(&mut bytes).ok()?;
    let (hashes, rest) = bytes.as_chunks::<DIGEST_BYTES>();
    let is_sound =
        rest.is_empty() && hashes.len() as u64 == chunk_count(claim.bytes) && merkle::root(hashes) == claim.chunks;
    is_sound.then(|| hashes.to_vec())
}

/// The chunks of a file that have their hashes.
fn compare(path: &std::path::Path, claim: &BlobClaim, hashes: &[NodeHash], gate: &Gate) -> Result<Vec<u8>, BlobError> {
    let mut file = File::open(path)?;
    let mut have = Bits::of(None, claim.bytes);
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    for (index, hash) in (0..).zip(hashes) {
        gate.check()?;
        chunk.clear();
        Read::by_ref(&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
        if chunk.is_empty() {
            break;
        }
        if merkle::leaf_hash(&chunk) == *hash {
            have.set(index);
        }
    }
    Ok(if have.is_none() { Vec::new() } else { have.as_bytes().to_vec() })
}

/// The chunks that end before the file does.
#[cfg(planted)]
fn long_enough(path: &std::path::Path, claim: &BlobClaim) -> Result<Vec<u8>, BlobError> {
    let mut have = Bits::of(None, claim.bytes);
    let len = fs::metadata(path)?.len();
    for index in (0..).take_while(|index| (u64::from(*index) * CHUNK_BYTES as u64) < claim.bytes) {
        let end = (u64::from(index) + 1) * CHUNK_BYTES as u64;
        if end.min(claim.bytes) <= len {
            have.set(index);
        }
    }
    Ok(if have.is_none() { Vec::new() } else { have.as_bytes().to_vec() })
}
