//! Drafts: what a person has begun and not saved, kept in the store at every change, there again after a kill.
//!
//! A draft is unsigned, never sent, and belongs to one observer. Saving turns it into one entry; in the same commit the
//! draft is gone.

mod codec;

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::entry::{Photo, Place};
use merestone_core::id::{EntryId, FormHash, RecordId, ScopeId};
use merestone_core::key::PublicKey;
use merestone_forms::filling::RowId;
use merestone_forms::{Problem, Wrong};
use merestone_store::{Batch, CommitError, DraftId};

use crate::device::{AccessError, Device};
use crate::forms::FillError;
use merestone_forms::Answer;

/// Something begun and not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its name.
    pub id: DraftId,
    /// Whose it is: the author is bound when the draft begins, also on a shared device.
    pub observer: PublicKey,
    /// Where it belongs.
    pub scope: ScopeId,
    /// The form it follows.
    pub form: FormHash,
    /// What it will become.
    pub subject: DraftSubject,
    /// What the person answered, by key: `question` or `repeat/row/question`.
    pub answers: BTreeMap<String, Answer>,
    /// Keys that are written even if the answer is the one that stands already: the person confirmed it.
    pub confirmed: BTreeSet<String>,
    /// The photos attached.
    pub photos: Vec<DraftPhoto>,
    /// Where the observer is, if known.
    pub place: Option<Place>,
    /// The name of the post, if there is one.
    pub post: Option<String>,
    /// Whether an import began it, and no person: nobody is asked to go on with it, and the next import takes it away.
    pub is_import: bool,
}

/// What a draft will become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftSubject {
    /// A new record.
    New {
        /// The parties whose observers may write it besides the author's own, which is added when it is saved.
        writers: Vec<u64>,
    },
    /// A change of a record.
    Edit {
        /// The record.
        record: RecordId,
        /// The heads that the screen showed when the edit began.
        base: Vec<EntryId>,
    },
}

/// A photo in a draft: its files are durable, and nothing names them until the draft is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftPhoto {
    /// The row of the repeat `photos`, 16 lowercase hex digits; or the key of the question that it answers.
    pub row: String,
    /// What the entry will say of it.
    pub photo: Photo,
}

impl DraftPhoto {
    /// The answer that names it: its key, and the hash of its original.
    pub(crate) fn answer(&self) -> (String, Answer) {
        let is_row = RowId::parse(&self.row).is_some();
        let key = if is_row { format!("photos/{}/file", self.row) } else { self.row.clone() };
        (key, Answer::Text(self.photo.sha256.to_string()))
    }
}

/// A draft that cannot be read: its bytes are damaged, or another version of this program kept them. It stays in the store as
/// it is, for that version or for somebody who repairs it, and nothing here takes it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DamagedDraft {
    /// Its name.
    pub id: DraftId,
    /// How many bytes are kept of it.
    pub bytes: usize,
}

/// A draft was not changed.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The draft is there and cannot be read; it is kept as it is (see [`DamagedDraft`]).
    #[error("draft {id} cannot be read; its {bytes} bytes are kept as they are")]
    Damaged {
        /// The draft.
        id: DraftId,
        /// How many bytes are kept of it.
        bytes: usize,
    },
    /// There is no such draft: it was saved or discarded.
    #[error("no such draft")]
    Missing,
    /// The key is no name of an answer.
    #[error("key is not a question or repeat/row/question")]
    Key,
    /// The text is longer than an answer may be.
    #[error("text of {bytes} bytes, at most {bytes_max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The draft is as large as a draft may be: 1 MiB, or 4,096 answers.
    #[error("the draft is full: save it and go on with an edit")]
    TooLarge,
    /// The store could not be used.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Draft {
    /// Whether it makes a new record.
    pub fn is_new(&self) -> bool {
        matches!(self.subject, DraftSubject::New { .. })
    }
}

