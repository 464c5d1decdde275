//! What is missing or wrong in a set of answers.

use std::fmt;

use merestone_core::form::Key;

use super::{Filling, Occasion, Place};
use crate::answer::Answer;
use crate::expr::EvalError;
use crate::field::{self, Refusal};
use crate::form::{Form, IMPORTED, WITHDRAWN, WITHIN};
use crate::model::{Formula, NodeKind, Words};

/// One thing to mend before a record is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The answer's key; empty where it is the form as a whole.
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
    /// What follows from the answers was worked out in part: it takes more work than is done for one answer.
    #[error("the form takes too much work: what it calculates may be missing or of before")]
    Unsettled,
}

impl Form {
    /// What is missing or wrong in the answers of a record; see [`Filling::problems`].
    pub fn check(self: &std::sync::Arc<Self>, answers: impl IntoIterator<Item = (String, Answer)>) -> Vec<Problem> {
        Filling::resume(std::sync::Arc::clone(self), answers, Occasion::default()).problems()
    }
}

impl Filling {
    /// What is missing or wrong, as far as it is asked, in the order of the form; then what the form does not know, then
    /// whether everything that follows was worked out.
    ///
    /// Problems never keep an observation from being saved: they are shown, and the observer decides.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.in_order().into_iter().filter_map(|place| self.problem(place)).collect();
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
        if !self.is_settled() {
            problems.push(Problem { key: String::new(), wrong: Wrong::Unsettled, message: None });
        }
        problems
    }

    /// What is wrong at one place; nothing where it is not asked.
    pub fn problem(&self, place: Place) -> Option<Problem> {
        let node = self.node(place);
        let NodeKind::Question(kind) = &node.kind else { return None };
        if !self.is_relevant(place) {
            return None;
        }
        let key = self.key(place)?;
        let (wrong, words) = match self.answers.get(&key).filter(|answer| **answer != Answer::Blank) {
            None => {
                let is_missing = self.value(place).is_empty() && self.holds(node.required.as_ref(), place, false);
                (is_missing.then_some(Wrong::Missing), &node.required_message)
            }
            Some(answer) => match field::fit(kind, &node.parameters, answer.clone()) {
                Ok(fitting) if fitting == *answer => match self.check_choice(place, answer) {
                    Err(refusal) => (Some(Wrong::Answer(refusal)), &NO_WORDS),
                    Ok(()) if !self.holds(node.constraint.as_ref(), place, true) => {
                        (Some(Wrong::Constraint), &node.constraint_message)
                    }
                    Ok(()) => (None, &NO_WORDS),
                },
                // What was calculated is as it is; people are not asked to mend it.
                Ok(_) | Err(_) if node.calculation.is_some() => (None, &NO_WORDS),
                Ok(_) => (Some(Wrong::Answer(Refusal::Type)), &NO_WORDS),
                Err(refusal) => (Some(Wrong::Answer(refusal)), &NO_WORDS),
            },
        };
        let wrong = wrong.or_else(|| self.faults.get(&place).map(|fault| Wrong::Expression(*fault)))?;
        let message = self.words(words, place).filter(|message| !message.is_empty());
        Some(Problem { key, wrong, message })
    }

    /// Whether a condition holds; `otherwise` where there is none or it cannot be worked out.
    fn holds(&self, formula: Option<&Formula>, place: Place, otherwise: bool) -> bool {
        let value = formula.map(|formula| self.evaluate(formula, place));
        value.and_then(Result::ok).map_or(otherwise, |value| value.bool())
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
