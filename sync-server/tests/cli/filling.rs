//! Filling a form at the terminal: constraints, back, jump, and going on after a kill.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::Value;

use crate::exchange::world_with;
use crate::world::{World, text};

/// A form being filled by somebody who types.
struct Typist {
    child: Child,
    keys: Option<ChildStdin>,
    screen: BufReader<ChildStdout>,
}

impl Typist {
    fn sit_down(world: &World, args: &[&str]) -> Self {
        Self::sit_down_at(world, "phone", args)
    }

    fn sit_down_at(world: &World, home: &str, args: &[&str]) -> Self {
        let mut command = world.command(&[&["record", "fill", "--home", home], args].concat());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let screen = BufReader::new(child.stdout.take().expect("piped"));
        Self { keys: child.stdin.take(), child, screen }
    }

    fn type_line(&mut self, line: &str) {
        writeln!(self.keys.as_mut().expect("still there"), "{line}").expect("the command reads");
    }

    /// Reads until a line holds `text`.
    fn read_until(&mut self, text: &str) -> String {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            assert!(self.screen.read_line(&mut line).expect("text") > 0, "never said {text:?}:\n{seen}");
            seen.push_str(&line);
            if line.contains(text) {
                return seen;
            }
        }
    }

    /// Goes away; what the command said last, and its exit code.
    fn stand_up(mut self) -> (String, Option<i32>) {
        self.keys = None;
        let mut rest = String::new();
        self.screen.read_to_string(&mut rest).expect("text");
        (rest, self.child.wait().expect("ends").code())
    }
}

fn answers(world: &World) -> Value {
    let list = world.json(&["record", "list", "--home", "phone"]);
    let record = list["records"][0]["record"].as_str().expect("a record").to_owned();
    world.json(&["record", "show", &record, "--home", "phone"])
}

fn answer(shown: &Value, key: &str) -> Option<Value> {
    let all = shown["answers"].as_array().expect("answers");
    all.iter().find(|answer| answer["key"] == key).map(|answer| answer["values"][0]["value"].clone())
}

#[test]
fn a_form_is_filled_with_checks_back_and_jump_and_survives_a_kill() {
    let world = World::with_mission();
    world.enrol("phone", "Olena", "a.key", "observer");
    let mut typist = Typist::sit_down(&world, &["--form", "inspection"]);
    typist.read_until("(post)");
    typist.type_line("");
    typist.read_until("an answer is required");
    typist.type_line("North gate");
    typist.read_until("(post_local)");
    typist.type_line(":jump day");
    typist.read_until("(day)");
    typist.type_line("2026-02-30");
    typist.read_until("write a day of the calendar");
    typist.type_line("2026-05-04");
    typist.read_until("(time)");
    typist.type_line(":jump status");
    typist.read_until("(status)");
    typist.type_line("ajar");
    typist.read_until("not one of the choices");
    typist.type_line("2");
    typist.read_until("(status_reason)");
    // The power fails. Everything before the question now shown is on the disk.
    typist.child.kill().expect("it runs");
    typist.child.wait().expect("it ends");

    let mut typist = Typist::sit_down(&world, &["--form", "inspection"]);
    typist.read_until("Going on with what was begun before");
    typist.type_line(":list");
    let listed = typist.read_until("remarks");
    assert!(
        listed.contains("North gate") && listed.contains("2026-05-04") && listed.contains("restricted"),
        "{listed}"
    );
    typist.type_line(":jump how_known");
    typist.read_until("(how_known)");
    typist.type_line("seen");
    typist.read_until("(queue_low)");
    typist.type_line("٤");
    typist.read_until("(queue_best)");
    typist.type_line(":back");
    typist.read_until("now: 4");
    typist.type_line("3");
    typist.read_until("(queue_best)");
    typist.type_line(":jump remarks");
    typist.read_until("(remarks)");
    typist.type_line("-");
    typist.read_until("(source)");
    typist.type_line("");
    typist.type_line("y");
    typist.read_until("Photos 1");
    typist.type_line("no-such-photo.jpg");
    typist.read_until("no-such-photo.jpg");
    typist.type_line("");
    typist.read_until("(photos/");
    typist.type_line("::a caption");
    typist.type_line("n");
    typist.type_line("y");
    let (last, code) = typist.stand_up();
    assert_eq!(code, Some(0), "{last}");
    assert!(last.contains("saved"), "{last}");

    let shown = answers(&world);
    for (key, wanted) in [
        ("post", Value::from("North gate")),
        ("day", Value::from("2026-05-04")),
        ("status", Value::from("restricted")),
        ("how_known", Value::from("seen")),
        ("queue_low", Value::from(3)),
        ("remarks", Value::Null),
    ] {
        assert_eq!(answer(&shown, key), Some(wanted), "{key}: {shown}");
    }
    assert_eq!(answer(&shown, "queue_high"), None, "passed over is not left blank");
    let captions = shown["answers"].as_array().expect("answers").iter().filter(|answer| {
        answer["key"].as_str().is_some_and(|key| key.starts_with("photos/") && key.ends_with("/caption"))
    });
    assert_eq!(captions.map(|answer| answer["values"][0]["value"].clone()).collect::<Vec<_>>(), [":a caption"]);
}

