//! What a question takes for an answer: the words a person types to an [`Answer`], or the reason against them.
//!
//! An answer that is taken is kept exactly; what cannot be kept exactly is refused, where it was typed, with the reason.

use std::collections::BTreeMap;

use jiff::civil;
use merestone_core::change::TEXT_BYTES_MAX;
use merestone_core::text::{Lines, check, tidy};

use crate::answer::Answer;
use crate::expr::Moment;
use crate::model::QuestionKind;

/// Most digits of a decimal number; a record keeps every one of them.
pub const DIGITS_MAX: usize = 32;

/// Why an answer is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The form has no such question.
    #[error("the form has no such question")]
    Unknown,
    /// There is no such row.
    #[error("there is no such row")]
    NoRow,
    /// No more rows can be added here.
    #[error("no more rows can be added here")]
    Rows,
    /// The form says how many rows there are.
    #[error("the form says how many rows there are")]
    Counted,
    /// The question asks for nothing, or its answer is calculated.
    #[error("this is not answered by people")]
    NotAsked,
    /// The form says that it cannot be changed.
    #[error("this cannot be changed here")]
    ReadOnly,
    /// Longer than an answer may be.
    #[error("the text has {bytes} bytes, at most {bytes_max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// A character that signed text cannot hold.
    #[error("character {place} is U+{code:04X}, which cannot be seen and cannot be kept")]
    Character {
        /// Its place, from 1.
        place: usize,
        /// Its code point.
        code: u32,
    },
    /// Of another type than the question.
    #[error("the answer is of another type")]
    Type,
    /// Not a whole number.
    #[error("write a whole number, in digits")]
    WholeNumber,
    /// A whole number that is too large.
    #[error("the number is too large: between {} and {}", i64::MIN, i64::MAX)]
    LargeNumber,
    /// Not a number.
    #[error(
        "write a number in digits, with a point before decimals and nothing between thousands, of at most {DIGITS_MAX} digits"
    )]
    Number,
    /// A number outside the range of the question.
    #[error("the number is outside the range, or between its steps")]
    Range,
    /// Not a day of the calendar.
    #[error("write a day of the calendar as YYYY-MM-DD, in the years 0001 to 9999")]
    Date,
    /// Not a time of the day.
    #[error("write a time of the day as HH:MM or HH:MM:SS")]
    Time,
    /// Not a moment.
    #[error("write day and time as YYYY-MM-DDTHH:MM, in the years 0001 to 9999")]
    DateTime,
    /// Not a place.
    #[error("write a place as LAT LON, or LAT LON ALTITUDE ACCURACY, in degrees and metres")]
    Place,
    /// A latitude that does not exist.
    #[error("a latitude is between -90 and 90 degrees")]
    Latitude,
    /// A longitude that does not exist.
    #[error("a longitude is between -180 and 180 degrees")]
    Longitude,
    /// Too few places.
    #[error("write at least {least} places, with `;` between them")]
    Places {
        /// How many there must be.
        least: usize,
    },
    /// An area that is not closed.
    #[error("the last place of an area is its first")]
    Open,
    /// Not one of the choices that are offered.
    #[error("not one of the choices")]
    Choice,
    /// A choice twice.
    #[error("a choice stands twice")]
    ChoiceTwice,
    /// Not every choice in an order.
    #[error("name every choice once, the first first")]
    Order,
    /// Not the hash of a file.
    #[error("not the hash of a file: 64 lowercase hex digits")]
    File,
    /// Not a confirmation.
    #[error("write OK, or leave it")]
    Confirmation,
}

