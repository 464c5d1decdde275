//! `merestone export`: records for other programs.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use merestone_core::id::BlobHash;
use merestone_exchange::export::{AUDIT, INSTANCE, NotWritten, XlsxRefused};
use merestone_exchange::export::{csv, geojson, gpx, json, kml, submission, xlsx};
use merestone_exchange::{Held, Record, Schema, Sheet, Value, tables};
use merestone_node::forms::MissionForm;
use merestone_node::{Answer, Device};
use serde::Serialize;

use super::{Context, record, roster};
use crate::exchange::{Gathered, gather};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;

const AFTER: &str = "An export is a copy for people and programs, and carries no signature: evidence is a bag \
    (`merestone bag`).\n\nWhat is not settled is said in its columns: values in conflict stand side by side, and each \
    row of answers and values says its standing (`core/spec/exchange.md`).\n\n\
    Exit code 0: everything is in it. 2: something is not, and is named.";

/// Exporting, by format. The files are new ones; nothing is overwritten.
#[derive(Debug, Subcommand)]
#[command(after_help = AFTER)]
pub(crate) enum Verb {
    /// Tables as CSV: a new folder with one file for the records, one for each repeat, one for every value, one for photos.
    ///
    /// A text that a spreadsheet could take for a formula gets an apostrophe in front; `import` takes it away again.
    #[command(after_help = "Example:\n  merestone export csv tables --form incident --home camp")]
    Csv(ExportArgs),
    /// The same tables as an Excel workbook, in which texts are texts.
    #[command(after_help = "Example:\n  merestone export xlsx incidents.xlsx --form incident --home camp")]
    Xlsx(ExportArgs),
    /// A map as GeoJSON.
    #[command(after_help = "Example:\n  merestone export geojson incidents.geojson --form incident --home camp")]
    Geojson(ExportArgs),
    /// A map as KML.
    #[command(after_help = "Example:\n  merestone export kml incidents.kml --form incident --home camp")]
    Kml(ExportArgs),
    /// Waypoints and tracks as GPX.
    #[command(after_help = "Example:\n  merestone export gpx incidents.gpx --form incident --home camp")]
    Gpx(ExportArgs),
    /// Everything as JSON, by the schema in `core/spec/export-1.schema.json`.
    #[command(after_help = "Example:\n  merestone export json incidents.json --form incident --home camp")]
    Json(ExportArgs),
    /// Instances as ODK and Kobo submit them: a new folder with one folder for each record, and its photos beside it.
    #[command(after_help = "Example:\n  merestone export xml instances --form incident --home camp")]
    Xml(ExportArgs),
}

/// What is exported, and where to.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// The new file or folder.
    out: PathBuf,
    /// The form, by its form_id or hash.
    #[arg(long)]
    form: String,
    /// Only this scope, by name or id.
    #[arg(long)]
    scope: Option<String>,
}

/// A way to write records.
#[derive(Clone, Copy, Debug)]
enum Format {
    Csv,
    Xlsx,
    Geojson,
    Kml,
    Gpx,
    Json,
    Xml,
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let (format, args) = match self {
            Self::Csv(args) => (Format::Csv, args),
            Self::Xlsx(args) => (Format::Xlsx, args),
            Self::Geojson(args) => (Format::Geojson, args),
            Self::Kml(args) => (Format::Kml, args),
            Self::Gpx(args) => (Format::Gpx, args),
            Self::Json(args) => (Format::Json, args),
            Self::Xml(args) => (Format::Xml, args),
        };
        input::refuse_existing(&args.out)?;
        let device = context.open(0)?;
        let form = record::form_named(&device, &args.form)?;
        let charter = device.charter();
        let scope = args.scope.as_deref().map(|name| roster::scope_named(charter.charter(), name)).transpose()?;
        let schema = schema(&form)?;
        let Gathered { records, others, unknown, unsettled } = gather(&device, &form, scope)?;
        let mut shown = ExportShown::of(&args.out, &form, &records, others);
        shown.left_out.extend(unknown.iter().map(|id| LeftOutShown::new(id, "", "form-not-known")));
        shown.left_out.extend(unsettled.iter().map(|(id, key)| LeftOutShown::new(id, key, "not-worked-out")));
        write(format, &device, &form, &schema, &records, &mut shown)?;
        context.screen.show(&shown)?;
        Ok(if shown.left_out.is_empty() { Code::Done } else { Code::Undecided })
    }
}

/// The questions of a form that this device can ask.
pub(super) fn schema(form: &MissionForm) -> Result<Schema, Failure> {
    let line = || format!("form {} has no questions here; take up its file with `merestone form add`", form.kind);
    let questions = form.questions.as_deref().ok_or_else(|| Failure::bad_input(line()))?;
    Ok(Schema::of(questions))
}

fn write(
    format: Format,
    device: &Device,
    form: &MissionForm,
    schema: &Schema,
    records: &[Record],
    shown: &mut ExportShown,
) -> Result<(), Failure> {
    let out = shown.out.clone();
    let sheets = || tables(schema, records);
    let file = |shown: &mut ExportShown, bytes: &[u8]| {
        shown.files = 1;
        input::write_new(&out, bytes)
    };
    match format {
        Format::Csv => write_csv(&out, &sheets(), shown),
        Format::Xlsx => {
            let workbook = xlsx(&form.title, &sheets()).map_err(no_workbook)?;
            for cell in &workbook.cut {
                let place = format!("{} row {} {}", cell.table, cell.row, cell.column);
                shown.left_out.push(LeftOutShown { record: String::new(), key: place, why: "cut-at-cell-limit" });
            }
            file(shown, &workbook.bytes)
        }
        Format::Geojson => file(shown, &geojson(&sheets()).map_err(not_written)?),
        Format::Kml => file(shown, &kml(&form.title, &sheets())),
        Format::Gpx => file(shown, &gpx(&form.title, &sheets(), records)),
        Format::Json => {
            let mission = device.mission().to_string();
            file(shown, &json(&mission, &form.hash.to_string(), schema, records).map_err(not_written)?)
        }
        Format::Xml => records.iter().try_for_each(|record| write_xml(&out, device, form, schema, record, shown)),
    }
}

