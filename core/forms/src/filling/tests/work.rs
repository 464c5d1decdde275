//! What a form may cost while it is filled, and what is said when it costs more.

use super::*;
use crate::expr::EvalError;

/// What is linear ends in a hundredth of this in an unoptimized build, and in less than it on a machine with more to do
/// than it can; what is not takes many minutes.
const SOON: std::time::Duration = std::time::Duration::from_secs(180);

fn repeat_of_calculations(head: &str, total: &str) -> Arc<Form> {
    let mut rows: Vec<String> = vec!["integer | n".into(), head.into(), "integer | x | default=0".into()];
    rows.extend((0..30).map(|at| format!("calculate | c{at} | calculation=${{x}} + {at}")));
    rows.push("end_repeat |".into());
    rows.push(format!("calculate | total | calculation={total}"));
    form(&rows.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn two_thousand_rows_of_thirty_calculations_are_worked_out_row_by_row() {
    let counted = repeat_of_calculations("begin_repeat | r | repeat_count=${n}", "sum(${x})");
    let mut filling = begin(&counted);
    let begun = Instant::now();
    filling.answer_typed("n", "2000").unwrap();
    let rows = row_ids(&filling);
    assert_eq!((rows.len(), filling.is_settled()), (2_000, true));
    filling.answer_typed(&format!("r/{}/x", rows[1_999]), "5").unwrap();
    assert_eq!(
        (value(&filling, &format!("r/{}/c29", rows[1_999])), value(&filling, "total")),
        ("34".into(), "5".into())
    );
    filling.answer_typed("n", "1").unwrap();
    assert_eq!((row_ids(&filling).len(), value(&filling, "total")), (1, "0".into()));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());

    let free = repeat_of_calculations("begin_repeat | r |", "count(${r})");
    let mut filling = begin(&free);
    let begun = Instant::now();
    for _ in 0..2_000 {
        filling.add_row("r", None).unwrap();
    }
    let answers: Vec<(String, Answer)> =
        row_ids(&filling).iter().map(|row| (format!("r/{row}/x"), Answer::Int(1))).collect();
    let again = Filling::resume(free, answers, occasion());
    assert_eq!((row_ids(&again).len(), value(&again, "total")), (2_000, "2000".into()));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
fn rows_that_stand_behind_others_learn_their_new_numbers() {
    let form = form(&[
        "begin_repeat | r |",
        "text | x",
        "calculate | number | calculation=position(..)",
        "calculate | before | calculation=indexed-repeat(${x}, ${r}, position(..) - 1)",
        "end_repeat |",
    ]);
    let mut filling = begin(&form);
    let rows: Vec<RowId> = (0..4).map(|_| filling.add_row("r", None).unwrap()).collect();
    for (row, text) in rows.iter().zip(["a", "b", "c", "d"]) {
        filling.answer_typed(&format!("r/{row}/x"), text).unwrap();
    }
    let seen = |filling: &Filling, row: RowId| {
        ["number", "before"].map(|name| value(filling, &format!("r/{row}/{name}"))).join(" ")
    };
    assert_eq!(seen(&filling, rows[3]), "4 c");
    filling.withdraw_row("r", rows[1]).unwrap();
    assert_eq!((seen(&filling, rows[2]), seen(&filling, rows[3])), ("2 a".into(), "3 c".into()));
    let mut answers = filling.answers().clone();
    answers.insert(format!("r/{}/withdrawn", rows[1]), Answer::Bool(false));
    let again = Filling::resume(form, answers, occasion());
    assert_eq!((seen(&again, rows[2]), seen(&again, rows[3])), ("3 b".into(), "4 c".into()));
}

#[test]
fn rows_and_answers_have_a_limit_together_and_what_is_left_out_is_a_problem() {
    let mut rows: Vec<String> = vec!["integer | n".into(), "begin_repeat | r | repeat_count=${n}".into()];
    rows.extend((0..499).map(|at| format!("text | q{at}")));
    rows.push("end_repeat |".into());
    let counted = form(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let mut filling = begin(&counted);
    filling.answer_typed("n", "2").unwrap();
    assert_eq!(wrong(&filling), []);
    filling.answer_typed("n", "5000").unwrap();
    let there = row_ids(&filling).len();
    assert!((900..1_000).contains(&there), "{there}");
    assert_eq!(wrong(&filling), [("r".into(), Wrong::Rows)]);
    filling.answer_typed("n", "3").unwrap();
    assert_eq!((row_ids(&filling).len(), wrong(&filling)), (3, vec![]));

    rows[1] = "begin_repeat | r |".into();
    let free = form(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let answers = (1..=1_100u64).map(|row| (format!("r/{:016x}/q0", row << 32), Answer::text("x")));
    let mut filling = Filling::resume(free, answers, occasion());
    assert_eq!((row_ids(&filling).len(), filling.answers().len()), (there, 1_100), "every answer is kept");
    assert_eq!(wrong(&filling), [("r".into(), Wrong::Rows)]);
    assert_eq!(filling.add_row("r", None), Err(Refusal::Rows));
}

#[test]
fn a_number_of_rows_that_cannot_be_worked_out_is_a_problem_and_takes_no_row_away() {
    let form = form(&[
        "text | pattern",
        "begin_group | g | relevant=not(regex('a', ${pattern}))",
        "begin_repeat | r | repeat_count=if(regex('a', ${pattern}), 2, 2)",
        "text | a",
        "end_repeat |",
        "end_group |",
    ]);
    let mut filling = begin(&form);
    filling.answer_typed("pattern", "b").unwrap();
    assert_eq!((row_ids(&filling).len(), wrong(&filling)), (2, vec![]));
    filling.answer_typed("pattern", "[a-").unwrap();
    let fault = || Wrong::Expression(EvalError::Pattern);
    assert_eq!(wrong(&filling), [("g".into(), fault()), ("r".into(), fault())]);
    assert_eq!(row_ids(&filling).len(), 2);
    filling.answer_typed("pattern", "b").unwrap();
    assert_eq!((row_ids(&filling).len(), wrong(&filling)), (2, vec![]));
}

#[test]
fn a_constraint_that_cannot_be_worked_out_is_said() {
    let form = form(&[
        "text | pattern",
        "text | q | constraint=regex(., ${pattern})",
        "text | must | required=regex('a', ${pattern})",
    ]);
    let mut filling = begin(&form);
    filling.answer_typed("pattern", "[a-").unwrap();
    filling.answer_typed("q", "x").unwrap();
    let fault = || Wrong::Expression(EvalError::Pattern);
    assert_eq!(wrong(&filling), [("q".into(), fault()), ("must".into(), fault())]);
}

#[test]
fn what_was_not_worked_out_stays_due_until_it_is() {
    let form = form(&[
        "integer | n",
        "text | other",
        "begin_repeat | r | repeat_count=${n}",
        "calculate | one | calculation=1",
        "calculate | all | calculation=count(${r}[${one} = 1])",
        "end_repeat |",
    ]);
    let mut filling = begin(&form);
    filling.answer_typed("n", "2000").unwrap();
    assert_eq!((filling.is_settled(), wrong(&filling)), (false, vec![(String::new(), Wrong::Unsettled)]));
    // Answers that nothing looks at say nothing about what is left, and help it along.
    let mut actions = 0;
    while !filling.is_settled() && actions < 10 {
        filling.answer_typed("other", "x").unwrap();
        actions += 1;
    }
    let last = *row_ids(&filling).last().expect("there are rows");
    assert_eq!(
        (value(&filling, &format!("r/{last}/all")), wrong(&filling)),
        ("2000".into(), vec![]),
        "{actions} actions"
    );
}

#[test]
fn defaults_and_choices_draw_on_the_work_of_the_action() {
    // A default that costs nearly all that one expression may, four hundred times.
    let mut rows: Vec<String> =
        vec!["integer | n".into(), "begin_repeat | r | repeat_count=${n}".into(), "text | x".into()];
    rows.push("text | costly | default=string(count(//*[count(//*) > 0]))".into());
    rows.push("end_repeat |".into());
    let form = super::form(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let mut filling = begin(&form);
    let begun = Instant::now();
    filling.answer_typed("n", "400").unwrap();
    assert!(!filling.is_settled());
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());

    // A filter that costs as much, for each of two thousand choices.
    let choices: Vec<String> = (0..2_000).map(|at| format!("l | c{at} | C | {at}")).collect();
    let filter = "count(instance('l')/root/item[name = current()/../t]) >= 0";
    let select = format!("select_one l | q | choice_filter={filter}");
    let form = form_with(&["text | t", &select], &choices.iter().map(String::as_str).collect::<Vec<_>>());
    let mut filling = begin(&form);
    let begun = Instant::now();
    let place = filling.place("q").unwrap();
    assert!(filling.offered(place).len() < 2_000, "the list ends where the work does");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    let begun = Instant::now();
    filling.answer_typed("q", "c1999").expect("what was chosen is looked at alone");
    assert_eq!(filling.answer_typed("q", "c2000"), Err(Refusal::Choice));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
fn eight_thousand_chosen_of_eight_thousand_are_looked_up_together() {
    let choices: Vec<String> = (0..8_000).map(|at| format!("l | c{at} | C | ")).collect();
    let form = form_with(&["select_multiple l | q"], &choices.iter().map(String::as_str).collect::<Vec<_>>());
    let mut filling = begin(&form);
    let all: Vec<String> = (0..8_000).rev().map(|at| format!("c{at}")).collect();
    let begun = Instant::now();
    filling.answer_typed("q", &all.join(" ")).unwrap();
    assert_eq!(filling.answer_typed("q", &format!("{} c0", all.join(" "))), Err(Refusal::ChoiceTwice));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
fn a_calculated_text_that_doubles_forty_times_ends() {
    let mut rows: Vec<String> = vec!["text | t0".into()];
    rows.extend(
        (1..40).map(|at| format!("calculate | t{at} | calculation=concat(${{t{}}}, ${{t{}}})", at - 1, at - 1)),
    );
    let form = form(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let mut filling = begin(&form);
    filling.answer_typed("t0", "0123456789abcdef").unwrap();
    assert_eq!(value(&filling, "t12").len(), 65_536);
    assert_eq!(wrong(&filling), [("t13".into(), Wrong::Expression(EvalError::TooLong))]);
}
