//! What filling a form must hold to.

use std::sync::Arc;
use std::time::Instant;

use super::*;
use crate::field::Refusal;

const COLUMNS: &str = "type | name | label | relevant | required | constraint | constraint_message | calculation | default \
                       | trigger | read_only | choice_filter | repeat_count | hint";

/// Rows of a survey, each `type | name | column=value | …`.
fn form_with(rows: &[&str], choices: &[&str]) -> Arc<Form> {
    let columns: Vec<&str> = COLUMNS.split('|').map(str::trim).collect();
    let mut text = format!("| survey |\n| | {COLUMNS} |\n");
    for row in rows {
        let mut cells = row.trim_end_matches([' ', '|']).split(" | ").map(str::trim);
        let mut line = vec![String::new(); columns.len()];
        line[0] = cells.next().unwrap_or_default().to_owned();
        line[1] = cells.next().unwrap_or_default().to_owned();
        line[2] = if line[1].is_empty() { String::new() } else { format!("Label {}", line[1]) };
        for cell in cells {
            let (column, value) = cell.split_once('=').expect("column=value");
            line[columns.iter().position(|known| *known == column).expect(column)] = value.to_owned();
        }
        text += &format!("| | {} |\n", line.join(" | "));
    }
    if !choices.is_empty() {
        text += "| choices |\n| | list_name | name | label | region |\n";
        for choice in choices {
            text += &format!("| | {choice} |\n");
        }
    }
    text += "| settings |\n| | form_id | form_title | version |\n| | f | F | 1 |\n";
    Arc::new(Form::read_tables(&text).unwrap_or_else(|refused| panic!("{refused}\n{text}")))
}

fn form(rows: &[&str]) -> Arc<Form> {
    form_with(rows, &[])
}

fn begin(form: &Arc<Form>) -> Filling {
    Filling::begin(Arc::clone(form), occasion())
}

fn occasion() -> Occasion {
    Occasion {
        now_ms: 1_777_888_800_000,
        offset_minutes: 180,
        device_id: "phone-7".into(),
        user_name: "Olena".into(),
        ..Occasion::default()
    }
}

fn value(filling: &Filling, key: &str) -> String {
    filling.place(key).map(|place| filling.value(place).to_owned()).unwrap_or_default()
}

fn wrong(filling: &Filling) -> Vec<(String, Wrong)> {
    filling.problems().into_iter().map(|problem| (problem.key, problem.wrong)).collect()
}

fn row_ids(filling: &Filling) -> Vec<RowId> {
    let rows = filling.screens().into_iter().filter_map(|screen| match screen {
        Screen::Row { id, .. } => Some(id),
        Screen::Group(_) | Screen::Question(_) | Screen::Add { .. } => None,
    });
    rows.collect()
}

#[test]
fn an_answer_that_is_not_asked_any_more_is_kept_and_counts_as_empty() {
    let form = form(&[
        "integer | shots",
        "begin_group | weapon | relevant=${shots} > 0",
        "text | kind",
        "end_group |",
        "calculate | told | calculation=concat('[', ${kind}, ']')",
    ]);
    let mut filling = begin(&form);
    assert!(!filling.is_asked("kind") && filling.is_asked("shots"));
    filling.answer_typed("shots", "3").unwrap();
    filling.answer_typed("kind", "rifle").unwrap();
    assert_eq!((filling.is_asked("kind"), value(&filling, "told").as_str()), (true, "[rifle]"));
    filling.answer_typed("shots", "0").unwrap();
    assert_eq!((filling.is_asked("kind"), value(&filling, "told").as_str()), (false, "[]"));
    assert_eq!(filling.given("kind"), Some(&Answer::text("rifle")), "kept");
    filling.answer_typed("shots", "").unwrap();
    assert_eq!(
        filling.given("shots"),
        Some(&Answer::Blank),
        "asked and left blank is not the same as not asked, or zero"
    );
    assert_eq!(filling.given("told"), None, "what follows from others is in no record");
}

