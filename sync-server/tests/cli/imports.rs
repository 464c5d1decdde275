//! Importing again: what was taken, changed, cut short or left lying is never doubled and never dropped unsaid.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::exchange::world_with;
use crate::world::{World, text};

const FORM: &str = "| survey |
| | type | name | label |
| | text | title | Title |
| | integer | cars | Cars |
| | image | picture | Picture |
| | begin_repeat | houses | Houses |
| | text | roof | Roof |
| | end_repeat | | |
| settings |
| | form_id | form_title | version |
| | visit | Visit | 1 |
";

const IMPORT: [&str; 4] = ["import", "instances", "--home", "anna"];

fn world() -> World {
    let world = world_with(FORM);
    std::fs::create_dir_all(world.path("instances")).expect("a folder");
    world
}

fn put(world: &World, name: &str, id: &str, inside: &str) {
    let xml =
        format!("<visit id=\"visit\" version=\"1\">{inside}<meta><instanceID>uuid:{id}</instanceID></meta></visit>");
    world.write(&format!("instances/{name}.xml"), xml.as_bytes());
}

fn counts(shown: &Value) -> [u64; 5] {
    ["imported", "completed", "updated", "already", "entries"].map(|field| shown[field].as_u64().expect("a count"))
}

fn photo(number: usize) -> Vec<u8> {
    let path = format!("../fixtures/demo/photos/post-0{number}.jpg");
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a photo of the project")
}

/// The mark that an import of this id puts, as a setting of a record made by hand.
fn forged(world: &World, id: &str) -> String {
    put(world, "probe", id, "<title>probe</title>");
    let home = format!("probe-{id}");
    world.enrol(&home, "Probe", "a.key", "observer");
    world.json(&["form", "add", "visit.md", "--home", &home]);
    world.json(&["import", "instances/probe.xml", "--home", &home]);
    let listed = world.json(&["record", "list", "--home", &home]);
    let shown = world.json(&["record", "show", text(&listed["records"][0], "record"), "--home", &home]);
    std::fs::remove_file(world.path("instances/probe.xml")).expect("it is there");
    let answers = shown["answers"].as_array().expect("answers");
    let mark = answers.iter().map(|one| text(one, "key")).find(|key| key.ends_with("/instance"));
    format!("{}=uuid:{id}", mark.expect("the mark"))
}

#[test]
fn nobody_elses_word_about_an_instance_makes_its_submission_vanish() {
    let world = world();
    let mark = forged(&world, "one");
    put(&world, "one", "one", "<title>what was seen</title>");
    // In a record of hers that was something else when it was made, and in any row.
    let new = ["record", "new", "--form", "visit", "--set", "title=mine", "--home", "anna"];
    let record = world.json(&new);
    world.json(&["record", "edit", text(&record, "record"), "--set", &mark, "--anyway", "--home", "anna"]);
    world.json(&[&new[..], &["--set", "imported/00000000deadbeef/instance=uuid:one", "--anyway"]].concat());
    let taken = world.json(&IMPORT);
    assert_eq!(counts(&taken), [1, 0, 0, 0, 1], "{taken}");
    assert_eq!(counts(&world.json(&IMPORT)), [0, 0, 0, 1, 0]);

    // One that another made to look like it altogether is compared, and every difference is named.
    put(&world, "two", "two", "<title>what was seen</title><cars>3</cars>");
    let mark = forged(&world, "two");
    world.json(&[
        "record",
        "new",
        "--form",
        "visit",
        "--set",
        "title=other",
        "--set",
        &mark,
        "--anyway",
        "--home",
        "anna",
    ]);
    let taken = world.json_with_code(&IMPORT, 1);
    let differing = &taken["differing"][0];
    assert_eq!((text(differing, "instance"), text(differing, "why")), ("uuid:two", "changed-since"), "{taken}");
    assert!(differing["answers"].to_string().contains("title") && !taken.to_string().contains("what was seen"));
}

#[test]
fn the_records_of_another_party_are_theirs_and_ours_is_made() {
    let world = world_of_two_parties();
    put(&world, "one", "one", "<title>a</title>");
    assert_eq!(counts(&world.json(&IMPORT)), [1, 0, 0, 0, 1]);
    world.json(&["courier", "write", "bundle", "--home", "anna"]);
    world.json(&["courier", "read", "bundle", "--home", "boris"]);
    let taken = world.json(&["import", "instances", "--home", "boris"]);
    assert_eq!(counts(&taken), [1, 0, 0, 0, 1], "{taken}");
    assert_eq!(text(&taken["also"][0], "why"), "other-party");
    let again = world.json(&["import", "instances", "--home", "boris"]);
    assert_eq!(counts(&again), [0, 0, 0, 1, 0]);
}

