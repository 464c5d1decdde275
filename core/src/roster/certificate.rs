//! The certificate: a party lets a key sign for it, in a role and in scopes (`spec/roster.md`, Certificate).

use super::request::{EnrolmentRequest, ReadTextError};
use super::transfer::{self, Carried};
use super::{CompleteCharter, MakeError, PartyNumber, present};
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::cose::{self, Envelope, Label};
use crate::entry::Kind;
use crate::id::{MissionId, ScopeId, StatementId};
use crate::key::{KeyCache, PublicKey, Signer};

/// Largest certificate, in bytes, so that its text fits the limit of a text.
pub const CERTIFICATE_BYTES_MAX: usize = 720;
/// Most scopes of one certificate.
pub const CERTIFICATE_SCOPES_MAX: usize = 16;

/// What a certified key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Writes records and speaks about those of others.
    Observer,
    /// Speaks about records.
    Reviewer,
    /// Speaks about records and rules on disputes.
    Arbiter,
    /// A base camp: signs receipts and checkpoints, no entries.
    Camp,
    /// Receives, signs nothing.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 5] = [Role::Observer, Role::Reviewer, Role::Arbiter, Role::Camp, Role::Auditor];

    /// Its number in a certificate.
    pub const fn code(self) -> u64 {
        match self {
            Role::Observer => 1,
            Role::Reviewer => 2,
            Role::Arbiter => 3,
            Role::Camp => 4,
            Role::Auditor => 5,
        }
    }

    /// The word for it in the spec.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Observer => "observer",
            Role::Reviewer => "reviewer",
            Role::Arbiter => "arbiter",
            Role::Camp => "camp",
            Role::Auditor => "auditor",
        }
    }

    /// The role with this number.
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// Whether the role may sign entries of this kind.
    pub fn grants_kind(self, kind: Kind) -> bool {
        let (speaks, writes, rules) = match self {
            Role::Observer => (true, true, false),
            Role::Reviewer => (true, false, false),
            Role::Arbiter => (true, false, true),
            Role::Camp | Role::Auditor => (false, false, false),
        };
        match kind {
            Kind::Change | Kind::CoAuthorship => writes,
            Kind::Receipt | Kind::HostComment | Kind::Concurrence | Kind::Objection | Kind::Dissent => speaks,
            Kind::Ruling => rules,
            // Whatever a later version makes of it: its key and scope decide.
            Kind::Unknown(_) => true,
        }
    }

    /// Whether the role may say that its party holds a cut: not a phone that is carried through checkpoints.
    pub fn grants_acknowledgements(self) -> bool {
        match self {
            Role::Reviewer | Role::Arbiter | Role::Camp => true,
            Role::Observer | Role::Auditor => false,
        }
    }

    /// Whether the role may sign receipts of the store it works on.
    pub fn grants_receipts(self) -> bool {
        match self {
            Role::Observer | Role::Reviewer | Role::Arbiter | Role::Camp => true,
            Role::Auditor => false,
        }
    }
}

/// A certificate whose signature, possession, role and scopes were verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    id: StatementId,
    bytes: Vec<u8>,
    party: PartyNumber,
    request: EnrolmentRequest,
    role: Role,
    scopes: Vec<ScopeId>,
}

impl Certificate {
    /// Certifies the key of `request`, for the party whose root key `signer` holds.
    ///
    /// # Errors
    /// What [`verify`](Self::verify) would refuse; `certificate-signer` if the signer is no party's root key;
    /// or if the signer does not sign.
    pub fn issue(
        charter: &CompleteCharter,
        signer: &dyn Signer,
        request: &EnrolmentRequest,
        role: Role,
        scopes: &[ScopeId],
    ) -> Result<Self, MakeError> {
        let stranger = Refused { check: Check::CertificateSigner, what: "signer" };
        let party = charter.party_by_root(signer.public().as_bytes()).ok_or(stranger)?;
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        let mut writer = Writer::new();
        writer.map(5).uint(1).bytes(charter.mission().as_bytes()).uint(2).uint(party.0);
        writer.uint(3).bytes(request.as_bytes()).uint(4).uint(role.code()).uint(5).array(scopes.len());
        for scope in &scopes {
            writer.bytes(scope.as_bytes());
        }
        let bytes = cose::sign(Label::Certificate, signer, &writer.finish())?;
        Ok(Self::verify(&bytes, charter, &mut KeyCache::with_capacity(2))?)
    }

