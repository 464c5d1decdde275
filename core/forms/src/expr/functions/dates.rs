//! Functions of dates and times. Days count from 1970-01-01 00:00 UTC.

use super::{Call, Function, function};
use crate::expr::eval::EvalError;
use crate::expr::value::{Moment, Value, read_time};

pub(super) const FUNCTIONS: &[Function] = &[
    function("today", (0, 0), |call| {
        let now = call.evaluator.surroundings.now();
        Ok(Value::Moment(Some(Moment { local: now.local.date().at(0, 0, 0, 0), ..now })))
    }),
    function("now", (0, 0), |call| Ok(Value::Moment(Some(call.evaluator.surroundings.now())))),
    function("date", (1, 1), |call| Ok(Value::Moment(moment(call, 0)?))),
    function("date-time", (1, 1), |call| Ok(Value::Moment(moment(call, 0)?))),
    function("decimal-date-time", (1, 1), |call| {
        let days = match call.value(0)? {
            Value::Number(number) => number,
            _ => moment(call, 0)?.map_or(f64::NAN, |moment| moment.days()),
        };
        Ok(Value::Number(days))
    }),
    function("decimal-time", (1, 1), decimal_time),
    function("format-date", (2, 2), format_date),
    function("format-date-time", (2, 2), format_date),
];

/// An argument as a moment: a number is days, a text a date or nothing.
fn moment(call: &Call<'_, '_>, index: usize) -> Result<Option<Moment>, EvalError> {
    const MILLISECONDS_A_DAY: f64 = 86_400_000.0;
    let offset = call.evaluator.offset();
    let of_days = |days: f64| Moment::from_unix(days * MILLISECONDS_A_DAY, offset);
    Ok(match call.value(index)? {
        Value::Moment(moment) => moment,
        Value::Number(days) => of_days(days),
        Value::Bool(_) => None,
        value => {
            let text = call.evaluator.text(&value)?;
            let text = text.trim();
            Moment::read(text, offset).and_then(|moment| moment.on_clock(offset)).or_else(|| {
                let is_days = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
                text.parse().ok().filter(|_| is_days).and_then(|days: f64| of_days(days.trunc()))
            })
        }
    })
}

/// The part of the day that has passed, on the clock of where we are.
fn decimal_time(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let text = call.text(0)?;
    let Some((time, offset)) = read_time(text.trim()) else { return Ok(Value::Number(f64::NAN)) };
    let here = call.evaluator.offset();
    let minutes = f64::from(time.hour()) * 60.0 + f64::from(time.minute()) + f64::from(here - offset.unwrap_or(here));
    let seconds = f64::from(time.second()) + f64::from(time.subsec_nanosecond()) / 1e9;
    Ok(Value::Number(((minutes * 60.0 + seconds) / 86_400.0).rem_euclid(1.0)))
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// `%Y %y %m %n %b %d %e %H %h %M %S %3 %a %%`, as ODK XForms defines them; names in English.
fn format_date(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let (Some(moment), format) = (moment(call, 0)?, call.text(1)?) else { return Ok(Value::Text(String::new())) };
    let (date, time) = (moment.local.date(), moment.local.time());
    let mut text = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let month = usize::try_from(date.month() - 1).unwrap_or_default();
        let part = match chars.next() {
            Some('%') => "%".to_owned(),
            Some('Y') => format!("{:04}", date.year()),
            Some('y') => format!("{:02}", date.year() % 100),
            Some('m') => format!("{:02}", date.month()),
            Some('n') => date.month().to_string(),
            Some('b') => MONTHS.get(month).copied().unwrap_or_default().to_owned(),
            Some('d') => format!("{:02}", date.day()),
            Some('e') => date.day().to_string(),
            Some('H') => format!("{:02}", time.hour()),
            Some('h') => time.hour().to_string(),
            Some('M') => format!("{:02}", time.minute()),
            Some('S') => format!("{:02}", time.second()),
            Some('3') => format!("{:03}", time.millisecond()),
            Some('a') => {
                let day = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
                DAYS.get(day).copied().unwrap_or_default().to_owned()
            }
            _ => return call.wrong(),
        };
        text.push_str(&part);
    }
    Ok(Value::Text(text))
}