#[test]
fn two_inspectors_of_a_party_take_an_export_once_and_what_both_took_apart_is_named() {
    let world = world();
    world.enrol("olena", "Olena", "a.key", "observer");
    world.json(&["form", "add", "visit.md", "--home", "olena"]);
    put(&world, "one", "one", "<title>a</title>");
    world.json(&IMPORT);
    world.json(&["courier", "write", "first", "--home", "anna"]);
    world.json(&["courier", "read", "first", "--home", "olena"]);
    let taken = world.json(&["import", "instances", "--home", "olena"]);
    assert_eq!(counts(&taken), [0, 0, 0, 1, 0], "what came over is known");
    // Apart from each other both take the next; together each knows it as taken, and says that it is there twice.
    put(&world, "two", "two", "<title>b</title>");
    for home in ["anna", "olena"] {
        assert_eq!(counts(&world.json(&["import", "instances", "--home", home]))[0], 1);
    }
    world.json(&["courier", "write", "second", "--home", "olena"]);
    world.json(&["courier", "read", "second", "--home", "anna"]);
    let again = world.json_with_code(&IMPORT, 2);
    assert_eq!((counts(&again), text(&again["also"][0], "why")), ([0, 0, 0, 2, 0], "twice"), "{again}");
}

#[test]
fn a_submission_that_was_changed_is_named_and_taken_over_as_an_edit_where_that_is_asked_for() {
    let world = world();
    let first = "<title>a</title><cars>1</cars><houses><roof>red</roof></houses><houses><roof>tin</roof></houses>";
    put(&world, "one", "one", first);
    world.json(&IMPORT);
    let listed = world.json(&["record", "list", "--home", "anna"]);
    let record = text(&listed["records"][0], "record").to_owned();
    // A correction that was made here is no difference of the submission.
    world.json(&["record", "edit", &record, "--set", "cars=2", "--home", "anna"]);
    assert_eq!(counts(&world.json(&IMPORT)), [0, 0, 0, 1, 0]);

    put(&world, "one", "one", "<title>b</title><cars>9</cars><houses><roof>red</roof></houses>");
    for _ in 0..2 {
        let said = world.json_with_code(&IMPORT, 1);
        assert_eq!(counts(&said), [0, 0, 0, 0, 0], "nothing is written");
        let answers = said["differing"][0]["answers"].as_array().expect("a list");
        let here = |key: &str| answers.iter().find(|one| text(one, "key").ends_with(key)).map(|one| text(one, "here"));
        let found = ["cars", "title", "/withdrawn"].map(here);
        assert_eq!(found, [Some("corrected-here"), Some("as-taken"), Some("as-taken")], "{said}");
    }
    let updated = world.json(&[&IMPORT[..], &["--update"]].concat());
    assert_eq!(counts(&updated), [0, 0, 1, 0, 1], "{updated}");
    let shown = world.json(&["record", "show", &record, "--home", "anna"]);
    let value = |key: &str| {
        let answers = shown["answers"].as_array().expect("answers");
        answers.iter().find(|one| text(one, "key") == key).map(|one| one["values"][0]["value"].clone())
    };
    assert_eq!((value("title"), value("cars")), (Some("b".into()), Some(9.into())));
    let history = world.json(&["record", "history", &record, "--home", "anna"]).to_string();
    assert!(history.contains("\"a\"") && history.contains('2'), "what was said before stays: {history}");
    for again in [&IMPORT[..], &[&IMPORT[..], &["--update"]].concat()] {
        assert_eq!(counts(&world.json(again)), [0, 0, 0, 1, 0], "and then it is known");
    }
}

