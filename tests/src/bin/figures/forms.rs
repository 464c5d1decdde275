//! A large form, read: as a workbook, and as an XForm; and a form of many questions, answered.
//!
//! Each is read in a process of its own, this program again, so that the greatest memory it took can be read off.

mod answers;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use merestone_forms::model::Instance;
use merestone_forms::{Form, NamedFile};
use merestone_tests::timing::time_ms;
use zip::write::SimpleFileOptions;

use crate::audit::peak_bytes;
use crate::row::{Row, Target};

/// The word that makes this program read one form and say what it took.
pub(crate) const CHILD: &str = "--read-one-form";

const ROUNDS: usize = 7;
const CHOICES: usize = 20_000;
const QUESTIONS: usize = 500;
const LANGUAGES: [&str; 4] = ["English (en)", "Français (fr)", "Українська (uk)", "العربية (ar)"];
/// Least size of each file.
const BYTES_MIN: usize = 2_000_000;

pub(crate) fn measure() -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = [
        ("xlsx", 4, large(workbook)),
        ("xml", 1, large(|length| xform(1, length))),
        ("xml-in-4-languages", 4, xform(4, 20)),
    ];
    let mut rows = Vec::new();
    for (kind, languages, bytes) in files {
        let path = folder.path().join(format!("large-{kind}"));
        fs::write(&path, &bytes).expect("the folder takes a file");
        let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| read_again(&path)).collect();
        let (ms, mib): (Vec<f64>, Vec<f64>) = rounds.into_iter().unzip();
        let size = bytes.len();
        let note = format!("{size} bytes, {QUESTIONS} questions, {CHOICES} choices, {languages} language(s)");
        let ms = Row::median(&format!("forms/load-{kind}"), "ms", &ms).note(&note);
        let mib = Row::median(&format!("forms/load-{kind}-peak"), "MiB", &mib)
            .note("greatest memory of a process that does nothing else");
        // What was promised is promised of 2 MB.
        let is_promised = size < 2 * BYTES_MIN;
        rows.push(if is_promised { ms.target(Target::AtMost(300.0)) } else { ms });
        rows.push(if is_promised { mib.target(Target::AtMost(64.0)) } else { mib });
    }
    rows.extend(answers::measure());
    rows
}

/// The file with labels as long as it takes to be as large as promised.
fn large(make: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    (20..).step_by(4).map(make).find(|bytes| bytes.len() >= BYTES_MIN).expect("longer labels make larger files")
}

/// Milliseconds and MiB of reading a form in a process of its own, with what follows from what and its definition.
fn read_again(path: &Path) -> (f64, f64) {
    let program = std::env::current_exe().expect("this program is a file");
    let child = Command::new(program).arg(CHILD).arg(path).stderr(Stdio::inherit()).output();
    let child = child.expect("this program runs again");
    let said = String::from_utf8(child.stdout).expect("numbers");
    let numbers: Vec<f64> = said.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let [choices, ms, peak] = numbers[..] else { panic!("the form was not read: {}", child.status) };
    assert_eq!(choices, CHOICES as f64);
    (ms, peak / f64::from(1 << 20))
}

/// Reads one form and gives its choices, milliseconds, and the greatest memory in bytes; `None` if the words are others.
pub(crate) fn read_one(words: &[OsString]) -> Option<String> {
    let [path] = words else { return None };
    let (name, bytes) = (Path::new(path).file_name()?.to_str()?, fs::read(path).ok()?);
    let (ms, form) = time_ms(|| Form::read(NamedFile { name, bytes: &bytes }, &[]));
    let form = form.ok()?;
    let choices: usize = form
        .model()
        .instances
        .values()
        .map(|instance| match instance {
            Instance::List(items) => items.len(),
            Instance::Table(_) | Instance::Tree(_) | Instance::Absent { .. } | Instance::LastSaved => 0,
        })
        .sum();
    Some(format!("{choices} {ms} {}\n", peak_bytes()?))
}

/// Words that do not compress to nothing, the same on every run.
struct Words(u64);

impl Words {
    fn next(&mut self, length: usize) -> String {
        const SYLLABLES: [&str; 16] =
            ["ba", "chu", "do", "fer", "gi", "ho", "jun", "ka", "lis", "mo", "ne", "pra", "qui", "ros", "tev", "zu"];
        let mut text = String::new();
        while text.len() < length {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(SYLLABLES[(self.0 >> 60) as usize]);
            if self.0 >> 32 & 3 == 0 {
                text.push(' ');
            }
        }
        text.trim_end().to_owned()
    }
}

/// Lists of a hundred choices; most questions choose from one, some calculate.
fn list(choice: usize) -> usize {
    choice / 100
}

fn workbook(length: usize) -> Vec<u8> {
    let mut words = Words(1);
    let mut survey: Vec<Vec<String>> = vec![vec!["type".into(), "name".into()]];
    survey[0].extend(LANGUAGES.iter().map(|language| format!("label::{language}")));
    survey[0].extend(["relevant", "constraint", "calculation"].map(str::to_owned));
    for question in 0..QUESTIONS {
        let mut row = vec![format!("select_one l{}", question % (CHOICES / 100)), format!("q{question}")];
        row.extend(LANGUAGES.iter().map(|_| words.next(60)));
        let before = question.saturating_sub(1);
        row.push(if question % 3 == 1 { format!("${{q{before}}} != ''") } else { String::new() });
        row.push("string-length(.) < 20".to_owned());
        survey.push(row);
    }
    let mut choices: Vec<Vec<String>> = vec![vec!["list_name".into(), "name".into()]];
    choices[0].extend(LANGUAGES.iter().map(|language| format!("label::{language}")));
    for choice in 0..CHOICES {
        let mut row = vec![format!("l{}", list(choice)), format!("c{choice}")];
        row.extend(LANGUAGES.iter().map(|_| words.next(length)));
        choices.push(row);
    }
    archive(&[("survey", survey), ("choices", choices)])
}

