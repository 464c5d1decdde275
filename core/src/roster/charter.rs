//! What a charter says: which parties found a mission, over which scopes (`spec/roster.md`, Charter).

use std::collections::BTreeSet;

use super::{PartyNumber, present};
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::id::{FormHash, ScopeId};
use crate::key::{KEY_BYTES, PublicKey};
use crate::witness::Quorum;

/// Most parties of a mission.
pub const PARTIES_MAX: usize = 64;
/// Most scopes of a mission.
pub const SCOPES_MAX: usize = 256;
/// Most forms of a mission.
pub const FORMS_MAX: usize = 1_024;
/// Most witness keys of one party.
pub const WITNESSES_MAX: usize = 16;
/// Longest name of a mission, a party, a scope or a ledger, in bytes.
pub const NAME_BYTES_MAX: usize = 128;

/// One party of a mission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its number, unique in the charter.
    pub number: PartyNumber,
    /// Its name.
    pub name: String,
    /// The key that signs for it: the charter, certificates, cuts and erasures.
    pub root: PublicKey,
    /// The keys of its witnesses.
    pub witnesses: Vec<PublicKey>,
}

/// One scope of a mission: which records travel together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Its id.
    pub id: ScopeId,
    /// Its name.
    pub name: String,
}

/// The mission's ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The origin line of its checkpoints, and the name of its key in notes: no white space, no `+`.
    pub origin: String,
    /// The key that signs its checkpoints.
    pub key: PublicKey,
}

/// What the parties agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charter {
    /// The mission's name.
    pub name: String,
    /// Random, so that two missions never share an id.
    pub nonce: [u8; 16],
    /// The parties, ascending by number.
    pub parties: Vec<Party>,
    /// The scopes, ascending by id.
    pub scopes: Vec<Scope>,
    /// The forms, ascending.
    pub forms: Vec<FormHash>,
    /// The ledger, when the mission has one.
    pub ledger: Option<Ledger>,
    /// How many parties decide an erasure or a cut of several, and the least that amend this charter.
    pub quorum: u64,
}

impl Charter {
    /// Reads a charter's payload.
    ///
    /// # Errors
    /// An encoding code, `charter-order`, a key code or `charter-keys`, in this order.
    pub fn decode(payload: &[u8]) -> Result<Self, Refused> {
        Self::decode_under(payload, Full)
    }

    /// [`decode`](Self::decode) under `policy`.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_under<P: Policy>(payload: &[u8], policy: P) -> Result<Self, Refused> {
        let raw = RawCharter::read(payload, policy)?;
        raw.check_order(policy)?;
        let charter = raw.admit_keys(policy)?;
        let keys: Vec<&PublicKey> = charter.keys().collect();
        let distinct: BTreeSet<&PublicKey> = keys.iter().copied().collect();
        policy.require(distinct.len() == keys.len(), Check::CharterKeys, "keys")?;
        Ok(charter)
    }

    /// The payload that says this.
    ///
    /// # Errors
    /// What [`decode`](Self::decode) would refuse in it.
    pub fn encode(&self) -> Result<Vec<u8>, Refused> {
        self.encode_under(Full)
    }

    /// [`encode`](Self::encode) under `policy`.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub(super) fn encode_under<P: Policy>(&self, policy: P) -> Result<Vec<u8>, Refused> {
        let Self { name, nonce, parties, scopes, forms, ledger, quorum } = self;
        let mut writer = Writer::new();
        writer.map(6 + usize::from(ledger.is_some()));
        writer.uint(1).text(name).uint(2).bytes(nonce);
        write_parties(&mut writer, parties);
        write_scopes(&mut writer, scopes);
        write_forms(&mut writer, forms);
        if let Some(ledger) = ledger {
            write_ledger(&mut writer, ledger);
        }
        writer.uint(7).uint(*quorum);
        let payload = writer.finish();
        Self::decode_under(&payload, policy)?;
        Ok(payload)
    }

    /// The party with this number.
    pub fn party(&self, number: PartyNumber) -> Option<&Party> {
        self.parties.iter().find(|party| party.number == number)
    }

    /// The party whose root key this is.
    pub fn party_by_root(&self, key: &[u8; 32]) -> Option<&Party> {
        self.parties.iter().find(|party| party.root.as_bytes() == key)
    }

    /// The party whose root key this is, and the key as admitted.
    pub(super) fn root_of(&self, key: &[u8; KEY_BYTES]) -> Option<(PartyNumber, PublicKey)> {
        self.party_by_root(key).map(|party| (party.number, party.root))
    }

    /// How many parties a cut needs that acts at any height: a quorum of one is no agreement.
    pub fn cutting(&self) -> u64 {
        self.quorum.max(2)
    }

    /// How many parties an amendment needs: its quorum, and as many as would make a checkpoint final if each had a witness. Two
    /// amendments that each have as many then have more parties in common than may lie.
    pub fn amending(&self) -> u64 {
        let parties = self.parties.len();
        self.quorum.max(Quorum::of(parties).last as u64).min(parties as u64)
    }

    /// Whether the charter names this scope.
    pub fn has_scope(&self, scope: ScopeId) -> bool {
        self.scopes.iter().any(|known| known.id == scope)
    }

    /// Every key it names.
    pub(super) fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        let of_parties = self.parties.iter().flat_map(|party| std::iter::once(&party.root).chain(&party.witnesses));
        of_parties.chain(self.ledger.iter().map(|ledger| &ledger.key))
    }
}

