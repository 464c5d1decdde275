//! Two entries of one key at one position, shown to somebody who holds nothing but the mission's id (`spec/fork.md`).

use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Refused};
use crate::cose::check_encoding;
use crate::entry::{SignedEntry, VerifiedEntry};
use crate::exhibit::CERTIFICATES_MAX;
use crate::id::MissionId;
use crate::key::KeyCache;
use crate::roster::{CERTIFICATE_BYTES_MAX, CHARTER_FILE_BYTES_MAX, Certificate, CharterFile, CompleteCharter};

/// Largest fork statement, in bytes: more than its parts together can be.
pub const FORK_BYTES_MAX: usize =
    2 * crate::entry::HEADER_BYTES_MAX + CHARTER_FILE_BYTES_MAX + CERTIFICATES_MAX * CERTIFICATE_BYTES_MAX + 1_024;

/// The only version there is.
const VERSION: u64 = 1;

/// Two entries at one position of one log, and who certified their key; every part is verified.
#[derive(Debug)]
pub struct Fork {
    /// The two entries, ascending by id, without their bodies.
    pub entries: [VerifiedEntry; 2],
    /// Who certified the key, if that was shown.
    pub certified: Option<Certified>,
}

/// The charter of the mission, and certificates of a key under it.
#[derive(Debug)]
pub struct Certified {
    /// What founds the mission, and what amended it.
    pub charter: CharterFile,
    /// Certificates of the key, ascending by id.
    pub certificates: Vec<Certificate>,
}

/// Something that does not show a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForkRefused {
    /// A part of it, with the check that it fails.
    #[error(transparent)]
    Part(#[from] Refused),
    /// The entries, or the certificates, are not strictly ascending by id.
    #[error("entries or certificates are not in order")]
    Order,
    /// The entries do not stand at one position of one log.
    #[error("the entries stand at different positions")]
    Place,
}

impl ForkRefused {
    /// Every code of its own.
    pub const CODES: [&'static str; 2] = ["fork-order", "fork-place"];

    /// The stable code, as the spec names it.
    pub const fn code(self) -> &'static str {
        match self {
            ForkRefused::Part(refused) => refused.check.code(),
            ForkRefused::Order => "fork-order",
            ForkRefused::Place => "fork-place",
        }
    }
}

impl Fork {
    /// Reads a fork statement of a mission and verifies every part of it.
    ///
    /// # Errors
    /// The first failing check of `spec/fork.md`, Order of the checks.
    pub fn read(bytes: &[u8], mission: MissionId) -> Result<Self, ForkRefused> {
        let Fields { entries, certified } = Fields::read(bytes)?;
        let charter = certified.as_ref().map(|(charter, _)| CharterFile::read(charter, mission)).transpose()?;
        let keys = &mut KeyCache::with_capacity(4);
        let [first, second] = entries;
        let first = SignedEntry::new(first, None).verify(mission, keys)?;
        let second = SignedEntry::new(second, None).verify(mission, keys)?;
        if first.id() >= second.id() {
            return Err(ForkRefused::Order);
        }
        if (first.log(), first.header().seq) != (second.log(), second.header().seq) {
            return Err(ForkRefused::Place);
        }
        let certified = match (charter, certified) {
            (Some(charter), Some((_, shown))) => {
                let certificates = certificates(&shown, charter.charter(), &first, keys)?;
                Some(Certified { charter, certificates })
            }
            _ => None,
        };
        Ok(Self { entries: [first, second], certified })
    }
}

/// Writes that two entries fork a log; with a charter and certificates of their key, in any order, also whose key it is.
/// Whether a verifier accepts it is for [`Fork::read`] to say.
pub fn write(entries: [&VerifiedEntry; 2], certified: Option<(&CharterFile, &[&Certificate])>) -> Vec<u8> {
    let mut entries = entries;
    entries.sort_unstable_by_key(|entry| entry.id());
    let mut writer = Writer::new();
    writer.map(2 + 2 * usize::from(certified.is_some())).uint(1).uint(VERSION).uint(2).array(2);
    entries.iter().for_each(|entry| _ = writer.bytes(entry.header_bytes()));
    if let Some((charter, certificates)) = certified {
        let mut certificates = certificates.to_vec();
        certificates.sort_unstable_by_key(|certificate| certificate.id());
        certificates.dedup_by_key(|certificate| certificate.id());
        certificates.truncate(CERTIFICATES_MAX);
        writer.uint(3).bytes(charter.as_bytes()).uint(4).array(certificates.len());
        certificates.iter().for_each(|certificate| _ = writer.bytes(certificate.as_bytes()));
    }
    writer.finish()
}

/// The parts of the map, nothing of which is verified.
struct Fields<'a> {
    entries: [&'a [u8]; 2],
    certified: Option<(&'a [u8], Vec<&'a [u8]>)>,
}

impl<'a> Fields<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Refused> {
        let what = "fork statement";
        if bytes.len() > FORK_BYTES_MAX {
            return Err(Refused { check: Check::SizeLimit, what });
        }
        check_encoding(bytes, Full, what)?;
        let mut reader = Reader::new(bytes);
        let (mut version, mut entries, mut charter, mut certificates) = (None, None, None, None);
        let mut fields = reader.map(what)?;
        while let Some(key) = fields.next(&mut reader)? {
            match key {
                1 => version = Some(reader.uint("version")?).filter(|&version| version == VERSION),
                2 => {
                    reader.array_exact(2, "entries")?;
                    entries = Some([reader.bytes("header")?, reader.bytes("header")?]);
                    reader.leave();
                }
                3 => charter = Some(reader.bytes("charter")?),
                4 => {
                    let len = reader.array(CERTIFICATES_MAX, "certificates")?;
                    let read = (0..len).map(|_| reader.bytes("certificate")).collect::<Result<Vec<_>, _>>()?;
                    reader.leave();
                    certificates = Some(read).filter(|read| !read.is_empty());
                    certificates.as_ref().ok_or(shape("certificates"))?;
                }
                _ => return Err(shape(what)),
            }
        }
        reader.finish(what)?;
        version.ok_or(shape("version"))?;
        let certified = match (charter, certificates) {
            (None, None) => None,
            (Some(charter), Some(certificates)) => Some((charter, certificates)),
            _ => return Err(shape("charter")),
        };
        Ok(Self { entries: entries.ok_or(shape("entries"))?, certified })
    }
}

fn certificates(
    shown: &[&[u8]],
    charter: &CompleteCharter,
    entry: &VerifiedEntry,
    keys: &mut KeyCache,
) -> Result<Vec<Certificate>, ForkRefused> {
    let mut verified: Vec<Certificate> = Vec::with_capacity(shown.len());
    for bytes in shown {
        let certificate = Certificate::verify(bytes, charter, keys)?;
        if verified.last().is_some_and(|last| last.id() >= certificate.id()) {
            return Err(ForkRefused::Order);
        }
        if certificate.key() != entry.key() {
            return Err(Refused { check: Check::CertificateKey, what: "certificate" }.into());
        }
        verified.push(certificate);
    }
    Ok(verified)
}

const fn shape(what: &'static str) -> Refused {
    Refused { check: Check::Shape, what }
}
