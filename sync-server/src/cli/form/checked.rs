//! What a check of forms says: a row for each.

use std::io::{self, Write};
use std::path::Path;

use merestone_forms::model::{Instance, Node, NodeKind, QuestionKind};
use merestone_forms::{Form, FormRefused};
use serde::Serialize;

use super::FormFile;
use crate::exit::Failure;
use crate::folder::{self, Below};
use crate::output::{Report, one_line};

/// Most forms of a folder: each is read whole and has a row.
const FORMS_MAX: usize = 10_000;

/// Every file in a folder and below it that may be a form, by name; and what was not looked into.
pub(super) fn forms_in(folder: &Path) -> Result<Below, Failure> {
    // What lies in `NAME-media` belongs to the form of that name.
    let is_media = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-media"));
    let mut below = folder::below(folder, |path| !is_media(path))?;
    below.files.retain(|path| may_be_a_form(path));
    if below.files.is_empty() && below.passed_over.is_empty() {
        let line = format!("{} holds no form (.xlsx, .xls, .csv, .xml, or tables in .md)", folder.display());
        return Err(Failure::bad_input(line));
    }
    if below.files.len() > FORMS_MAX {
        let line = format!("{} holds more than {FORMS_MAX} forms; name a folder in it", folder.display());
        return Err(Failure::bad_input(line));
    }
    below.files.sort_unstable();
    Ok(below)
}

fn may_be_a_form(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    match extension.as_deref() {
        Some("xlsx" | "xls" | "csv" | "xml") => true,
        // Most Markdown is prose. One that cannot be read is named where it is opened.
        Some("md") => std::fs::read(path).map_or(true, |text| text.trim_ascii_start().starts_with(b"|")),
        _ => false,
    }
}

/// All forms that were checked. Its fields and those below are what programs read (`merestone form check --help`): a field
/// may be added, and none is renamed or left out.
#[derive(Serialize)]
pub(super) struct FormsShown {
    pub(super) forms: Vec<Checked>,
    /// Links, and folders that are too deep: not looked into.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) passed_over: Vec<String>,
}

/// One form.
#[derive(Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(super) enum Checked {
    Loaded(Loaded),
    Refused(Refused),
}

#[derive(Serialize)]
pub(super) struct Loaded {
    file: String,
    form: String,
    id: String,
    title: String,
    version: String,
    languages: Vec<String>,
    questions: Vec<QuestionShown>,
    notices: Vec<NoticeShown>,
}

#[derive(Serialize)]
pub(super) struct Refused {
    /// Place and reason, for people.
    #[serde(skip)]
    line: String,
    file: String,
    sheet: String,
    row: usize,
    column: String,
    reason: String,
}

#[derive(Serialize)]
struct NoticeShown {
    /// Place and text, for people.
    #[serde(skip)]
    line: String,
    sheet: String,
    row: usize,
    column: String,
    text: String,
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
    calculated: bool,
}

impl Checked {
    pub(super) fn of(file: &FormFile) -> Self {
        match Form::read(file.named(), &file.beside()) {
            Ok(form) => Self::Loaded(Loaded::of(&file.path, &form)),
            Err(refused) => {
                let line = refused.to_string();
                let FormRefused { sheet, row, column, reason } = refused;
                Self::Refused(Refused { line, file: file.path.clone(), sheet, row, column, reason: reason.to_string() })
            }
        }
    }