    /// Verifies a certificate under the mission's charter.
    ///
    /// # Errors
    /// `size-limit`, an encoding or envelope code, a key code, `signature-invalid`, `shape`, `mission-mismatch`,
    /// `certificate-signer`, `certificate-possession`, `certificate-role` or `certificate-scope`, in this order.
    pub fn verify(bytes: &[u8], charter: &CompleteCharter, keys: &mut KeyCache) -> Result<Self, Refused> {
        Self::verify_under(bytes, charter, keys, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_under<P: Policy>(
        bytes: &[u8],
        charter: &CompleteCharter,
        keys: &mut KeyCache,
        policy: P,
    ) -> Result<Self, Refused> {
        policy.require(bytes.len() <= CERTIFICATE_BYTES_MAX, Check::SizeLimit, "certificate")?;
        let envelope = Envelope::decode_under(Label::Certificate, bytes, policy)?;
        envelope.check_payload_encoding(policy)?;
        let (signer, payload) = envelope.open_under(keys, policy)?;
        let payload = Payload::read(payload, policy)?;
        let mission = charter.mission();
        policy.require(payload.mission == mission, Check::MissionMismatch, "certificate")?;
        let by = charter.party_by_root(signer.as_bytes());
        policy.require(by == Some(payload.party), Check::CertificateSigner, "signer")?;

        let request = EnrolmentRequest::verify_under(payload.request, keys, policy)
            .map_err(|_| Refused { check: Check::CertificatePossession, what: "request" })?;
        policy.require(request.mission() == mission, Check::CertificatePossession, "request's mission")?;
        let unknown = Refused { check: Check::CertificateRole, what: "role" };
        let role = Role::from_code(payload.role).ok_or(unknown)?;
        let scopes = payload.scopes;
        policy.require(scopes.is_sorted_by(|a, b| a < b), Check::CertificateScope, "scopes")?;
        let known = scopes.iter().all(|&scope| charter.charter().has_scope(scope));
        policy.require(known, Check::CertificateScope, "scopes")?;
        let id = StatementId::of(bytes);
        Ok(Self { id, bytes: bytes.to_vec(), party: payload.party, request, role, scopes })
    }

    /// Verifies a certificate from the text a party hands out.
    ///
    /// # Errors
    /// What is mistyped, or why the certificate in it is refused.
    pub fn from_text(text: &str, charter: &CompleteCharter, keys: &mut KeyCache) -> Result<Self, ReadTextError> {
        Ok(Self::verify(&transfer::decode(Carried::Certificate, text)?, charter, keys)?)
    }

    /// The text to hand out.
    pub fn to_text(&self) -> String {
        transfer::encode(Carried::Certificate, &self.bytes)
    }

    /// Its id, which seq 0 of a log names.
    pub fn id(&self) -> StatementId {
        self.id
    }

    /// The bytes as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The party that issued it and for which the key signs.
    pub fn party(&self) -> PartyNumber {
        self.party
    }

    /// The request it answers: key, transport key, observer and device.
    pub fn request(&self) -> &EnrolmentRequest {
        &self.request
    }

    /// The certified key.
    pub fn key(&self) -> &PublicKey {
        self.request.key()
    }

    /// What the key may do.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Where it may do it, ascending.
    pub fn scopes(&self) -> &[ScopeId] {
        &self.scopes
    }

    /// Whether it lets its key sign entries of this kind in `scope`.
    pub fn grants(&self, scope: ScopeId, kind: Kind) -> bool {
        self.role.grants_kind(kind) && self.scopes.binary_search(&scope).is_ok()
    }
}

struct Payload<'a> {
    mission: MissionId,
    party: PartyNumber,
    request: &'a [u8],
    role: u64,
    scopes: Vec<ScopeId>,
}

impl<'a> Payload<'a> {
    fn read<P: Policy>(payload: &'a [u8], policy: P) -> Result<Self, Refused> {
        let mut reader = Reader::with(payload, policy);
        let (mut mission, mut party, mut request, mut role, mut scopes) = (None, None, None, None, None);
        let mut fields = reader.map("certificate")?;
        while let Some(key) = fields.next(&mut reader)? {
            match key {
                1 => mission = Some(MissionId::from_bytes(reader.array_of("mission")?)),
                2 => party = Some(PartyNumber(reader.uint("party")?)),
                3 => request = Some(reader.bytes("request")?),
                4 => role = Some(reader.uint("role")?),
                5 => scopes = Some(read_scopes(&mut reader)?),
                _ => return Err(Refused { check: Check::Shape, what: "certificate" }),
            }
        }
        reader.finish("certificate")?;
        Ok(Self {
            mission: present(mission, "mission")?,
            party: present(party, "party")?,
            request: present(request, "request")?,
            role: present(role, "role")?,
            scopes: present(scopes, "scopes")?,
        })
    }
}

fn read_scopes<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Vec<ScopeId>, Refused> {
    let len = reader.array(CERTIFICATE_SCOPES_MAX, "scopes")?;
    reader.policy().require(len > 0, Check::Shape, "scopes")?;
    let scopes = (0..len).map(|_| reader.array_of("scope").map(ScopeId::from_bytes)).collect::<Result<_, _>>()?;
    reader.leave();
    Ok(scopes)
}

#[cfg(test)]
mod tests {
    use super::super::attestation::{ATTESTATION_BYTES_MAX, Attestation};
    use super::super::request::RequestDraft;
    use super::*;
    use crate::key::SigningKey;
    use crate::record::testing::{charter, key, request, scope};