/// A charter as read, before its keys are admitted.
struct RawCharter {
    name: String,
    nonce: [u8; 16],
    parties: Vec<RawParty>,
    scopes: Vec<Scope>,
    forms: Vec<FormHash>,
    ledger: Option<(String, [u8; 32])>,
    quorum: u64,
}

/// A party as read, before its keys are admitted.
pub(super) struct RawParty {
    pub(super) number: PartyNumber,
    name: String,
    root: [u8; 32],
    witnesses: Vec<[u8; 32]>,
}

impl RawParty {
    pub(super) fn admit_keys<P: Policy>(self, policy: P) -> Result<Party, Refused> {
        let admit = |key: &[u8; 32]| PublicKey::admit_under(key, policy);
        let witnesses = self.witnesses.iter().map(admit).collect::<Result<_, _>>()?;
        Ok(Party { number: self.number, name: self.name, root: admit(&self.root)?, witnesses })
    }
}

impl RawCharter {
    fn read<P: Policy>(payload: &[u8], policy: P) -> Result<Self, Refused> {
        let mut reader = Reader::with(payload, policy);
        let reader = &mut reader;
        let (mut name, mut nonce, mut parties, mut scopes) = (None, None, None, None);
        let (mut forms, mut ledger, mut quorum) = (None, None, None);
        let mut fields = reader.map("charter")?;
        while let Some(key) = fields.next(reader)? {
            match key {
                1 => name = Some(read_name(reader, "mission name")?),
                2 => nonce = Some(reader.array_of("nonce")?),
                3 => parties = Some(read_parties(reader)?),
                4 => scopes = Some(read_scopes(reader)?),
                5 => forms = Some(read_forms(reader)?),
                6 => ledger = Some(read_ledger(reader)?),
                7 => quorum = Some(reader.uint("quorum")?),
                _ => return Err(Refused { check: Check::Shape, what: "charter" }),
            }
        }
        reader.clone().finish("charter")?;
        let (parties, scopes) = (present(parties, "parties")?, present(scopes, "scopes")?);
        policy.require(!parties.is_empty(), Check::Shape, "parties")?;
        policy.require(!scopes.is_empty(), Check::Shape, "scopes")?;
        Ok(Self {
            name: present(name, "mission name")?,
            nonce: present(nonce, "nonce")?,
            parties,
            scopes,
            forms: present(forms, "forms")?,
            ledger,
            quorum: present(quorum, "quorum")?,
        })
    }

    fn check_order<P: Policy>(&self, policy: P) -> Result<(), Refused> {
        let order = Check::CharterOrder;
        policy.require(self.parties.is_sorted_by(|a, b| a.number < b.number), order, "parties")?;
        policy.require(self.scopes.is_sorted_by(|a, b| a.id < b.id), order, "scopes")?;
        policy.require(self.forms.is_sorted_by(|a, b| a < b), order, "forms")?;
        policy.require((1..=self.parties.len() as u64).contains(&self.quorum), order, "quorum")
    }

    fn admit_keys<P: Policy>(self, policy: P) -> Result<Charter, Refused> {
        let ledger = match self.ledger {
            Some((origin, key)) => Some(Ledger { origin, key: PublicKey::admit_under(&key, policy)? }),
            None => None,
        };
        Ok(Charter {
            name: self.name,
            nonce: self.nonce,
            parties: self.parties.into_iter().map(|party| party.admit_keys(policy)).collect::<Result<_, Refused>>()?,
            scopes: self.scopes,
            forms: self.forms,
            ledger,
            quorum: self.quorum,
        })
    }
}

