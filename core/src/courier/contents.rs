//! The table of contents of a bundle: whose it is, for whom, and where everything stands, with its digest.

use crate::cbor::{Kind, Reader, Writer};
use crate::check::{Check, Refused};
use crate::id::{BlobHash, MissionId, ScopeId, StatementId, StoreId};
use crate::roster::{CERTIFICATE_BYTES_MAX, Class as StatementClass};
use crate::sync::frame::{BlobClass, SCOPES_MAX};

use super::{MAGIC, SECTION_BYTES_MAX};

/// Most bytes of the contents: that many photos as a mission has in a year, at about 90 bytes each.
pub const CONTENTS_BYTES_MAX: usize = 32 << 20;
/// Most sections.
pub const SECTIONS_MAX: usize = 262_144;

/// The version of a bundle with nothing in it that version 1 does not have.
const FIRST: u64 = 1;
/// The version of any other.
const SECOND: u64 = 2;

/// What a bundle says of itself. Nothing in it is signed: its digests find damage, and what it carries proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The mission.
    pub mission: MissionId,
    /// A certificate of the device that made it.
    pub maker: Vec<u8>,
    /// The maker's store.
    pub store: StoreId,
    /// The scopes whose entries it carries, ascending.
    pub scopes: Vec<ScopeId>,
    /// For whom it was made, if not for everybody.
    pub made_for: Option<For>,
    /// Everything in it, in the order of the file.
    pub sections: Vec<Section>,
    /// What it was to carry and does not, for want of room or because it was asked to leave originals out.
    pub left_out: LeftOut,
}

/// A device that a bundle was made for: it carries what this device lacked when it signed the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct For {
    /// Its store.
    pub store: StoreId,
    /// The receipt.
    pub receipt: StatementId,
}

/// How many blobs were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A run of frames with one digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// What is in it.
    pub part: Part,
    /// Its length in the file.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Statements of a class: frames 2 of class control.
    Statements {
        /// Of which class.
        class: StatementClass,
        /// How many.
        count: u64,
    },
    /// Version 2: statements of a class that this program does not know. They are passed over.
    LaterStatements {
        /// The number of the class.
        code: u64,
        /// How many.
        count: u64,
    },
    /// Entries of a scope: frames of class entries.
    Entries {
        /// Of which scope.
        scope: ScopeId,
        /// How many.
        count: u64,
    },
    /// One blob: its chunk hashes, and all its chunks in order.
    Blob(Blob),
}

/// A blob in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob {
    /// SHA-256 of the file.
    pub hash: BlobHash,
    /// What it is for; also the class of its frames.
    pub class: BlobClass,
    /// Its size.
    pub bytes: u64,
}

impl Contents {
    /// Encodes the contents.
    pub fn encode(&self) -> Vec<u8> {
        let Self { mission, maker, store, scopes, made_for, sections, left_out } = self;
        let mut w = Writer::with_capacity(1_024 + sections.len() * 96);
        w.array(8)
            .uint(self.version())
            .bytes(mission.as_bytes())
            .bytes(maker)
            .bytes(store.as_bytes())
            .array(scopes.len());
        for scope in scopes {
            w.bytes(scope.as_bytes());
        }
        match made_for {
            Some(For { store, receipt }) => w.array(2).bytes(store.as_bytes()).bytes(receipt.as_bytes()),
            None => w.null(),
        };
        w.array(sections.len());
        for section in sections {
            section.encode(&mut w);
        }
        w.array(2).uint(left_out.blobs).uint(left_out.bytes);
        w.finish()
    }

