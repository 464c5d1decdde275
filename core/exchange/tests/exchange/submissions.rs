//! What ODK and Kobo submit comes in whole, and goes out again as it was.

use crate::common::{record, record_of, schema};
use merestone_exchange::export::{csv, submission};
use merestone_exchange::import::{
    Arrival, CsvRefused, Exactness, ImportRefused, NamedCsv, Orphan, Submission, peek, read_csv, read_xml,
};
use merestone_exchange::{Entry, Photo, Record, Schema, Value, tables};

const INSTANCE: &str = r#"<?xml version="1.0"?>
<visit xmlns:jr="http://openrosa.org/javarosa" xmlns:orx="http://openrosa.org/xforms" id="visit" version="3">
  <formhub><uuid>0123abcd</uuid></formhub>
  <title>=HYPERLINK("http://evil") 😀 «ї»</title>
  <first><count>007</count><share>1.50</share><who/></first>
  <second><who> two
lines </who><kinds>a b</kinds><remark/></second>
  <place>48.1234567 37.5 120.0 4.7</place>
  <way>48.1 37.5 0 0;48.2 37.6 0 0</way>
  <picture>1699.jpg</picture>
  <visits>
    <what>gate</what>
    <people><name>Олена</name><age>34</age></people>
    <people><name>بدر</name><age>-1</age><shoe>44</shoe></people>
  </visits>
  <visits/>
  <visits><what>bridge</what><spot>48.5 37.1 0 3</spot></visits>
  <orx:meta><orx:instanceID>uuid:11111111-2222-4333-8444-555555555555</orx:instanceID><orx:instanceName>Gate &amp; bridge</orx:instanceName></orx:meta>
  <__version__>vXYZ</__version__>
</visit>"#;

fn read(xml: &str) -> Result<Submission, ImportRefused> {
    read_xml(&schema(), xml.as_bytes(), Exactness::Exact)
}

fn instance_of(record: &Record) -> String {
    String::from_utf8(submission(&schema(), record).xml).expect("UTF-8")
}

#[test]
fn every_answer_has_its_key_and_comes_back_to_the_byte() {
    let taken = read(INSTANCE).expect("a good instance");
    let texts =
        [("second.who", " two\nlines "), ("first.who", ""), ("count", "007"), ("share", "1.50"), ("kinds", "a b")];
    for (key, text) in texts {
        let wanted = if text.is_empty() { Value::Blank } else { Value::Text(text.into()) };
        assert_eq!(taken.answers.get(key), Some(&wanted), "{key}");
    }
    let ages: Vec<_> = taken.answers.iter().filter(|(key, _)| key.ends_with("/age")).map(|(_, value)| value).collect();
    assert_eq!(ages, [&Value::Int(34), &Value::Int(-1)]);
    let extras: Vec<_> = taken.extras.iter().map(|extra| (extra.path.as_str(), extra.text.as_str())).collect();
    let wanted =
        [("formhub/uuid", "0123abcd"), ("shoe", "44"), ("meta/instanceName", "Gate & bridge"), ("__version__", "vXYZ")];
    assert_eq!(extras, wanted);
    assert_eq!(taken.attachments.iter().map(|one| one.file.as_str()).collect::<Vec<_>>(), ["1699.jpg"]);

    // With its photo or without, the instance that goes out reads as the same submission.
    for arrival in [Arrival::Missing("absent"), Arrival::Arrived("ef".repeat(32))] {
        let out = submission(&schema(), &record(&taken, &[arrival]));
        assert_eq!(out.left_out, []);
        let again = read(std::str::from_utf8(&out.xml).expect("UTF-8")).expect("our own instance");
        assert_eq!(sorted(&again), sorted(&taken));
        let once_more = submission(&schema(), &record(&again, &[]));
        assert_eq!(once_more.xml, out.xml, "the same bytes the second time");
    }
}

fn sorted(submission: &Submission) -> Submission {
    let mut sorted = submission.clone();
    sorted.extras.sort_by(|a, b| (&a.place, &a.path).cmp(&(&b.place, &b.path)));
    sorted
}

#[test]
fn rows_keep_their_order_and_their_parents() {
    let taken = read(INSTANCE).expect("a good instance");
    let record = record(&taken, &[]);
    assert_eq!(record.rows("visits").count(), 3, "an empty row is a row");
    let people: Vec<_> = record.rows("people").map(|row| record.value(&format!("people/{row}/within"))).collect();
    let first = record.rows("visits").next().map(|row| Value::Text(row.to_owned()));
    assert_eq!(people, [first.as_ref(), first.as_ref()]);
    let out = instance_of(&record);
    let at = |text: &str| out.find(text).unwrap_or_else(|| panic!("{text} in {out}"));
    assert!(at("gate") < at("Олена") && at("Олена") < at("بدر") && at("بدر") < at("bridge"));
}

