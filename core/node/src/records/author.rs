//! Who signed: a key is a pseudonym, and its certificate says whose.

use merestone_core::id::StatementId;
use merestone_core::key::PublicKey;
use merestone_core::record::HeldEntry;
use merestone_core::roster::{PartyNumber, Role, Roster};

/// Who signed an entry, as the certificate that its log names says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The key.
    pub key: PublicKey,
    /// What the certificate says of it; `None` while that is not held.
    pub certified: Option<Certified>,
}

/// What a certificate says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// The certificate.
    pub certificate: StatementId,
    /// The observer's name.
    pub observer: String,
    /// What the device is called.
    pub device: String,
    /// The number of the party that issued it.
    pub party: PartyNumber,
    /// The party's name.
    pub party_name: String,
    /// What the key may do.
    pub role: Role,
}

impl Author {
    pub(crate) fn of(held: &HeldEntry, roster: &Roster) -> Self {
        let certificate = held.certificate().and_then(|id| roster.certificate(id));
        let certified = certificate.map(|certificate| Certified {
            certificate: certificate.id(),
            observer: certificate.request().observer().to_owned(),
            device: certificate.request().device().to_owned(),
            party: certificate.party(),
            party_name: party_name(roster, certificate.party()),
            role: certificate.role(),
        });
        Self { key: *held.entry().key(), certified }
    }

    /// The name to show: the observer's, or the key while no certificate is held.
    pub fn name(&self) -> String {
        self.certified.as_ref().map_or_else(|| self.key.to_string(), |certified| certified.observer.clone())
    }
}

fn party_name(roster: &Roster, number: PartyNumber) -> String {
    roster.charter().charter().party(number).map(|party| party.name.clone()).unwrap_or_default()
}
