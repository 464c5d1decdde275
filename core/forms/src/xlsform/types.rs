//! What stands in the column `type`.

use crate::model::Metadata;

/// What a row of the survey is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RowKind {
    BeginGroup,
    EndGroup,
    BeginRepeat,
    EndRepeat,
    /// A question without choices.
    Plain(Plain),
    /// A question with choices of a list, and whether `other` is one of them.
    Select {
        how: Select,
        list: String,
        or_other: bool,
    },
    /// A question with choices of a file beside the form.
    SelectFromFile {
        how: Select,
        file: String,
    },
    /// Data from a file that is not asked.
    Data {
        file: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Select {
    One,
    Multiple,
    Rank,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    Text,
    Integer,
    Decimal,
    Range,
    Date,
    Time,
    DateTime,
    GeoPoint,
    GeoTrace,
    GeoShape,
    Image,
    Audio,
    Video,
    File,
    Barcode,
    Note,
    Acknowledge,
    Calculate,
    Hidden,
    Metadata(Metadata),
    /// Known, and with no effect here.
    Unused,
}

/// Types without choices, in every spelling in use.
const PLAIN: &[(&str, Plain)] = &[
    ("text", Plain::Text),
    ("string", Plain::Text),
    ("integer", Plain::Integer),
    ("int", Plain::Integer),
    ("decimal", Plain::Decimal),
    ("range", Plain::Range),
    ("date", Plain::Date),
    ("time", Plain::Time),
    ("datetime", Plain::DateTime),
    ("date time", Plain::DateTime),
    ("geopoint", Plain::GeoPoint),
    ("gps", Plain::GeoPoint),
    ("location", Plain::GeoPoint),
    ("geotrace", Plain::GeoTrace),
    ("geoshape", Plain::GeoShape),
    ("image", Plain::Image),
    ("photo", Plain::Image),
    ("picture", Plain::Image),
    ("audio", Plain::Audio),
    ("video", Plain::Video),
    ("file", Plain::File),
    ("barcode", Plain::Barcode),
    ("note", Plain::Note),
    ("acknowledge", Plain::Acknowledge),
    ("trigger", Plain::Acknowledge),
    ("calculate", Plain::Calculate),
    ("calculation", Plain::Calculate),
    ("hidden", Plain::Hidden),
    ("q string", Plain::Text),
    ("add text prompt", Plain::Text),
    ("add integer prompt", Plain::Integer),
    ("add decimal prompt", Plain::Decimal),
    ("add date prompt", Plain::Date),
    ("add datetime prompt", Plain::DateTime),
    ("add note prompt", Plain::Note),
    ("add location prompt", Plain::GeoPoint),
    ("add barcode prompt", Plain::Barcode),
    ("add image prompt", Plain::Image),
    ("add photo prompt", Plain::Image),
    ("add audio prompt", Plain::Audio),
    ("add video prompt", Plain::Video),
    ("add file prompt", Plain::File),
    ("add acknowledge prompt", Plain::Acknowledge),
    ("add calculate prompt", Plain::Calculate),
    ("q int", Plain::Integer),
    ("q decimal", Plain::Decimal),
    ("q date", Plain::Date),
    ("q datetime", Plain::DateTime),
    ("q date time", Plain::DateTime),
    ("q note", Plain::Note),
    ("q geopoint", Plain::GeoPoint),
    ("q location", Plain::GeoPoint),
    ("q barcode", Plain::Barcode),
    ("q image", Plain::Image),
    ("q picture", Plain::Image),
    ("q audio", Plain::Audio),
    ("q video", Plain::Video),
    ("q acknowledge", Plain::Acknowledge),
    ("q calculate", Plain::Calculate),
    ("phone number", Plain::Text),
    ("number of days in last month", Plain::Integer),
    ("number of days in last six months", Plain::Integer),
    ("number of days in last year", Plain::Integer),
    ("percentage", Plain::Integer),
    ("background-audio", Plain::Unused),
    ("osm", Plain::Unused),
    ("subscriberid", Plain::Unused),
    ("subscriber id", Plain::Unused),
    ("get subscriber id", Plain::Unused),
    ("uri:subscriberid", Plain::Unused),
    ("simserial", Plain::Unused),
    ("sim id", Plain::Unused),
    ("get sim id", Plain::Unused),
    ("uri:simserial", Plain::Unused),
    ("start time", Plain::Metadata(Metadata::Start)),
    ("get start time", Plain::Metadata(Metadata::Start)),
    ("end time", Plain::Metadata(Metadata::End)),
    ("get end time", Plain::Metadata(Metadata::End)),
    ("get today", Plain::Metadata(Metadata::Today)),
    ("get device id", Plain::Metadata(Metadata::DeviceId)),
    ("get phone number", Plain::Metadata(Metadata::PhoneNumber)),
    ("background-geopoint", Plain::Metadata(Metadata::StartPlace)),
    ("start", Plain::Metadata(Metadata::Start)),
    ("end", Plain::Metadata(Metadata::End)),
    ("today", Plain::Metadata(Metadata::Today)),
    ("deviceid", Plain::Metadata(Metadata::DeviceId)),
    ("device id", Plain::Metadata(Metadata::DeviceId)),
    ("imei", Plain::Metadata(Metadata::DeviceId)),
    ("uri:deviceid", Plain::Metadata(Metadata::DeviceId)),
    ("username", Plain::Metadata(Metadata::UserName)),
    ("uri:username", Plain::Metadata(Metadata::UserName)),
    ("email", Plain::Metadata(Metadata::Email)),
    ("uri:email", Plain::Metadata(Metadata::Email)),
    ("phonenumber", Plain::Metadata(Metadata::PhoneNumber)),
    ("uri:phonenumber", Plain::Metadata(Metadata::PhoneNumber)),
    ("start-geopoint", Plain::Metadata(Metadata::StartPlace)),
    ("audit", Plain::Metadata(Metadata::Audit)),
];

const SELECTS: &[(&str, Select)] = &[
    ("select_one", Select::One),
    ("select one", Select::One),
    ("select1", Select::One),
    ("select one using", Select::One),
    ("add select one prompt using", Select::One),
    ("q select1", Select::One),
    ("select_multiple", Select::Multiple),
    ("select multiple", Select::Multiple),
    ("select multiple using", Select::Multiple),
    ("select all that apply", Select::Multiple),
    ("add select multiple prompt using", Select::Multiple),
    ("q select", Select::Multiple),
    ("select", Select::Multiple),
    ("rank", Select::Rank),
];

/// Constraints that a type brings, and what they hold its answers to.
pub(super) fn own_constraint(cell: &str) -> Option<&'static str> {
    Some(match cell.trim().to_lowercase().as_str() {
        "percentage" => "0 <= . and . <= 100",
        "number of days in last month" => "0 <= . and . <= 31",
        "number of days in last six months" => "0 <= . and . <= 183",
        "number of days in last year" => "0 <= . and . <= 365",
        "phone number" => "regex(., '^\\d*$')",
        _ => return None,
    })
}

