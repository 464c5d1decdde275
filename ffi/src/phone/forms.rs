//! Forms of the mission and drafts of this phone.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Weak};

use merestone_forms::{Answer, NamedFile};
use merestone_node::DraftId;
use merestone_node::capture::Once;

use super::{Open, Phone};
use crate::error::PhoneError;
use crate::form::{DamagedDraftLine, DraftLine, FormLine};
use crate::ids;
use crate::interview::Interview;
use crate::page::part;
use crate::provided::place;
use crate::record::SavedLine;
use crate::runtime::locked;
use crate::value::AnswerValue;

/// Bytes of the largest form file that is read.
const FORM_BYTES_MAX: u64 = 64 << 20;

#[uniffi::export]
impl Phone {
    /// The mission's forms that this phone holds, by title.
    pub async fn forms(&self) -> Result<Vec<FormLine>, PhoneError> {
        self.call(|open| Ok(open.device.forms()?.iter().map(Into::into).collect())).await
    }

    /// Takes up the file of a form that the charter lists (XLSForm, XForm), with the files beside it that it needs; gives its
    /// hash.
    pub async fn add_form(&self, path: String, beside: Vec<String>) -> Result<String, PhoneError> {
        self.call(move |open| {
            let files =
                std::iter::once(&path).chain(&beside).map(|path| read_file(path)).collect::<Result<Vec<_>, _>>()?;
            let named: Vec<NamedFile<'_>> = files.iter().map(|(name, bytes)| NamedFile { name, bytes }).collect();
            let Some((form, beside)) = named.split_first() else { return Err(PhoneError::not_there("no file")) };
            Ok(open.device.add_form(*form, beside)?.to_string())
        })
        .await
    }

    /// What was begun and not saved, of one observer or of all, from the draft at place `from` on: at most `lines_max` and
    /// 1,000, and none behind the last. Drafts that cannot be read are apart: `damaged_drafts`.
    #[uniffi::method(default(from = 0, lines_max = 1_000))]
    pub async fn drafts(
        &self,
        observer: Option<String>,
        from: u32,
        lines_max: u32,
    ) -> Result<Vec<DraftLine>, PhoneError> {
        self.call(move |open| {
            let observer = observer.map(|key| open.observer(&key)).transpose()?;
            Ok(part(&open.device.drafts(observer.as_ref())?, from, lines_max).map(Into::into).collect())
        })
        .await
    }

    /// Drafts that cannot be read, whoever they belong to, for a screen that says so: the first 1,000.
    pub async fn damaged_drafts(&self) -> Result<Vec<DamagedDraftLine>, PhoneError> {
        self.call(|open| Ok(part(open.device.damaged_drafts()?, 0, u32::MAX).map(Into::into).collect())).await
    }

    /// Begins a new record in a scope after a form. From now on it is a draft: kept at every answer, and there after a kill.
    ///
    /// # Errors
    /// `Refused` with code `form-not-asked` where the form's questions are not here; `save_new` works all the same.
    pub async fn begin(
        self: Arc<Self>,
        observer: String,
        scope: String,
        form: String,
    ) -> Result<Arc<Interview>, PhoneError> {
        let phone = Arc::clone(&self);
        self.signing(move |open| {
            let draft = open.device.begin(&open.observer(&observer)?, ids::scope(&scope)?, ids::form(&form)?)?;
            Interview::begin(phone, open, draft, false)
        })
        .await
    }

    /// Begins an edit of a record as it is shown now.
    pub async fn begin_edit(self: Arc<Self>, observer: String, record: String) -> Result<Arc<Interview>, PhoneError> {
        let phone = Arc::clone(&self);
        self.signing(move |open| {
            let draft = open.device.begin_edit(&open.observer(&observer)?, ids::record(&record)?)?;
            Interview::begin(phone, open, draft, false)
        })
        .await
    }