#[test]
fn hostile_instances_are_refused_by_name_and_cost_little() {
    let bomb =
        "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><visit id='visit'>&b;</visit>".to_owned();
    let external = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><visit id='visit'/>".to_owned();
    let deep = format!("<visit id='visit'>{}{}</visit>", "<a>".repeat(90_000), "</a>".repeat(90_000));
    let wide = format!("<visit id='visit'>{}</visit>", "<a/>".repeat(300_000));
    let attributes: String = (0..60_000).map(|n| format!(" a{n}='x'")).collect();
    let attributes = format!("<visit id='visit'{attributes}/>");
    let meta = "<meta><instanceID>uuid:1</instanceID></meta>";
    let visit = |inside: &str| format!("<visit id='visit'>{inside}{meta}</visit>");
    let many = visit(&"<x>1</x>".repeat(5_000));
    let namespaces = format!("<visit id='visit'>{}</visit>", "<a xmlns='n'/>".repeat(2_000));
    let rows: [(String, &str); 17] = [
        (bomb, "not-xml"),
        (external, "not-xml"),
        (deep, "too-deep"),
        (wide, "too-many-nodes"),
        (attributes, "too-many-attributes"),
        (namespaces, "too-many-namespaces"),
        (many, "too-many-answers"),
        (visit(&"<a>".repeat(50)), "not-xml"),
        (visit(&format!("{}x{}", "<a>".repeat(100), "</a>".repeat(100))), "too-deep"),
        (visit("<title>a</title><title>b</title>"), "answered-twice"),
        (visit("<title><b/></title>"), "other-shape"),
        (visit("<first>text</first>"), "other-shape"),
        (visit(&format!("<title>{}</title>", "x".repeat(5_000_000))), "answer-too-long"),
        (visit("<title>\u{202e}evil</title>"), "text-not-exact"),
        (visit("<title>e\u{301}</title>"), "text-not-exact"),
        ("<visit id='visit' encrypted='yes'/>".to_owned(), "encrypted"),
        (format!("<visit id='other'>{meta}</visit>"), "other-form"),
    ];
    for (xml, code) in rows {
        let refused = read(&xml).expect_err(code);
        assert_eq!(refused.code(), code, "{refused}");
        assert!(!refused.to_string().contains("evil"), "no answer in a message");
    }
    assert_eq!(read("<visit id='visit'>\0</visit>").map_err(|refused| refused.code()), Err("not-xml"));
    let bytes = vec![b' '; 9 << 20];
    assert_eq!(read_xml(&schema(), &bytes, Exactness::Exact).map_err(|r| r.code()), Err("instance-too-large"));
    assert_eq!(peek(b"\xff\xfe").map_err(|refused| refused.code()), Err("not-utf8"));
}

#[test]
fn tidying_is_allowed_only_where_it_is_asked_for_and_names_what_it_touched() {
    let xml = "<visit id='visit'><title>e\u{301}\u{200f}</title><meta><instanceID>uuid:1</instanceID></meta></visit>";
    let taken = read_xml(&schema(), xml.as_bytes(), Exactness::Tidied).expect("tidied");
    assert_eq!(
        (taken.answers.get("title"), taken.tidied.as_slice()),
        (Some(&Value::Text("é".into())), &["title".to_owned()][..])
    );
}

#[test]
fn our_own_tables_come_back_with_every_answer() {
    let taken = read(INSTANCE).expect("a good instance");
    let record = record(&taken, &[]);
    let sheets = tables(&schema(), std::slice::from_ref(&record));
    let files: Vec<(String, Vec<u8>)> =
        sheets.iter().map(|sheet| (sheet.name.clone(), csv(sheet).expect("a table"))).collect();
    let table = |at: usize| NamedCsv { name: &files[at].0, bytes: &files[at].1 };
    let read = read_csv(&schema(), table(0), &[table(2), table(1)], Exactness::Exact).expect("our own tables");
    let [Ok(again)] = read.submissions.as_slice() else { panic!("one submission: {read:?}") };
    // A file's name is not in a table, nor is what the form has no question for: both stand in the table of values.
    let kept = |of: &Submission| of.answers.clone();
    assert_eq!(kept(again), kept(&taken));
    assert_eq!(again.instance, taken.instance);
}