impl RowKind {
    /// What `cell` says; `None` if it is nothing that is supported.
    pub(super) fn read(cell: &str) -> Option<Self> {
        let tidy = cell.split_whitespace().collect::<Vec<_>>().join(" ");
        let lower = tidy.to_lowercase();
        match lower.replace('_', " ").as_str() {
            "begin group" | "begin" => return Some(Self::BeginGroup),
            "end group" => return Some(Self::EndGroup),
            "begin repeat" | "begin lgroup" | "begin looped group" => return Some(Self::BeginRepeat),
            "end repeat" | "end lgroup" | "end looped group" => return Some(Self::EndRepeat),
            _ => {}
        }
        if let Some((_, plain)) = PLAIN.iter().find(|(spelling, _)| *spelling == lower) {
            return Some(Self::Plain(*plain));
        }
        for prefix in ["csv-external", "xml-external"] {
            if lower == prefix {
                return Some(Self::Data { file: prefix[..3].to_owned() });
            }
        }
        Self::select(&tidy, &lower)
    }

    fn select(tidy: &str, lower: &str) -> Option<Self> {
        let (spelling, how) =
            SELECTS.iter().filter(|(spelling, _)| lower.starts_with(spelling)).max_by_key(|s| s.0.len())?;
        let rest = tidy.get(spelling.len()..)?;
        if let Some(file) = rest.strip_prefix("_from_file ").or_else(|| rest.strip_prefix(" from file ")) {
            return Some(Self::SelectFromFile { how: *how, file: file.trim().to_owned() });
        }
        let rest = rest.strip_prefix("_external").or_else(|| rest.strip_prefix(" external")).unwrap_or(rest);
        let list = rest.strip_prefix(' ')?;
        let list = list.strip_prefix("from ").unwrap_or(list);
        let lower = list.to_lowercase();
        let other = [" or_other", " or specify other", " or other"].into_iter().find(|other| lower.ends_with(other));
        let list = other.map_or(list, |other| &list[..list.len() - other.len()]).trim();
        (!list.is_empty()).then(|| Self::Select { how: *how, list: list.to_owned(), or_other: other.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_in_every_spelling_in_use() {
        let select = |how, list: &str, or_other| Some(RowKind::Select { how, list: list.to_owned(), or_other });
        let check = |cell: &str, wanted: Option<RowKind>| assert_eq!(RowKind::read(cell), wanted, "{cell}");
        check("Begin  Group", Some(RowKind::BeginGroup));
        check("begin_repeat", Some(RowKind::BeginRepeat));
        check("end repeat", Some(RowKind::EndRepeat));
        check("integer", Some(RowKind::Plain(Plain::Integer)));
        check("dateTime", Some(RowKind::Plain(Plain::DateTime)));
        check("select_one yes_no", select(Select::One, "yes_no", false));
        check("select one from yes_no", select(Select::One, "yes_no", false));
        check("select_multiple  Colors or_other", select(Select::Multiple, "Colors", true));
        check("select all that apply from x or specify other", select(Select::Multiple, "x", true));
        check("select_one ${person}", select(Select::One, "${person}", false));
        check("select_one_external towns", select(Select::One, "towns", false));
        check("rank l", select(Select::Rank, "l", false));
        let file = |how, file: &str| Some(RowKind::SelectFromFile { how, file: file.to_owned() });
        check("select_one_from_file towns.csv", file(Select::One, "towns.csv"));
        check("select_multiple_from_file t.geojson", file(Select::Multiple, "t.geojson"));
        check("csv-external", Some(RowKind::Data { file: "csv".to_owned() }));
        check("begin loop over x", None);
        check("select_one", None);
        check("texts", None);
        check("", None);
    }
}
