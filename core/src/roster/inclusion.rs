//! The inclusion statement: a final checkpoint of the ledger held this leaf at this place (`spec/roster.md`, Inclusion).
//!
//! A phone holds notes and no leaves. With these it knows what stood in the ledger before a cut did, and so below
//! which height one party alone cannot cut; and which certificates are in the ledger.

use super::acknowledgement::Acknowledgement;
use super::certificate::{Certificate, Role};
use super::cut::Cut;
use super::statements::Roster;
use super::{MakeError, present};
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::checkpoint::Leaf;
use crate::cose::{self, Envelope, Label};
use crate::entry::LogHead;
use crate::id::{DIGEST_BYTES, Epoch, LogId, MissionId, ScopeId, StatementId};
use crate::key::{KEY_BYTES, KeyCache, PublicKey, Signer};
use crate::ledger::{LEAF_BYTES_MAX, LedgerProof, PROOF_BYTES_MAX};
use crate::merkle;
use crate::witness::{Confirmation, CosignedNote, Witnesses};

/// Largest inclusion statement, in bytes: the largest proof file, and 512 for leaf, log and envelope.
pub const INCLUSION_BYTES_MAX: usize = PROOF_BYTES_MAX + 512;

/// What stood in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Included {
    /// An entry of a key that is cut.
    Entry {
        /// Whose log it is in.
        key: [u8; KEY_BYTES],
        /// The entry, and which log.
        head: LogHead,
    },
    /// A statement; those of certificates and acknowledgements decide something.
    Statement(StatementId),
}

impl Included {
    /// The id of the entry or statement.
    pub(super) fn id(&self) -> &[u8; DIGEST_BYTES] {
        match self {
            Included::Entry { key: _, head } => head.id.as_bytes(),
            Included::Statement(id) => id.as_bytes(),
        }
    }

    /// Its leaf in the ledger.
    pub fn leaf(&self) -> Leaf {
        match self {
            Included::Entry { key, head: LogHead { scope, epoch, seq, id } } => {
                Leaf::Entry { log: LogId::derive(key, *scope, *epoch), seq: *seq, id: *id }
            }
            Included::Statement(id) => Leaf::Statement(*id),
        }
    }
}

/// A leaf whose inclusion under a final checkpoint was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    id: StatementId,
    bytes: Vec<u8>,
    signer: PublicKey,
    included: Included,
    index: u64,
    size: u64,
}

impl Inclusion {
    /// States that the ledger held `included`, as `proof` shows.
    ///
    /// # Errors
    /// What [`verify`](Self::verify) would refuse, or if the signer does not sign.
    pub fn make(
        roster: &Roster,
        signer: &dyn Signer,
        included: &Included,
        proof: &LedgerProof,
    ) -> Result<Self, MakeError> {
        let mut writer = Writer::new();
        let is_entry = matches!(included, Included::Entry { .. });
        writer.map(3 + usize::from(is_entry)).uint(1).bytes(roster.mission().as_bytes());
        writer.uint(2).bytes(&included.leaf().encode()).uint(3).bytes(&proof.encode());
        if let Included::Entry { key, head: LogHead { scope, epoch, seq: _, id: _ } } = included {
            writer.uint(4).array(3).bytes(key).bytes(scope.as_bytes()).bytes(epoch.as_bytes());
        }
        let bytes = cose::sign(Label::Inclusion, signer, &writer.finish())?;
        Ok(Self::verify(&bytes, roster)?)
    }

