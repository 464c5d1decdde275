//! From bytes to answers that were signed: the header first, then, with the form definition, what is shown.

use super::leaves::{self, Opened, Said};
use super::{DISCLOSURE_BYTES_MAX, OPENED_MAX, VERSION, path};
use crate::cbor::{Fields, Reader};
use crate::check::{Check, Full, Policy, Refused};
use crate::claims::{coarse_place, local_day};
use crate::cose::check_encoding;
use crate::entry::{Commitment, SignedEntry, VerifiedEntry};
use crate::form::{FormDefinition, STANDARD_LEAVES};
use crate::id::{FormHash, MissionId};
use crate::key::KeyCache;
use crate::merkle::NodeHash;

/// A disclosure whose header verified, before what it shows was held against that header.
#[derive(Clone)]
pub struct SealedDisclosure<'a> {
    entry: VerifiedEntry,
    commitment: Commitment,
    /// The array of leaves, as it was received.
    leaves: &'a [u8],
    path: Vec<NodeHash>,
}

impl<'a> SealedDisclosure<'a> {
    /// Reads a disclosure and verifies the header in it.
    ///
    /// # Errors
    /// The first failing check of `spec/disclosure.md`, Order of the checks, 1 to 4.
    pub fn read(bytes: &'a [u8], mission: MissionId, keys: &mut KeyCache) -> Result<Self, Refused> {
        Self::read_under(bytes, mission, keys, Full)
    }

    /// [`read`](Self::read) under `policy`; `keys` must be of the same policy.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_under<P: Policy>(
        bytes: &'a [u8],
        mission: MissionId,
        keys: &mut KeyCache,
        policy: P,
    ) -> Result<Self, Refused> {
        policy.require(bytes.len() <= DISCLOSURE_BYTES_MAX, Check::SizeLimit, "disclosure")?;
        check_encoding(bytes, policy, "disclosure")?;
        let mut reader = Reader::with(bytes, policy);
        let fields = reader.map("disclosure")?;
        let Parts { header, leaves, path } = Parts::read(&mut reader, fields)?;
        reader.finish("disclosure")?;
        let entry = SignedEntry::new(header, None).verify_with(mission, keys, policy)?;
        // Nothing can be held against a header that commits to nothing, whatever the policy.
        let no_claims = Refused { check: Check::DisclosureEntry, what: "kind" };
        let commitment = entry.header().commitment.ok_or(no_claims)?;
        Ok(Self { entry, commitment, leaves, path })
    }

    /// The entry, without its body.
    pub fn entry(&self) -> &VerifiedEntry {
        &self.entry
    }

    /// The form whose definition [`open`](Self::open) needs.
    pub fn form(&self) -> FormHash {
        self.commitment.form
    }

    /// Opens it with the definition of its [`form`](Self::form).
    ///
    /// # Errors
    /// The first failing check of `spec/disclosure.md`, Order of the checks, 5 to 8.
    pub fn open(self, definition: &'a FormDefinition) -> Result<Disclosure<'a>, Refused> {
        self.open_under(definition, Full)
    }

    /// [`open`](Self::open) under `policy`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_under<P: Policy>(self, definition: &'a FormDefinition, policy: P) -> Result<Disclosure<'a>, Refused> {
        let Self { entry, commitment, leaves, path } = self;
        policy.require(definition.hash() == Ok(commitment.form), Check::DisclosureForm, "form definition")?;
        let (opened, hashes) = leaves::read(leaves, definition, policy)?;

        let size = u64::from(STANDARD_LEAVES) + definition.leaves.len() as u64;
        let mut rest = path.as_slice();
        let too_short = Refused { check: Check::DisclosurePath, what: "path" };
        let root = path::root(size, &hashes, &mut rest).ok_or(too_short)?;
        policy.require(rest.is_empty(), Check::DisclosurePath, "path")?;
        policy.require(root == commitment.root, Check::DisclosureRoot, "leaves")?;
        policy.require(is_coarse_derived(&opened), Check::DisclosureCoarse, "coarse leaf")?;
        Ok(Disclosure { entry, opened })
    }
}

/// Shows which entry it is of, and nothing of what it says.
impl std::fmt::Debug for SealedDisclosure<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedDisclosure({})", self.entry.id())
    }
}

/// The parts of the map.
struct Parts<'a> {
    header: &'a [u8],
    leaves: &'a [u8],
    path: Vec<NodeHash>,
}

impl<'a> Parts<'a> {
    fn read<P: Policy>(reader: &mut Reader<'a, P>, mut fields: Fields) -> Result<Self, Refused> {
        let (mut version, mut header, mut leaves, mut path) = (None, None, None, Vec::new());
        while let Some(key) = fields.next(reader)? {
            match key {
                1 => version = Some(reader.uint("version")?).filter(|&version| version == VERSION),
                2 => header = Some(reader.bytes("header")?),
                3 => leaves = Some(read_leaves(reader)?),
                4 => path = read_path(reader)?,
                _ => return Err(shape("disclosure")),
            }
        }
        version.ok_or(shape("version"))?;
        Ok(Self { header: header.ok_or(shape("header"))?, leaves: leaves.ok_or(shape("leaves"))?, path })
    }
}

/// The bytes of the array of leaves; what they say is read when the form is known.
fn read_leaves<'a, P: Policy>(reader: &mut Reader<'a, P>) -> Result<&'a [u8], Refused> {
    let start = reader.position();
    let len = reader.array(OPENED_MAX, "leaves")?;
    if len == 0 {
        return Err(shape("leaves"));
    }
    for _ in 0..len {
        reader.skip("leaf")?;
    }
    reader.leave();
    Ok(reader.since(start))
}

fn read_path<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Vec<NodeHash>, Refused> {
    let len = reader.array(OPENED_MAX, "path")?;
    if len == 0 {
        return Err(shape("path"));
    }
    let path = (0..len).map(|_| reader.array_of("path")).collect::<Result<_, _>>()?;
    reader.leave();
    Ok(path)
}

/// Whether the coarse facts are those that the exact ones give, as far as both are opened.
fn is_coarse_derived(opened: &[Opened<'_>]) -> bool {
    let said = |position: u32| opened.iter().find(|one| one.position == position).map(|one| one.said.as_ref());
    let place = match (said(0), said(1)) {
        (Some(None), Some(None)) => true,
        (Some(Some(Said::CoarsePlace(cell))), Some(Some(Said::ExactPlace(place)))) => *cell == coarse_place(place),
        (Some(_), Some(_)) => false,
        _ => true,
    };
    let day = match (said(2), said(3)) {
        (Some(Some(Said::Day(day))), Some(Some(Said::ExactTime(clock)))) => *day == local_day(clock),
        (Some(_), Some(_)) => false,
        _ => true,
    };
    place && day
}

/// What the key of [`entry`](Self::entry) signed of its answers.
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosure<'a> {
    entry: VerifiedEntry,
    opened: Vec<Opened<'a>>,
}

impl<'a> Disclosure<'a> {
    /// The entry, without its body.
    pub fn entry(&self) -> &VerifiedEntry {
        &self.entry
    }

    /// What is shown, in ascending order of the positions.
    pub fn opened(&self) -> &[Opened<'a>] {
        &self.opened
    }
}

/// Shows which entry it is of and how much it shows, and nothing of what it says.
impl std::fmt::Debug for Disclosure<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Disclosure({}, {} leaves)", self.entry.id(), self.opened.len())
    }
}

const fn shape(what: &'static str) -> Refused {
    Refused { check: Check::Shape, what }
}