#[test]
fn problems_are_what_is_asked_and_missing_or_wrong_in_the_order_of_the_form() {
    let form = form(&[
        "text | title | required=yes",
        "integer | low | constraint=. <= ${high} | constraint_message=Not above ${high}.",
        "integer | high",
        "text | why | required=${low} > 5 | relevant=${high} > 0",
    ]);
    let mut filling = begin(&form);
    assert_eq!(wrong(&filling), [("title".into(), Wrong::Missing)]);
    filling.answer_typed("low", "7").unwrap();
    filling.answer_typed("high", "6").unwrap();
    filling.answer_typed("title", "T").unwrap();
    let problems = filling.problems();
    assert_eq!(wrong(&filling), [("low".into(), Wrong::Constraint), ("why".into(), Wrong::Missing)]);
    assert_eq!(problems[0].message.as_deref(), Some("Not above 6."));
    filling.answer_typed("high", "0").unwrap();
    filling.answer_typed("low", "0").unwrap();
    assert_eq!(wrong(&filling), []);
}

#[test]
fn answers_that_the_form_does_not_know_are_kept_and_named() {
    let form = form(&[
        "text | title",
        "begin_repeat | house |",
        "begin_repeat | person |",
        "text | name",
        "end_repeat |",
        "end_repeat |",
    ]);
    let answers = [
        ("colour".to_owned(), Answer::text("red")),
        ("person/0001000000000001/name".to_owned(), Answer::text("Ada")),
        ("imported/0001000000000001/instance".to_owned(), Answer::text("uuid:1")),
        ("withdrawn".to_owned(), Answer::Bool(true)),
    ];
    let mut filling = Filling::resume(form, answers.clone(), occasion());
    let found = [("colour".into(), Wrong::Unknown), ("person/0001000000000001/name".into(), Wrong::Homeless)];
    assert_eq!(wrong(&filling), found);
    assert_eq!(filling.answers().len(), answers.len());
    assert_eq!(filling.take_changes(), []);
    assert_eq!(filling.answer_typed("person/0001000000000001/name", "Eve"), Err(Refusal::NoRow));
    assert_eq!(filling.answer_typed("size", "1"), Err(Refusal::Unknown));
}

#[test]
fn calculations_follow_in_order_and_read_only_what_they_name() {
    let form = form(&[
        "calculate | c | calculation=${b} * 2",
        "calculate | b | calculation=${a} + 1",
        "integer | a",
        "integer | guess | calculation=${a} * 10",
        "text | shown | read_only=yes | calculation=concat(${c}, '!')",
    ]);
    let mut filling = begin(&form);
    filling.answer_typed("a", "4").unwrap();
    assert_eq!(
        (value(&filling, "b"), value(&filling, "c"), value(&filling, "shown")),
        ("5".into(), "10".into(), "10!".into())
    );
    assert_eq!(filling.derived().len(), 3);
    assert_eq!(filling.given("guess"), Some(&Answer::Int(40)), "what people may change is an answer");
    filling.answer_typed("guess", "41").unwrap();
    assert_eq!(value(&filling, "guess"), "41");
    assert_eq!(filling.answer_typed("c", "1"), Err(Refusal::NotAsked));
    assert_eq!(filling.answer_typed("shown", "1"), Err(Refusal::ReadOnly));
    let again = Filling::resume(Arc::clone(&form), filling.answers().clone(), occasion());
    assert_eq!((value(&again, "guess"), value(&again, "c")), ("41".into(), "10".into()));
}

#[test]
fn a_trigger_calculates_when_it_changes_and_at_no_other_time() {
    let form = form(&["text | a", "text | b", "text | stamp | calculation=concat(${a}, ${b}) | trigger=${a}"]);
    let mut filling = begin(&form);
    assert_eq!(filling.given("stamp"), None);
    filling.answer_typed("b", "x").unwrap();
    assert_eq!(filling.given("stamp"), None);
    filling.answer_typed("a", "1").unwrap();
    filling.answer_typed("b", "y").unwrap();
    assert_eq!(value(&filling, "stamp"), "1x");
}

#[test]
fn time_chance_and_the_device_are_what_the_occasion_says() {
    let form = form(&[
        "start | began",
        "end | ended",
        "today | day",
        "deviceid | device",
        "username | who",
        "date | on | default=today()",
        "integer | count | default=3",
        "calculate | id | calculation=once(uuid())",
        "calculate | lot | calculation=random()",
    ]);
    let mut filling = begin(&form);
    assert_eq!(value(&filling, "began"), "2026-05-04T13:00:00.000+03:00");
    assert_eq!((value(&filling, "day"), value(&filling, "device")), ("2026-05-04".into(), "phone-7".into()));
    assert_eq!((value(&filling, "who"), value(&filling, "on")), ("Olena".into(), "2026-05-04".into()));
    assert_eq!(filling.given("count"), Some(&Answer::Int(3)));
    assert_eq!(filling.given("ended"), None);
    filling.tell_time(1_777_888_860_000);
    filling.finish();
    assert_eq!(value(&filling, "ended"), "2026-05-04T13:01:00.000+03:00");
    let (id, lot) = (filling.given("id").cloned().expect("kept"), filling.given("lot").cloned().expect("kept"));
    let other = Occasion { seed: [9; 32], now_ms: 0, ..occasion() };
    let mut again = Filling::resume(Arc::clone(&form), filling.answers().clone(), other);
    assert_eq!((again.given("id"), again.given("lot")), (Some(&id), Some(&lot)), "chance is drawn once");
    assert_eq!(again.take_changes(), []);
    assert_eq!(again.answer_typed("day", "2020-01-01"), Err(Refusal::NotAsked));
}

