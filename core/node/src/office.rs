//! A party's side: founding a mission with the others, certifying its own people, cutting keys, agreeing to an erasure.
//!
//! It works with the party's root key, which belongs on a machine of its own. It needs no store: everything it makes is a
//! statement, as bytes or text, that devices take up with [`Device::receive`](crate::Device::receive)
//! or [`Device::accept`](crate::Device::accept).

use merestone_core::Refused;
use merestone_core::erasure::{ErasureDraft, ProposedErasure};
use merestone_core::id::{FormHash, ScopeId};
use merestone_core::key::{KeyCache, PublicKey, Signer};
use merestone_core::roster::{
    Certificate, Charter, CompleteCharter, Cut, CutDraft, EnrolmentRequest, Ledger, MakeError, Party, PartyNumber,
    ProposedCut, ProposedSuccession, ReadTextError, Role, Roster, Scope, SignedCharter, SuccessionDraft,
};

use crate::clock::{Entropy, NoEntropy, random};
use crate::enrolment::words;

/// What the parties of a mission are to agree on; ids are drawn for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissionPlan {
    /// The mission's name.
    pub name: String,
    /// The parties: name and public root key, numbered from 1 in this order.
    pub parties: Vec<(String, PublicKey)>,
    /// The names of the scopes.
    pub scopes: Vec<String>,
    /// The forms.
    pub forms: Vec<FormHash>,
    /// The ledger, when there is one.
    pub ledger: Option<Ledger>,
    /// How many parties decide an erasure or a cut of several, and the least that amend the charter.
    pub quorum: u64,
}

impl MissionPlan {
    /// The charter for the parties to sign.
    ///
    /// # Errors
    /// If there are no random bytes.
    pub fn charter(&self, entropy: &dyn Entropy) -> Result<Charter, NoEntropy> {
        let Self { name, parties, scopes, forms, ledger, quorum } = self;
        let numbered = (1..).zip(parties);
        let parties = numbered.map(|(number, (name, root))| Party {
            number: PartyNumber(number),
            name: name.clone(),
            root: *root,
            witnesses: Vec::new(),
        });
        let named = new_scopes(scopes, entropy)?;
        let mut forms = forms.clone();
        forms.sort_unstable();
        forms.dedup();
        Ok(Charter {
            name: name.clone(),
            nonce: random(entropy)?,
            parties: parties.collect(),
            scopes: named,
            forms,
            ledger: ledger.clone(),
            quorum: *quorum,
        })
    }
}

/// Scopes of these names, with ids that are drawn for them, in the order of a charter.
///
/// # Errors
/// If there are no random bytes.
pub fn new_scopes(names: &[String], entropy: &dyn Entropy) -> Result<Vec<Scope>, NoEntropy> {
    let mut scopes = Vec::with_capacity(names.len());
    for name in names {
        scopes.push(Scope { id: ScopeId::from_bytes(random(entropy)?), name: name.clone() });
    }
    scopes.sort_by_key(|scope| scope.id);
    Ok(scopes)
}

/// A request as the officer sees it before certifying it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// The request.
    pub request: EnrolmentRequest,
    /// The words that the observer must read aloud the same.
    pub words: [&'static str; 6],
}

/// A party's officer at work.
pub struct PartyOffice<'a> {
    root: &'a dyn Signer,
}

impl<'a> PartyOffice<'a> {
    /// The office that holds this root key.
    pub fn new(root: &'a dyn Signer) -> Self {
        Self { root }
    }

    /// Begins a charter with this party's signature.
    ///
    /// # Errors
    /// If the charter is not well formed, or this party is not in it.
    pub fn found(&self, charter: &Charter) -> Result<SignedCharter, MakeError> {
        SignedCharter::begin(charter, self.root)
    }

    /// Adds this party's signature to a charter that others signed; gives its bytes.
    ///
    /// # Errors
    /// If the bytes are no charter, or this party is not in it.
    pub fn sign(&self, charter: &[u8]) -> Result<Vec<u8>, MakeError> {
        let mut signed = SignedCharter::decode(charter)?;
        signed.sign(self.root)?;
        Ok(signed.encode())
    }

    /// Reads the request that a device shows. Compare the words by voice before certifying it.
    ///
    /// # Errors
    /// What is mistyped, or why the request is refused; `mission-mismatch` if it is for another mission.
    pub fn read_request(&self, charter: &CompleteCharter, text: &str) -> Result<SeenRequest, ReadTextError> {
        let request = EnrolmentRequest::from_text(text, &mut KeyCache::with_capacity(1))?;
        if request.mission() != charter.mission() {
            let check = merestone_core::Check::MissionMismatch;
            return Err(Refused { check, what: "request" }.into());
        }
        Ok(SeenRequest { words: words(&request), request })
    }

    /// Certifies the key of a request for this party.
    ///
    /// # Errors
    /// If this party is not in the charter, or a scope is not.
    pub fn certify(
        &self,
        charter: &CompleteCharter,
        request: &EnrolmentRequest,
        role: Role,
        scopes: &[ScopeId],
    ) -> Result<Certificate, MakeError> {
        Certificate::issue(charter, self.root, request, role, scopes)
    }

    /// Cuts a key that this party certified.
    ///
    /// # Errors
    /// If this party is not in the charter, or the draft is not well formed.
    pub fn cut(&self, charter: &CompleteCharter, draft: &CutDraft<'_>) -> Result<Cut, MakeError> {
        Cut::make(charter, self.root, draft)
    }

    /// Vouches that a new key follows one that is lost; the new key is still to sign.
    ///
    /// # Errors
    /// If this party did not certify both, or the draft is not well formed.
    pub fn succeed(&self, roster: &Roster, draft: &SuccessionDraft<'_>) -> Result<ProposedSuccession, MakeError> {
        ProposedSuccession::begin(roster, self.root, draft)
    }

    /// Proposes a cut with this party's signature; it holds, at any height, once a quorum of parties signed it.
    ///
    /// # Errors
    /// If this party is not in the charter, or the draft is not well formed.
    pub fn propose_cut(&self, charter: &CompleteCharter, draft: &CutDraft<'_>) -> Result<ProposedCut, MakeError> {
        ProposedCut::begin(charter, self.root, draft)
    }

    /// Proposes an erasure with this party's signature; it holds once a quorum of parties signed it.
    ///
    /// # Errors
    /// If this party is not in the charter, or the draft is not well formed.
    pub fn propose_erasure(
        &self,
        charter: &CompleteCharter,
        draft: ErasureDraft,
    ) -> Result<ProposedErasure, MakeError> {
        ProposedErasure::begin(charter, self.root, draft)
    }
}
