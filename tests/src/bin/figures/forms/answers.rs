//! Answers to a form of 500 questions, each answered and looked at: what a person waits for at every step.

use std::fmt::Write as _;
use std::sync::Arc;

use merestone_forms::filling::Screen;
use merestone_forms::{Filling, Form, NamedFile, Occasion};
use merestone_tests::timing::{median, percentile, time_ms};

use crate::row::{Row, Target};

/// Sections of a group each, and the questions in one.
const SECTIONS: usize = 8;
const IN_A_SECTION: usize = 50;
/// Questions in a row of the repeat and in a row of the one inside it, and how many rows are filled.
const IN_A_HOUSE: usize = 60;
const IN_A_PERSON: usize = 40;
const HOUSES: usize = 20;
const PEOPLE: usize = 3;
/// Places to choose from, in as many regions, of which a filter offers one's.
const PLACES: usize = 2_000;
const REGIONS: usize = 20;
/// How often each question is answered; the value of a question is the median of these.
const ROUNDS: usize = 8;

/// Median of all questions, and the one that takes longest.
pub(crate) fn measure() -> Vec<Row> {
    let text = survey();
    let (load_ms, form) = time_ms(|| Form::read(NamedFile { name: "large.csv", bytes: text.as_bytes() }, &[]));
    let form = Arc::new(form.expect("a form of our own"));
    let questions = SECTIONS * IN_A_SECTION + IN_A_HOUSE + IN_A_PERSON;
    let mut filling = Filling::begin(Arc::clone(&form), Occasion::default());
    fill(&mut filling);
    let found = latencies(&mut filling);
    let each: Vec<f64> = found.iter().map(|(_, ms)| *ms).collect();
    let (worst, worst_ms) = found.iter().max_by(|a, b| a.1.total_cmp(&b.1)).expect("questions were answered");
    let (problems_ms, problems) = time_ms(|| filling.problems().len());
    let shape = format!(
        "{questions} questions, {HOUSES} rows with {PEOPLE} rows in each, {PLACES} choices under a filter, {} places",
        found.len()
    );
    vec![
        Row::once("forms/answer-load", "ms", load_ms).note(&shape),
        Row::median("forms/answer", "ms", &each)
            .target(Target::AtMost(1.0))
            .note(format!("{shape}; taken, what follows worked out, and looked at; median of each question")),
        Row::once("forms/answer-p99", "ms", percentile(&each, 99)).target(Target::AtMost(1.0)).note(&shape),
        Row::once("forms/answer-worst", "ms", *worst_ms)
            .target(Target::AtMost(1.0))
            .note(format!("the question that takes longest, `{worst}`")),
        Row::once("forms/answer-problems", "ms", problems_ms)
            .note(format!("the whole form looked at, {problems} found")),
    ]
}

/// Opens every section, adds the rows, and answers the questions that others look at.
fn fill(filling: &mut Filling) {
    for section in 0..SECTIONS {
        filling.answer_typed(&format!("open{section}"), "yes").expect("a question of the form");
    }
    filling.answer_typed("region", "r3").expect("a question of the form");
    for _ in 0..HOUSES {
        let house = filling.add_row("house", None).expect("there is room");
        for _ in 0..PEOPLE {
            filling.add_row("person", Some(house)).expect("there is room");
        }
    }
}

/// Each question that is shown, and the milliseconds of an answer to it.
fn latencies(filling: &mut Filling) -> Vec<(String, f64)> {
    let places = filling.screens().into_iter().filter_map(|screen| match screen {
        Screen::Question(place) => Some(place),
        Screen::Group(_) | Screen::Row { .. } | Screen::Add { .. } => None,
    });
    let mut found = Vec::new();
    for place in places.collect::<Vec<_>>() {
        let key = filling.key(place).expect("a question has a key");
        let choices = filling.offered(place);
        let mut rounds = Vec::new();
        // The last round answers as the first, so that a gate is left open and what it leads to is still asked.
        for round in 0..=ROUNDS {
            let typed = match choices.as_slice() {
                [] => format!("{}", 10 + round % 2),
                [one] => one.name.clone(),
                [.., before, last] => (if round % 2 == 0 { before } else { last }).name.clone(),
            };
            let (ms, answered) = time_ms(|| {
                let answered = filling.answer_typed(&key, &typed);
                drop(filling.problem(place));
                answered
            });
            answered.unwrap_or_else(|refusal| panic!("{key}: {refusal}"));
            rounds.push(ms);
        }
        assert!(filling.is_settled(), "{key}");
        // Before the first, nothing of it was in the caches.
        found.push((key, median(&rounds[1..])));
    }
    found
}

