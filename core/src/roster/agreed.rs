//! The cut that several parties decide: it acts at any height, also below a final checkpoint (`spec/roster.md`, Cut).

use super::cut::{self, Cut, CutBy, CutDraft, Payload};
use super::gathered::{Gathered, GatheredKind};
use super::{CompleteCharter, MakeError, PARTIES_MAX, PartyNumber};
use crate::check::{Check, Full, Policy, Refused};
use crate::cose::Label;
use crate::entry::LogHead;
use crate::key::{KEY_BYTES, Signer};
use crate::roster::CutReason;

/// A cut with the signatures gathered so far, each of them verified; at least one.
#[derive(Clone, Debug)]
pub struct ProposedCut {
    said: Payload,
    gathered: Gathered,
}

const KIND: GatheredKind =
    GatheredKind { label: Label::AgreedCut, by: Check::CutQuorum, signatures_max: PARTIES_MAX, what: "cut" };

/// Whether these bytes are to be read as a cut of several parties: `[payload, signatures]` and no envelope.
pub(super) fn is_of_several(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x82)
}

impl ProposedCut {
    /// A cut that its first party signs.
    ///
    /// # Errors
    /// What [`Cut::verify`] would refuse, but for the quorum; or if the signer does not sign.
    pub fn begin(charter: &CompleteCharter, signer: &dyn Signer, draft: &CutDraft<'_>) -> Result<Self, MakeError> {
        let payload = cut::encode(charter.mission(), draft)?;
        let said = Payload::read(&payload, Full)?;
        let mut proposed = Self { said, gathered: Gathered::new(&KIND, payload) };
        proposed.sign(charter, signer)?;
        Ok(proposed)
    }

    /// Reads a cut and verifies the signatures it carries, be they enough or not.
    ///
    /// # Errors
    /// As [`Cut::verify`], but for too few signatures.
    pub fn decode(bytes: &[u8], charter: &CompleteCharter) -> Result<Self, Refused> {
        Full.require(bytes.len() <= cut::CUT_BYTES_MAX, Check::SizeLimit, "cut")?;
        Self::decode_under(bytes, charter, Full)
    }

    pub(super) fn decode_under<P: Policy>(bytes: &[u8], charter: &CompleteCharter, policy: P) -> Result<Self, Refused> {
        let (gathered, said) = Gathered::decode(&KIND, bytes, charter, policy, |payload| {
            let said = Payload::read(payload, policy)?;
            policy.require(said.mission == charter.mission(), Check::MissionMismatch, "cut")?;
            said.check(policy)?;
            Ok(said)
        })?;
        Ok(Self { said, gathered })
    }

    /// Adds the signature of the party whose root key `signer` holds; signing again changes nothing.
    ///
    /// # Errors
    /// `cut-quorum` if the signer is no party's root key; or if it does not sign.
    pub fn sign(&mut self, charter: &CompleteCharter, signer: &dyn Signer) -> Result<PartyNumber, MakeError> {
        self.gathered.sign(charter, signer)
    }

    /// The key that is to end.
    pub fn key(&self) -> &[u8; KEY_BYTES] {
        &self.said.key
    }

    /// The last entries that are to be kept, ascending by (scope, epoch).
    pub fn kept(&self) -> &[LogHead] {
        &self.said.kept
    }

    /// Why.
    pub fn reason(&self) -> CutReason {
        self.said.reason
    }

    /// Why, in words.
    pub fn text(&self) -> Option<&str> {
        self.said.text.as_deref()
    }

    /// The parties that signed so far, ascending.
    pub fn parties(&self) -> impl Iterator<Item = PartyNumber> {
        self.gathered.parties()
    }

    /// The bytes to store and send.
    pub fn encode(&self) -> Vec<u8> {
        self.gathered.encode()
    }

