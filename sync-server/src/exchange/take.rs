//! One submission into the device: a record signed by who imports it, its photos with it, and once only.
//!
//! A submission that was begun and not finished, or whose photos came later, is completed by an edit. One that says
//! otherwise than when it was taken over changes nothing, unless that is asked for; then it is a further edit.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};

use merestone_core::entry::PHOTOS_MAX;
use merestone_core::id::{FormHash, RecordId, ScopeId};
use merestone_core::key::PublicKey;
use merestone_exchange::Value;
use merestone_exchange::import::{Arrival, Attachment, Difference, Here, Known, Submission};
use merestone_node::capture::{PhotoError, PhotoSource};
use merestone_node::draft::{Draft, DraftError};
use merestone_node::records::RecordView;
use merestone_node::{Answer, Device};

use super::own::Returned;
use crate::exit::Failure;

/// Bytes of keys and texts in one entry: a change holds at most 262,144, and each answer takes some more than these.
const ENTRY_BYTES_MAX: usize = 160 * 1024;
/// Answers in one entry; a change holds 4,096.
const ENTRY_ANSWERS_MAX: usize = 2_048;
/// Answers that say of files what became of them, in an entry that is full otherwise.
const FILES_CELLS_MAX: usize = 512;

/// Takes submissions of one form into one scope.
pub(crate) struct Taker<'d> {
    pub(crate) device: &'d Device,
    pub(crate) observer: PublicKey,
    pub(crate) scope: ScopeId,
    pub(crate) form: FormHash,
    pub(crate) how: How,
}

/// How submissions are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct How {
    /// One that says otherwise than when it was taken over is taken over as a further edit.
    pub(crate) update: bool,
    /// Nothing is kept or signed: what would be is counted.
    pub(crate) dry_run: bool,
}

/// What became of a submission.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) what: What,
    /// The record; none of a new one that was only counted.
    pub(crate) record: Option<RecordId>,
    /// Entries that were signed, or would be.
    pub(crate) entries: usize,
    /// Files that arrived now, or would.
    pub(crate) arrived: usize,
    /// Files that are not there, each with the reason.
    pub(crate) missing: Vec<(String, &'static str)>,
    /// Answers that the submission says otherwise than when it was taken over.
    pub(crate) changed: Vec<Difference>,
    /// Keys at which the record says nothing yet, of a submission that says something otherwise too.
    pub(crate) added: Vec<String>,
}

/// What became of a record of this mission that came back.
#[derive(Clone, Debug)]
pub(crate) struct Edited {
    pub(crate) record: RecordId,
    /// What it says otherwise, each key with a word for what is here ([`Returned`]).
    pub(crate) changed: Vec<(String, &'static str)>,
    /// Entries that were signed, or would be.
    pub(crate) entries: usize,
    /// Files that arrived now, or would.
    pub(crate) arrived: usize,
    /// Files that are not there, each with the reason.
    pub(crate) missing: Vec<(String, &'static str)>,
}

/// In one word, what became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// It is a new record.
    Imported,
    /// A record that said part of it says the rest now.
    Completed,
    /// The record says all of it, or says an edit of it.
    Already,
    /// It was changed since it was taken over, and the record says so now.
    Updated,
    /// It was changed since it was taken over, and nothing was written.
    Differs,
    /// The same, and it was taken over from another kind of file, so that it cannot be taken over from this one.
    DiffersFromOtherFile,
}

/// What is to be written of a submission.
struct Plan {
    what: What,
    cells: VecDeque<(String, Value)>,
    files: VecDeque<usize>,
    changed: Vec<Difference>,
    added: Vec<String>,
}

impl Taker<'_> {
    /// Takes a submission whose files lie in one of `folders`; `known` is the record that was made of it, if one was.
    ///
    /// # Errors
    /// If it cannot be saved. What was saved of it before stays, and the next try completes it.
    pub(crate) fn take(
        &self,
        submission: &Submission,
        known: Option<&(RecordId, Known)>,
        folders: &[PathBuf],
    ) -> Result<Outcome, Failure> {
        let view = known.map(|(record, _)| self.device.record(*record)).transpose()?.flatten();
        let of_record = known.zip(view.as_ref()).map(|((_, known), view)| (known, view));
        let Plan { what, mut cells, mut files, changed, added } = self.plan(submission, of_record);
        let is_written = matches!(what, What::Imported | What::Completed | What::Updated);
        let mark = known.map_or_else(|| submission.mark_key(), |(_, known)| known.mark_key());
        let mut work = Work { view, changed, ..Work::new(self, submission, folders) };
        let (mut record, mut entries) = (known.map(|(record, _)| *record), 0);
        while is_written && !(cells.is_empty() && files.is_empty()) {
            let mut draft = match record {
                Some(record) => self.device.begin_edit(&self.observer, record)?,
                None => self.device.begin(&self.observer, self.scope, self.form)?,
            };
            // Every entry of an import says so (`Known::of`).
            if !draft.is_new() {
                draft.confirmed.insert(mark.clone());
            }
            draft.is_import = true;
            fill(&mut draft, &mut cells);
            let id = draft.id;
            let saved = work.attach(draft, &mut files).and_then(|draft| self.save(&draft));
            match saved {
                Ok(Written::Saved(of)) => (record, entries) = (Some(of), entries + 1),
                Ok(Written::Counted) => entries += 1,
                Ok(Written::Nothing) => self.device.discard(id)?,
                Err(failure) => {
                    // The reason is told; a draft left behind by a full disk is small, and the next import takes it away.
                    let _ = self.device.discard(id);
                    return Err(failure);
                }
            }
        }
        let what = match what {
            What::Completed if entries == 0 => What::Already,
            // All that differs is the name of a file that is not there: the one that is here stays.
            What::Updated if entries == 0 && !work.waiting.is_empty() => What::Differs,
            what => what,
        };
        let Work { arrived, missing, waiting, mut changed, .. } = work;
        if what == What::Updated {
            changed.retain(|one| !waiting.contains(&one.key));
        }
        Ok(Outcome { what, record, entries, arrived, missing, changed, added })
    }