#[test]
fn tables_of_odk_central_and_kobo_are_understood() {
    let main = "SubmissionDate,title,first-count,first-share,second-who,place-Latitude,place-Longitude,place-Altitude,place-Accuracy,picture,meta-instanceID,KEY,SubmitterName,FormVersion\n\
                2024-01-01T00:00:00Z,Gate,5,0.5,'quoted,48.1,37.5,0,4,p.jpg,uuid:a,uuid:a,Anna,3\n\
                2024-01-02T00:00:00Z,Bridge,,,,,,,,,uuid:b,uuid:b,,3\n";
    let visits = "what,PARENT_KEY,KEY\ngate,uuid:a,uuid:a/visits[1]\nroad,uuid:a,uuid:a/visits[2]\nlost,uuid:z,uuid:z/visits[1]\n";
    let people = "name,age,PARENT_KEY,KEY\nЯн,7,uuid:a/visits[2],uuid:a/visits[2]/people[1]\n";
    let file = |name, text: &'static str| NamedCsv { name, bytes: text.as_bytes() };
    let main = NamedCsv { name: "visit", bytes: main.as_bytes() };
    let repeats = [file("visit-people", people), file("visit-visits", visits)];
    let read = read_csv(&schema(), main, &repeats, Exactness::Exact).expect("tables of Central");
    let [Ok(a), Ok(b)] = read.submissions.as_slice() else { panic!("{read:?}") };
    assert_eq!(read.orphans, [Orphan { table: "visit-visits".into(), row: 4 }]);
    assert_eq!(a.answers["place"], Value::Text("48.1 37.5 0 4".into()));
    assert_eq!(a.answers["second.who"], Value::Text("'quoted".into()), "an apostrophe of others is theirs");
    assert_eq!((a.version.as_deref(), a.attachments.len(), a.extras.len()), (Some("3"), 1, 2), "{:?}", a.extras);
    let rows: Vec<_> = a.answers.iter().filter(|(key, _)| key.ends_with("/within")).collect();
    let road = a.answers.iter().find(|(_, value)| **value == Value::Text("road".into())).expect("a row").0;
    let parent = road.split('/').nth(1).map(|row| Value::Text(row.into()));
    assert_eq!(rows.iter().map(|(_, value)| Some((*value).clone())).collect::<Vec<_>>(), [parent]);
    assert_eq!(b.answers.keys().collect::<Vec<_>>(), ["title"], "an empty cell says nothing");

    let kobo = "title,first/count,place,_place_latitude,_place_longitude,_place_altitude,_place_precision,second/kinds,second/kinds/a,second/kinds/b,__version__,_id,_uuid,_submission_time,_index\n\
                Gate,5,48 37 0 0,48,37,0,0,a b,1,1,v9,77,abc,2024,1\n";
    let read =
        read_csv(&schema(), NamedCsv { name: "visit", bytes: kobo.as_bytes() }, &[], Exactness::Exact).expect("Kobo");
    let [Ok(one)] = read.submissions.as_slice() else { panic!("{read:?}") };
    assert_eq!((one.instance.as_str(), &one.answers["kinds"]), ("uuid:abc", &Value::Text("a b".into())));
    let kept: Vec<_> = one.extras.iter().map(|extra| extra.path.as_str()).collect();
    assert_eq!(kept, ["_id", "_submission_time"], "parts of other columns are not kept twice");
}

#[test]
fn hostile_tables_are_refused_by_name() {
    let read = |text: &str| {
        let read = read_csv(&schema(), NamedCsv { name: "visit", bytes: text.as_bytes() }, &[], Exactness::Exact);
        match read.map_err(|refused| refused.code()) {
            Ok(read) => {
                read.submissions.into_iter().map(|row| row.map_or_else(|refused| refused.code(), |_| "read")).collect()
            }
            Err(code) => vec![code],
        }
    };
    let huge = format!("KEY,title\nuuid:1,{}\nuuid:2,fine\n", "x".repeat(10 << 20));
    let rows: [(&str, &[&str]); 8] = [
        (&huge, &["answer-too-long", "read"]),
        ("KEY,title\nuuid:1,a\u{0}b\n", &["text-not-exact"]),
        ("title\na\n", &["no-instance-column"]),
        ("KEY,title,title\nuuid:1,a,b\n", &["column-twice"]),
        ("KEY,title\nuuid:1,a,b,c\n", &["not-csv"]),
        ("KEY,title\n,a\nu 1,b\n", &["no-instance-id", "bad-instance-id"]),
        ("KEY,title\nuuid:1,\"never closed\n", &["read"]),
        ("", &["no-instance-column"]),
    ];
    for (text, wanted) in rows {
        assert_eq!(read(text), wanted, "{:.40}", text);
    }
    let bytes = b"KEY,title\nuuid:1,\xff\n";
    let refused = read_csv(&schema(), NamedCsv { name: "visit", bytes }, &[], Exactness::Exact).map(|_| ());
    assert_eq!(refused.map_err(|refused| refused.code()), Err("not-csv"));
}

