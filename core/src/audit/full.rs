//! One record of the bag: bodies, changes, claims, standings, photos, and what it says.

use std::collections::{BTreeMap, BTreeSet};

use super::detail::RecordDetail;
use super::finding::{BagCode, Findings, Place, Weight};
use super::index::EntryIndex;
use super::ledger::LedgerView;
use super::times::{Bounded, Since, Times};
use crate::bounds::Timeline;
use crate::check::{Check, Refused};
use crate::claims::Claims;
use crate::entry::{Kind, Photo, RenditionOrReason, VerifiedEntry};
use crate::form::LeafTable;
use crate::id::{BlobHash, EntryId, FormHash, LogId, NoteHash, RecordId, ScopeId, StatementId};
use crate::merkle::NodeHash;
use crate::record::{ChangeEntry, HeldEntry, HeldWhy, Judged, Setting, Standing, View, WaitingFor, judge};
use crate::roster::{Class, Coverage, LogPosition, Roster};

/// Most bytes of one record that are judged at once; a record that takes more is named and left out.
pub const RECORD_BYTES_MAX: u64 = 256 << 20;

/// What records are judged by.
#[derive(Clone, Copy)]
pub struct RecordGrounds<'a> {
    /// The mission's statements.
    pub roster: &'a Roster,
    /// What cuts cover.
    pub coverage: &'a Coverage,
    /// The leaf tables of the forms in the bag.
    pub tables: &'a BTreeMap<FormHash, LeafTable>,
    /// The photos in the bag.
    pub photos: &'a BTreeMap<BlobHash, PhotoFile>,
    /// Every entry of the bag.
    pub index: &'a EntryIndex,
    /// The ledger.
    pub ledger: &'a LedgerView,
    /// The checkpoints, with the sizes of those that are of the bag's leaves.
    pub notes: &'a BTreeMap<NoteHash, Option<u64>>,
    /// Since when the entries of each log can have been signed.
    pub since: &'a BTreeMap<LogId, Since>,
    /// What witnesses' times say.
    pub timeline: Option<&'a Timeline>,
    /// The certificates in it under a final checkpoint.
    pub ledgered: &'a BTreeSet<StatementId>,
}

/// The leaf tables of the forms that a roster holds.
pub fn leaf_tables(roster: &Roster) -> BTreeMap<FormHash, LeafTable> {
    let hashes = roster.ids(Class::Form).into_iter().map(|id| FormHash::from_bytes(*id.as_bytes()));
    hashes.filter_map(|hash| Some((hash, LeafTable::new(roster.form(hash)?)))).collect()
}

/// A photo or rendition that lies in the bag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhotoFile {
    /// Its size.
    pub bytes: u64,
    /// Whether its content has the hash of its name.
    pub is_right: bool,
    /// The root of its chunk tree.
    pub chunks: NodeHash,
}

/// An entry read again for its record.
pub struct Loaded {
    /// The entry, with its body if that is there and is the one that was signed.
    pub entry: VerifiedEntry,
    /// The certificate that its chain leads to.
    pub certificate: Option<StatementId>,
    /// Whether other bytes stand in place of its body; that was said before.
    pub is_body_wrong: bool,
}

/// What the audit has to say about a record.
#[derive(Debug, Default)]
pub struct RecordOutcome {
    /// What was found.
    pub findings: Findings,
    /// How many entries have each standing.
    pub standings: BTreeMap<&'static str, u64>,
    /// Keys with more than one value that stands.
    pub conflicts: u64,
    /// The photos and renditions its entries name.
    pub named: BTreeSet<BlobHash>,
    /// Bodies that an erasure covers, by scope.
    pub erased: BTreeMap<ScopeId, u64>,
    /// Between which times its entries were signed.
    pub bounded: Bounded,
    /// What the record says, if that was asked for.
    pub detail: Option<RecordDetail>,
}