    /// Decodes the contents of a file in which they begin at `offset`.
    ///
    /// # Errors
    /// `shape` or `size-limit` where it is not exactly what `spec/courier.md` says; a later version is `shape` too.
    pub fn decode(bytes: &[u8], offset: u64) -> Result<Self, Refused> {
        let r = &mut Reader::new(bytes);
        r.array_exact(8, "contents")?;
        let version = r.uint("version")?;
        if version != FIRST && version != SECOND {
            return Err(refused("version"));
        }
        let mission = MissionId::from_bytes(r.array_of("mission")?);
        let maker = r.bytes("maker")?.to_vec();
        if maker.len() > CERTIFICATE_BYTES_MAX {
            return Err(Refused { check: Check::SizeLimit, what: "maker" });
        }
        let store = StoreId::from_bytes(r.array_of("store")?);
        let count = r.array(SCOPES_MAX, "scopes")?;
        let scopes = (0..count).map(|_| r.array_of("scope").map(ScopeId::from_bytes)).collect::<Result<Vec<_>, _>>()?;
        r.leave();
        let made_for = decode_for(r)?;
        let count = r.array(SECTIONS_MAX, "sections")?;
        let sections = (0..count).map(|_| Section::decode(r)).collect::<Result<Vec<_>, _>>()?;
        r.leave();
        r.array_exact(2, "left out")?;
        let left_out = LeftOut { blobs: r.uint("blobs")?, bytes: r.uint("bytes")? };
        r.leave();
        r.leave();
        r.clone().finish("contents")?;
        let contents = Self { mission, maker, store, scopes, made_for, sections, left_out };
        // The lowest version that can say it: a bundle has one form.
        if contents.version() != version {
            return Err(refused("version"));
        }
        contents.check(offset)?;
        Ok(contents)
    }

    fn check(&self, offset: u64) -> Result<(), Refused> {
        if !self.scopes.is_sorted_by(|a, b| a < b) {
            return Err(refused("scopes"));
        }
        // Each is at most SECTION_BYTES_MAX and there are SECTIONS_MAX at most: no overflow.
        let bytes: u64 = self.sections.iter().map(|section| section.bytes).sum();
        if bytes + MAGIC.len() as u64 != offset {
            return Err(refused("sections"));
        }
        let is_in_scope = |section: &Section| match section.part {
            Part::Entries { scope, count: _ } => self.scopes.contains(&scope),
            Part::Statements { .. } | Part::LaterStatements { .. } | Part::Blob(_) => true,
        };
        if self.sections.iter().all(is_in_scope) { Ok(()) } else { Err(refused("scope of a section")) }
    }

    /// The lowest version that has all of these sections.
    fn version(&self) -> u64 {
        let is_later = |section: &Section| match section.part {
            Part::Statements { class, count: _ } => class.code() > StatementClass::Form.code(),
            Part::LaterStatements { .. } => true,
            Part::Entries { .. } | Part::Blob(_) => false,
        };
        if self.sections.iter().any(is_later) { SECOND } else { FIRST }
    }

    /// The sections, each with the place at which it begins.
    pub fn places(&self) -> impl Iterator<Item = (u64, &Section)> {
        self.sections.iter().scan(MAGIC.len() as u64, |at, section| {
            let begins = *at;
            *at += section.bytes;
            Some((begins, section))
        })
    }
}

fn decode_for(r: &mut Reader<'_>) -> Result<Option<For>, Refused> {
    if r.peek("for")? == Kind::Null {
        return r.null("for").map(|()| None);
    }
    r.array_exact(2, "for")?;
    let store = StoreId::from_bytes(r.array_of("store")?);
    let receipt = StatementId::from_bytes(r.array_of("receipt")?);
    r.leave();
    Ok(Some(For { store, receipt }))
}

