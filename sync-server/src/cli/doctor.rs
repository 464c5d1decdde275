//! `merestone doctor`: everything a device holds, read and hashed again.

mod ledger;

use std::io::{self, Write};

use merestone_core::id::{BlobHash, EntryId, StatementId};
use merestone_store::{Aside, Census, StatementClass, Store, StoredBody};
use serde::Serialize;

use self::ledger::LedgerShown;
use super::{Context, store_key};
use crate::exit::{Code, Failure};
use crate::output::{self, Report};

/// Check every row and every photo of a device, and the ledger's leaves, and say what is damaged, missing, or taking the last room.
///
/// What is damaged is set aside, never deleted, and the next sync fetches it again from any peer that holds it.
/// Nothing else is changed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 0: everything is sound. 1: something is damaged; it is named. 2: sound, and something is missing.\n\n\
                  Example:\n  merestone doctor --home phone"
)]
pub(crate) struct DoctorArgs {}

impl DoctorArgs {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let Self {} = self;
        let home = context.home()?;
        // The store alone: a device whose other parts are damaged can still be looked at.
        let store = Store::open(&home.folder.join("store"), store_key())?;
        let diagnosis = Diagnosis::of(&store)?;
        context.screen.show(&diagnosis)?;
        Ok(diagnosis.code())
    }
}

#[derive(Serialize)]
struct Diagnosis {
    mission: String,
    store: String,
    entries: u64,
    statements: u64,
    photos: u64,
    photo_bytes: u64,
    structure: Vec<String>,
    damaged: Vec<AsideShown>,
    /// Entries beside which four siblings are kept: a key signed more than one entry at one place.
    forks: Vec<String>,
    photos_lost: Vec<String>,
    photos_unknown: Vec<String>,
    bodies_missing: u64,
    photos_missing: u64,
    photo_bytes_missing: u64,
    free_bytes: Option<u64>,
    low_room: bool,
    /// `None` where the mission has no ledger.
    ledger: Option<LedgerShown>,
}

#[derive(Serialize)]
struct AsideShown {
    what: String,
    id: String,
    reason: String,
    /// Whether it is held again, whole: the damaged one stays aside as evidence.
    recovered: bool,
}

impl AsideShown {
    fn of(aside: Aside, store: &Store) -> Result<Self, Failure> {
        let recovered = is_held_again(&aside, store)?;
        let Aside { what, id, reason } = aside;
        Ok(Self { what, id, reason: reason.to_string(), recovered })
    }
}

fn is_held_again(aside: &Aside, store: &Store) -> Result<bool, Failure> {
    let entry = || EntryId::from_hex(&aside.id).map(|id| store.entry(id)).transpose().map(Option::flatten);
    Ok(match aside.what.as_str() {
        "entry" => entry()?.is_some(),
        "body" => entry()?.is_some_and(|entry| !matches!(entry.body, StoredBody::Missing)),
        "blob" => match BlobHash::from_hex(&aside.id) {
            Some(hash) => store.is_blob_whole(hash)?,
            None => false,
        },
        "statement" => {
            let Some(id) = StatementId::from_hex(&aside.id) else { return Ok(false) };
            for class in StatementClass::ALL {
                if store.statement(class, id)?.is_some() {
                    return Ok(true);
                }
            }
            false
        }
        _ => false,
    })
}

impl Diagnosis {
    fn of(store: &Store) -> Result<Self, Failure> {
        let identity = store.identity()?;
        let Census { entries, statements, blobs, blobs_lost, blobs_unknown, aside, structure } = store.check()?;
        let counts = store.counts()?;
        let room = store.room();
        let (damaged, displaced): (Vec<_>, Vec<_>) = aside.into_iter().partition(|aside| aside.reason.is_damage());
        let damaged = damaged.into_iter().map(|aside| AsideShown::of(aside, store)).collect::<Result<_, _>>()?;
        Ok(Self {
            mission: identity.mission.to_string(),
            store: identity.store.to_string(),
            entries,
            statements,
            photos: blobs,
            photo_bytes: counts.blob_bytes,
            structure,
            damaged,
            forks: displaced.into_iter().map(|aside| aside.id).collect(),
            photos_lost: blobs_lost.iter().map(ToString::to_string).collect(),
            photos_unknown: blobs_unknown.iter().map(ToString::to_string).collect(),
            bodies_missing: counts.bodies_missing,
            photos_missing: counts.blobs_missing,
            photo_bytes_missing: counts.blob_bytes_missing,
            free_bytes: room.free_bytes,
            low_room: room.low_room,
            ledger: LedgerShown::of(store)?,
        })
    }

