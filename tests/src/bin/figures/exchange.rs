//! 10,000 submissions of another system, imported and exported again by the command itself: every answer to the byte.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use merestone_tests::chance::Chance;
use merestone_tests::timing::time_ms;

use crate::audit::peak_bytes_in;
use crate::row::Row;

const SUBMISSIONS: u64 = 10_000;

const FORM: &str = "| survey |
| | type | name | label::English (en) | required |
| | text | title | Title | |
| | integer | cars | Cars | |
| | date | day | Day | |
| | text | note | Note | |
| | begin_repeat | places | Places | |
| | text | place | Place | |
| | integer | persons | Persons | |
| | end_repeat | | | |
| settings |
| | form_id | form_title | version |
| | visit | Visit | 1 |
";

/// Texts that programs along the way like to change.
const TEXTS: [&str; 10] = [
    "=HYPERLINK(\"http://x\",\"y\")",
    "+380501234567",
    "'quoted' & <tagged> \"twice\"",
    " blanks at both ends ",
    "two\nlines",
    "Пункт пропуску «Гоптівка»",
    "معبر بدر، الساعة ٨",
    "😀👩‍👩‍👧 🇺🇦",
    "007",
    "_x0041_ ]]> -- \\N NULL",
];

pub(crate) fn measure() -> Vec<Row> {
    let Some(command) = command() else {
        let why = "build it first: cargo build --release --bin merestone";
        return vec![Row::absent("exchange/import-10000", "s", why)];
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let house = House { command, folder: folder.path() };
    house.found();
    let written = house.submissions();
    let import = ["import", "instances", "--home", "anna", "--json"];
    let (import_ms, import_bytes) = time_ms(|| house.measured(&import));
    let (again_ms, _) = time_ms(|| house.measured(&import));
    let export = ["export", "xml", "out", "--form", "visit", "--home", "anna", "--json"];
    let (export_ms, export_bytes) = time_ms(|| house.measured(&export));
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let differing = house.differing(&written);
    vec![
        Row::once("exchange/import-10000", "s", import_ms / 1_000.0)
            .note("XML instances, each a record signed and flushed by itself, in the command"),
        Row::once("exchange/import-10000-peak", "MiB", mib(import_bytes)).note("greatest memory of that command"),
        Row::once("exchange/import-10000-again", "s", again_ms / 1_000.0)
            .note("the same submissions once more: each compared key by key with its record, nothing written"),
        Row::once("exchange/export-10000", "s", export_ms / 1_000.0).note("the same records as XML instances"),
        Row::once("exchange/export-10000-peak", "MiB", mib(export_bytes)).note("greatest memory of that command"),
        Row::once("exchange/answers-that-differ", "submissions", differing as f64)
            .target(crate::row::Target::AtMost(0.0))
            .note("of 10,000, with their answers compared byte by byte before and after"),
    ]
}

/// The command that was built beside this program.
fn command() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.with_file_name("merestone");
    beside.is_file().then_some(beside)
}

struct House<'f> {
    command: PathBuf,
    folder: &'f Path,
}

