//! The notes of a bag: read, merged by what they say, and what the tree made of them.

use std::collections::BTreeMap;

use crate::audit::bag::note_path;
use crate::audit::finding::{BagCode, Code, Findings, Place};
use crate::checkpoint::Checkpoint;
use crate::id::{NoteHash, StatementId};
use crate::merkle::NodeHash;
use crate::roster::{Class, CompleteCharter, PartyNumber, Roster};
use crate::witness::{Confirmation, CosignedNote, NoteRefused, Tally, Witness, Witnesses};

/// The notes that verified, by what they say.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    by_text: BTreeMap<(u64, NodeHash), Same>,
}

/// Notes of one text.
#[derive(Clone, Debug)]
struct Same {
    /// With the bytes of each.
    hashes: BTreeMap<NoteHash, Vec<u8>>,
    cosigned: CosignedNote,
}

impl Notes {
    /// No notes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Verifies the note in the file that its name says is of this size and hash.
    pub fn admit(&mut self, roster: &mut Roster, named: (u64, NoteHash), bytes: &[u8], findings: &mut Findings) {
        let place = place_of(named.0, named.1);
        let note = match Witnesses::judging(roster.charter(), bytes) {
            Some(witnesses) => CosignedNote::verify(bytes, &witnesses),
            None => Err(NoteRefused::Checkpoint(crate::Refused {
                check: crate::Check::CheckpointInvalid,
                what: "a ledger that the charter does not name",
            })),
        };
        let note = match note {
            Ok(note) => note,
            Err(refused) => return findings.add(code_of(refused), place, refused.to_string()),
        };
        if (note.checkpoint().size(), note.hash()) != named {
            findings.add(BagCode::BagMisnamed, place.clone(), "name and note differ");
        }
        match roster.admit(Class::Note, note.checkpoint().as_bytes()) {
            Ok(_) => self.add(note),
            Err(refused) => findings.refused(refused, place),
        }
    }

    /// Takes over the notes that a roster holds without cosignatures.
    pub fn add_bare(&mut self, roster: &Roster) {
        roster.notes().cloned().for_each(|note: Checkpoint| self.add(CosignedNote::new(note)));
    }

    /// Every note hash, with the number of leaves.
    pub fn sizes(&self) -> BTreeMap<NoteHash, u64> {
        self.by_text.iter().flat_map(|((size, _), same)| same.hashes.keys().map(|hash| (*hash, *size))).collect()
    }

    /// The witnesses that cosigned none of them; nobody, where there is none.
    pub fn silent(&self, witnesses: &Witnesses<'_>) -> Vec<Witness> {
        if self.by_text.is_empty() {
            return Vec::new();
        }
        witnesses.silent_in(self.by_text.values().map(|same| &same.cosigned))
    }

    fn add(&mut self, note: CosignedNote) {
        let key = (note.checkpoint().size(), *note.checkpoint().root());
        let hash = note.hash();
        let same = self.by_text.entry(key).or_insert_with(|| Same { hashes: BTreeMap::new(), cosigned: note.clone() });
        same.hashes.insert(hash, note.checkpoint().as_bytes().to_vec());
        same.cosigned.merge(&note);
    }

    /// Each text with what confirms it, ascending by size.
    pub(super) fn tallied(&self, charter: &CompleteCharter) -> Vec<SeenNote> {
        let seen = |(&(size, root), same): (&(u64, NodeHash), &Same)| {
            let witnesses = Witnesses::at(charter, size)?;
            let times = same.cosigned.cosignatures().filter_map(|cosignature| {
                let witness = witnesses.iter().find(|witness| witness.key == *cosignature.key())?;
                // As a statement a cosignature stands under one line of the ledger, whichever of them.
                let line = cosignature.line();
                let statement = |note: &Vec<u8>| StatementId::of(&[note, line.as_bytes()].concat());
                let statements = same.hashes.values().map(statement).collect();
                Some(CosignedBy { witness: *witness, time: cosignature.time(), statements })
            });
            Some(SeenNote {
                size,
                root,
                hashes: same.hashes.keys().copied().collect(),
                tally: witnesses.tally(&same.cosigned),
                times: times.collect(),
                state: NoteState::Beyond,
            })
        };
        self.by_text.iter().filter_map(seen).collect()
    }
}

/// A checkpoint of the bag, and what confirms it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenNote {
    /// Leaves.
    pub size: u64,
    /// Their root.
    pub root: NodeHash,
    /// The hashes of its notes: one for each signature of the ledger.
    pub hashes: Vec<NoteHash>,
    /// Who confirmed it.
    pub tally: Tally,
    /// Each witness that cosigned it.
    pub times: Vec<CosignedBy>,
    /// What the leaves say of it.
    pub state: NoteState,
}

/// A cosignature of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignedBy {
    /// Whose.
    pub witness: Witness,
    /// When, by the witness's own clock, in seconds since 1970.
    pub time: u64,
    /// Its ids as a statement: one for each signature of the ledger under the checkpoint.
    pub statements: Vec<StatementId>,
}

impl SeenNote {
    /// Whether its root is that of the bag's leaves.
    pub fn is_matching(&self) -> bool {
        self.state == NoteState::Matching
    }

    /// Whether it matches and is final.
    pub fn is_final(&self) -> bool {
        self.is_matching() && self.tally.confirmation == Confirmation::Final
    }

    /// Whether enough parties cosigned it that whoever restores the ledger hears of it (`spec/witness.md`, Handing out): one
    /// with fewer may have been forgotten with a disk, and accuses nobody.
    pub fn is_handed_out(&self) -> bool {
        self.tally.signed.len() >= self.tally.quorum.shown()
    }

    /// The parties that have witnesses and did not confirm it.
    pub fn silent(&self) -> &[PartyNumber] {
        &self.tally.silent
    }

    pub(super) fn place(&self) -> Place {
        self.hashes.first().map_or_else(Place::bag, |hash| place_of(self.size, *hash))
    }
}

/// What the leaves of a bag say of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteState {
    /// Its root is theirs.
    Matching,
    /// Its root is another.
    Differing,
    /// There are not as many.
    Beyond,
}

impl NoteState {
    /// The stable word.
    pub const fn code(self) -> &'static str {
        match self {
            NoteState::Matching => "matching",
            NoteState::Differing => "differing",
            NoteState::Beyond => "not compared",
        }
    }
}

fn place_of(size: u64, hash: NoteHash) -> Place {
    Place::statement(StatementId::from_bytes(*hash.as_bytes()), &note_path(size, hash))
}

fn code_of(refused: NoteRefused) -> Code {
    match refused {
        NoteRefused::Malformed => BagCode::NoteMalformed.into(),
        NoteRefused::Checkpoint(refused) => refused.check.into(),
        NoteRefused::Unknown => BagCode::CosignatureUnknown.into(),
        NoteRefused::Order => BagCode::CosignatureOrder.into(),
        NoteRefused::Invalid => crate::Check::CosignatureInvalid.into(),
    }
}
