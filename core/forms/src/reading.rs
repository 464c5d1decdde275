//! One way in: a file, and those beside it, to a [`Model`].

use crate::model::Model;
use crate::refused::{FormRefused, Reason};
use crate::workbook::{FileKind, Workbook};
use crate::xlsform;

/// A file by its name.
#[derive(Clone, Copy, Debug)]
pub struct NamedFile<'f> {
    /// Its name, without folders.
    pub name: &'f str,
    /// What is in it.
    pub bytes: &'f [u8],
}

impl Model {
    /// Reads a form, whatever kind of file it is in.
    ///
    /// # Errors
    /// What cannot be understood first, with its place.
    pub fn read(form: NamedFile<'_>) -> Result<Self, FormRefused> {
        let kind = FileKind::of(form.name, form.bytes).ok_or_else(|| FormRefused::whole(Reason::UnknownFile))?;
        let workbook = Workbook::read(kind, form.bytes)?;
        xlsform::read(&workbook, stem(form.name))
    }
}

/// A file's name without its extension.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
