//! What an import says: how many of what, and everything by name that is not as it should be.

use std::io::{self, Write};
use std::path::PathBuf;

use merestone_core::id::RecordId;
use serde::Serialize;

use crate::exchange::{Edited, Other, Outcome, What};
use crate::exit::Code;
use crate::output::{self, Report};

/// Files without a submission that are named on a screen; all are in the report for programs.
const UNNAMED_SHOWN_MAX: usize = 20;

#[derive(Default, Serialize)]
pub(super) struct ImportShown {
    pub(super) dry_run: bool,
    imported: usize,
    completed: usize,
    updated: usize,
    pub(super) already: usize,
    entries: usize,
    files_arrived: usize,
    differing: Vec<DifferingShown>,
    missing: Vec<MissingShown>,
    pub(super) refused: Vec<RefusedShown>,
    also: Vec<AlsoShown>,
    superseded: Vec<SupersededShown>,
    unnamed: Vec<String>,
    passed_over: Vec<String>,
    pub(super) tidied: Vec<String>,
}

/// A submission that says otherwise than when it was taken over.
#[derive(Serialize)]
struct DifferingShown {
    source: String,
    instance: String,
    record: String,
    why: &'static str,
    answers: Vec<ChangedShown>,
}

#[derive(Serialize)]
struct ChangedShown {
    key: String,
    here: &'static str,
}

#[derive(Serialize)]
struct MissingShown {
    instance: String,
    file: String,
    why: &'static str,
}

#[derive(Serialize)]
pub(super) struct RefusedShown {
    pub(super) source: String,
    pub(super) code: &'static str,
    pub(super) why: String,
}

/// A record that says the same instance id and does not count as the submission's.
#[derive(Serialize)]
struct AlsoShown {
    instance: String,
    record: String,
    why: &'static str,
}

/// A submission of which only an edit was taken over.
#[derive(Serialize)]
struct SupersededShown {
    source: String,
    instance: String,
    record: String,
}

impl ImportShown {
    pub(super) fn new(dry_run: bool) -> Self {
        Self { dry_run, ..Self::default() }
    }

    pub(super) fn took(&mut self, source: &str, instance: &str, outcome: &Outcome) {
        let Outcome { what, record, entries, arrived, missing, changed, added } = outcome;
        let why = match what {
            What::Imported => {
                self.imported += 1;
                None
            }
            What::Completed => {
                self.completed += 1;
                None
            }
            What::Already => {
                self.already += 1;
                None
            }
            What::Updated => {
                self.updated += 1;
                Some("taken-over")
            }
            What::Differs => Some("changed-since"),
            What::DiffersFromOtherFile => Some("changed-since-in-other-kind-of-file"),
        };
        if let Some(why) = why {
            let shown = |key: &String, here| ChangedShown { key: key.clone(), here };
            let added = added.iter().map(|key| shown(key, "added"));
            let answers = changed.iter().map(|one| shown(&one.key, one.here.code())).chain(added).collect();
            self.differs(source, instance, *record, why, answers);
        }
        self.entries += entries;
        self.files_arrived += arrived;
        self.lacks(instance, missing);
    }

    /// A record of this mission came back.
    pub(super) fn own(&mut self, source: &str, instance: &str, edited: Edited) {
        let Edited { record, changed, entries, arrived, missing } = edited;
        let answers: Vec<_> = changed.into_iter().map(|(key, here)| ChangedShown { key, here }).collect();
        match (entries, answers.is_empty()) {
            (0, true) => self.already += 1,
            (0, false) => self.differs(source, instance, Some(record), "recorded-here", answers),
            (_, _) => {
                self.updated += 1;
                self.differs(source, instance, Some(record), "taken-over", answers);
            }
        }
        self.entries += entries;
        self.files_arrived += arrived;
        self.lacks(instance, &missing);
    }

