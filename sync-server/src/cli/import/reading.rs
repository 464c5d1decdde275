//! Submissions out of files, in batches, so that memory does not grow with their number.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use merestone_exchange::Schema;
use merestone_exchange::import::{
    CsvRead, CsvRefused, Exactness, FormName, INSTANCE_BYTES_MAX, ImportRefused, NamedCsv, Orphan, Submission,
    TABLE_BYTES_MAX, csv_repeats, peek, read_csv, read_edit, read_xml,
};
use merestone_node::Device;
use merestone_node::forms::MissionForm;

use super::super::export::schema;
use crate::exchange::is_file;
use crate::exit::{Code, Failure};
use crate::folder::{self, Below};
use crate::input;

/// Submissions that are held at a time: the list of records is brought up to date once for as many.
const BATCH_MAX: usize = 500;
/// Bytes of files that are held at a time; with what is made of them, some five times as much memory.
const BATCH_BYTES_MAX: usize = 32 << 20;

/// Most bytes of a table and those of its repeats together: they are held whole at a time.
const TABLES_BYTES_MAX: u64 = 128 << 20;

/// Some submissions.
pub(super) struct Batch(pub(super) Vec<Read>);

/// A submission and where its files may lie; or why there is none.
pub(super) struct Read {
    /// The file, and the row of a table.
    pub(super) source: String,
    /// The submission and its form; or a word and a reason.
    pub(super) submission: Result<(Submission, MissionForm), (&'static str, String)>,
    pub(super) folders: Vec<PathBuf>,
    /// The instance, of XML.
    pub(super) bytes: Option<Vec<u8>>,
}

/// What is read, as far as it was.
pub(super) struct Reading<'d> {
    forms: Forms<'d>,
    exactness: Exactness,
    media: Option<PathBuf>,
    from: From,
    /// Files that are no instances, and those of folders in which photos are looked for.
    rest: BTreeSet<PathBuf>,
    /// Files that submissions name.
    named: HashSet<PathBuf>,
    passed_over: Vec<PathBuf>,
}

enum From {
    Instances(std::vec::IntoIter<PathBuf>),
    Rows { table: PathBuf, number: usize, form: MissionForm, rows: Rows, orphans: Orphans },
}

type Rows = std::vec::IntoIter<Result<Submission, ImportRefused>>;
type Orphans = std::vec::IntoIter<Orphan>;

impl<'d> Reading<'d> {
    /// Opens a folder of instances, one of them, or a table.
    pub(super) fn open(
        device: &'d Device,
        from: &Path,
        media: Option<&Path>,
        form: Option<MissionForm>,
        exactness: Exactness,
    ) -> Result<Self, Failure> {
        let (mut rest, mut passed_over) = (BTreeSet::new(), Vec::new());
        for folder in [media.map(Path::to_owned), Some(folder_of(from).join("media"))].into_iter().flatten() {
            if Some(folder.as_path()) == media || folder.is_dir() {
                let listed = folder::listed(&folder)?.into_iter();
                rest.extend(listed.filter(|(path, kind)| kind.is_file() && !is_hidden(path)).map(|(path, _)| path));
            }
        }
        let from = if folder::ends_in(from, "csv") && !from.is_dir() {
            let form = form.clone();
            let form = form.ok_or_else(|| Failure::new(Code::Usage, "which form? a table names none: use --form"))?;
            let CsvRead { submissions, orphans } = read_table(from, &schema(&form)?, exactness)?;
            let (rows, orphans) = (submissions.into_iter(), orphans.into_iter());
            From::Rows { table: from.to_owned(), number: 2, form, rows, orphans }
        } else if from.is_dir() {
            let Below { files, passed_over: over } = folder::below(from, |_| true)?;
            let (instances, others): (Vec<_>, Vec<_>) =
                files.into_iter().partition(|file| folder::ends_in(file, "xml"));
            if instances.is_empty() {
                let line = format!("{} holds no instance (.xml); name a table by its file", from.display());
                return Err(Failure::bad_input(line));
            }
            rest.extend(others.into_iter().filter(|file| !is_hidden(file)));
            passed_over = over;
            From::Instances(instances.into_iter())
        } else {
            // A file that was named is there, or the command is not done.
            std::fs::File::open(from).map_err(|error| Failure::input_file(from, "an instance", &error))?;
            From::Instances(vec![from.to_owned()].into_iter())
        };
        let forms = Forms { device, named: form, found: BTreeMap::new() };
        let media = media.map(Path::to_owned);
        Ok(Self { forms, exactness, media, from, rest, named: HashSet::new(), passed_over })
    }

