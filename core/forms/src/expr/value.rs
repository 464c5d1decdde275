//! What expressions come to, and how one kind becomes another (XPath 1.0 §4, ODK XForms §Expressions).

use jiff::civil;

use super::tree::{Documents, NodeId};

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nodes, in the order of their documents.
    Nodes(Vec<NodeId>),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// A moment, or none when a text was no date.
    Moment(Option<Moment>),
}

/// A moment as people write it: date, time of the day, and how far the clock is from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Date and time where it was.
    pub local: civil::DateTime,
    /// Minutes east of UTC.
    pub offset_minutes: i32,
}

const MILLISECONDS_A_DAY: f64 = 86_400_000.0;

impl Moment {
    /// The moment `milliseconds` after 1970-01-01 00:00 UTC, on a clock that far from UTC; `None` outside years 0 to 9999.
    pub fn from_unix(milliseconds: f64, offset_minutes: i32) -> Option<Self> {
        if !milliseconds.is_finite() || milliseconds.abs() > 1e15 {
            return None;
        }
        let shifted = milliseconds + f64::from(offset_minutes) * 60_000.0;
        let days = (shifted / MILLISECONDS_A_DAY).floor();
        let rest = (shifted - days * MILLISECONDS_A_DAY).floor();
        let date = civil::date(1970, 1, 1).checked_add(jiff::Span::new().try_days(days as i64).ok()?).ok()?;
        let rest = rest as i32;
        let (seconds, thousandths) = (rest / 1000, rest % 1000);
        let hour = i8::try_from(seconds / 3600).ok()?;
        let (minute, second) = (i8::try_from(seconds / 60 % 60).ok()?, i8::try_from(seconds % 60).ok()?);
        let local = date.at(hour, minute, second, thousandths * 1_000_000);
        (0..=9999).contains(&local.year()).then_some(Self { local, offset_minutes })
    }

    /// Reads `YYYY-MM-DD`, alone or with a time `Thh:mm[:ss[.fff]]` and `Z` or `±hh:mm`; without those it is where we are.
    pub fn read(text: &str, offset_minutes: i32) -> Option<Self> {
        let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
        let date = read_date(date)?;
        let Some(time) = time else {
            return Some(Self { local: date.at(0, 0, 0, 0), offset_minutes });
        };
        let (time, offset) = read_time(time)?;
        Some(Self { local: date.to_datetime(time), offset_minutes: offset.unwrap_or(offset_minutes) })
    }

    /// Days since 1970-01-01 00:00 UTC, with their fraction.
    pub fn days(&self) -> f64 {
        let since = |unit: f64, count: i64| unit * count as f64;
        let date = self.local.date();
        let days = date.since(civil::date(1970, 1, 1)).map_or(0, |span| i64::from(span.get_days()));
        let time = self.local.time();
        let milliseconds = since(3_600_000.0, i64::from(time.hour()))
            + since(60_000.0, i64::from(time.minute()) - i64::from(self.offset_minutes))
            + since(1000.0, i64::from(time.second()))
            + since(1e-6, i64::from(time.subsec_nanosecond()));
        days as f64 + milliseconds / MILLISECONDS_A_DAY
    }

    /// The same moment on a clock that far from UTC.
    pub fn on_clock(&self, offset_minutes: i32) -> Option<Self> {
        if self.offset_minutes == offset_minutes {
            return Some(*self);
        }
        let shift = jiff::Span::new().try_minutes(offset_minutes - self.offset_minutes).ok()?;
        Some(Self { local: self.local.checked_add(shift).ok()?, offset_minutes })
    }

    /// As forms store it: the date alone at midnight, otherwise `YYYY-MM-DDThh:mm:ss.fff±hh:mm`.
    pub fn text(&self) -> String {
        let (date, time) = (self.local.date(), self.local.time());
        if time == civil::Time::midnight() {
            return date.to_string();
        }
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        format!("{date}T{hour:02}:{minute:02}:{second:02}.{:03}{}", time.millisecond(), offset(self.offset_minutes))
    }
}

/// `±hh:mm`.
pub(super) fn offset(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// A day of the calendar, `YYYY-M-D` with one or two digits for month and day.
fn read_date(text: &str) -> Option<civil::Date> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let number = |digits: &str, most: usize| {
        let fits = !digits.is_empty() && digits.len() <= most && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| digits.parse::<i16>().ok()).flatten()
    };
    if year.len() != 4 {
        return None;
    }
    let (month, day) = (i8::try_from(number(month, 2)?).ok()?, i8::try_from(number(day, 2)?).ok()?);
    civil::Date::new(number(year, 4)?, month, day).ok()
}

/// A time of the day and its offset in minutes, if it has one.
pub(super) fn read_time(text: &str) -> Option<(civil::Time, Option<i32>)> {
    let (clock, offset) = match text.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, Some(0)),
        None => match text.rfind(['+', '-']) {
            Some(at) => (&text[..at], Some(read_offset(&text[at..])?)),
            None => (text, None),
        },
    };
    let mut parts = clock.splitn(3, ':');
    let two = |part: Option<&str>| part.filter(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_digit()))?.parse().ok();
    let (hour, minute) = (two(parts.next())?, two(parts.next())?);
    let (second, nanosecond) = match parts.next() {
        None => (0, 0),
        Some(second) => {
            let (whole, fraction) = second.split_once('.').unwrap_or((second, ""));
            if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            (two(Some(whole))?, format!("{fraction:0<9}").parse().ok()?)
        }
    };
    civil::Time::new(hour, minute, second, nanosecond).ok().map(|time| (time, offset))
}