/// An answer as typed. Nothing is a blank. What choices are offered is not looked at.
///
/// # Errors
/// Why it is not taken.
pub fn read(kind: &QuestionKind, parameters: &BTreeMap<String, String>, typed: &str) -> Result<Answer, Refusal> {
    // Before anything looks at it: a hostile text may be of any length.
    if typed.len() > TEXT_BYTES_MAX {
        return Err(Refusal::TooLong { bytes: typed.len(), bytes_max: TEXT_BYTES_MAX });
    }
    let trimmed = typed.trim();
    if trimmed.is_empty() {
        return Ok(Answer::Blank);
    }
    let answer = match kind {
        QuestionKind::Text | QuestionKind::Barcode => Answer::Text(typed.to_owned()),
        QuestionKind::Integer => Answer::Int(whole(&digits(trimmed))?),
        QuestionKind::Range => match whole(&digits(trimmed)) {
            Ok(number) => Answer::Int(number),
            Err(_) => Answer::Text(with_point(digits(trimmed))),
        },
        QuestionKind::GeoPoint | QuestionKind::GeoTrace | QuestionKind::GeoShape => {
            let places: Vec<String> = digits(trimmed).split(';').map(place_text).collect();
            Answer::Text(places.join(";"))
        }
        QuestionKind::Decimal => Answer::Text(with_point(digits(trimmed))),
        QuestionKind::Date => Answer::Text(digits(trimmed)),
        QuestionKind::Time | QuestionKind::DateTime => Answer::Text(with_seconds(digits(trimmed))),
        QuestionKind::SelectMultiple(_) | QuestionKind::Rank(_) => {
            Answer::Text(trimmed.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        QuestionKind::Acknowledge if trimmed.eq_ignore_ascii_case("ok") => Answer::Text("OK".to_owned()),
        QuestionKind::SelectOne(_)
        | QuestionKind::Image
        | QuestionKind::Audio
        | QuestionKind::Video
        | QuestionKind::File
        | QuestionKind::Note
        | QuestionKind::Acknowledge
        | QuestionKind::Hidden
        | QuestionKind::Metadata(_) => Answer::Text(trimmed.to_owned()),
    };
    fit(kind, parameters, answer)
}

/// An answer that is of the question's type, and as it is kept: composed letters, without direction marks.
///
/// # Errors
/// Why it is not taken.
pub fn fit(kind: &QuestionKind, parameters: &BTreeMap<String, String>, answer: Answer) -> Result<Answer, Refusal> {
    let text = match answer {
        Answer::Blank => return Ok(Answer::Blank),
        Answer::Int(number) => {
            return match kind {
                QuestionKind::Integer => Ok(answer),
                QuestionKind::Range => in_range(&number.to_string(), parameters).map(|()| answer),
                _ => Err(Refusal::Type),
            };
        }
        Answer::Bool(true) if matches!(kind, QuestionKind::Acknowledge) => return Ok(Answer::Text("OK".to_owned())),
        Answer::Bool(_) => return Err(Refusal::Type),
        Answer::Text(text) => signable(text)?,
    };
    match kind {
        QuestionKind::Integer => return Err(Refusal::Type),
        QuestionKind::Text
        | QuestionKind::Barcode
        | QuestionKind::Hidden
        | QuestionKind::Note
        | QuestionKind::Metadata(_)
        | QuestionKind::SelectOne(_)
        | QuestionKind::SelectMultiple(_)
        | QuestionKind::Rank(_) => {}
        QuestionKind::Decimal => decimal(&text)?,
        QuestionKind::Range => {
            decimal(&text)?;
            in_range(&text, parameters)?;
        }
        QuestionKind::Date => is_day(&text).then_some(()).ok_or(Refusal::Date)?,
        QuestionKind::Time => time(&text)?,
        QuestionKind::DateTime => date_time(&text)?,
        QuestionKind::GeoPoint => place(&text)?,
        QuestionKind::GeoTrace => drop(places(&text, 2)?),
        QuestionKind::GeoShape => {
            let places = places(&text, 4)?;
            let ends = (places.first(), places.last());
            if ends.0 != ends.1 {
                return Err(Refusal::Open);
            }
        }
        QuestionKind::Image | QuestionKind::Audio | QuestionKind::Video | QuestionKind::File => {
            let is_hash = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            is_hash.then_some(()).ok_or(Refusal::File)?;
        }
        QuestionKind::Acknowledge => (text == "OK").then_some(()).ok_or(Refusal::Confirmation)?,
    }
    Ok(Answer::Text(text))
}

/// Marks of direction that keyboards insert are left out, and letters composed; any other invisible character is refused.
fn signable(text: String) -> Result<String, Refusal> {
    let bytes = text.len();
    if bytes > TEXT_BYTES_MAX {
        return Err(Refusal::TooLong { bytes, bytes_max: TEXT_BYTES_MAX });
    }
    let is_mark = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\r' | '\n');
    let one = |c: char| check(c.encode_utf8(&mut [0; 4]), Lines::Many, "typed text");
    let is_refused = |c: char| {
        !is_mark(c) && one(c).is_err_and(|refused| refused.check == merestone_core::check::Check::TextForbidden)
    };
    if let Some((at, c)) = text.chars().enumerate().find(|(_, c)| is_refused(*c)) {
        return Err(Refusal::Character { place: at + 1, code: u32::from(c) });
    }
    let text = tidy(&text, Lines::Many).into_owned();
    if text.len() > TEXT_BYTES_MAX {
        return Err(Refusal::TooLong { bytes: text.len(), bytes_max: TEXT_BYTES_MAX });
    }
    Ok(text)
}

/// Digits of other scripts as those that every program reads: keyboards for Arabic and Persian have their own.
fn digits(text: &str) -> String {
    let digit = |c: char| match c {
        '\u{660}'..='\u{669}' => char::from_digit(u32::from(c) - 0x660, 10),
        '\u{6f0}'..='\u{6f9}' => char::from_digit(u32::from(c) - 0x6f0, 10),
        '\u{66b}' => Some('.'),
        '\u{2212}' => Some('-'),
        _ => None,
    };
    text.chars().map(|c| digit(c).unwrap_or(c)).collect()
}

/// A comma before decimals as a point. One that may stand between thousands stays, and the number is refused for it: nobody
/// but its writer knows whether `1,500` are many or few.
fn with_point(text: String) -> String {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let Some((whole, decimals)) = unsigned.split_once(',') else { return text };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let may_be_thousands = decimals.len() == 3 && whole.bytes().any(|b| b != b'0');
    if is_digits(whole) && is_digits(decimals) && !may_be_thousands { text.replace(',', ".") } else { text }
}

/// A place with one blank between its numbers. `47,1 8,5` has two decimal commas, `47.1,8.5` one between the numbers.
fn place_text(place: &str) -> String {
    let place = place.replace('\u{60c}', ", ");
    let words: Vec<&str> = place.split_whitespace().collect();
    let is_decimal = |word: &str| {
        let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
        let number = unsigned.strip_suffix(',').unwrap_or(unsigned);
        let parts = number.split_once(',');
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        parts.is_some_and(|(whole, decimals)| is_digits(whole) && is_digits(decimals))
    };
    let has_decimals = matches!(words[..], [lat, lon, ..] if is_decimal(lat) && is_decimal(lon));
    let read = |word: &&str| {
        if has_decimals && is_decimal(word) { word.replacen(',', ".", 1) } else { (*word).to_owned() }
    };
    let numbers: Vec<String> = words.iter().map(read).collect();
    numbers.join(" ").replace(',', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `HH:MM` with the seconds that every reader of XML Schema's times asks for (XML Schema part 2, §3.2.7 and §3.2.8).
fn with_seconds(text: String) -> String {
    let begins = text.find('T').map_or(0, |at| at + 1);
    let is_clock =
        |clock: &[u8]| clock.iter().enumerate().all(|(at, b)| if at == 2 { *b == b':' } else { b.is_ascii_digit() });
    let ends = begins + "HH:MM".len();
    match text.as_bytes().get(begins..ends) {
        Some(clock) if is_clock(clock) && text.as_bytes().get(ends) != Some(&b':') => {
            format!("{}:00{}", &text[..ends], &text[ends..])
        }
        _ => text,
    }
}

fn whole(text: &str) -> Result<i64, Refusal> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refusal::WholeNumber);
    }
    text.parse().map_err(|_| Refusal::LargeNumber)
}

/// `-1.50`: digits, and perhaps a point with digits after it.
fn decimal(text: &str) -> Result<(), Refusal> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let fits = is_digits(whole) && is_digits(decimals) && unsigned.len() <= DIGITS_MAX + 1;
    fits.then_some(()).ok_or(Refusal::Number)
}

