//! Functions of texts, and of what is selected in them.

use std::fmt::Write as _;

use data_encoding::{BASE64, HEXLOWER};
use md5::Digest as _;

use super::{Call, Function, MANY, function, patterns};
use crate::expr::eval::EvalError;
use crate::expr::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    function("string", (0, 1), |call| Ok(Value::Text(call.text(0)?))),
    function("concat", (0, MANY), |call| joined(call, "", 0)),
    function("join", (1, MANY), |call| joined(call, &call.text(0)?, 1)),
    function("starts-with", (2, 2), |call| Ok(Value::Bool(call.text(0)?.starts_with(&call.text(1)?)))),
    function("ends-with", (2, 2), |call| Ok(Value::Bool(call.text(0)?.ends_with(&call.text(1)?)))),
    function("contains", (2, 2), |call| Ok(Value::Bool(call.text(0)?.contains(&call.text(1)?)))),
    function("substring-before", (2, 2), |call| {
        let (text, mark) = (call.text(0)?, call.text(1)?);
        Ok(Value::Text(text.split_once(&mark).map(|(before, _)| before.to_owned()).unwrap_or_default()))
    }),
    function("substring-after", (2, 2), |call| {
        let (text, mark) = (call.text(0)?, call.text(1)?);
        Ok(Value::Text(text.split_once(&mark).map(|(_, after)| after.to_owned()).unwrap_or_default()))
    }),
    function("substring", (2, 3), substring),
    function("substr", (2, 3), substr),
    function("string-length", (0, 1), |call| Ok(Value::Number(call.text(0)?.encode_utf16().count() as f64))),
    function("normalize-space", (0, 1), |call| {
        let words: Vec<String> = call.text(0)?.split_whitespace().map(str::to_owned).collect();
        Ok(Value::Text(words.join(" ")))
    }),
    function("translate", (3, 3), translate),
    function("upper-case", (1, 1), |call| Ok(Value::Text(call.text(0)?.to_uppercase()))),
    function("lower-case", (1, 1), |call| Ok(Value::Text(call.text(0)?.to_lowercase()))),
    function("regex", (2, 2), regex),
    function("selected", (2, 2), |call| {
        let (chosen, wanted) = (call.text(0)?, call.text(1)?);
        // Of nothing, nothing is selected.
        Ok(Value::Bool(chosen.split(' ').any(|choice| choice == wanted.trim())))
    }),
    function("selected-at", (2, 2), |call| {
        let (chosen, index) = (call.text(0)?, call.number(1)?);
        let at = (index >= 0.0).then_some(index as usize);
        let choice = at.and_then(|at| chosen.split_whitespace().nth(at).map(str::to_owned));
        Ok(Value::Text(choice.unwrap_or_default()))
    }),
    function("count-selected", (1, 1), |call| Ok(Value::Number(call.text(0)?.split_whitespace().count() as f64))),
    function("coalesce", (2, MANY), |call| {
        for index in 0..call.count() {
            let text = call.text(index)?;
            if !text.is_empty() || index + 1 == call.count() {
                return Ok(Value::Text(text));
            }
        }
        Ok(Value::Text(String::new()))
    }),
    function("digest", (2, 3), digest),
    function("base64-decode", (1, 1), |call| {
        let bytes = BASE64.decode(call.text(0)?.trim().as_bytes()).unwrap_or_default();
        Ok(Value::Text(String::from_utf8_lossy(&bytes).into_owned()))
    }),
    function("uuid", (0, 1), uuid),
];

fn joined(call: &Call<'_, '_>, between: &str, from: usize) -> Result<Value, EvalError> {
    let values = call.all(from)?;
    let texts: Result<Vec<String>, EvalError> = values.iter().map(|value| call.evaluator.text(value)).collect();
    Ok(Value::Text(texts?.join(between)))
}

