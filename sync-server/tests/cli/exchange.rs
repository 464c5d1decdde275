//! Records out to other programs, and submissions of ODK and Kobo in.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::skip::skip;
use crate::world::{World, text};

const FORM: &str = "| survey |
| | type | name | label::English (en) | required |
| | text | title | Title | |
| | integer | cars | Cars | |
| | date | day | Day | |
| | select_one state | state | State | |
| | begin_repeat | photos | Photos | |
| | image | file | Photo | |
| | text | caption | Caption | |
| | end_repeat | | | |
| choices |
| | list_name | name | label::English (en) |
| | state | open | Open |
| | state | closed | Closed |
| settings |
| | form_id | form_title | version |
| | visit | Visit | 1 |
";

fn world() -> World {
    world_with(FORM)
}

/// A mission with a form, and Anna of state A with a device `anna`.
pub(crate) fn world_with(form: &str) -> World {
    let world = World::new();
    world.write("visit.md", form.as_bytes());
    let made = world.json(&["mission", "key", "--out", "a.key", "--kdf-memory-mib", "1"]);
    let party = format!("State A={}", text(&made, "key"));
    let found = ["mission", "found", "--name", "M", "--scope", "North", "--key", "a.key", "--party", &party];
    world.json(&[&found[..], &["--form", "visit.md", "--out", "charter.cbor"]].concat());
    world.enrol("anna", "Anna", "a.key", "observer");
    world.json(&["form", "add", "visit.md", "--home", "anna"]);
    world
}

fn instance(id: &str, inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><visit xmlns:orx=\"http://openrosa.org/xforms\" id=\"visit\" version=\"1\">{inside}\
         <orx:meta><orx:instanceID>uuid:{id}</orx:instanceID></orx:meta></visit>"
    )
}

/// Three submissions as ODK Collect keeps them: one with a photo that is there, a film, and a photo that is not.
fn submissions(world: &World) {
    let photo = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/demo/photos/post-01.jpg"));
    let rows = "<photos><file>gate.jpg</file><caption>=gate</caption></photos><photos><file>lost.jpg</file></photos>\
                <photos><file>../a.key</file></photos>";
    let texts: [(&str, String); 3] = [
        (
            "one",
            format!(
                "<title>=HYPERLINK(\"http://x\",\"y\")</title><cars>-5</cars><day>2024-02-29</day><state>open</state>{rows}"
            ),
        ),
        ("two", "<title>Ёлка 😀 بدر _x0041_ '=1</title><cars>007</cars><state/>".to_owned()),
        ("three", "<title>plain</title><cars>0</cars><extra>kept</extra>".to_owned()),
    ];
    for (name, inside) in texts {
        let folder = format!("instances/{name}");
        std::fs::create_dir_all(world.path(&folder)).expect("a folder");
        world.write(&format!("{folder}/{name}.xml"), instance(name, &inside).as_bytes());
    }
    world.write("instances/one/gate.jpg", &photo.expect("a photo of the project"));
}

fn export(world: &World, format: &str, out: &str) -> Value {
    world.json(&["export", format, out, "--form", "visit", "--home", "anna"])
}