    fn signed(signer: &SigningKey, edit: impl Fn(&mut Row)) -> Vec<u8> {
        let request = request(30, "Olena").as_bytes().to_vec();
        let mission = *charter().mission().as_bytes();
        let mut row = Row { mission, party: 1, request, role: 1, scopes: vec![scope(1), scope(2)] };
        edit(&mut row);
        let mut writer = Writer::new();
        writer.map(5).uint(1).bytes(&row.mission).uint(2).uint(row.party).uint(3).bytes(&row.request);
        writer.uint(4).uint(row.role).uint(5).array(row.scopes.len());
        for scope in &row.scopes {
            writer.bytes(scope.as_bytes());
        }
        cose::sign(Label::Certificate, signer, &writer.finish()).expect("signs")
    }

    struct Row {
        mission: [u8; 32],
        party: u64,
        request: Vec<u8>,
        role: u64,
        scopes: Vec<ScopeId>,
    }

    #[test]
    fn an_issued_certificate_verifies_and_travels_as_text() {
        let request = request(30, "Olena");
        let scopes = [scope(2), scope(1), scope(2)];
        let issued =
            Certificate::issue(&charter(), &key(1), &request, Role::Observer, &scopes).expect("a party issues");
        assert_eq!(issued.as_bytes(), signed(&key(1), |_| ()));
        let read = Certificate::from_text(&issued.to_text(), &charter(), &mut KeyCache::new()).expect("the same");
        assert_eq!(read, issued);
        assert_eq!((read.party(), read.key()), (PartyNumber(1), key(30).public()));
        assert!(read.grants(scope(1), Kind::Change));
        assert!(!read.grants(scope(3), Kind::Change) && !read.grants(scope(1), Kind::Ruling));
    }

