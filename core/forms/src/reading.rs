//! One way in: a file, and those beside it, to a [`Model`].

use crate::instances;
use crate::model::Model;
use crate::refused::{FormRefused, Reason};
use crate::workbook::{FileKind, Workbook};
use crate::{xform, xlsform};

/// A file by its name.
#[derive(Clone, Copy, Debug)]
pub struct NamedFile<'f> {
    /// Its name, without folders.
    pub name: &'f str,
    /// What is in it.
    pub bytes: &'f [u8],
}

impl Model {
    /// Reads a form, whatever kind of file it is in, with the files that lie beside it: data that it looks at, and
    /// where the form is a `survey.csv`, its other sheets `choices.csv` and `settings.csv`.
    ///
    /// # Errors
    /// What cannot be understood first, with its place.
    pub fn read(form: NamedFile<'_>, beside: &[NamedFile<'_>]) -> Result<Self, FormRefused> {
        let kind = FileKind::of(form.name, form.bytes).ok_or_else(|| {
            let is_named = FileKind::is_named(form.name);
            FormRefused::whole(if is_named { Reason::DamagedFile } else { Reason::UnknownFile })
        })?;
        let stem = form.name.rsplit_once('.').map_or(form.name, |(stem, _)| stem);
        let mut model = match kind {
            FileKind::Xml => xform::read(form.bytes, stem)?,
            FileKind::Xlsx | FileKind::Xls | FileKind::Csv | FileKind::Markdown => {
                let mut workbook = Workbook::read(kind, form.bytes)?;
                workbook.add_beside(form.name, beside)?;
                xlsform::read(&workbook, stem)?
            }
        };
        instances::attach(&mut model, beside)?;
        Ok(model)
    }
}
