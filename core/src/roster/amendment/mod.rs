//! The amendment: what parties agree to add to their charter, or to put in the place of a key (`spec/roster.md`, Amendment).
//!
//! ```text
//! Changes ──begin──▶ ProposedAmendment ──complete──▶ Amendment ──Amendments──▶ the charter in force
//! a draft            signed by some parties          signed by enough
//! ```
//!
//! This module says what one amendment states and who signed it. Which of those held are in force, [`Amendments`] says.

mod apply;
mod held;
mod signed;

use super::charter::{
    self, Ledger, Party, RawParty, Scope, read_forms, read_ledger, read_parties, read_scopes, write_forms,
    write_ledger, write_parties, write_scopes,
};
use super::present;
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Policy, Refused};
use crate::id::{CharterId, FormHash, MissionId};
use crate::key::PublicKey;
use crate::witness::COSIGNED_NOTE_BYTES_MAX;

pub(super) use apply::Former;
pub(super) use held::Amendments;
pub use held::{Frozen, Rival};
pub use signed::{AMENDMENT_BYTES_MAX, Amendment, ProposedAmendment};

/// What an amendment adds to a charter, or puts in the place of a key. Nothing is taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Parties that join, and parties of the charter whose root key or witnesses are others from now on; ascending by number.
    pub parties: Vec<Party>,
    /// Scopes that are added, ascending by id.
    pub scopes: Vec<Scope>,
    /// Forms that are added, ascending.
    pub forms: Vec<FormHash>,
    /// The ledger, if there was none; or the same one with another key.
    pub ledger: Option<Ledger>,
    /// Another quorum.
    pub quorum: Option<u64>,
    /// The note, final by the witnesses before, up to whose size these still judge; only where witnesses or the ledger's
    /// key change, and not before the ledger had a final note.
    pub note: Option<Vec<u8>>,
    /// Other amendments of the same charter, ascending: whoever signs this one takes its signature back from them.
    pub instead: Vec<CharterId>,
}

/// Most amendments that one names from which its signers withdraw.
const INSTEAD_MAX: usize = 64;

impl Changes {
    fn encode(&self, mission: MissionId, predecessor: CharterId) -> Vec<u8> {
        let Self { parties, scopes, forms, ledger, quorum, note, instead } = self;
        let lists = [!parties.is_empty(), !scopes.is_empty(), !forms.is_empty(), !instead.is_empty()];
        let others = [ledger.is_some(), quorum.is_some(), note.is_some()];
        let mut writer = Writer::new();
        writer.map(2 + lists.iter().chain(&others).filter(|is_there| **is_there).count());
        writer.uint(1).bytes(mission.as_bytes()).uint(2).bytes(predecessor.as_bytes());
        if !parties.is_empty() {
            write_parties(&mut writer, parties);
        }
        if !scopes.is_empty() {
            write_scopes(&mut writer, scopes);
        }
        if !forms.is_empty() {
            write_forms(&mut writer, forms);
        }
        if let Some(ledger) = ledger {
            write_ledger(&mut writer, ledger);
        }
        if let Some(quorum) = quorum {
            writer.uint(7).uint(*quorum);
        }
        if let Some(note) = note {
            writer.uint(8).bytes(note);
        }
        if !instead.is_empty() {
            writer.uint(9).array(instead.len());
            for other in instead {
                writer.bytes(other.as_bytes());
            }
        }
        writer.finish()
    }
}

/// What an amendment says, its keys not admitted yet.
struct Payload {
    mission: MissionId,
    predecessor: CharterId,
    parties: Vec<RawParty>,
    scopes: Vec<Scope>,
    forms: Vec<FormHash>,
    ledger: Option<(String, [u8; 32])>,
    quorum: Option<u64>,
    note: Option<Vec<u8>>,
    instead: Vec<CharterId>,
}

impl Payload {
    fn read<P: Policy>(payload: &[u8], policy: P) -> Result<Self, Refused> {
        let mut reader = Reader::with(payload, policy);
        let reader = &mut reader;
        let (mut mission, mut predecessor) = (None, None);
        let (mut parties, mut scopes, mut forms) = (None, None, None);
        let (mut ledger, mut quorum, mut note, mut instead) = (None, None, None, None);
        let mut fields = reader.map("amendment")?;
        while let Some(key) = fields.next(reader)? {
            match key {
                1 => mission = Some(MissionId::from_bytes(reader.array_of("mission")?)),
                2 => predecessor = Some(CharterId::from_bytes(reader.array_of("predecessor")?)),
                3 => parties = Some(some(read_parties(reader)?, "parties", policy)?),
                4 => scopes = Some(some(read_scopes(reader)?, "scopes", policy)?),
                5 => forms = Some(some(read_forms(reader)?, "forms", policy)?),
                6 => ledger = Some(read_ledger(reader)?),
                7 => quorum = Some(reader.uint("quorum")?),
                8 => note = Some(reader.bytes("note")?.to_vec()),
                9 => instead = Some(some(read_instead(reader)?, "instead", policy)?),
                _ => return Err(Refused { check: Check::Shape, what: "amendment" }),
            }
        }
        reader.clone().finish("amendment")?;
        let is_short = note.as_ref().is_none_or(|note: &Vec<u8>| note.len() <= COSIGNED_NOTE_BYTES_MAX);
        policy.require(is_short, Check::SizeLimit, "note")?;
        Ok(Self {
            mission: present(mission, "mission")?,
            predecessor: present(predecessor, "predecessor")?,
            parties: parties.unwrap_or_default(),
            scopes: scopes.unwrap_or_default(),
            forms: forms.unwrap_or_default(),
            ledger,
            quorum,
            note,
            instead: instead.unwrap_or_default(),
        })
    }

    fn admit_keys<P: Policy>(self, policy: P) -> Result<Changes, Refused> {
        let ledger = match self.ledger {
            Some((origin, key)) => Some(Ledger { origin, key: PublicKey::admit_under(&key, policy)? }),
            None => None,
        };
        let parties = self.parties.into_iter().map(|party| party.admit_keys(policy)).collect::<Result<_, _>>()?;
        let Self { scopes, forms, quorum, note, instead, .. } = self;
        Ok(Changes { parties, scopes, forms, ledger, quorum, note, instead })
    }
}

fn read_instead<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Vec<CharterId>, Refused> {
    let len = reader.array(INSTEAD_MAX, "instead")?;
    let ids = (0..len).map(|_| reader.array_of("instead").map(CharterId::from_bytes)).collect::<Result<_, _>>()?;
    reader.leave();
    Ok(ids)
}

/// A list that is written only where it has something in it.
fn some<P: Policy, T>(list: Vec<T>, what: &'static str, policy: P) -> Result<Vec<T>, Refused> {
    policy.require(!list.is_empty(), Check::Shape, what)?;
    Ok(list)
}

/// The largest list of each kind is the charter's.
const _: () = assert!(AMENDMENT_BYTES_MAX >= charter::FORMS_MAX * 34);

#[cfg(test)]
mod tests;
