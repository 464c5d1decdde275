//! `merestone record`: recording and changing. Reading is in `view`.

mod exhibit;
mod fork;
mod sign;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Subcommand;
use merestone_core::entry::Place;
use merestone_core::id::{RecordId, ScopeId};
use merestone_core::roster::Charter;
use merestone_forms::Form;
use merestone_node::capture::{PhotoSource, Saved};
use merestone_node::device::{Observer, ObserverState};
use merestone_node::draft::{Draft, DraftSubject};
use merestone_node::forms::MissionForm;
use merestone_node::{Answer, Device};
use serde::Serialize;

use self::exhibit::ExhibitArgs;
use self::fork::ForkArgs;
use self::sign::{RestateArgs, SignArgs};
use super::answers::{self, Setting};
use super::fill::FillArgs;
use super::view::{HistoryArgs, ListArgs, ShowArgs};
use super::{Context, choose_observer, roster};
use crate::exit::{Code, Failure};
use crate::output::Report;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Record something new. When this says "saved" it is signed, and on the disk for good.
    #[command(
        after_help = "Example:\n  merestone record new --form inspection --scope North --set post='North gate' \\\n    \
                      --set day=2026-05-04 --set status=open --set how_known=seen --photo gate.jpg --home phone\n\n\
                      The names that --set takes: `merestone form check inspection`."
    )]
    New(NewArgs),
    /// Fill a form at the terminal, question by question. Every answer is on the disk before the next question.
    ///
    /// What was not saved is kept as a draft, also after a crash: the same command goes on with it.
    #[command(after_help = "Example:\n  merestone record fill --form inspection --home phone")]
    Fill(FillArgs),
    /// Change answers of a record. Only what differs is written; what was there before stays in the history.
    #[command(after_help = "Example:\n  merestone record edit 9c0b… --set status=closed --home phone")]
    Edit(EditArgs),
    /// Settle a conflict: one value takes the place of all that stand side by side.
    #[command(after_help = "Example:\n  merestone record resolve 9c0b… --set status=closed --home phone")]
    Resolve(ResolveArgs),
    /// Say something about a record in your own name: that you made it too, took notice, agree, object, dissent, or rule.
    ///
    /// It is an entry of its own and changes no answer. It names the exact entries that it is about, and a later edit of
    /// these voids it, visibly.
    #[command(after_help = "Example:\n  merestone record sign 9c0b… --as concurrence --home phone\n  \
                      merestone record sign 9c0b… --as objection --text 'The gate was shut.' --home phone")]
    Sign(SignArgs),
    /// Write again, on what the record says now, what an entry wrote that is kept and not applied.
    ///
    /// Entries are kept so when they lost a fork, when a cut covers them, or when the record was erased around them.
    /// Of an erased record a new one is made, which names the old one.
    #[command(
        after_help = "Example:\n  merestone record history 9c0b… --home phone\n  merestone record restate 51ad… --home phone"
    )]
    Restate(RestateArgs),
    /// Write one entry into a file for somebody who holds nothing but the mission's id: who signed it, that it is in the
    /// ledger, and the answers you choose.
    #[command(
        after_help = "Example:\n  merestone record exhibit 51ad… --show status --show context/day --out gate.exhibit --home camp"
    )]
    Exhibit(ExhibitArgs),
    /// Write a file that shows two entries of one key at one position: that its log was forked.
    #[command(after_help = "Example:\n  merestone record fork 51ad… --out twins.fork --home camp")]
    Fork(ForkArgs),
    /// List records, newest first.
    #[command(after_help = "Example:\n  merestone record list --kind incident --search bridge --home camp")]
    List(ListArgs),
    /// Show one record: every answer, who gave it, and values in conflict side by side.
    #[command(after_help = "Example:\n  merestone record show 9c0b… --home phone")]
    Show(ShowArgs),
    /// Show who changed what in a record, entry by entry, and where each entry is held.
    #[command(after_help = "Example:\n  merestone record history 9c0b… --home phone")]
    History(HistoryArgs),
}

