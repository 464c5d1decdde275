//! From bytes to what an exhibit shows, part by part.

use super::{CERTIFICATES_MAX, EXHIBIT_BYTES_MAX, VERSION};
use crate::bounds::{Bound, Sighting, Timeline};
use crate::cbor::Reader;
use crate::check::{Check, Full, Refused};
use crate::checkpoint::Leaf;
use crate::cose::check_encoding;
use crate::disclosure::{Disclosure, SealedDisclosure};
use crate::entry::{SignedEntry, VerifiedEntry};
use crate::form::FormDefinition;
use crate::id::{FormHash, MissionId};
use crate::key::KeyCache;
use crate::ledger::{LedgerProof, Malformed, ProofRefused};
use crate::roster::{Certificate, CharterFile, CompleteCharter};
use crate::witness::{CosignedNote, Tally, Witnesses};

/// An entry, and what was shown with it; every part is verified.
#[derive(Debug)]
pub struct Exhibit<'a> {
    /// What founds the mission, and what amended it.
    pub charter: CharterFile,
    /// Certificates of the entry's key, ascending by id; at least one grants what the entry is.
    pub certificates: Vec<Certificate>,
    /// The entry, without its body.
    pub entry: VerifiedEntry,
    /// That the ledger has it.
    pub logged: Option<Logged>,
    opened: Option<(SealedDisclosure<'a>, FormDefinition)>,
}

/// What a proof shows of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The place of its leaf.
    pub index: u64,
    /// The note over the ledger that holds it.
    pub note: CosignedNote,
    /// How far the note is confirmed.
    pub tally: Tally,
    /// Until when at the latest the entry was there, by the cosignatures of this note.
    pub not_after: Option<Bound>,
}

/// An exhibit that does not show what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExhibitRefused {
    /// A part of it, with the check that it fails.
    #[error(transparent)]
    Part(#[from] Refused),
    /// The certificates are not strictly ascending by id.
    #[error("the certificates are not in order")]
    Order,
    /// The charter does not list the form.
    #[error("the charter does not list the form")]
    Form,
    /// The bytes of the proof.
    #[error("the proof cannot be read")]
    Malformed(Malformed),
    /// What the proof shows.
    #[error(transparent)]
    Proof(#[from] ProofRefused),
    /// There is a proof, and the mission has no ledger.
    #[error("the mission has no ledger")]
    NoLedger,
}

impl ExhibitRefused {
    /// Every code of its own, and those that a proof brings.
    pub const CODES: [&'static str; 2] = ["exhibit-order", "exhibit-form"];

    /// The stable code, as the spec names it.
    pub const fn code(self) -> &'static str {
        match self {
            ExhibitRefused::Part(refused) => refused.check.code(),
            ExhibitRefused::Order => "exhibit-order",
            ExhibitRefused::Form => "exhibit-form",
            ExhibitRefused::Malformed(malformed) => malformed.code(),
            ExhibitRefused::Proof(refused) => refused.code(),
            ExhibitRefused::NoLedger => "not-included",
        }
    }
}

impl<'a> Exhibit<'a> {
    /// Reads an exhibit of a mission and verifies every part of it.
    ///
    /// # Errors
    /// The first failing check of `spec/exhibit.md`, Order of the checks.
    pub fn read(bytes: &'a [u8], mission: MissionId) -> Result<Self, ExhibitRefused> {
        let fields = Fields::read(bytes)?;
        let file = CharterFile::read(fields.charter, mission)?;
        let charter = file.charter();
        let keys = &mut KeyCache::with_capacity(4);
        let (entry, sealed) = match fields.entry {
            Entry::Header(header) => (SignedEntry::new(header, None).verify(mission, keys)?, None),
            Entry::Disclosed { disclosure, form } => {
                let sealed = SealedDisclosure::read(disclosure, mission, keys)?;
                (sealed.entry().clone(), Some((sealed, form)))
            }
        };
        let certificates = certificates(&fields.certificates, charter, &entry, keys)?;
        let opened = sealed.map(|(sealed, form)| open(sealed, form, charter)).transpose()?;
        let logged = fields.proof.map(|proof| logged(proof, charter, &entry)).transpose()?;
        Ok(Self { charter: file, certificates, entry, logged, opened })
    }

    /// The answers that are shown, if any are.
    pub fn disclosure(&self) -> Option<Disclosure<'_>> {
        let (sealed, form) = self.opened.as_ref()?;
        // It opened when the exhibit was read.
        sealed.clone().open(form).ok()
    }

    /// The form of the answers that are shown.
    pub fn form(&self) -> Option<&FormDefinition> {
        self.opened.as_ref().map(|(_, form)| form)
    }
}

