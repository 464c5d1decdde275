//! What is missing or wrong in a set of answers.

use std::fmt;

use merestone_core::form::Key;

use super::{ANSWERS_MAX, Filling, Occasion, Place, ROWS_MAX};
use crate::answer::Answer;
use crate::expr::EvalError;
use crate::field::{self, Refusal};
use crate::form::{Form, IMPORTED, WITHDRAWN, WITHIN};
use crate::model::{NodeKind, Words};

/// One thing to mend before a record is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The answer's key; of a group or repeat, what would be the key of a question of its name; empty where it is the form
    /// as a whole.
    pub key: String,
    /// What is wrong.
    pub wrong: Wrong,
    /// What the form says about it, in the language now shown.
    pub message: Option<String>,
}

/// The key and what is wrong, without any answer.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}", self.wrong)
    }
}

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The form has no such question.
    #[error("the form has no such question")]
    Unknown,
    /// The answer's row stands in no row of the repeat around it.
    #[error("the row stands in no other row")]
    Homeless,
    /// A required question has no answer.
    #[error("an answer is required")]
    Missing,
    /// The form's constraint does not hold.
    #[error("the form does not allow this answer")]
    Constraint,
    /// The question would not take the answer.
    #[error(transparent)]
    Answer(#[from] Refusal),
    /// Something of the question could not be worked out.
    #[error("not worked out: {0}")]
    Expression(#[from] EvalError),
    /// Not all rows of a repeat are there.
    #[error("more rows than a form holds: {ROWS_MAX}, or {ANSWERS_MAX} answers in all")]
    Rows,
    /// What follows from the answers was worked out in part: it takes more work than is done for one answer.
    #[error("the form takes too much work: what it calculates may be missing or of before")]
    Unsettled,
}

/// What of a place could not be worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Whether it is asked.
    Relevant,
    /// What it is calculated to.
    Calculation,
    /// What it begins with.
    Default,
    /// How many rows there are.
    Count,
}

impl Part {
    /// The first in their order.
    pub(super) const FIRST: Self = Self::Relevant;
}

impl Form {
    /// What is missing or wrong in the answers of a record; see [`Filling::problems`].
    pub fn check(self: &std::sync::Arc<Self>, answers: impl IntoIterator<Item = (String, Answer)>) -> Vec<Problem> {
        Filling::resume(std::sync::Arc::clone(self), answers, Occasion::default()).problems()
    }
}

impl Filling {
    /// What is missing or wrong, as far as it is asked, in the order of the form; then what of groups and repeats could not
    /// be worked out, then what the form does not know, then whether everything that follows was worked out and looked at.
    ///
    /// Problems never keep an observation from being saved: they are shown, and the observer decides.
    pub fn problems(&self) -> Vec<Problem> {
        self.work.begin();
        let mut problems: Vec<Problem> =
            self.in_order().into_iter().filter_map(|place| self.problem_at(place)).collect();
        problems.extend(self.problems_of_groups());
        let trail = self.form.audit().map(|audit| self.form.name(audit));
        for key in self.answers.keys() {
            let wrong = match Key::parse(key) {
                Some(Key::Answer { question: WITHDRAWN } | Key::Cell { question: WITHDRAWN | WITHIN, .. }) => continue,
                Some(Key::Cell { repeat: IMPORTED, .. }) => continue,
                Some(Key::Cell { repeat, .. }) if Some(repeat) == trail => continue,
                _ if self.form.names().question(key).is_none() => Wrong::Unknown,
                Some(Key::Cell { repeat, row, .. }) if self.is_homeless(repeat, row) => Wrong::Homeless,
                Some(_) | None => continue,
            };
            problems.push(Problem { key: key.clone(), wrong, message: None });
        }
        if !self.is_settled() || self.work.is_out() {
            problems.push(Problem { key: String::new(), wrong: Wrong::Unsettled, message: None });
        }
        problems
    }

    /// What is wrong at one place; nothing where it is not asked.
    pub fn problem(&self, place: Place) -> Option<Problem> {
        self.work.begin();
        self.problem_at(place)
    }

    /// Whether the form requires an answer at a place, as things are.
    pub fn is_required(&self, place: Place) -> bool {
        self.work.begin();
        let required = self.node(place).required.as_ref();
        required.is_some_and(|required| self.evaluate(required, place).is_ok_and(|value| value.bool()))
    }

