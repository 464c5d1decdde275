//! The layout of a bag: which path is what, and what its BagIt files say (`spec/bundle.md`, Layout).

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::checkpoint::NOTE_BYTES_MAX;
use crate::entry::PHOTO_BYTES_MAX;
use crate::erasure::ERASURE_BYTES_MAX;
use crate::form::DEFINITION_BYTES_MAX;
use crate::id::{BlobHash, DIGEST_BYTES, FormHash, LogId, MissionId, NoteHash, ScopeId, StatementId};
use crate::ledger::{Row, TileAddress};
use crate::receipt::RECEIPT_BYTES_MAX;
use crate::roster::{
    ACKNOWLEDGEMENT_BYTES_MAX, AMENDMENT_BYTES_MAX, CERTIFICATE_BYTES_MAX, CHARTER_BYTES_MAX, CUT_BYTES_MAX, Class,
    INCLUSION_BYTES_MAX, SUCCESSION_BYTES_MAX,
};
use crate::witness::COSIGNED_NOTE_BYTES_MAX;

use super::ledger::BUNDLE_BYTES_MAX;

/// The newest version of the layout that this code reads, and the one that is written.
pub const VERSION: u64 = 2;
/// `bagit.txt`.
pub const BAGIT: &str = "bagit.txt";
/// The payload manifest.
pub const MANIFEST: &str = "manifest-sha256.txt";
/// The tag manifest.
pub const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
/// The charter.
pub const CHARTER: &str = "data/charter.cbor";
/// The mission's bag-info.
pub const BAG_INFO: &str = "bag-info.txt";

/// Largest log file, in bytes: a million entries of the largest size take less than half of it.
pub const LOG_BYTES_MAX: u64 = 1 << 40;
/// Largest manifest, in bytes: two million lines.
pub const MANIFEST_BYTES_MAX: u64 = 256 << 20;

/// What a path of a bag holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A file that BagIt asks for and that holds no evidence.
    Tag,
    /// The charter.
    Charter,
    /// A statement, under the id its name gives.
    Statement(Class, StatementId),
    /// A form definition, under the hash its name gives.
    Form(FormHash),
    /// The checkpoint note of a bag of version 1.
    Note,
    /// A cosigned note, under the size and hash its name gives.
    CosignedNote(u64, NoteHash),
    /// A bundle of the ledger's leaves.
    Bundle(TileAddress),
    /// A log.
    Log(LogId),
    /// A photo or a rendition.
    Photo(BlobHash),
    /// Nothing the layout knows.
    Foreign,
}

impl Part {
    /// What `path` holds; paths are below the bag's folder, with `/`.
    pub fn of(path: &str) -> Self {
        Self::known(path).unwrap_or(Part::Foreign)
    }

    fn known(path: &str) -> Option<Self> {
        let Some(payload) = path.strip_prefix("data/") else {
            return [BAGIT, BAG_INFO, MANIFEST, TAG_MANIFEST].contains(&path).then_some(Part::Tag);
        };
        let parts: Vec<&str> = payload.split('/').collect();
        match parts.as_slice() {
            ["charter.cbor"] => Some(Part::Charter),
            ["ledger", "checkpoint.note"] => Some(Part::Note),
            ["ledger", "notes", name] => {
                let (size, hash) = name.strip_suffix(".note")?.split_once('-')?;
                let number: u64 = size.parse().ok()?;
                (number.to_string() == size).then_some(Part::CosignedNote(number, NoteHash::from_bytes(hex(hash)?)))
            }
            ["ledger", "tile", "entries", ..] => {
                let address = TileAddress::parse(payload.strip_prefix("ledger/")?).ok()?;
                (address.row() == Row::Entries).then_some(Part::Bundle(address))
            }
            ["statements", class, name] => {
                let id = StatementId::from_bytes(hex(name.strip_suffix(".cbor")?)?);
                Some(Part::Statement(class_named(class)?, id))
            }
            ["forms", name] => Some(Part::Form(FormHash::from_bytes(hex(name.strip_suffix(".cbor")?)?))),
            ["logs", name] => Some(Part::Log(LogId::from_bytes(hex(name.strip_suffix(".cborseq")?)?))),
            ["photos", name] => Some(Part::Photo(BlobHash::from_bytes(hex(name)?))),
            _ => None,
        }
    }

    /// The class of its statements, if it holds one.
    pub const fn class(self) -> Option<Class> {
        match self {
            Part::Charter => Some(Class::Charter),
            Part::Statement(class, _) => Some(class),
            Part::Form(_) => Some(Class::Form),
            Part::Note | Part::CosignedNote(_, _) => Some(Class::Note),
            Part::Tag | Part::Bundle(_) | Part::Log(_) | Part::Photo(_) | Part::Foreign => None,
        }
    }

