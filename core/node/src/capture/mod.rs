//! From a draft to one signed entry, committed together with the end of the draft.

mod once;
mod photo;
mod plan;
mod restate;
mod speech;

use std::collections::BTreeSet;

use merestone_core::change::{Basis, Change, Put, compose};
use merestone_core::check::{Check, Refused};
use merestone_core::claims::Claims;
use merestone_core::entry::{
    Body, Commitment, Content, Context, EntryDraft, Kind, Photo, RenditionOrReason, Subject, VerifiedEntry,
};
use merestone_core::id::{EntryId, FormHash, NoteHash, RecordId, ScopeId};
use merestone_core::key::PublicKey;
use merestone_core::record::EpochNeeded;
use merestone_core::roster::PartyNumber;
use merestone_store::{Batch, BlobClaim, BlobClass, DraftId, SavedDraft};

pub use merestone_media::PhotoFacts;
pub use once::Once;
pub(crate) use photo::photo_files;
pub use photo::{Attached, PhotoError, PhotoSource};
pub use restate::RestateError;
pub use speech::{Speech, SpeechError};

use crate::clock::NoEntropy;
use crate::device::{AccessError, Device, Logbook, Pen, PenError, Turn, WriteError, Written};
use crate::draft::{Draft, DraftError, DraftSubject};
use crate::records::{Sheet, Values, values_at};
use merestone_forms::Answer;
use plan::Write;

/// A draft became an entry, and the entry is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The entry.
    pub entry: EntryId,
    /// The record it creates or changes.
    pub record: RecordId,
    /// The disk is so full that there is room for very little more.
    pub low_room: bool,
}

/// A draft was not saved; it stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Nothing in it differs from what the record says.
    #[error("nothing changed")]
    NothingChanged,
    /// The draft that is kept is another: somebody changed or discarded it since it was read. What is kept stays as it is.
    #[error("draft {draft} was changed or discarded meanwhile: look at it again")]
    DraftChanged {
        /// The draft.
        draft: DraftId,
    },
    /// It holds more than one entry can: save part of it and go on with an edit.
    #[error("more than one entry can hold")]
    TooLarge,
    /// Nothing of the record is applied here, or an entry that the screen showed is not held any more.
    #[error("record {record} cannot be edited here")]
    NotEditable {
        /// The record.
        record: RecordId,
    },
    /// The observer's party is none of those that may write the record: every reader would hold the edit out of role.
    #[error("record {record} is not for the observer's party to change")]
    NotAWriter {
        /// The record.
        record: RecordId,
    },
    /// The definition of the form is not held.
    #[error("form {form} is not on this device")]
    NoForm {
        /// The form.
        form: FormHash,
    },
    /// The observer cannot sign now.
    #[error(transparent)]
    Pen(#[from] PenError),
}

impl From<AccessError> for SaveError {
    fn from(error: AccessError) -> Self {
        Self::Pen(error.into())
    }
}

impl From<WriteError> for SaveError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Draft { draft } => Self::DraftChanged { draft },
            WriteError::Pen(PenError::Rule(refused)) => refused.into(),
            WriteError::Pen(error) => Self::Pen(error),
        }
    }
}

impl From<NoEntropy> for SaveError {
    fn from(error: NoEntropy) -> Self {
        Self::Pen(error.into())
    }
}

impl From<Refused> for SaveError {
    fn from(refused: Refused) -> Self {
        match refused.check {
            Check::ChangeSize | Check::SizeLimit => Self::TooLarge,
            _ => Self::Pen(PenError::Rule(refused)),
        }
    }
}