    fn plan(&self, submission: &Submission, known: Option<(&Known, &RecordView)>) -> Plan {
        let all = 0..submission.attachments.len();
        let Some((known, view)) = known else {
            let (cells, files) = (submission.cells().into(), all.collect());
            return Plan { what: What::Imported, cells, files, changed: Vec::new(), added: Vec::new() };
        };
        let nothing = |what, changed: Vec<Difference>, added| {
            let (cells, files) = Default::default();
            Plan { what, cells, files, changed, added }
        };
        if known.is_superseded(&submission.instance) {
            return nothing(What::Already, Vec::new(), Vec::new());
        }
        let (compared, is_alike) = (known.compare(submission), known.is_alike(submission));
        let new_files = submission.attachments.iter().enumerate();
        let new_files = new_files.filter(|(at, _)| is_alike && !known.is_said(&submission.attachment_key(*at, "at")));
        let is_changed = |key: &str| compared.changed.iter().any(|one| one.key == key);
        let new_files = new_files.map(|(_, file)| file.key.clone()).filter(|key| !is_changed(key));
        let added: Vec<String> = match compared.changed.as_slice() {
            [] => Vec::new(),
            _ => compared.missing.iter().map(|(key, _)| key.clone()).chain(new_files).collect(),
        };
        match (compared.changed.is_empty(), self.how.update, is_alike) {
            (false, true, false) => return nothing(What::DiffersFromOtherFile, compared.changed, added),
            (false, false, _) => return nothing(What::Differs, compared.changed, added),
            (true, _, _) | (false, true, true) => {}
        }
        let is_changed = |key: &str| compared.changed.iter().any(|one| one.key == key && one.here != Here::Conflict);
        let is_file = |key: &str| submission.attachments.iter().any(|attachment| attachment.key == key);
        let is_open = |at: &usize| {
            is_alike && (!has_arrived(view, submission, *at) || is_changed(&submission.attachments[*at].key))
        };
        let changed = compared.changed.iter().filter(|one| one.here != Here::Conflict && !is_file(&one.key));
        let changed = changed.map(|one| (one.key.clone(), one.value.clone()));
        let cells = compared.missing.iter().cloned().chain(changed).collect();
        let what = if compared.changed.is_empty() { What::Completed } else { What::Updated };
        Plan { what, cells, files: all.filter(is_open).collect(), changed: compared.changed, added }
    }