#[test]
fn an_edit_with_an_id_of_its_own_is_the_same_record_whichever_comes_first() {
    let edit = "<visit id=\"visit\" version=\"1\"><title>b</title><houses><roof>red</roof></houses>\
                <meta><instanceID>uuid:two</instanceID><deprecatedID>uuid:one</deprecatedID></meta></visit>";
    let world = world();
    put(&world, "one", "one", "<title>a</title><houses><roof>red</roof></houses>");
    world.json(&IMPORT);
    world.write("instances/two.xml", edit.as_bytes());
    let said = world.json_with_code(&IMPORT, 1);
    assert_eq!((counts(&said), text(&said["differing"][0], "instance")), ([0, 0, 0, 1, 0], "uuid:two"));
    assert_eq!(counts(&world.json(&[&IMPORT[..], &["--update"]].concat())), [0, 0, 1, 1, 1]);
    assert_eq!(counts(&world.json(&IMPORT)), [0, 0, 0, 2, 0], "the earlier one is part of its history");
    // It goes out under its newest id, and comes back as known.
    world.json(&["export", "xml", "out", "--form", "visit", "--home", "anna"]);
    let (_, xml) = world.snapshot("out").into_iter().find(|(path, _)| path.ends_with("submission.xml")).expect("one");
    let xml = String::from_utf8(xml).expect("UTF-8");
    assert!(xml.contains("<orx:instanceID>uuid:two<") && xml.matches("instanceID>").count() == 2, "{xml}");
    assert_eq!(counts(&world.json(&["import", "out", "--home", "anna"])), [0, 0, 0, 1, 0]);

    // On a device that has neither, the edit first.
    world.enrol("olena", "Olena", "a.key", "observer");
    world.json(&["form", "add", "visit.md", "--home", "olena"]);
    world.json(&["import", "instances/two.xml", "--home", "olena"]);
    let said = world.json_with_code(&["import", "instances", "--home", "olena"], 2);
    assert_eq!((counts(&said), text(&said["superseded"][0], "instance")), ([0, 0, 0, 1, 0], "uuid:one"));
}

#[test]
fn records_of_this_mission_that_were_exported_are_known_when_they_come_back() {
    let world = world();
    world.json(&["record", "new", "--form", "visit", "--set", "title=a", "--set", "cars=1", "--home", "anna"]);
    world.json(&["export", "xml", "instances/out", "--form", "visit", "--home", "anna"]);
    assert_eq!(counts(&world.json(&IMPORT)), [0, 0, 0, 1, 0]);
    let path = world.snapshot("instances/out").into_iter().next().expect("one").0;
    let xml = std::fs::read_to_string(&path).expect("an instance").replace("<title>a<", "<title>b<");
    std::fs::write(&path, xml).expect("a file");
    let said = world.json_with_code(&IMPORT, 1);
    assert_eq!((counts(&said), text(&said["differing"][0], "why")), ([0, 0, 0, 0, 0], "recorded-here"));
}

#[test]
fn a_submission_that_cannot_be_saved_stops_no_other() {
    let world = world();
    // A file that opens and cannot be read, whoever asks: the memory of the reader itself, of which nothing is at its start.
    put(&world, "a", "a", "<title>a</title><picture>mem</picture>");
    put(&world, "b", "b", "<title>b</title>");
    let said = world.json_with_code(&[&IMPORT[..], &["--media", "/proc/self"]].concat(), 1);
    assert_eq!((counts(&said), said["refused"].as_array().map(Vec::len)), ([1, 0, 0, 0, 1], Some(1)), "{said}");
    assert_eq!(text(&said["refused"][0], "code"), "not-saved", "{said}");
    assert!(text(&said["refused"][0], "source").ends_with("a.xml"));
}

#[test]
fn a_withdrawn_record_is_no_instance_and_an_edited_one_is_calculated_anew() {
    let world = world_with(
        "| survey |\n| | type | name | label | relevant | calculation |\n| | integer | cars | Cars | | |\n\
         | | text | why | Why | ${cars} > 0 | |\n| | calculate | twice | | | ${cars} * 2 |\n\
         | settings |\n| | form_id | version |\n| | visit | 1 |\n",
    );
    std::fs::create_dir_all(world.path("instances")).expect("a folder");
    put(&world, "one", "one", "<cars>4</cars><why>because</why><twice>8</twice>");
    world.json(&IMPORT);
    let record = text(&world.json(&["record", "list", "--home", "anna"])["records"][0], "record").to_owned();
    let exported = |out: &str, code: i32| {
        let said = world.json_with_code(&["export", "xml", out, "--form", "visit", "--home", "anna"], code);
        let left: Vec<_> =
            said["left_out"].as_array().expect("a list").iter().map(|one| text(one, "why").to_owned()).collect();
        let files = if world.path(out).exists() { world.snapshot(out) } else { Vec::new() };
        let xml = files.into_iter().next().map(|(_, xml)| String::from_utf8(xml).expect("UTF-8"));
        (xml, left)
    };
    let (xml, left) = exported("as-it-came", 0);
    let xml = xml.expect("an instance");
    assert!(xml.contains("<why>because<") && xml.contains("<twice>8<") && left.is_empty(), "{xml}");
    world.json(&["record", "edit", &record, "--set", "cars=0", "--home", "anna"]);
    let (xml, left) = exported("edited", 2);
    let xml = xml.expect("an instance");
    assert!(!xml.contains("because") && xml.contains("<twice>0<"), "{xml}");
    assert_eq!(left, ["not-relevant"]);
    world.json(&["record", "edit", &record, "--set", "withdrawn=true", "--home", "anna"]);
    assert_eq!(exported("withdrawn", 2), (None, vec!["withdrawn-record".to_owned()]));
}