    fn problem_at(&self, place: Place) -> Option<Problem> {
        let node = self.node(place);
        let NodeKind::Question(kind) = &node.kind else { return None };
        if !self.is_relevant(place) {
            return None;
        }
        let key = self.key(place)?;
        let (wrong, words) = match self.answers.get(&key).filter(|answer| **answer != Answer::Blank) {
            None => {
                let required = node.required.as_ref().filter(|_| self.value(place).is_empty());
                match required.map(|required| self.evaluate(required, place)) {
                    Some(Ok(value)) if value.bool() => (Some(Wrong::Missing), &node.required_message),
                    Some(Err(fault)) => (Some(Wrong::Expression(fault)), &NO_WORDS),
                    Some(Ok(_)) | None => (None, &NO_WORDS),
                }
            }
            Some(answer) => match field::fit(kind, &node.parameters, answer.clone()) {
                Ok(fitting) if fitting == *answer => match self.chosen(place, fitting) {
                    Err(refusal) => (Some(Wrong::Answer(refusal)), &NO_WORDS),
                    Ok(_) if self.work.is_out() => (Some(Wrong::Expression(EvalError::Exhausted)), &NO_WORDS),
                    Ok(_) => match node.constraint.as_ref().map(|constraint| self.evaluate(constraint, place)) {
                        Some(Ok(value)) if !value.bool() => (Some(Wrong::Constraint), &node.constraint_message),
                        Some(Err(fault)) => (Some(Wrong::Expression(fault)), &NO_WORDS),
                        Some(Ok(_)) | None => (None, &NO_WORDS),
                    },
                },
                // What was calculated is as it is; people are not asked to mend it.
                Ok(_) | Err(_) if node.calculation.is_some() => (None, &NO_WORDS),
                Ok(_) => (Some(Wrong::Answer(Refusal::Type)), &NO_WORDS),
                Err(refusal) => (Some(Wrong::Answer(refusal)), &NO_WORDS),
            },
        };
        let wrong = wrong.or_else(|| self.faults_at(place).next().map(Wrong::Expression))?;
        let message = self.words_at(words, place).filter(|message| !message.is_empty());
        Some(Problem { key, wrong, message })
    }

    /// What of a place could not be worked out.
    fn faults_at(&self, place: Place) -> impl Iterator<Item = EvalError> + '_ {
        let next = Place { node: place.node + 1, ..place };
        self.faults.range((place, Part::FIRST)..(next, Part::FIRST)).map(|(_, fault)| *fault)
    }

    /// What of groups and repeats could not be worked out, and repeats of which not all rows are there.
    fn problems_of_groups(&self) -> Vec<Problem> {
        let is_group = |place: Place| !matches!(self.node(place).kind, NodeKind::Question(_));
        let faults = self.faults.iter().filter(|((place, _), _)| is_group(*place));
        let faults = faults.map(|((place, part), fault)| (*place, *part == Part::Count, Wrong::Expression(*fault)));
        let overfull = self.overfull.iter().map(|place| (*place, true, Wrong::Rows));
        let mut problems = Vec::new();
        for (place, is_of_rows, wrong) in faults.chain(overfull) {
            // How many rows there are is a matter of what they stand in.
            let around = self.node(place).parent.filter(|_| is_of_rows).unwrap_or(place.node);
            if self.is_relevant(Place { node: around, ..place }) {
                problems.push(Problem { key: self.key_of_group(place), wrong, message: None });
            }
        }
        problems
    }

    fn key_of_group(&self, place: Place) -> String {
        let name = match self.form.names().name(place.node) {
            "" => &self.node(place).name,
            name => name,
        };
        let row = &self.rows[place.row];
        match row.repeat {
            0 => name.to_owned(),
            repeat if repeat == place.node => format!("{name}/{}", row.id),
            repeat => self.cell(repeat, row.id, name),
        }
    }

    /// Whether a row is named, not withdrawn, and yet nowhere: what it stands in is gone or not said.
    fn is_homeless(&self, repeat: &str, row: &str) -> bool {
        let Some((repeat, row)) = self.form.names().repeat(repeat).zip(super::RowId::parse(row)) else { return false };
        let known = self.known.iter().find(|((other, _), rows)| *other == repeat && rows.contains(&row));
        let Some(((_, within), _)) = known else { return false };
        match (self.repeat_around(repeat), within) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(around), Some(within)) => {
                self.row_of(around, *within).is_none()
                    && !self.is_withdrawn(around, *within)
                    && !self.is_counted(around)
            }
        }
    }

    fn is_withdrawn(&self, repeat: usize, row: super::RowId) -> bool {
        self.answers.get(&self.cell(repeat, row, WITHDRAWN)) == Some(&Answer::Bool(true))
    }

    fn is_counted(&self, repeat: usize) -> bool {
        matches!(self.form.model().nodes[repeat].kind, NodeKind::Repeat { count: Some(_) })
    }

    /// Every question, in the order in which they are shown.
    fn in_order(&self) -> Vec<Place> {
        let mut found = Vec::new();
        let mut open = vec![Place { row: 0, node: 0 }];
        while let Some(place) = open.pop() {
            let mut inside = Vec::new();
            for child in &self.node(place).children {
                match self.form.model().nodes[*child].kind {
                    NodeKind::Repeat { .. } => {
                        let rows = self.rows[place.row].rows.get(child).map_or(&[][..], Vec::as_slice);
                        inside.extend(rows.iter().map(|row| Place { row: *row, node: *child }));
                    }
                    NodeKind::Group | NodeKind::Question(_) => inside.push(Place { node: *child, ..place }),
                }
            }
            if matches!(self.node(place).kind, NodeKind::Question(_)) {
                found.push(place);
            }
            open.extend(inside.into_iter().rev());
        }
        found
    }
}

const NO_WORDS: Words = Words { fallback: None, translated: Vec::new() };