    /// The cut, if enough parties signed.
    ///
    /// # Errors
    /// `cut-quorum`.
    pub fn complete(self, charter: &CompleteCharter) -> Result<Cut, Refused> {
        let bytes = self.encode();
        self.complete_under(&bytes, charter, Full)
    }

    /// The cut of these `bytes`, which are what was read.
    pub(super) fn complete_under<P: Policy>(
        self,
        bytes: &[u8],
        charter: &CompleteCharter,
        policy: P,
    ) -> Result<Cut, Refused> {
        let parties: Vec<PartyNumber> = self.gathered.parties().collect();
        policy.require(charter.cut(&parties), Check::CutQuorum, "signatures")?;
        Ok(Cut::new(bytes, CutBy::Quorum(parties), self.said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cose;
    use crate::id::sha256;
    use crate::key::KeyCache;
    use crate::record::testing::{charter, key};
    use crate::roster::signed::write_signed;

    fn draft(key: &[u8; KEY_BYTES]) -> CutDraft<'_> {
        CutDraft { key, kept: &[], reason: CutReason::Misuse, text: Some("agreed") }
    }

    #[test]
    fn a_cut_of_several_is_one_when_the_quorum_signed_in_whatever_order() {
        let charter = charter();
        let first = ProposedCut::begin(&charter, &key(3), &draft(&[8; 32])).expect("a party signs");
        assert_eq!(first.clone().complete(&charter).err().map(|refused| refused.check), Some(Check::CutQuorum));
        let mut read = ProposedCut::decode(&first.encode(), &charter).expect("a proposal");
        read.sign(&charter, &key(1)).expect("a party signs");
        read.sign(&charter, &key(1)).expect("signing again changes nothing");
        let cut = read.complete(&charter).expect("two of three");
        let again = Cut::verify(cut.as_bytes(), &charter, &mut KeyCache::new()).expect("the same");
        assert_eq!(again, cut);
        assert_eq!(cut.by(), &CutBy::Quorum(vec![PartyNumber(1), PartyNumber(3)]));
    }

    #[test]
    fn one_party_is_not_several_whatever_the_quorum_says() {
        let alone = crate::witness::testing::complete(&[1, 1]);
        assert_eq!(alone.charter().quorum, 1);
        let mut proposed = ProposedCut::begin(&alone, &key(1), &draft(&[8; 32])).expect("a party signs");
        assert_eq!(proposed.clone().complete(&alone).err().map(|refused| refused.check), Some(Check::CutQuorum));
        proposed.sign(&alone, &key(2)).expect("a party signs");
        assert!(proposed.complete(&alone).is_ok());
    }

    #[test]
    fn signatures_of_others_or_out_of_order_are_refused() {
        let charter = charter();
        let payload = cut::encode(charter.mission(), &draft(&[8; 32])).expect("well formed");
        let sign = |seed: u8, label, over: &[u8]| cose::sign(label, &key(seed), over).expect("it signs");
        let hash = sha256(&[&payload]);
        let by = |seed| sign(seed, Label::AgreedCut, &hash);
        let check = |signatures: &[Vec<u8>]| {
            let bytes = write_signed(&payload, signatures.iter());
            Cut::verify(&bytes, &charter, &mut KeyCache::new()).err().map(|refused| refused.check)
        };
        assert_eq!(check(&[by(1), by(2)]), None);
        for (about, signatures, wanted) in [
            ("one", vec![by(1)], Check::CutQuorum),
            ("order", vec![by(2), by(1)], Check::CutQuorum),
            ("twice", vec![by(1), by(1)], Check::CutQuorum),
            ("a stranger", vec![by(1), by(9)], Check::CutQuorum),
            ("of another cut", vec![by(1), sign(2, Label::AgreedCut, &[0; 32])], Check::CutQuorum),
            ("under another label", vec![by(1), sign(2, Label::Cut, &hash)], Check::CoseType),
        ] {
            assert_eq!(check(&signatures), Some(wanted), "{about}");
        }
    }
}
