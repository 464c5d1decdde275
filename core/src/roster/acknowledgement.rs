//! The acknowledgement: another party holds a cut, and so it is not hidden any more (`spec/roster.md`, Acknowledgement).

use super::by_certified::ByCertified;
use super::certificate::{Certificate, Role};
use super::statements::Roster;
use super::{Class, CutBy, MakeError, PartyNumber, present};
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::cose::{self, Envelope, Label};
use crate::id::{MissionId, StatementId};
use crate::key::{PublicKey, Signer};

/// Largest acknowledgement, in bytes: it takes 310.
pub const ACKNOWLEDGEMENT_BYTES_MAX: usize = 512;

const STATEMENT: ByCertified = ByCertified {
    label: Label::Acknowledgement,
    bytes_max: ACKNOWLEDGEMENT_BYTES_MAX,
    by: Check::AcknowledgementSigner,
    grants: Role::grants_acknowledgements,
    what: "acknowledgement",
};

/// In front of the payload of an acknowledgement, whose hash is its id.
const DOMAIN: &[u8] = b"merestone/acknowledgement/v1";

/// The id of an acknowledgement; `None` if these bytes are none.
pub(super) fn id_of(bytes: &[u8]) -> Option<StatementId> {
    let envelope = Envelope::decode(Label::Acknowledgement, bytes).ok()?;
    Some(StatementId::from_bytes(envelope.payload_digest(DOMAIN)))
}

/// That a key of another party holds a cut of one party; its signer was entitled to say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    id: StatementId,
    bytes: Vec<u8>,
    signer: PublicKey,
    party: PartyNumber,
    cut: StatementId,
    of: PartyNumber,
    certificate: StatementId,
}

impl Acknowledgement {
    /// States that the signer, certified by `certificate`, holds `cut`.
    ///
    /// # Errors
    /// What [`verify`](Self::verify) would refuse, or if the signer does not sign.
    pub fn make(
        roster: &Roster,
        signer: &dyn Signer,
        certificate: StatementId,
        cut: StatementId,
    ) -> Result<Self, MakeError> {
        let mut writer = Writer::new();
        writer.map(3).uint(1).bytes(roster.mission().as_bytes()).uint(2).bytes(cut.as_bytes());
        writer.uint(3).bytes(certificate.as_bytes());
        let bytes = cose::sign(Label::Acknowledgement, signer, &writer.finish())?;
        Ok(Self::verify(&bytes, roster)?)
    }

