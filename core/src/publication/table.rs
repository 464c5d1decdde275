//! The table: everything that is shown, one value in a line (`spec/publication.md`, What a reader works out).

use std::fmt::Write as _;

use super::decision::label_at;
use super::standing::values;
use crate::change::Value as Scalar;
use crate::disclosure::{Disclosure, Said};
use crate::entry::{Clock, Place};
use crate::form::{FormDefinition, Key};
use crate::id::{EntryId, FormHash, RecordId};
use crate::roster::PartyNumber;

/// The first line.
pub const HEADER: &str = "record,entry,party,label,row,question,value,stands\n";

/// The lines of one record, whose disclosures are in ascending order of their entries.
pub fn lines<'a>(
    record: RecordId,
    disclosures: &'a [Disclosure<'a>],
    party: impl Fn(EntryId) -> Option<PartyNumber>,
    form: impl Fn(FormHash) -> Option<&'a FormDefinition>,
) -> String {
    let values = values(disclosures);
    let stands = |key: Key<'a>, entry: EntryId| {
        let written = values.get(&key).map_or(&[][..], Vec::as_slice);
        let stands = written.iter().any(|value| value.entry == entry && value.stands);
        if stands { "yes" } else { "no" }
    };
    let mut out = String::new();
    for disclosure in disclosures {
        let entry = disclosure.entry().id();
        let party = party(entry).map_or_else(String::new, |party| party.0.to_string());
        let commitment = disclosure.entry().header().commitment;
        let definition = commitment.and_then(|commitment| form(commitment.form));
        let line = |out: &mut String, label: &str, row: &str, question: &str, value: &str, stands: &str| {
            // A String takes everything.
            _ = writeln!(out, "{record},{entry},{party},{label},{row},{question},{},{stands}", field(value));
        };
        for opened in disclosure.opened() {
            let label = definition.and_then(|definition| label_at(definition, opened.position)).unwrap_or_default();
            match &opened.said {
                None => {}
                Some(Said::Answer(value)) => {
                    let key = Key::Answer { question: opened.name.unwrap_or_default() };
                    line(&mut out, label, "", "", &scalar(*value), stands(key, entry));
                }
                Some(Said::Cells(cells)) => {
                    for cell in cells {
                        let repeat = opened.name.unwrap_or_default();
                        let key = Key::Cell { repeat, row: cell.row, question: cell.question };
                        line(&mut out, label, cell.row, cell.question, &scalar(cell.value), stands(key, entry));
                    }
                }
                Some(said) => line(&mut out, label, "", "", &fact(said), ""),
            }
        }
    }
    out
}

fn scalar(value: Scalar<'_>) -> String {
    match value {
        Scalar::Null => String::new(),
        Scalar::Bool(false) => "no".into(),
        Scalar::Bool(true) => "yes".into(),
        Scalar::Int(number) => number.to_string(),
        Scalar::Text(text) => tamed(text),
    }
}

/// A text that no spreadsheet takes for a formula.
fn tamed(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', ' ']) { format!("'{text}") } else { text.to_owned() }
}

fn fact(said: &Said<'_>) -> String {
    match said {
        Said::CoarsePlace([lat, lon]) => format!("{} {}", tenths(*lat), tenths(*lon)),
        Said::ExactPlace(Place { lat_e7, lon_e7, accuracy_m, source: _ }) => {
            format!("{} {} {accuracy_m}", degrees(*lat_e7), degrees(*lon_e7))
        }
        Said::Day(day) => date(*day),
        Said::ExactTime(Clock { wall_ms, offset_min, .. }) => format!("{wall_ms} {offset_min}"),
        Said::Post(text) | Said::Observer(text) => tamed(text),
        Said::Photos(photos) => photos.iter().map(|photo| photo.sha256.to_string()).collect::<Vec<_>>().join(" "),
        Said::Answer(_) | Said::Cells(_) => String::new(),
    }
}

fn tenths(tenths: i64) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    format!("{sign}{}.{}", tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10)
}

fn degrees(e7: i32) -> String {
    let sign = if e7 < 0 { "-" } else { "" };
    format!("{sign}{}.{:07}", e7.unsigned_abs() / 10_000_000, e7.unsigned_abs() % 10_000_000)
}

/// The day in the proleptic Gregorian calendar; one beyond the year 9999 or before the year 1 as its number.
fn date(days: i64) -> String {
    if !(-719_162..=2_932_896).contains(&days) {
        return days.to_string();
    }
    // Eras of 400 years from 1 March of year 0.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year_of_era + i64::from(month <= 2))
}

/// A field as RFC 4180 writes it.
fn field(value: &str) -> String {
    if value.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_so_that_no_program_reads_more_into_them() {
        assert_eq!(field("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"");
        assert_eq!((tamed("=1+1"), tamed("-"), tamed("Ж=")), ("'=1+1".into(), "'-".into(), "Ж=".into()));
        assert_eq!((tenths(-305), tenths(7), degrees(-1)), ("-30.5".into(), "0.7".into(), "-0.0000001".into()));
        assert_eq!((date(0), date(20_423), date(-1)), ("1970-01-01".into(), "2025-12-01".into(), "1969-12-31".into()));
        assert_eq!(date(i64::MIN), i64::MIN.to_string());
    }
}