    pub(super) fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

impl Loaded {
    fn of(file: &str, form: &Form) -> Self {
        let model = form.model();
        let questions = model.nodes.iter().enumerate().filter_map(|(index, node)| QuestionShown::of(form, index, node));
        let notices = model.notices.iter().map(|notice| NoticeShown {
            line: notice.to_string(),
            sheet: notice.sheet.clone(),
            row: notice.row,
            column: notice.column.clone(),
            text: notice.text.clone(),
        });
        Self {
            file: file.to_owned(),
            // Reading refuses a form whose definition cannot be hashed.
            form: form.definition().hash().map(|hash| hash.to_string()).unwrap_or_default(),
            id: model.id.clone(),
            title: model.title.clone(),
            version: model.version.clone(),
            languages: model.languages.iter().map(|language| language.0.clone()).collect(),
            questions: questions.collect(),
            notices: notices.collect(),
        }
    }
}

impl QuestionShown {
    fn of(form: &Form, index: usize, node: &Node) -> Option<Self> {
        let NodeKind::Question(kind) = &node.kind else { return None };
        if !form.has_answer(index) {
            return None;
        }
        Some(Self {
            name: form.name(index).to_owned(),
            repeat: form.repeat_of(index).map(|repeat| form.name(repeat).to_owned()),
            kind: kind.name(),
            choices: choices(form, kind),
            label: node
                .label
                .in_language(form.model().default_language)
                .map(|text| text.shown(|_| "…".to_owned()).replace('\n', " "))
                .unwrap_or_default(),
            required: node.required.is_some(),
            calculated: node.calculation.is_some(),
        })
    }
}

fn choices(form: &Form, kind: &QuestionKind) -> Vec<String> {
    use merestone_forms::model::ChoicesFrom;
    let (QuestionKind::SelectOne(choices) | QuestionKind::SelectMultiple(choices) | QuestionKind::Rank(choices)) = kind
    else {
        return Vec::new();
    };
    let ChoicesFrom::Instance { name, .. } = &choices.from else { return Vec::new() };
    match form.model().instances.get(name) {
        Some(Instance::List(items)) => items.iter().map(|item| item.name.clone()).collect(),
        _ => Vec::new(),
    }
}

impl Report for FormsShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.forms.as_slice() {
            [Checked::Loaded(form)] => form.human(out)?,
            forms => forms.iter().try_for_each(|form| form.row(out))?,
        }
        self.passed_over
            .iter()
            .try_for_each(|path| writeln!(out, "not looked into: {} (a link, or too deep)", one_line(path)))
    }
}

/// Most notices below the row of a form in a folder: the others are listed for the form alone.
const NOTICES_SHOWN_MAX: usize = 5;

/// Most choices in the line of a question; the report for programs has all of them.
const CHOICES_IN_LINE_MAX: usize = 50;

/// What can be answered: `yes|no`, or the type of the answer.
fn answers(question: &QuestionShown) -> String {
    let QuestionShown { kind, choices, .. } = question;
    let shown = choices[..choices.len().min(CHOICES_IN_LINE_MAX)].join("|");
    match choices.len().saturating_sub(CHOICES_IN_LINE_MAX) {
        _ if choices.is_empty() => (*kind).to_owned(),
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `1 question`, `2 questions`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

impl Checked {
    fn row(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Loaded(Loaded { file, id, version, questions, notices, .. }) => {
                let version =
                    if version.is_empty() { String::new() } else { format!(" version {}", one_line(version)) };
                let (asked, noted) = (counted(questions.len(), "question"), counted(notices.len(), "notice"));
                let (file, id, version) = (one_line(file), one_line(id), version);
                writeln!(out, "loaded   {file}  {id}{version}, {asked}, {noted}")?;
                for notice in notices.iter().take(NOTICES_SHOWN_MAX) {
                    writeln!(out, "  note     {}", one_line(&notice.line))?;
                }
                if notices.len() > NOTICES_SHOWN_MAX {
                    let more = notices.len() - NOTICES_SHOWN_MAX;
                    writeln!(out, "  note     and {more} more; `merestone form check {file}` lists them")?;
                }
                Ok(())
            }
            Self::Refused(Refused { file, line, .. }) => {
                writeln!(out, "refused  {}  {}", one_line(file), one_line(line))
            }
        }
    }
}

impl Loaded {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let version =
            if self.version.is_empty() { "without a version".to_owned() } else { format!("version {}", self.version) };
        writeln!(out, "{} · {} · {}", one_line(&self.title), one_line(&self.id), one_line(&version))?;
        writeln!(out, "form {}", self.form)?;
        for question in &self.questions {
            let key = match &question.repeat {
                Some(repeat) => format!("{repeat}/ROW/{}", question.name),
                None => question.name.clone(),
            };
            let kind = answers(question);
            let note = match (question.required, question.calculated) {
                (_, true) => " (calculated)",
                (true, false) => " (required)",
                (false, false) => "",
            };
            writeln!(out, "  {key:<28} {kind:<10} {}{note}", one_line(&question.label))?;
        }
        self.notices.iter().try_for_each(|notice| writeln!(out, "  note     {}", one_line(&notice.line)))
    }
}
