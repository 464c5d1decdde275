//! `merestone doctor`: everything a device holds, read and hashed again.

use std::io::{self, Write};

use merestone_core::id::{BlobHash, EntryId, StatementId};
use merestone_store::{Aside, Census, StatementClass, Store, StoredBody};
use serde::Serialize;

use super::{Context, store_key};
use crate::exit::{Code, Failure};
use crate::output::{self, Report};

/// Check every row and every photo of a device, and say what is damaged, missing, or taking the last room.
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
    photos_lost: Vec<String>,
    photos_unknown: Vec<String>,
    bodies_missing: u64,
    photos_missing: u64,
    photo_bytes_missing: u64,
    free_bytes: Option<u64>,
    low_room: bool,
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
        Ok(Self { what, id, reason, recovered })
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
        let damaged = aside.into_iter().map(|aside| AsideShown::of(aside, store)).collect::<Result<_, _>>()?;
        Ok(Self {
            mission: identity.mission.to_string(),
            store: identity.store.to_string(),
            entries,
            statements,
            photos: blobs,
            photo_bytes: counts.blob_bytes,
            structure,
            damaged,
            photos_lost: blobs_lost.iter().map(ToString::to_string).collect(),
            photos_unknown: blobs_unknown.iter().map(ToString::to_string).collect(),
            bodies_missing: counts.bodies_missing,
            photos_missing: counts.blobs_missing,
            photo_bytes_missing: counts.blob_bytes_missing,
            free_bytes: room.free_bytes,
            low_room: room.low_room,
        })
    }

    fn is_sound(&self) -> bool {
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
        let free = self.free_bytes.map_or_else(|| "not known".to_owned(), output::bytes);
        let low = if self.low_room { "; the reserve is used up: make room now" } else { "" };
        writeln!(out, "room      {free}{low}")?;
        match self.code() {
            Code::Done => writeln!(out, "Everything is sound."),
            Code::Failed => writeln!(out, "Something is damaged. Sync with a peer: what it holds is fetched again."),
            _ => writeln!(out, "Sound, and not complete: sync with a peer that holds the rest."),
        }
    }
}