#[test]
fn what_came_in_under_a_name_that_is_none_goes_out_as_no_markup() {
    let marks =
        [(0, "@x='1'><title>FORGED</title><y z"), (1, "@id"), (2, "@x:y"), (3, "@xmlns"), (4, "@kept"), (5, "@kept")];
    let cells = marks.iter().flat_map(|(number, path)| {
        let key = |part: &str| format!("imported/{number:016x}/{part}");
        [(key("path"), Value::Text((*path).into())), (key("text"), Value::Text("v".into()))]
    });
    let out = submission(&schema(), &record_of(cells.collect::<Vec<_>>()));
    let xml = String::from_utf8(out.xml).expect("UTF-8");
    assert!(!xml.contains("FORGED") && xml.matches(" id=").count() == 1 && !xml.contains("x:y"), "{xml}");
    assert_eq!(xml.matches("kept=\"v\"").count(), 1, "{xml}");
    roxmltree::Document::parse(&xml).expect("well formed");
}

#[test]
fn a_row_in_which_values_stand_side_by_side_is_nobodys_answer() {
    let mut settled = record_of([("count".to_owned(), Value::Int(12))]);
    let mut record = settled.clone();
    settled.record = "cd".repeat(32);
    let mut other = record.answers[0].values[0].clone();
    other.value = Value::Int(13);
    record.answers[0].values.push(other);
    let sheet = csv(&tables(&schema(), &[record, settled])[0]).expect("a table");
    let main = NamedCsv { name: "visit", bytes: &sheet };
    let read = read_csv(&schema(), main, &[], Exactness::Exact).expect("our own table");
    let [Err(refused), Ok(taken)] = read.submissions.as_slice() else { panic!("{read:?}") };
    assert_eq!((refused.code(), refused), ("conflict", &ImportRefused::Conflict { key: "count".into() }));
    assert_eq!(taken.answers["count"], Value::Int(12));
    assert!(!refused.to_string().contains("13"), "no answer in a message");
}

#[test]
fn every_photo_of_an_instance_has_a_plain_name_of_its_own() {
    let files = ["submission.xml", "Audit.csv", "gate.jpg", "GATE.jpg", "gate.jpg", "../up.jpg"];
    let photos = [1, 2, 3, 4, 5, 6].map(|number| format!("{number}").repeat(64));
    let cell = |key: String, text: &str| (key, Value::Text(text.into()));
    let row = |number: usize| format!("{number:016}");
    let cells = (0..files.len()).flat_map(|at| {
        let key = format!("faces/{}/face", row(at));
        let mark = format!("imported/{}", row(at + 1));
        [cell(format!("{mark}/at"), &key), cell(format!("{mark}/file"), files[at]), cell(key, &photos[at])]
    });
    let form = "| survey |\n| | type | name | label |\n| | begin_repeat | faces | Faces |\n| | image | face | Face |\n\
                | | end_repeat | | |\n| settings |\n| | form_id |\n| | visit |\n";
    let schema = Schema::of(&merestone_forms::Form::read_tables(form).expect("a form of this test"));
    let mut record = record_of(cells);
    record.photos = photos
        .iter()
        .map(|sha256| Photo {
            row: String::new(),
            sha256: sha256.clone(),
            bytes: 1,
            media: "image/jpeg",
            entry: "ab".repeat(32),
            captions: vec![],
        })
        .collect();
    let out = submission(&schema, &record);
    let names: Vec<&str> = out.attachments.iter().map(|(file, _)| file.as_str()).collect();
    let own = |number: usize| format!("{}.jpg", photos[number].get(..16).expect("hex"));
    assert_eq!(names, [&own(0), &own(1), "gate.jpg", &own(3), &own(4), &own(5)]);
    let renamed = out.left_out.iter().filter(|left| left.why.code() == "file-renamed").count();
    assert_eq!((renamed, out.left_out.len()), (5, 5), "{:?}", out.left_out);
    let xml = String::from_utf8(out.xml).expect("UTF-8");
    assert!(names.iter().all(|name| xml.contains(&format!("<face>{name}</face>"))), "{xml}");
}

