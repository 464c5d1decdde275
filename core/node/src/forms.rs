//! The mission's forms on this device: the signed definitions, and the questions where the document is held too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use merestone_core::Refused;
use merestone_core::form::LeafTable;
use merestone_core::id::FormHash;
use merestone_core::roster::Class;
use merestone_forms::{Form, FormRefused, standard};
use merestone_store::Batch;

use crate::device::{AccessError, Device};

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

/// Forms in memory, each read once.
#[derive(Debug, Default)]
pub(crate) struct Forms {
    tables: Mutex<HashMap<FormHash, Arc<LeafTable>>>,
    questions: Mutex<HashMap<FormHash, Option<Arc<Form>>>>,
}

impl Device {
    /// Takes up the document of a form that the charter lists, so that its questions can be asked here.
    ///
    /// # Errors
    /// [`AddFormError`].
    pub fn add_form(&self, document: &str) -> Result<FormHash, AddFormError> {
        let form = Form::read(document)?;
        let Ok(definition) = form.definition().encode() else {
            // `Form::read` refuses a form whose definition cannot be encoded.
            return Err(AccessError::Damaged.into());
        };
        let hash = FormHash::of(&definition);
        let received = self.receive(Class::Form, &[definition])?;
        if let Some((_, refused)) = received.refused.first() {
            return Err(AddFormError::NotListed { hash, refused: *refused });
        }
        let mut batch = Batch::new();
        batch.setting(&crate::device::form_setting(hash), Some(document.as_bytes().to_vec()));
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
        let document = self.store.setting(&crate::device::form_setting(hash))?;
        let form = document.and_then(|document| Form::read(std::str::from_utf8(&document).ok()?).ok()).map(Arc::new);
        lock(&self.forms.questions).insert(hash, form.clone());
        Ok(form)
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
        for document in standard::ALL {
            match self.add_form(document) {
                Ok(_) | Err(AddFormError::NotListed { .. } | AddFormError::Document(_)) => {}
                Err(AddFormError::Access(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
