//! `merestone import`: what was collected with ODK or Kobo.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use merestone_exchange::Schema;
use merestone_exchange::import::{
    Exactness, FormName, INSTANCE_BYTES_MAX, NamedCsv, Submission, peek, read_csv, read_xml,
};
use merestone_node::Device;
use merestone_node::forms::MissionForm;
use serde::Serialize;

use super::export::schema;
use super::{Context, answers, choose_observer, record, roster};
use crate::exchange::{Outcome, Taker};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;

/// Largest CSV, in bytes.
const TABLE_BYTES_MAX: usize = 256 << 20;
/// Deepest folder below the one that is named: Central's and Briefcase's have two.
const FOLDERS_DEEP_MAX: usize = 4;
/// Most files that one import looks at.
const FILES_MAX: usize = 1_000_000;

/// Take over submissions of ODK or Kobo as records, signed by you and marked as imported.
///
/// From XML instances: a file, or a folder of them as ODK Collect, Briefcase and Central keep it. From CSV: the table of
/// records; the tables of repeats are those beside it whose names begin with its own. Photos are looked for beside the
/// instance or table, in `media` beside it, and in --media.
///
/// A submission whose instance id a record carries already is not taken twice; what was missing of it then, photos above
/// all, is added. Every answer is kept to the byte, or its submission is refused by name.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 0: everything is taken. 1: a submission was refused. 2: files are missing. Each is named.\n\n\
                        Example:\n  merestone import instances --form inspection --scope North --home camp\n  \
                        merestone import inspection.csv --media photos --home phone"
)]
pub(crate) struct ImportArgs {
    /// A folder of XML instances, one of them, or a CSV.
    from: PathBuf,
    /// The form, by name or hash. Default: the one that the instances name.
    #[arg(long)]
    form: Option<String>,
    /// The scope, by name or id. Default: the only one that the observer's certificate grants.
    #[arg(long)]
    scope: Option<String>,
    /// Another folder with photos.
    #[arg(long, value_name = "DIR")]
    media: Option<PathBuf>,
    /// Compose texts (NFC) and drop control and direction characters where they could not be kept exactly, and name each.
    #[arg(long)]
    tidy: bool,
    /// Read everything and say what would be taken; sign nothing.
    #[arg(long)]
    dry_run: bool,
    /// Who signs, by name or key. Default: the device's only observer.
    #[arg(long, value_name = "WHO")]
    observer: Option<String>,
    /// The local time's offset from UTC, as +HH:MM.
    #[arg(long, value_name = "OFFSET", value_parser = answers::utc_offset, default_value = "+00:00", allow_hyphen_values = true)]
    utc_offset: i16,
}

/// A submission and where its files may lie; or why there is none.
struct Read {
    /// The file, and the row of a table.
    source: String,
    form: Option<MissionForm>,
    submission: Result<Submission, RefusedShown>,
    folders: Vec<PathBuf>,
}