#[test]
fn an_instance_decides_no_conflict_and_says_what_it_left_out() {
    let row = "0000000000000001";
    let cell = |key: &str, text: &str| (key.to_owned(), Value::Text(text.into()));
    let mut record = record_of([
        cell("title", "one"),
        cell(&format!("visits/{row}/what"), "gone"),
        (format!("visits/{row}/withdrawn"), Value::Bool(true)),
        cell("people/0000000000000002/name", "nobody's"),
        cell("weather", "dry"),
        cell("kinds", "a\u{ffff}"),
    ]);
    let answer = record.answers.iter_mut().find(|answer| answer.key == "title").expect("it is there");
    let mut other = answer.values[0].clone();
    other.value = Value::Text("two".into());
    answer.values.push(other);
    let out = submission(&schema(), &record);
    let left: Vec<_> = out.left_out.iter().map(|left| (left.key.as_str(), left.why.code())).collect();
    let visits = format!("visits/{row}/what");
    let wanted = [
        ("title", "conflict"),
        ("kinds", "not-in-xml"),
        ("people/0000000000000002/name", "row-without-parent"),
        (&*visits, "withdrawn-row"),
        ("weather", "not-asked-by-form"),
    ];
    assert_eq!(left, wanted);
    let xml = String::from_utf8(out.xml).expect("UTF-8");
    assert!(xml.contains("<title/>") && !xml.contains("gone") && xml.contains("uuid:abababab-abab-8bab-"), "{xml}");
}

#[test]
fn what_was_kept_beside_the_answers_goes_out_where_it_has_a_place_and_is_named_where_it_has_none() {
    let (gone, there) = ("0000000000000001", "0000000000000002");
    let (in_gone, in_there) = (format!("visits/{gone}"), format!("visits/{there}"));
    let rows: [(&str, &str, Option<&str>); 12] = [
        ("", "weather", None),
        ("", "first/odd", None),
        ("", "meta/instanceName", None),
        ("", "second/remark", None),
        (&in_there, "odd", None),
        ("", "title", Some("place-of-a-question")),
        ("", "first", Some("place-of-a-question")),
        ("", "title/inside", Some("place-of-a-question")),
        ("", "visits/what", Some("place-of-a-question")),
        ("", "no name", Some("no-element-name")),
        (&in_gone, "odd", Some("withdrawn-row")),
        ("visits/0000000000000009", "odd", Some("row-without-parent")),
    ];
    let cell = |key: String, text: &str| (key, Value::Text(text.into()));
    let mark = |number: usize, part: &str| format!("imported/{number:016x}/{part}");
    let mut cells = vec![
        cell("title".into(), "t"),
        cell(format!("{in_there}/what"), "w"),
        (format!("{in_gone}/withdrawn"), Value::Bool(true)),
        cell(mark(99, "at"), "nowhere"),
        cell(mark(99, "file"), "lost.jpg"),
    ];
    for (number, (place, path, _)) in rows.iter().enumerate() {
        cells.extend([cell(mark(number, "path"), path), cell(mark(number, "text"), &format!("kept {number}"))]);
        cells.extend((!place.is_empty()).then(|| cell(mark(number, "in"), place)));
    }
    let out = submission(&schema(), &record_of(cells));
    let left: std::collections::BTreeMap<_, _> =
        out.left_out.iter().map(|left| (left.key.clone(), left.why.code())).collect();
    let mut wanted: std::collections::BTreeMap<_, _> =
        rows.iter().enumerate().filter_map(|(number, row)| Some((mark(number, "text"), row.2?))).collect();
    wanted.insert("nowhere".into(), "not-asked-by-form");
    assert_eq!(left, wanted);
    let again = read_xml(&schema(), &out.xml, Exactness::Exact).expect("our own instance");
    assert_eq!(again.extras.len(), 5, "{:?}", again.extras);
    assert_eq!(again.answers["title"], Value::Text("t".into()));
}

#[test]
fn what_an_instance_says_about_itself_stands_in_one_element_and_comes_back() {
    let form = "| survey |\n| | type | name | label |\n| | text | title | Title |\n| | audit | audit | |\n\
                | settings |\n| | form_id | instance_name |\n| | visit | ${title} |\n";
    let schema = Schema::of(&merestone_forms::Form::read_tables(form).expect("a form of this test"));
    let xml = "<visit id='visit'><title>t</title><meta><instanceName>t</instanceName><audit>audit.csv</audit>\
               <instanceID>uuid:1</instanceID></meta></visit>";
    let taken = read_xml(&schema, xml.as_bytes(), Exactness::Exact).expect("a good instance");
    assert_eq!(taken.attachments.iter().map(|one| one.file.as_str()).collect::<Vec<_>>(), ["audit.csv"]);
    let out = submission(&schema, &record(&taken, &[Arrival::Missing("not-carried")]));
    let text = String::from_utf8(out.xml.clone()).expect("UTF-8");
    assert_eq!((text.matches("<orx:meta>").count(), text.matches("<meta>").count()), (1, 0), "{text}");
    assert!(text.contains("<orx:audit>audit.csv<") && text.contains("<orx:instanceName>t<"), "{text}");
    assert_eq!(read_xml(&schema, &out.xml, Exactness::Exact).map(|again| again.answers), Ok(taken.answers));
}

