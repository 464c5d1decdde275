//! `merestone form`: checking forms, and giving one to a device.

mod checked;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use merestone_forms::model::{Instance, Model};
use merestone_forms::{FILE_BYTES_MAX, Form, NamedFile, standard};
use serde::Serialize;

use super::Context;
use crate::exit::{Code, Failure};
use crate::folder::Below;
use crate::input;
use crate::output::{self, Report};
use checked::{Checked, FormsShown};

/// Longest form, in bytes.
pub(super) const DOCUMENT_BYTES_MAX: usize = FILE_BYTES_MAX;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check forms, and list the names that `merestone record` takes.
    ///
    /// A form is an XLSForm (.xlsx, .xls, .csv, or Markdown tables) or an XForm (.xml). Of a folder, every such file in it
    /// is checked: one row for each, loaded, or refused with the sheet, row and column to look at. What has no effect in a
    /// form is a note with its place. Files that a form takes its choices or data from are no forms of their own.
    ///
    /// With --json: {"forms": [...]}, each {"status": "loaded", "file", "form": HASH, "id", "title", "version",
    /// "languages": [NAME], "questions": [{"name", "repeat": NAME|null, "type", "choices": [NAME], "label", "required",
    /// "calculated"}], "notices": [{"sheet", "row", "column", "text"}]} or {"status": "refused", "file", "sheet", "row",
    /// "column", "reason"}; row 0 is the whole sheet, an empty sheet the whole form. Links and folders that were not looked
    /// into are in "passed_over".
    #[command(
        after_help = "Example:\n  merestone form check inspection\n  merestone form check our-form.xlsx\n  merestone form check forms/ --json"
    )]
    Check {
        /// A file or a folder; or inspection, incident, patrol, access-restriction or crossing-count, which come with the program.
        form: PathBuf,
    },
    /// Write a form as one HTML page that can be filled in any browser, without a network.
    ///
    /// It shows conditions, constraints, calculations and languages as a device does, and loads nothing.
    #[command(after_help = "Example:\n  merestone form render our-form.xlsx --out our-form.html")]
    Render {
        /// The form.
        form: PathBuf,
        /// The page to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Give the device the questions of a form that the mission's charter lists.
    ///
    /// The forms that come with the program are on every device whose mission lists them.
    #[command(after_help = "Example:\n  merestone form add our-form.xlsx --home phone")]
    Add {
        /// The form.
        form: PathBuf,
    },
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        match self {
            Self::Check { form } => check(context, &form),
            Self::Render { form, out } => {
                input::refuse_existing(&out)?;
                let page = FormFile::open(&form)?.read()?.page();
                input::write_new(&out, page.as_bytes())?;
                context.screen.show(&PageShown { page: out, bytes: page.len() })?;
                Ok(Code::Done)
            }
            Self::Add { form } => {
                let file = FormFile::open(&form)?;
                let device = context.open(0)?;
                device
                    .add_form(file.named(), &file.beside())
                    .map_err(|error| Failure::from(error).about(form.display()))?;
                context.screen.show(&FormsShown { forms: vec![Checked::of(&file)], passed_over: Vec::new() })?;
                Ok(Code::Done)
            }
        }
    }
}

/// A page that was written.
#[derive(Serialize)]
struct PageShown {
    page: PathBuf,
    bytes: usize,
}

impl Report for PageShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "written  {} ({})", self.page.display(), output::bytes(self.bytes as u64))
    }
}

