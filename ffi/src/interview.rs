//! A draft on a screen.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use merestone_forms::filling::{Event, RowId};
use merestone_forms::{Answer, Filling};
use merestone_node::capture::{Attached, PhotoFacts, PhotoSource};
use merestone_node::draft::Draft;
use merestone_node::filling::{self, InterviewError, first_open};

use crate::error::PhoneError;
use crate::form::{FormLine, record_of};
use crate::ids::count;
use crate::page::at_most;
use crate::phone::{Open, Phone};
use crate::photo::PhotoPlaceLine;
use crate::provided::place;
use crate::record::SavedLine;
use crate::runtime::locked;
use crate::screen::{self, ProblemLine, ScreenLine};
use crate::value::AnswerValue;

/// Bytes of the largest preview that an app may hand over.
const PREVIEW_BYTES_MAX: u64 = 16 << 20;

/// A draft on a screen: what is answered here is durable when the call returns, together with what follows from it.
///
/// It may be let go at any time: the draft is there, and [`Phone::go_on`] continues it. It outlives a suspended phone.
#[derive(uniffi::Object)]
pub struct Interview {
    phone: Arc<Phone>,
    form: FormLine,
    inner: Arc<Inner>,
}

struct Inner {
    interview: Mutex<filling::Interview>,
    /// While it is being saved the keystore may be asking a person, who may touch other things meanwhile.
    is_saving: AtomicBool,
}

/// What is being filled.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct InterviewLine {
    /// The draft, 32 hex digits.
    pub draft: String,
    /// Whose it is.
    pub observer: String,
    /// Where it belongs.
    pub scope: String,
    /// The form.
    pub form: FormLine,
    /// The record that it changes; none for a new one.
    pub record: Option<String>,
    /// How many screens there are as things are.
    pub screens: u32,
    /// The first screen with a question that has no answer yet, or 0.
    pub first_open: u32,
    /// The language now shown, by its place in the form's.
    pub language: Option<u32>,
}

/// An answer was taken.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Answered {
    /// How many screens there are now: an answer opens and closes others.
    pub screens: u32,
    /// The question as it stands now, with what the form finds wrong with it; none if it is not asked any more.
    pub screen: Option<ScreenLine>,
}

/// A photo to be attached.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PhotoFile {
    /// Where it lies. It is read and not changed, and may be deleted once the call returned.
    pub path: String,
    /// A JPEG that the app made of it, for formats that are not decoded here (HEIC, AVIF).
    #[uniffi(default = None)]
    pub preview_path: Option<String>,
    /// The caption, of a photo of the record as a whole.
    #[uniffi(default = None)]
    pub caption: Option<String>,
    /// The question that it answers; none: it belongs to the record as a whole.
    #[uniffi(default = None)]
    pub key: Option<String>,
    /// The app took it itself. What comes out of a shared folder of the system may have lost the camera's place and time.
    #[uniffi(default = false)]
    pub is_app_captured: bool,
}

/// A photo was attached: its files are durable.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AttachedLine {
    /// The photo's row, or the key of the question that it answers: `detach` takes it.
    pub row: String,
    /// SHA-256 of the original.
    pub photo: String,
    /// Width in pixels when held upright, where the file says.
    pub width: Option<u32>,
    /// Height in pixels when held upright.
    pub height: Option<u32>,
    /// When the camera says the shutter opened: `YYYY-MM-DDTHH:MM:SS`, with the offset to UTC where the camera gives one.
    pub taken: Option<String>,
    /// Where the camera says it was: the observer's to confirm, no evidence.
    pub place: Option<PhotoPlaceLine>,
    /// What the person should know: `location-may-be-removed` (not taken by this app, and without a place), `no-picture` (no
    /// small picture could be made: hand over a preview).
    pub warnings: Vec<String>,
}

impl Interview {
    /// Puts a draft on a screen.
    pub(crate) fn begin(
        phone: Arc<Phone>,
        open: &Open,
        draft: Draft,
        is_resumed: bool,
    ) -> Result<Arc<Self>, PhoneError> {
        let form = open.device.form(draft.form)?;
        let form = form.as_ref().map(FormLine::from).ok_or_else(|| {
            PhoneError::not_there("the form's definition is not on this phone; sync with base camp for it")
        })?;
        let interview = open.device.interview(draft, is_resumed)?.ok_or_else(|| {
            PhoneError::refused("form-not-asked", "the form's questions are not on this phone; add its file")
        })?;
        let draft = interview.draft().id;
        let inner = Inner { interview: Mutex::new(interview), is_saving: AtomicBool::new(false) };
        let interview = Self { phone: Arc::clone(&phone), form, inner: Arc::new(inner) };
        Ok(phone.show(draft, Arc::new(interview)))
    }