/// An XLSForm as a file of all its sheets.
fn survey() -> String {
    let mut rows = String::new();
    for section in 0..SECTIONS {
        row(&mut rows, ["select_one yes", &format!("open{section}"), "", "", "", ""]);
        row(
            &mut rows,
            ["begin_group", &format!("section{section}"), &format!("${{open{section}}} = 'yes'"), "", "", ""],
        );
        for question in 1..IN_A_SECTION {
            in_section(&mut rows, section, question);
        }
        row(&mut rows, ["end_group", "", "", "", "", ""]);
    }
    row(&mut rows, ["begin_repeat", "house", "", "", "", ""]);
    (0..IN_A_HOUSE).for_each(|question| in_row(&mut rows, 'h', question));
    row(&mut rows, ["begin_repeat", "person", "", "", "", ""]);
    (0..IN_A_PERSON).for_each(|question| in_row(&mut rows, 'p', question));
    row(&mut rows, ["end_repeat", "", "", "", "", ""]);
    row(&mut rows, ["end_repeat", "", "", "", "", ""]);
    let mut choices = ",yes,yes,Yes,\n,yes,no,No,\n".to_owned();
    for region in 0..REGIONS {
        line(&mut choices, format_args!(",region,r{region},Region {region},\n"));
    }
    for place in 0..PLACES {
        line(&mut choices, format_args!(",place,p{place},Place {place},r{}\n", place % REGIONS));
    }
    format!(
        "survey\n,type,name,label,relevant,constraint,calculation,choice_filter\n{rows}\
         choices\n,list_name,name,label,region\n{choices}settings\n,form_id,form_title,version\n,large,Large,1\n"
    )
}

/// What sections ask in turn; the first has the region, which the places of all follow.
fn in_section(rows: &mut String, section: usize, question: usize) {
    let name = if (section, question) == (0, 1) { "region".to_owned() } else { format!("s{section}q{question}") };
    let before = |back: usize| format!("s{section}q{}", question - back);
    match question % 7 {
        _ if name == "region" => row(rows, ["select_one region", &name, "", "", "", ""]),
        1 => row(rows, ["select_one place", &name, "", "", "", "region = ${region}"]),
        2 => row(rows, ["integer", &name, "", ". >= 0 and . < 1000", "", ""]),
        3 => row(rows, ["text", &name, &format!("${{{}}} > 3", before(1)), "string-length(.) < 200", "", ""]),
        4 => row(rows, ["calculate", &name, "", "", &format!("${{{}}} * 2 + 1", before(2)), ""]),
        5 => row(rows, ["integer", &name, "", &format!(". <= ${{{}}} + 1000", before(3)), "", ""]),
        6 => row(
            rows,
            ["calculate", &name, "", "", &format!("coalesce(${{{}}}, 0) + ${{{}}}", before(1), before(4)), ""],
        ),
        _ => row(rows, ["text", &name, "", "regex(., '^[0-9a-z]*$')", "", ""]),
    }
}

/// What a row asks in turn; some look at the form around it, and some of the form at all rows.
fn in_row(rows: &mut String, of: char, question: usize) {
    let name = format!("{of}{question}");
    let before = |back: usize| format!("{of}{}", question.saturating_sub(back));
    match question % 6 {
        0 => row(rows, ["integer", &name, "", ". >= 0 and . < 1000", "", ""]),
        1 => row(rows, ["text", &name, &format!("${{{}}} > 3", before(1)), "", "", ""]),
        2 => row(rows, ["calculate", &name, "", "", &format!("${{{}}} * 2", before(2)), ""]),
        3 => row(rows, ["select_one place", &name, "", "", "", "region = ${region}"]),
        4 => row(rows, ["calculate", &name, "", "", &format!("${{{}}} + position(..)", before(2)), ""]),
        _ => row(rows, ["integer", &name, "${open0} = 'yes'", "", "", ""]),
    }
}

fn row(rows: &mut String, [kind, name, relevant, constraint, calculation, filter]: [&str; 6]) {
    let label = if kind.starts_with("end") || kind == "calculate" { "" } else { name };
    let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
    let [relevant, constraint, calculation, filter] = [relevant, constraint, calculation, filter].map(quoted);
    line(rows, format_args!(",{kind},{name},{label},{relevant},{constraint},{calculation},{filter}\n"));
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("a text can be written to");
}