fn in_range(text: &str, parameters: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let of = |key: &str, usual: f64| parameters.get(key).and_then(|text| number(text)).unwrap_or(usual);
    // The standard's own range, where the form says none.
    let (start, end, step) = (of("start", 1.0), of("end", 10.0), of("step", 1.0));
    let value = number(text).ok_or(Refusal::Number)?;
    let steps = if step == 0.0 { 0.0 } else { (value - start) / step };
    let is_step = (steps - steps.round()).abs() < 1e-6;
    let is_inside = value >= start.min(end) && value <= start.max(end);
    (is_inside && is_step).then_some(()).ok_or(Refusal::Range)
}

/// Whether `text` is a day of the Gregorian calendar, `YYYY-MM-DD`, in the years 1 to 9999.
fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    shaped && text.parse::<civil::Date>().is_ok_and(|date| date.year() >= 1)
}

fn time(text: &str) -> Result<(), Refusal> {
    let is_time = Moment::read(&format!("2000-01-01T{text}"), 0).is_some();
    (is_time && text.len() <= 32).then_some(()).ok_or(Refusal::Time)
}

fn date_time(text: &str) -> Result<(), Refusal> {
    let is_moment = text.split_once('T').is_some_and(|(day, _)| is_day(day)) && Moment::read(text, 0).is_some();
    is_moment.then_some(()).ok_or(Refusal::DateTime)
}