    /// Notes that a person came back to it.
    pub(crate) fn come_back(&self, open: &Open) -> Result<(), PhoneError> {
        self.refuse_while_saving()?;
        let at = open.device.now().wall_ms;
        Ok(locked(&self.inner.interview).track(&open.device, &Event::Resume { at })?)
    }

    /// Refuses what must not happen to a draft while it is being saved.
    pub(crate) fn refuse_while_saving(&self) -> Result<(), PhoneError> {
        match self.inner.is_saving.load(Ordering::Acquire) {
            true => Err(PhoneError::refused("saving", "the draft is being saved")),
            false => Ok(()),
        }
    }

    /// One step with the draft.
    async fn step<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Open, &mut filling::Interview) -> Result<T, PhoneError> + Send + 'static,
    ) -> Result<T, PhoneError> {
        let inner = Arc::clone(&self.inner);
        self.phone
            .signing(move |open| {
                if inner.is_saving.load(Ordering::Acquire) {
                    return Err(PhoneError::refused("saving", "the draft is being saved"));
                }
                work(open, &mut locked(&inner.interview))
            })
            .await
    }
}

#[uniffi::export]
impl Interview {
    /// What is being filled.
    pub async fn info(&self) -> Result<InterviewLine, PhoneError> {
        let form = self.form.clone();
        self.step(move |_, interview| {
            let (draft, filling) = (interview.draft(), interview.filling());
            Ok(InterviewLine {
                draft: draft.id.to_string(),
                observer: draft.observer.to_string(),
                scope: draft.scope.to_string(),
                form,
                record: record_of(draft),
                screens: count(filling.screens().len()),
                first_open: count(first_open(filling)),
                language: filling.language().map(count),
            })
        })
        .await
    }

    /// Up to `lines_max` screens and 1,000 from `from` on, in the order of the form as things are.
    pub async fn screens(&self, from: u32, lines_max: u32) -> Result<Vec<ScreenLine>, PhoneError> {
        self.step(move |_, interview| Ok(screen::lines(interview.filling(), from as usize, at_most(lines_max)))).await
    }

    /// The screen of a question or group, by its name or key; none if it is not asked now.
    pub async fn find(&self, to: String) -> Result<Option<u32>, PhoneError> {
        self.step(move |_, interview| Ok(filling::find(interview.filling(), &to).map(count))).await
    }

    /// Shows texts in a language of the form, by its place in the form's; none: the form's own.
    pub async fn set_language(&self, language: Option<u32>) -> Result<(), PhoneError> {
        self.step(move |_, interview| {
            interview.set_language(language.map(|language| language as usize));
            Ok(())
        })
        .await
    }

    /// Answers a question.
    ///
    /// # Errors
    /// `Refused` with code `answer`: what stood there before still does. What the form's constraints say against an answer is
    /// no error: it stands in the screen's `problem`.
    pub async fn answer(&self, key: String, answer: AnswerValue) -> Result<Answered, PhoneError> {
        self.step(move |open, interview| {
            interview.answer(&open.device, &key, answer.into())?;
            Ok(answered(interview.filling(), &key))
        })
        .await
    }

    /// Answers a question with what was typed, or with the names of choices; nothing is a question left blank.
    ///
    /// # Errors
    /// As `answer`.
    pub async fn answer_typed(&self, key: String, typed: String) -> Result<Answered, PhoneError> {
        self.step(move |open, interview| {
            interview.answer_typed(&open.device, &key, &typed)?;
            Ok(answered(interview.filling(), &key))
        })
        .await
    }

    /// Attaches a photo, to a question or to the record as a whole.
    ///
    /// # Errors
    /// `NotThere` where the file cannot be read, `Refused` where it is no photo; a photo that was there stays.
    pub async fn attach(&self, photo: PhotoFile) -> Result<AttachedLine, PhoneError> {
        self.step(move |open, interview| {
            let PhotoFile { path, preview_path, caption, key, is_app_captured } = photo;
            let preview = preview_path.as_deref().map(read_preview).transpose()?;
            let (source, preview) = (PhotoSource::File(Path::new(&path)), preview.as_deref());
            let attached = match &key {
                Some(key) => interview.attach(&open.device, key, source, preview)?,
                None => interview.attach_photo(&open.device, source, preview, caption.as_deref())?,
            };
            Ok(attached_line(attached, key.as_deref(), is_app_captured))
        })
        .await
    }

    /// Takes a photo out of the draft, with its caption.
    pub async fn detach(&self, row: String) -> Result<(), PhoneError> {
        self.step(move |open, interview| Ok(interview.detach(&open.device, &row)?)).await
    }

    /// Adds a row to a repeat, in the row around it where there is one; gives its id.
    pub async fn add_row(&self, repeat: String, within: Option<String>) -> Result<String, PhoneError> {
        self.step(move |open, interview| {
            let within = within.as_deref().map(|row| RowId::parse(row).ok_or_else(no_row)).transpose()?;
            Ok(interview.add_row(&open.device, &repeat, within)?.to_string())
        })
        .await
    }

