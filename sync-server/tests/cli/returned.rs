//! What comes again, changed, halfway or out of our own export, loses no answer and signs nobody else's.

use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::exchange::world_with;
use crate::world::{World, text};

const FORM: &str = "| survey |
| | type | name | label | calculation |
| | text | title | Title | |
| | integer | cars | Cars | |
| | calculate | twice | | ${cars} * 2 |
| | select_multiple c | colours | Colours | |
| | image | picture | Picture | |
| | begin_repeat | houses | Houses | |
| | text | roof | Roof | |
| | image | view | View | |
| | end_repeat | | | |
| choices |
| | list_name | name | label |
| | c | red | Red |
| | c | blue | Blue |
| settings |
| | form_id | form_title | version |
| | visit | Visit | 1 |
";

const IMPORT: [&str; 4] = ["import", "instances", "--home", "anna"];
const UPDATE: [&str; 5] = ["import", "instances", "--home", "anna", "--update"];

fn world() -> World {
    let world = world_with(FORM);
    std::fs::create_dir_all(world.path("instances")).expect("a folder");
    world
}

fn put(world: &World, name: &str, id: &str, inside: &str) {
    let xml = format!("<visit id=\"visit\" version=\"1\">{inside}<meta><instanceID>{id}</instanceID></meta></visit>");
    world.write(&format!("instances/{name}.xml"), xml.as_bytes());
}

fn photo(number: usize) -> Vec<u8> {
    let path = format!("../fixtures/demo/photos/post-0{number}.jpg");
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a photo of the project")
}

fn counts(shown: &Value) -> [u64; 5] {
    ["imported", "completed", "updated", "already", "entries"].map(|field| shown[field].as_u64().expect("a count"))
}

/// The ids of all records.
fn records(world: &World) -> Vec<String> {
    let listed = world.json(&["record", "list", "--home", "anna"]);
    let records = listed["records"].as_array().expect("a list");
    records.iter().map(|one| text(one, "record").to_owned()).collect()
}

/// What stands at a key of the only record.
fn value(world: &World, key: &str) -> Option<Value> {
    let [record] = records(world).try_into().expect("one record");
    let shown = world.json(&["record", "show", &record, "--home", "anna"]);
    let answers = shown["answers"].as_array().expect("answers");
    answers.iter().find(|one| text(one, "key") == key).map(|one| one["values"][0]["value"].clone())
}

/// The keys that are named of the first submission that differs, with what is said of each.
fn differing(said: &Value) -> Vec<(String, String)> {
    let answers = said["differing"][0]["answers"].as_array().unwrap_or_else(|| panic!("nothing differs: {said}"));
    answers.iter().map(|one| (text(one, "key").to_owned(), text(one, "here").to_owned())).collect()
}