#[test]
fn who_stands_up_in_the_middle_keeps_the_draft_and_is_told() {
    let world = World::with_mission();
    world.enrol("phone", "Olena", "a.key", "observer");
    let mut typist = Typist::sit_down(&world, &["--form", "incident"]);
    typist.type_line("Shots heard");
    let (_, code) = typist.stand_up();
    assert_eq!(code, Some(2));
    let mut typist = Typist::sit_down(&world, &["--form", "incident"]);
    typist.read_until("Going on");
    typist.type_line(":discard");
    assert_eq!(typist.stand_up().1, Some(0));
    let mut typist = Typist::sit_down(&world, &["--form", "incident"]);
    typist.type_line(":help");
    let said = typist.read_until(":quit");
    assert!(!said.contains("Going on"), "{said}");
    typist.type_line(":quit");
    assert_eq!(typist.stand_up().1, Some(2));
}

#[test]
fn the_place_and_the_post_that_are_named_are_signed_and_a_program_reads_nothing_but_the_report() {
    let world = World::with_mission();
    world.enrol("phone", "Olena", "a.key", "observer");
    let named = ["--form", "inspection", "--place", "48.1,37.5,12"];
    Typist::sit_down(&world, &[&named[..], &["--post", "Gate 2"]].concat()).stand_up();
    // The draft keeps what was named before, but for what is named again.
    let mut typist = Typist::sit_down(&world, &["--form", "inspection", "--post", "Gate 3", "--json"]);
    typist.type_line("North gate");
    typist.type_line(":save");
    typist.type_line("save");
    let (printed, code) = typist.stand_up();
    assert_eq!(code, Some(0), "{printed}");
    let saved: Value = serde_json::from_str(&printed).expect("one JSON object, and no talk");
    let record = text(&saved, "record");
    let history = world.json(&["record", "history", record, "--home", "phone"]);
    let made = &history["steps"][0];
    assert_eq!((&made["place"]["lat_e7"], &made["place"]["accuracy_m"]), (&481_000_000.into(), &12.into()), "{made}");
    assert_eq!(text(made, "post"), "Gate 3");
    let settle = ["record", "resolve", record, "--set", "status=open", "--post", "Gate 3", "--home", "phone"];
    assert_eq!(
        world.run(&settle).status.code(),
        Some(64),
        "who settles a conflict states no place, and none is dropped"
    );
}

const FILES: &str = "| survey |
| | type | name | label::English (en) |
| | audio | sound | Sound |
| | image | picture | Picture |
| | begin_repeat | things | What was seen |
| | text | what | What |
| | end_repeat | | |
| settings |
| | form_id | version |
| | visit | 1 |
";

#[test]
fn what_cannot_be_done_at_a_terminal_is_said_with_its_reason() {
    let world = world_with(FILES);
    let output = world.run(&["record", "fill", "--form", "visit", "--language", "uk", "--home", "anna"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.contains("it has English (en)")), (Some(64), true), "{said}");
    let mut typist = Typist::sit_down_at(&world, "anna", &["--form", "visit"]);
    let begun = typist.read_until("(sound)");
    assert!(!begun.contains("Going on"), "nothing was begun in a language that there is not: {begun}");
    typist.type_line("a.ogg");
    typist.read_until("cannot be attached at a terminal");
    typist.type_line("");
    typist.read_until("(picture)");
    typist.type_line("nofile.jpg");
    let said = typist.read_until("no such file");
    assert!(said.contains("path of a photo >") && said.matches("nofile.jpg").count() == 1, "{said}");
    typist.type_line("");
    typist.type_line(":quit");
    let (last, code) = typist.stand_up();
    assert_eq!((code, last.contains("Add to What was seen?")), (Some(2), true), "{last}");
}