/// Who signs, and when.
#[derive(Debug, clap::Args)]
pub(crate) struct SignerArgs {
    /// Who signs, by name or key. Default: the device's only observer.
    #[arg(long, value_name = "WHO")]
    pub(super) observer: Option<String>,
    /// The local time's offset from UTC, as +HH:MM.
    #[arg(long, value_name = "OFFSET", value_parser = answers::utc_offset, default_value = "+00:00", allow_hyphen_values = true)]
    pub(super) utc_offset: i16,
}

/// Who signs, when, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct SigningArgs {
    #[command(flatten)]
    pub(super) signer: SignerArgs,
    /// The place, in degrees: LAT,LON or LAT,LON,METRES of accuracy.
    #[arg(long, value_parser = answers::place, allow_hyphen_values = true)]
    place: Option<Place>,
    /// The post.
    #[arg(long, value_name = "NAME")]
    post: Option<String>,
}

impl SigningArgs {
    /// The draft with the place and the post that were named; what was not named stays as the draft has it.
    pub(super) fn located(&self, device: &Device, draft: Draft) -> Result<Draft, Failure> {
        if self.place.is_none() && self.post.is_none() {
            return Ok(draft);
        }
        let post = self.post.as_deref().or(draft.post.as_deref());
        Ok(device.locate(draft.id, self.place.or(draft.place), post)?)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    /// The form: its form_id (inspection, incident, patrol, access-restriction, crossing-count, or your own) or its hash.
    #[arg(long)]
    form: String,
    /// The scope, by name or id. Default: the only one that the observer's certificate grants.
    #[arg(long)]
    scope: Option<String>,
    /// An answer. Repeat for each; nothing after `=` is an answer left blank.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = answers::setting)]
    settings: Vec<Setting>,
    /// A photo: its file is read, kept as it is, and signed. Repeat for each.
    #[arg(long = "photo", value_name = "FILE")]
    photos: Vec<PathBuf>,
    /// A party, by name or number, whose observers may change the record too. Repeat for each. Default: yours alone.
    #[arg(long = "writer", value_name = "PARTY")]
    writers: Vec<String>,
    /// Save although the form finds something missing or wrong.
    #[arg(long)]
    anyway: bool,
    #[command(flatten)]
    signing: SigningArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct EditArgs {
    /// The record's id.
    #[arg(value_parser = record_id)]
    record: RecordId,
    /// A new answer. Repeat for each.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = answers::setting)]
    settings: Vec<Setting>,
    /// A photo to add. Repeat for each.
    #[arg(long = "photo", value_name = "FILE")]
    photos: Vec<PathBuf>,
    /// Save although the form finds something wrong.
    #[arg(long)]
    anyway: bool,
    #[command(flatten)]
    signing: SigningArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ResolveArgs {
    /// The record's id.
    #[arg(value_parser = record_id)]
    record: RecordId,
    /// The answer that shall stand alone.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = answers::setting)]
    setting: Setting,
    #[command(flatten)]
    signer: SignerArgs,
}

/// Reads a record's id.
pub(super) fn record_id(text: &str) -> Result<RecordId, String> {
    RecordId::from_hex(text)
        .ok_or_else(|| "a record's id is 64 hex digits; `merestone record list` shows them".to_owned())
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        match self {
            Self::New(args) => new(context, args),
            Self::Fill(args) => args.run(context),
            Self::Edit(EditArgs { record, settings, photos, anyway, signing }) => {
                let photos = photos.into_iter().map(|file| NamedPhoto { file, caption: None }).collect();
                edit(context, record, Filling { settings, photos, anyway }, &signing)
            }
            Self::Resolve(args) => resolve(context, &args),
            Self::Sign(args) => sign::sign(context, args),
            Self::Restate(args) => sign::restate(context, &args),
            Self::Exhibit(args) => exhibit::exhibit(context, args),
            Self::Fork(args) => fork::fork(context, args),
            Self::List(args) => args.run(context),
            Self::Show(args) => args.run(context),
            Self::History(args) => args.run(context),
        }
    }
}

/// What is put into a draft.
pub(super) struct Filling {
    pub(super) settings: Vec<Setting>,
    pub(super) photos: Vec<NamedPhoto>,
    pub(super) anyway: bool,
}

/// A photo's file, and what is said of it.
pub(super) struct NamedPhoto {
    pub(super) file: PathBuf,
    pub(super) caption: Option<String>,
}

fn new(context: &Context, args: NewArgs) -> Result<Code, Failure> {
    let NewArgs { form, scope, settings, photos, writers, anyway, signing } = args;
    let device = context.open(signing.signer.utc_offset)?;
    let observer = choose_observer(&device, signing.signer.observer.as_deref())?;
    let form = form_named(&device, &form)?;
    let charter = device.charter();
    let scope = match &scope {
        Some(name) => roster::scope_named(charter.charter(), name)?,
        None => only_scope(charter.charter(), &observer)?,
    };
    let writers = parties_named(charter.charter(), &writers)?;
    let answers = answers_of(&settings, form.questions.as_deref())?;
    context.unlock(&device, &observer)?;

    let mut draft = device.begin(&observer.key, scope, form.hash)?;
    draft.subject = DraftSubject::New { writers };
    let photos = photos.into_iter().map(|file| NamedPhoto { file, caption: None }).collect::<Vec<_>>();
    save(context, &device, draft, answers, &photos, anyway, &signing)
}

/// Changes a record, and shows what was saved.
pub(super) fn edit(
    context: &Context,
    record: RecordId,
    filling: Filling,
    signing: &SigningArgs,
) -> Result<Code, Failure> {
    let Filling { settings, photos, anyway } = filling;
    let device = context.open(signing.signer.utc_offset)?;
    let observer = choose_observer(&device, signing.signer.observer.as_deref())?;
    let answers = answers_of(&settings, form_of(&device, record)?.as_deref())?;
    context.unlock(&device, &observer)?;
    let draft = device.begin_edit(&observer.key, record)?;
    save(context, &device, draft, answers, &photos, anyway, signing)
}

fn resolve(context: &Context, args: &ResolveArgs) -> Result<Code, Failure> {
    let ResolveArgs { record, setting, signer } = args;
    let device = context.open(signer.utc_offset)?;
    let observer = choose_observer(&device, signer.observer.as_deref())?;
    let answer = setting.answer(form_of(&device, *record)?.as_deref())?;
    let view = device.record(*record)?.ok_or_else(|| unknown_record(*record))?;
    if view.values(&setting.key).len() < 2 {
        let line = format!("{} has no conflict; change it with `merestone record edit`", setting.key);
        return Err(Failure::new(Code::BadInput, line));
    }
    context.unlock(&device, &observer)?;
    let saved = device.resolve(&observer.key, *record, &setting.key, answer)?;
    context.screen.show(&SavedShown::of(saved))?;
    Ok(Code::Done)
}

/// Fills a draft and saves it; a draft that cannot be saved does not stay.
fn save(
    context: &Context,
    device: &Device,
    draft: Draft,
    answers: Vec<(String, Answer)>,
    photos: &[NamedPhoto],
    anyway: bool,
    signing: &SigningArgs,
) -> Result<Code, Failure> {
    let id = draft.id;
    let saved = fill_and_save(device, draft, answers, photos, anyway, signing);
    if saved.is_err() {
        // The reason is told below; a draft left behind by a full disk is small, and shown by `device show`.
        let _ = device.discard(id);
    }
    context.screen.show(&SavedShown::of(saved?))?;
    Ok(Code::Done)
}

fn fill_and_save(
    device: &Device,
    draft: Draft,
    answers: Vec<(String, Answer)>,
    photos: &[NamedPhoto],
    anyway: bool,
    signing: &SigningArgs,
) -> Result<Saved, Failure> {
    let draft = device.keep(draft)?;
    let id = draft.id;
    let answers = device.work_out(&draft, answers)?;
    let mut draft = device.put_all(id, answers)?;
    draft = signing.located(device, draft)?;
    for NamedPhoto { file, caption } in photos {
        let attached = device.attach(id, PhotoSource::File(file), None, caption.as_deref());
        draft = attached.map_err(|error| Failure::from(error).about(file.display()))?.draft;
    }
    let problems = if anyway { Vec::new() } else { device.problems(&draft)? };
    if !problems.is_empty() {
        let list = problems.iter().map(ToString::to_string);
        let list = list.collect::<Vec<_>>().join("; ");
        let line = format!("the form finds {list}; nothing was saved: mend it, or save it so with --anyway");
        return Err(Failure::new(Code::BadInput, line));
    }
    Ok(device.save(&draft)?)
}

fn answers_of(settings: &[Setting], form: Option<&Form>) -> Result<Vec<(String, Answer)>, Failure> {
    settings.iter().map(|setting| Ok((setting.key.clone(), setting.answer(form)?))).collect()
}

/// The questions of the form that a record follows now.
fn form_of(device: &Device, record: RecordId) -> Result<Option<std::sync::Arc<Form>>, Failure> {
    let view = device.record(record)?.ok_or_else(|| unknown_record(record))?;
    let Some(form) = view.form else { return Ok(None) };
    Ok(device.form(form)?.and_then(|form| form.questions))
}

pub(super) fn unknown_record(record: RecordId) -> Failure {
    let line = format!("record {record} is not on this device; see `merestone record list`, or sync first");
    Failure::new(Code::BadInput, line)
}

pub(super) fn form_named(device: &Device, name: &str) -> Result<MissionForm, Failure> {
    let forms = device.forms()?;
    let found: Vec<_> = forms.iter().filter(|form| is_named(form, name)).collect();
    match found.as_slice() {
        [form] => Ok((*form).clone()),
        [] => {
            let names = forms.iter().map(|form| form.kind.as_str()).collect::<Vec<_>>().join(", ");
            let has = if names.is_empty() { String::new() } else { format!("; it has {names}") };
            let line = format!("this device has no form {name}{has}; take up its file with `merestone form add FILE`");
            Err(Failure::new(Code::BadInput, line))
        }
        _ => Err(Failure::new(Code::BadInput, format!("several forms are called {name}; give the hash"))),
    }
}

/// `crossing-count` and `crossing_count` are the same name: file names have one, form ids the other.
fn is_named(form: &MissionForm, name: &str) -> bool {
    form.kind == name || form.kind.replace('_', "-") == name || form.hash.to_string() == name
}

pub(super) fn only_scope(charter: &Charter, observer: &Observer) -> Result<ScopeId, Failure> {
    match &observer.state {
        ObserverState::Certified { scopes, .. } => match scopes.as_slice() {
            [scope] => Ok(*scope),
            scopes => {
                let names = roster::scope_names(charter, scopes).join(", ");
                Err(Failure::new(Code::Usage, format!("which scope? name one with --scope: {names}")))
            }
        },
        ObserverState::Requested | ObserverState::Cut { .. } => {
            let line = format!("{} cannot sign now; see `merestone device show`", observer.name);
            Err(Failure::new(Code::BadInput, line))
        }
    }
}

fn parties_named(charter: &Charter, names: &[String]) -> Result<Vec<u64>, Failure> {
    let parties: BTreeSet<u64> = names.iter().map(|name| party_named(charter, name)).collect::<Result<_, _>>()?;
    Ok(parties.into_iter().collect())
}

fn party_named(charter: &Charter, name: &str) -> Result<u64, Failure> {
    let mut found = charter.parties.iter().filter(|party| party.name == name || party.number.to_string() == name);
    match (found.next(), found.next()) {
        (Some(party), None) => Ok(party.number.0),
        (None, _) => {
            Err(Failure::new(Code::BadInput, format!("the mission has no party {name}; see `merestone mission show`")))
        }
        (Some(_), Some(_)) => {
            Err(Failure::new(Code::BadInput, format!("several parties are called {name}; give the number")))
        }
    }
}

#[derive(Serialize)]
pub(super) struct SavedShown {
    record: String,
    entry: String,
    low_room: bool,
}

impl SavedShown {
    pub(super) fn of(saved: Saved) -> Self {
        let Saved { entry, record, low_room } = saved;
        Self { record: record.to_string(), entry: entry.to_string(), low_room }
    }
}

impl Report for SavedShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "saved   record {}", self.record)?;
        writeln!(out, "        entry  {}", self.entry)?;
        if self.low_room {
            writeln!(out, "The disk is nearly full: make room before the next.")?;
        }
        Ok(())
    }
}