/// Fills the form with what is typed.
fn fill(world: &World, typed: &str) -> Output {
    let mut command = world.command(&["record", "fill", "--form", "visit", "--home", "anna"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    child.stdin.take().expect("it is piped").write_all(typed.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

#[test]
fn what_a_killed_import_began_is_no_persons_draft_and_what_a_person_types_stays() {
    let world = world();
    let houses: String = (0..400).map(|at| format!("<houses><view>p{}.jpg</view></houses>", at % 4)).collect();
    put(&world, "one", "uuid:one", &format!("<title>taken over</title>{houses}"));
    for number in 0..4 {
        world.write(&format!("instances/p{number}.jpg"), &photo(number + 1));
    }
    let mut child = world.command(&IMPORT).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let log = || -> u64 {
        let files = std::fs::read_dir(world.path("anna/store")).expect("a store").filter_map(Result::ok);
        let logs = files.filter(|file| file.file_name().to_string_lossy().ends_with("-wal"));
        logs.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
    };
    let before = log();
    while log() < before + 100_000 && child.try_wait().expect("it runs").is_none() {
        std::thread::yield_now();
    }
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    let drafts = || world.json(&["device", "show", "--home", "anna"])["drafts"].as_u64();
    assert_eq!((drafts(), records(&world).len()), (Some(1), 0), "it was killed with a draft in hand");

    let said = String::from_utf8(fill(&world, "typed by a person\n:quit\n").stdout).expect("UTF-8");
    assert!(!said.contains("Going on with what was begun before") && !said.contains("taken over"), "{said}");
    assert_eq!(drafts(), Some(2));
    world.json(&IMPORT);
    assert_eq!((drafts(), records(&world).len()), (Some(1), 1), "only the import's own draft was taken away");
    let said = String::from_utf8(fill(&world, ":list\n:quit\n").stdout).expect("UTF-8");
    assert!(said.contains("Going on with what was begun before") && said.contains("typed by a person"), "{said}");
}

#[test]
fn a_photo_stays_under_its_name_until_the_one_that_is_named_now_is_there() {
    let world = world();
    put(&world, "one", "uuid:one", "<title>a</title><picture>a.jpg</picture>");
    world.write("instances/a.jpg", &photo(1));
    world.json(&IMPORT);
    let first = value(&world, "picture").expect("the photo arrived");
    put(&world, "one", "uuid:one", "<title>a</title><picture>b.jpg</picture>");
    let said = world.json_with_code(&UPDATE, 1);
    assert_eq!((counts(&said), text(&said["missing"][0], "file")), ([0, 0, 0, 0, 0], "b.jpg"), "{said}");
    assert_eq!(differing(&said), [("picture".to_owned(), "as-taken".to_owned())]);
    put(&world, "one", "uuid:one", "<title>b</title><picture>b.jpg</picture>");
    let said = world.json_with_code(&UPDATE, 2);
    assert_eq!(counts(&said), [0, 0, 1, 0, 1], "what is there is taken over: {said}");
    assert_eq!(differing(&said), [("title".to_owned(), "as-taken".to_owned())]);
    world.json(&["export", "xml", "out", "--form", "visit", "--home", "anna"]);
    let files: Vec<_> = world.snapshot("out").into_iter().filter(|(path, _)| path.ends_with("b.jpg")).collect();
    assert!(files.is_empty() && value(&world, "picture") == Some(first.clone()));

    world.write("instances/b.jpg", &photo(2));
    let said = world.json(&UPDATE);
    assert_eq!((counts(&said), &said["files_arrived"]), ([0, 0, 1, 0, 1], &1.into()), "{said}");
    assert!(value(&world, "picture") != Some(first), "it arrived");
    assert_eq!(counts(&world.json(&IMPORT)), [0, 0, 0, 1, 0]);
}

#[test]
fn a_submission_is_known_whatever_its_id_is_made_of() {
    let world = world();
    let ids = ["---", "!!!", ".", "😀", "…и…"];
    for (number, id) in ids.iter().enumerate() {
        put(&world, &number.to_string(), id, "<title>a</title>");
    }
    assert_eq!(counts(&world.json(&IMPORT)), [5, 0, 0, 0, 5]);
    assert_eq!(counts(&world.json(&IMPORT)), [0, 0, 0, 5, 0]);
    put(&world, "0", "---", "<title>b</title>");
    assert_eq!(counts(&world.json(&UPDATE)), [0, 0, 1, 4, 1]);
    assert_eq!(records(&world).len(), ids.len());
}

#[test]
fn what_a_changed_submission_says_for_the_first_time_is_named_too() {
    let world = world();
    put(&world, "one", "uuid:one", "<title>a</title>");
    world.json(&IMPORT);
    put(&world, "one", "uuid:one", "<title>b</title><cars>3</cars><picture>a.jpg</picture>");
    let said = world.json_with_code(&IMPORT, 1);
    let wanted = [("title", "as-taken"), ("cars", "added"), ("picture", "added")];
    assert_eq!(differing(&said), wanted.map(|(key, here)| (key.to_owned(), here.to_owned())), "{said}");
}

#[test]
fn answers_given_at_once_are_kept_as_the_form_keeps_them() {
    let world = world();
    world.json(&["record", "new", "--form", "visit", "--set", "colours=blue red", "--home", "anna"]);
    assert_eq!(value(&world, "colours"), Some("red blue".into()));
}

/// The only record, exported anew as an instance and changed.
fn exported(world: &World, changes: &[(&str, &str)]) -> String {
    let [record] = records(world).try_into().expect("one record");
    std::fs::remove_dir_all(world.path("instances")).expect("it is there");
    world.run(&["export", "xml", "instances", "--form", "visit", "--home", "anna", "--json"]);
    let path = format!("instances/{record}/submission.xml");
    let mut xml = String::from_utf8(world.read(&path)).expect("UTF-8");
    for (from, to) in changes {
        assert!(xml.contains(from), "{from:?} is in {xml}");
        xml = xml.replacen(from, to, 1);
    }
    world.write(&path, xml.as_bytes());
    xml
}

fn named(said: &Value) -> Vec<String> {
    let mut named: Vec<String> = differing(said)
        .into_iter()
        .map(|(key, here)| {
            let parts: Vec<&str> = key.split('/').collect();
            let key = if parts.len() == 3 { format!("{}/{}", parts[0], parts[2]) } else { key.clone() };
            format!("{key} {here}")
        })
        .collect();
    named.sort();
    named
}

#[test]
fn what_was_filled_in_in_our_own_export_is_named_and_taken_over_on_request() {
    let world = world();
    let new = ["record", "new", "--form", "visit", "--home", "anna", "--set", "cars=3", "--set", "colours="];
    let row = "houses/0000000100000001/roof=tin";
    world.json(&[&new[..], &["--set", row]].concat());
    exported(&world, &[]);
    assert_eq!(counts(&world.json(&IMPORT)), [0, 0, 0, 1, 0], "as it went out, the calculated total in it");

    let houses = "<roof>tin</roof></houses><houses><roof>straw</roof></houses>";
    let changes = [
        ("<cars>3<", "<title>filled in</title><picture>a.jpg</picture><odd>kept</odd><cars>3<"),
        ("<colours/>", "<colours>blue</colours>"),
        ("<roof>tin</roof></houses>", houses),
    ];
    let xml = exported(&world, &changes.map(|(from, to)| (from, to)));
    let said = world.json_with_code(&IMPORT, 1);
    let wanted =
        ["colours recorded-here", "houses/roof not-here", "odd not-here", "picture not-here", "title not-here"];
    assert_eq!((named(&said), counts(&said)), (wanted.map(str::to_owned).to_vec(), [0, 0, 0, 0, 0]), "{xml}");

    let [record] = records(&world).try_into().expect("one record");
    world.write(&format!("instances/{record}/a.jpg"), &photo(1));
    let dry = world.json_with_code(&[&UPDATE[..], &["--dry-run"]].concat(), 0);
    assert_eq!((counts(&dry), value(&world, "title")), ([0, 0, 1, 0, 1], None), "{dry}");
    let said = world.json(&UPDATE);
    assert_eq!((counts(&said), &said["files_arrived"]), ([0, 0, 1, 0, 1], &1.into()), "{said}");
    assert_eq!((value(&world, "title"), value(&world, "colours")), (Some("filled in".into()), Some("blue".into())));
    let xml = exported(&world, &[]);
    assert!(xml.contains(houses) && xml.contains("<odd>kept</odd>") && xml.contains("<twice>6</twice>"), "{xml}");
    assert_eq!(counts(&world.json(&IMPORT)), [0, 0, 0, 1, 0], "and then it is known");

    exported(&world, &[("<houses><roof>tin</roof></houses>", ""), ("<odd>kept</odd>", "")]);
    let said = world.json_with_code(&IMPORT, 1);
    let wanted = ["houses/roof recorded-here", "houses/withdrawn not-said", "odd not-said"];
    assert_eq!(named(&said), wanted, "{said}");
    world.json(&UPDATE);
    assert_eq!(counts(&world.json(&IMPORT)), [0, 0, 0, 1, 0]);
}

#[test]
fn what_was_filled_in_in_our_own_table_is_named_and_taken_over_on_request() {
    let world = world();
    let row = "houses/0000000100000001/roof=tin";
    world.json(&["record", "new", "--form", "visit", "--home", "anna", "--set", "cars=3", "--set", row]);
    world.json(&["export", "csv", "tables", "--form", "visit", "--home", "anna"]);
    let import = ["import", "tables/visit.csv", "--form", "visit", "--home", "anna"];
    assert_eq!(counts(&world.json(&import)), [0, 0, 0, 1, 0]);
    let table = String::from_utf8(world.read("tables/visit.csv")).expect("UTF-8");
    let (heading, row) = table.split_once('\n').expect("a row");
    let at = heading.trim_end().split(',').position(|name| name.trim_matches('"') == "title").expect("a column");
    let mut cells: Vec<&str> = row.trim_end().split(',').collect();
    cells[at] = "filled in";
    world.write("tables/visit.csv", format!("{heading}\n{}\r\n", cells.join(",")).as_bytes());
    let said = world.json_with_code(&import, 1);
    assert_eq!(named(&said), ["title not-here"], "{said}");
    world.json(&[&import[..], &["--update"]].concat());
    assert_eq!(value(&world, "title"), Some("filled in".into()));
    assert_eq!(counts(&world.json(&import)), [0, 0, 0, 1, 0]);
}

#[test]
fn an_answer_where_values_stand_side_by_side_is_named_and_the_conflict_stays() {
    let world = world();
    world.enrol("olena", "Olena", "a.key", "observer");
    world.json(&["form", "add", "visit.md", "--home", "olena"]);
    let made = world.json(&["record", "new", "--form", "visit", "--home", "anna", "--set", "title=a"]);
    let record = text(&made, "record").to_owned();
    world.json(&["courier", "write", "first", "--home", "anna"]);
    world.json(&["courier", "read", "first", "--home", "olena"]);
    for (home, title) in [("anna", "title=b"), ("olena", "title=c")] {
        world.json(&["record", "edit", &record, "--set", title, "--home", home]);
    }
    world.json(&["courier", "write", "second", "--home", "olena"]);
    world.json(&["courier", "read", "second", "--home", "anna"]);
    exported(&world, &[]);
    assert_eq!(counts(&world.json(&IMPORT)), [0, 0, 0, 1, 0], "the blank for a conflict is no answer");
    let xml = String::from_utf8(world.read(&format!("instances/{record}/submission.xml"))).expect("UTF-8");
    let xml = xml.replace("<title/>", "<title></title>").replace("<title></title>", "<title>d</title>");
    assert!(xml.contains("<title>d</title>"), "{xml}");
    world.write(&format!("instances/{record}/submission.xml"), xml.as_bytes());
    for args in [&IMPORT[..], &UPDATE[..]] {
        assert_eq!(named(&world.json_with_code(args, 1)), ["title conflict-here"]);
    }
}

#[test]
fn what_could_not_be_worked_out_is_named_when_it_is_missing() {
    let form = FORM.replace("${cars} * 2", "if(regex(${title}, ${title}), 1, 2)");
    let world = world_with(&form);
    world.json(&["record", "new", "--form", "visit", "--home", "anna", "--set", "title=a"]);
    world.json(&["export", "json", "whole.json", "--form", "visit", "--home", "anna"]);
    world.json(&["record", "new", "--form", "visit", "--home", "anna", "--set", "title=(", "--anyway"]);
    for format in ["csv", "xml", "json"] {
        let said =
            world.json_with_code(&["export", format, &format!("out-{format}"), "--form", "visit", "--home", "anna"], 2);
        let left = &said["left_out"][0];
        assert_eq!((text(left, "key"), text(left, "why")), ("twice", "not-worked-out"), "{said}");
        assert_eq!(said["left_out"].as_array().map(Vec::len), Some(1), "{said}");
    }
}

#[test]
fn a_chain_of_edits_is_one_record_in_whatever_order_its_files_are_read() {
    let world = world();
    let of = |id: &str| format!("<deprecatedID>uuid:{id}</deprecatedID>");
    for (name, id, title, earlier) in
        [("a", "v3", "c", of("v2")), ("b", "v1", "a", String::new()), ("c", "v2", "b", of("v1"))]
    {
        let xml = format!(
            "<visit id=\"visit\" version=\"1\"><title>{title}</title>\
             <meta><instanceID>uuid:{id}</instanceID>{earlier}</meta></visit>"
        );
        world.write(&format!("instances/{name}.xml"), xml.as_bytes());
    }
    let said = world.json_with_code(&IMPORT, 1);
    assert_eq!((counts(&said), records(&world).len()), ([1, 0, 0, 0, 1], 1), "{said}");
    assert_eq!(said["differing"].as_array().map(Vec::len), Some(2), "both edits are named: {said}");
    assert_eq!(counts(&world.json(&UPDATE)), [0, 0, 2, 1, 2]);
    assert_eq!(value(&world, "title"), Some("c".into()));
    assert_eq!(counts(&world.json(&IMPORT)), [0, 0, 0, 3, 0], "each was taken");
}
