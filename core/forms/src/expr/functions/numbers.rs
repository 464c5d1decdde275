//! Functions of numbers, of yes and no, and of chance.

use super::{Call, Function, MANY, function};
use crate::expr::eval::EvalError;
use crate::expr::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    function("number", (0, 1), |call| Ok(Value::Number(call.number(0)?))),
    function("int", (1, 1), |call| one(call, f64::trunc)),
    function("abs", (1, 1), |call| one(call, f64::abs)),
    function("floor", (1, 1), |call| one(call, f64::floor)),
    function("ceiling", (1, 1), |call| one(call, f64::ceil)),
    function("round", (1, 2), round),
    function("pow", (2, 2), |call| Ok(Value::Number(call.number(0)?.powf(call.number(1)?)))),
    function("sqrt", (1, 1), |call| one(call, f64::sqrt)),
    function("exp", (1, 1), |call| one(call, f64::exp)),
    function("exp10", (1, 1), |call| one(call, |number| 10f64.powf(number))),
    function("log", (1, 1), |call| one(call, f64::ln)),
    function("log10", (1, 1), |call| one(call, f64::log10)),
    function("sin", (1, 1), |call| one(call, f64::sin)),
    function("cos", (1, 1), |call| one(call, f64::cos)),
    function("tan", (1, 1), |call| one(call, f64::tan)),
    function("asin", (1, 1), |call| one(call, f64::asin)),
    function("acos", (1, 1), |call| one(call, f64::acos)),
    function("atan", (1, 1), |call| one(call, f64::atan)),
    function("atan2", (2, 2), |call| Ok(Value::Number(call.number(0)?.atan2(call.number(1)?)))),
    function("pi", (0, 0), |_| Ok(Value::Number(std::f64::consts::PI))),
    function("sum", (1, 1), |call| {
        call.nodes(0)?;
        Ok(Value::Number(call.all_numbers(0)?.iter().sum()))
    }),
    function("min", (1, MANY), |call| extreme(call, f64::min)),
    function("max", (1, MANY), |call| extreme(call, f64::max)),
    function("true", (0, 0), |_| Ok(Value::Bool(true))),
    function("false", (0, 0), |_| Ok(Value::Bool(false))),
    function("boolean", (1, 1), |call| Ok(Value::Bool(call.bool(0)?))),
    function("not", (1, 1), |call| Ok(Value::Bool(!call.bool(0)?))),
    function("boolean-from-string", (1, 1), |call| Ok(Value::Bool(matches!(call.text(0)?.as_str(), "1" | "true")))),
    function("if", (3, 3), |call| if call.bool(0)? { call.value(1) } else { call.value(2) }),
    function("checklist", (2, MANY), checklist),
    function("weighted-checklist", (2, MANY), weighted_checklist),
    function("random", (0, 0), |call| Ok(Value::Number(fraction(call)))),
];

fn one(call: &Call<'_, '_>, of: fn(f64) -> f64) -> Result<Value, EvalError> {
    Ok(Value::Number(of(call.number(0)?)))
}

/// Halves go away from zero; with a second argument, to so many digits after the point, or before it when negative.
/// As in the engines in use, by multiplying and dividing: 1.005, which is a little less than it looks, rounds to 1.
fn round(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let number = call.number(0)?;
    let digits = if call.count() > 1 { call.number(1)?.trunc() } else { 0.0 };
    if !number.is_finite() || digits.is_nan() || digits.abs() > 300.0 {
        return Ok(Value::Number(if digits.is_nan() { f64::NAN } else { number }));
    }
    let power = 10f64.powf(digits.abs());
    Ok(Value::Number(if digits > 0.0 { (number * power).round() / power } else { (number / power).round() * power }))
}

/// Least or greatest; not a number when one of them is none, or there are none.
fn extreme(call: &Call<'_, '_>, of: fn(f64, f64) -> f64) -> Result<Value, EvalError> {
    let numbers = call.all_numbers(0)?;
    let any_none = numbers.iter().any(|number| number.is_nan());
    let extreme = numbers.into_iter().reduce(of);
    Ok(Value::Number(extreme.filter(|_| !any_none).unwrap_or(f64::NAN)))
}

fn within(call: &Call<'_, '_>, count: f64) -> Result<Value, EvalError> {
    let (least, most) = (call.number(0)?, call.number(1)?);
    Ok(Value::Bool((least < 0.0 || count >= least) && (most < 0.0 || count <= most)))
}

fn checklist(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let yes = call.all(2)?.iter().filter(|value| is_yes(value)).count();
    within(call, yes as f64)
}

/// Pairs of a condition and what it weighs; with a path in a pair, node for node.
fn weighted_checklist(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let single = |value: Value| match value {
        Value::Nodes(nodes) => nodes.iter().map(|node| Value::Text(call.evaluator.text_of(*node))).collect(),
        value => vec![value],
    };
    let mut weight = 0.0;
    for index in (2..call.count()).step_by(2) {
        let (conditions, weights) = (single(call.value(index)?), single(call.value(index + 1)?));
        call.evaluator.spend(conditions.len())?;
        for (condition, weighs) in conditions.iter().zip(&weights) {
            let number = call.evaluator.number(weighs);
            if is_yes(condition) && !number.is_nan() {
                weight += number;
            }
        }
    }
    within(call, weight)
}

/// A node counts when it has any text that is not blank.
fn is_yes(value: &Value) -> bool {
    match value {
        Value::Text(text) => !text.trim().is_empty(),
        value => value.bool(),
    }
}

/// At least 0, below 1.
pub(super) fn fraction(call: &Call<'_, '_>) -> f64 {
    (call.evaluator.surroundings.random() >> 11) as f64 / (1u64 << 53) as f64
}