impl ImportArgs {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let device = context.open(self.utc_offset)?;
        let observer = choose_observer(&device, self.observer.as_deref())?;
        let charter = device.charter();
        let scope = match &self.scope {
            Some(name) => roster::scope_named(charter.charter(), name)?,
            None => record::only_scope(charter.charter(), &observer)?,
        };
        let form = self.form.as_deref().map(|name| record::form_named(&device, name)).transpose()?;
        let read = self.read(&device, form)?;
        if !self.dry_run {
            context.unlock(&device, &observer)?;
        }
        device.catch_up()?;
        let mut shown = ImportShown { dry_run: self.dry_run, ..ImportShown::default() };
        // What the device holds is looked up before anything is saved, so that the index is not made again for each.
        let mut work = Vec::new();
        for one in read {
            let Read { source, form, submission, folders } = one;
            let (submission, form) = match (submission, form) {
                (Ok(submission), Some(form)) => (submission, form),
                (Ok(_), None) => continue,
                (Err(refused), _) => {
                    shown.refused.push(refused);
                    continue;
                }
            };
            let taker = Taker { device: &device, observer: observer.key, scope, form: form.hash };
            let known = taker.find(&submission.instance)?;
            work.push((source, submission, taker, known, folders));
        }
        let mut taken = BTreeMap::new();
        for (source, submission, taker, known, folders) in work {
            shown.tidied.extend(submission.tidied.iter().map(|key| format!("{source}: {key}")));
            let known = known.or_else(|| taken.get(&submission.instance).copied());
            if self.dry_run {
                shown.would(known.is_some());
                continue;
            }
            let outcome = taker.take(&submission, known, &folders).map_err(|failure| failure.about(&source))?;
            taken.insert(submission.instance.clone(), outcome.record);
            shown.took(&submission.instance, &outcome);
        }
        context.screen.show(&shown)?;
        Ok(match (shown.refused.is_empty(), shown.missing.is_empty()) {
            (false, _) => Code::Failed,
            (true, false) => Code::Undecided,
            (true, true) => Code::Done,
        })
    }

    fn exactness(&self) -> Exactness {
        if self.tidy { Exactness::Tidied } else { Exactness::Exact }
    }

    fn read(&self, device: &Device, form: Option<MissionForm>) -> Result<Vec<Read>, Failure> {
        let is_csv = |path: &Path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        if is_csv(&self.from) {
            let form = form.ok_or_else(|| Failure::new(Code::Usage, "which form? a table names none: use --form"))?;
            return self.read_table(form);
        }
        let mut files = Vec::new();
        if self.from.is_dir() {
            instances_below(&self.from, FOLDERS_DEEP_MAX, &mut files)?;
        } else {
            files.push(self.from.clone());
        }
        let mut forms = Forms { device, named: form, found: BTreeMap::new() };
        files.into_iter().map(|path| self.read_instance(path, &mut forms)).collect()
    }

    fn read_table(&self, form: MissionForm) -> Result<Vec<Read>, Failure> {
        let schema = schema(&form)?;
        let folder = self.from.parent().unwrap_or(Path::new("")).to_owned();
        let stem = stem(&self.from);
        let main = input::read(&self.from, "a table", TABLE_BYTES_MAX)?;
        let mut repeats = Vec::new();
        for path in beside(&self.from)? {
            let name = self::stem(&path);
            let is_repeat = name.strip_prefix(stem.as_str()).is_some_and(|rest| rest.starts_with('-'));
            let is_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
            if is_repeat && is_csv {
                repeats.push((name, input::read(&path, "a table", TABLE_BYTES_MAX)?));
            }
        }
        let named: Vec<NamedCsv<'_>> = repeats.iter().map(|(name, bytes)| NamedCsv { name, bytes }).collect();
        let main = NamedCsv { name: &stem, bytes: &main };
        let read = read_csv(&schema, main, &named, self.exactness()).map_err(|refused| {
            Failure::bad_input(format!("{}: {refused}", refused.code())).about(self.from.display())
        })?;
        let row = |(number, read): (usize, Result<Submission, _>)| {
            let source = format!("{}:{}", self.from.display(), number + 2);
            let refused = |refused: merestone_exchange::import::ImportRefused| RefusedShown {
                source: source.clone(),
                code: refused.code(),
                why: refused.to_string(),
            };
            let submission = read.map_err(refused);
            Read { form: Some(form.clone()), submission, folders: self.folders(&folder), source }
        };
        Ok(read.into_iter().enumerate().map(row).collect())
    }

    fn read_instance(&self, path: PathBuf, forms: &mut Forms<'_>) -> Result<Read, Failure> {
        let source = path.display().to_string();
        let folders = self.folders(path.parent().unwrap_or(Path::new("")));
        let refused = |code, why| Err(RefusedShown { source: source.clone(), code, why });
        // One byte more than an instance may have shows that it has more.
        let bytes = match input::read(&path, "an instance", INSTANCE_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(failure) => {
                let submission = refused("not-readable", failure.line().to_owned());
                return Ok(Read { source, form: None, submission, folders });
            }
        };
        let read = peek(&bytes).map_err(|error| (error.code(), error.to_string())).and_then(|name| {
            let (form, schema) = forms.of(&name).map_err(|why| ("other-form", why))?;
            let read = read_xml(schema, &bytes, self.exactness()).map_err(|error| (error.code(), error.to_string()))?;
            Ok((form.clone(), read))
        });
        Ok(match read {
            Ok((form, submission)) => Read { source, form: Some(form), submission: Ok(submission), folders },
            Err((code, why)) => {
                let submission = refused(code, why);
                Read { source, form: None, submission, folders }
            }
        })
    }

    fn folders(&self, beside: &Path) -> Vec<PathBuf> {
        [Some(beside.to_owned()), Some(beside.join("media")), self.media.clone()].into_iter().flatten().collect()
    }
}