    /// Takes over what a record that came back says otherwise, as edits of it.
    ///
    /// # Errors
    /// If it cannot be saved. What was saved before stays, and the next try goes on from there.
    pub(crate) fn edit(
        &self,
        record: RecordId,
        submission: &Submission,
        returned: Returned,
        folders: &[PathBuf],
    ) -> Result<Edited, Failure> {
        let Returned { mut changed, cells, files } = returned;
        let (mut cells, mut files): (VecDeque<_>, VecDeque<_>) = (cells.into(), files.into());
        let mut work = Work::new(self, submission, folders);
        let mut entries = 0;
        while self.how.update && !(cells.is_empty() && files.is_empty()) {
            let mut draft = self.device.begin_edit(&self.observer, record)?;
            draft.is_import = true;
            fill(&mut draft, &mut cells);
            let id = draft.id;
            let before = work.arrived;
            let saved = work.attach_here(draft, &mut files).and_then(|draft| self.save(&draft));
            match saved {
                Ok(Written::Saved(_) | Written::Counted) => entries += 1,
                // Of files nothing is in a draft that is only counted.
                Ok(Written::Nothing) if self.how.dry_run && work.arrived > before => entries += 1,
                Ok(Written::Nothing) => self.device.discard(id)?,
                Err(failure) => {
                    // As above: the next import takes away what is left.
                    let _ = self.device.discard(id);
                    return Err(failure);
                }
            }
        }
        let Work { arrived, missing, waiting, .. } = work;
        if entries > 0 {
            changed.retain(|(key, _)| !waiting.contains(key));
        }
        Ok(Edited { record, changed, entries, arrived, missing })
    }

    fn save(&self, draft: &Draft) -> Result<Written, Failure> {
        match (draft.answers.is_empty() && draft.photos.is_empty(), self.how.dry_run) {
            (true, _) => Ok(Written::Nothing),
            (false, true) => Ok(Written::Counted),
            (false, false) => Ok(Written::Saved(self.device.save(&self.as_kept(draft)?)?.record)),
        }
    }

