//! `merestone form`: checking a form, and giving it to a device.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use merestone_forms::{Form, Question, QuestionKind, standard};
use serde::Serialize;

use super::Context;
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;

/// Longest form, in bytes: 4,096 questions of 200 bytes, which is far beyond what anybody answers.
pub(super) const DOCUMENT_BYTES_MAX: usize = 1 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check a form, and list the names that `merestone record` takes.
    ///
    /// A form is a set of tables in Markdown: `survey`, `choices` and `settings`, with the columns of XLSForm.
    #[command(after_help = "Example:\n  merestone form check inspection\n  merestone form check our-form.md")]
    Check {
        /// A file; or inspection, incident or crossing-count, which come with the program.
        form: PathBuf,
    },
    /// Give the device the questions of a form that the mission's charter lists.
    ///
    /// The forms that come with the program are on every device whose mission lists them.
    #[command(after_help = "Example:\n  merestone form add our-form.md --home phone")]
    Add {
        /// The form.
        form: PathBuf,
    },
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        match self {
            Self::Check { form } => {
                context.screen.show(&FormShown::of(&read(&form)?)?)?;
                Ok(Code::Done)
            }
            Self::Add { form } => {
                let document = document(&form)?;
                let device = context.open(0)?;
                device.add_form(&document).map_err(|error| Failure::from(error).about(form.display()))?;
                context.screen.show(&FormShown::of(&read(&form)?)?)?;
                Ok(Code::Done)
            }
        }
    }
}

/// The document of a form that comes with the program, by its name.
pub(super) fn standard_form(name: &Path) -> Option<&'static str> {
    match name.to_str()? {
        "inspection" => Some(standard::INSPECTION),
        "incident" => Some(standard::INCIDENT),
        "crossing-count" => Some(standard::CROSSING_COUNT),
        _ => None,
    }
}

fn document(form: &Path) -> Result<String, Failure> {
    match standard_form(form) {
        Some(document) => Ok(document.to_owned()),
        None => input::read_text(form, "a form", DOCUMENT_BYTES_MAX),
    }
}

fn read(form: &Path) -> Result<Form, Failure> {
    Form::read(&document(form)?).map_err(|error| Failure::from(error).about(form.display()))
}

#[derive(Serialize)]
struct FormShown {
    form: String,
    id: String,
    title: String,
    version: String,
    questions: Vec<QuestionShown>,
}

#[derive(Serialize)]
struct QuestionShown {
    name: String,
    repeat: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
    choices: Vec<String>,
    label: String,
    required: bool,
}

impl FormShown {
    fn of(form: &Form) -> Result<Self, Failure> {
        let hash = form.definition().hash();
        let hash =
            hash.map_err(|refused| Failure::new(Code::BadInput, format!("the form cannot be signed: {refused}")))?;
        Ok(Self {
            form: hash.to_string(),
            id: form.id.clone(),
            title: form.title.clone(),
            version: form.version.clone(),
            questions: form.questions().iter().map(|question| QuestionShown::of(form, question)).collect(),
        })
    }
}

impl QuestionShown {
    fn of(form: &Form, question: &Question) -> Self {
        let (kind, list) = match &question.kind {
            QuestionKind::Text => ("text", None),
            QuestionKind::Integer => ("integer", None),
            QuestionKind::Date => ("date", None),
            QuestionKind::SelectOne(list) => ("select_one", Some(list)),
            QuestionKind::Image => ("image", None),
        };
        let choices = list.map_or(&[][..], |list| form.choices(list));
        Self {
            name: question.name.clone(),
            repeat: question.repeat.clone(),
            kind,
            choices: choices.iter().map(|choice| choice.name.clone()).collect(),
            label: question.label.clone(),
            required: question.required,
        }
    }
}

impl Report for FormShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{} · {} · version {}", self.title, self.id, self.version)?;
        writeln!(out, "form {}", self.form)?;
        for question in &self.questions {
            let key = match &question.repeat {
                Some(repeat) => format!("{repeat}/ROW/{}", question.name),
                None => question.name.clone(),
            };
            let kind = if question.choices.is_empty() { question.kind.to_owned() } else { question.choices.join("|") };
            let required = if question.required { " (required)" } else { "" };
            writeln!(out, "  {key:<28} {kind:<10} {}{required}", question.label)?;
        }
        Ok(())
    }
}