impl Device {
    /// All drafts on this device that can be read, ascending by id; those of one observer if one is named. Those that cannot
    /// be read are [apart](Self::damaged_drafts).
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn drafts(&self, observer: Option<&PublicKey>) -> Result<Vec<Draft>, AccessError> {
        let kept = self.store.drafts()?;
        let drafts = kept.into_iter().filter_map(|(id, bytes)| codec::decode(id, &bytes).ok());
        Ok(drafts.filter(|draft| observer.is_none_or(|observer| draft.observer == *observer)).collect())
    }

    /// Drafts that cannot be read, whoever they belong to: for a screen that says so.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn damaged_drafts(&self) -> Result<Vec<DamagedDraft>, AccessError> {
        let kept = self.store.drafts()?.into_iter();
        let damaged = kept.filter(|(id, bytes)| codec::decode(*id, bytes).is_err());
        Ok(damaged.map(|(id, bytes)| DamagedDraft { id, bytes: bytes.len() }).collect())
    }

    /// One draft, to go on with it.
    ///
    /// # Errors
    /// [`DraftError::Missing`], [`DraftError::Damaged`], or the store cannot be read.
    pub fn draft(&self, id: DraftId) -> Result<Draft, DraftError> {
        Ok(self.kept(id)?.0)
    }

    /// Keeps a draft, in place of the one with its id; durable when this returns.
    ///
    /// # Errors
    /// [`DraftError::Missing`] if it was saved; if it is too large, or the store cannot be used.
    pub fn keep(&self, draft: Draft) -> Result<Draft, DraftError> {
        let mut batch = Batch::new();
        batch.draft(draft.id, encoded(&draft)?);
        match self.store.commit(batch) {
            Ok(_) => Ok(draft),
            Err(CommitError::Draft { draft: _ }) => Err(DraftError::Missing),
            Err(error) => Err(AccessError::from(error).into()),
        }
    }

    /// Answers a question in a draft; durable when this returns. The draft is given back as it now is.
    ///
    /// # Errors
    /// [`DraftError`]; the draft is then as before. What the *form* finds wrong is no error: see [`problems`](Self::problems).
    pub fn put(&self, id: DraftId, key: &str, answer: impl Into<Answer>) -> Result<Draft, DraftError> {
        self.put_all(id, [(key.to_owned(), answer.into())])
    }

    /// Answers several questions in one step.
    ///
    /// # Errors
    /// As [`put`](Self::put); then none of them was taken.
    pub fn put_all(
        &self,
        id: DraftId,
        answers: impl IntoIterator<Item = (String, Answer)>,
    ) -> Result<Draft, DraftError> {
        let tidied = |(key, answer): (String, Answer)| {
            check_key(&key)?;
            let answer = answer.tidied();
            check_length(&answer)?;
            Ok((key, answer))
        };
        let answers = answers.into_iter().map(tidied).collect::<Result<Vec<_>, DraftError>>()?;
        self.change(id, |draft| {
            draft.answers.extend(answers.iter().cloned());
            Ok(())
        })
    }

    /// Writes the answer to `key` when the draft is saved even if it is the one that stands already.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn confirm(&self, id: DraftId, key: &str) -> Result<Draft, DraftError> {
        check_key(key)?;
        self.change(id, |draft| {
            draft.confirmed.insert(key.to_owned());
            Ok(())
        })
    }

    /// Takes an answer out of a draft: what stands in the record stays.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn unput(&self, id: DraftId, key: &str) -> Result<Draft, DraftError> {
        self.change(id, |draft| {
            draft.answers.remove(key);
            draft.confirmed.remove(key);
            Ok(())
        })
    }

    /// Says where the draft is made: place and post, as the entry will state them.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn locate(&self, id: DraftId, place: Option<Place>, post: Option<&str>) -> Result<Draft, DraftError> {
        use merestone_core::entry::POST_BYTES_MAX;
        use merestone_core::text::{Lines, tidy};
        let post = post.map(|post| tidy(post.trim(), Lines::One).into_owned()).filter(|post| !post.is_empty());
        if let Some(bytes) = post.as_ref().map(String::len).filter(|&bytes| bytes > POST_BYTES_MAX) {
            return Err(DraftError::TooLong { bytes, bytes_max: POST_BYTES_MAX });
        }
        self.change(id, |draft| {
            (draft.place, draft.post) = (place, post.clone());
            Ok(())
        })
    }

    /// Throws a draft away. Discarding it again changes nothing.
    ///
    /// # Errors
    /// [`DraftError::Damaged`]: nobody can see what is in it, so it is kept. Or the store cannot be used.
    pub fn discard(&self, id: DraftId) -> Result<(), DraftError> {
        match self.draft(id) {
            Ok(_) | Err(DraftError::Missing) => {}
            Err(error) => return Err(error),
        }
        let mut batch = Batch::new();
        batch.drop_draft(id);
        self.store.commit(batch).map_err(AccessError::from)?;
        Ok(())
    }

    /// What the form finds missing or wrong in a draft. It never keeps the draft from being saved: the observer decides.
    ///
    /// Of an edit, only the answers in it are looked at, and what follows from them in the form as a whole. Without the form's document nothing is found.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn problems(&self, draft: &Draft) -> Result<Vec<Problem>, AccessError> {
        let filling = match self.filling(draft) {
            Ok(Some(filling)) => filling,
            Ok(None) => return Ok(Vec::new()),
            Err(FillError::Access(error)) => return Err(error),
            // Without random bytes nothing can be signed either, which says so itself.
            Err(FillError::NoEntropy(_)) => return Ok(Vec::new()),
        };
        let is_of_an_answer = |problem: &Problem| filling.form().question(&problem.key).is_some();
        let is_in_it = |problem: &Problem| draft.answers.contains_key(&problem.key);
        let is_of_the_form = |problem: &Problem| problem.wrong != Wrong::Unknown && !is_of_an_answer(problem);
        let is_new = draft.is_new();
        let found = filling.problems().into_iter();
        Ok(found.filter(|problem| is_new || is_of_the_form(problem) || is_in_it(problem)).collect())
    }

    /// Changes a draft as it is kept now; `how` is asked again where somebody else changed it meanwhile. A draft that is gone
    /// stays gone.
    pub(crate) fn change<E: From<DraftError>>(
        &self,
        id: DraftId,
        mut how: impl FnMut(&mut Draft) -> Result<(), E>,
    ) -> Result<Draft, E> {
        loop {
            let (mut draft, was) = self.kept(id)?;
            how(&mut draft)?;
            let mut batch = Batch::new();
            batch.change_draft(id, was, encoded(&draft)?);
            match self.store.commit(batch) {
                Ok(_) => return Ok(draft),
                // One of the two changes was made, so this ends.
                Err(CommitError::Draft { draft: _ }) => {}
                Err(error) => return Err(DraftError::from(AccessError::from(error)).into()),
            }
        }
    }

    /// A draft with the bytes in which it is kept.
    pub(crate) fn kept(&self, id: DraftId) -> Result<(Draft, Vec<u8>), DraftError> {
        let bytes = self.store.draft(id).map_err(AccessError::from)?.ok_or(DraftError::Missing)?;
        let draft = codec::decode(id, &bytes).map_err(|_| DraftError::Damaged { id, bytes: bytes.len() })?;
        Ok((draft, bytes))
    }
}

fn encoded(draft: &Draft) -> Result<Vec<u8>, DraftError> {
    let bytes = codec::encode(draft);
    // What cannot be read back is not kept: it would be lost with everything that stood there before.
    let is_kept = bytes.len() <= codec::DRAFT_BYTES_MAX && codec::decode(draft.id, &bytes).is_ok();
    if is_kept { Ok(bytes) } else { Err(DraftError::TooLarge) }
}

pub(crate) fn check_key(key: &str) -> Result<(), DraftError> {
    merestone_core::form::Key::parse(key).map(|_| ()).ok_or(DraftError::Key)
}

pub(crate) fn check_length(answer: &Answer) -> Result<(), DraftError> {
    let bytes_max = merestone_core::change::TEXT_BYTES_MAX;
    match answer {
        Answer::Text(text) if text.len() > bytes_max => Err(DraftError::TooLong { bytes: text.len(), bytes_max }),
        Answer::Blank | Answer::Bool(_) | Answer::Int(_) | Answer::Text(_) => Ok(()),
    }
}
