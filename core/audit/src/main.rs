//! `merestone-audit`: judges a bag, compares two, explains a code.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use merestone_audit::{
    CompareError, Explanation, OpenError, Options, Pass, Progress, Report, Verdict, audit_folder, audit_publication,
    compare_shown, exhibit, explain, explanations, fork,
};
use merestone_core::id::{CharterId, MissionId};

/// Judges a bag of evidence, alone and offline.
///
/// The bag never says which mission it should be judged for: you do, with the mission id you were given.
#[derive(Parser)]
#[command(name = "merestone-audit", version, args_conflicts_with_subcommands = true, arg_required_else_help = true)]
#[command(after_help = "Exit: 0 PASSED, 1 FAILED, 2 INDETERMINATE, 64 usage, 65 no bag, 74 storage.")]
struct Command {
    #[command(subcommand)]
    verb: Option<Verb>,

    /// The bag's folder.
    #[arg(value_name = "BAG", required = true)]
    bag: Option<PathBuf>,

    /// The mission's id, 64 hex digits, from whoever you trust.
    #[arg(long, value_name = "ID", required = true)]
    mission: Option<String>,

    /// The id of the charter in force, 64 hex digits, if you know it: a bag that was judged by another one is FAILED.
    #[arg(long, value_name = "ID")]
    charter: Option<String>,

    /// fast: signatures, chains, roster. full: also what entries say, and photos.
    #[arg(long, value_enum, default_value_t = Depth::Full)]
    pass: Depth,

    /// Print the report as JSON.
    #[arg(long)]
    json: bool,

    /// Also write report.json, report.html and report.txt into this folder.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,

    /// How many threads work; the report is the same with any number.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// How many records the report shows in full; all are judged.
    #[arg(long, value_name = "N", default_value_t = merestone_audit::RECORDS_MAX)]
    records: usize,
}

