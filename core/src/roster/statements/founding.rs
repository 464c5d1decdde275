//! The charter file: a charter, and behind it the amendments after which it stands (`spec/roster.md`, Charter files).

use super::super::amendment::Amendment;
use super::super::charter::PARTIES_MAX;
use super::super::signed::{CHARTER_BYTES_MAX, CompleteCharter, SignedCharter};
use super::{Class, Roster};
use crate::cbor::Reader;
use crate::check::{Check, Full, Policy, Refused};
use crate::id::MissionId;

/// Largest charter file, in bytes: a charter, and amendments for many years.
pub const CHARTER_FILE_BYTES_MAX: usize = 16 * CHARTER_BYTES_MAX;

impl Roster {
    /// Reads a charter file; what it holds is all that the roster then holds.
    ///
    /// # Errors
    /// `size-limit`, what [`CompleteCharter::verify`] refuses in the charter, or [`admit`](Self::admit) in an amendment.
    pub fn read_charter_file(bytes: &[u8]) -> Result<Self, Refused> {
        Full.require(bytes.len() <= CHARTER_FILE_BYTES_MAX, Check::SizeLimit, "charter file")?;
        let mission = SignedCharter::decode(&bytes[..item_len(bytes)?])?.mission();
        Self::read_charter_file_of(bytes, mission)
    }

    /// [`read_charter_file`](Self::read_charter_file), of this mission.
    ///
    /// # Errors
    /// The same, and `mission-mismatch` if the charter is another mission's.
    pub fn read_charter_file_of(bytes: &[u8], mission: MissionId) -> Result<Self, Refused> {
        Full.require(bytes.len() <= CHARTER_FILE_BYTES_MAX, Check::SizeLimit, "charter file")?;
        let (charter, mut rest) = bytes.split_at(item_len(bytes)?);
        let mut roster = Self::new(CompleteCharter::verify(charter, mission)?);
        while !rest.is_empty() {
            let (amendment, more) = rest.split_at(item_len(rest)?);
            roster.admit(Class::Amendment, amendment)?;
            rest = more;
        }
        Ok(roster)
    }

    /// The charter file of this roster: the charter and every amendment, those in force first.
    pub fn charter_file(&self) -> Vec<u8> {
        let chain = self.amendments_in_force();
        let is_other = |held: &&Amendment| chain.iter().all(|in_force| in_force.id() != held.id());
        let others: Vec<&Amendment> = self.amendments().filter(is_other).collect();
        let mut file = self.charter().as_bytes().to_vec();
        chain.iter().chain(&others).for_each(|amendment| file.extend(amendment.as_bytes()));
        file
    }
}

/// The charter in force for somebody who holds nothing else: the founding one, and the amendments that led to it.
#[derive(Clone, Debug)]
pub struct CharterFile {
    bytes: Vec<u8>,
    charter: CompleteCharter,
    amendments: u64,
}

impl CharterFile {
    /// What a roster's charter in force rests on.
    pub fn of(roster: &Roster) -> Self {
        let (charter, chain) = (roster.charter().clone(), roster.amendments_in_force());
        let mut bytes = charter.as_bytes().to_vec();
        chain.iter().for_each(|amendment| bytes.extend(amendment.as_bytes()));
        Self { bytes, amendments: chain.len() as u64, charter }
    }

    /// Reads a charter file of this mission.
    ///
    /// # Errors
    /// As [`Roster::read_charter_file_of`].
    pub fn read(bytes: &[u8], mission: MissionId) -> Result<Self, Refused> {
        let roster = Roster::read_charter_file_of(bytes, mission)?;
        Ok(Self { bytes: bytes.to_vec(), ..Self::of(&roster) })
    }

    /// The charter in force after all of it.
    pub fn charter(&self) -> &CompleteCharter {
        &self.charter
    }

    /// How many amendments led to it.
    pub fn amendments(&self) -> u64 {
        self.amendments
    }

    /// The bytes, as they were read.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// How long the first item is: `[payload, [* signature]]`.
fn item_len(bytes: &[u8]) -> Result<usize, Refused> {
    let (what, mut reader) = ("charter file", Reader::new(bytes));
    reader.array_exact(2, what)?;
    reader.bytes(what)?;
    for _ in 0..reader.array(2 * PARTIES_MAX, what)? {
        reader.bytes(what)?;
    }
    reader.leave();
    reader.leave();
    Ok(reader.position())
}
