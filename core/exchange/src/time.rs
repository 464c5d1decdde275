//! What a device's clock said, as text.

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::record::Made;

/// RFC 3339 with the device's own offset; milliseconds since 1970 where no calendar reaches.
pub(crate) fn timestamp(made: &Made) -> String {
    let offset = Offset::from_seconds(i32::from(made.offset_min) * 60);
    match (Timestamp::from_millisecond(made.wall_ms), offset) {
        (Ok(time), Ok(offset)) => time.display_with_offset(offset).to_string(),
        _ => format!("{} ms", made.wall_ms),
    }
}

/// The same in UTC, for formats that know no offset; none where no calendar reaches.
pub(crate) fn utc(made: &Made) -> Option<String> {
    Timestamp::from_millisecond(made.wall_ms).ok().map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_its_offset_and_no_clock_breaks_it() {
        let made = |wall_ms, offset_min| Made { wall_ms, offset_min, source: "device" };
        assert_eq!(timestamp(&made(1_700_000_000_123, 120)), "2023-11-15T00:13:20.123+02:00");
        assert_eq!(utc(&made(1_700_000_000_000, 120)).as_deref(), Some("2023-11-14T22:13:20Z"));
        assert_eq!(timestamp(&made(i64::MAX, 0)), "9223372036854775807 ms");
        assert_eq!(utc(&made(i64::MIN, 0)), None);
    }
}