    /// A draft that was kept for the sake of its files, kept as it is now: what is saved is what is kept.
    fn as_kept(&self, draft: &Draft) -> Result<Draft, Failure> {
        match self.device.draft(draft.id) {
            Ok(kept) if kept != *draft => Ok(self.device.keep(draft.clone())?),
            Ok(_) | Err(DraftError::Missing) => Ok(draft.clone()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes away what an import that was killed left of its drafts: the submission itself is taken again.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) fn sweep(device: &Device, observer: &PublicKey) -> Result<(), Failure> {
        for draft in device.drafts(Some(observer))?.into_iter().filter(|draft| draft.is_import) {
            device.discard(draft.id)?;
        }
        Ok(())
    }
}

/// What became of a draft.
enum Written {
    Saved(RecordId),
    /// It would be signed.
    Counted,
    /// There is nothing in it.
    Nothing,
}

/// Moves as many cells into a draft as one entry holds.
fn fill(draft: &mut Draft, cells: &mut VecDeque<(String, Value)>) {
    let mut bytes = 0;
    while let Some((key, value)) = cells.front() {
        let text = if let Value::Text(text) = value { text.len() } else { 0 };
        bytes += key.len() + text;
        let is_full = bytes > ENTRY_BYTES_MAX || draft.answers.len() >= ENTRY_ANSWERS_MAX;
        if is_full && !draft.answers.is_empty() {
            return;
        }
        if let Some((key, value)) = cells.pop_front() {
            draft.answers.insert(key, given(value));
        }
    }
}

fn given(value: Value) -> Answer {
    match value {
        Value::Blank => Answer::Blank,
        Value::Bool(value) => Answer::Bool(value),
        Value::Int(value) => Answer::Int(value),
        Value::Text(text) => Answer::Text(text),
    }
}

/// Attaching the files of one submission.
struct Work<'w> {
    taker: &'w Taker<'w>,
    submission: &'w Submission,
    folders: &'w [PathBuf],
    view: Option<RecordView>,
    arrived: usize,
    missing: Vec<(String, &'static str)>,
    /// Answers at which the file of before stays until the one that is named now is there.
    waiting: HashSet<String>,
    changed: Vec<Difference>,
}

impl<'w> Work<'w> {
    fn new(taker: &'w Taker<'w>, submission: &'w Submission, folders: &'w [PathBuf]) -> Self {
        let (view, arrived, missing, waiting, changed) = Default::default();
        Self { taker, submission, folders, view, arrived, missing, waiting, changed }
    }

    /// Attaches as many files to a draft as one entry names, and says nothing of them besides.
    fn attach_here(&mut self, mut draft: Draft, files: &mut VecDeque<Attachment>) -> Result<Draft, Failure> {
        for _ in 0..PHOTOS_MAX {
            let Some(file) = files.pop_front() else { break };
            let before = draft.clone();
            match self.one(&mut draft, &file)? {
                Ok(_) => self.arrived += 1,
                Err(why) => {
                    draft = before;
                    self.missing.push((file.file, why));
                    self.waiting.insert(file.key);
                }
            }
        }
        Ok(draft)
    }

    /// Attaches as many files to a draft as one entry names.
    fn attach(&mut self, mut draft: Draft, files: &mut VecDeque<usize>) -> Result<Draft, Failure> {
        let mut attached: HashSet<String> = HashSet::new();
        while attached.len() < PHOTOS_MAX && draft.answers.len() < ENTRY_ANSWERS_MAX + FILES_CELLS_MAX {
            let Some(at) = files.pop_front() else { break };
            let attachment = &self.submission.attachments[at];
            let before = draft.clone();
            let arrival = match self.one(&mut draft, attachment)? {
                Ok(sha256) => Arrival::Arrived(sha256),
                Err(why) => Arrival::Missing(why),
            };
            match &arrival {
                Arrival::Arrived(sha256) => {
                    attached.insert(sha256.clone());
                    self.arrived += 1;
                }
                Arrival::Missing(why) => {
                    draft = before;
                    self.missing.push((attachment.file.clone(), why));
                    if self.has_other(&attachment.key) {
                        self.waiting.insert(attachment.key.clone());
                        continue;
                    }
                }
            }
            self.put(&mut draft, at, &arrival);
        }
        Ok(draft)
    }

    /// Whether a file of another name answers a question, which the submission now wants otherwise.
    fn has_other(&self, key: &str) -> bool {
        let is_changed = self.changed.iter().any(|one| one.key == key);
        is_changed && self.view.as_ref().is_some_and(|view| has_text(view, key))
    }

    /// Says in the draft what became of a file, as far as the record does not say so.
    fn put(&self, draft: &mut Draft, at: usize, arrival: &Arrival) {
        let is_here = |key: &str, value: &Value| {
            let held = self.view.as_ref().map_or(&[][..], |view| view.values(key));
            held.iter().any(|held| held.answer == given(value.clone()))
        };
        // The answer that names a photo came with it.
        let own = &self.submission.attachments[at].key;
        let cells = self.submission.attachment_cells(at, arrival).into_iter();
        let cells = cells.filter(|(key, value)| !is_here(key, value) && key != own);
        draft.answers.extend(cells.map(|(key, value)| (key, given(value))));
        let missing = self.submission.attachment_key(at, "missing");
        let is_said = self.view.as_ref().is_some_and(|view| has_text(view, &missing));
        if matches!(arrival, Arrival::Arrived(_)) && is_said {
            draft.answers.insert(missing, Answer::Blank);
        }
    }

    /// Attaches one file; gives its hash, or why it is missing.
    fn one(&self, draft: &mut Draft, attachment: &Attachment) -> Result<Result<String, &'static str>, Failure> {
        if !attachment.is_photo {
            return Ok(Err("not-carried"));
        }
        if !attachment.is_plain() {
            return Ok(Err("no-plain-name"));
        }
        let Some(path) = self.folders.iter().map(|folder| folder.join(&attachment.file)).find(|path| is_file(path))
        else {
            return Ok(Err("absent"));
        };
        let device = self.taker.device;
        if self.taker.how.dry_run {
            return Ok(Ok(path.display().to_string()));
        }
        let kept = device.keep(draft.clone())?;
        match device.attach_at(kept.id, &attachment.key, PhotoSource::File(&path), None) {
            Ok(attached) => {
                let said = attached.answer(&attachment.key);
                *draft = attached.draft;
                match said {
                    Some(Answer::Text(sha256)) => Ok(Ok(sha256)),
                    _ => Ok(Err("not-carried")),
                }
            }
            Err(PhotoError::Refused(_)) => Ok(Err("not-a-photo")),
            Err(error) => Err(Failure::from(error).about(path.display())),
        }
    }
}

/// Whether the file of this number is here. The mark has the hash of what came under the name that it says; a file of another
/// name that came before leaves its hash beside the reason why this one is missing.
fn has_arrived(view: &RecordView, submission: &Submission, at: usize) -> bool {
    let is_said = |name: &str| has_text(view, &submission.attachment_key(at, name));
    is_said("sha256") && !is_said("missing")
}

/// Whether some text stands at a key.
fn has_text(view: &RecordView, key: &str) -> bool {
    view.values(key).iter().any(|held| matches!(held.answer, Answer::Text(_)))
}

/// Whether there is a file, and not a link to somewhere else.
pub(crate) fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
}