fn not_written(error: NotWritten) -> Failure {
    Failure::new(Code::Failed, format!("{error}: {}; nothing is in its place", error.source))
}

fn no_workbook(refused: XlsxRefused) -> Failure {
    match refused {
        XlsxRefused::TooLarge { .. } => {
            Failure::bad_input(format!("{refused}: export csv, which has no such limit, or one scope with --scope"))
        }
        XlsxRefused::Library(error) => {
            Failure::new(Code::Failed, format!("the workbook cannot be written: {error}; nothing is in its place"))
        }
    }
}

fn write_csv(out: &Path, sheets: &[Sheet], shown: &mut ExportShown) -> Result<(), Failure> {
    new_folder(out)?;
    let kind = sheets.first().map(|sheet| sheet.name.as_str()).unwrap_or_default();
    for (number, sheet) in sheets.iter().enumerate() {
        // A repeat may be called `values` too; the long tables come last and keep their names in `merestone-`.
        let name = match number {
            0 => format!("{kind}.csv"),
            _ if number + 2 < sheets.len() => format!("{kind}-{}.csv", sheet.name),
            _ => format!("merestone-{}.csv", sheet.name),
        };
        input::write_new(&out.join(name), &csv(sheet).map_err(not_written)?)?;
        shown.files += 1;
    }
    Ok(())
}

/// The instance of a record, its photos and its trail beside it.
fn write_xml(
    out: &Path,
    device: &Device,
    form: &MissionForm,
    schema: &Schema,
    record: &Record,
    shown: &mut ExportShown,
) -> Result<(), Failure> {
    if record.withdrawn {
        shown.left_out.push(LeftOutShown::new(&record.record, "", "withdrawn-record"));
        return Ok(());
    }
    let instance = submission(schema, record);
    let folder = out.join(&record.record);
    new_folder(&folder)?;
    input::write_new(&folder.join(INSTANCE), &instance.xml)?;
    shown.files += 1;
    for left in &instance.left_out {
        shown.left_out.push(LeftOutShown::new(&record.record, &left.key, left.why.code()));
    }
    if let Some(trail) = trail(form, record).filter(|_| instance.has_trail) {
        input::write_new(&folder.join(AUDIT), trail.as_bytes())?;
        shown.files += 1;
    }
    for (file, sha256) in &instance.attachments {
        let bytes = BlobHash::from_hex(sha256).map(|hash| device.photo_bytes(hash)).transpose()?.flatten();
        match bytes {
            Some(bytes) => {
                input::write_new(&folder.join(file), &bytes)?;
                shown.files += 1;
            }
            None => shown.left_out.push(LeftOutShown::new(&record.record, sha256, "photo-not-here")),
        }
    }
    Ok(())
}

/// When each question was on the screen, as ODK's `audit.csv`; none if the form asks for none.
fn trail(form: &MissionForm, record: &Record) -> Option<String> {
    let parts = record.answers.iter().filter_map(|answer| match answer.values.as_slice() {
        [Held { value: Value::Text(text), .. }] => Some((answer.key.as_str(), Answer::Text(text.clone()))),
        _ => None,
    });
    let parts: Vec<_> = parts.filter(|(key, _)| key.ends_with("/csv")).collect();
    form.questions.as_deref()?.audit_csv(parts.iter().map(|(key, answer)| (*key, answer)))
}

fn new_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::output_file(folder, &error))
}

#[derive(Serialize)]
struct ExportShown {
    out: PathBuf,
    form: String,
    kind: String,
    records: usize,
    in_conflict: usize,
    nothing_applied: usize,
    of_other_forms: usize,
    files: usize,
    left_out: Vec<LeftOutShown>,
}

#[derive(Serialize)]
struct LeftOutShown {
    record: String,
    key: String,
    why: &'static str,
}

impl LeftOutShown {
    fn new(record: &impl ToString, key: &str, why: &'static str) -> Self {
        Self { record: record.to_string(), key: key.to_owned(), why }
    }
}

impl ExportShown {
    fn of(out: &Path, form: &MissionForm, records: &[Record], others: usize) -> Self {
        let is_in_conflict = |record: &&Record| record.answers.iter().any(|answer| answer.values.len() > 1);
        Self {
            out: out.to_owned(),
            form: form.hash.to_string(),
            kind: form.kind.clone(),
            records: records.len(),
            in_conflict: records.iter().filter(is_in_conflict).count(),
            nothing_applied: records.iter().filter(|record| record.answers.is_empty()).count(),
            of_other_forms: others,
            files: 0,
            left_out: Vec::new(),
        }
    }
}

impl Report for ExportShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "exported {} records of {} in {} files: {}",
            self.records,
            self.kind,
            self.files,
            self.out.display()
        )?;
        if self.in_conflict > 0 {
            writeln!(out, "conflict {} records; settle them with `merestone record resolve`", self.in_conflict)?;
        }
        if self.nothing_applied > 0 {
            writeln!(out, "nothing is applied of {} records; their entries are listed", self.nothing_applied)?;
        }
        if self.of_other_forms > 0 {
            writeln!(out, "besides  {} records of other forms", self.of_other_forms)?;
        }
        for left in &self.left_out {
            writeln!(out, "left out {} {}: {}", left.record, left.key, left.why)?;
        }
        writeln!(out, "An export carries no signature; evidence is a bag: `merestone bag write`.")
    }
}
