//! One cosignature (C2SP tlog-cosignature, `cosignature/v1`): a witness's key, its time, its signature.

use data_encoding::{BASE64, HEXLOWER};

use crate::checkpoint::Checkpoint;
use crate::checkpoint::note::{self, KeyType, key_hash};
use crate::key::{PublicKey, SIGNATURE_BYTES, Signer, SignerUnavailable};

/// The greatest time of a cosignature, in seconds since 1970.
pub const TIME_MAX: u64 = i64::MAX as u64;

const TIME_BYTES: usize = 8;

/// The statement of a witness that it saw a checkpoint, and none that contradicts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cosignature {
    key: PublicKey,
    time: u64,
    signature: [u8; SIGNATURE_BYTES],
}

impl Cosignature {
    /// Cosigns `checkpoint` at `time`, in seconds since 1970.
    ///
    /// Whoever calls this has kept the checkpoint as the latest it cosigned: see [`Accepted`](super::Accepted).
    ///
    /// # Errors
    /// If the time is after [`TIME_MAX`], or the signer does not sign.
    pub fn make(checkpoint: &Checkpoint, signer: &dyn Signer, time: u64) -> Result<Self, CosignError> {
        if time > TIME_MAX {
            return Err(CosignError::Time);
        }
        let signature = signer.sign_surely(&message(checkpoint.text(), time))?;
        Ok(Self { key: *signer.public(), time, signature })
    }

    /// Verifies that `signed`, which follows the key hash in a signature line, is the cosignature of `key` under `text`.
    pub(super) fn verify(text: &[u8], key: &PublicKey, signed: &[u8]) -> Option<Self> {
        let (time, signature) = signed.split_first_chunk::<TIME_BYTES>()?;
        let (time, signature) = (u64::from_be_bytes(*time), signature.try_into().ok()?);
        let is_signed = time <= TIME_MAX && key.verify(&message(text, time), &signature).is_ok();
        is_signed.then_some(Self { key: *key, time, signature })
    }

    /// Its signature line, under the name of [`witness_name`], with its line feed.
    pub fn line(&self) -> String {
        let (name, signed) = (witness_name(&self.key), [&self.time.to_be_bytes(), &self.signature[..]].concat());
        note::line(&name, &key_hash(&name, KeyType::Cosignature, &self.key), &signed)
    }

    /// The witness's key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// When the witness says it signed, in seconds since 1970.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Of two cosignatures of one key under one text, the one that a note keeps.
    pub(crate) fn precedes(&self, other: &Self) -> bool {
        (self.time, self.signature) < (other.time, other.signature)
    }
}

/// The name under which a witness's cosignatures stand in our notes.
pub fn witness_name(key: &PublicKey) -> String {
    format!("witness/{}", HEXLOWER.encode(&key.as_bytes()[..8]))
}

/// The key as others' programs are told of it (C2SP signed-note, verifier key), under the name of [`witness_name`].
pub fn verifier_key(key: &PublicKey) -> String {
    let name = witness_name(key);
    let hash = HEXLOWER.encode(&key_hash(&name, KeyType::Cosignature, key));
    let coded = BASE64.encode(&[&[KeyType::Cosignature as u8], &key.as_bytes()[..]].concat());
    format!("{name}+{hash}+{coded}")
}

/// Why a witness did not cosign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CosignError {
    /// The time is after [`TIME_MAX`].
    #[error("the time is beyond 63 bits")]
    Time,
    /// The holder of the key did not sign.
    #[error(transparent)]
    Signer(#[from] SignerUnavailable),
}

fn message(text: &[u8], time: u64) -> Vec<u8> {
    [format!("cosignature/v1\ntime {time}\n").as_bytes(), text].concat()
}

#[cfg(test)]
mod tests {
    use super::super::testing::checkpoint;
    use super::*;
    use crate::record::testing::key;

    #[test]
    fn the_message_is_header_time_and_text() {
        let checkpoint = checkpoint(7, [1; 32]);
        let made = Cosignature::make(&checkpoint, &key(61), 1_679_315_147).expect("it signs");
        let text = std::str::from_utf8(checkpoint.text()).expect("a text");
        let message = format!("cosignature/v1\ntime 1679315147\n{text}");
        assert_eq!(key(61).public().verify(message.as_bytes(), &made.signature), Ok(()));
        assert_eq!(Cosignature::make(&checkpoint, &key(61), TIME_MAX + 1), Err(CosignError::Time));
    }

    #[test]
    fn nothing_but_what_was_signed_verifies() {
        let checkpoint = checkpoint(7, [1; 32]);
        let made = Cosignature::make(&checkpoint, &key(61), 5).expect("it signs");
        let signed = [&5_u64.to_be_bytes(), &made.signature[..]].concat();
        assert_eq!(Cosignature::verify(checkpoint.text(), key(61).public(), &signed), Some(made));
        assert_eq!(Cosignature::verify(checkpoint.text(), key(62).public(), &signed), None);
        for at in 0..signed.len() {
            let mut other = signed.clone();
            other[at] ^= 1;
            assert_eq!(Cosignature::verify(checkpoint.text(), key(61).public(), &other), None, "{at}");
            assert_eq!(Cosignature::verify(checkpoint.text(), key(61).public(), &signed[..at]), None, "{at}");
        }
    }
}