/// Why an edit could not begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// Nothing of the record is applied here.
    #[error("record {record} cannot be edited here")]
    NotEditable {
        /// The record.
        record: RecordId,
    },
    /// The store could not be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// There are no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl Device {
    /// Begins a new record in `scope` after a form of the mission. The draft is kept from its first change on.
    ///
    /// # Errors
    /// If there are no random bytes.
    pub fn begin(&self, observer: &PublicKey, scope: ScopeId, form: FormHash) -> Result<Draft, BeginError> {
        self.blank_draft(observer, scope, form, DraftSubject::New { writers: Vec::new() })
    }

    /// Begins an edit of a record as it is now. The draft is kept from its first change on.
    ///
    /// # Errors
    /// [`BeginError`].
    pub fn begin_edit(&self, observer: &PublicKey, record: RecordId) -> Result<Draft, BeginError> {
        let sheet = self.with_sheet(record, |sheet| (sheet.scope, sheet.form, sheet.heads.clone()))?;
        let (scope, form, base) = sheet.ok_or(BeginError::NotEditable { record })?;
        self.blank_draft(observer, scope, form, DraftSubject::Edit { record, base })
    }

    /// Saves a draft as one entry, by its observer. When this returns the entry is durable and the draft is gone.
    ///
    /// Of an edit, only the answers are written that differ from what the screen showed when it began, that were
    /// confirmed, or that settle a conflict. Saving a draft again that was saved gives the same answer and signs nothing, also
    /// after the device was opened again.
    ///
    /// # Errors
    /// [`SaveError`]; nothing was signed that anybody will see, and the draft is as before.
    pub fn save(&self, draft: &Draft) -> Result<Saved, SaveError> {
        self.save_if(draft, true)
    }

    /// [`save`](Self::save) of a draft that was kept: if it is not any more, it was discarded.
    pub(crate) fn save_kept(&self, draft: &Draft) -> Result<Saved, SaveError> {
        self.save_if(draft, false)
    }

    fn save_if(&self, draft: &Draft, may_be_absent: bool) -> Result<Saved, SaveError> {
        let mut turn = self.turn()?;
        if let Some(saved) = self.saved(draft.id)? {
            return Ok(saved);
        }
        let kept = match self.kept(draft.id) {
            Ok((kept, bytes)) if kept == *draft => Some(bytes),
            Err(DraftError::Access(error)) => return Err(error.into()),
            Err(DraftError::Missing) if may_be_absent => None,
            Ok(_) | Err(_) => return Err(SaveError::DraftChanged { draft: draft.id }),
        };
        loop {
            // Where somebody else's entry came to its place, it is written again at the beginning of a new log.
            if let Some(saved) = self.save_at(&mut turn, draft, kept.as_deref())? {
                return Ok(saved);
            }
        }
    }

    /// What became of a draft, or of a [step](Self::once) with this id; `None` if it was not saved here. It is known for as long
    /// as the entry is held.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn saved(&self, id: DraftId) -> Result<Option<Saved>, AccessError> {
        let low_room = || self.store.room().low_room;
        let saved = self.store.saved_draft(id)?;
        Ok(saved.map(|SavedDraft { entry, record }| Saved { entry, record, low_room: low_room() }))
    }

    fn blank_draft(
        &self,
        observer: &PublicKey,
        scope: ScopeId,
        form: FormHash,
        subject: DraftSubject,
    ) -> Result<Draft, BeginError> {
        let id = DraftId(self.random()?);
        let (answers, confirmed) = Default::default();
        Ok(Draft {
            id,
            observer: *observer,
            scope,
            form,
            subject,
            answers,
            confirmed,
            photos: vec![],
            place: None,
            post: None,
            is_import: false,
        })
    }

    /// `kept` are the bytes in which the draft is kept; `None` comes back where somebody else's entry took the place.
    fn save_at(&self, turn: &mut Turn<'_>, draft: &Draft, kept: Option<&[u8]>) -> Result<Option<Saved>, SaveError> {
        let (pen, plan) = self.plan(turn, draft)?;
        let photos: Vec<_> = draft.photos.iter().map(|photo| photo.photo.clone()).collect();
        let context = Context {
            clock: self.now(),
            place: draft.place,
            post: draft.post.clone(),
            observer: pen.observer.clone(),
            photos,
        };
        let actor = pen.actor(self);
        let composed = compose(actor, self.random()?, &plan.basis, plan.puts())?;
        let change = Change::decode(&composed.chunk, actor)?;
        let table = self.leaf_table(draft.form).ok_or(SaveError::NoForm { form: draft.form })?;
        let root = Claims::compute(&table, &change, &context).root();

        let unsigned = EntryDraft {
            mission: self.mission(),
            scope: pen.scope,
            epoch: pen.epoch,
            seq: pen.seq,
            position: pen.position.clone(),
            kind: Kind::Change,
            subject: plan.subject(draft, pen.party),
            body: Body { content: Content::Change(composed.chunk.clone()), context },
            commitment: Some(Commitment { root, form: draft.form }),
            seen: self.newest_note(),
        };
        let written = turn.write(self, &pen, unsigned, |entry, batch| {
            let saved = SavedDraft { entry: entry.id(), record: entry.record() };
            batch.save_draft(draft.id, kept.map(<[u8]>::to_vec), saved);
            self.adopt_photos(entry.id(), draft, batch)
        })?;
        let Some(Written { entry, low_room }) = written else { return Ok(None) };
        self.follow(&entry, &pen, draft, &plan.basis, &change);
        Ok(Some(Saved { entry: entry.id(), record: entry.record(), low_room }))
    }

    /// What the draft writes, and where it is signed.
    fn plan(&self, logbook: &mut Logbook, draft: &Draft) -> Result<(Pen, Plan), SaveError> {
        let mut pen = logbook.pen(self, &draft.observer, draft.scope, Kind::Change, false)?;
        let (basis, writes) = match &draft.subject {
            DraftSubject::New { writers: _ } => (Basis::creation(), plan::of_new(draft)),
            DraftSubject::Edit { record, base } => {
                let not_editable = || SaveError::NotEditable { record: *record };
                let is_writer = self.with_sheet(*record, |sheet| sheet.is_written_by(pen.party))?;
                if !is_writer.ok_or_else(not_editable)? {
                    return Err(SaveError::NotAWriter { record: *record });
                }
                let mut basis = self.basis(*record, base, &pen)?.ok_or_else(not_editable)?;
                if basis.is_err() {
                    pen = logbook.pen(self, &draft.observer, draft.scope, Kind::Change, true)?;
                    basis = self.basis(*record, base, &pen)?.ok_or_else(not_editable)?;
                }
                let writes = self.writes(*record, base, draft)?.ok_or_else(not_editable)?;
                (basis.map_err(|_| not_editable())?, writes)
            }
        };
        if writes.is_empty() { Err(SaveError::NothingChanged) } else { Ok((pen, Plan { basis, writes })) }
    }

    /// What an edit builds on; `None` if the record, or a head that the screen showed, is not applied here.
    fn basis(
        &self,
        record: RecordId,
        base: &[EntryId],
        pen: &Pen,
    ) -> Result<Option<Result<Basis, EpochNeeded>>, AccessError> {
        let actor = pen.actor(self);
        let basis = self.with_sheet(record, |sheet| sheet.basis(base, actor).transpose())?;
        Ok(basis.flatten())
    }

    /// What an edit writes, with the values that its screen showed.
    fn writes(&self, record: RecordId, base: &[EntryId], draft: &Draft) -> Result<Option<Vec<Write>>, AccessError> {
        let of_now =
            self.with_sheet(record, |sheet| (sheet.heads == base).then(|| plan::of_edit(draft, &sheet.values)))?;
        let Some(None) = of_now else { return Ok(of_now.flatten()) };
        let held = self.held(record)?;
        Ok(Some(self.judged(record, &held, |judged, _| plan::of_edit(draft, &values_at(judged, base)))))
    }

    /// The answers of a record that a screen showed; of several values the first.
    pub(crate) fn shown(&self, record: RecordId, base: &[EntryId]) -> Result<Vec<(String, Answer)>, AccessError> {
        fn first(values: &Values) -> Vec<(String, Answer)> {
            let first =
                values.iter().filter_map(|(key, standing)| Some((key.clone(), standing.first()?.answer.clone())));
            first.collect()
        }
        let of_now = self.with_sheet(record, |sheet| (sheet.heads == base).then(|| first(&sheet.values)))?;
        if let Some(Some(shown)) = of_now {
            return Ok(shown);
        }
        let held = self.held(record)?;
        Ok(self.judged(record, &held, |judged, _| first(&values_at(judged, base))))
    }

    /// Lets the record's sheet follow an entry that was just saved.
    fn follow(&self, entry: &VerifiedEntry, pen: &Pen, draft: &Draft, basis: &Basis, change: &Change<'_>) {
        let record = entry.record();
        match &draft.subject {
            DraftSubject::New { writers } => {
                let writers = with_own(writers, pen.party);
                if let Some(sheet) = Sheet::created(entry.id(), draft.scope, writers, draft.form, change) {
                    self.shelf.keep(record, sheet);
                }
            }
            DraftSubject::Edit { .. } => {
                let follows = self.shelf.with(record, |sheet| sheet.follow(entry.id(), draft.form, basis, change));
                if follows != Some(true) {
                    self.shelf.drop_sheet(record);
                }
            }
        }
    }

    fn newest_note(&self) -> Option<NoteHash> {
        self.authority.roster().newest_shown_note().map(|note| note.hash())
    }
}