    /// Goes on with a draft. While another screen has it, that one's interview is given: two would not know of each other.
    pub async fn go_on(self: Arc<Self>, draft: String) -> Result<Arc<Interview>, PhoneError> {
        let phone = Arc::clone(&self);
        self.signing(move |open| {
            let id = ids::draft(&draft)?;
            if let Some(shown) = phone.interview_of(id) {
                shown.come_back(open)?;
                return Ok(shown);
            }
            let draft = open.device.draft(id)?;
            Interview::begin(phone, open, draft, true)
        })
        .await
    }

    /// Throws a draft away. Again, or after it was saved, it changes nothing.
    ///
    /// # Errors
    /// `Refused` with code `saving` while it is being saved.
    pub async fn discard(self: Arc<Self>, draft: String) -> Result<(), PhoneError> {
        let phone = Arc::clone(&self);
        self.call(move |open| {
            let id = ids::draft(&draft)?;
            if let Some(shown) = phone.interview_of(id) {
                shown.refuse_while_saving()?;
            }
            Ok(open.device.discard(id)?)
        })
        .await
    }

    /// Saves a whole record in one call, with what follows from its answers in the form; when this returns it is durable.
    /// What the form finds wrong with an answer does not keep it from being saved.
    ///
    /// A call that is cancelled goes on and may be done whole: cancelling takes nothing back. Whoever must know gives an `id`, 32
    /// hex digits chosen at random for this record alone, and asks again with the same one, now or after a restart: if it was
    /// done, the answer is the same and nothing is signed again. Of one `id` only the first step counts, whatever is asked later.
    #[uniffi::method(default(id = None))]
    pub async fn save_new(
        &self,
        observer: String,
        scope: String,
        form: String,
        answers: HashMap<String, AnswerValue>,
        id: Option<String>,
    ) -> Result<SavedLine, PhoneError> {
        self.signing(move |open| {
            let once = open.once(id)?;
            if let Some(saved) = once.saved()? {
                return Ok(open.saved(saved));
            }
            let mut draft = once.begin(&open.observer(&observer)?, ids::scope(&scope)?, ids::form(&form)?)?;
            draft.place = place(open.location.as_deref());
            let mut given: Vec<(String, Answer)> =
                answers.into_iter().map(|(key, value)| (key, value.into())).collect();
            given.sort_by(|(a, _), (b, _)| a.cmp(b));
            draft.answers = open.device.work_out(&draft, given)?;
            Ok(open.saved(open.device.save(&draft)?))
        })
        .await
    }
}

impl Open {
    /// The next step under the id that the app gave, if it gave one.
    pub(crate) fn once(&self, id: Option<String>) -> Result<Once<'_>, PhoneError> {
        Ok(self.device.once(id.as_deref().map(ids::draft).transpose()?))
    }
}

impl Phone {
    /// The interview of a draft that a screen has.
    fn interview_of(&self, draft: DraftId) -> Option<Arc<Interview>> {
        locked(&self.shown).get(&draft).and_then(Weak::upgrade)
    }

    /// Notes that a screen has a draft; where another one has it already, that one's interview.
    pub(crate) fn show(&self, draft: DraftId, interview: Arc<Interview>) -> Arc<Interview> {
        let mut shown = locked(&self.shown);
        shown.retain(|_, interview| interview.strong_count() > 0);
        if let Some(other) = shown.get(&draft).and_then(Weak::upgrade) {
            return other;
        }
        shown.insert(draft, Arc::downgrade(&interview));
        interview
    }

    /// Notes that a draft is none any more.
    pub(crate) fn hide(&self, draft: DraftId) {
        locked(&self.shown).remove(&draft);
    }
}

/// A file by its name and content, no larger than a form may be.
fn read_file(path: &str) -> Result<(String, Vec<u8>), PhoneError> {
    let unread = |error: std::io::Error| PhoneError::not_there(format!("cannot read {path}: {error}"));
    let bytes = std::fs::metadata(path).map_err(unread)?.len();
    if bytes > FORM_BYTES_MAX {
        return Err(PhoneError::refused("form", format!("{path} has {bytes} bytes, at most {FORM_BYTES_MAX}")));
    }
    let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok((name, std::fs::read(path).map_err(unread)?))
}