#[test]
fn submissions_are_taken_once_and_every_file_arrives_or_is_named() {
    let world = world();
    submissions(&world);
    let import = ["import", "instances", "--home", "anna"];
    let dry = world.json_with_code(&[&import[..], &["--dry-run"]].concat(), 2);
    assert_eq!((&dry["imported"], &dry["entries"], &dry["files_arrived"]), (&3.into(), &3.into(), &1.into()));
    let first = world.json_with_code(&import, 2);
    assert_eq!((&first["imported"], &first["files_arrived"], &first["entries"]), (&3.into(), &1.into(), &3.into()));
    let missing: Vec<_> =
        first["missing"].as_array().expect("a list").iter().map(|one| (text(one, "file"), text(one, "why"))).collect();
    assert_eq!(missing, [("lost.jpg", "absent"), ("../a.key", "no-plain-name")]);

    let again = world.json_with_code(&import, 2);
    assert_eq!((&again["imported"], &again["already"], &again["entries"]), (&0.into(), &3.into(), &0.into()));

    // The photo that was missing is found later: it joins its record, and nothing else is written.
    let late = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/demo/photos/post-02.jpg"));
    std::fs::create_dir_all(world.path("late")).expect("a folder");
    world.write("late/lost.jpg", &late.expect("a photo of the project"));
    let later = world.json_with_code(&[&import[..], &["--media", "late"]].concat(), 2);
    let counts = ["imported", "completed", "already", "files_arrived", "entries"].map(|field| later[field].as_u64());
    assert_eq!(counts, [Some(0), Some(1), Some(2), Some(1), Some(1)]);

    let records = world.json(&["record", "list", "--home", "anna"]);
    assert_eq!(records["records"].as_array().map(Vec::len), Some(3));
    let found = world.json(&["record", "list", "--search", "uuid:one", "--home", "anna"]);
    let shown = world.json(&["record", "show", text(&found["records"][0], "record"), "--home", "anna"]);
    assert_eq!(shown["photos"].as_array().map(Vec::len), Some(2), "{shown}");
    let key_of = |value: &str| {
        shown["answers"].as_array().expect("answers").iter().any(|one| one["values"][0]["value"] == value)
    };
    assert!(key_of("uuid:one") && key_of("=HYPERLINK(\"http://x\",\"y\")"));
}

#[test]
fn what_goes_out_as_instances_comes_back_as_the_same_answers() {
    let world = world();
    submissions(&world);
    world.json_with_code(&["import", "instances", "--home", "anna"], 2);
    export(&world, "xml", "out");
    // On another device the same submissions are new, with the photo that was sent along.
    world.enrol("boris", "Boris", "a.key", "observer");
    world.json(&["form", "add", "visit.md", "--home", "boris"]);
    let taken = world.json_with_code(&["import", "out", "--home", "boris"], 2);
    assert_eq!((&taken["imported"], &taken["files_arrived"]), (&3.into(), &1.into()));
    world.json(&["export", "xml", "back", "--form", "visit", "--home", "boris"]);
    let instances = |folder: &str| {
        let files = world.snapshot(folder).into_iter().filter(|(path, _)| path.ends_with("submission.xml"));
        let mut texts: Vec<Vec<u8>> = files.map(|(_, bytes)| bytes).collect();
        texts.sort();
        texts
    };
    assert_eq!(instances("out"), instances("back"), "to the byte");
    for one in ["one", "two", "three"] {
        let id = format!("uuid:{one}");
        let is_there = |text: &Vec<u8>| String::from_utf8_lossy(text).contains(&id);
        assert_eq!(instances("out").iter().filter(|text| is_there(text)).count(), 1);
    }
    let taken = world.json_with_code(&["import", "out", "--home", "anna"], 2);
    assert_eq!(taken["already"], 3, "where they came from they are known");
}