/// Judges one record; entries of other records among those loaded are left out.
pub fn audit_record(
    record: RecordId,
    loaded: Vec<Loaded>,
    grounds: RecordGrounds<'_>,
    is_detailed: bool,
) -> RecordOutcome {
    let wrong: BTreeSet<EntryId> =
        loaded.iter().filter(|loaded| loaded.is_body_wrong).map(|loaded| loaded.entry.id()).collect();
    let held: Vec<HeldEntry> =
        loaded.into_iter().map(|loaded| HeldEntry::new(loaded.entry, loaded.certificate)).collect();
    let is_elsewhere = |id| grounds.index.contains(id);
    let setting = Setting {
        roster: grounds.roster,
        coverage: grounds.coverage,
        ledgered: grounds.ledgered,
        is_elsewhere: &is_elsewhere,
    };
    let judged = judge(record, &held, &setting);
    let times = Times::of_record(record, &held, grounds);
    let mut case = Case { grounds, judged: &judged, wrong: &wrong, outcome: RecordOutcome::default() };
    for held in held.iter().filter(|held| held.entry().record() == record) {
        case.say_standing(held);
        case.say_body(held);
        case.say_times(held, &times);
    }
    for entry in judged.applied().iter().chain(judged.unapplied()) {
        case.say_claims(entry);
    }
    case.say_forks(&held);
    let mut outcome = case.outcome;
    let view = View::of(&judged);
    outcome.conflicts = view.conflicts().count() as u64;
    outcome.detail = is_detailed.then(|| RecordDetail::of(record, &held, &judged, &view, &times, grounds));
    outcome
}

struct Case<'a> {
    grounds: RecordGrounds<'a>,
    judged: &'a Judged<'a>,
    wrong: &'a BTreeSet<EntryId>,
    outcome: RecordOutcome,
}