/// XPath 1.0 §4.2: characters whose place, from 1, is at least the rounded start and below rounded start and length.
fn substring(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let (text, start) = (call.text(0)?, round(call.number(1)?));
    let end = if call.count() > 2 { start + round(call.number(2)?) } else { f64::INFINITY };
    let chars = text.chars().enumerate().filter(|(index, _)| {
        let place = (*index + 1) as f64;
        place >= start && place < end
    });
    Ok(Value::Text(chars.map(|(_, c)| c).collect()))
}

fn round(number: f64) -> f64 {
    (number + 0.5).floor()
}

/// From start, counted from 0, to before end; negative counts from the end of the text.
fn substr(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let chars: Vec<char> = call.text(0)?.chars().collect();
    let place = |number: f64| {
        let length = chars.len() as f64;
        let number = if number.is_nan() { 0.0 } else { number.trunc() };
        let from_start = if number < 0.0 { length + number } else { number };
        from_start.clamp(0.0, length) as usize
    };
    let start = place(call.number(1)?);
    let end = if call.count() > 2 { place(call.number(2)?) } else { chars.len() };
    Ok(Value::Text(chars.get(start..end).unwrap_or_default().iter().collect()))
}

fn translate(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let (text, from, to) = (call.text(0)?, call.text(1)?, call.text(2)?);
    let to: Vec<char> = to.chars().collect();
    let other = |c: char| match from.chars().position(|f| f == c) {
        Some(index) => to.get(index).copied(),
        None => Some(c),
    };
    Ok(Value::Text(text.chars().filter_map(other).collect()))
}

fn regex(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let (text, pattern) = (call.text(0)?, call.text(1)?);
    call.evaluator.spend(patterns::STEPS + pattern.len() + text.len() / 8)?;
    patterns::matches(&pattern, &text).map(Value::Bool).ok_or(EvalError::Pattern)
}

fn digest(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    let text = call.text(0)?;
    let bytes = text.as_bytes();
    let hash = match call.text(1)?.to_ascii_uppercase().as_str() {
        "MD5" => md5::Md5::digest(bytes).to_vec(),
        "SHA-1" => sha1::Sha1::digest(bytes).to_vec(),
        "SHA-256" => sha2::Sha256::digest(bytes).to_vec(),
        "SHA-384" => sha2::Sha384::digest(bytes).to_vec(),
        "SHA-512" => sha2::Sha512::digest(bytes).to_vec(),
        _ => return call.wrong(),
    };
    let encoding = if call.count() > 2 { call.text(2)?.to_ascii_lowercase() } else { "base64".to_owned() };
    match encoding.as_str() {
        "base64" => Ok(Value::Text(BASE64.encode(&hash))),
        "hex" => Ok(Value::Text(HEXLOWER.encode(&hash))),
        _ => call.wrong(),
    }
}

/// A version 4 UUID (RFC 9562 §5.4), or as many random letters and digits as asked for.
fn uuid(call: &Call<'_, '_>) -> Result<Value, EvalError> {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const LETTERS_MAX: f64 = 1024.0;
    let random = || call.evaluator.surroundings.random();
    if call.count() == 0 {
        let bits = (u128::from(random()) << 64) | u128::from(random());
        let bits = bits & !(0xf000 << 64) & !(0xc000 << 48) | (0x4000 << 64) | (0x8000 << 48);
        let mut text = String::new();
        for (index, byte) in bits.to_be_bytes().iter().enumerate() {
            let dash = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
            // Writing to a text cannot fail.
            let _ = write!(text, "{dash}{byte:02x}");
        }
        return Ok(Value::Text(text));
    }
    let length = call.number(0)?;
    if !(0.0..=LETTERS_MAX).contains(&length) {
        return call.wrong();
    }
    let letter = |_| char::from(LETTERS[(random() % LETTERS.len() as u64) as usize]);
    Ok(Value::Text((0..length as usize).map(letter).collect()))
}