#[test]
fn a_table_is_of_the_repeat_with_its_whole_name_and_two_for_one_repeat_are_refused() {
    let form = "| survey |\n| | type | name | label |\n| | begin_repeat | visits | V |\n| | text | new | N |\n| | end_repeat | | |\n\
                | | begin_repeat | old-visits | O |\n| | text | old | O |\n| | end_repeat | | |\n\
                | | begin_group | a | A |\n| | begin_repeat | spots | S |\n| | text | in_a | A |\n| | end_repeat | | |\n| | end_group | | |\n\
                | | begin_group | b | B |\n| | begin_repeat | spots | S |\n| | text | in_b | B |\n| | end_repeat | | |\n| | end_group | | |\n\
                | settings |\n| | form_id |\n| | visit |\n";
    let schema = Schema::of(&merestone_forms::Form::read_tables(form).expect("a form of this test"));
    type Named<'n> = &'n [(&'n str, &'n str)];
    let read = |main: &str, repeats: Named<'_>| {
        let table = |(name, question): &(&str, &str)| format!("{question},PARENT_KEY,KEY\nseen,uuid:1,{name}/1\n");
        let texts: Vec<String> = repeats.iter().map(table).collect();
        let named = repeats.iter().zip(&texts).map(|((name, _), text)| NamedCsv { name, bytes: text.as_bytes() });
        let main = NamedCsv { name: main, bytes: b"KEY\nuuid:1\n" };
        let read = read_csv(&schema, main, &named.collect::<Vec<_>>(), Exactness::Exact)?;
        let [Ok(taken)] = read.submissions.as_slice() else { panic!("one submission: {read:?}") };
        let mut short: Vec<String> =
            taken.answers.keys().filter_map(|key| Some(key.rsplit_once('/')?.1.into())).collect();
        short.sort();
        Ok(short)
    };
    let (new, old) = (("visit-visits", "new"), ("visit-old-visits", "old"));
    for both in [[new, old], [old, new]] {
        assert_eq!(read("visit", &both), Ok(vec!["new".to_owned(), "old".to_owned()]));
    }
    let after_main = read("visit-old", &[("visit-old-visits", "new")]);
    assert_eq!(after_main, Ok(vec!["new".to_owned()]), "what follows the main table's name goes first");
    let grouped = read("visit", &[("visit-a-spots", "in_a"), ("visit-b-spots", "in_b")]);
    assert_eq!(grouped, Ok(vec!["in_a".to_owned(), "in_b".to_owned()]));

    let twice: CsvRefused = read("visit", &[new, ("visit-new-visits", "new")]).expect_err("two for one repeat");
    assert_eq!(twice.code(), "repeat-twice");
    assert!(["visit-visits", "visit-new-visits"].iter().all(|name| twice.to_string().contains(name)), "{twice}");
    let unclear = read("visit", &[("visit-spots", "in_a")]).map_err(|refused| refused.code());
    assert_eq!(unclear, Err("no-such-repeat"), "two repeats have this name");
}

#[test]
fn whatever_a_submission_says_counts_for_its_limit() {
    // Each row of people says its name and the row that it stands in.
    let people = "<people><name>a</name></people>";
    let visit = |rows: usize| {
        let visits = format!("<visits><what>w</what>{}</visits>", people.repeat(rows));
        read(&format!("<visit id='visit'>{visits}<meta><instanceID>uuid:1</instanceID></meta></visit>"))
    };
    assert_eq!(visit(2_047).map(|taken| taken.answers.len()), Ok(4_095));
    assert_eq!(visit(2_048).map_err(|refused| refused.code()).map(|_| ()), Err("too-many-answers"));

    let main = "merestone/record,merestone/instance,title\nr,uuid:1,t\n";
    let row = |number: usize| format!("r,{number:016x},w,true\n");
    let table = |rows: usize| {
        let rows: String = (0..rows).map(row).collect();
        let visits = format!("merestone/record,merestone/row,what,merestone/withdrawn\n{rows}");
        let visits = NamedCsv { name: "visits", bytes: visits.as_bytes() };
        let main = NamedCsv { name: "visit", bytes: main.as_bytes() };
        let read = read_csv(&schema(), main, &[visits], Exactness::Exact).expect("our own tables");
        read.submissions.into_iter().next().expect("a row").map(|taken| taken.answers.len())
    };
    assert_eq!(table(2_047), Ok(4_095));
    assert_eq!(table(2_048).map_err(|refused| refused.code()), Err("too-many-answers"));
}