impl Case<'_> {
    fn place(&self, entry: &VerifiedEntry) -> Place {
        Place { record: Some(entry.record()), ..Place::entry(entry.log(), entry.header().seq, entry.id()) }
    }

    fn say_standing(&mut self, held: &HeldEntry) {
        let Some(standing) = self.judged.standing(held.id()) else { return };
        *self.outcome.standings.entry(standing.code()).or_default() += 1;
        let (entry, findings) = (held.entry(), &mut self.outcome.findings);
        let place = Place { record: Some(entry.record()), ..Place::entry(entry.log(), entry.header().seq, entry.id()) };
        match standing {
            // Cuts and kinds of later versions are said where the logs are read.
            Standing::Accepted | Standing::Provisional | Standing::SetAside | Standing::UnknownKind => {}
            // What somebody agreed to is no longer what stands. That another role is voided is shown beside it.
            Standing::Voided if matches!(entry.header().kind, Kind::Concurrence | Kind::CoAuthorship) => {
                let count = voided_by(self.judged, held).len();
                let detail = format!("voided by {count} later edits of what it names");
                findings.add(BagCode::EditedAfter, place, detail);
            }
            Standing::Voided => {}
            Standing::Held(HeldWhy::Fork(_)) => findings.add(BagCode::EntryHeld, place, "lost a fork"),
            Standing::Held(HeldWhy::Ancestor(_)) => {
                findings.add(BagCode::EntryHeld, place, "builds on an entry that is not applied");
            }
            Standing::Held(HeldWhy::Restate) => findings.add(BagCode::EntryHeld, place, "its record was erased"),
            Standing::Unappliable(Refused { check, what }) => {
                findings.add(BagCode::EntryUnappliable, place, format!("{check}: {what}"));
            }
            Standing::OutOfRole(refused) if refused.check == Check::OutOfRole => findings.refused(refused, place),
            // A certificate of another key is said at seq 0 of the log.
            Standing::OutOfRole(_) => {}
            Standing::Waiting(WaitingFor::Body) => {
                if !self.wrong.contains(&held.id()) {
                    findings.add(BagCode::BodyMissing, place, "body");
                }
            }
            // A missing certificate, an unknown key and a broken chain have findings of their own.
            Standing::Waiting(WaitingFor::Certificate) => {}
            Standing::Waiting(WaitingFor::Creation) => {
                findings.add(BagCode::EntryWaiting, place, "the entry that creates the record is not in the bag");
            }
            Standing::Waiting(WaitingFor::Entry(_)) => {
                findings.add(BagCode::EntryWaiting, place, "an entry it names is not in the bag, or waits itself");
            }
            Standing::Erased => {
                let (code, detail) = match entry.body_bytes() {
                    None => {
                        *self.outcome.erased.entry(entry.header().scope).or_default() += 1;
                        (BagCode::BodyErased, "erased, header only")
                    }
                    Some(_) => (BagCode::ErasedButHeld, "body"),
                };
                findings.add(code, place, detail);
            }
        }
    }

    fn say_body(&mut self, held: &HeldEntry) {
        let is_erased = self.judged.standing(held.id()) == Some(Standing::Erased);
        let Some(body) = held.body().filter(|_| !is_erased) else { return };
        let place = self.place(held.entry());
        let certificate = held.certificate().and_then(|id| self.grounds.roster.certificate(id));
        if certificate.is_some_and(|certificate| certificate.request().observer() != body.context.observer) {
            self.outcome.findings.add(BagCode::ContextObserver, place.clone(), "another observer than the certificate");
        }
        for photo in &body.context.photos {
            self.say_photo(photo, &place);
        }
    }

    fn say_times(&mut self, held: &HeldEntry, times: &Times<'_>) {
        if self.grounds.timeline.is_some() {
            let (at, clock) = (self.place(held.entry()), held.body().map(|body| body.context.clock));
            let RecordOutcome { bounded, findings, .. } = &mut self.outcome;
            bounded.take(times.get(held.id()), clock, at, findings);
        }
    }

    fn say_photo(&mut self, photo: &Photo, place: &Place) {
        let is_erased = self.grounds.roster.is_photo_erased(photo.sha256);
        let original = Named { blob: photo.sha256, bytes: photo.bytes, chunks: photo.chunks, what: "original" };
        let renditions = [(&photo.thumbnail, "thumbnail"), (&photo.preview, "preview")];
        let renditions = renditions.into_iter().filter_map(|(rendition, what)| match rendition {
            RenditionOrReason::Rendition(made) => {
                Some(Named { blob: made.sha256, bytes: made.bytes, chunks: made.chunks, what })
            }
            RenditionOrReason::Missing(_) => None,
        });
        for named in std::iter::once(original).chain(renditions) {
            let place = Place { file: Some(super::bag::photo_path(named.blob)), ..place.clone() };
            self.outcome.named.insert(named.blob);
            let findings = &mut self.outcome.findings;
            match self.grounds.photos.get(&named.blob) {
                None if is_erased => {}
                None => findings.add(BagCode::PhotoMissing, place, named.what),
                Some(_) if is_erased => findings.add(BagCode::ErasedButHeld, place, named.what),
                Some(file) if !file.is_right => findings.add(BagCode::PhotoMismatch, place, named.what),
                Some(file) if file.bytes != named.bytes || file.chunks != named.chunks => {
                    findings.add(BagCode::PhotoFacts, place, named.what);
                }
                Some(_) => {}
            }
        }
    }

    fn say_claims(&mut self, entry: &ChangeEntry<'_>) {
        let (held, place) = (entry.held, self.place(entry.held.entry()));
        let is_erased = self.judged.standing(held.id()) == Some(Standing::Erased);
        let (Some(body), Some(commitment)) = (held.body(), held.entry().header().commitment) else { return };
        if is_erased {
            return;
        }
        let Some(table) = self.grounds.tables.get(&commitment.form) else {
            self.outcome.findings.add(BagCode::FormMissing, place, "form definition");
            return;
        };
        let claims = Claims::compute(table, &entry.change, &body.context);
        if claims.root() != commitment.root {
            self.outcome.findings.add(Check::ClaimsMismatch, place.clone(), "claims root");
        }
        if claims.unknown_questions().next().is_some() {
            self.outcome.findings.add(Check::ClaimsUnknownQuestion, place, "a key the form does not name");
        }
    }

    fn say_forks(&mut self, held: &[HeldEntry]) {
        for fork in self.judged.forks() {
            let siblings: Vec<&HeldEntry> = std::iter::once(&fork.chosen)
                .chain(&fork.others)
                .filter_map(|id| held.iter().find(|held| held.id() == *id))
                .collect();
            let open = siblings.iter().filter(|sibling| !self.is_covered(sibling)).count();
            let weight = if open <= 1 { Weight::Note } else { Weight::Doubt };
            let Some(loser) = siblings.get(1) else { continue };
            let detail = format!("{} changes with one seq; one is applied", siblings.len());
            self.outcome.findings.add_as(weight, BagCode::RecordFork, self.place(loser.entry()), detail);
        }
    }

    fn is_covered(&self, held: &HeldEntry) -> bool {
        let (entry, header) = (held.entry(), held.entry().header());
        let key = entry.key().as_bytes();
        let party = held.certificate().and_then(|id| self.grounds.roster.party_of(id));
        let at = LogPosition { key, scope: header.scope, epoch: header.epoch, seq: header.seq, id: entry.id() };
        party.is_some_and(|party| self.grounds.coverage.is_covered(at, party))
    }
}

/// The applied edits that build on what a signature role names: what it signed is no longer what stands.
pub(super) fn voided_by(judged: &Judged<'_>, held: &HeldEntry) -> Vec<EntryId> {
    let named = held.entry().header().refs();
    let names = |entry: &&ChangeEntry<'_>| entry.held.entry().header().refs().iter().any(|of| named.contains(of));
    judged.applied().iter().filter(names).map(|entry| entry.held.id()).collect()
}

struct Named {
    blob: BlobHash,
    bytes: u64,
    chunks: NodeHash,
    what: &'static str,
}