fn list<P: Policy, T>(
    reader: &mut Reader<'_, P>,
    len_max: usize,
    what: &'static str,
    mut item: impl FnMut(&mut Reader<'_, P>) -> Result<T, Refused>,
) -> Result<Vec<T>, Refused> {
    let len = reader.array(len_max, what)?;
    let items = (0..len).map(|_| item(reader)).collect::<Result<_, _>>()?;
    reader.leave();
    Ok(items)
}

pub(super) fn read_parties<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Vec<RawParty>, Refused> {
    list(reader, PARTIES_MAX, "parties", read_party)
}

pub(super) fn read_scopes<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Vec<Scope>, Refused> {
    list(reader, SCOPES_MAX, "scopes", read_scope)
}

pub(super) fn read_forms<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Vec<FormHash>, Refused> {
    list(reader, FORMS_MAX, "forms", |reader| Ok(FormHash::from_bytes(reader.array_of("form")?)))
}

fn read_name<P: Policy>(reader: &mut Reader<'_, P>, what: &'static str) -> Result<String, Refused> {
    let name = reader.text(NAME_BYTES_MAX, what)?;
    reader.policy().require(!name.is_empty(), Check::Shape, what)?;
    Ok(name.to_owned())
}

fn read_party<P: Policy>(reader: &mut Reader<'_, P>) -> Result<RawParty, Refused> {
    reader.array_exact(4, "party")?;
    let party = RawParty {
        number: PartyNumber(reader.uint("party number")?),
        name: read_name(reader, "party name")?,
        root: reader.array_of("root key")?,
        witnesses: list(reader, WITNESSES_MAX, "witnesses", |reader| reader.array_of("witness key"))?,
    };
    reader.leave();
    Ok(party)
}

fn read_scope<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Scope, Refused> {
    reader.array_exact(2, "scope")?;
    let scope = Scope { id: ScopeId::from_bytes(reader.array_of("scope id")?), name: read_name(reader, "scope name")? };
    reader.leave();
    Ok(scope)
}

pub(super) fn read_ledger<P: Policy>(reader: &mut Reader<'_, P>) -> Result<(String, [u8; 32]), Refused> {
    reader.array_exact(2, "ledger")?;
    let origin = read_name(reader, "ledger origin")?;
    // The origin is also a key name in signed notes, where white space and `+` have a meaning.
    let is_plain = !origin.contains(|c: char| c.is_whitespace() || c == '+');
    reader.policy().require(is_plain, Check::Shape, "ledger origin")?;
    let key = reader.array_of("ledger key")?;
    reader.leave();
    Ok((origin, key))
}

/// Key 3 of a charter and of an amendment.
pub(super) fn write_parties(writer: &mut Writer, parties: &[Party]) {
    writer.uint(3).array(parties.len());
    for Party { number, name, root, witnesses } in parties {
        writer.array(4).uint(number.0).text(name).bytes(root.as_bytes()).array(witnesses.len());
        for witness in witnesses {
            writer.bytes(witness.as_bytes());
        }
    }
}

/// Key 4.
pub(super) fn write_scopes(writer: &mut Writer, scopes: &[Scope]) {
    writer.uint(4).array(scopes.len());
    for Scope { id, name } in scopes {
        writer.array(2).bytes(id.as_bytes()).text(name);
    }
}

/// Key 5.
pub(super) fn write_forms(writer: &mut Writer, forms: &[FormHash]) {
    writer.uint(5).array(forms.len());
    for form in forms {
        writer.bytes(form.as_bytes());
    }
}

/// Key 6.
pub(super) fn write_ledger(writer: &mut Writer, Ledger { origin, key }: &Ledger) {
    writer.uint(6).array(2).text(origin).bytes(key.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::key;

    fn party(number: u64, seed: u8) -> Party {
        let (name, root) = (format!("State {number}"), *key(seed).public());
        Party { number: PartyNumber(number), name, root, witnesses: vec![*key(seed + 100).public()] }
    }

    fn charter() -> Charter {
        let scope = |n: u8| Scope { id: ScopeId::from_bytes([n; 8]), name: format!("Scope {n}") };
        Charter {
            name: "Border posts".into(),
            nonce: [9; 16],
            parties: vec![party(1, 1), party(2, 2), party(7, 3)],
            scopes: vec![scope(1), scope(2)],
            forms: vec![FormHash::from_bytes([1; 32]), FormHash::from_bytes([2; 32])],
            ledger: Some(Ledger { origin: "example.org/ledger".into(), key: *key(50).public() }),
            quorum: 2,
        }
    }

    #[test]
    fn a_malformed_charter_is_never_signed() {
        type Edit = fn(&mut Charter);
        let rows: &[(&str, Edit, Check)] = &[
            ("parties order", |c| c.parties.swap(0, 1), Check::CharterOrder),
            ("party number twice", |c| c.parties[1].number = PartyNumber(1), Check::CharterOrder),
            ("scopes order", |c| c.scopes.swap(0, 1), Check::CharterOrder),
            ("forms twice", |c| c.forms[1] = c.forms[0], Check::CharterOrder),
            ("quorum 0", |c| c.quorum = 0, Check::CharterOrder),
            ("quorum above the parties", |c| c.quorum = 4, Check::CharterOrder),
            ("one root for two", |c| c.parties[1].root = c.parties[0].root, Check::CharterKeys),
            ("a root as a witness", |c| c.parties[1].witnesses[0] = c.parties[0].root, Check::CharterKeys),
            ("a ledger key as a root", |c| c.ledger.as_mut().unwrap().key = c.parties[0].root, Check::CharterKeys),
            ("no scopes", |c| c.scopes.clear(), Check::Shape),
            ("no name", |c| c.name.clear(), Check::Shape),
            ("long name", |c| c.name = "x".repeat(129), Check::SizeLimit),
            ("name of two lines", |c| c.name = "a\nb".into(), Check::TextForbidden),
            ("origin with a space", |c| c.ledger.as_mut().unwrap().origin = "a b".into(), Check::Shape),
        ];
        for (name, edit, wanted) in rows {
            let mut charter = charter();
            edit(&mut charter);
            assert_eq!(charter.encode().err().map(|r| r.check), Some(*wanted), "{name}");
        }
    }
}