#[test]
fn what_stands_in_a_refused_submission_is_no_orphan_and_hides_no_reason() {
    let main = NamedCsv { name: "visit", bytes: b"KEY,title\nuuid:1,a\x00b\nuuid:2,fine\n" };
    let visits = NamedCsv { name: "visit-visits", bytes: b"what,PARENT_KEY,KEY\nw,uuid:1,v1\nw,uuid:9,v9\n" };
    let people = NamedCsv { name: "visit-people", bytes: b"name,PARENT_KEY,KEY\nn,v1,p1\nn,v9,p9\n" };
    let read = read_csv(&schema(), main, &[visits, people], Exactness::Exact).expect("tables of Central");
    let codes: Vec<_> = read.submissions.iter().map(|one| one.as_ref().map_or_else(|r| r.code(), |_| "read")).collect();
    assert_eq!(codes, ["text-not-exact", "read"]);
    let lost = |table: &str, row| Orphan { table: table.into(), row };
    assert_eq!(read.orphans, [lost("visit-visits", 3), lost("visit-people", 3)]);
}

#[test]
fn what_an_edit_made_of_a_submission_goes_out_calculated_anew_and_without_what_is_not_asked_any_more() {
    let form = "| survey |\n| | type | name | label | relevant | calculation |\n| | integer | cars | Cars | | |\n\
                | | text | why | Why | ${cars} > 0 | |\n| | calculate | twice | | | ${cars} * 2 |\n\
                | | begin_repeat | rows | R | | |\n| | text | what | What | | |\n| | end_repeat | | | | |\n\
                | settings |\n| | form_id |\n| | visit |\n";
    let schema = Schema::of(&merestone_forms::Form::read_tables(form).expect("a form of this test"));
    let xml = "<visit id='visit'><cars>4</cars><why>because</why><twice>8</twice><rows><what>a</what></rows>\
               <rows><what>b</what></rows><meta><instanceID>uuid:1</instanceID></meta></visit>";
    let taken = read_xml(&schema, xml.as_bytes(), Exactness::Exact).expect("a good instance");
    let mut record = record(&taken, &[]);
    let second = record.rows("rows").nth(1).map(|row| format!("rows/{row}/what")).expect("two rows");
    // What the form makes of it now, as the device says that asks it.
    record.derived.insert("twice".into(), "0".into());
    record.not_relevant = vec![second.clone(), "why".into()];
    let shown = |record: &Record| {
        let out = submission(&schema, record);
        let left: Vec<_> = out.left_out.iter().map(|left| (left.key.clone(), left.why.code())).collect();
        let sheet = csv(&tables(&schema, std::slice::from_ref(record))[0]).expect("a table");
        (String::from_utf8(out.xml).expect("UTF-8"), left, String::from_utf8(sheet).expect("UTF-8"))
    };
    let (xml, left, sheet) = shown(&record);
    assert!(xml.contains("<twice>8<") && xml.contains("because") && xml.matches("<rows>").count() == 2, "{xml}");
    assert!(left.is_empty() && sheet.contains(",4,\"because\",8"), "nobody changed it: {sheet}");

    let entry = "ef".repeat(32);
    record.entries.push(Entry { entry: entry.clone(), ..record.entries[0].clone() });
    let cars = record.answers.iter_mut().find(|answer| answer.key == "cars").expect("it is there");
    (cars.values[0].value, cars.values[0].entry) = (Value::Int(0), entry);
    let (xml, left, sheet) = shown(&record);
    assert!(xml.contains("<twice>0<") && !xml.contains("because") && xml.matches("<rows>").count() == 1, "{xml}");
    assert_eq!(left, [("why".to_owned(), "not-relevant"), (second, "not-relevant")]);
    assert!(sheet.contains(",0,\"because\",0"), "a table has a column that says what is not asked: {sheet}");
}