#[test]
fn the_trail_that_a_form_asks_for_goes_out_beside_the_instance() {
    let form = "| survey |\n| | type | name | label |\n| | audit | audit | |\n| | text | what | What |\n\
                | settings |\n| | form_id |\n| | visit |\n";
    let world = world_with(form);
    let mut typist = Typist::sit_down_at(&world, "anna", &["--form", "visit"]);
    typist.type_line("a bridge");
    typist.type_line("y");
    assert_eq!(typist.stand_up().1, Some(0));
    let shown = world.json(&["export", "xml", "out", "--form", "visit", "--home", "anna"]);
    assert_eq!((&shown["files"], shown["left_out"].as_array().map(Vec::len)), (&2.into(), Some(0)), "{shown}");
    let files = world.snapshot("out");
    let [(trail, csv), (_, xml)] = files.as_slice() else { panic!("{files:?}") };
    let (csv, xml) = (String::from_utf8_lossy(csv), String::from_utf8_lossy(xml));
    assert!(trail.ends_with("audit.csv") && csv.starts_with("event,node,start,end\nform start,"), "{csv}");
    assert!(csv.contains("\nquestion,/") && csv.contains("\nform save,"), "{csv}");
    assert!(xml.contains("<orx:meta><orx:audit>audit.csv</orx:audit>"), "{xml}");
    world.json(&["export", "csv", "tables", "--form", "visit", "--home", "anna"]);
    let table = String::from_utf8(world.read("tables/visit.csv")).expect("UTF-8");
    assert!(!table.lines().next().expect("headings").contains("audit"), "no column that is always empty: {table}");
}

#[test]
fn who_has_not_taken_up_a_form_is_told_how() {
    let world = world_with(FILES);
    world.enrol("boris", "Boris", "a.key", "observer");
    let output = world.run(&["record", "fill", "--form", "visit", "--home", "boris"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(65), "{said}");
    assert!(said.contains("no form visit") && said.contains("`merestone form add FILE`"), "{said}");
}

#[test]
fn of_a_folder_every_form_has_a_row_with_the_place_to_mend() {
    let world = World::new();
    let form = |row: &str| format!("| survey |\n| | type | name | label |\n| | {row} |\n");
    std::fs::create_dir_all(world.path("forms/good-media")).expect("a folder");
    world.write("forms/good.md", form("select_one_from_file posts.csv | post | Post").as_bytes());
    world.write("forms/good-media/posts.csv", b"name,label\na,Alpha\n");
    world.write("forms/bad.md", form("select_one nowhere | post | Post").as_bytes());
    world.write("forms/README.md", b"# Our forms\n");
    let output = world.run(&["form", "check", "forms/bad.md", "--json"]);
    assert_eq!(output.status.code(), Some(65));
    let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON beside the failure");
    let bad = &shown["forms"][0];
    assert_eq!(
        (bad["status"].as_str(), bad["sheet"].as_str(), bad["row"].as_u64()),
        (Some("refused"), Some("survey"), Some(3))
    );
    assert_eq!(bad["column"], "type");
    let good = world.json(&["form", "check", "forms/good.md"]);
    assert_eq!(
        (&good["forms"][0]["status"], &good["forms"][0]["notices"]),
        (&Value::from("loaded"), &Value::from(Vec::<Value>::new()))
    );
    let output = world.run(&["form", "check", "forms"]);
    assert_eq!(output.status.code(), Some(65));
    let (rows, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        rows.contains("refused  forms/bad.md  survey:3:type:") && rows.contains("loaded   forms/good.md"),
        "{rows}"
    );
    assert!(!rows.contains("README") && said.contains("1 of 2 forms"), "{rows}{said}");
}

#[test]
fn what_a_check_of_forms_says_has_one_shape_for_programs_and_a_place_for_people() {
    let world = World::new();
    let form = "| survey |\n| | type | name | label | colour |\n| | integer | n | **How** many of ${m} | |\n\
                | | text | m | Of &quot;what&quot; | red |\n| | select_one_from_file posts.csv | post | Post | |\n\
                | | select_one_from_file gone.csv | far | Far | |\n\
                | settings |\n| | form_id | form_title |\n| | f | F |\n";
    std::fs::create_dir_all(world.path("forms")).expect("a folder");
    world.write("forms/good.md", form.as_bytes());
    world.write("forms/posts.csv", b"name,label\na,Alpha\n");
    world.write("forms/bad.md", b"| survey |\n| | type | name |\n| | integer | 1x |\n");
    let output = world.run(&["form", "check", "forms"]);
    let rows = String::from_utf8_lossy(&output.stdout).into_owned();
    let wanted = "refused  forms/bad.md  survey:3:name: ";
    assert!(rows.starts_with(wanted) && !rows.contains("posts.csv  "), "a file of choices is no form: {rows}");
    let wanted = "loaded   forms/good.md  f, 4 questions, 2 notices\n  note     survey:2:colour: this column is not used\n  \
                  note     survey:6:type: the file `gone.csv` was not given: nothing is found in it\n";
    assert!(rows.ends_with(wanted), "{rows}");
    let alone = world.run(&["form", "check", "forms/good.md"]);
    let alone = String::from_utf8_lossy(&alone.stdout).into_owned();
    assert!(alone.contains("How many of …") && alone.contains("Of \"what\"\n"), "labels without their marks: {alone}");
    let output = world.run(&["form", "check", "forms", "--json"]);
    let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON beside the failure");
    let keys = |of: &Value| of.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&shown), "forms");
    let (refused, loaded) = (&shown["forms"][0], &shown["forms"][1]);
    assert_eq!(keys(refused), "column file reason row sheet status");
    assert_eq!(keys(loaded), "file form id languages notices questions status title version");
    assert_eq!(keys(&loaded["questions"][0]), "calculated choices label name repeat required type");
    assert_eq!(keys(&loaded["notices"][0]), "column row sheet text");
    let types: Vec<&str> =
        loaded["questions"].as_array().expect("a list").iter().filter_map(|one| one["type"].as_str()).collect();
    assert_eq!(types, ["integer", "text", "select_one", "select_one"]);
}