    fn is_sound(&self) -> bool {
        self.is_whole() && self.ledger.as_ref().is_none_or(LedgerShown::is_sound)
    }

    /// Whether everything is sound that any peer gives again.
    fn is_whole(&self) -> bool {
        let is_whole = self.damaged.iter().all(|aside| aside.recovered);
        is_whole && self.structure.is_empty() && self.photos_lost.is_empty()
    }

    fn code(&self) -> Code {
        match (self.is_sound(), self.bodies_missing + self.photos_missing) {
            (false, _) => Code::Failed,
            (true, 0) => Code::Done,
            (true, _) => Code::Undecided,
        }
    }
}

impl Report for Diagnosis {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "mission   {}", self.mission)?;
        writeln!(out, "checked   {} entries, {} statements", self.entries, self.statements)?;
        writeln!(out, "          {} photos and pictures ({})", self.photos, output::bytes(self.photo_bytes))?;
        for line in &self.structure {
            writeln!(out, "damaged   the database: {}", output::one_line(line))?;
        }
        for aside in &self.damaged {
            let AsideShown { what, id, reason, recovered } = aside;
            let now = if *recovered { "; held again, whole" } else { "" };
            writeln!(out, "damaged   {what} {id}: {reason}; set aside{now}")?;
        }
        for entry in &self.forks {
            writeln!(
                out,
                "fork      entry {entry}: more entries at its place than are kept; set aside, and no damage"
            )?;
        }
        for photo in &self.photos_lost {
            writeln!(out, "damaged   photo {photo}")?;
        }
        if self.bodies_missing > 0 {
            writeln!(out, "missing   {} bodies of entries", self.bodies_missing)?;
        }
        if self.photos_missing > 0 {
            let bytes = output::bytes(self.photo_bytes_missing);
            writeln!(out, "missing   {} photos and pictures ({bytes})", self.photos_missing)?;
        }
        for photo in &self.photos_unknown {
            writeln!(out, "note      file {photo} is held by no row; it is left alone")?;
        }
        if let Some(ledger) = &self.ledger {
            ledger.lines(out)?;
        }
        let free = self.free_bytes.map_or_else(|| "not known".to_owned(), output::bytes);
        let low = if self.low_room { "; the reserve is used up: make room now" } else { "" };
        writeln!(out, "room      {free}{low}")?;
        match self.code() {
            Code::Done => writeln!(out, "Everything is sound."),
            Code::Failed if self.is_whole() => writeln!(out, "Everything but the ledger is sound."),
            Code::Failed => writeln!(out, "Something is damaged. Sync with a peer: what it holds is fetched again."),
            _ => writeln!(out, "Sound, and not complete: sync with a peer that holds the rest."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use merestone_core::entry::{
        Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, Position, Subject,
    };
    use merestone_core::id::{Epoch, FormHash, MissionId, ScopeId, StoreId};
    use merestone_core::key::{PublicKey, SigningKey};
    use merestone_core::roster::{Charter, CompleteCharter, Ledger, Party, PartyNumber, Scope, SignedCharter};
    use merestone_store::{Batch, Identity, LeafOf, LedgerAppend, NewLeaf, SIBLINGS_MAX};

    /// One of many first entries of a log.
    fn sibling(mission: MissionId, n: u8) -> merestone_core::entry::VerifiedEntry {
        let clock = Clock { wall_ms: 0, uptime_ms: 0, boot: [n; 8], offset_min: 0, source: ClockSource::Device };
        let context = Context { clock, place: None, post: None, observer: "Olena".into(), photos: Vec::new() };
        let draft = EntryDraft {
            mission,
            scope: ScopeId::from_bytes([1; 8]),
            epoch: Epoch::from_bytes([1; 8]),
            seq: 0,
            position: Position::First { certificate: StatementId::from_bytes([1; 32]), earlier: Vec::new() },
            kind: Kind::Change,
            subject: Subject::Creates { writers: Vec::new() },
            body: Body { content: Content::Change(b"change".to_vec()), context },
            commitment: Some(Commitment { root: [0; 32], form: FormHash::from_bytes([0; 32]) }),
            seen: None,
        };
        draft.sign(&SigningKey::from_seed(&[1; 32])).expect("well formed")
    }

    #[test]
    fn a_ledger_of_which_the_tree_is_gone_is_damage_and_the_rest_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = |seed| SigningKey::from_seed(&[seed; 32]);
        let charter = charter(&key(1), *key(2).public());
        let mission = charter.mission();
        let identity = Identity { mission, store: StoreId::from_bytes([5; 16]) };
        let store = Store::create(&folder.path().join("store"), store_key(), identity).expect("a store");
        let mut batch = Batch::new();
        batch.statement(StatementClass::Charter, None, charter.as_bytes().to_vec());
        store.commit(batch).expect("room");
        assert_eq!(Diagnosis::of(&store).expect("it can be read").code(), Code::Done);
        let leaf = NewLeaf { bytes: vec![1; 35], about: LeafOf::Other };
        let mut batch = Batch::new();
        batch.ledger(LedgerAppend { leaves: vec![leaf], ..LedgerAppend::default() });
        store.commit(batch).expect("room");
        let diagnosis = Diagnosis::of(&store).expect("it can be read");
        assert_eq!(diagnosis.code(), Code::Failed);
        let mut shown = Vec::new();
        diagnosis.human(&mut shown).expect("a list takes all");
        let shown = String::from_utf8(shown).expect("text");
        assert!(shown.contains("damaged   the ledger: keep the folder"), "{shown}");
        assert!(shown.ends_with("Everything but the ledger is sound.\n"), "{shown}");
    }

    /// One party, and a ledger.
    fn charter(root: &SigningKey, ledger: PublicKey) -> CompleteCharter {
        let number = PartyNumber(1);
        let charter = Charter {
            name: "Border".into(),
            nonce: [1; 16],
            parties: vec![Party { number, name: "State A".into(), root: *root.public(), witnesses: Vec::new() }],
            scopes: vec![Scope { id: ScopeId::from_bytes([1; 8]), name: "North".into() }],
            forms: Vec::new(),
            ledger: Some(Ledger { origin: "border.example/ledger".into(), key: ledger }),
            quorum: 1,
        };
        SignedCharter::begin(&charter, root).expect("well formed").complete().expect("the only party signed")
    }

    #[test]
    fn a_fork_with_many_branches_is_no_damage() {
        let folder = tempfile::tempdir().expect("a folder");
        let mission = MissionId::from_bytes([9; 32]);
        let identity = Identity { mission, store: StoreId::from_bytes([5; 16]) };
        let store = Store::create(&folder.path().join("store"), store_key(), identity).expect("a store");
        let mut siblings: Vec<_> = (0..=SIBLINGS_MAX).map(|n| sibling(mission, n as u8)).collect();
        siblings.sort_by_key(|sibling| std::cmp::Reverse(sibling.id()));
        for sibling in &siblings {
            let mut batch = Batch::new();
            batch.entry(sibling.clone());
            store.commit(batch).expect("room");
        }
        let diagnosis = Diagnosis::of(&store).expect("it can be read");
        assert_eq!(diagnosis.forks, [siblings[0].id().to_string()]);
        assert!(diagnosis.damaged.is_empty());
        assert_eq!(diagnosis.code(), Code::Done);
        let mut shown = Vec::new();
        diagnosis.human(&mut shown).expect("a list takes all");
        let shown = String::from_utf8(shown).expect("text");
        assert!(shown.contains("fork      entry") && shown.ends_with("Everything is sound.\n"), "{shown}");
    }
}
