//! The work that one action of a person may cost: all that is evaluated for it draws on one budget.

use std::cell::Cell;

use super::Filling;
use crate::expr::{ACTION_STEPS_MAX, BYTES_A_STEP, EvalError, Focus, STEPS_MAX, Value};
use crate::model::Formula;

/// What is left to do in one action.
#[derive(Debug)]
pub(super) struct Work {
    steps_left: Cell<u64>,
    is_out: Cell<bool>,
}

impl Work {
    pub(super) fn new() -> Self {
        Self { steps_left: Cell::new(ACTION_STEPS_MAX), is_out: Cell::new(false) }
    }

    /// Somebody does something: the budget is whole again.
    pub(super) fn begin(&self) {
        self.steps_left.set(ACTION_STEPS_MAX);
        self.is_out.set(false);
    }

    /// Takes steps, and says whether there were as many.
    pub(super) fn spend(&self, steps: u64) -> bool {
        let left = self.steps_left.get().checked_sub(steps);
        self.steps_left.set(left.unwrap_or_default());
        if left.is_none() {
            self.is_out.set(true);
        }
        left.is_some()
    }

    /// Whether any expression can still be evaluated as far as it may go.
    pub(super) fn is_enough(&self) -> bool {
        self.steps_left.get() >= STEPS_MAX
    }

    /// Whether something was left undone in this action.
    pub(super) fn is_out(&self) -> bool {
        self.is_out.get()
    }
}

impl Filling {
    /// What a formula comes to, wherever one looks from.
    pub(super) fn evaluate_at(&self, formula: &Formula, focus: Focus) -> Result<Value, EvalError> {
        let steps_max = self.work.steps_left.get().min(STEPS_MAX);
        let (value, steps) = formula.expression.evaluate_within(&self.documents, self, focus, steps_max);
        // One that was refused because it wanted too much did not take that much.
        let is_refused = matches!(value, Err(EvalError::Budget | EvalError::Exhausted));
        self.work.spend(if is_refused { steps.min(steps_max) } else { steps });
        if value == Err(EvalError::Exhausted) {
            self.work.is_out.set(true);
        }
        value
    }

    /// A value as a text.
    pub(super) fn text_of(&self, value: &Value) -> String {
        let text = value.text(&self.documents);
        self.work.spend((text.len() / BYTES_A_STEP) as u64);
        text
    }

    /// What a formula came to, as it is kept: what is no number is nothing, as in Collect.
    pub(super) fn outcome(&self, value: &Value) -> String {
        match value {
            Value::Number(number) if number.is_nan() => String::new(),
            value => self.text_of(value),
        }
    }
}
