//! The mission's forms on this device: the signed definitions, and the questions where the document is held too.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use merestone_core::Refused;
use merestone_core::form::LeafTable;
use merestone_core::id::FormHash;
use merestone_core::roster::Class;
use merestone_forms::{Filling, Form, FormRefused, NamedFile, Occasion, standard};
use merestone_store::{Batch, VALUE_BYTES_MAX};

use crate::clock::NoEntropy;
use crate::device::{AccessError, Device};
use crate::draft::{Draft, DraftSubject};
use merestone_forms::Answer;

/// A form of the mission, as this device holds it.
#[derive(Clone, Debug)]
pub struct MissionForm {
    /// Its hash, as the charter and each entry name it.
    pub hash: FormHash,
    /// The kind of record it makes.
    pub kind: String,
    /// Its title for people.
    pub title: String,
    /// Its version.
    pub version: String,
    /// Its questions. `None` while only the signed definition is held: records can be made, and answers are not checked.
    pub questions: Option<Arc<Form>>,
}

/// A form was not taken up.
#[derive(Debug, thiserror::Error)]
pub enum AddFormError {
    /// The document is not understood.
    #[error(transparent)]
    Document(#[from] FormRefused),
    /// The charter does not list it.
    #[error("form {hash} is not one of the mission's: {refused}")]
    NotListed {
        /// Its hash.
        hash: FormHash,
        /// The check.
        refused: Refused,
    },
    /// The store could not be used.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// A draft could not be made ready to be filled.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// The store could not be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// There are no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// Forms in memory, each read once.
#[derive(Debug, Default)]
pub(crate) struct Forms {
    tables: Mutex<HashMap<FormHash, Arc<LeafTable>>>,
    questions: Mutex<HashMap<FormHash, Option<Arc<Form>>>>,
}

impl Device {
    /// Takes up the file of a form that the charter lists, with those beside it that it needs, so that its questions can be
    /// asked here.
    ///
    /// # Errors
    /// [`AddFormError`].
    pub fn add_form(&self, file: NamedFile<'_>, beside: &[NamedFile<'_>]) -> Result<FormHash, AddFormError> {
        let form = Form::read(file, beside)?;
        let Ok(definition) = form.definition().encode() else {
            // Reading refuses a form whose definition cannot be encoded.
            return Err(AccessError::Damaged.into());
        };
        let hash = FormHash::of(&definition);
        let received = self.receive(Class::Form, &[definition])?;
        if let Some(refused) = received.refusal() {
            return Err(AddFormError::NotListed { hash, refused });
        }
        let mut batch = Batch::new();
        let first = crate::device::form_setting(hash);
        keep_file(&mut batch, &first, file);
        for (number, file) in beside.iter().enumerate() {
            keep_file(&mut batch, &beside_setting(hash, number), *file);
        }
        self.store.commit(batch).map_err(AccessError::from)?;
        lock(&self.forms.questions).remove(&hash);
        Ok(hash)
    }

    /// The mission's forms that this device holds, by title.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn forms(&self) -> Result<Vec<MissionForm>, AccessError> {
        let hashes = self.authority.roster().charter().charter().forms.clone();
        let mut forms = Vec::new();
        for hash in hashes {
            forms.extend(self.form(hash)?);
        }
        forms.sort_by(|a, b| (&a.title, &a.version, a.hash).cmp(&(&b.title, &b.version, b.hash)));
        Ok(forms)
    }

