//! What is known of one entry before its record is judged: who signed it, for whom, and what it names.

use std::collections::{BTreeSet, HashMap};

use super::{HeldEntry, Setting};
use crate::change::Change;
use crate::check::{Check, Policy, Refused};
use crate::entry::Subject;
use crate::id::{EntryId, RecordId, ScopeId, StatementId};
use crate::roster::{Authority, Certificate, LogPosition, PartyNumber};

pub(super) struct Item<'a> {
    pub(super) held: &'a HeldEntry,
    pub(super) signer: Signer,
    /// The party that certified the signer, whatever the certificate grants.
    pub(super) party: Option<PartyNumber>,
    pub(super) is_ledgered: bool,
    /// The entries it names that are held in this record.
    pub(super) named: Vec<usize>,
    pub(super) missing: Option<EntryId>,
    pub(super) foreign: bool,
    /// One more than the greatest depth of the entries it names, as far as they are held.
    pub(super) depth: Option<u32>,
    pub(super) change: Option<Result<Change<'a>, Refused>>,
}

/// What the roster says about an entry's signer.
#[derive(Clone, Copy)]
pub(super) enum Signer {
    Unknown,
    Denied(Refused),
    Granted(PartyNumber),
}

impl<'a> Item<'a> {
    pub(super) fn open<P: Policy>(
        held: &'a HeldEntry,
        numbers: &HashMap<EntryId, usize>,
        setting: &Setting<'_>,
        policy: P,
    ) -> Self {
        let header = held.entry.header();
        let named = header.refs().iter().filter_map(|id| numbers.get(id).copied()).collect();
        let absent = || header.refs().iter().copied().filter(|id| !numbers.contains_key(id));
        let missing = absent().find(|&id| !(setting.is_elsewhere)(id));
        let foreign = absent().any(|id| (setting.is_elsewhere)(id));
        let key = held.entry.key().as_bytes();
        let authority = |id: StatementId| match setting.roster.authority(id, key, header.scope, header.kind) {
            Authority::Granted(certificate) => Signer::Granted(certificate.party()),
            Authority::Denied(refused) => Signer::Denied(refused),
            Authority::Unknown(_) => Signer::Unknown,
        };
        let signer = held.certificate.map_or(Signer::Unknown, authority);
        let certificate = held.certificate.and_then(|id| setting.roster.certificate(id));
        let party = certificate.filter(|held| held.key().as_bytes() == key).map(Certificate::party);
        let is_ledgered = held.certificate.is_some_and(|id| setting.ledgered.contains(&id));
        let change = held.chunk().map(|chunk| Change::decode_under(chunk, held.actor, policy));
        Self { held, signer, party, is_ledgered, named, missing, foreign, depth: None, change }
    }

    pub(super) fn is_covered(&self, setting: &Setting<'_>) -> bool {
        let Some(party) = self.party else { return false };
        let header = self.held.entry.header();
        let key = self.held.entry.key().as_bytes();
        let at = LogPosition { key, scope: header.scope, epoch: header.epoch, seq: header.seq, id: self.held.id() };
        setting.coverage.is_covered(at, party)
    }
}

/// Who may write in a record, and in which scope.
pub(super) struct Writers {
    creation: EntryId,
    scope: Option<ScopeId>,
    parties: BTreeSet<u64>,
}

impl Writers {
    /// The writers of `record`, from the entry that creates it.
    pub(super) fn of(record: RecordId, created: Option<&Item<'_>>) -> Self {
        let creation = record.as_entry();
        let Some(item) = created else {
            return Self { creation, scope: None, parties: BTreeSet::new() };
        };
        let header = item.held.entry.header();
        let parties = match &header.subject {
            Subject::Creates { writers } if !writers.is_empty() => writers.iter().copied().collect(),
            Subject::Creates { writers: _ } | Subject::Of { record: _, refs: _ } => {
                item.party.into_iter().map(|party| party.0).collect()
            }
        };
        Self { creation, scope: Some(header.scope), parties }
    }

    /// Whether a change is in role.
    pub(super) fn admit(&self, item: &Item<'_>) -> Result<(), Refused> {
        let party = self.admit_role(item)?;
        let is_writer = item.held.id() == self.creation || self.parties.contains(&party.0);
        if is_writer { Ok(()) } else { Err(out_of_role("party")) }
    }

    /// Whether a signature role is in role: any party's, as its certificate grants.
    pub(super) fn admit_role(&self, item: &Item<'_>) -> Result<PartyNumber, Refused> {
        match item.signer {
            Signer::Denied(refused) => Err(refused),
            // Such an entry waits and does not come here.
            Signer::Unknown => Err(out_of_role("certificate")),
            Signer::Granted(_) if self.scope != Some(item.held.entry.header().scope) => Err(out_of_role("scope")),
            Signer::Granted(party) => Ok(party),
        }
    }
}

pub(super) fn out_of_role(what: &'static str) -> Refused {
    Refused { check: Check::OutOfRole, what }
}