#[test]
fn a_row_without_its_record_is_named_where_it_stands_and_two_tables_for_one_repeat_are_refused() {
    let world = world();
    world.write("instances/visit.csv", b"KEY,title\nuuid:a,one\n");
    world.write("instances/visit-houses.csv", b"roof,PARENT_KEY,KEY\nred,uuid:a,h1\ntin,uuid:z,h2\n");
    let import = ["import", "instances/visit.csv", "--form", "visit", "--home", "anna"];
    let said = world.json_with_code(&import, 1);
    let refused = &said["refused"][0];
    assert_eq!((counts(&said)[0], text(refused, "code")), (1, "row-without-parent"), "{said}");
    assert!(text(refused, "source").ends_with("visit-houses.csv:3"), "{said}");
    world.write("instances/empty.csv", b"KEY,title\n");
    let output = world.run(&["import", "instances/empty.csv", "--form", "visit", "--home", "anna"]);
    assert_eq!(output.status.code(), Some(65), "a table without a row is as a folder without an instance");
    // Named before anything of it is read.
    let large = std::fs::File::create(world.path("instances/visit-unknown.csv")).expect("a file");
    large.set_len(1 << 33).expect("a sparse file");
    let said = String::from_utf8_lossy(&world.run(&import).stderr).into_owned();
    assert!(said.contains("no-such-repeat"), "{said}");
    std::fs::rename(world.path("instances/visit-unknown.csv"), world.path("instances/visit-houses.csv"))
        .expect("renamed");
    let said = String::from_utf8_lossy(&world.run(&import).stderr).into_owned();
    assert!(said.contains("134217728"), "{said}");
    world.write("instances/visit-houses.csv", b"roof,PARENT_KEY,KEY\n");
    world.write("instances/visit-other-houses.csv", b"roof,PARENT_KEY,KEY\nred,uuid:a,h1\n");
    let output = world.run(&import);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(65), "{said}");
    assert!(said.contains("repeat-twice") && said.contains("visit-other-houses"), "{said}");
}

/// Puts submissions with photos and rows.
fn put_many(world: &World, submissions: usize) {
    for number in 0..submissions {
        let houses = "<houses><roof>r</roof></houses>".repeat(number % 5);
        let inside = format!("<title>t{number}</title><picture>p{}.jpg</picture>{houses}", number % 4);
        put(world, &format!("{number:05}"), &format!("{number}"), &inside);
    }
    for number in 0..4 {
        world.write(&format!("instances/p{number}.jpg"), &photo(number + 1));
    }
}

/// Begins an import and kills it when the write-ahead log has grown by some entries and drafts; gives how many records there
/// are then.
fn kill_an_import(world: &World) -> usize {
    let log = || -> u64 {
        let files = std::fs::read_dir(world.path("anna/store")).expect("a store").filter_map(Result::ok);
        let logs = files.filter(|file| file.file_name().to_string_lossy().ends_with("-wal"));
        logs.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
    };
    let before = log();
    let mut child = world.command(&IMPORT).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while log() < before + 300_000 && child.try_wait().expect("it runs").is_none() {
        std::thread::yield_now();
    }
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    let listed = world.json(&["record", "list", "--limit", "500", "--home", "anna"]);
    listed["records"].as_array().expect("a list").len()
}