    /// One form; `None` while its definition is not held.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn form(&self, hash: FormHash) -> Result<Option<MissionForm>, AccessError> {
        let questions = self.questions(hash)?;
        let roster = self.authority.roster();
        Ok(roster.form(hash).map(|definition| MissionForm {
            hash,
            kind: definition.kind.clone(),
            title: definition.title.clone(),
            version: definition.version.clone(),
            questions,
        }))
    }

    /// The questions of a form; `None` while its document is not held.
    pub(crate) fn questions(&self, hash: FormHash) -> Result<Option<Arc<Form>>, AccessError> {
        if let Some(known) = lock(&self.forms.questions).get(&hash) {
            return Ok(known.clone());
        }
        let form = self.form_files(hash)?.and_then(|files| {
            let named: Vec<NamedFile<'_>> = files.iter().map(|(name, bytes)| NamedFile { name, bytes }).collect();
            let (file, beside) = named.split_first()?;
            let form = Form::read(*file, beside).ok()?;
            // Files that another version of this program reads differently are none of this form: its leaves are elsewhere.
            form.definition().hash().is_ok_and(|read| read == hash).then(|| Arc::new(form))
        });
        lock(&self.forms.questions).insert(hash, form.clone());
        Ok(form)
    }

    /// A draft as it stands, ready to be filled: its answers over those of the record that its screen showed. Where values
    /// stand beside each other, the first of them is taken until the person settles it. `None` while the form's file is not
    /// held: then answers can still be put, and are not checked.
    ///
    /// What [`Filling::take_changes`] gives is for [`put_all`](Self::put_all).
    ///
    /// # Errors
    /// If the store cannot be read, or there are no random bytes.
    pub fn filling(&self, draft: &Draft) -> Result<Option<Filling>, FillError> {
        let Some(form) = self.questions(draft.form)? else { return Ok(None) };
        let occasion = self.occasion(draft)?;
        let shown = match &draft.subject {
            DraftSubject::New { writers: _ } if draft.answers.is_empty() => {
                return Ok(Some(Filling::begin(form, occasion)));
            }
            DraftSubject::New { writers: _ } => Vec::new(),
            DraftSubject::Edit { record, base } => self.shown(*record, base)?,
        };
        let mut answers: BTreeMap<String, Answer> = shown.into_iter().collect();
        answers.extend(draft.answers.clone());
        answers.extend(draft.photos.iter().map(|photo| photo.answer()));
        Ok(Some(Filling::resume(form, answers, occasion)))
    }

    fn occasion(&self, draft: &Draft) -> Result<Occasion, NoEntropy> {
        let now = self.now();
        let observer = self.observers().into_iter().find(|held| held.key == draft.observer);
        Ok(Occasion {
            now_ms: now.wall_ms,
            offset_minutes: now.offset_min.into(),
            seed: self.random()?,
            device_id: format!("merestone:{}", draft.observer),
            user_name: observer.map(|observer| observer.name).unwrap_or_default(),
            ..Occasion::default()
        })
    }

    /// The files of a form, as they were taken up, its own first.
    fn form_files(&self, hash: FormHash) -> Result<Option<Vec<KeptFile>>, AccessError> {
        let Some(own) = self.kept_file(&crate::device::form_setting(hash))? else { return Ok(None) };
        let mut files = vec![own];
        while let Some(file) = self.kept_file(&beside_setting(hash, files.len() - 1))? {
            files.push(file);
        }
        Ok(Some(files))
    }

    fn kept_file(&self, first: &str) -> Result<Option<KeptFile>, AccessError> {
        let Some(mut bytes) = self.store.setting(first)? else { return Ok(None) };
        let mut part = 1;
        while let Some(more) = self.store.setting(&part_setting(first, part))? {
            bytes.extend(more);
            part += 1;
        }
        let name = self.store.setting(&name_setting(first))?.and_then(|name| String::from_utf8(name).ok());
        // A file of which no name is kept is Markdown.
        Ok(Some((name.unwrap_or_else(|| "form.md".to_owned()), bytes)))
    }

    /// The leaf table of a form; `None` while its definition is not held.
    pub(crate) fn leaf_table(&self, hash: FormHash) -> Option<Arc<LeafTable>> {
        if let Some(table) = lock(&self.forms.tables).get(&hash) {
            return Some(Arc::clone(table));
        }
        let table = Arc::new(LeafTable::new(self.authority.roster().form(hash)?));
        lock(&self.forms.tables).insert(hash, Arc::clone(&table));
        Some(table)
    }

    /// Takes up those of the project's own forms that the charter lists.
    pub(crate) fn add_standard_forms(&self) -> Result<(), AccessError> {
        for document in standard::ALL.into_iter().chain([standard::REDACTION]) {
            match self.add_form(NamedFile { name: "form.md", bytes: document.as_bytes() }, &[]) {
                Ok(_) | Err(AddFormError::NotListed { .. } | AddFormError::Document(_)) => {}
                Err(AddFormError::Access(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A file's name and content.
type KeptFile = (String, Vec<u8>);

/// Keeps a file; a large one in parts, since a setting has a maximum.
fn keep_file(batch: &mut Batch, first: &str, file: NamedFile<'_>) {
    batch.setting(&name_setting(first), Some(file.name.as_bytes().to_vec()));
    batch.setting(first, Some(Vec::new()));
    for (part, bytes) in file.bytes.chunks(VALUE_BYTES_MAX).enumerate() {
        let setting = if part == 0 { first.to_owned() } else { part_setting(first, part) };
        batch.setting(&setting, Some(bytes.to_vec()));
    }
}

fn part_setting(first: &str, part: usize) -> String {
    format!("{first}/part/{part}")
}

fn name_setting(first: &str) -> String {
    format!("{first}/name")
}

fn beside_setting(hash: FormHash, number: usize) -> String {
    format!("{}/beside/{number}", crate::device::form_setting(hash))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