/// `LAT LON [ALTITUDE [ACCURACY]]`, as ODK writes places.
fn place(text: &str) -> Result<(), Refusal> {
    let parts: Vec<&str> = text.split(' ').collect();
    let (Some((lat, lon)), 2..=4) = (parts.first().zip(parts.get(1)), parts.len()) else { return Err(Refusal::Place) };
    for part in &parts {
        decimal(part).map_err(|_| Refusal::Place)?;
    }
    let within = |text: &str, most: f64| text.parse::<f64>().is_ok_and(|degrees| degrees.abs() <= most);
    if !within(lat, 90.0) {
        return Err(Refusal::Latitude);
    }
    if !within(lon, 180.0) {
        return Err(Refusal::Longitude);
    }
    if parts.get(3).is_some_and(|accuracy| accuracy.starts_with('-')) {
        return Err(Refusal::Place);
    }
    Ok(())
}

fn places(text: &str, least: usize) -> Result<Vec<&str>, Refusal> {
    let places: Vec<&str> = text.split(';').map(str::trim).filter(|place| !place.is_empty()).collect();
    places.iter().try_for_each(|one| place(one))?;
    if places.len() < least { Err(Refusal::Places { least }) } else { Ok(places) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    #[test]
    fn what_cannot_be_kept_exactly_is_refused_with_its_reason() {
        let digits = "1".repeat(400);
        let note = "x".repeat(10 << 20);
        let rows: &[(QuestionKind, &str, Refusal)] = &[
            (QuestionKind::Decimal, "NaN", Refusal::Number),
            (QuestionKind::Decimal, "Infinity", Refusal::Number),
            (QuestionKind::Decimal, "1e400", Refusal::Number),
            (QuestionKind::Decimal, &digits, Refusal::Number),
            (QuestionKind::Decimal, "1,500", Refusal::Number),
            (QuestionKind::Decimal, "1,500.5", Refusal::Number),
            (QuestionKind::Decimal, ".", Refusal::Number),
            (QuestionKind::Integer, "NaN", Refusal::WholeNumber),
            (QuestionKind::Integer, "1.5", Refusal::WholeNumber),
            (QuestionKind::Integer, "9223372036854775808", Refusal::LargeNumber),
            (QuestionKind::Integer, &digits, Refusal::LargeNumber),
            (QuestionKind::Date, "2026-02-30", Refusal::Date),
            (QuestionKind::Date, "2023-02-29", Refusal::Date),
            (QuestionKind::Date, "0000-01-01", Refusal::Date),
            (QuestionKind::Date, "10000-01-01", Refusal::Date),
            (QuestionKind::Date, "2026-2-3", Refusal::Date),
            (QuestionKind::Time, "24:00", Refusal::Time),
            (QuestionKind::DateTime, "2026-02-30T10:00", Refusal::DateTime),
            (QuestionKind::DateTime, "2026-02-03", Refusal::DateTime),
            (QuestionKind::GeoPoint, "91 0", Refusal::Latitude),
            (QuestionKind::GeoPoint, "-90.0000001 0", Refusal::Latitude),
            (QuestionKind::GeoPoint, "0 180.1", Refusal::Longitude),
            (QuestionKind::GeoPoint, "nan 0", Refusal::Place),
            (QuestionKind::GeoPoint, "1", Refusal::Place),
            (QuestionKind::GeoPoint, "1 2 3 -4", Refusal::Place),
            (QuestionKind::GeoTrace, "1 2", Refusal::Places { least: 2 }),
            (QuestionKind::GeoShape, "1 2; 1 3; 2 3; 4 4", Refusal::Open),
            (QuestionKind::Image, "gate.jpg", Refusal::File),
            (QuestionKind::Text, "a\0b", Refusal::Character { place: 2, code: 0 }),
            (QuestionKind::Text, "\u{202e}gpj.exe", Refusal::Character { place: 1, code: 0x202e }),
            (QuestionKind::Text, &note, Refusal::TooLong { bytes: 10 << 20, bytes_max: TEXT_BYTES_MAX }),
        ];
        for (kind, typed, wanted) in rows {
            let shown = typed.get(..40).unwrap_or(typed);
            assert_eq!(read(kind, &none(), typed).as_ref(), Err(wanted), "{shown:?}");
        }
    }

    #[test]
    fn what_is_taken_is_kept_exactly() {
        let rows: &[(QuestionKind, &str, Answer)] = &[
            (QuestionKind::Text, "=HYPERLINK(\"x\")", Answer::Text("=HYPERLINK(\"x\")".into())),
            (QuestionKind::Text, "👩‍👩‍👧 Їжа\nمعبر", Answer::Text("👩‍👩‍👧 Їжа\nمعبر".into())),
            (QuestionKind::Text, "  two  spaces ", Answer::Text("  two  spaces ".into())),
            (QuestionKind::Text, "\u{200f}معبر", Answer::Text("معبر".into())),
            (QuestionKind::Text, " ", Answer::Blank),
            (QuestionKind::Integer, "0", Answer::Int(0)),
            (QuestionKind::Integer, "-9223372036854775808", Answer::Int(i64::MIN)),
            (QuestionKind::Integer, "٤٢", Answer::Int(42)),
            (QuestionKind::Decimal, "-1.50", Answer::Text("-1.50".into())),
            (QuestionKind::Date, "2024-02-29", Answer::Text("2024-02-29".into())),
            (QuestionKind::Date, "9999-12-31", Answer::Text("9999-12-31".into())),
            (QuestionKind::Time, "23:59:59.999+02:00", Answer::Text("23:59:59.999+02:00".into())),
            (QuestionKind::Time, "07:05", Answer::Text("07:05:00".into())),
            (QuestionKind::Time, "٠٧:٠٥+02:00", Answer::Text("07:05:00+02:00".into())),
            (QuestionKind::DateTime, "2026-05-04T10:00Z", Answer::Text("2026-05-04T10:00:00Z".into())),
            (QuestionKind::DateTime, "2026-05-04T10:00:30", Answer::Text("2026-05-04T10:00:30".into())),
            (QuestionKind::GeoPoint, "90,-180", Answer::Text("90 -180".into())),
            (QuestionKind::GeoPoint, "47.1234567 8.5 400 5", Answer::Text("47.1234567 8.5 400 5".into())),
            (QuestionKind::Acknowledge, "ok", Answer::Text("OK".into())),
        ];
        for (kind, typed, wanted) in rows {
            assert_eq!(read(kind, &none(), typed).as_ref(), Ok(wanted), "{typed:?}");
        }
    }

    #[test]
    fn a_range_has_ends_and_steps() {
        let parameters =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let tenths = parameters(&[("start", "0"), ("end", "1"), ("step", "0.1")]);
        assert_eq!(read(&QuestionKind::Range, &tenths, "0.3"), Ok(Answer::Text("0.3".into())));
        assert_eq!(read(&QuestionKind::Range, &tenths, "0.35"), Err(Refusal::Range));
        assert_eq!(read(&QuestionKind::Range, &tenths, "1.1"), Err(Refusal::Range));
        assert_eq!(read(&QuestionKind::Range, &none(), "10"), Ok(Answer::Int(10)));
        assert_eq!(read(&QuestionKind::Range, &none(), "11"), Err(Refusal::Range));
    }
}
