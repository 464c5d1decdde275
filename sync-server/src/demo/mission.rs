//! Founding: three parties, their root keys, one charter that all of them sign.

use std::collections::BTreeMap;
use std::path::Path;

use merestone_core::id::{FormHash, ScopeId};
use merestone_core::key::SigningKey;
use merestone_core::roster::{Certificate, CompleteCharter, EnrolmentRequest, Ledger, Role};
use merestone_forms::{Form, standard};
use merestone_node::office::{MissionPlan, PartyOffice};
use merestone_node::vault::{PartyKeyFile, Passphrase, UnlockCost};

use super::replay::entropy;
use super::source::FormName;
use crate::exit::{Code, Failure};

/// What wraps every key file of the demonstration. A real one is nobody's but its owner's.
pub(super) const PASSPHRASE: &str = "demonstration only";

/// The parties: two states and a neutral body.
pub(super) const PARTIES: [&str; 3] = ["State A", "State B", "Neutral body"];

/// The place of the neutral body in [`PARTIES`].
pub(super) const NEUTRAL: usize = 2;

/// Where inspections, counts, patrols and restrictions of access go.
const POSTS: &str = "Posts";
/// Where incidents go.
const INCIDENTS: &str = "Incidents";

/// The mission's forms: all that come with the program.
const FORMS: [(FormName, &str); 5] = [
    (FormName::Inspection, standard::INSPECTION),
    (FormName::Incident, standard::INCIDENT),
    (FormName::CrossingCount, standard::CROSSING_COUNT),
    (FormName::Patrol, standard::PATROL),
    (FormName::AccessRestriction, standard::ACCESS_RESTRICTION),
];

/// The keys that parties use elsewhere than in their offices.
pub(super) struct PlacedKeys {
    /// Signs checkpoints, at base camp.
    pub(super) ledger: SigningKey,
    /// Cosign them, one of each party in their order.
    pub(super) witnesses: Vec<SigningKey>,
}

/// A founded mission, with the keys of its parties: in life these lie in three places.
pub(super) struct Mission {
    pub(super) charter: CompleteCharter,
    roots: Vec<SigningKey>,
    posts: ScopeId,
    incidents: ScopeId,
    forms: BTreeMap<FormName, FormHash>,
}

impl Mission {
    /// Founds the mission; the key files of the parties, of their witnesses and of the ledger go to `folder`.
    ///
    /// # Errors
    /// If a key file cannot be written.
    pub(super) fn found(folder: &Path, seed: Option<u64>) -> Result<(Self, PlacedKeys), Failure> {
        let make = |name: &str| {
            let path = folder.join(format!("{}.key", name.to_lowercase().replace(' ', "-")));
            Ok::<_, Failure>(PartyKeyFile::make(&path, &passphrase(), UnlockCost::PHONE, &*entropy(seed, name))?)
        };
        let ledger = make("ledger")?;
        let roots = PARTIES.iter().map(|name| make(name)).collect::<Result<Vec<_>, _>>()?;
        let witnesses = PARTIES.iter().map(|name| make(&format!("{name} witness"))).collect::<Result<Vec<_>, _>>()?;
        let forms = FORMS.into_iter().map(|(name, document)| Ok((name, form_hash(document)?)));
        let forms = forms.collect::<Result<BTreeMap<_, _>, Failure>>()?;
        let plan = MissionPlan {
            name: "Demonstration".to_owned(),
            parties: PARTIES.iter().zip(&roots).map(|(name, root)| ((*name).to_owned(), *root.public())).collect(),
            scopes: vec![POSTS.to_owned(), INCIDENTS.to_owned()],
            forms: forms.values().copied().collect(),
            ledger: Some(Ledger { origin: "demonstration.invalid/merestone".to_owned(), key: *ledger.public() }),
            quorum: 2,
        };
        let mut charter = plan.charter(&*entropy(seed, "charter"))?;
        for (party, witness) in charter.parties.iter_mut().zip(&witnesses) {
            party.witnesses.push(*witness.public());
        }
        let scope = |name| charter.scopes.iter().find(|scope| scope.name == name).map(|scope| scope.id);
        let (Some(posts), Some(incidents)) = (scope(POSTS), scope(INCIDENTS)) else {
            return Err(own_fault("the charter's scopes"));
        };
        // Each party signs the bytes that the one before handed over.
        let mut bytes = PartyOffice::new(&roots[0]).found(&charter)?.encode();
        for root in &roots[1..] {
            bytes = PartyOffice::new(root).sign(&bytes)?;
        }
        let mission = merestone_core::roster::SignedCharter::decode(&bytes).map(|signed| signed.mission());
        let charter = mission.and_then(|mission| CompleteCharter::verify(&bytes, mission));
        let charter = charter.map_err(|_| own_fault("the charter"))?;
        Ok((Self { charter, roots, posts, incidents, forms }, PlacedKeys { ledger, witnesses }))
    }

    /// The office of a party, by its place in [`PARTIES`].
    pub(super) fn office(&self, party: usize) -> PartyOffice<'_> {
        PartyOffice::new(&self.roots[party])
    }

    /// Certifies the key of a request for all scopes.
    ///
    /// # Errors
    /// If the request cannot be certified.
    pub(super) fn certify(&self, party: usize, request: &EnrolmentRequest, role: Role) -> Result<Certificate, Failure> {
        let mut scopes = [self.posts, self.incidents];
        scopes.sort_unstable();
        Ok(self.office(party).certify(&self.charter, request, role, &scopes)?)
    }

    /// How many forms the charter lists.
    pub(super) fn forms(&self) -> usize {
        self.forms.len()
    }

    /// The form of a kind of observation, and the scope it goes to.
    pub(super) fn form(&self, name: FormName) -> (FormHash, ScopeId) {
        let scope = match name {
            FormName::Incident => self.incidents,
            FormName::Inspection | FormName::CrossingCount | FormName::Patrol | FormName::AccessRestriction => {
                self.posts
            }
        };
        (self.forms[&name], scope)
    }
}

/// The passphrase of every key file of the demonstration.
pub(super) fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE.to_owned()).expect("the words above are not blank")
}

/// Something that only a fault of this program can bring about; said loudly.
pub(super) fn own_fault(what: &str) -> Failure {
    Failure::new(Code::Failed, format!("the demonstration does not hold: {what}; this is a fault of the program"))
}

fn form_hash(document: &str) -> Result<FormHash, Failure> {
    let form = Form::read_tables(document)?;
    form.definition().hash().map_err(|_| own_fault("a standard form"))
}