#[test]
fn tables_go_out_guarded_and_come_back_exactly() {
    let world = world();
    submissions(&world);
    world.json_with_code(&["import", "instances", "--home", "anna"], 2);
    let shown = export(&world, "csv", "tables");
    assert_eq!((&shown["records"], &shown["files"]), (&3.into(), &4.into()));
    let table = String::from_utf8(world.read("tables/visit.csv")).expect("UTF-8");
    assert!(table.contains("\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"") && table.contains(",-5,"), "{table}");

    world.enrol("boris", "Boris", "a.key", "observer");
    world.json(&["form", "add", "visit.md", "--home", "boris"]);
    // A table holds the hash of a photo and not its bytes.
    let taken = world.json_with_code(&["import", "tables/visit.csv", "--form", "visit", "--home", "boris"], 2);
    assert_eq!((&taken["imported"], taken["missing"].as_array().map(Vec::len)), (&3.into(), Some(1)));
    world.json(&["export", "csv", "back", "--form", "visit", "--home", "boris"]);
    let answers = |folder: &str| {
        let text = String::from_utf8(world.read(&format!("{folder}/visit.csv"))).expect("UTF-8");
        let mut rows: Vec<String> =
            text.lines().map(|line| line.rsplit("merestone/").next().unwrap_or(line).to_owned()).collect();
        rows.iter_mut().for_each(|row| *row = row.splitn(20, ',').last().unwrap_or_default().to_owned());
        rows.sort();
        rows
    };
    assert_eq!(answers("tables"), answers("back"));
}

#[test]
fn what_cannot_be_taken_is_refused_by_name_and_takes_nothing_else_along() {
    let world = world();
    std::fs::create_dir_all(world.path("bad")).expect("a folder");
    let rows: [(&str, String, &str); 7] = [
        ("bidi", instance("1", "<title>\u{202e}evil</title>"), "text-not-exact"),
        ("bomb", "<!DOCTYPE x [<!ENTITY a 'aaaa'>]><visit id='visit'>&a;</visit>".to_owned(), "not-xml"),
        ("deep", instance("2", &format!("{}{}", "<a>".repeat(500), "</a>".repeat(500))), "too-deep"),
        ("long", instance("3", &format!("<title>{}</title>", "x".repeat(100_000))), "answer-too-long"),
        ("nobody", "<visit id='visit'><title>a</title></visit>".to_owned(), "no-instance-id"),
        ("null", "<visit id='visit'><title>\0</title></visit>".to_owned(), "not-xml"),
        ("other", "<weather id='weather'/>".to_owned(), "other-form"),
    ];
    for (name, xml, _) in &rows {
        world.write(&format!("bad/{name}.xml"), xml.as_bytes());
    }
    world.write("bad/zgood.xml", instance("4", "<title>good</title>").as_bytes());
    let shown = world.json_with_code(&["import", "bad", "--home", "anna"], 1);
    let refused: Vec<_> = shown["refused"].as_array().expect("a list").iter().map(|one| text(one, "code")).collect();
    assert_eq!(refused, rows.iter().map(|(_, _, code)| *code).collect::<Vec<_>>());
    assert_eq!(shown["imported"], 1);
    assert!(!shown.to_string().contains("evil"), "no answer in a message");
    let tidied = world.json(&["import", "bad/bidi.xml", "--tidy", "--home", "anna"]);
    assert_eq!((&tidied["imported"], tidied["tidied"].as_array().map(Vec::len)), (&1.into(), Some(1)));
    let output = world.run(&["export", "csv", "bad", "--form", "visit", "--home", "anna"]);
    assert_eq!(output.status.code(), Some(65), "a folder that is there is not overwritten");
    let output = world.run(&["import", "table.csv", "--home", "anna"]);
    assert_eq!(output.status.code(), Some(64), "a table names no form");
}

/// Groups, repeats in repeats, a photo that is asked for outside the repeat of photos, what is calculated and what is not asked.
const DEEP_FORM: &str = "| survey |
| | type | name | label | relevant | calculation |
| | begin_group | seen | Seen | | |
| | integer | cars | Cars | | |
| | text | why | Why | ${cars} > 0 | |
| | calculate | doubled | | | ${cars} * 2 |
| | end_group | | | | |
| | image | picture | Picture | | |
| | geopoint | spot | Spot | | |
| | begin_repeat | houses | Houses | | |
| | text | roof | Roof | | |
| | begin_repeat | people | People | | |
| | text | name | Name | | |
| | image | face | Face | | |
| | end_repeat | | | | |
| | end_repeat | | | | |
| settings |
| | form_id | form_title | version |
| | visit | Visit | 1 |
";

#[test]
fn any_form_may_ask_for_photos_and_the_export_says_what_follows_from_its_answers() {
    let world = world_with(DEEP_FORM);
    let inside = "<seen><cars>0</cars><why>left over</why><doubled>0</doubled></seen><picture>a.jpg</picture>\
                  <spot>48.5 37.25 0 4</spot>\
                  <houses><roof>red</roof><people><name>Ян</name><face>b.jpg</face></people><people><name>بدر</name></people></houses>\
                  <houses><people><face>a.jpg</face></people></houses>";
    std::fs::create_dir_all(world.path("deep/media")).expect("a folder");
    world.write("deep/deep.xml", instance("deep", inside).as_bytes());
    for (file, photo) in [("a.jpg", "post-03.jpg"), ("b.jpg", "post-04.jpg")] {
        let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/demo/photos").join(photo));
        world.write(&format!("deep/media/{file}"), &bytes.expect("a photo of the project"));
    }
    let taken = world.json(&["import", "deep", "--home", "anna"]);
    assert_eq!((&taken["files_arrived"], &taken["entries"]), (&3.into(), &1.into()), "{taken}");
    let new = ["record", "new", "--form", "visit", "--set", "cars=4", "--set", "why=market", "--home", "anna"];
    world.json(&new);

    let written = export(&world, "xml", "out");
    assert_eq!((&written["files"], written["left_out"].as_array().map(Vec::len)), (&4.into(), Some(0)), "{written}");
    let instances: Vec<String> = (world.snapshot("out").into_iter())
        .filter(|(path, _)| path.ends_with("submission.xml"))
        .map(|(_, bytes)| String::from_utf8(bytes).expect("UTF-8"))
        .collect();
    let deep = instances.iter().find(|text| text.contains("uuid:deep")).expect("it went out");
    assert!(deep.contains(inside), "{deep}");
    assert!(instances.iter().any(|text| text.contains("<doubled>8</doubled>")), "what is calculated goes out too");

    export(&world, "csv", "tables");
    let table = String::from_utf8(world.read("tables/visit.csv")).expect("UTF-8");
    let row = table.lines().find(|line| line.contains("uuid:deep")).expect("its row");
    assert!(row.contains(",\"why\",") && row.contains(",\"left over\","), "kept, and marked: {row}");
    assert!(row.contains(",48.5,37.25,0,4"), "a place with its precision: {row}");
    assert_eq!(world.read("tables/visit-people.csv").iter().filter(|byte| **byte == b'\n').count(), 4);
}

/// Python with the libraries that read exports: tests/run installs them.
fn python(modules: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_BIN_EXE_merestone")).ancestors().nth(2)?;
    let places = ["tests-run/venv/bin/python", "venv/bin/python"].map(|place| target.join(place));
    let can = |python: &PathBuf| {
        let import = Command::new(python).args(["-c", &format!("import {modules}")]).output();
        import.is_ok_and(|output| output.status.success())
    };
    places.into_iter().find(can)
}

fn outsiders(world: &World, python: &Path, what: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/exchange.py");
    let output = Command::new(python).arg(script).arg(what).arg(world.path("export")).output().expect("Python starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("ok    "), "{said}");
}

/// Texts that other programs like to take for something else. A tab, NUL and direction marks cannot be signed, and are refused
/// where they come in.
const ODD: [&str; 8] = [
    "=HYPERLINK(\"http://x\",\"y\")",
    "+380501234567",
    "-1+1",
    "@SUM(A1)",
    "  =1+1",
    "＝1+1",
    "'quoted'",
    "😀 بدر (٨) -- ]]></x>",
];

/// An observer whose name is a formula, a photo named like one, and odd texts at a text, a choice and a caption.
fn odd_submissions(world: &World) {
    world.enrol("eve", "=Eve+1", "a.key", "observer");
    world.json(&["form", "add", "visit.md", "--home", "eve"]);
    std::fs::create_dir_all(world.path("odd")).expect("a folder");
    for (number, text) in ODD.iter().enumerate() {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let photo = "<photos><file>=1+1.jpg</file><caption>@caption</caption></photos>";
        let inside = format!("<title>{text}</title><state>{text}</state>{photo}<odd>{text}</odd>");
        world.write(&format!("odd/{number}.xml"), instance(&format!("odd-{number}"), &inside).as_bytes());
    }
    let photo = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/demo/photos/post-02.jpg"));
    world.write("odd/=1+1.jpg", &photo.expect("a photo of the project"));
    assert_eq!(world.json(&["import", "odd", "--home", "eve"])["files_arrived"], ODD.len());
    world.json(&["courier", "write", "eve.courier", "--home", "eve"]);
    world.json(&["courier", "read", "eve.courier", "--home", "anna"]);
}

#[test]
fn odd_texts_are_unchanged_in_json_and_xml_and_no_formula_in_a_table() {
    let world = exported();
    let json: Value = serde_json::from_slice(&world.read("export/export.json")).expect("JSON");
    let json = json.to_string();
    world.json_with_code(&["export", "xml", "instances-out", "--form", "visit", "--home", "anna"], 0);
    let xml: String = (world.snapshot("instances-out").into_iter())
        .filter(|(path, _)| path.ends_with("submission.xml"))
        .map(|(_, bytes)| String::from_utf8(bytes).expect("UTF-8"))
        .collect();
    for text in ODD {
        assert!(json.contains(&Value::from(text).to_string()), "{text:?}");
        let escaped = text.replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        assert!(xml.contains(&format!("<title>{escaped}</title>")), "{text:?}");
        assert!(xml.contains(&format!("<state>{escaped}</state>")), "{text:?}");
    }
    assert!(json.contains("=Eve+1") && xml.contains("<file>=1+1.jpg</file>"));
    assert!(world.snapshot("instances-out").iter().any(|(path, _)| path.ends_with("=1+1.jpg")));
    for (path, bytes) in world.snapshot("export/tables") {
        let table = String::from_utf8(bytes).expect("UTF-8");
        for start in ["=", "+3", "-1+", "@", "\t", "  =", "＝"] {
            assert!(!table.contains(&format!("\"{start}")), "{start:?} begins a cell of {}", path.display());
        }
    }
}

/// Imports, a conflict that two devices made, a record with a place: in every format.
fn exported() -> World {
    let world = world();
    submissions(&world);
    world.json_with_code(&["import", "instances", "--home", "anna"], 2);
    let new = ["record", "new", "--form", "visit", "--set", "title=@post", "--set", "cars=3", "--home", "anna"];
    world.json(&[&new[..], &["--place", "48.1234567,37.5,12"]].concat());
    odd_submissions(&world);
    std::fs::create_dir_all(world.path("export")).expect("a folder");
    export(&world, "csv", "export/tables");
    for format in ["json", "xlsx", "geojson", "kml", "gpx"] {
        assert_eq!(export(&world, format, &format!("export/export.{format}"))["records"], 4 + ODD.len());
    }
    world
}

#[test]
fn the_published_schema_describes_the_json() {
    let Some(python) = python("jsonschema") else {
        return skip("PyPI's jsonschema is not installed (tests/requirements.txt)");
    };
    outsiders(&exported(), &python, "json");
}

#[test]
fn openpyxl_reads_the_workbook_and_sees_no_formula() {
    let Some(python) = python("openpyxl") else {
        return skip("PyPI's openpyxl is not installed (tests/requirements.txt)");
    };
    outsiders(&exported(), &python, "tables");
}

#[test]
fn gdal_opens_every_map() {
    if Command::new("ogrinfo").arg("--version").output().is_err() {
        return skip("ogrinfo is not installed (Debian: gdal-bin)");
    }
    outsiders(&exported(), Path::new("python3"), "maps");
}
