//! Reading a bundle: is it whole, whose is it, and then everything that is not held here, judged as from a live peer.

use std::path::Path;

use merestone_core::courier::{Blob, Contents, Part, Section};
use merestone_core::id::{BlobHash, ScopeId, StoreId};
use merestone_core::key::KeyCache;
use merestone_core::merkle::{CHUNK_BYTES, NodeHash, leaf_hash, root};
use merestone_core::roster::Certificate;
use merestone_core::sync::frame::Frame;
use merestone_core::sync::{BlobFrame, Class};
use merestone_store::{BlobClaim, BlobError, Chunk};

use super::error::ReadCourierError;
use super::file::{Frames, NoFrame, Opened};
use crate::device::{AccessError, Device};
use crate::replica::Replica;
use crate::replica::carrying::{Intake, NotTaken};

/// Chunks written with one flush: 4 MiB.
const CHUNKS_MAX: usize = 64;

/// What is in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourierSeen {
    /// Who made it, as it says: observer and device. Nobody signed that; what is inside proves itself.
    pub maker: (String, String),
    /// The maker's key is cut by its party. What it brings is judged entry by entry all the same.
    pub is_maker_cut: bool,
    /// The maker's store.
    pub store: StoreId,
    /// The scopes whose entries it carries.
    pub scopes: Vec<ScopeId>,
    /// It was made for a device of this store only: another may lack what stands before.
    pub made_for: Option<StoreId>,
    /// Length of the file.
    pub bytes: u64,
    /// Statements in it.
    pub statements: u64,
    /// Entries in it.
    pub entries: u64,
    /// Photos and renditions in it.
    pub blobs: Vec<BlobHash>,
    /// Photos and renditions that it should carry and does not.
    pub left_out: u64,
    /// What is damaged: none of it is taken, and everything else is.
    pub damaged: Vec<RefusedPart>,
}

/// What came of reading a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourierRead {
    /// What is in it.
    pub seen: CourierSeen,
    /// Statements that were not held before.
    pub statements_new: u64,
    /// Entries that were not held before.
    pub entries_new: u64,
    /// Entries of scopes that this device's certificate does not grant; they were not taken.
    pub entries_of_other_scopes: u64,
    /// Photos and renditions that were not held before.
    pub blobs_new: u64,
    /// Those that no entry held here names; they were not taken.
    pub blobs_unnamed: u64,
    /// What was refused.
    pub refused: Vec<RefusedPart>,
}

/// Something in a bundle that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedPart {
    /// Which section, counted from 0.
    pub section: usize,
    /// What the bundle says is in it.
    pub part: Part,
    /// Why.
    pub fault: Fault,
}

/// Why something in a bundle was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its bytes are not those that were written.
    #[error("damaged")]
    Damaged,
    /// It is not made of the frames that belong there.
    #[error("malformed")]
    Malformed,
    /// It breaks a rule.
    #[error("{0}")]
    Refused(merestone_core::Refused),
    /// A photo is not the one that was signed.
    #[error("not the file that was signed")]
    NotSigned,
}

impl Fault {
    /// A name that programs may rely on: of a broken rule that of its check.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Malformed => "malformed",
            Self::Refused(refused) => refused.check.code(),
            Self::NotSigned => "not-signed",
        }
    }
}

impl Device {
    /// Looks through a bundle without taking anything: whole, damaged, whose, and how much. Reads the whole file.
    ///
    /// # Errors
    /// If it is no bundle of this mission, or not whole.
    pub fn inspect_courier(&self, path: &Path) -> Result<CourierSeen, ReadCourierError> {
        self.look(&mut Opened::open(path)?)
    }

    /// Whether a file is a whole bundle of this mission, before anything of its sections is read.
    ///
    /// # Errors
    /// If it is none.
    pub fn recognise_courier(&self, path: &Path) -> Result<(), ReadCourierError> {
        self.maker(&Opened::open(path)?.contents).map(|_| ())
    }

    fn maker(&self, contents: &Contents) -> Result<Certificate, ReadCourierError> {
        if contents.mission != self.mission() {
            return Err(ReadCourierError::OtherMission { found: contents.mission, mission: self.mission() });
        }
        Certificate::verify(&contents.maker, &self.charter(), &mut KeyCache::new()).map_err(ReadCourierError::Maker)
    }

