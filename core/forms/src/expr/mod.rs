//! Expressions of forms: the XPath 1.0 of ODK XForms, parsed once and evaluated in bounded work.
//!
//! An [`Expression`] is pure: it looks at [`Documents`] and at what [`Surroundings`] say of time, chance and
//! labels, and comes to a [`Value`]. Which expression belongs to which question, and when it has to be
//! evaluated again, is decided elsewhere.
//!
//! Where ODK XForms is silent, this follows XPath 1.0; where the two engines in use differ, the page of the
//! function says so.

mod chance;
mod data;
mod eval;
mod functions;
mod parse;
mod reads;
mod token;
mod tree;
mod value;

use std::fmt;

pub(crate) use chance::ParkMiller;
pub(crate) use eval::BYTES_A_STEP;
pub use eval::{ACTION_STEPS_MAX, EvalError, Focus, STEPS_MAX, Surroundings};
pub use parse::{DEPTH_MAX, EXPRESSION_BYTES_MAX, Wrong};
pub(crate) use reads::Outline;
pub use tree::{Documents, Kind, NodeId};
pub use value::{Moment, Value, number_text};

/// An expression that was parsed.
#[derive(Clone, Debug)]
pub struct Expression {
    ast: parse::Ast,
}

/// An expression that cannot be parsed, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The place, in characters from its beginning.
    pub at: usize,
    /// What is wrong there.
    pub wrong: Wrong,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at character {}", self.wrong, self.at + 1)
    }
}

impl std::error::Error for ParseError {}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// What is wrong first, with its place. A function that does not exist is an error here, not at evaluation.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let characters = |bytes: usize| text.char_indices().take_while(|(at, _)| *at < bytes).count();
        let error = |error: ParseError| ParseError { at: characters(error.at), ..error };
        parse::parse(text).map(|ast| Self { ast }).map_err(error)
    }

    /// What it comes to at `focus`.
    ///
    /// # Errors
    /// If an operation cannot be done with what it finds, or takes more than [`STEPS_MAX`] steps.
    pub fn evaluate(
        &self,
        documents: &Documents,
        surroundings: &dyn Surroundings,
        focus: Focus,
    ) -> Result<Value, EvalError> {
        eval::Evaluator::new(documents, surroundings, STEPS_MAX).value(&self.ast, &focus)
    }

    /// As [`evaluate`](Self::evaluate) with a smaller maximum, and how many steps it took.
    pub(crate) fn evaluate_within(
        &self,
        documents: &Documents,
        surroundings: &dyn Surroundings,
        focus: Focus,
        steps_max: u64,
    ) -> (Result<Value, EvalError>, u64) {
        let evaluator = eval::Evaluator::new(documents, surroundings, steps_max.min(STEPS_MAX));
        let value = evaluator.value(&self.ast, &focus);
        (value, evaluator.spent())
    }
}