#[test]
fn rows_nest_withdraw_and_come_back_with_their_answers() {
    let form = form(&[
        "begin_repeat | house |",
        "text | roof",
        "begin_repeat | person |",
        "integer | age",
        "end_repeat |",
        "calculate | ages | calculation=sum(${age})",
        "end_repeat |",
        "calculate | total | calculation=sum(/data/house/person/age)",
        "calculate | houses | calculation=count(/data/house)",
    ]);
    let mut filling = begin(&form);
    let (first, second) = (filling.add_row("house", None).unwrap(), filling.add_row("house", None).unwrap());
    assert!(first < second, "in the order in which they were added");
    let people = [(first, "3"), (first, "4"), (second, "50")].map(|(house, age)| {
        let person = filling.add_row("person", Some(house)).unwrap();
        filling.answer_typed(&format!("person/{person}/age"), age).unwrap();
        person
    });
    let ages = |filling: &Filling, house: RowId| value(filling, &format!("house/{house}/ages"));
    assert_eq!((ages(&filling, first), ages(&filling, second)), ("7".into(), "50".into()));
    assert_eq!((value(&filling, "total"), value(&filling, "houses")), ("57".into(), "2".into()));
    assert_eq!(filling.given(&format!("person/{}/within", people[2])), Some(&Answer::Text(second.to_string())));

    filling.withdraw_row("house", second).unwrap();
    assert_eq!((value(&filling, "total"), value(&filling, "houses")), ("7".into(), "1".into()));
    assert!(!filling.is_asked(&format!("person/{}/age", people[2])));
    assert_eq!(filling.given(&format!("person/{}/age", people[2])), Some(&Answer::Int(50)), "kept");
    assert_eq!(wrong(&filling), []);
    let again = Filling::resume(Arc::clone(&form), filling.answers().clone(), occasion());
    assert_eq!((value(&again, "total"), value(&again, "houses")), ("7".into(), "1".into()));
    // Another device may bring it back.
    let mut answers = filling.answers().clone();
    answers.insert(format!("house/{second}/withdrawn"), Answer::Bool(false));
    let again = Filling::resume(Arc::clone(&form), answers, occasion());
    assert_eq!((value(&again, "total"), value(&again, "houses")), ("57".into(), "2".into()));
    assert_eq!(row_ids(&again).len(), 5);
    assert_eq!(filling.add_row("person", None), Err(Refusal::NoRow));
    assert_eq!(filling.add_row("street", None), Err(Refusal::Unknown));
}

#[test]
fn rows_that_two_devices_add_both_live_and_rows_that_the_form_counts_meet() {
    let form = form(&[
        "integer | n",
        "begin_repeat | free |",
        "text | a",
        "end_repeat |",
        "begin_repeat | counted | repeat_count=${n}",
        "text | b",
        "text | c",
        "end_repeat |",
    ]);
    let fill = |seed: u8, question: &str| {
        let mut filling = Filling::begin(Arc::clone(&form), Occasion { seed: [seed; 32], ..occasion() });
        let row = filling.add_row("free", None).unwrap();
        filling.answer_typed(&format!("free/{row}/a"), question).unwrap();
        filling.answer_typed("n", "2").unwrap();
        let rows: Vec<RowId> = row_ids(&filling).into_iter().filter(|id| *id != row).collect();
        for id in &rows {
            filling.answer_typed(&format!("counted/{id}/{question}"), question).unwrap();
        }
        assert_eq!(filling.add_row("counted", None), Err(Refusal::Rows));
        filling.answers().clone()
    };
    let mut merged = fill(1, "b");
    merged.extend(fill(2, "c"));
    let filling = Filling::resume(Arc::clone(&form), merged, occasion());
    assert_eq!(row_ids(&filling).len(), 4, "two rows beside each other, and two that met");
    let counted = filling.answers().iter().filter(|(key, _)| key.starts_with("counted/")).count();
    assert_eq!(counted, 4);
    let mut fewer = Filling::resume(form, filling.answers().clone(), occasion());
    fewer.answer_typed("n", "1").unwrap();
    assert_eq!((row_ids(&fewer).len(), fewer.answers().len()), (3, filling.answers().len()));
    fewer.answer_typed("n", "2").unwrap();
    assert_eq!(row_ids(&fewer), row_ids(&filling));
}