    fn look(&self, opened: &mut Opened) -> Result<CourierSeen, ReadCourierError> {
        let contents = &opened.contents;
        let maker = self.maker(contents)?;
        let is_maker_cut = {
            let roster = self.authority.roster();
            roster.cuts().any(|cut| cut.ends(maker.key().as_bytes(), maker.party()))
        };
        let request = maker.request();
        let mut seen = CourierSeen {
            maker: (request.observer().to_owned(), request.device().to_owned()),
            is_maker_cut,
            store: contents.store,
            scopes: contents.scopes.clone(),
            made_for: contents.made_for.map(|made_for| made_for.store),
            bytes: opened.bytes,
            statements: 0,
            entries: 0,
            blobs: Vec::new(),
            left_out: contents.left_out.blobs,
            damaged: Vec::new(),
        };
        for (number, (from, section)) in places(opened).into_iter().enumerate() {
            match section.part {
                Part::Statements { class: _, count } | Part::LaterStatements { code: _, count } => {
                    seen.statements += count;
                }
                Part::Entries { scope: _, count } => seen.entries += count,
                Part::Blob(blob) => seen.blobs.push(blob.hash),
            }
            if !opened.is_sound(from, &section) {
                seen.damaged.push(RefusedPart { section: number, part: section.part, fault: Fault::Damaged });
            }
        }
        Ok(seen)
    }

    /// Takes what is in a bundle and not held here. Everything is verified as from a live peer, and durable when this
    /// returns. After a kill, read it again: it goes on; reading it twice changes nothing.
    ///
    /// The whole file is read and compared with its digests before anything is taken. `replica` is one of this device.
    ///
    /// # Errors
    /// See [`ReadCourierError`].
    pub fn read_courier(&self, replica: &Replica, path: &Path) -> Result<CourierRead, ReadCourierError> {
        let mut opened = Opened::open(path)?;
        let seen = self.look(&mut opened)?;
        let intake = Intake::begin(replica)?;
        if intake.scopes().is_empty() {
            return Err(ReadCourierError::NotEnrolled);
        }
        let damaged: Vec<usize> = seen.damaged.iter().map(|part| part.section).collect();
        let mut taking = Taking { intake, done: CourierRead::of(seen) };
        for (number, (from, section)) in places(&opened).into_iter().enumerate() {
            if damaged.contains(&number) {
                continue;
            }
            let mut frames = opened.frames(from, &section)?;
            match taking.section(&section, &mut frames) {
                Ok(()) => {}
                Err(Stop::Fault(fault)) => {
                    taking.done.refused.push(RefusedPart { section: number, part: section.part, fault });
                }
                Err(Stop::Access(error)) => return Err(error.into()),
            }
        }
        Ok(taking.done)
    }
}

impl CourierRead {
    fn of(seen: CourierSeen) -> Self {
        Self {
            seen,
            statements_new: 0,
            entries_new: 0,
            entries_of_other_scopes: 0,
            blobs_new: 0,
            blobs_unnamed: 0,
            refused: Vec::new(),
        }
    }
}

fn places(opened: &Opened) -> Vec<(u64, Section)> {
    opened.contents.places().map(|(from, section)| (from, *section)).collect()
}

/// Why a section is not taken on.
enum Stop {
    Fault(Fault),
    Access(AccessError),
}

impl From<NoFrame> for Stop {
    fn from(_: NoFrame) -> Self {
        Self::Fault(Fault::Malformed)
    }
}

impl<E: Into<AccessError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Access(error.into())
    }
}

struct Taking {
    intake: Intake,
    done: CourierRead,
}

impl Taking {
    fn section(&mut self, section: &Section, frames: &mut Frames<'_>) -> Result<(), Stop> {
        match section.part {
            Part::Statements { class, count: _ } => self.statements(class, frames),
            // Whoever knows the class takes them from the same file.
            Part::LaterStatements { .. } => Ok(()),
            Part::Entries { scope, count } if !self.intake.scopes().contains(&scope) => {
                self.done.entries_of_other_scopes += count;
                Ok(())
            }
            Part::Entries { scope: _, count: _ } => self.entries(frames),
            Part::Blob(blob) => self.blob(&blob, frames),
        }
    }