    /// The most bytes a file of this part can have.
    pub const fn bytes_max(self) -> u64 {
        match self {
            Part::Tag | Part::Foreign => MANIFEST_BYTES_MAX,
            Part::Charter => CHARTER_BYTES_MAX as u64,
            Part::Statement(Class::Amendment, _) => AMENDMENT_BYTES_MAX as u64,
            Part::Statement(Class::Certificate, _) => CERTIFICATE_BYTES_MAX as u64,
            Part::Statement(Class::Cut, _) => CUT_BYTES_MAX as u64,
            Part::Statement(Class::Erasure, _) => ERASURE_BYTES_MAX as u64,
            Part::Statement(Class::Acknowledgement, _) => ACKNOWLEDGEMENT_BYTES_MAX as u64,
            Part::Statement(Class::Inclusion, _) => INCLUSION_BYTES_MAX as u64,
            Part::Statement(Class::Succession, _) => SUCCESSION_BYTES_MAX as u64,
            Part::Statement(_, _) => RECEIPT_BYTES_MAX as u64,
            Part::Form(_) => DEFINITION_BYTES_MAX as u64,
            Part::Note => NOTE_BYTES_MAX as u64,
            Part::CosignedNote(_, _) => COSIGNED_NOTE_BYTES_MAX as u64,
            Part::Bundle(_) => BUNDLE_BYTES_MAX,
            Part::Log(_) => LOG_BYTES_MAX,
            Part::Photo(_) => PHOTO_BYTES_MAX,
        }
    }
}

/// The file of a log.
pub fn log_path(log: LogId) -> String {
    format!("data/logs/{log}.cborseq")
}

/// The file of a cosigned note.
pub fn note_path(size: u64, note: NoteHash) -> String {
    format!("data/ledger/notes/{size}-{note}.note")
}

/// The file of a bundle of the ledger's leaves.
pub fn bundle_path(address: TileAddress) -> String {
    format!("data/ledger/{}", address.path())
}

/// The file of a photo or rendition.
pub fn photo_path(blob: BlobHash) -> String {
    format!("data/photos/{blob}")
}

/// The folder of the statements of a class, below `data/statements`; `None` if they have another place.
pub const fn folder_of(class: Class) -> Option<&'static str> {
    match class {
        Class::Amendment => Some("amendment"),
        Class::Certificate => Some("certificate"),
        Class::Cut => Some("cut"),
        Class::Erasure => Some("erasure"),
        Class::Receipt => Some("receipt"),
        Class::Acknowledgement => Some("acknowledgement"),
        Class::Inclusion => Some("inclusion"),
        Class::Succession => Some("succession"),
        // A note brings its cosignatures.
        Class::Charter | Class::Note | Class::Cosignature | Class::Form => None,
    }
}

/// The file of a statement; `None` if statements of its class have another place.
pub fn statement_path(class: Class, id: StatementId) -> Option<String> {
    Some(format!("data/statements/{}/{id}.cbor", folder_of(class)?))
}

fn class_named(name: &str) -> Option<Class> {
    Class::ALL.into_iter().find(|class| folder_of(*class) == Some(name))
}

/// Only lowercase digits: one name for each hash.
fn hex(name: &str) -> Option<[u8; DIGEST_BYTES]> {
    data_encoding::HEXLOWER.decode(name.as_bytes()).ok()?.try_into().ok()
}

/// What `bag-info.txt` says; lines of other names are left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BagInfo {
    /// `Merestone-Bag-Version`.
    pub version: Option<u64>,
    /// `External-Identifier`.
    pub mission: Option<MissionId>,
    /// `Payload-Oxum`: bytes and number of the payload's files.
    pub oxum: Option<(u64, u64)>,
    /// `Merestone-Scopes`, in a bag of some scopes only.
    pub scopes: Option<Vec<ScopeId>>,
    /// Whether `Merestone-Scopes` is there and is no list of scopes, or is there twice: the bag is then judged for all.
    pub has_faulty_scopes: bool,
    /// `Merestone-Leaves-Left-Out`: leaves of the ledger that the bag's writer held and left out; 0 where nothing says so.
    pub leaves_left_out: u64,
}

impl BagInfo {
    /// Reads `bag-info.txt`. A line that does not parse counts as absent.
    pub fn parse(text: &str) -> Self {
        let mut info = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match name.trim() {
                "Merestone-Bag-Version" => info.version = value.parse().ok(),
                "External-Identifier" => info.mission = MissionId::from_hex(value),
                "Payload-Oxum" => {
                    info.oxum = value.split_once('.').and_then(|(b, n)| Some((b.parse().ok()?, n.parse().ok()?)));
                }
                "Merestone-Leaves-Left-Out" => info.leaves_left_out = value.parse().unwrap_or(u64::MAX),
                "Merestone-Scopes" => {
                    let read: Option<Vec<ScopeId>> = value.split_whitespace().map(ScopeId::from_hex).collect();
                    let read = read.filter(|scopes| !scopes.is_empty() && info.scopes.is_none());
                    info.has_faulty_scopes |= read.is_none();
                    info.scopes = read;
                }
                _ => {}
            }
        }
        if info.has_faulty_scopes {
            info.scopes = None;
        }
        info
    }
}