impl House<'_> {
    fn run(&self, words: &[&str]) {
        self.said(words);
    }

    fn said(&self, words: &[&str]) -> serde_json::Value {
        let mut command = Command::new(&self.command);
        command.args(words).current_dir(self.folder).env("MERESTONE_PASSPHRASE_FILE", self.folder.join("pass"));
        let output = command.stdin(Stdio::null()).output().expect("the command starts");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("--json prints JSON")
    }

    /// Runs a verb, and gives the most memory that it held, as Linux counted it just before the end.
    fn measured(&self, words: &[&str]) -> u64 {
        let mut command = Command::new(&self.command);
        command.args(words).current_dir(self.folder).env("MERESTONE_PASSPHRASE_FILE", self.folder.join("pass"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the command starts");
        let status = PathBuf::from(format!("/proc/{}/status", child.id()));
        let (ended, end) = mpsc::channel();
        let waiting = thread::spawn(move || ended.send(child.wait()));
        let mut peak = 0;
        loop {
            peak = peak.max(peak_bytes_in(&status).unwrap_or(0));
            match end.recv_timeout(Duration::from_millis(5)) {
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => panic!("nobody waits for the command"),
                Ok(code) => {
                    let code = code.expect("the command can be waited for");
                    assert!(code.success(), "{words:?}: {code}");
                    drop(waiting.join());
                    return peak;
                }
            }
        }
    }

    /// A mission of one party with the form, and a device `anna` that may sign.
    fn found(&self) {
        fs::write(self.folder.join("pass"), "a passphrase of several words\n").expect("a file");
        fs::write(self.folder.join("visit.md"), FORM).expect("a file");
        let made = self.said(&["mission", "key", "--out", "a.key", "--kdf-memory-mib", "1", "--json"]);
        let party = format!("State A={}", made["key"].as_str().expect("a key"));
        let found = ["mission", "found", "--name", "M", "--scope", "North", "--key", "a.key", "--party", &party];
        self.run(&[&found[..], &["--form", "visit.md", "--out", "charter.cbor", "--json"]].concat());
        self.run(&["device", "init", "charter.cbor", "--home", "anna", "--json"]);
        let request = ["device", "request", "--observer", "Anna", "--device", "anna", "--home", "anna"];
        let request = self.said(&[&request[..], &["--out", "r", "--kdf-memory-mib", "1", "--json"]].concat());
        let words: Vec<&str> =
            request["words"].as_array().expect("words").iter().filter_map(|word| word.as_str()).collect();
        let certify = ["roster", "certify", "r", "--charter", "charter.cbor", "--key", "a.key", "--role", "observer"];
        self.run(&[&certify[..], &["--words", &words.join(" "), "--out", "c", "--json"]].concat());
        self.run(&["device", "accept", "c", "--home", "anna", "--json"]);
        self.run(&["form", "add", "visit.md", "--home", "anna", "--json"]);
    }

    /// Writes the submissions; gives the answers of each by its instance id.
    fn submissions(&self) -> BTreeMap<String, Vec<u8>> {
        let mut chance = Chance::new(10_000);
        let mut written = BTreeMap::new();
        for number in 0..SUBMISSIONS {
            let id = format!("uuid:00000000-0000-4000-8000-{number:012x}");
            let mut inside = String::new();
            let mut leaf = |name: &str, text: &str| {
                let _ = write!(
                    inside,
                    "<{name}>{}</{name}>",
                    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
                );
            };
            leaf("title", TEXTS[chance.below(10) as usize]);
            leaf("cars", ["0", "-5", "12", "007", "9223372036854775807"][chance.below(5) as usize]);
            leaf("day", "2024-02-29");
            leaf("note", &TEXTS[chance.below(10) as usize].repeat(1 + chance.below(20) as usize));
            for _ in 0..chance.below(4) {
                let (place, persons) = (TEXTS[chance.below(10) as usize], chance.below(100));
                let place = place.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                let _ = write!(inside, "<places><place>{place}</place><persons>{persons}</persons></places>");
            }
            let folder = self.folder.join(format!("instances/{}/{number}", number / 1_000));
            fs::create_dir_all(&folder).expect("a folder");
            let text =
                format!("<visit id=\"visit\" version=\"1\">{inside}<meta><instanceID>{id}</instanceID></meta></visit>");
            fs::write(folder.join("submission.xml"), &text).expect("a file");
            written.insert(id, answers(&text));
        }
        written
    }

    /// How many submissions do not come back with the same answers, those that do not come back included.
    fn differing(&self, written: &BTreeMap<String, Vec<u8>>) -> usize {
        let mut same = 0;
        for folder in fs::read_dir(self.folder.join("out")).expect("a folder") {
            let path = folder.expect("a folder").path().join("submission.xml");
            let text = fs::read_to_string(path).expect("an instance");
            let id = text.split("instanceID>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
            same += usize::from(written.get(id) == Some(&answers(&text)));
        }
        written.len() - same
    }
}

/// Everything between the root's tag and the instance id, as bytes; quotes may be written as they are or as entities.
fn answers(text: &str) -> Vec<u8> {
    let begin = text.find("<title").unwrap_or(text.len());
    let end = text.find("<meta").or(text.find("<orx:meta")).unwrap_or(text.len());
    text.get(begin..end).unwrap_or_default().replace("&quot;", "\"").into_bytes()
}