    /// Verifies an inclusion against the charter's witnesses, and the certificates and cuts held.
    ///
    /// # Errors
    /// `size-limit`, an encoding or envelope code, a key code, `signature-invalid`, `shape`, `mission-mismatch`,
    /// `inclusion-signer`, `inclusion-leaf`, `inclusion-proof` or `inclusion-final`, in this order.
    pub fn verify(bytes: &[u8], roster: &Roster) -> Result<Self, Refused> {
        Self::verify_under(bytes, roster, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_under<P: Policy>(bytes: &[u8], roster: &Roster, policy: P) -> Result<Self, Refused> {
        policy.require(bytes.len() <= INCLUSION_BYTES_MAX, Check::SizeLimit, "inclusion")?;
        let envelope = Envelope::decode_under(Label::Inclusion, bytes, policy)?;
        envelope.check_payload_encoding(policy)?;
        let (signer, payload) = envelope.open_under(&mut KeyCache::with_capacity(1), policy)?;
        let payload = Payload::read(payload, policy)?;
        policy.require(payload.mission == roster.mission(), Check::MissionMismatch, "inclusion")?;
        let mut roles = roster.certificates_of(signer.as_bytes()).map(Certificate::role);
        let is_certified = roles.any(Role::grants_receipts);
        policy.require(is_certified, Check::InclusionSigner, "signer")?;
        let included = payload.included(roster, policy)?;
        let (index, size) = payload.shown(&included.leaf(), roster, policy)?;
        Ok(Self { id: StatementId::of(bytes), bytes: bytes.to_vec(), signer, included, index, size })
    }

    /// Its id.
    pub fn id(&self) -> StatementId {
        self.id
    }

    /// The bytes as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Who passed it on; nothing that it shows rests on that.
    pub fn signer(&self) -> &PublicKey {
        &self.signer
    }

    /// What stood in the ledger.
    pub fn included(&self) -> &Included {
        &self.included
    }

    /// The key whose entries it may bear on: that of the entry, of the certificate, of the cut or of the cut acknowledged;
    /// `None` if the statement is none of these or is not held.
    pub fn about<'a>(&'a self, roster: &'a Roster) -> Option<&'a [u8; KEY_BYTES]> {
        match &self.included {
            Included::Entry { key, head: _ } => Some(key),
            Included::Statement(id) => {
                let acknowledged = roster.acknowledgement(*id).map_or(*id, Acknowledgement::cut);
                let cut = || roster.cut(acknowledged).map(Cut::key);
                roster.certificate(*id).map(|certificate| certificate.key().as_bytes()).or_else(cut)
            }
        }
    }

    /// Its place.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many leaves the final checkpoint has.
    pub fn size(&self) -> u64 {
        self.size
    }
}

struct Payload<'a> {
    mission: MissionId,
    leaf: &'a [u8],
    proof: &'a [u8],
    log: Option<([u8; KEY_BYTES], ScopeId, Epoch)>,
}

impl<'a> Payload<'a> {
    fn read<P: Policy>(payload: &'a [u8], policy: P) -> Result<Self, Refused> {
        let mut reader = Reader::with(payload, policy);
        let (mut mission, mut leaf, mut proof, mut log) = (None, None, None, None);
        let mut fields = reader.map("inclusion")?;
        while let Some(key) = fields.next(&mut reader)? {
            match key {
                1 => mission = Some(MissionId::from_bytes(reader.array_of("mission")?)),
                2 => leaf = Some(reader.bytes("leaf")?),
                3 => proof = Some(reader.bytes("proof")?),
                4 => log = Some(read_log(&mut reader)?),
                _ => return Err(Refused { check: Check::Shape, what: "inclusion" }),
            }
        }
        reader.finish("inclusion")?;
        let leaf = present(leaf, "leaf")?;
        policy.require(leaf.len() <= LEAF_BYTES_MAX, Check::SizeLimit, "leaf")?;
        Ok(Self { mission: present(mission, "mission")?, leaf, proof: present(proof, "proof")?, log })
    }

    /// The leaf, if it is about a statement, or about an entry of a key that a cut ends.
    fn included<P: Policy>(&self, roster: &Roster, policy: P) -> Result<Included, Refused> {
        let leaf = Refused { check: Check::InclusionLeaf, what: "leaf" };
        match (Leaf::decode(self.leaf).map_err(|_| leaf)?, self.log) {
            (Leaf::Entry { log, seq, id }, Some((key, scope, epoch))) => {
                policy.require(LogId::derive(&key, scope, epoch) == log, Check::InclusionLeaf, "log")?;
                let is_cut = roster.cuts_of(&key).next().is_some();
                policy.require(is_cut, Check::InclusionLeaf, "key that no cut ends")?;
                Ok(Included::Entry { key, head: LogHead { scope, epoch, seq, id } })
            }
            // Whether it is held is not asked: which statements of a prolific signer are held depends on what is shown.
            (Leaf::Statement(id), None) => Ok(Included::Statement(id)),
            (Leaf::Entry { .. }, None)
            | (Leaf::Statement(_), Some(_))
            | (Leaf::Begun { .. } | Leaf::Log { .. } | Leaf::Cosignature(_), _) => Err(leaf),
        }
    }

    /// Index and size that the proof shows.
    fn shown<P: Policy>(&self, leaf: &Leaf, roster: &Roster, policy: P) -> Result<(u64, u64), Refused> {
        let refused = |what| Refused { check: Check::InclusionProof, what };
        let proof = LedgerProof::parse(self.proof).map_err(|_| refused("proof"))?;
        policy.require(proof.encode() == self.proof, Check::InclusionProof, "proof")?;
        let witnesses = Witnesses::judging(roster.charter(), &proof.note).ok_or(refused("ledger"))?;
        let note = CosignedNote::gather(&proof.note, &witnesses).map_err(|_| refused("note"))?;
        // One form: else every line that nobody checks would make another statement of the same.
        policy.require(note.encode() == proof.note, Check::InclusionProof, "lines")?;
        let (size, root) = (note.checkpoint().size(), note.checkpoint().root());
        let path = merkle::verify_inclusion(&merkle::leaf_hash(&leaf.encode()), proof.index, size, &proof.path, root);
        policy.require(path.is_ok(), Check::InclusionProof, "path")?;
        let is_final = witnesses.tally(&note).confirmation == Confirmation::Final;
        policy.require(is_final, Check::InclusionFinal, "note")?;
        Ok((proof.index, size))
    }
}

fn read_log<P: Policy>(reader: &mut Reader<'_, P>) -> Result<([u8; KEY_BYTES], ScopeId, Epoch), Refused> {
    reader.array_exact(3, "log")?;
    let (key, scope) = (reader.array_of("log")?, ScopeId::from_bytes(reader.array_of("log")?));
    let epoch = Epoch::from_bytes(reader.array_of("log")?);
    reader.leave();
    Ok((key, scope, epoch))
}
