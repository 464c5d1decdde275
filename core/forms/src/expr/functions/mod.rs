//! The functions of XPath 1.0 and of ODK XForms, by name.

mod dates;
mod geo;
mod nodes;
mod numbers;
pub(super) mod patterns;
mod texts;

use super::eval::{EvalError, Evaluator, Focus};
use super::parse::Ast;
use super::tree::NodeId;
use super::value::Value;

/// One function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    /// Fewest and most arguments.
    arguments: (usize, usize),
    apply: fn(&Call<'_, '_>) -> Result<Value, EvalError>,
}

/// Any number of arguments.
const MANY: usize = usize::MAX;

impl Function {
    pub(super) fn takes(&self, count: usize) -> bool {
        (self.arguments.0..=self.arguments.1).contains(&count)
    }

    pub(super) fn apply(&self, call: &Call<'_, '_>) -> Result<Value, EvalError> {
        (self.apply)(call)
    }
}

/// The function called `name`.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    let rooms = [texts::FUNCTIONS, numbers::FUNCTIONS, dates::FUNCTIONS, nodes::FUNCTIONS, geo::FUNCTIONS];
    rooms.into_iter().flatten().find(|function| function.name == name)
}

/// A call: the function, its arguments, not yet evaluated, and where it stands.
pub(super) struct Call<'c, 'e> {
    pub(super) evaluator: &'c Evaluator<'e>,
    pub(super) focus: &'c Focus,
    pub(super) function: &'static Function,
    pub(super) arguments: &'c [Ast],
}

impl Call<'_, '_> {
    /// How many arguments there are.
    fn count(&self) -> usize {
        self.arguments.len()
    }

    /// An argument's value; nothing where there is none.
    fn value(&self, index: usize) -> Result<Value, EvalError> {
        match self.arguments.get(index) {
            Some(argument) => self.evaluator.value(argument, self.focus),
            None => Ok(Value::Nodes(Vec::new())),
        }
    }

    /// An argument as a text; the context node's where there is none.
    fn text(&self, index: usize) -> Result<String, EvalError> {
        self.evaluator.text(&self.value_or_context(index)?)
    }

    /// An argument as a number; the context node's where there is none.
    fn number(&self, index: usize) -> Result<f64, EvalError> {
        Ok(self.evaluator.number(&self.value_or_context(index)?))
    }

    fn value_or_context(&self, index: usize) -> Result<Value, EvalError> {
        if self.arguments.is_empty() { Ok(Value::Nodes(vec![self.focus.node])) } else { self.value(index) }
    }

    /// An argument as yes or no.
    fn bool(&self, index: usize) -> Result<bool, EvalError> {
        Ok(self.value(index)?.bool())
    }

    /// An argument that must be a path.
    fn nodes(&self, index: usize) -> Result<Vec<NodeId>, EvalError> {
        match self.value(index)? {
            Value::Nodes(nodes) => Ok(nodes),
            _ => Err(EvalError::NotNodes(self.function.name)),
        }
    }

    /// The values of arguments from `from` on, one for each node of a path.
    fn all(&self, from: usize) -> Result<Vec<Value>, EvalError> {
        let mut values = Vec::new();
        for index in from..self.count() {
            match self.value(index)? {
                Value::Nodes(nodes) => {
                    self.evaluator.spend(nodes.len())?;
                    values.extend(nodes.iter().map(|node| Value::Text(self.evaluator.text_of(*node))));
                }
                value => values.push(value),
            }
        }
        Ok(values)
    }

    /// As [`all`](Self::all), as numbers.
    fn all_numbers(&self, from: usize) -> Result<Vec<f64>, EvalError> {
        Ok(self.all(from)?.iter().map(|value| self.evaluator.number(value)).collect())
    }

    fn wrong<T>(&self) -> Result<T, EvalError> {
        Err(EvalError::Argument(self.function.name))
    }
}

/// A row of a room's table.
const fn function(
    name: &'static str,
    arguments: (usize, usize),
    apply: fn(&Call<'_, '_>) -> Result<Value, EvalError>,
) -> Function {
    Function { name, arguments, apply }
}