#[test]
fn an_import_that_was_killed_is_completed_without_doubles() {
    // On a machine that has much else to do, an import may be over before anybody looks: then a longer one is killed.
    let (world, submissions, begun) = [60, 180, 480]
        .into_iter()
        .find_map(|submissions| {
            let world = world();
            put_many(&world, submissions);
            let begun = kill_an_import(&world);
            (begun < submissions).then_some((world, submissions, begun))
        })
        .expect("an import that is killed in between");
    let again = world.json(&IMPORT);
    let counted = counts(&again);
    assert_eq!(counted[0] + counted[1] + counted[3], submissions as u64, "{again}");
    assert_eq!(counted[0], (submissions - begun) as u64);
    let listed = world.json(&["record", "list", "--limit", "500", "--home", "anna"]);
    assert_eq!(listed["records"].as_array().map(Vec::len), Some(submissions));
    assert_eq!(counts(&world.json(&IMPORT)), [0, 0, 0, submissions as u64, 0]);
    let shown = world.json(&["device", "show", "--home", "anna"]);
    assert_eq!(shown["drafts"], 0, "no draft of it is left: {shown}");
}

#[test]
fn nothing_is_passed_over_unsaid() {
    let world = world();
    let fails = |args: &[&str], code: i32, word: &str| {
        let output = world.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(word), "{args:?}: {said}");
    };
    fails(&IMPORT, 65, "holds no instance");
    fails(&["import", "nothere", "--home", "anna"], 65, "nothere");
    fails(&["import", "nothere.csv", "--form", "visit", "--home", "anna"], 65, "nothere.csv");
    fails(&["import", "instances", "--media", "nothere", "--home", "anna"], 65, "nothere");
    fails(&["form", "check", "instances"], 65, "holds no form");
    fails(&["form", "check", "nothere"], 65, "nothere");

    let deep = format!("instances/{}", ["d"; 9].join("/"));
    let deeper = format!("{deep}/{}", ["e"; 9].join("/"));
    std::fs::create_dir_all(world.path(&deeper)).expect("folders");
    put(&world, &format!("{}/one", ["d"; 9].join("/")), "one", "<title>a</title><picture>a.jpg</picture>");
    world.write(&format!("{deep}/a.jpg"), &photo(1));
    world.write(&format!("{deep}/left.jpg"), &photo(2));
    put(&world, &format!("{}/{}/two", ["d"; 9].join("/"), ["e"; 9].join("/")), "two", "<title>b</title>");
    let dry = world.json_with_code(&[&IMPORT[..], &["--dry-run"]].concat(), 1);
    assert_eq!((counts(&dry), &dry["files_arrived"]), ([1, 0, 0, 0, 1], &1.into()), "what would be signed: {dry}");
    let taken = world.json_with_code(&IMPORT, 1);
    assert_eq!((counts(&taken), &taken["files_arrived"]), ([1, 0, 0, 0, 1], &1.into()));
    let named = |field: &str| taken[field].as_array().expect("a list").iter().map(Value::to_string).collect::<String>();
    assert!(named("unnamed").contains("left.jpg") && !named("unnamed").contains("a.jpg"), "{taken}");
    assert_eq!(taken["passed_over"].as_array().map(Vec::len), Some(1), "{taken}");
    world.write(&format!("{deep}/form.md"), FORM.as_bytes());
    let output = world.run(&["form", "check", "instances"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(65));
    assert!(said.contains("form.md") && said.contains("not looked into"), "{said}");
}

/// Anna of state A and Boris of state B, with the form.
fn world_of_two_parties() -> World {
    let world = World::new();
    world.write("visit.md", FORM.as_bytes());
    let keys = ["a.key", "b.key"]
        .map(|key| text(&world.json(&["mission", "key", "--out", key, "--kdf-memory-mib", "1"]), "key").to_owned());
    let (a, b) = (format!("State A={}", keys[0]), format!("State B={}", keys[1]));
    let found = ["mission", "found", "--name", "M", "--scope", "North", "--key", "a.key", "--party", &a, "--party", &b];
    world.json(&[&found[..], &["--form", "visit.md", "--out", "charter.cbor"]].concat());
    world.json(&["mission", "sign", "charter.cbor", "--key", "b.key"]);
    for (home, observer, key) in [("anna", "Anna", "a.key"), ("boris", "Boris", "b.key")] {
        world.enrol(home, observer, key, "observer");
        world.json(&["form", "add", "visit.md", "--home", home]);
    }
    std::fs::create_dir_all(world.path("instances")).expect("a folder");
    world
}