    /// Withdraws the row that the question of `key` stands in.
    pub async fn withdraw_row(&self, key: String) -> Result<(), PhoneError> {
        self.step(move |open, interview| Ok(interview.withdraw_row_of(&open.device, &key)?)).await
    }

    /// What the form finds missing or wrong as things are. It never keeps the draft from being saved.
    pub async fn problems(&self) -> Result<Vec<ProblemLine>, PhoneError> {
        self.step(|_, interview| Ok(interview.filling().problems().into_iter().map(Into::into).collect())).await
    }

    /// Says that the person leaves it; the draft is there for the next time.
    pub async fn leave(&self) -> Result<(), PhoneError> {
        self.step(|open, interview| Ok(interview.leave(&open.device)?)).await
    }

    /// Saves the draft as a signed entry, with the place that the app's location provider names. When this returns it is
    /// durable. Saving again gives the same entry, also on another screen of the draft and after a restart; a call that is
    /// cancelled may be done whole all the same.
    ///
    /// # Errors
    /// The draft is then there as it was. `Refused` with code `draft-changed` where somebody else changed it: it is shown as it
    /// is now, and may be saved.
    pub async fn save(&self) -> Result<SavedLine, PhoneError> {
        let (inner, phone) = (Arc::clone(&self.inner), Arc::clone(&self.phone));
        self.phone
            .signing(move |open| {
                if inner.is_saving.swap(true, Ordering::AcqRel) {
                    return Err(PhoneError::refused("saving", "the draft is being saved"));
                }
                let _saving = Saving(&inner.is_saving);
                let place = place(open.location.as_deref());
                let mut interview = locked(&inner.interview);
                let is_saved = open.device.saved(interview.draft().id)?.is_some();
                if place.is_some() && !is_saved {
                    let post = interview.draft().post.clone();
                    interview.locate(&open.device, place, post.as_deref())?;
                }
                let saved = interview.save(&open.device)?;
                phone.hide(interview.draft().id);
                Ok(open.saved(saved))
            })
            .await
    }
}

/// Ends with the saving, however that ends.
struct Saving<'a>(&'a AtomicBool);

impl Drop for Saving<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn answered(filling: &Filling, key: &str) -> Answered {
    let screens = filling.screens();
    let screen = screen::of_key(filling, &screens, key);
    Answered { screens: count(screens.len()), screen }
}

fn no_row() -> PhoneError {
    InterviewError::Refused(merestone_forms::Refusal::NoRow).into()
}

fn read_preview(path: &str) -> Result<Vec<u8>, PhoneError> {
    let unread = |error: std::io::Error| PhoneError::not_there(format!("cannot read {path}: {error}"));
    let bytes = std::fs::metadata(path).map_err(unread)?.len();
    if bytes > PREVIEW_BYTES_MAX {
        return Err(PhoneError::refused(
            "preview",
            format!("the preview has {bytes} bytes, at most {PREVIEW_BYTES_MAX}"),
        ));
    }
    std::fs::read(path).map_err(unread)
}

fn attached_line(attached: Attached, key: Option<&str>, is_app_captured: bool) -> AttachedLine {
    let Attached { draft, row, facts } = attached;
    let photo = draft.photos.iter().find(|photo| photo.row == row).map(|photo| &photo.photo);
    let named = key.and_then(|key| draft.answers.get(key)).and_then(|answer| match answer {
        Answer::Text(hash) => Some(hash.clone()),
        Answer::Blank | Answer::Bool(_) | Answer::Int(_) => None,
    });
    let mut warnings = Vec::new();
    if !is_app_captured && facts.place.is_none() {
        warnings.push("location-may-be-removed".to_owned());
    }
    if photo.is_some_and(|photo| crate::photo::rendition(&photo.thumbnail).is_none()) {
        warnings.push("no-picture".to_owned());
    }
    let edge = |edge: Option<u64>| edge.and_then(|edge| u32::try_from(edge).ok());
    AttachedLine {
        photo: photo.map(|photo| photo.sha256.to_string()).or(named).unwrap_or_default(),
        width: photo.and_then(|photo| edge(photo.width)),
        height: photo.and_then(|photo| edge(photo.height)),
        taken: taken(&facts),
        place: facts.place.map(|place| PhotoPlaceLine { lat_e7: place.latitude_e7, lon_e7: place.longitude_e7 }),
        warnings,
        row,
    }
}

/// The camera's time as RFC 3339 writes it, without the offset where the camera gives none.
fn taken(facts: &PhotoFacts) -> Option<String> {
    let taken = facts.taken?;
    let (year, month, day) = (taken.year, taken.month, taken.day);
    let (hour, minute, second) = (taken.hour, taken.minute, taken.second);
    let offset = taken.utc_offset_minutes.map_or_else(String::new, |offset| {
        let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    });
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{offset}"))
}
