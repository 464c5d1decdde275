//! One way in: a file, and those beside it, to a [`Model`].

use crate::field::{self, Refusal};
use crate::instances;
use crate::model::{Model, NodeKind, Notice, Preset, note};
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
        let sheet = if kind == FileKind::Xml { "instance" } else { "survey" };
        instances::attach(&mut model, sheet, beside)?;
        model.notice_defaults(sheet);
        Ok(model)
    }

    /// Names the defaults that their questions would refuse; they are no answers.
    fn notice_defaults(&mut self, sheet: &str) {
        for node in &self.nodes {
            let (NodeKind::Question(kind), Some(Preset::Text(text))) = (&node.kind, &node.default) else { continue };
            if let Err(refusal) = field::read(kind, &node.parameters, text) {
                let text = match refusal {
                    Refusal::File => "the default is left out: a file that comes with the form is no answer".to_owned(),
                    refusal => format!("the default is left out: {refusal}"),
                };
                let notice = Notice { sheet: sheet.to_owned(), row: node.row, column: "default".to_owned(), text };
                note(&mut self.notices, notice);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_that_is_no_answer_is_named() {
        let text = "| survey |\n| | type | name | default |\n| | integer | n | 18 |\n| | integer | m | many |\n\
                    | | image | sketch | body.png |\n";
        let model = Model::read(NamedFile { name: "f.md", bytes: text.as_bytes() }, &[]).expect("it can be used");
        let named: Vec<String> =
            model.notices.iter().map(|one| format!("{}:{}:{} {}", one.sheet, one.row, one.column, one.text)).collect();
        assert_eq!(
            named,
            [
                "survey:4:default the default is left out: write a whole number, in digits",
                "survey:5:default the default is left out: a file that comes with the form is no answer",
            ]
        );
    }
}