    /// The next submissions; none after the last.
    pub(super) fn batch(&mut self) -> Option<Batch> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH_MAX
            && bytes < BATCH_BYTES_MAX
            && let Some(read) = self.next()
        {
            bytes += read.bytes.as_ref().map_or(0, Vec::len);
            batch.push(read);
        }
        if batch.is_empty() { None } else { Some(Batch(batch)) }
    }

    fn next(&mut self) -> Option<Read> {
        match &mut self.from {
            From::Instances(files) => {
                let path = files.next()?;
                Some(self.instance(&path))
            }
            From::Rows { table, number, form, rows, orphans } => {
                let folder = folder_of(table);
                let (source, read) = match rows.next() {
                    Some(read) => (format!("{}:{number}", table.display()), read),
                    None => {
                        // A row that belongs to no submission is named where it stands.
                        let orphan = orphans.next()?;
                        let file = folder.join(format!("{}.csv", orphan.table));
                        (format!("{}:{}", file.display(), orphan.row), Err(orphan.into()))
                    }
                };
                *number += 1;
                let submission = match read {
                    Ok(submission) => Ok((submission, form.clone())),
                    Err(refused) => Err((refused.code(), refused.to_string())),
                };
                Some(Read { source, submission, folders: folders(&folder, self.media.as_deref()), bytes: None })
            }
        }
    }

    fn instance(&mut self, path: &Path) -> Read {
        let source = path.display().to_string();
        let folders = folders(&folder_of(path), self.media.as_deref());
        let bytes = match input::read(path, "an instance", INSTANCE_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(failure) => {
                let submission = Err(("not-readable", failure.line().to_owned()));
                return Read { source, submission, folders, bytes: None };
            }
        };
        let said = |error: ImportRefused| (error.code(), error.to_string());
        let submission = peek(&bytes).map_err(said).and_then(|name| {
            let (form, schema) = self.forms.of(&name).map_err(|why| ("other-form", why))?;
            Ok((read_xml(schema, &bytes, self.exactness).map_err(said)?, form.clone()))
        });
        Read { source, submission, folders, bytes: Some(bytes) }
    }

    /// An instance again, as an edit of the one with the id `of`; or why that cannot be.
    pub(super) fn read_edit(&self, form: &MissionForm, bytes: Option<&[u8]>, of: &str) -> Result<Submission, String> {
        let Some(bytes) = bytes else {
            return Err(format!("it is an edit of {of}, which a table cannot tell row by row; import its XML"));
        };
        let schema = schema(form).map_err(|failure| failure.line().to_owned())?;
        read_edit(&schema, bytes, self.exactness, of).map_err(|refused| refused.to_string())
    }

    /// A submission names these files.
    pub(super) fn named(&mut self, submission: &Submission, folders: &[PathBuf]) {
        for attachment in submission.attachments.iter().filter(|attachment| attachment.is_plain()) {
            let paths = folders.iter().map(|folder| folder.join(&attachment.file));
            self.named.extend(paths.filter(|path| is_file(path)));
        }
    }

    /// Files beside a submission that was refused may be its own: nothing can be said of them.
    pub(super) fn leave(&mut self, folders: &[PathBuf]) {
        if let Some(beside) = folders.first() {
            self.rest.retain(|file| file.parent() != Some(beside.as_path()));
        }
    }

    /// Files that lie where photos are looked for and that no submission names.
    pub(super) fn unnamed(&self) -> Vec<PathBuf> {
        self.rest.iter().filter(|file| !self.named.contains(*file)).cloned().collect()
    }

    /// Folders and links that were not looked into.
    pub(super) fn passed_over(&self) -> &[PathBuf] {
        &self.passed_over
    }
}

fn read_table(path: &Path, schema: &Schema, exactness: Exactness) -> Result<CsvRead, Failure> {
    let stem = stem(path);
    let refused =
        |refused: CsvRefused| Failure::bad_input(format!("{}: {refused}", refused.code())).about(path.display());
    let mut beside: Vec<(String, PathBuf)> = Vec::new();
    for (file, kind) in folder::listed(&folder_of(path))? {
        let name = self::stem(&file);
        let is_repeat = name.strip_prefix(stem.as_str()).is_some_and(|rest| rest.starts_with('-'));
        if is_repeat && kind.is_file() && folder::ends_in(&file, "csv") {
            beside.push((name, file));
        }
    }
    // Nothing is read before it is known to be wanted, and to have room.
    let names: Vec<&str> = beside.iter().map(|(name, _)| name.as_str()).collect();
    csv_repeats(schema, &stem, &names).map_err(refused)?;
    let size = |file: &Path| file.metadata().map_or(0, |metadata| metadata.len());
    let bytes = beside.iter().map(|(_, file)| size(file)).fold(size(path), u64::saturating_add);
    if bytes > TABLES_BYTES_MAX {
        let line =
            format!("the tables have {bytes} bytes together, at most {TABLES_BYTES_MAX} are read; import in parts");
        return Err(Failure::bad_input(line).about(path.display()));
    }
    let main = input::read(path, "a table", TABLE_BYTES_MAX)?;
    let read = |(name, file): (String, PathBuf)| Ok((name, input::read(&file, "a table", TABLE_BYTES_MAX)?));
    let repeats = beside.into_iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
    let named: Vec<NamedCsv<'_>> = repeats.iter().map(|(name, bytes)| NamedCsv { name, bytes }).collect();
    let main = NamedCsv { name: &stem, bytes: &main };
    let read = read_csv(schema, main, &named, exactness).map_err(refused)?;
    if read.submissions.is_empty() && read.orphans.is_empty() {
        return Err(Failure::bad_input(format!(
            "{} holds no submission: it has no row below its headings",
            path.display()
        )));
    }
    Ok(read)
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

/// Where the files of a submission may lie.
fn folders(beside: &Path, media: Option<&Path>) -> Vec<PathBuf> {
    [Some(beside.to_owned()), Some(beside.join("media")), media.map(Path::to_owned)].into_iter().flatten().collect()
}

fn folder_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_owned();
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// Whether a file is one that systems leave in folders.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'))
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