    fn statements(&mut self, class: merestone_core::roster::Class, frames: &mut Frames<'_>) -> Result<(), Stop> {
        let mut fault = None;
        while let Some(frame) = frames.next() {
            let (Class::Control, frame) = frame? else { return Err(Stop::Fault(Fault::Malformed)) };
            let Ok(Frame::Statements(found, statements)) = Frame::decode(&frame) else {
                return Err(Stop::Fault(Fault::Malformed));
            };
            if found != class {
                return Err(Stop::Fault(Fault::Malformed));
            }
            let received = self.intake.statements(class, &statements)?;
            self.done.statements_new += received.new.len() as u64;
            // Others pass statements on in good faith; what one signer has too many of is no fault of the bundle.
            let refused = received.refused.into_iter().map(|(_, refused)| refused);
            fault = fault.or(refused.into_iter().find(|of| of.check != merestone_core::Check::StatementLimit));
        }
        fault.map_or(Ok(()), |refused| Err(Stop::Fault(Fault::Refused(refused))))
    }

    fn entries(&mut self, frames: &mut Frames<'_>) -> Result<(), Stop> {
        while let Some(frame) = frames.next() {
            let (Class::Entries, frame) = frame? else { return Err(Stop::Fault(Fault::Malformed)) };
            let taken = self.intake.entries(&frame).map_err(|error| match error {
                NotTaken::Refused(refused) => Stop::Fault(Fault::Refused(refused)),
                NotTaken::Access(error) => Stop::Access(error),
            })?;
            self.done.entries_new += taken.new;
            self.done.entries_of_other_scopes += taken.other_scopes;
        }
        Ok(())
    }

    fn blob(&mut self, blob: &Blob, frames: &mut Frames<'_>) -> Result<(), Stop> {
        let Some(claims) = self.intake.wanted(blob.hash)? else {
            if !self.intake.holds(blob.hash)? {
                self.done.blobs_unnamed += 1;
            }
            return Ok(());
        };
        let malformed = || Stop::Fault(Fault::Malformed);
        let class = Class::Blobs(blob.class);
        let (found, frame) = frames.next().ok_or_else(malformed)??;
        let Ok(BlobFrame::Hashes(hash, hashes)) = BlobFrame::decode(&frame) else { return Err(malformed()) };
        if hash != blob.hash || found != class {
            return Err(malformed());
        }
        let signed = root(&hashes);
        let claim = claims
            .iter()
            .find(|claim| is_described(claim, signed, hashes.len()))
            .ok_or(Stop::Fault(Fault::NotSigned))?;
        self.chunks(claim, class, &hashes, frames)?;
        match self.intake.finish(claim)? {
            true => self.done.blobs_new += 1,
            false => return Err(Stop::Fault(Fault::NotSigned)),
        }
        Ok(())
    }

    fn chunks(
        &self,
        claim: &BlobClaim,
        class: Class,
        hashes: &[NodeHash],
        frames: &mut Frames<'_>,
    ) -> Result<(), Stop> {
        let mut waiting: Vec<(u32, Vec<u8>)> = Vec::with_capacity(CHUNKS_MAX);
        for (wanted, leaf) in (0..).zip(hashes) {
            let Some(frame) = frames.next() else { return Err(Stop::Fault(Fault::Malformed)) };
            let (found, frame) = frame?;
            let Ok(BlobFrame::Chunk { hash, index, bytes }) = BlobFrame::decode(&frame) else {
                return Err(Stop::Fault(Fault::Malformed));
            };
            if hash != claim.hash || index != u64::from(wanted) || found != class {
                return Err(Stop::Fault(Fault::Malformed));
            }
            if leaf_hash(&bytes) != *leaf {
                return Err(Stop::Fault(Fault::NotSigned));
            }
            waiting.push((wanted, bytes));
            if waiting.len() >= CHUNKS_MAX {
                self.flush(claim, &mut waiting)?;
            }
        }
        self.flush(claim, &mut waiting)
    }

    fn flush(&self, claim: &BlobClaim, waiting: &mut Vec<(u32, Vec<u8>)>) -> Result<(), Stop> {
        let chunks: Vec<_> = waiting.iter().map(|(index, bytes)| Chunk { index: *index, bytes }).collect();
        match self.intake.chunks(claim, &chunks) {
            Ok(()) => {}
            // It was erased meanwhile, or its pieces are not as long as its size says.
            Err(BlobError::NotWanted { .. } | BlobError::Chunk { .. }) => return Err(Stop::Fault(Fault::NotSigned)),
            Err(error) => return Err(error.into()),
        }
        waiting.clear();
        Ok(())
    }
}

/// Whether `claim` is about a file with these chunk hashes; how long the last chunk is, its hash says.
fn is_described(claim: &BlobClaim, root: NodeHash, chunks: usize) -> bool {
    claim.chunks == root && claim.bytes.div_ceil(CHUNK_BYTES as u64) == chunks as u64
}