#[test]
fn choices_follow_their_filter_and_others_are_refused() {
    let form = form_with(
        &[
            "select_one region | region",
            "select_one post | post | choice_filter=region = ${region}",
            "select_multiple post | posts",
            "rank region | order",
            "select_one side or_other | free",
            "calculate | said | calculation=jr:choice-name(${post}, '${post}')",
        ],
        &[
            "region | n | North | ",
            "region | s | South | ",
            "side | l | Left | ",
            "post | a | Alpha | n",
            "post | b | Beta | s",
            "post | c | Gamma | n",
        ],
    );
    let mut filling = begin(&form);
    let offered = |filling: &Filling, key: &str| {
        let offered = filling.offered(filling.place(key).unwrap());
        offered.into_iter().map(|choice| choice.name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(offered(&filling, "post"), "");
    filling.answer_typed("region", "n").unwrap();
    assert_eq!(offered(&filling, "post"), "a c");
    assert_eq!(filling.answer_typed("post", "b"), Err(Refusal::Choice));
    filling.answer_typed("post", "c").unwrap();
    assert_eq!(value(&filling, "said"), "Gamma");
    filling.answer_typed("region", "s").unwrap();
    assert_eq!(wrong(&filling), [("post".into(), Wrong::Answer(Refusal::Choice))]);
    assert_eq!(filling.given("post"), Some(&Answer::text("c")), "and nothing is cleared in silence");
    filling.answer_typed("posts", " b  a ").unwrap();
    assert_eq!(value(&filling, "posts"), "a b");
    assert_eq!(filling.answer_typed("posts", "a a"), Err(Refusal::ChoiceTwice));
    assert_eq!(filling.answer_typed("posts", "a x"), Err(Refusal::Choice));
    assert_eq!(filling.answer_typed("order", "n"), Err(Refusal::Order));
    filling.answer_typed("order", "s n").unwrap();
    assert!(!filling.is_asked("free_other"));
    filling.answer_typed("free", "other").unwrap();
    assert!(filling.is_asked("free_other"));
}

#[test]
fn running_totals_over_earlier_rows_settle() {
    let form = form(&[
        "begin_repeat | day |",
        "integer | more",
        "calculate | before | calculation=coalesce(/data/day[position() = position(current()/..) - 1]/after, 0)",
        "calculate | after | calculation=${before} + ${more}",
        "end_repeat |",
    ]);
    let mut filling = begin(&form);
    let rows: Vec<RowId> = (0..20).map(|_| filling.add_row("day", None).unwrap()).collect();
    for row in rows.iter().rev() {
        filling.answer_typed(&format!("day/{row}/more"), "2").unwrap();
    }
    assert!(filling.is_settled());
    assert_eq!(value(&filling, &format!("day/{}/after", rows[19])), "40");
    filling.withdraw_row("day", rows[3]).unwrap();
    assert_eq!(value(&filling, &format!("day/{}/after", rows[19])), "38");
}

#[test]
fn a_count_that_feeds_itself_or_is_absurd_ends_and_says_so() {
    let form = form(&["integer | n", "begin_repeat | r | repeat_count=${n}", "text | a", "end_repeat |"]);
    let mut filling = begin(&form);
    for absurd in ["-5", "9223372036854775807"] {
        filling.answer_typed("n", absurd).unwrap();
        assert!(row_ids(&filling).len() <= ROWS_MAX);
    }
    filling.answer_typed("n", "3").unwrap();
    assert_eq!(row_ids(&filling).len(), 3);
}

#[test]
fn a_form_over_the_limit_of_work_is_a_problem_and_one_below_it_is_none() {
    let form = form(&[
        "integer | n",
        "begin_repeat | r | repeat_count=${n}",
        "calculate | one | calculation=1",
        "calculate | all | calculation=count(${r}[${one} = 1]) + count(${r}[${one} = 1])",
        "end_repeat |",
    ]);
    let mut filling = begin(&form);
    filling.answer_typed("n", "3").unwrap();
    assert_eq!(wrong(&filling), []);
    filling.answer_typed("n", "4000").unwrap();
    assert!(!filling.is_settled());
    assert_eq!(filling.problems().last().map(ToString::to_string), Some(Wrong::Unsettled.to_string()));
}

#[test]
fn labels_show_answers_and_hostile_text_stays_text() {
    let form = form(&["text | name", "note | hello | label=Hello <i>${name}</i>!"]);
    let mut filling = begin(&form);
    let place = filling.place("hello").unwrap();
    filling.answer_typed("name", "<b>${name}</b>").unwrap();
    assert_eq!(filling.label(place), "Hello <b>${name}</b>!", "the form's own marks go, an answer's stay");
}

#[test]
fn one_answer_of_a_form_of_500_questions_works_out_only_what_looks_at_it() {
    let mut rows = Vec::new();
    for at in 0..500 {
        rows.push(match at % 5 {
            0 => format!("integer | q{at}"),
            1 => format!("text | q{at} | relevant=${{q{}}} > 10", at - 1),
            2 => format!("calculate | q{at} | calculation=${{q{}}} * 2 + {at}", at - 2),
            3 => format!("integer | q{at} | constraint=. < 100 | required=${{q{}}} > 3", at - 3),
            _ => format!(
                "calculate | q{at} | calculation=${{q{}}} + ${{q{}}}",
                at - 2,
                if at > 5 { at - 5 } else { at - 2 }
            ),
        });
    }
    let form = form(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let mut filling = begin(&form);
    let begun = Instant::now();
    let answers = 200;
    for round in 0..answers {
        filling.answer("q495", Answer::Int(round)).unwrap();
        filling.answer("q250", Answer::Int(round)).unwrap();
    }
    let each = begun.elapsed() / (2 * u32::try_from(answers).unwrap());
    // This holds a build that nobody optimized, on a busy machine, to no more than it would take to work out everything
    // again; what a person waits for is measured by `figures -- forms`.
    assert!(each.as_millis() < 20, "{each:?}");
    assert!(filling.is_settled());
}

#[test]
fn a_form_that_asks_for_a_trail_has_one_in_the_shape_of_odk_and_others_have_none() {
    let survey = "| survey |\n| | type | name | label | parameters |\n\
                  | | audit | audit | | track-changes=true identify-user=true |\n\
                  | | begin_repeat | house | House | |\n| | text | roof | Roof | |\n| | end_repeat | | | |\n\
                  | settings |\n| | form_id | form_title | version |\n| | f | F | 1 |\n";
    let form = Arc::new(Form::read_tables(survey).expect("a form"));
    let mut filling = begin(&form);
    filling.track(&Event::Start { at: 1_000 });
    let row = filling.add_row("house", None).unwrap();
    let key = format!("house/{row}/roof");
    filling.answer_typed(&key, "tin, \"old\"").unwrap();
    let place = filling.place(&key).unwrap();
    let before = String::new();
    filling.track(&Event::Question { place, from: 1_100, to: 2_000, before, now: filling.value(place).to_owned() });
    filling.track(&Event::Save { at: 3_000 });
    let csv = form.audit_csv(filling.answers().iter().map(|(key, answer)| (key.as_str(), answer))).expect("a trail");
    let path = csv.lines().nth(2).unwrap().split(',').nth(1).unwrap();
    assert!(path.ends_with("/house[1]/roof"), "{path}");
    let wanted = format!(
        "event,node,start,end,old-value,new-value,user\nform start,,1000,,,,Olena\n\
         question,{path},1100,2000,,\"tin, \"\"old\"\"\",Olena\nform save,,3000,,,,Olena\n"
    );
    assert_eq!(csv, wanted);
    assert_eq!(wrong(&filling), [], "a trail is no answer that the form does not know");
    let changed = filling.take_changes();
    assert_eq!(changed.iter().filter(|(key, _)| key.starts_with("audit/")).count(), 1, "{changed:?}");

    // A long trail goes on in the next row, and nothing of it is cut.
    for at in 0..3_000 {
        filling.track(&Event::Jump { at });
    }
    let parts = filling.answers().keys().filter(|key| key.starts_with("audit/")).count();
    let csv = form.audit_csv(filling.answers().iter().map(|(key, answer)| (key.as_str(), answer))).expect("a trail");
    assert!(parts > 1 && csv.lines().count() == 3_004, "{parts} parts");

    let without = form_with(&["text | a"], &[]);
    let mut filling = begin(&without);
    filling.track(&Event::Start { at: 1 });
    assert_eq!((filling.answers().len(), without.audit_csv([])), (0, None));
}

#[test]
fn a_choice_whose_label_names_the_choice_ends() {
    let xform = "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" \
        xmlns:jr=\"http://openrosa.org/javarosa\"><h:head><h:title>t</h:title><model><instance><d id=\"d\"><a/></d></instance>\
        <bind nodeset=\"/d/a\" type=\"string\"/></model></h:head><h:body><select1 ref=\"/d/a\"><label>A</label>\
        <item><label>x<output value=\"jr:choice-name('v', '/d/a')\"/></label><value>v</value></item></select1></h:body></h:html>";
    let form = Form::read(crate::NamedFile { name: "d.xml", bytes: xform.as_bytes() }, &[]).expect("a form");
    let mut filling = begin(&Arc::new(form));
    filling.answer_typed("a", "v").expect("it is offered");
    let place = filling.place("a").expect("a question");
    let labels: Vec<String> = filling.offered(place).into_iter().map(|choice| choice.label).collect();
    assert_eq!(labels, ["xxxxx"]);
}

#[test]
fn what_is_not_asked_is_not_counted_and_keeps_its_place() {
    let form = form(&[
        "text | more",
        "begin group | inside | relevant=${more} != 'no'",
        "begin repeat | person",
        "text | name",
        "calculate | at | calculation=position(..)",
        "end repeat",
        "end group",
        "calculate | people | calculation=count(${person})",
        "calculate | highest | calculation=max(${at})",
    ]);
    let mut filling = begin(&form);
    let row = filling.add_row("person", None).unwrap();
    filling.add_row("person", None).unwrap();
    let seen = |filling: &Filling| (value(filling, "people"), value(filling, "highest"));
    assert_eq!(seen(&filling), ("2".into(), "2".into()));
    filling.answer("more", "no".into()).unwrap();
    assert_eq!(seen(&filling), ("0".into(), String::new()), "what is no number is nothing");
    filling.answer("more", "yes".into()).unwrap();
    assert_eq!(seen(&filling), ("2".into(), "2".into()));
    assert_eq!(value(&filling, &format!("person/{row}/at")), "1");
}

#[test]
fn rows_are_counted_as_they_come_to_be_asked() {
    let form = form(&[
        "integer | n",
        "begin repeat | house | repeat_count=${n}",
        "text | house_name",
        "begin group | inside | relevant=${house_name} != ''",
        "begin repeat | person | repeat_count=2 + ${n}",
        "text | person_name",
        "end repeat",
        "end group",
        "end repeat",
        "calculate | people | calculation=count(${person})",
    ]);
    let mut filling = begin(&form);
    filling.answer_typed("n", "2").unwrap();
    let houses = row_ids(&filling);
    assert_eq!(value(&filling, "people"), "0");
    filling.answer(&format!("house/{}/house_name", houses[1]), "x".into()).unwrap();
    assert_eq!(value(&filling, "people"), "4");
    filling.answer(&format!("house/{}/house_name", houses[0]), "x".into()).unwrap();
    assert_eq!(value(&filling, "people"), "8");
    filling.answer_typed("n", "1").unwrap();
    assert_eq!(value(&filling, "people"), "3");
}

#[test]
fn a_text_that_names_a_long_answer_often_is_cut() {
    let form = form(&["text | a", &format!("note | n | hint={}", "${a}".repeat(2_000))]);
    let mut filling = begin(&form);
    filling.answer("a", "é".repeat(30_000).as_str().into()).unwrap();
    let place = filling.place("n").unwrap();
    let hint = filling.words(&filling.node(place).hint.clone(), place).unwrap();
    assert_eq!((hint.len(), hint.ends_with("é…")), (65_536 + 3, true));
}

#[test]
fn who_chose_the_same_has_the_same_answer() {
    let form = form_with(&["select_multiple seen | seen"], &["seen | gun | Gun | ", "seen | car | Car | "]);
    let mut filling = begin(&form);
    filling.answer_typed("seen", "car  gun").unwrap();
    assert_eq!(filling.given("seen"), Some(&Answer::Text("gun car".into())));
    assert_eq!(filling.answer_typed("seen", "car gun car"), Err(Refusal::ChoiceTwice));
}

mod work;