/// Sheets as a spreadsheet writes them: every text once, in a table that all sheets share.
fn archive(sheets: &[(&str, Vec<Vec<String>>)]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let mut shared: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    let (mut texts, mut parts, mut listed, mut related) = (String::new(), Vec::new(), String::new(), String::new());
    for (at, (name, rows)) in sheets.iter().enumerate() {
        let number = at + 1;
        let mut data = String::new();
        for (row, cells) in rows.iter().enumerate() {
            write!(data, "<row r=\"{}\">", row + 1).expect("a text can be written to");
            for (column, text) in cells.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                let known = shared.len();
                let index = *shared.entry(text).or_insert_with(|| {
                    texts.push_str(&format!("<si><t>{}</t></si>", text.replace('&', "&amp;").replace('<', "&lt;")));
                    known
                });
                let letter = char::from(b'A' + column as u8);
                write!(data, "<c r=\"{letter}{}\" t=\"s\"><v>{index}</v></c>", row + 1)
                    .expect("a text can be written to");
            }
            data.push_str("</row>");
        }
        let sheet = format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{data}</sheetData></worksheet>");
        parts.push((format!("xl/worksheets/sheet{number}.xml"), sheet));
        listed.push_str(&format!("<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"r{number}\"/>"));
        let target = format!("Target=\"worksheets/sheet{number}.xml\"");
        related.push_str(&format!("<Relationship Id=\"r{number}\" Type=\"{OFFICE}/worksheet\" {target}/>"));
    }
    let book = format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>{listed}</sheets></workbook>");
    let count = shared.len();
    let whole = format!("<Relationship Id=\"r1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/>");
    parts.extend([
        ("_rels/.rels".to_owned(), format!("<Relationships xmlns=\"{PACKAGE}\">{whole}</Relationships>")),
        ("xl/workbook.xml".to_owned(), book),
        (
            "xl/_rels/workbook.xml.rels".to_owned(),
            format!("<Relationships xmlns=\"{PACKAGE}\">{related}</Relationships>"),
        ),
        ("xl/sharedStrings.xml".to_owned(), format!("<sst xmlns=\"{MAIN}\" uniqueCount=\"{count}\">{texts}</sst>")),
    ]);
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(name, SimpleFileOptions::default()).expect("a part can be begun");
        archive.write_all(text.as_bytes()).expect("a part can be written");
    }
    archive.finish().expect("the archive can be finished").into_inner()
}

/// In one language, whose texts stand where they belong, or in several, whose texts stand together.
fn xform(languages: usize, length: usize) -> Vec<u8> {
    let mut words = Words(2);
    let is_plain = languages == 1;
    let mut itext = String::new();
    for language in LANGUAGES.iter().take(if is_plain { 0 } else { languages }) {
        itext.push_str(&format!("<translation lang=\"{language}\">"));
        for question in 0..QUESTIONS {
            itext.push_str(&format!("<text id=\"/d/q{question}:label\"><value>{}</value></text>", words.next(60)));
        }
        for choice in 0..CHOICES {
            let (list, number) = (list(choice), choice % 100);
            itext.push_str(&format!("<text id=\"l{list}-{number}\"><value>{}</value></text>", words.next(length)));
        }
        itext.push_str("</translation>");
    }
    if !is_plain {
        itext = format!("<itext>{itext}</itext>");
    }
    let mut instances = String::new();
    for choice in 0..CHOICES {
        let (list, number) = (list(choice), choice % 100);
        if number == 0 {
            instances.push_str(&format!("<instance id=\"l{list}\"><root>"));
        }
        let text = if is_plain {
            format!("<label>{}</label>", words.next(length))
        } else {
            format!("<itextId>l{list}-{number}</itextId>")
        };
        instances.push_str(&format!("<item>{text}<name>c{choice}</name></item>"));
        if number == 99 {
            instances.push_str("</root></instance>");
        }
    }
    let (mut primary, mut binds, mut body) = (String::new(), String::new(), String::new());
    for question in 0..QUESTIONS {
        primary.push_str(&format!("<q{question}/>"));
        binds.push_str(&format!(
            "<bind nodeset=\"/d/q{question}\" type=\"string\" constraint=\"string-length(.) &lt; 20\"/>"
        ));
        let list = question % (CHOICES / 100);
        let (label, column) = if is_plain {
            (format!("<label>{}</label>", words.next(60)), "label")
        } else {
            (format!("<label ref=\"jr:itext('/d/q{question}:label')\"/>"), "jr:itext(itextId)")
        };
        body.push_str(&format!(
            "<select1 ref=\"/d/q{question}\">{label}<itemset nodeset=\"instance('l{list}')/root/item\"><value ref=\"name\"/>\
             <label ref=\"{column}\"/></itemset></select1>"
        ));
    }
    format!(
        "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" \
         xmlns:jr=\"http://openrosa.org/javarosa\"><h:head><h:title>large</h:title><model>{itext}\
         <instance><d id=\"large\">{primary}</d></instance>{instances}{binds}</model></h:head><h:body>{body}</h:body></h:html>"
    )
    .into_bytes()
}