    #[test]
    fn every_fault_is_refused_by_name() {
        let mut other = *charter().mission().as_bytes();
        other[0] ^= 1;
        let stolen = cose::sign(Label::Request, &key(30), b"\xa0").expect("signs");
        let rows = [
            ("another mission", signed(&key(1), |row| row.mission = other), Check::MissionMismatch),
            ("another party's name", signed(&key(1), |row| row.party = 2), Check::CertificateSigner),
            ("an unknown party", signed(&key(1), |row| row.party = 9), Check::CertificateSigner),
            ("signed by the key itself", signed(&key(30), |_| ()), Check::CertificateSigner),
            ("no request", signed(&key(1), |row| row.request = stolen.clone()), Check::CertificatePossession),
            ("damaged request", signed(&key(1), |row| row.request[200] ^= 1), Check::CertificatePossession),
            ("role 0", signed(&key(1), |row| row.role = 0), Check::CertificateRole),
            ("role 6", signed(&key(1), |row| row.role = 6), Check::CertificateRole),
            ("scope unknown", signed(&key(1), |row| row.scopes[1] = scope(9)), Check::CertificateScope),
            ("scopes order", signed(&key(1), |row| row.scopes.reverse()), Check::CertificateScope),
            ("no scope", signed(&key(1), |row| row.scopes.clear()), Check::Shape),
        ];
        for (name, bytes, wanted) in rows {
            let refused = Certificate::verify(&bytes, &charter(), &mut KeyCache::new()).expect_err(name);
            assert_eq!(refused.check, wanted, "{name}");
        }
        let request = request(30, "Olena");
        assert!(Certificate::issue(&charter(), &key(30), &request, Role::Observer, &[scope(1)]).is_err());
    }

    #[test]
    fn the_largest_certificate_fits_a_text() {
        let name = "n".repeat(super::super::request::PERSON_BYTES_MAX);
        let scopes: Vec<_> = (1..=16).map(scope).collect();
        let charter = crate::record::testing::charter_with_scopes(16);
        let request = crate::record::testing::request_for(charter.mission(), 30, &name, &name);
        let issued = Certificate::issue(&charter, &key(1), &request, Role::Observer, &scopes).expect("at the limits");
        assert!(issued.to_text().len() <= transfer::TRANSFER_CHARS_MAX);
    }

    #[test]
    fn a_request_that_names_more_leaves_room_for_as_many_scopes_as_the_spec_says() {
        let charter = crate::record::testing::charter_with_scopes(16);
        let scopes: Vec<_> = (1..=16).map(scope).collect();
        let issue = |name_bytes: usize, scopes: &[ScopeId]| {
            let name = "n".repeat(name_bytes);
            let draft = RequestDraft {
                mission: charter.mission(),
                transport: [2; 32],
                observer: &name,
                device: &name,
                nonce: [3; 8],
                attestation: Attestation::of(&[7; ATTESTATION_BYTES_MAX]),
                replaces: Some([9; 32]),
            };
            let request = EnrolmentRequest::make(&draft, &key(30)).expect("well formed");
            Certificate::issue(&charter, &key(1), &request, Role::Observer, scopes)
        };
        for (name_bytes, fit) in [(32, 16), (64, 9)] {
            let issued = issue(name_bytes, &scopes[..fit]).expect("as many as fit");
            assert!(issued.to_text().len() <= transfer::TRANSFER_CHARS_MAX);
        }
        let Err(MakeError::Refused(refused)) = issue(64, &scopes[..10]) else { panic!("one too many was issued") };
        assert_eq!(refused.check, Check::SizeLimit);
    }

    #[test]
    fn roles_grant_what_the_table_says() {
        let granted = |role: Role| {
            assert!(
                role.grants_kind(Kind::Unknown(9)) && role.grants_kind(Kind::Unknown(255)),
                "no role speaks of these"
            );
            let kinds = (1..9).filter(|&code| Kind::from_code(code).is_some_and(|kind| role.grants_kind(kind)));
            kinds.collect::<Vec<_>>()
        };
        assert_eq!(granted(Role::Observer), [1, 2, 3, 4, 5, 6, 8]);
        assert_eq!(granted(Role::Reviewer), [2, 3, 4, 5, 6]);
        assert_eq!(granted(Role::Arbiter), [2, 3, 4, 5, 6, 7]);
        assert!(granted(Role::Camp).is_empty() && granted(Role::Auditor).is_empty());
    }
}