#[derive(Subcommand)]
enum Verb {
    /// Judge one entry that somebody shows you: who signed it, whether it is in the ledger, what it says.
    Exhibit {
        /// The exhibit.
        file: PathBuf,
        /// The mission's id, 64 hex digits, from whoever you trust.
        #[arg(long, value_name = "ID")]
        mission: String,
        /// Print the report as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Judge a file that shows two entries of one key at one position: that its log was forked.
    Fork {
        /// The fork statement.
        file: PathBuf,
        /// The mission's id, 64 hex digits, from whoever you trust.
        #[arg(long, value_name = "ID")]
        mission: String,
        /// Print the report as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check a publication: what it shows, and its account of what it does not.
    Publication(PublicationArgs),
    /// Say what one auditor was shown and the other not, and whether their ledgers agree.
    ///
    /// Two auditors who were shown different histories find out only by comparing. Each may bring a bag, or the report.json
    /// of an audit; bags can tell more.
    #[command(after_help = "Exit: 0 the same was shown, 1 two histories, 2 one was shown more, or it cannot be told.")]
    Compare {
        /// A bag's folder, or a report.json.
        a: PathBuf,
        /// The other one.
        b: PathBuf,
        /// The mission's id, from whoever you trust; needed where one of the two is a bag.
        #[arg(long, value_name = "ID")]
        mission: Option<String>,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what a code means and what to do about it; without a code, list all.
    Explain {
        /// A code from a report, such as log-gap.
        code: Option<String>,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// A publication, and what it is compared with.
#[derive(clap::Args)]
struct PublicationArgs {
    /// The publication's folder.
    publication: PathBuf,
    /// The mission's id, 64 hex digits, from whoever you trust.
    #[arg(long, value_name = "ID")]
    mission: String,
    /// A bag of the same mission: whether the publication lists all that is in it.
    #[arg(long, value_name = "BAG")]
    bag: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Depth {
    Fast,
    Full,
}

const USAGE: u8 = 64;
const BAD_INPUT: u8 = 65;
const STORAGE: u8 = 74;

fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => {
            let is_asked_for = !error.use_stderr();
            // What cannot be printed cannot be said either.
            _ = error.print();
            return ExitCode::from(if is_asked_for { 0 } else { USAGE });
        }
    };
    match command {
        Command { verb: Some(Verb::Publication(args)), .. } => check_publication(&args),
        Command { verb: Some(Verb::Explain { code, json }), .. } => explain_codes(code.as_deref(), json),
        Command { verb: Some(Verb::Exhibit { file, mission, json }), .. } => {
            let limit = merestone_core::exhibit::EXHIBIT_BYTES_MAX;
            judge_file(&file, &mission, json, limit, |bytes, mission| {
                let report = exhibit(bytes, mission).map_err(|refused| (refused.code(), refused.to_string()))?;
                Ok(if json { report.to_json() } else { report.to_text() })
            })
        }
        Command { verb: Some(Verb::Fork { file, mission, json }), .. } => {
            let limit = merestone_core::fork::FORK_BYTES_MAX;
            judge_file(&file, &mission, json, limit, |bytes, mission| {
                let report = fork(bytes, mission).map_err(|refused| (refused.code(), refused.to_string()))?;
                Ok(if json { report.to_json() } else { report.to_text() })
            })
        }
        Command { verb: Some(Verb::Compare { a, b, mission, json }), .. } => {
            compare([&a, &b], mission.as_deref(), json)
        }
        Command {
            verb: None,
            bag: Some(bag),
            mission: Some(mission),
            charter,
            pass,
            json,
            report,
            threads,
            records,
        } => {
            let Some(mission) = MissionId::from_hex(mission.trim()) else {
                return refuse(USAGE, "--mission: a mission id has 64 hex digits; copy it whole");
            };
            let charter = charter.map(|charter| CharterId::from_hex(charter.trim()));
            if charter == Some(None) {
                return refuse(USAGE, "--charter: a charter id has 64 hex digits; copy it whole");
            }
            let charter = charter.flatten();
            let what = Request { bag: &bag, mission, charter, pass, json, folder: report.as_deref(), threads, records };
            audit(&what)
        }
        Command { .. } => refuse(USAGE, "give the folder of a bag and --mission ID; see --help"),
    }
}

/// Judges a file that stands alone; `judge` gives what to print, or the code of the check that failed and its words.
fn judge_file(
    file: &Path,
    mission: &str,
    json: bool,
    bytes_max: usize,
    judge: impl FnOnce(&[u8], MissionId) -> Result<String, (&'static str, String)>,
) -> ExitCode {
    let Some(mission) = MissionId::from_hex(mission.trim()) else {
        return refuse(USAGE, "--mission: a mission id has 64 hex digits; copy it whole");
    };
    let mut bytes = Vec::new();
    // One byte more than allowed shows that there is more, without reading how much.
    let limit = bytes_max as u64 + 1;
    let read = std::fs::File::open(file).and_then(|opened| opened.take(limit).read_to_end(&mut bytes));
    if let Err(error) = read {
        return refuse(BAD_INPUT, &format!("{}: the file cannot be read: {error}", file.display()));
    }
    match judge(&bytes, mission) {
        Ok(shown) => print(&shown).err().unwrap_or(ExitCode::SUCCESS),
        Err((code, words)) => {
            let said = if json {
                format!("{{\"verdict\":\"FAILED\",\"code\":\"{code}\"}}\n")
            } else {
                format!(
                    "FAILED  {code}: {words}\nNothing in this file is shown. `merestone-audit explain {code}` says more.\n"
                )
            };
            print(&said).err().unwrap_or(ExitCode::from(1))
        }
    }
}

fn check_publication(args: &PublicationArgs) -> ExitCode {
    let Some(mission) = MissionId::from_hex(args.mission.trim()) else {
        return refuse(USAGE, "--mission: a mission id has 64 hex digits; copy it whole");
    };
    let threads = Options::default().threads;
    let report = match audit_publication(&args.publication, mission, args.bag.as_deref(), threads) {
        Ok(report) => report,
        Err(error) => return refuse(open_code(&error), &error.to_string()),
    };
    let printed = if args.json { report.to_json() } else { report.to_text() };
    print(&printed).err().unwrap_or_else(|| exit_code(report.verdict()))
}

fn open_code(error: &OpenError) -> u8 {
    match error {
        OpenError::NotFound { .. } | OpenError::NotAFolder { .. } | OpenError::NotABag { .. } => BAD_INPUT,
        OpenError::Unreadable { .. } => STORAGE,
    }
}

fn exit_code(verdict: Verdict) -> ExitCode {
    ExitCode::from(match verdict {
        Verdict::Passed => 0,
        Verdict::Failed => 1,
        Verdict::Indeterminate => 2,
    })
}

struct Request<'a> {
    bag: &'a Path,
    mission: MissionId,
    charter: Option<CharterId>,
    pass: Depth,
    json: bool,
    folder: Option<&'a Path>,
    threads: Option<usize>,
    records: usize,
}

fn audit(request: &Request<'_>) -> ExitCode {
    if request.folder.is_some_and(|folder| lies_in(folder, request.bag)) {
        return refuse(USAGE, "--report: this folder lies in the bag, which must stay as it is; name another one");
    }
    let usual = Options::default();
    let pass = match request.pass {
        Depth::Fast => Pass::Fast,
        Depth::Full => Pass::Full,
    };
    // Only a report that is written somewhere shows records.
    let records_max = if request.json || request.folder.is_some() { request.records } else { 0 };
    let thumbnails_max = if request.folder.is_some() { usual.thumbnails_max } else { 0 };
    let is_watched = io::stderr().is_terminal();
    let progress: Option<&(dyn Fn(Progress) + Sync)> = if is_watched { Some(&show_progress) } else { None };
    let threads = request.threads.unwrap_or(usual.threads).clamp(1, 1_024);
    let audited =
        audit_folder(request.bag, request.mission, &Options { pass, threads, records_max, thumbnails_max, progress });
    if is_watched {
        _ = write!(io::stderr(), "\r\x1b[K");
    }
    let mut report = match audited {
        Ok(report) => report,
        Err(error) => return refuse(open_code(&error), &error.to_string()),
    };
    if let Some(charter) = request.charter {
        report.hold_to(charter);
    }
    if let Some(folder) = request.folder
        && let Err((path, error)) = write_files(&report, folder)
    {
        return refuse(STORAGE, &format!("{}: the report cannot be written here: {error}", path.display()));
    }
    let printed = if request.json { report.to_json() } else { decorate(&report) };
    if let Err(code) = print(&printed) {
        return code;
    }
    exit_code(report.verdict())
}

fn compare([a, b]: [&Path; 2], mission: Option<&str>, json: bool) -> ExitCode {
    let mission = match mission.map(|mission| MissionId::from_hex(mission.trim())) {
        Some(None) => return refuse(USAGE, "--mission: a mission id has 64 hex digits; copy it whole"),
        Some(Some(mission)) => Some(mission),
        None => None,
    };
    let compared = match compare_shown(a, b, mission, &Options::default()) {
        Ok(compared) => compared,
        Err(error) => {
            let code = match &error {
                CompareError::Open(error) => open_code(error),
                CompareError::Mission { .. } => USAGE,
                CompareError::Report { .. } => BAD_INPUT,
            };
            return refuse(code, &error.to_string());
        }
    };
    let printed = if json { compared.to_json() } else { compared.to_text() };
    print(&printed).err().unwrap_or_else(|| exit_code(compared.verdict()))
}

/// Whether `folder`, there or not yet, lies in the bag.
fn lies_in(folder: &Path, bag: &Path) -> bool {
    let Ok(bag) = bag.canonicalize() else { return false };
    let there = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let there = there.ancestors().find_map(|folder| folder.canonicalize().ok());
    there.is_some_and(|there| there.starts_with(&bag))
}

/// Writes each file whole under another name first, so that nobody finds half a report.
fn write_files(report: &Report, folder: &Path) -> Result<(), (PathBuf, io::Error)> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    let files =
        [("report.json", report.to_json()), ("report.html", report.to_html()), ("report.txt", report.to_text())];
    for (name, content) in files {
        let (path, part) = (folder.join(name), folder.join(format!("{name}.part")));
        std::fs::write(&part, content).map_err(failed(&part))?;
        std::fs::rename(&part, &path).map_err(failed(&path))?;
    }
    Ok(())
}

/// The text, with the verdict in colour where somebody looks and did not ask for none.
fn decorate(report: &Report) -> String {
    let text = report.to_text();
    let wants_colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let word = report.verdict().as_str();
    match text.strip_prefix(word) {
        Some(rest) if wants_colour => {
            let colour = match report.verdict() {
                Verdict::Passed => 32,
                Verdict::Failed => 31,
                Verdict::Indeterminate => 33,
            };
            format!("\x1b[1;{colour}m{word}\x1b[0m{rest}")
        }
        _ => text,
    }
}

fn show_progress(progress: Progress) {
    let Progress { stage, done, total } = progress;
    let percent = done.saturating_mul(100).checked_div(total).unwrap_or(100);
    _ = write!(io::stderr(), "\r\x1b[K{stage}: {percent} %");
}

fn explain_codes(code: Option<&str>, json: bool) -> ExitCode {
    let rows: Vec<Explanation> = match code {
        None => explanations().collect(),
        Some(code) => match explain(code) {
            Some(explanation) => vec![explanation],
            None => {
                let shown: String = code.chars().take(64).flat_map(char::escape_default).collect();
                return refuse(
                    USAGE,
                    &format!("{shown}: no finding has this code; `merestone-audit explain` lists all"),
                );
            }
        },
    };
    let mut out = String::new();
    if json {
        let value = |row: &Explanation| {
            let quoted = |text: &str| serde_json::Value::from(text).to_string();
            format!(
                "{{\"code\":{},\"weight\":{},\"meaning\":{},\"advice\":{}}}",
                quoted(row.code),
                quoted(row.weight.as_str()),
                quoted(row.meaning),
                quoted(row.advice)
            )
        };
        out = format!("[{}]\n", rows.iter().map(value).collect::<Vec<_>>().join(",\n"));
    } else {
        for Explanation { code, weight, meaning, advice } in rows {
            out.push_str(&format!("{code}  ({})\n  {meaning}\n  {advice}\n", weight.as_str()));
        }
    }
    print(&out).err().unwrap_or(ExitCode::SUCCESS)
}

/// Prints to the standard output. Whoever stopped reading has read enough.
fn print(text: &str) -> Result<(), ExitCode> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(refuse(STORAGE, &format!("the report cannot be printed: {error}"))),
    }
}

fn refuse(code: u8, line: &str) -> ExitCode {
    _ = writeln!(io::stderr(), "merestone-audit: {line}");
    ExitCode::from(code)
}