/// The forms that instances name.
struct Forms<'d> {
    device: &'d Device,
    named: Option<MissionForm>,
    found: BTreeMap<String, (MissionForm, Schema)>,
}

impl Forms<'_> {
    fn of(&mut self, name: &FormName) -> Result<&(MissionForm, Schema), String> {
        let version = name.version.as_deref().unwrap_or_default();
        let wanted = format!("{}\n{version}", name.id);
        if !self.found.contains_key(&wanted) {
            let form = match &self.named {
                Some(form) => form.clone(),
                None => self.search(&name.id, version)?,
            };
            let schema = schema(&form).map_err(|failure| failure.line().to_owned())?;
            self.found.insert(wanted.clone(), (form, schema));
        }
        self.found.get(&wanted).ok_or_else(String::new)
    }

    /// The form of that id; of several, the one of that version.
    fn search(&self, id: &str, version: &str) -> Result<MissionForm, String> {
        let mut forms = self.device.forms().map_err(|error| error.to_string())?;
        forms.retain(|form| form.kind == id);
        if forms.len() > 1 {
            forms.retain(|form| form.version == version);
        }
        match forms.as_slice() {
            [form] => Ok(form.clone()),
            [] => Err("the mission has no form of its id; name one with --form".to_owned()),
            _ => Err("the mission has several forms of its id; name one with --form, by hash".to_owned()),
        }
    }
}

/// The XML files of a folder, those of each folder in the order of their names.
fn instances_below(folder: &Path, deep: usize, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for path in listed(folder)? {
        let Ok(metadata) = path.symlink_metadata() else { continue };
        let is_xml = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xml"));
        if metadata.is_dir() && deep > 0 {
            instances_below(&path, deep - 1, found)?;
        } else if metadata.is_file() && is_xml {
            found.push(path);
        }
        if found.len() > FILES_MAX {
            return Err(Failure::bad_input(format!("more than {FILES_MAX} files; import them in parts")));
        }
    }
    Ok(())
}

fn beside(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    listed(folder)
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let refused = |error: io::Error| Failure::input_file(folder, "a folder", &error);
    let entries = fs::read_dir(folder).map_err(refused)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<Result<Vec<_>, _>>().map_err(refused)?;
    paths.sort();
    Ok(paths)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[derive(Default, Serialize)]
struct ImportShown {
    dry_run: bool,
    imported: usize,
    completed: usize,
    already: usize,
    entries: usize,
    files_arrived: usize,
    missing: Vec<MissingShown>,
    refused: Vec<RefusedShown>,
    tidied: Vec<String>,
}

#[derive(Serialize)]
struct MissingShown {
    instance: String,
    file: String,
    why: &'static str,
}

#[derive(Serialize)]
struct RefusedShown {
    source: String,
    code: &'static str,
    why: String,
}

impl ImportShown {
    fn would(&mut self, is_known: bool) {
        *(if is_known { &mut self.already } else { &mut self.imported }) += 1;
    }

    fn took(&mut self, instance: &str, outcome: &Outcome) {
        let Outcome { record: _, is_new, entries, arrived, missing } = outcome;
        match (is_new, entries) {
            (true, _) => self.imported += 1,
            (false, 0) => self.already += 1,
            (false, _) => self.completed += 1,
        }
        self.entries += entries;
        self.files_arrived += arrived;
        let missing =
            missing.iter().map(|(file, why)| MissingShown { instance: instance.to_owned(), file: file.clone(), why });
        self.missing.extend(missing);
    }
}

impl Report for ImportShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let done = if self.dry_run { "would import" } else { "imported" };
        writeln!(
            out,
            "{done} {} submissions; {} completed, {} were here already",
            self.imported, self.completed, self.already
        )?;
        writeln!(out, "signed   {} entries, with {} files", self.entries, self.files_arrived)?;
        for MissingShown { instance, file, why } in &self.missing {
            writeln!(out, "missing  {} of {}: {why}", crate::output::one_line(file), instance)?;
        }
        for RefusedShown { source, code, why } in &self.refused {
            writeln!(out, "refused  {source}: {code}: {why}")?;
        }
        for place in &self.tidied {
            writeln!(out, "tidied   {place}")?;
        }
        Ok(())
    }
}