/// The entry that a draft becomes, as far as the record decides it.
struct Plan {
    basis: Basis,
    writes: Vec<Write>,
}

impl Plan {
    fn puts(&self) -> Vec<Put<'_>> {
        self.writes.iter().map(Write::put).collect()
    }

    fn subject(&self, draft: &Draft, party: PartyNumber) -> Subject {
        match &draft.subject {
            DraftSubject::New { writers } if writers.is_empty() => Subject::Creates { writers: Vec::new() },
            DraftSubject::New { writers } => {
                Subject::Creates { writers: with_own(writers, party).into_iter().collect() }
            }
            DraftSubject::Edit { record, base: _ } => Subject::Of { record: *record, refs: self.basis.refs.clone() },
        }
    }
}

/// The parties that may write a new record: those that the draft names, and the author's own.
///
/// The format allows a record that its author's party may not change again; nobody who fills in a form means that.
fn with_own(writers: &[u64], party: PartyNumber) -> BTreeSet<u64> {
    writers.iter().copied().chain([party.0]).collect()
}

/// Says which files the photos of an entry are, so that the store wants them until it holds them.
pub fn name_blobs(entry: &VerifiedEntry, batch: &mut Batch) {
    let Ok(Some(body)) = entry.body() else { return };
    name_photos(entry.id(), &body.context.photos, batch);
}

fn name_photos(entry: EntryId, photos: &[Photo], batch: &mut Batch) {
    for photo in photos {
        let original = BlobClaim { hash: photo.sha256, bytes: photo.bytes, chunks: photo.chunks };
        batch.blob_name(entry, original, BlobClass::Original);
        let renditions = [(&photo.thumbnail, BlobClass::Thumbnail), (&photo.preview, BlobClass::Preview)];
        for (rendition, class) in renditions {
            if let RenditionOrReason::Rendition(rendition) = rendition {
                let claim = BlobClaim { hash: rendition.sha256, bytes: rendition.bytes, chunks: rendition.chunks };
                batch.blob_name(entry, claim, class);
            }
        }
    }
}