impl Section {
    fn encode(&self, w: &mut Writer) {
        let Self { part, bytes, digest } = self;
        match part {
            Part::Statements { class, count } => w.array(5).uint(0).uint(class.code()).uint(*count),
            Part::LaterStatements { code, count } => w.array(5).uint(0).uint(*code).uint(*count),
            Part::Entries { scope, count } => w.array(5).uint(1).bytes(scope.as_bytes()).uint(*count),
            Part::Blob(Blob { hash, class, bytes }) => {
                w.array(6).uint(2).bytes(hash.as_bytes()).uint(class.code()).uint(*bytes)
            }
        };
        w.uint(*bytes).bytes(digest);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, Refused> {
        let items = r.array(6, "section")?;
        let part = match (r.uint("section kind")?, items) {
            (0, 5) => {
                let code = r.uint("statement class")?;
                let count = r.uint("statements")?;
                match StatementClass::from_code(code) {
                    Some(class) => Part::Statements { class, count },
                    None => Part::LaterStatements { code, count },
                }
            }
            (1, 5) => Part::Entries { scope: ScopeId::from_bytes(r.array_of("scope")?), count: r.uint("entries")? },
            (2, 6) => {
                let hash = BlobHash::from_bytes(r.array_of("blob")?);
                let class = BlobClass::from_code(r.uint("blob class")?).ok_or(refused("blob class"))?;
                Part::Blob(Blob { hash, class, bytes: r.uint("blob bytes")? })
            }
            _ => return Err(refused("section")),
        };
        let bytes = r.uint("section bytes")?;
        if bytes == 0 || bytes > SECTION_BYTES_MAX {
            return Err(Refused { check: Check::SizeLimit, what: "section" });
        }
        let digest = r.array_of("digest")?;
        r.leave();
        Ok(Self { part, bytes, digest })
    }
}

fn refused(what: &'static str) -> Refused {
    Refused { check: Check::Shape, what }
}

#[cfg(test)]
mod tests {
    use super::super::{FrameHead, TRAILER_BYTES, Trailer};
    use super::*;

    fn contents() -> Contents {
        let scope = ScopeId::from_bytes([1; 8]);
        let section = |part, bytes| Section { part, bytes, digest: [9; 32] };
        let blob = Blob { hash: BlobHash::from_bytes([5; 32]), class: BlobClass::Original, bytes: 70_000 };
        Contents {
            mission: MissionId::from_bytes([2; 32]),
            maker: vec![3; 400],
            store: StoreId::from_bytes([4; 16]),
            scopes: vec![scope],
            made_for: Some(For { store: StoreId::from_bytes([6; 16]), receipt: StatementId::from_bytes([7; 32]) }),
            sections: vec![
                section(Part::Statements { class: StatementClass::Certificate, count: 2 }, 900),
                section(Part::Entries { scope, count: 512 }, 120_000),
                section(Part::Blob(blob), 70_200),
            ],
            left_out: LeftOut { blobs: 3, bytes: 9_000_000 },
        }
    }

    #[test]
    fn contents_read_back_and_no_other_bytes_do() {
        let made = contents();
        let (bytes, offset) = (made.encode(), 20 + 900 + 120_000 + 70_200);
        assert_eq!(Contents::decode(&bytes, offset), Ok(made.clone()));
        assert_eq!(made.places().map(|(at, _)| at).collect::<Vec<_>>(), [20, 920, 120_920]);
        assert!(Contents::decode(&bytes, offset + 1).is_err(), "sections fill the file up to the contents");
        for at in 0..bytes.len() {
            assert!(Contents::decode(&bytes[..at], offset).is_err());
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x20;
            assert_ne!(Contents::decode(&flipped, offset), Ok(made.clone()), "{at}");
        }
    }

    #[test]
    fn a_cut_file_has_no_trailer() {
        let bytes = contents().encode();
        let trailer = Trailer::of(&bytes, 191_120);
        let file_bytes = 191_120 + bytes.len() as u64 + TRAILER_BYTES as u64;
        let encoded = trailer.encode();
        assert_eq!(Trailer::decode(&encoded, file_bytes), Some(trailer));
        assert_eq!(trailer.contents_bytes(file_bytes), Some(bytes.len()));
        assert_eq!(Trailer::decode(&encoded, 191_120), None);
        assert_eq!(Trailer::decode(&[0; TRAILER_BYTES], file_bytes), None);
    }

    #[test]
    fn a_frame_is_as_long_as_its_class_allows() {
        let head = FrameHead::of(crate::sync::Class::Entries, &[0; 300]);
        assert_eq!(FrameHead::decode(head.encode()), Ok(head));
        for bad in [[0, 0, 0, 0, 1], [6, 0, 0, 0, 1], [1, 0, 0, 0, 0], [1, 0, 16, 0, 1], [5, 0, 4, 0, 1]] {
            assert!(FrameHead::decode(bad).is_err(), "{bad:?}");
        }
    }
}