fn check(context: &Context, path: &Path) -> Result<Code, Failure> {
    if !path.is_dir() || standard_form(path).is_some() {
        let file = FormFile::open(path)?;
        let form = file.read();
        // A person has the reason from the failure; a program reads it in its parts.
        if form.is_ok() || context.screen.is_json() {
            context.screen.show(&FormsShown { forms: vec![Checked::of(&file)], passed_over: Vec::new() })?;
        }
        return form.map(|_| Code::Done);
    }
    let Below { files, passed_over } = checked::forms_in(path)?;
    let passed_over: Vec<String> = passed_over.iter().map(|path| path.display().to_string()).collect();
    let (all_over, is_over) = (passed_over.len(), !passed_over.is_empty());
    let (mut forms, mut taken) = (Vec::new(), BTreeSet::new());
    for path in files {
        let file = FormFile::open(&path)?;
        let checked = Checked::of(&file);
        taken.extend(file.taken);
        forms.push((path, checked));
    }
    // What a form takes its choices from is no form, and refused as one it would only puzzle.
    forms.retain(|(path, form)| !(form.is_refused() && taken.contains(path)));
    let forms: Vec<Checked> = forms.into_iter().map(|(_, form)| form).collect();
    let refused = forms.iter().filter(|form| form.is_refused()).count();
    let all = forms.len();
    context.screen.show(&FormsShown { forms, passed_over })?;
    if refused > 0 {
        let line = format!("{refused} of {all} forms in {} are refused; mend them where the rows say", path.display());
        return Err(Failure::new(Code::BadInput, line));
    }
    if is_over {
        let line = format!("{all_over} links or folders in {} were not looked into; name them", path.display());
        return Err(Failure::new(Code::BadInput, line));
    }
    Ok(Code::Done)
}

/// A form's file as a person named it, and those in its folder that it needs.
pub(super) struct FormFile {
    /// As it was named.
    pub(super) path: String,
    name: String,
    bytes: Vec<u8>,
    beside: Vec<(String, Vec<u8>)>,
    /// Where those lie.
    taken: Vec<PathBuf>,
}

impl FormFile {
    /// Opens a file, or one of the forms that come with the program.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let (beside, taken) = (Vec::new(), Vec::new());
        if let Some(document) = standard_form(path) {
            return Ok(Self {
                name: format!("{shown}.md"),
                path: shown,
                bytes: document.as_bytes().to_vec(),
                beside,
                taken,
            });
        }
        let bytes = input::read(path, "a form", DOCUMENT_BYTES_MAX)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut file = Self { path: shown, name, bytes, beside, taken };
        // As ODK lays them out: beside the form, or in the folder `NAME-media`.
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let media = path.with_file_name(format!("{stem}-media"));
        for name in file.needs() {
            let places = [path.with_file_name(&name), media.join(&name)];
            // What is not there is named when the form is read.
            if let Some(place) = places.iter().find(|place| place.is_file()) {
                file.beside.push((name, input::read(place, "a file beside a form", DOCUMENT_BYTES_MAX)?));
                file.taken.push(place.clone());
            }
        }
        Ok(file)
    }

    /// The names of files that the form needs, without any folder.
    fn needs(&self) -> Vec<String> {
        if self.name == "survey.csv" {
            return ["choices.csv", "settings.csv"].map(str::to_owned).into();
        }
        let Ok(model) = Model::read(self.named(), &[]) else { return Vec::new() };
        let files = model.instances.values().filter_map(|instance| match instance {
            Instance::Absent { file } => Some(file.clone()),
            _ => None,
        });
        let is_plain = |name: &String| Path::new(name).file_name().is_some_and(|file| file.to_str() == Some(name));
        let files: BTreeSet<String> = files.filter(is_plain).collect();
        files.into_iter().collect()
    }

    /// Its name and content.
    pub(super) fn named(&self) -> NamedFile<'_> {
        NamedFile { name: &self.name, bytes: &self.bytes }
    }

    /// The files beside it that it needs.
    pub(super) fn beside(&self) -> Vec<NamedFile<'_>> {
        self.beside.iter().map(|(name, bytes)| NamedFile { name, bytes }).collect()
    }

    /// Reads it.
    pub(super) fn read(&self) -> Result<Form, Failure> {
        Form::read(self.named(), &self.beside()).map_err(|error| Failure::from(error).about(&self.path))
    }
}

/// The document of a form that comes with the program, by its name.
fn standard_form(name: &Path) -> Option<&'static str> {
    standard::named(name.to_str()?)
}
