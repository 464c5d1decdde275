//! The signed note (C2SP signed-note) as far as checkpoints need it: text, signature lines, key hashes.
//!
//! This module takes a note apart and decides about no signature.

use data_encoding::BASE64;

use crate::id::sha256;
use crate::key::PublicKey;
use crate::merkle::NodeHash;

/// Bytes of a key hash, before the signature in a signature line.
pub(crate) const KEY_HASH_BYTES: usize = 4;

const SIGNATURE_LINE: &str = "\u{2014} ";

/// The type byte of a key, which says what its signatures look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyType {
    /// Plain Ed25519 over the text.
    Ed25519 = 1,
    /// `cosignature/v1`.
    Cosignature = 4,
}

/// The key hash of `key` under `name`.
pub(crate) fn key_hash(name: &str, key_type: KeyType, key: &PublicKey) -> [u8; KEY_HASH_BYTES] {
    let digest = sha256(&[name.as_bytes(), &[b'\n', key_type as u8], key.as_bytes()]);
    let mut hash = [0; KEY_HASH_BYTES];
    hash.copy_from_slice(&digest[..KEY_HASH_BYTES]);
    hash
}

/// The text of a checkpoint.
pub(crate) fn text(origin: &str, size: u64, root: &NodeHash) -> String {
    format!("{origin}\n{size}\n{}\n", BASE64.encode(root))
}

/// A signature line, which ends in a line feed.
pub(crate) fn line(name: &str, key_hash: &[u8; KEY_HASH_BYTES], signature: &[u8]) -> String {
    format!("{SIGNATURE_LINE}{name} {}\n", BASE64.encode(&[key_hash, signature].concat()))
}

/// The signed text, which ends in a line feed, and the signature lines after the empty line.
pub(crate) fn split(note: &[u8]) -> Option<(&str, &str)> {
    let note = std::str::from_utf8(note).ok()?;
    // No control characters but line feeds, as C2SP signed-note wants it.
    if note.chars().any(|c| c != '\n' && c.is_ascii_control()) {
        return None;
    }
    let end = note.rfind("\n\n")?;
    let (text, signatures) = (&note[..=end], &note[end + 2..]);
    (signatures.ends_with('\n') && !signatures.starts_with('\n')).then_some((text, signatures))
}

/// Origin, size and root: three lines and no more.
pub(crate) fn parse_text(text: &str) -> Option<(&str, u64, NodeHash)> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
    if origin.is_empty() || lines.next().is_some() {
        return None;
    }
    Some((origin, parse_number(size)?, parse_hash(root)?))
}

/// Name and decoded signature of a line without its line feed.
pub(crate) fn parse_signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, coded) = line.strip_prefix(SIGNATURE_LINE)?.split_once(' ')?;
    let bytes = BASE64.decode(coded.as_bytes()).ok()?;
    let is_name = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+');
    (is_name && bytes.len() > KEY_HASH_BYTES).then_some((name, bytes))
}

/// A decimal number, as all C2SP formats write it.
pub(crate) fn parse_number(digits: &str) -> Option<u64> {
    let number: u64 = digits.parse().ok()?;
    // `parse` takes a sign and leading zeros; the spec does not.
    (number.to_string() == digits).then_some(number)
}

/// A hash in base64.
pub(crate) fn parse_hash(coded: &str) -> Option<NodeHash> {
    BASE64.decode(coded.as_bytes()).ok()?.try_into().ok()
}
