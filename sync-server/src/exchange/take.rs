//! One submission into the device: a record signed by who imports it, its photos with it, and once only.
//!
//! A submission that was begun and not finished, or whose photos came later, is completed by an edit: what the record
//! already says at a key is never touched.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};

use merestone_core::entry::PHOTOS_MAX;
use merestone_core::id::{FormHash, RecordId, ScopeId};
use merestone_core::key::PublicKey;
use merestone_exchange::Value;
use merestone_exchange::import::{Arrival, Attachment, Submission};
use merestone_node::capture::{PhotoError, PhotoSource};
use merestone_node::draft::Draft;
use merestone_node::records::{RecordFilter, RecordView};
use merestone_node::{Answer, Device};

use crate::exit::Failure;

/// Bytes of keys and texts in one entry: a change holds at most 262,144, and each answer takes some more than these.
const ENTRY_BYTES_MAX: usize = 160 * 1024;
/// Answers in one entry; a change holds 4,096.
const ENTRY_ANSWERS_MAX: usize = 2_048;
/// Records looked at in one page of a search.
const PAGE: usize = 100;

/// Takes submissions of one form into one scope.
pub(crate) struct Taker<'d> {
    pub(crate) device: &'d Device,
    pub(crate) observer: PublicKey,
    pub(crate) scope: ScopeId,
    pub(crate) form: FormHash,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The record.
    pub(crate) record: RecordId,
    /// Whether it is new; otherwise a record with its instance id was there.
    pub(crate) is_new: bool,
    /// Entries that were signed: none if the record said everything already.
    pub(crate) entries: usize,
    /// Files that arrived now.
    pub(crate) arrived: usize,
    /// Files that are not there, each with the reason.
    pub(crate) missing: Vec<(String, &'static str)>,
}

impl Taker<'_> {
    /// Takes a submission whose files lie in one of `folders`; `known` is the record that has its instance id, if one was
    /// [found](Self::find).
    ///
    /// # Errors
    /// If it cannot be saved. What was saved of it before stays, and the next try completes it.
    pub(crate) fn take(
        &self,
        submission: &Submission,
        known: Option<RecordId>,
        folders: &[PathBuf],
    ) -> Result<Outcome, Failure> {
        let view = known.map(|record| self.device.record(record)).transpose()?.flatten();
        let is_said = |key: &str| view.as_ref().is_some_and(|view| !view.values(key).is_empty());
        let mut cells: VecDeque<_> = submission.cells().into_iter().filter(|(key, _)| !is_said(key)).collect();
        let has_arrived = |at: &usize| is_said(&submission.attachment_key(*at, "sha256"));
        let mut files: VecDeque<usize> = (0..submission.attachments.len()).filter(|at| !has_arrived(at)).collect();
        let mut work = Work { taker: self, submission, folders, view: view.as_ref(), arrived: 0, missing: Vec::new() };
        let (mut record, mut entries) = (known, 0);
        while !cells.is_empty() || !files.is_empty() {
            let mut draft = match record {
                Some(record) => self.device.begin_edit(&self.observer, record)?,
                None => self.device.begin(&self.observer, self.scope, self.form)?,
            };
            fill(&mut draft, &mut cells);
            let id = draft.id;
            let saved = work.attach(draft, &mut files).and_then(|draft| match draft.answers.is_empty() {
                true => Ok(None),
                false => Ok(Some(self.device.save(&draft)?)),
            });
            match saved {
                Ok(Some(saved)) => {
                    record = Some(saved.record);
                    entries += 1;
                }
                Ok(None) => self.device.discard(id)?,
                Err(failure) => {
                    // The reason is told; a draft left behind by a full disk is small, and shown by `device show`.
                    let _ = self.device.discard(id);
                    return Err(failure);
                }
            }
        }
        let Work { arrived, missing, .. } = work;
        let record = record.ok_or_else(|| Failure::bad_input("the submission says nothing"))?;
        Ok(Outcome { record, is_new: known.is_none(), entries, arrived, missing })
    }

    /// The record that carries an instance id, if the device has one. The list must be [up to date](Device::catch_up).
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn find(&self, instance: &str) -> Result<Option<RecordId>, Failure> {
        let filter = RecordFilter { text: Some(instance.to_owned()), ..RecordFilter::default() };
        let mut after = None;
        loop {
            // The search knows words only; which record says it, and where, is looked at.
            let page = self.device.list(&filter, after, PAGE)?;
            for line in &page.lines {
                if self.device.record(line.id)?.is_some_and(|view| self.is_of(&view, instance)) {
                    return Ok(Some(line.id));
                }
            }
            let Some(next) = page.next else { return Ok(None) };
            after = Some(next);
        }
    }

    fn is_of(&self, view: &RecordView, instance: &str) -> bool {
        let is_mark = |key: &str| key.starts_with("imported/") && key.ends_with("/instance");
        let says = |answer: &Answer| matches!(answer, Answer::Text(text) if text == instance);
        let marks = view.answers.iter().filter(|answer| is_mark(&answer.key));
        marks.flat_map(|answer| &answer.values).any(|value| says(&value.answer))
    }
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
    view: Option<&'w RecordView>,
    arrived: usize,
    missing: Vec<(String, &'static str)>,
}

impl Work<'_> {
    /// Attaches as many files to a draft as one entry names.
    fn attach(&mut self, mut draft: Draft, files: &mut VecDeque<usize>) -> Result<Draft, Failure> {
        let mut attached: HashSet<String> = HashSet::new();
        while attached.len() < PHOTOS_MAX {
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
                }
            }
            self.put(&mut draft, at, &arrival);
        }
        Ok(draft)
    }

    /// Says in the draft what became of a file, as far as the record does not say so.
    fn put(&self, draft: &mut Draft, at: usize, arrival: &Arrival) {
        let is_said = |key: &str| self.view.is_some_and(|view| !view.values(key).is_empty());
        // The answer that names a photo came with it.
        let own = &self.submission.attachments[at].key;
        let cells = self.submission.attachment_cells(at, arrival).into_iter();
        let cells = cells.filter(|(key, _)| !is_said(key) && key != own);
        draft.answers.extend(cells.map(|(key, value)| (key, given(value))));
        let missing = self.submission.attachment_key(at, "missing");
        if matches!(arrival, Arrival::Arrived(_)) && is_said(&missing) {
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
        let kept = device.keep(draft.clone())?;
        match device.attach_at(kept.id, &attachment.key, PhotoSource::File(&path)) {
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

/// Whether there is a file, and not a link to somewhere else.
fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
}