    fn lacks(&mut self, instance: &str, files: &[(String, &'static str)]) {
        let shown = |(file, why): &(String, &'static str)| {
            let (instance, file) = (instance.to_owned(), file.clone());
            MissingShown { instance, file, why }
        };
        self.missing.extend(files.iter().map(shown));
    }

    fn differs(
        &mut self,
        source: &str,
        instance: &str,
        record: Option<RecordId>,
        why: &'static str,
        answers: Vec<ChangedShown>,
    ) {
        let record = record.map(|record| record.to_string()).unwrap_or_default();
        let (source, instance) = (source.to_owned(), instance.to_owned());
        self.differing.push(DifferingShown { source, instance, record, why, answers });
    }

    /// Nothing was taken of a submission: its record was made of an edit of it.
    pub(super) fn superseded(&mut self, source: &str, instance: &str, record: RecordId) {
        let (source, instance, record) = (source.to_owned(), instance.to_owned(), record.to_string());
        self.superseded.push(SupersededShown { source, instance, record });
    }

    pub(super) fn also(&mut self, instance: &str, others: &[Other]) {
        let others = others.iter().map(|other| AlsoShown {
            instance: instance.to_owned(),
            record: other.record.to_string(),
            why: other.why,
        });
        self.also.extend(others);
    }

    pub(super) fn unnamed(&mut self, files: Vec<PathBuf>) {
        self.unnamed = files.iter().map(|file| file.display().to_string()).collect();
    }

    pub(super) fn passed_over(&mut self, paths: &[PathBuf]) {
        self.passed_over = paths.iter().map(|path| path.display().to_string()).collect();
    }

    pub(super) fn code(&self) -> Code {
        // An update that left answers in conflict as they are is not whole either.
        let is_left = |one: &DifferingShown| {
            one.why != "taken-over"
                || one.answers.iter().any(|answer| matches!(answer.here, "conflict-here" | "derived-here"))
        };
        let is_twice = |also: &AlsoShown| also.why == "twice";
        if !self.refused.is_empty() || !self.passed_over.is_empty() || self.differing.iter().any(is_left) {
            return Code::Failed;
        }
        if !self.missing.is_empty() || !self.superseded.is_empty() || self.also.iter().any(is_twice) {
            Code::Undecided
        } else {
            Code::Done
        }
    }
}

impl Report for ImportShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { imported, completed, updated, already, entries, files_arrived, .. } = self;
        let (done, signed) = if self.dry_run { ("would import", "would sign") } else { ("imported", "signed") };
        writeln!(
            out,
            "{done} {imported} submissions; {completed} completed, {updated} updated, {already} were here already"
        )?;
        writeln!(out, "{signed} {entries} entries, with {files_arrived} files")?;
        for one in &self.differing {
            one.human(out)?;
        }
        if self.differing.iter().any(|one| matches!(one.why, "changed-since" | "recorded-here")) {
            writeln!(out, "to take these changes over, each as a further edit of its record: --update")?;
        }
        for MissingShown { instance, file, why } in &self.missing {
            writeln!(out, "missing  {} of {instance}: {why}", output::one_line(file))?;
        }
        for RefusedShown { source, code, why } in &self.refused {
            writeln!(out, "refused  {}: {code}: {}", output::one_line(source), output::one_line(why))?;
        }
        for AlsoShown { instance, record, why } in &self.also {
            writeln!(out, "also     {instance} is in record {record}, which is not counted: {why}")?;
        }
        for SupersededShown { source, instance, record } in &self.superseded {
            let source = output::one_line(source);
            writeln!(out, "superseded {instance} ({source}): never taken; record {record} was made of an edit of it")?;
        }
        for path in &self.passed_over {
            writeln!(out, "not looked into: {} (a link, or too deep)", output::one_line(path))?;
        }
        for file in self.unnamed.iter().take(UNNAMED_SHOWN_MAX) {
            writeln!(out, "no submission names {}", output::one_line(file))?;
        }
        if let Some(more) = self.unnamed.len().checked_sub(UNNAMED_SHOWN_MAX).filter(|more| *more > 0) {
            writeln!(out, "no submission names {more} more files; --json lists them")?;
        }
        for place in &self.tidied {
            writeln!(out, "tidied   {}", output::one_line(place))?;
        }
        Ok(())
    }
}

impl DifferingShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let keys: Vec<String> = self
            .answers
            .iter()
            .map(|answer| match answer.here {
                "as-taken" | "recorded-here" => answer.key.clone(),
                here => format!("{} ({here})", answer.key),
            })
            .collect();
        let Self { source, instance, record, why, answers: _ } = self;
        let source = output::one_line(source);
        writeln!(out, "differs  {instance} ({source}) from record {record}: {why}: {}", keys.join(", "))
    }
}
