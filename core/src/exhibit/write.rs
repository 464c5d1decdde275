//! The bytes of an exhibit, from parts that were signed elsewhere.

use super::VERSION;
use crate::cbor::Writer;
use crate::ledger::LedgerProof;
use crate::roster::{Certificate, CharterFile};

/// What an exhibit is made of.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// What founds the mission, and what amended it.
    pub charter: &'a CharterFile,
    /// Certificates of the entry's key, in any order.
    pub certificates: &'a [&'a Certificate],
    /// The entry.
    pub shown: Shown<'a>,
    /// That the ledger has it, if that can be shown.
    pub proof: Option<&'a LedgerProof>,
}

/// The entry of an exhibit.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// That it was signed, and nothing of what it says.
    Header(&'a [u8]),
    /// Chosen answers of it.
    Disclosure {
        /// The disclosure, which has the header in it.
        disclosure: &'a [u8],
        /// The definition of its form.
        form: &'a [u8],
    },
}

/// Writes an exhibit. Whether a verifier accepts it is for [`Exhibit::read`](super::Exhibit::read) to say.
pub fn write(parts: Parts<'_>) -> Vec<u8> {
    let Parts { charter, certificates, shown, proof } = parts;
    let mut certificates = certificates.to_vec();
    certificates.sort_unstable_by_key(|certificate| certificate.id());
    certificates.dedup_by_key(|certificate| certificate.id());
    let keys = 4 + usize::from(matches!(shown, Shown::Disclosure { .. })) + usize::from(proof.is_some());
    let mut writer = Writer::new();
    writer.map(keys).uint(1).uint(VERSION).uint(2).bytes(charter.as_bytes());
    writer.uint(3).array(certificates.len());
    for certificate in certificates {
        writer.bytes(certificate.as_bytes());
    }
    match shown {
        Shown::Header(header) => writer.uint(4).bytes(header),
        Shown::Disclosure { disclosure, form } => writer.uint(5).bytes(disclosure).uint(6).bytes(form),
    };
    if let Some(proof) = proof {
        writer.uint(7).bytes(&proof.encode());
    }
    writer.finish()
}
