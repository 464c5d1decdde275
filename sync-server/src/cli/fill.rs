//! `merestone record fill`: a form at a terminal, question by question. Every answer is durable before the next question.

mod asking;
mod talk;

use std::io::{self, Write};

use merestone_core::id::{RecordId, ScopeId};
use merestone_core::key::PublicKey;
use merestone_node::Device;
use merestone_node::draft::Draft;
use merestone_node::forms::MissionForm;

use super::record::{SavedShown, SigningArgs, form_named, only_scope, record_id};
use super::{Context, choose_observer, roster};
use crate::exit::{Code, Failure};
use asking::{Asking, Ended, language_named};
use talk::Talk;

#[derive(Debug, clap::Args)]
pub(crate) struct FillArgs {
    /// The form: its form_id (inspection, incident, patrol, access-restriction, crossing-count, or your own) or its hash.
    #[arg(long, required_unless_present = "record")]
    form: Option<String>,
    /// Change this record instead of making a new one.
    #[arg(long, value_name = "RECORD", value_parser = record_id, conflicts_with = "form")]
    record: Option<RecordId>,
    /// The scope of a new record, by name or id. Default: the only one that the observer's certificate grants.
    #[arg(long, conflicts_with = "record")]
    scope: Option<String>,
    /// Begin anew, even if there is a draft that was not saved.
    #[arg(long)]
    anew: bool,
    /// The language of the questions, by its code or name. Default: the form's.
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    #[command(flatten)]
    signing: SigningArgs,
}

impl FillArgs {
    pub(super) fn run(self, context: &Context) -> Result<Code, Failure> {
        let device = context.open(self.signing.signer.utc_offset)?;
        let observer = choose_observer(&device, self.signing.signer.observer.as_deref())?;
        context.unlock(&device, &observer)?;
        let (form, subject) = match (&self.form, self.record) {
            (_, Some(record)) => {
                let begun = device.begin_edit(&observer.key, record)?;
                let form = device.form(begun.form)?.ok_or_else(|| {
                    let line = format!("the form of record {record} is not on this device; sync with base camp for it");
                    Failure::bad_input(line)
                })?;
                (form, Subject::Record(Box::new(begun)))
            }
            (Some(name), None) => {
                let scope = match &self.scope {
                    Some(name) => roster::scope_named(device.charter().charter(), name)?,
                    None => only_scope(device.charter().charter(), &observer)?,
                };
                (form_named(&device, name)?, Subject::New(scope))
            }
            (None, None) => return Err(Failure::new(Code::Usage, "name a --form, or the --record to change")),
        };
        let (draft, is_resumed) = self.draft(&device, &observer.key, &form, subject)?;
        let no_questions = || {
            let line =
                format!("the questions of {} are not on this device; give them with `merestone form add`", form.kind);
            Failure::new(Code::BadInput, line)
        };
        let questions = device.form(draft.form)?.and_then(|form| form.questions).ok_or_else(no_questions)?;
        let language = self.language.as_deref().map(|wanted| language_named(&questions, wanted)).transpose();
        let language = language.map_err(|line| Failure::new(Code::Usage, line))?;
        let draft = self.signing.located(&device, device.keep(draft)?)?;
        let mut interview = device.interview(draft, is_resumed)?.ok_or_else(no_questions)?;
        if language.is_some() {
            interview.set_language(language);
        }
        // A program that reads the report gets nothing else on standard output.
        let to: Box<dyn Write> = if context.screen.is_json() { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
        let mut talk = Talk::new(io::stdin().lock(), to);
        let damaged = device.damaged_drafts()?.len();
        if damaged > 0 {
            talk.say(&format!(
                "{damaged} drafts on this device cannot be read; they are kept (`merestone device show`)."
            ))?;
        }
        let ended = Asking::new(&device, interview, &mut talk).run(is_resumed)?;
        match ended {
            Ended::Saved(saved) => {
                context.screen.show(&SavedShown::of(saved))?;
                Ok(Code::Done)
            }
            Ended::Kept => {
                let line = "not saved: what was answered is kept; the same command goes on with it";
                Err(Failure::new(Code::Undecided, line))
            }
            Ended::Discarded => Ok(Code::Done),
        }
    }

    /// The draft to go on with, and whether somebody began it before.
    fn draft(
        &self,
        device: &Device,
        observer: &PublicKey,
        form: &MissionForm,
        subject: Subject,
    ) -> Result<(Draft, bool), Failure> {
        if !self.anew {
            let begun = match (&subject, self.record) {
                (Subject::New(scope), _) => device.begun(observer, *scope, &form.kind)?,
                (Subject::Record(_), Some(record)) => device.begun_edit(observer, record)?,
                (Subject::Record(_), None) => None,
            };
            if let Some(draft) = begun {
                return Ok((draft, true));
            }
        }
        match subject {
            Subject::Record(draft) => Ok((*draft, false)),
            Subject::New(scope) => Ok((device.begin(observer, scope, form.hash)?, false)),
        }
    }
}

/// What is filled.
enum Subject {
    New(ScopeId),
    Record(Box<Draft>),
}