#[test]
fn a_long_list_of_choices_is_whole_for_programs_and_says_to_people_how_much_more_there_is() {
    let choices: String = (1..=75).map(|number| format!("| | c | c{number} | Choice {number} |\n")).collect();
    let form = format!(
        "| survey |\n| | type | name | label |\n| | select_one c | which | Which |\n\
         | choices |\n| | list_name | name | label |\n{choices}| settings |\n| | form_id |\n| | visit |\n"
    );
    let world = world_with(&form);
    let checked = world.json(&["form", "check", "visit.md"]);
    assert_eq!(checked["forms"][0]["questions"][0]["choices"].as_array().map(Vec::len), Some(75), "{checked}");
    let said = String::from_utf8(world.run(&["form", "check", "visit.md"]).stdout).expect("UTF-8");
    assert!(said.contains("c50 and 25 more") && !said.contains("c51"), "{said}");
    let output = world.run(&["record", "fill", "--form", "visit", "--home", "anna"]);
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(said.contains("60  c60  Choice 60") && said.contains("15 more; type the name"), "{said}");
    assert!(!said.contains("c61"), "{said}");
    let output = world.run(&["record", "fill", "--record", &"ab".repeat(32), "--scope", "North", "--home", "anna"]);
    assert_eq!(output.status.code(), Some(64), "a record stays in its scope");
}

#[test]
fn nothing_in_a_form_or_a_name_steers_the_terminal() {
    let world = world_with(FORM_OF_ONE);
    let form = FORM_OF_ONE.replace("Title", "a\u{1b}[2Jb").replace("| visit |", "| visi\u{202e}t |");
    world.write("odd\u{1b}[31m.md", form.as_bytes());
    for args in [&["form", "check", "odd\u{1b}[31m.md"][..], &["form", "check", "."]] {
        let output = world.run(args);
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
        assert!(!said.contains(['\u{1b}', '\u{202e}']) && said.contains("[2Jb") == (args[2] != "."), "{said:?}");
    }
}

const FORM_OF_ONE: &str = "| survey |\n| | type | name | label |\n| | text | title | Title |\n\
                           | settings |\n| | form_id |\n| | visit |\n";

#[test]
fn a_photo_that_is_cancelled_in_an_edit_keeps_the_one_that_was_there() {
    let world = world_with(
        "| survey |\n| | type | name | label |\n| | image | picture | Picture |\n| settings |\n| | form_id |\n| | visit |\n",
    );
    let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/demo/photos/post-01.jpg");
    let mut typist = Typist::sit_down_at(&world, "anna", &["--form", "visit"]);
    typist.read_until("(picture)");
    typist.type_line(photo);
    typist.type_line("");
    let (said, code) = typist.stand_up();
    assert_eq!(code, Some(0), "{said}");
    let record = text(&world.json(&["record", "list", "--home", "anna"])["records"][0], "record").to_owned();
    let shown = || answer(&world.json(&["record", "show", &record, "--home", "anna"]), "picture");
    let before = shown().expect("a photo");
    let mut typist = Typist::sit_down_at(&world, "anna", &["--record", &record]);
    typist.read_until("(picture)");
    for line in ["nofile.jpg", file!(), "", "save"] {
        typist.type_line(line);
    }
    let (said, _) = typist.stand_up();
    assert!(said.contains("no such file"), "{said}");
    assert_eq!(shown(), Some(before));
}

#[test]
fn saving_is_never_refused_because_of_a_name_or_an_empty_title() {
    let world = world_with(
        "| survey |\n| | type | name | label |\n| | text | title | Title |\n| | integer | cars | Cars |\n\
         | settings |\n| | form_id | form_title | instance_name |\n| | visit | | concat(${title}, 1 div 0) |\n",
    );
    for title in ["title=", "title=\u{1f600} /\\..", "cars=1"] {
        world.json(&["record", "new", "--form", "visit", "--set", title, "--home", "anna"]);
    }
    let listed = world.json(&["record", "list", "--home", "anna"]);
    assert_eq!(listed["records"].as_array().map(Vec::len), Some(3), "{listed}");
}