/// Whether `text` is a `bagit.txt` of BagIt 1.0 in UTF-8.
pub fn is_bagit(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_end);
    lines.next() == Some("BagIt-Version: 1.0") && lines.next() == Some("Tag-File-Character-Encoding: UTF-8")
}

/// A manifest: path and SHA-256 of each file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The hash of each path.
    pub files: BTreeMap<String, [u8; DIGEST_BYTES]>,
    /// How many lines are no hash and path, or name a path twice.
    pub faulty: u64,
}

impl Manifest {
    /// Reads a manifest. Line feeds, carriage returns and percent signs in paths are percent-encoded (RFC 8493 §2.1.3).
    pub fn parse(text: &str) -> Self {
        let mut manifest = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let parsed = line.split_once(char::is_whitespace).and_then(|(digits, path)| {
                let digest = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?.try_into().ok()?;
                let path = path.trim_start().trim_start_matches('*');
                let path = path.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
                (!path.is_empty()).then_some((path, digest))
            });
            match parsed {
                Some((path, digest)) if !manifest.files.contains_key(&path) => {
                    manifest.files.insert(path, digest);
                }
                Some(_) | None => manifest.faulty += 1,
            }
        }
        manifest
    }
}

/// SHA-256 of a file that arrives in pieces.
#[derive(Clone, Debug, Default)]
pub struct FileHasher(Sha256);

impl FileHasher {
    /// Nothing read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all of them.
    pub fn finish(self) -> [u8; DIGEST_BYTES] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_name_of_each_part_is_known() {
        let id = "ab".repeat(32);
        let bytes = [0xab; 32];
        let bundle = |index, width| Part::Bundle(TileAddress::new(Row::Entries, index, width).expect("a bundle"));
        let rows = [
            ("data/charter.cbor".to_owned(), Part::Charter),
            (format!("data/logs/{id}.cborseq"), Part::Log(LogId::from_bytes(bytes))),
            (format!("data/photos/{id}"), Part::Photo(BlobHash::from_bytes(bytes))),
            (format!("data/statements/cut/{id}.cbor"), Part::Statement(Class::Cut, StatementId::from_bytes(bytes))),
            (format!("data/statements/charter/{id}.cbor"), Part::Foreign),
            (format!("data/photos/{}", id.to_uppercase()), Part::Foreign),
            (format!("data/photos/{id}/x"), Part::Foreign),
            (format!("data/logs/{id}.cbor"), Part::Foreign),
            (format!("data/ledger/notes/12-{id}.note"), Part::CosignedNote(12, NoteHash::from_bytes(bytes))),
            (format!("data/ledger/notes/012-{id}.note"), Part::Foreign),
            ("data/ledger/tile/entries/x001/x234/067.p/9".to_owned(), bundle(1_234_067, 9)),
            ("data/ledger/tile/entries/1".to_owned(), Part::Foreign),
            ("data/ledger/tile/0/000".to_owned(), Part::Foreign),
            ("bagit.txt".to_owned(), Part::Tag),
            ("data/bagit.txt".to_owned(), Part::Foreign),
            ("data/".to_owned(), Part::Foreign),
        ];
        for (path, wanted) in rows {
            assert_eq!(Part::of(&path), wanted, "{path}");
        }
        assert_eq!(Part::of(&log_path(LogId::from_bytes(bytes))), Part::Log(LogId::from_bytes(bytes)));
    }

    #[test]
    fn a_manifest_counts_lines_that_say_nothing() {
        let hash = "0f".repeat(32);
        let text = format!("{hash}  a%0Ab%25\n{hash} *c\n{hash}  c\nnonsense\nzz  d\n\n");
        let manifest = Manifest::parse(&text);
        assert_eq!(manifest.files.keys().collect::<Vec<_>>(), ["a\nb%", "c"]);
        assert_eq!(manifest.faulty, 3);
    }

    #[test]
    fn bag_info_takes_what_parses() {
        let text = "Merestone-Bag-Version: 1\nPayload-Oxum: 10.2\nContact: x\nExternal-Identifier: zz\n";
        let info = BagInfo::parse(text);
        assert_eq!((info.version, info.oxum, info.mission), (Some(1), Some((10, 2)), None));
        assert!(
            is_bagit("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n") && !is_bagit("BagIt-Version: 0.97")
        );
    }
}