#[test]
fn every_cell_of_a_table_is_an_answer_or_is_kept_or_says_again_what_another_says() {
    let read = |heading: &str, row: &str| {
        let text = format!("KEY,{heading}\nuuid:1,{row}\n");
        let main = NamedCsv { name: "visit", bytes: text.as_bytes() };
        let read = read_csv(&schema(), main, &[], Exactness::Exact).expect("a table");
        let [Ok(taken)] = read.submissions.as_slice() else { panic!("{read:?}") };
        let answers = taken.answers.values().map(|value| match value {
            Value::Text(text) => text.clone(),
            other => panic!("a text, not {other:?}"),
        });
        let extras = taken.extras.iter().map(|extra| format!("{}={}", extra.path, extra.text));
        (answers.collect::<Vec<_>>(), extras.collect::<Vec<_>>())
    };
    let rows: [(&str, &str, &[&str], &[&str]); 10] = [
        ("title,", "t,kept", &["t"], &["column 3=kept"]),
        ("title,title/remark", "t,kept", &["t"], &["title/remark=kept"]),
        ("kinds,kinds/a,kinds/b", "a,1,0", &["a"], &[]),
        ("kinds,kinds/a,kinds/b", "a,0,other", &["a"], &["kinds/a=0", "kinds/b=other"]),
        ("place-Latitude,place-Longitude", "48.1,", &[], &["place-Latitude=48.1"]),
        ("place-Latitude,place-Longitude,place-Altitude,place-Accuracy", "48.1,37.5,,", &["48.1 37.5"], &[]),
        ("place-Latitude,place-Longitude,place-Altitude,place-Accuracy", "48.1,37.5,90,", &["48.1 37.5 90"], &[]),
        ("place-Latitude,place-Longitude,place-Altitude,place-Accuracy", "48,37,,4", &["48 37"], &["place-Accuracy=4"]),
        ("place,_place_latitude,_place_longitude", ",48.1,37.5", &["48.1 37.5"], &[]),
        ("place,_place_latitude,_place_longitude", "1 2 0 0,1,2", &["1 2 0 0"], &[]),
    ];
    for (heading, row, answers, extras) in rows {
        let wanted = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(read(heading, row), (wanted(answers), wanted(extras)), "{heading}: {row}");
    }
}

#[test]
fn a_table_of_many_cells_is_refused_before_it_takes_memory() {
    // One wide row and many short ones: none of these takes the room of the wide one.
    let narrow = format!("KEY,title\nuuid:w,{}\n{}", ",".repeat(16_000), "uuid:n,t\n".repeat(30_000));
    let table = |text: &str| {
        let read = read_csv(&schema(), NamedCsv { name: "visit", bytes: text.as_bytes() }, &[], Exactness::Exact);
        read.map(|read| read.submissions.len()).map_err(|refused| refused.code())
    };
    assert_eq!(table(&narrow), Ok(30_001));
    let headings: String = (0..16_000).map(|number| format!(",c{number}")).collect();
    let row = format!("uuid:1{}x\n", ",".repeat(16_000));
    assert_eq!(table(&format!("KEY{headings}\n{}", row.repeat(2_200))), Err("table-too-large"));
}

#[test]
fn nothing_of_an_instance_is_dropped_unsaid() {
    let visit = |inside: &str, meta: &str| {
        read(&format!(
            "<visit id='visit' version='3' xmlns:jr='http://openrosa.org/javarosa' xmlns:o='urn:o' o:root='r'>{inside}\
             <meta>{meta}<instanceID>uuid:1</instanceID></meta></visit>"
        ))
    };
    let refused: [(&str, &str, &str); 4] = [
        ("<odd>text<a>1</a></odd>", "", "other-shape"),
        ("", "text", "other-shape"),
        ("", "<instanceID>uuid:1</instanceID>", "answered-twice"),
        ("", "<instanceID>uuid:0</instanceID>", "answered-twice"),
    ];
    for (inside, meta, code) in refused {
        assert_eq!(visit(inside, meta).map_err(|refused| refused.code()), Err(code), "{inside}{meta}");
    }
    let inside = "<title o:template='x'>t</title><first at='g'><count>1</count></first><visits jr:template=''><what/></visits>\
                  <visits n='2'><what>w</what></visits><odd b='c'><a d='e'>1</a></odd>";
    let taken = visit(inside, "<entity dataset='trees'><label>l</label></entity>").expect("a good instance");
    assert_eq!(taken.answers["title"], Value::Text("t".into()), "a template is one of a repeat");
    assert_eq!(taken.answers.values().filter(|value| **value == Value::Text("w".into())).count(), 1);
    let extras: Vec<_> = taken.extras.iter().map(|extra| (extra.path.as_str(), extra.text.as_str())).collect();
    let wanted = [
        ("@{urn:o}root", "r"),
        ("title/@{urn:o}template", "x"),
        ("first/@at", "g"),
        ("@n", "2"),
        ("odd/@b", "c"),
        ("odd/a/@d", "e"),
        ("odd/a", "1"),
        ("meta/entity/@dataset", "trees"),
        ("meta/entity/label", "l"),
    ];
    assert_eq!(extras, wanted);
    assert!(taken.extras[3].place.starts_with("visits/"), "{:?}", taken.extras[3]);
    // An attribute has no place in what goes out but at the root, and is named.
    let out = submission(&schema(), &record(&taken, &[]));
    assert_eq!(
        out.left_out.iter().filter(|left| left.why.code() == "no-element-name").count(),
        8,
        "{:?}",
        out.left_out
    );
}