    /// Verifies an acknowledgement against the certificates and cuts held.
    ///
    /// # Errors
    /// `size-limit`, an encoding or envelope code, `acknowledgement-signer` if no certificate names the key,
    /// `signature-invalid`, `shape`, `mission-mismatch`, `acknowledgement-signer` if the certificate it names is not held, is
    /// for another key or of another role than camp, reviewer or arbiter, or `acknowledgement-cut`, in this order.
    pub fn verify(bytes: &[u8], roster: &Roster) -> Result<Self, Refused> {
        Self::verify_under(bytes, roster, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_under<P: Policy>(bytes: &[u8], roster: &Roster, policy: P) -> Result<Self, Refused> {
        let (signer, payload) = STATEMENT.open(bytes, roster, policy)?;
        let Payload { mission, cut, certificate } = Payload::read(payload, policy)?;
        policy.require(mission == roster.mission(), Check::MissionMismatch, STATEMENT.what)?;
        let held = STATEMENT.certificate(certificate, &signer, roster, policy)?;
        let of = Self::party_of(roster, held, cut, policy)?;
        let (id, party) = (Class::Acknowledgement.id_of(bytes), held.party());
        Ok(Self { id, bytes: bytes.to_vec(), signer, party, cut, of, certificate })
    }

    /// The party whose cut it is: a held one of one party, which is another than that of the certificate.
    fn party_of<P: Policy>(
        roster: &Roster,
        held: &Certificate,
        cut: StatementId,
        policy: P,
    ) -> Result<PartyNumber, Refused> {
        let refused = |what| Refused { check: Check::AcknowledgementCut, what };
        match roster.cut(cut).ok_or(refused("cut"))?.by() {
            CutBy::Party(of) => {
                policy.require(*of != held.party(), Check::AcknowledgementCut, "party that signed the cut")?;
                Ok(*of)
            }
            CutBy::Quorum(_) => Err(refused("cut of several parties")),
        }
    }

    /// Its id.
    pub fn id(&self) -> StatementId {
        self.id
    }

    /// The bytes as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key that signed.
    pub fn signer(&self) -> &PublicKey {
        &self.signer
    }

    /// The party that certified the signer.
    pub fn party(&self) -> PartyNumber {
        self.party
    }

    /// The cut that it holds.
    pub fn cut(&self) -> StatementId {
        self.cut
    }

    /// The party that signed that cut.
    pub fn of(&self) -> PartyNumber {
        self.of
    }

    /// The signer's certificate.
    pub fn certificate(&self) -> StatementId {
        self.certificate
    }
}

struct Payload {
    mission: MissionId,
    cut: StatementId,
    certificate: StatementId,
}

impl Payload {
    fn read<P: Policy>(payload: &[u8], policy: P) -> Result<Self, Refused> {
        let mut reader = Reader::with(payload, policy);
        let (mut mission, mut cut, mut certificate) = (None, None, None);
        let mut fields = reader.map("acknowledgement")?;
        while let Some(key) = fields.next(&mut reader)? {
            match key {
                1 => mission = Some(MissionId::from_bytes(reader.array_of("mission")?)),
                2 => cut = Some(StatementId::from_bytes(reader.array_of("cut")?)),
                3 => certificate = Some(StatementId::from_bytes(reader.array_of("certificate")?)),
                _ => return Err(Refused { check: Check::Shape, what: "acknowledgement" }),
            }
        }
        reader.finish("acknowledgement")?;
        Ok(Self {
            mission: present(mission, "mission")?,
            cut: present(cut, "cut")?,
            certificate: present(certificate, "certificate")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::{certificate, charter, key, roster};
    use crate::roster::{Cut, CutDraft, CutReason, ProposedCut, Role};

    #[test]
    fn another_party_says_that_it_holds_a_cut_and_nobody_else_does() {
        let [own, other, observer] =
            [certificate(1, 30, Role::Reviewer), certificate(2, 31, Role::Camp), certificate(3, 32, Role::Observer)];
        let mut roster = roster(&[own.clone(), other.clone(), observer.clone()]);
        let lost = key(30);
        let draft = CutDraft { key: lost.public().as_bytes(), kept: &[], reason: CutReason::Lost, text: None };
        let cut = Cut::make(&charter(), &key(1), &draft).expect("a party cuts");
        roster.admit(Class::Cut, cut.as_bytes()).expect("well formed");
        let mut proposed = ProposedCut::begin(&charter(), &key(1), &draft).expect("a party signs");
        proposed.sign(&charter(), &key(2)).expect("a party signs");
        let agreed = proposed.complete(&charter()).expect("a quorum");
        roster.admit(Class::Cut, agreed.as_bytes()).expect("well formed");

        let made = Acknowledgement::make(&roster, &key(31), other.id(), cut.id()).expect("another party's key");
        assert_eq!((made.party(), made.of(), made.cut()), (PartyNumber(2), PartyNumber(1), cut.id()));
        assert_eq!(Acknowledgement::verify(made.as_bytes(), &roster), Ok(made.clone()));
        assert_eq!(
            roster.admit(Class::Acknowledgement, made.as_bytes()).map(super::super::Admitted::id),
            Ok(made.id())
        );
        assert_eq!(roster.acknowledgements_of(cut.id()).collect::<Vec<_>>(), [&made]);
        let refused = |seed: u8, by: StatementId, cut| match Acknowledgement::make(&roster, &key(seed), by, cut) {
            Err(MakeError::Refused(refused)) => Some(refused.check),
            Err(MakeError::Signer(_)) | Ok(_) => None,
        };
        let absent = StatementId::from_bytes([7; 32]);
        assert_eq!(refused(30, own.id(), cut.id()), Some(Check::AcknowledgementCut), "of the same party");
        assert_eq!(refused(31, other.id(), absent), Some(Check::AcknowledgementCut));
        assert_eq!(refused(31, other.id(), agreed.id()), Some(Check::AcknowledgementCut), "of several parties");
        assert_eq!(refused(31, own.id(), cut.id()), Some(Check::AcknowledgementSigner), "another's certificate");
        assert_eq!(refused(32, observer.id(), cut.id()), Some(Check::AcknowledgementSigner), "an observer");
        assert_eq!(refused(33, other.id(), cut.id()), Some(Check::AcknowledgementSigner), "a stranger");
    }
    #[test]
    fn signing_it_again_makes_nothing_new() {
        let (own, other) = (certificate(1, 30, Role::Observer), certificate(2, 31, Role::Arbiter));
        let mut roster = roster(&[own, other.clone()]);
        let lost = key(30);
        let draft = CutDraft { key: lost.public().as_bytes(), kept: &[], reason: CutReason::Lost, text: None };
        let cut = Cut::make(&charter(), &key(1), &draft).expect("a party cuts");
        roster.admit(Class::Cut, cut.as_bytes()).expect("well formed");
        let made = Acknowledgement::make(&roster, &key(31), other.id(), cut.id()).expect("another party's key");
        let mut again = made.as_bytes().to_vec();
        *again.last_mut().expect("a signature") ^= 1;
        assert_eq!(Class::Acknowledgement.id_of(&again), made.id(), "whatever the signature");
        assert!(roster.admit(Class::Acknowledgement, &again).is_err(), "which is verified");
        assert!(matches!(roster.admit(Class::Acknowledgement, made.as_bytes()), Ok(super::super::Admitted::New(_))));
        let known = Ok(super::super::Admitted::Known(made.id()));
        assert_eq!(roster.admit(Class::Acknowledgement, &again), known);
    }
}
