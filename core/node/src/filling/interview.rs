//! A draft on a screen: what a person answers there is durable when the call returns, together with what follows from it.

use std::collections::BTreeMap;

use merestone_core::form::Key;
use merestone_forms::filling::{Event, Place, RowId};
use merestone_forms::model::{NodeKind, QuestionKind};
use merestone_forms::{Answer, Filling, Refusal};

use crate::capture::{Attached, PhotoError, PhotoSource, SaveError, Saved};
use crate::device::Device;
use crate::draft::{Draft, DraftError};
use crate::forms::FillError;

/// An answer, a row or a photo was not taken. What stood there before still does.
#[derive(Debug, thiserror::Error)]
pub enum InterviewError {
    /// The form does not take it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The photo was not taken.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The draft could not be kept.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// It could not be saved; the draft is still there.
    #[error(transparent)]
    Save(#[from] SaveError),
}

/// A draft and its form, being filled.
///
/// Holds the draft as it was kept last: whoever changes the same draft in another way meanwhile overwrites or is overwritten,
/// answer by answer, and nothing is saved that did not stand here.
#[derive(Debug)]
pub struct Interview {
    draft: Draft,
    filling: Filling,
    /// Answers that stand on the screen and could not be made durable: the next step tries again, and nothing is saved
    /// without them.
    pending: BTreeMap<String, Answer>,
}

impl Device {
    /// Puts a draft on a screen, and keeps it from now on; `is_resumed` says that somebody began it before.
    /// `None` while the form's file is not held: then answers can still be [put](Self::put), and are not checked.
    ///
    /// # Errors
    /// [`FillError`], or that the draft cannot be kept.
    pub fn interview(&self, draft: Draft, is_resumed: bool) -> Result<Option<Interview>, OpenInterviewError> {
        // What was begun before and is gone stays gone.
        let draft = if is_resumed { self.draft(draft.id)? } else { draft };
        let Some(filling) = self.filling(&draft)? else { return Ok(None) };
        let draft = if is_resumed { draft } else { self.keep(draft)? };
        let mut interview = Interview { draft, filling, pending: BTreeMap::new() };
        let at = self.now().wall_ms;
        interview.track(self, &if is_resumed { Event::Resume { at } } else { Event::Start { at } })?;
        Ok(Some(interview))
    }
}

/// A draft could not be put on a screen.
#[derive(Debug, thiserror::Error)]
pub enum OpenInterviewError {
    /// Its form could not be made ready.
    #[error(transparent)]
    Fill(#[from] FillError),
    /// It could not be kept.
    #[error(transparent)]
    Draft(#[from] DraftError),
}

impl Interview {
    /// The draft as it is kept.
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The form with its answers: what is asked, offered, wrong.
    pub fn filling(&self) -> &Filling {
        &self.filling
    }

    /// Shows texts in a language of the form, by number.
    pub fn set_language(&mut self, language: Option<usize>) {
        self.filling.set_language(language);
    }

    /// Answers a question with what was typed or chosen; nothing is a question left blank.
    ///
    /// # Errors
    /// [`InterviewError`].
    pub fn answer_typed(&mut self, device: &Device, key: &str, typed: &str) -> Result<(), InterviewError> {
        self.filling.answer_typed(key, typed)?;
        self.keep(device)
    }

    /// Answers a question.
    ///
    /// # Errors
    /// [`InterviewError`].
    pub fn answer(&mut self, device: &Device, key: &str, answer: Answer) -> Result<(), InterviewError> {
        self.filling.answer(key, answer)?;
        self.keep(device)
    }

    /// Says where the draft is made, as the entry will state it.
    ///
    /// # Errors
    /// If the draft cannot be kept.
    pub fn locate(
        &mut self,
        device: &Device,
        place: Option<merestone_core::entry::Place>,
        post: Option<&str>,
    ) -> Result<(), DraftError> {
        self.draft = device.locate(self.draft.id, place, post)?;
        Ok(())
    }

    /// Attaches a photo to the record as a whole, with a picture that the app made of it where it can be decoded here by
    /// nobody; see [`Device::attach`].
    ///
    /// # Errors
    /// [`InterviewError`].
    pub fn attach_photo(
        &mut self,
        device: &Device,
        photo: PhotoSource<'_>,
        preview: Option<&[u8]>,
        caption: Option<&str>,
    ) -> Result<Attached, InterviewError> {
        let attached = device.attach(self.draft.id, photo, preview, caption)?;
        self.draft = attached.draft.clone();
        Ok(attached)
    }

    /// Takes a photo out of the draft, with its caption.
    ///
    /// # Errors
    /// If the draft cannot be kept.
    pub fn detach(&mut self, device: &Device, row: &str) -> Result<(), DraftError> {
        self.draft = device.detach(self.draft.id, row)?;
        Ok(())
    }

    /// Attaches a photo as the answer of a question.
    ///
    /// # Errors
    /// [`InterviewError`]; a photo that was there stays.
    pub fn attach(
        &mut self,
        device: &Device,
        key: &str,
        photo: PhotoSource<'_>,
        preview: Option<&[u8]>,
    ) -> Result<Attached, InterviewError> {
        let attached = device.attach_at(self.draft.id, key, photo, preview)?;
        let hash = attached.answer(key).unwrap_or(Answer::Blank);
        self.draft = attached.draft.clone();
        self.filling.answer(key, hash)?;
        self.keep(device)?;
        Ok(attached)
    }

    /// Adds a row to a repeat, in the row around it where there is one.
    ///
    /// # Errors
    /// [`InterviewError`].
    pub fn add_row(&mut self, device: &Device, repeat: &str, within: Option<RowId>) -> Result<RowId, InterviewError> {
        let row = self.filling.add_row(repeat, within)?;
        self.keep(device)?;
        Ok(row)
    }

    /// Withdraws the row that the question of `key` stands in.
    ///
    /// # Errors
    /// [`InterviewError`]; [`Refusal::NoRow`] for a question that stands in none.
    pub fn withdraw_row_of(&mut self, device: &Device, key: &str) -> Result<(), InterviewError> {
        let Some(Key::Cell { repeat, row, .. }) = Key::parse(key) else { return Err(Refusal::NoRow.into()) };
        let row = RowId::parse(row).ok_or(Refusal::NoRow)?;
        self.filling.withdraw_row(repeat, row)?;
        self.keep(device)
    }

    /// Notes something in the form's trail, where it asks for one.
    ///
    /// # Errors
    /// If the draft cannot be kept.
    pub fn track(&mut self, device: &Device, event: &Event) -> Result<(), DraftError> {
        self.filling.track(event);
        self.keep_changes(device)
    }

    /// Leaves it; the draft is there for the next time.
    ///
    /// # Errors
    /// If the draft cannot be kept as it is.
    pub fn leave(&mut self, device: &Device) -> Result<(), DraftError> {
        self.track(device, &Event::Exit { at: device.now().wall_ms })
    }

    /// Saves the draft as a signed entry; one that was saved gives the same answer again.
    ///
    /// # Errors
    /// [`InterviewError`]; the draft is there as it was. Where somebody else changed it, the screen shows it as it is now.
    pub fn save(&mut self, device: &Device) -> Result<Saved, InterviewError> {
        if let Some(saved) = device.saved(self.draft.id).map_err(SaveError::from)? {
            return Ok(saved);
        }
        let at = device.now().wall_ms;
        self.filling.tell_time(at);
        self.filling.track(&Event::Save { at });
        if self.draft.is_new() {
            self.filling.finish();
        }
        self.keep(device)?;
        match device.save_kept(&self.draft) {
            Err(error @ SaveError::DraftChanged { draft }) => {
                self.draft = device.draft(draft)?;
                self.go_back(device)?;
                Err(error.into())
            }
            saved => Ok(saved?),
        }
    }

    fn keep(&mut self, device: &Device) -> Result<(), InterviewError> {
        Ok(self.keep_changes(device)?)
    }

    /// Makes what changed durable, with what could not be made so before.
    fn keep_changes(&mut self, device: &Device) -> Result<(), DraftError> {
        self.pending.extend(self.filling.take_changes());
        let mut changes = self.pending.clone();
        // An attached photo answers its question by itself: an entry that says it twice is none.
        for photo in self.draft.photos.clone() {
            let is_its = |key: &&String| **key == photo.row || **key == format!("photos/{}/file", photo.row);
            let Some(key) = changes.keys().find(is_its).cloned() else { continue };
            if changes[&key] == Answer::Text(photo.photo.sha256.to_string()) {
                changes.remove(&key);
            } else {
                self.draft = device.detach(self.draft.id, &photo.row)?;
            }
        }
        if !changes.is_empty() {
            match device.put_all(self.draft.id, changes) {
                Ok(draft) => self.draft = draft,
                Err(error @ (DraftError::Key | DraftError::TooLong { .. } | DraftError::TooLarge)) => {
                    self.go_back(device)?;
                    return Err(error);
                }
                Err(error @ (DraftError::Damaged { .. } | DraftError::Missing | DraftError::Access(_))) => {
                    return Err(error);
                }
            }
        }
        self.pending.clear();
        Ok(())
    }

    /// Shows the draft as it is kept: what it cannot hold does not stay on the screen.
    fn go_back(&mut self, device: &Device) -> Result<(), DraftError> {
        let language = self.filling.language();
        match device.filling(&self.draft) {
            Ok(Some(filling)) => self.filling = filling,
            Ok(None) | Err(FillError::NoEntropy(_)) => return Ok(()),
            Err(FillError::Access(error)) => return Err(error.into()),
        }
        self.filling.set_language(language);
        self.pending.clear();
        Ok(())
    }
}

/// Whether a question asks for a photo.
pub fn is_photo(filling: &Filling, place: Place) -> bool {
    matches!(filling.node(place).kind, NodeKind::Question(QuestionKind::Image))
}

/// Whether a question asks for a file that is no photo.
pub fn is_other_file(filling: &Filling, place: Place) -> bool {
    let kind = &filling.node(place).kind;
    matches!(kind, NodeKind::Question(QuestionKind::Audio | QuestionKind::Video | QuestionKind::File))
}