fn read_offset(text: &str) -> Option<i32> {
    let (sign, rest) = text.split_at(1);
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() == 4 => rest.split_at(2),
        None => (rest, "00"),
    };
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<u8>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let total = i32::from(hours) * 60 + i32::from(minutes);
    Some(if sign == "-" { -total } else { total })
}

/// What a text is as a number: its digits, a date's days, or not a number.
pub(super) fn text_number(text: &str, offset_minutes: i32) -> f64 {
    let text = text.trim();
    if let Some(moment) = Moment::read(text, offset_minutes) {
        return moment.days();
    }
    let is_number = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'))
        && text.bytes().any(|b| b.is_ascii_digit());
    if is_number { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

/// What a number is as a text: no exponent for what people write, and no decimal point where there is no fraction.
pub fn number_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else if number == 0.0 {
        "0".to_owned()
    } else {
        format!("{number}")
    }
}

impl Value {
    /// The value as a text.
    pub fn text(&self, documents: &Documents) -> String {
        match self {
            Self::Nodes(nodes) => nodes.first().map(|node| documents.text(*node)).unwrap_or_default(),
            Self::Number(number) => number_text(*number),
            Self::Text(text) => text.clone(),
            Self::Bool(yes) => yes.to_string(),
            Self::Moment(moment) => moment.map(|moment| moment.text()).unwrap_or_default(),
        }
    }

    /// The value as yes or no.
    pub fn bool(&self) -> bool {
        match self {
            Self::Nodes(nodes) => !nodes.is_empty(),
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Text(text) => !text.is_empty(),
            Self::Bool(yes) => *yes,
            Self::Moment(moment) => moment.is_some(),
        }
    }

    /// The value as a number; a date is its days since 1970.
    pub fn number(&self, documents: &Documents, offset_minutes: i32) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Bool(yes) => f64::from(u8::from(*yes)),
            Self::Moment(moment) => moment.map_or(f64::NAN, |moment| moment.days()),
            Self::Nodes(_) | Self::Text(_) => text_number(&self.text(documents), offset_minutes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_written_as_forms_store_them() {
        let check = |text: &str, wanted: Option<&str>| {
            assert_eq!(Moment::read(text, 120).map(|moment| moment.text()).as_deref(), wanted, "{text}");
        };
        check("2024-05-06", Some("2024-05-06"));
        check("2024-5-6", Some("2024-05-06"));
        check("2024-05-06T07:08:09.010+03:00", Some("2024-05-06T07:08:09.010+03:00"));
        check("2024-05-06T07:08", Some("2024-05-06T07:08:00.000+02:00"));
        check("2024-05-06T07:08:09Z", Some("2024-05-06T07:08:09.000+00:00"));
        check("0000-01-01", Some("0000-01-01"));
        check("9999-12-31", Some("9999-12-31"));
        for no_moment in [
            "2023-02-30",
            "2024-13-01",
            "10000-01-01",
            "24-05-06",
            "2024-05-06T25:00",
            "2024-05-06T07",
            "2024-05-06Tx",
            "2024-05-06T07:08+30:00",
            "2024-05-06T07:08:61",
            "",
            "x",
            "2024-05",
            "２０２４-05-06",
            "2024-05-06T07:08:09.0123456789Z",
        ] {
            check(no_moment, None);
        }
    }

    #[test]
    fn days_are_counted_from_1970_in_utc() {
        let days = |text: &str| Moment::read(text, 0).map(|moment| moment.days());
        assert_eq!(days("1970-01-01"), Some(0.0));
        assert_eq!(days("1970-01-02T12:00:00Z"), Some(1.5));
        assert_eq!(days("1970-01-01T00:00:00-06:00"), Some(0.25));
        assert_eq!(days("1969-12-31"), Some(-1.0));
        let back = Moment::from_unix(-86_400_000.0, 0).map(|moment| moment.text());
        assert_eq!(back.as_deref(), Some("1969-12-31"));
        assert!(Moment::from_unix(f64::NAN, 0).is_none() && Moment::from_unix(1e18, 0).is_none());
    }

    #[test]
    fn texts_are_numbers_only_where_they_are_written_as_such() {
        let check = |text: &str, wanted: f64| {
            let number = text_number(text, 0);
            assert!(number == wanted || (number.is_nan() && wanted.is_nan()), "{text}: {number}");
        };
        check(" 12 ", 12.0);
        check("-1.5", -1.5);
        check("1e3", 1000.0);
        check("1970-01-03", 2.0);
        for none in ["", "abc", "1,5", "0x10", "inf", "NaN", "infinity", "1 2", "--1", "1-1"] {
            check(none, f64::NAN);
        }
        assert_eq!([1e21, 0.1, -0.0, 1e-7].map(number_text), ["1000000000000000000000", "0.1", "0", "0.0000001"]);
    }
}
