//! What people type about a record: answers as `key=value`, places, offsets from UTC.

use merestone_core::entry::{Place, PlaceSource};
use merestone_forms::Form;
use merestone_node::Answer;
use merestone_node::filling::typed_answer;

use crate::exit::{Code, Failure};

/// One `--set key=value`.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) key: String,
    value: String,
}

/// Reads `key=value`.
pub(crate) fn setting(text: &str) -> Result<Setting, String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok(Setting { key: key.trim().to_owned(), value: value.to_owned() })
}

impl Setting {
    /// The answer that was typed, of the type that the form's question has. Nothing after the `=` is an answer left blank.
    ///
    /// # Errors
    /// If it is no answer of that type.
    pub(crate) fn answer(&self, form: Option<&Form>) -> Result<Answer, Failure> {
        typed_answer(form, &self.key, &self.value)
            .map_err(|error| Failure::new(Code::BadInput, format!("--set {}: {error}", self.key)))
    }
}

/// Reads `LAT,LON` or `LAT,LON,METRES`, in degrees with at most seven decimals: exactly what is typed is signed.
pub(crate) fn place(text: &str) -> Result<Place, String> {
    let parts: Vec<_> = text.split(',').map(str::trim).collect();
    let ([lat, lon] | [lat, lon, _]) = parts.as_slice() else {
        return Err("write LAT,LON or LAT,LON,METRES".to_owned());
    };
    let accuracy_m = match parts.get(2) {
        Some(metres) => metres.parse().map_err(|_| "the accuracy is a whole number of metres")?,
        // Seven decimals of a degree are a centimetre, which nobody typed knowingly: a place by hand without an accuracy
        // is taken for somewhere on the post.
        None => PLACE_BY_HAND_M,
    };
    Ok(Place {
        lat_e7: degrees_e7(lat, 90).ok_or("the latitude is -90 to 90 degrees, with at most seven decimals")?,
        lon_e7: degrees_e7(lon, 180).ok_or("the longitude is -180 to 180 degrees, with at most seven decimals")?,
        accuracy_m,
        source: PlaceSource::Hand,
    })
}

/// The extent of a border post.
const PLACE_BY_HAND_M: u64 = 500;

fn degrees_e7(text: &str, degrees_max: i64) -> Option<i32> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || decimals.len() > 7 || !is_number(whole) || !is_number(decimals) {
        return None;
    }
    let e7: i64 = format!("{whole}{decimals:0<7}").parse().ok()?;
    if e7 > degrees_max * 10_000_000 {
        return None;
    }
    i32::try_from(sign * e7).ok()
}

/// Reads `+HH:MM` or `-HH:MM` as minutes ahead of UTC.
pub(crate) fn utc_offset(text: &str) -> Result<i16, String> {
    let wrong = || "write +HH:MM or -HH:MM".to_owned();
    let (sign, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        (None, None) => return Err(wrong()),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str| if text.len() == 2 { text.parse::<u8>().ok() } else { None };
    match (number(hours), number(minutes)) {
        (Some(hours @ 0..=14), Some(minutes @ 0..=59)) => Ok(sign * (i16::from(hours) * 60 + i16::from(minutes))),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use merestone_forms::standard;

    #[test]
    fn an_answer_has_the_type_of_its_question() {
        let form = Form::read_tables(standard::INSPECTION).expect("a form the project ships");
        let rows = [
            ("post=North gate", Ok(Answer::text("North gate"))),
            ("post=a=b", Ok(Answer::text("a=b"))),
            ("queue_low=12", Ok(Answer::Int(12))),
            ("queue_low=", Ok(Answer::Blank)),
            ("withdrawn=true", Ok(Answer::Bool(true))),
            ("queue_low=twelve", Err("--set queue_low: write a whole number, in digits")),
            ("withdrawn=yes", Err("--set withdrawn: answer true or false")),
        ];
        for (typed, wanted) in rows {
            let answer = setting(typed).expect("it has an equals sign").answer(Some(&form));
            let wanted = wanted.map_err(|line| Failure::new(Code::BadInput, line));
            assert_eq!(answer, wanted, "{typed}");
        }
        assert!(setting("post").is_err());
    }

    #[test]
    fn a_place_is_what_was_typed() {
        let rows = [
            ("47.1234567,-8.5", Some((471_234_567, -85_000_000, 500))),
            ("-0.0000001, 180 ,20", Some((-1, 1_800_000_000, 20))),
            ("90,0,1", Some((900_000_000, 0, 1))),
            ("90.0000001,0", None),
            ("0,180.1", None),
            ("47.12345678,8", None),
            ("47", None),
            ("1e1,2", None),
            ("١,2", None),
            ("1,2,-3", None),
            ("1,2,3,4", None),
        ];
        for (typed, wanted) in rows {
            let place = place(typed).ok().map(|place| (place.lat_e7, place.lon_e7, place.accuracy_m));
            assert_eq!(place, wanted, "{typed}");
        }
    }

    #[test]
    fn an_offset_is_hours_and_minutes() {
        let rows = [("+00:00", Some(0)), ("+05:45", Some(345)), ("-09:30", Some(-570)), ("+15:00", None), ("2", None)];
        for (typed, wanted) in rows {
            assert_eq!(utc_offset(typed).ok(), wanted, "{typed}");
        }
    }
}