/// The parts of the map, nothing of which is verified.
struct Fields<'a> {
    charter: &'a [u8],
    certificates: Vec<&'a [u8]>,
    entry: Entry<'a>,
    proof: Option<&'a [u8]>,
}

enum Entry<'a> {
    Header(&'a [u8]),
    Disclosed { disclosure: &'a [u8], form: &'a [u8] },
}

impl<'a> Fields<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Refused> {
        let what = "exhibit";
        if bytes.len() > EXHIBIT_BYTES_MAX {
            return Err(Refused { check: Check::SizeLimit, what });
        }
        check_encoding(bytes, Full, what)?;
        let mut reader = Reader::new(bytes);
        let (mut version, mut charter, mut certificates) = (None, None, None);
        let (mut header, mut disclosure, mut form, mut proof) = (None, None, None, None);
        let mut fields = reader.map(what)?;
        while let Some(key) = fields.next(&mut reader)? {
            match key {
                1 => version = Some(reader.uint("version")?).filter(|&version| version == VERSION),
                2 => charter = Some(reader.bytes("charter")?),
                3 => certificates = Some(read_certificates(&mut reader)?),
                4 => header = Some(reader.bytes("header")?),
                5 => disclosure = Some(reader.bytes("disclosure")?),
                6 => form = Some(reader.bytes("form")?),
                7 => proof = Some(reader.bytes("proof")?),
                _ => return Err(shape(what)),
            }
        }
        reader.finish(what)?;
        version.ok_or(shape("version"))?;
        let entry = match (header, disclosure, form) {
            (Some(header), None, None) => Entry::Header(header),
            (None, Some(disclosure), Some(form)) => Entry::Disclosed { disclosure, form },
            _ => return Err(shape("header")),
        };
        let charter = charter.ok_or(shape("charter"))?;
        Ok(Self { charter, certificates: certificates.ok_or(shape("certificates"))?, entry, proof })
    }
}

fn read_certificates<'a>(reader: &mut Reader<'a, Full>) -> Result<Vec<&'a [u8]>, Refused> {
    let len = reader.array(CERTIFICATES_MAX, "certificates")?;
    if len == 0 {
        return Err(shape("certificates"));
    }
    let read = (0..len).map(|_| reader.bytes("certificate")).collect::<Result<_, _>>()?;
    reader.leave();
    Ok(read)
}

fn certificates(
    shown: &[&[u8]],
    charter: &CompleteCharter,
    entry: &VerifiedEntry,
    keys: &mut KeyCache,
) -> Result<Vec<Certificate>, ExhibitRefused> {
    let mut verified: Vec<Certificate> = Vec::with_capacity(shown.len());
    for bytes in shown {
        let certificate = Certificate::verify(bytes, charter, keys)?;
        if verified.last().is_some_and(|last| last.id() >= certificate.id()) {
            return Err(ExhibitRefused::Order);
        }
        if certificate.key() != entry.key() {
            return Err(Refused { check: Check::CertificateKey, what: "certificate" }.into());
        }
        verified.push(certificate);
    }
    let header = entry.header();
    if !verified.iter().any(|certificate| certificate.grants(header.scope, header.kind)) {
        return Err(Refused { check: Check::OutOfRole, what: "certificates" }.into());
    }
    Ok(verified)
}

fn open<'a>(
    sealed: SealedDisclosure<'a>,
    form: &[u8],
    charter: &CompleteCharter,
) -> Result<(SealedDisclosure<'a>, FormDefinition), ExhibitRefused> {
    if charter.charter().forms.binary_search(&FormHash::of(form)).is_err() {
        return Err(ExhibitRefused::Form);
    }
    let definition = FormDefinition::decode(form)?;
    sealed.clone().open(&definition)?;
    Ok((sealed, definition))
}

fn logged(proof: &[u8], charter: &CompleteCharter, entry: &VerifiedEntry) -> Result<Logged, ExhibitRefused> {
    let proof = LedgerProof::parse(proof).map_err(ExhibitRefused::Malformed)?;
    let witnesses = Witnesses::judging(charter, &proof.note).ok_or(ExhibitRefused::NoLedger)?;
    let leaf = Leaf::Entry { log: entry.log(), seq: entry.header().seq, id: entry.id() };
    let note = proof.verify(&leaf, &witnesses)?;
    let size = note.checkpoint().size();
    let sightings = note.cosignatures().filter_map(|cosignature| {
        let party = witnesses.party_of(cosignature.key())?;
        Some(Sighting { at: size, party, time: cosignature.time() })
    });
    let timeline = Timeline::new(witnesses.quorum(), sightings, []);
    let not_after = timeline.not_after(proof.index).cloned();
    let tally = witnesses.tally(&note);
    Ok(Logged { index: proof.index, note, tally, not_after })
}

const fn shape(what: &'static str) -> Refused {
    Refused { check: Check::Shape, what }
}
