//! Filling by chance: after any answers, what was worked out step by step is what is worked out from the beginning, and
//! nothing that was answered is gone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use merestone_forms::filling::{Filling, Occasion, Place, Screen};
use merestone_forms::model::{NodeKind, QuestionKind};
use merestone_forms::{Answer, Form, NamedFile, standard};

const STEPS: usize = 150;
const COMPARED_EVERY: usize = 30;

/// Numbers by chance, the same for the same seed.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }
}

pub(crate) fn typed(filling: &Filling, place: Place, kind: &QuestionKind, chance: &mut Chance) -> String {
    let offered = filling.offered(place);
    let one = |chance: &mut Chance| {
        offered.get(chance.below(offered.len())).map(|choice| choice.name.clone()).unwrap_or_default()
    };
    match kind {
        QuestionKind::Integer | QuestionKind::Range | QuestionKind::Decimal => chance.below(12).to_string(),
        QuestionKind::Date => format!("2026-0{}-1{}", 1 + chance.below(9), chance.below(10)),
        QuestionKind::Time => format!("1{}:30", chance.below(10)),
        QuestionKind::DateTime => format!("2026-05-0{}T10:00", 1 + chance.below(9)),
        QuestionKind::GeoPoint => format!("{} {}", chance.below(90), chance.below(180)),
        QuestionKind::SelectOne(_) => one(chance),
        QuestionKind::SelectMultiple(_) => {
            let mut chosen: Vec<String> = (0..2).map(|_| one(chance)).collect();
            chosen.sort();
            chosen.dedup();
            chosen.join(" ")
        }
        QuestionKind::Acknowledge => "OK".to_owned(),
        _ => ["", "x", "Їжа", "12"][chance.below(4)].to_owned(),
    }
}

/// What is asked by key, what is calculated, and what is wrong.
type Seen = (BTreeMap<String, bool>, Vec<(String, String)>, Vec<String>);

/// What people see: what is asked, what is calculated, and what is wrong.
fn seen(filling: &Filling) -> Seen {
    let asked = filling.answers().keys().map(|key| (key.clone(), filling.is_asked(key))).collect();
    let mut derived = filling.derived();
    derived.sort();
    let mut problems: Vec<String> = filling.problems().iter().map(|problem| format!("{problem:?}")).collect();
    problems.sort();
    (asked, derived, problems)
}

/// A row in which nothing was answered is in no record; such rows would come to an end with the filling.
fn withdraw_empty_rows(filling: &mut Filling) {
    loop {
        let form = Arc::clone(filling.form());
        let is_named = |id: &str| {
            let within = |(key, answer): (&String, &Answer)| {
                key.contains(id) && !key.ends_with("/within") || matches!(answer, Answer::Text(text) if text == id)
            };
            filling.answers().iter().any(within)
        };
        let rows = filling.screens().into_iter().filter_map(|screen| match screen {
            Screen::Row { place, id, .. } if !is_named(&id.to_string()) => {
                Some((form.name(place.node()).to_owned(), id))
            }
            _ => None,
        });
        let rows: Vec<_> = rows.collect();
        let withdrawn = rows.iter().filter(|(repeat, id)| filling.withdraw_row(repeat, *id).is_ok()).count();
        if withdrawn == 0 {
            return;
        }
    }
}

fn fill_by_chance(name: &str, form: &Arc<Form>, seed: u64) {
    let mut chance = Chance(seed);
    let mut filling = Filling::begin(Arc::clone(form), Occasion::default());
    let mut given: BTreeMap<String, Answer> = BTreeMap::new();
    for step in 0..STEPS {
        let screens = filling.screens();
        match screens.get(chance.below(screens.len())) {
            Some(Screen::Question(place)) => {
                let NodeKind::Question(kind) = filling.node(*place).kind.clone() else { continue };
                let (typed, key) =
                    (typed(&filling, *place, &kind, &mut chance), filling.key(*place).expect("it is shown"));
                if filling.answer_typed(&key, &typed).is_ok() {
                    given.insert(key.clone(), filling.given(&key).expect("it was taken").clone());
                }
            }
            Some(Screen::Add { repeat, within }) if chance.below(2) == 0 => {
                let name = form.name(*repeat).to_owned();
                let _ = filling.add_row(&name, *within);
            }
            Some(Screen::Row { place, id, .. }) if chance.below(8) == 0 => {
                let name = form.name(place.node()).to_owned();
                // Where the form says how many there are, it is refused.
                let _ = filling.withdraw_row(&name, *id);
            }
            _ => {}
        }
        if step % COMPARED_EVERY == 0 {
            assert!(filling.is_settled(), "{name}");
            withdraw_empty_rows(&mut filling);
            let again = Filling::resume(Arc::clone(form), filling.answers().clone(), Occasion::default());
            assert_eq!(seen(&filling), seen(&again), "{name}, seed {seed}, step {step}");
        }
    }
    let lost: Vec<&String> = given.keys().filter(|key| filling.given(key).is_none()).collect();
    assert!(lost.is_empty(), "{name}: {lost:?}");
}

#[test]
fn what_follows_step_by_step_is_what_follows_from_the_beginning() {
    for (number, document) in standard::ALL.iter().enumerate() {
        let form = Arc::new(Form::read_tables(document).expect("a form the project ships"));
        (0..3).for_each(|seed| fill_by_chance(form.id(), &form, seed + 10 * number as u64));
    }
}

#[test]
fn forms_that_went_to_the_field_are_filled_by_chance_too() {
    let shared = std::env::var("MERESTONE_SHARED").map_or_else(|_| PathBuf::from("../../../shared"), PathBuf::from);
    let folder = shared.join("fixtures/forms/enketo");
    let Ok(files) = std::fs::read_dir(&folder) else {
        return crate::skip::skip("the forms that others made are not here (MERESTONE_SHARED)");
    };
    let mut filled = 0;
    for file in files.filter_map(Result::ok) {
        let (name, bytes) =
            (file.file_name().to_string_lossy().into_owned(), std::fs::read(file.path()).expect("readable"));
        if let Ok(form) = Form::read(NamedFile { name: &name, bytes: &bytes }, &[]) {
            fill_by_chance(&name, &Arc::new(form), 1);
            filled += 1;
        }
    }
    assert!(filled > 20, "{filled}");
}
