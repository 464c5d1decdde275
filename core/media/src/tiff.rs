//! The dozen EXIF fields that are wanted, read in place.
//!
//! Three directories are visited, each once: the first, the EXIF one it names, the GPS one it names.
//! Nothing else is followed, so there is nothing to loop through, and a value nobody wants costs nothing.
//! General EXIF libraries list every entry of every directory:
//! in `kamadak-exif` 0.6, 64 KiB of overlapping directories become millions of list entries.
//! It still checks this reader, over real files, in the tests.

use crate::facts::{CAMERA_NAME_BYTES_MAX, MetadataDamage, Orientation, Place, Taken};

/// How many entries of one directory are looked at. Real ones have under 100.
const ENTRIES_MAX: u16 = 1024;

const MAKE: u16 = 0x010f;
const MODEL: u16 = 0x0110;
const ORIENTATION: u16 = 0x0112;
const EXIF_DIRECTORY: u16 = 0x8769;
const GPS_DIRECTORY: u16 = 0x8825;
const TAKEN: u16 = 0x9003;
const TAKEN_OFFSET: u16 = 0x9011;
const LATITUDE_REF: u16 = 0x0001;
const LATITUDE: u16 = 0x0002;
const LONGITUDE_REF: u16 = 0x0003;
const LONGITUDE: u16 = 0x0004;
const GPS_STATUS: u16 = 0x0009;

const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
const SIGNED_RATIONAL: u16 = 10;

/// What an EXIF block says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ExifFacts {
    pub(crate) orientation: Option<Orientation>,
    pub(crate) taken: Option<Taken>,
    pub(crate) place: Option<Place>,
    pub(crate) make: Option<String>,
    pub(crate) model: Option<String>,
    /// The first thing found broken.
    pub(crate) damage: Option<MetadataDamage>,
}

/// Reads a block that begins with a TIFF header.
pub(crate) fn read(block: &[u8]) -> ExifFacts {
    let mut facts = ExifFacts::default();
    let mut reader = Reader { block, big_endian: block.starts_with(b"MM"), damage: None };
    let first = (reader.big_endian || block.starts_with(b"II")).then(|| (reader.u16(2), reader.u32(4)));
    let Some((Some(42), Some(first))) = first else {
        facts.damage = Some(MetadataDamage::Header);
        return facts;
    };

    let [make, model, orientation, exif, gps] =
        reader.directory(first, [MAKE, MODEL, ORIENTATION, EXIF_DIRECTORY, GPS_DIRECTORY]);
    facts.make = reader.camera_name(make);
    facts.model = reader.camera_name(model);
    facts.orientation = reader.orientation(orientation);
    if let Some(at) = reader.number(exif) {
        let [taken, offset] = reader.directory(at, [TAKEN, TAKEN_OFFSET]);
        facts.taken = reader.taken(taken, offset);
    }
    if let Some(at) = reader.number(gps) {
        facts.place = reader.place(at);
    }
    facts.damage = reader.damage;
    facts
}

/// One wanted entry of a directory, not yet looked at.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: u16,
    count: u32,
    /// Where its value, or the offset of its value, stands in the block.
    at: usize,
}

struct Reader<'a> {
    block: &'a [u8],
    big_endian: bool,
    damage: Option<MetadataDamage>,
}

impl<'a> Reader<'a> {
    /// The entries of these tags; the first wins when a tag comes twice.
    fn directory<const N: usize>(&mut self, at: u32, tags: [u16; N]) -> [Option<Entry>; N] {
        let mut found = [None; N];
        let at = at as usize;
        let Some(count) = self.u16(at) else {
            self.damaged(MetadataDamage::Directory);
            return found;
        };
        if count > ENTRIES_MAX {
            self.damaged(MetadataDamage::Directory);
        }
        for index in 0..count.min(ENTRIES_MAX) {
            let entry_at = at + 2 + 12 * usize::from(index);
            let (Some(tag), Some(kind), Some(count), true) =
                (self.u16(entry_at), self.u16(entry_at + 2), self.u32(entry_at + 4), entry_at + 12 <= self.block.len())
            else {
                self.damaged(MetadataDamage::Directory);
                return found;
            };
            if let Some(slot) = tags.iter().position(|wanted| *wanted == tag) {
                found[slot].get_or_insert(Entry { kind, count, at: entry_at + 8 });
            }
        }
        found
    }

    /// The bytes of an entry's value, if it has the expected type.
    fn value(&mut self, entry: Option<Entry>, kind: u16) -> Option<&'a [u8]> {
        let entry = entry?;
        if entry.kind != kind {
            self.damaged(MetadataDamage::Form);
            return None;
        }
        let unit = match kind {
            SHORT => 2,
            LONG => 4,
            RATIONAL | SIGNED_RATIONAL => 8,
            _ => 1,
        };
        let value = (entry.count as usize).checked_mul(unit).and_then(|length| {
            let at = match length {
                0..=4 => entry.at,
                _ => self.u32(entry.at)? as usize,
            };
            self.block.get(at..)?.get(..length)
        });
        if value.is_none() {
            self.damaged(MetadataDamage::Value);
        }
        value
    }

    /// Text up to its first NUL.
    fn text(&mut self, entry: Option<Entry>) -> Option<&'a [u8]> {
        let value = self.value(entry, ASCII)?;
        value.split(|byte| *byte == 0).next()
    }

    /// Printable ASCII, which is all the standard allows; what is not is shown as `?`.
    fn camera_name(&mut self, entry: Option<Entry>) -> Option<String> {
        let text = self.text(entry)?.trim_ascii();
        let name: String = text
            .iter()
            .take(CAMERA_NAME_BYTES_MAX)
            .map(|byte| match byte {
                b' '..=b'~' => char::from(*byte),
                _ => '?',
            })
            .collect();
        let name = name.trim_end();
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// One unsigned number; readers should take LONG where SHORT is meant, and the reverse.
    fn number(&mut self, entry: Option<Entry>) -> Option<u32> {
        let known = entry?;
        let number = match known.kind {
            SHORT => self.value(entry, SHORT)?.first_chunk().map(|bytes| u32::from(self.u16_of(*bytes))),
            _ => self.value(entry, LONG)?.first_chunk().map(|bytes| self.u32_of(*bytes)),
        };
        if number.is_none() {
            self.damaged(MetadataDamage::Form);
        }
        number
    }

    fn orientation(&mut self, entry: Option<Entry>) -> Option<Orientation> {
        let number = self.number(entry)?;
        // Some cameras write 0 for "not known".
        if number > 8 {
            self.damaged(MetadataDamage::Form);
        }
        Orientation::new(number)
    }

    fn taken(&mut self, entry: Option<Entry>, offset: Option<Entry>) -> Option<Taken> {
        let text = self.text(entry)?.trim_ascii();
        // Blanks and zeros are the standard's "not known".
        if text.iter().all(|byte| b" :0".contains(byte)) {
            return None;
        }
        let Some(taken) = parse_taken(text) else {
            self.damaged(MetadataDamage::Form);
            return None;
        };
        let utc_offset_minutes = match self.text(offset).map(<[u8]>::trim_ascii) {
            None | Some(b"" | b":") => None,
            Some(text) => {
                let minutes = parse_offset(text);
                if minutes.is_none() {
                    self.damaged(MetadataDamage::Form);
                }
                minutes
            }
        };
        Some(Taken { utc_offset_minutes, ..taken })
    }

    fn place(&mut self, at: u32) -> Option<Place> {
        let [latitude_ref, latitude, longitude_ref, longitude, status] =
            self.directory(at, [LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE, GPS_STATUS]);
        latitude.and(longitude)?;
        // "V": the receiver had no fix, and what stands there is the last one or zeros.
        if self.text(status).is_some_and(|status| status.starts_with(b"V")) {
            return None;
        }
        let latitude_e7 = self.degrees(latitude_ref, latitude, [b'N', b'S'], 90)?;
        let longitude_e7 = self.degrees(longitude_ref, longitude, [b'E', b'W'], 180)?;
        Some(Place { latitude_e7, longitude_e7 })
    }

    fn degrees(
        &mut self,
        reference: Option<Entry>,
        angle: Option<Entry>,
        [positive, negative]: [u8; 2],
        degrees_max: u64,
    ) -> Option<i32> {
        let reference = self.text(reference)?.first().map(u8::to_ascii_uppercase);
        // The standard says RATIONAL; some Android phones write signed ones.
        let kind = match angle?.kind {
            SIGNED_RATIONAL => SIGNED_RATIONAL,
            _ => RATIONAL,
        };
        let value = self.value(angle, kind)?;
        let size = self
            .angle_e7(value, kind)
            .filter(|size| *size <= degrees_max * 10_000_000)
            .and_then(|size| i32::try_from(size).ok());
        match (size, reference) {
            (Some(size), Some(side)) if side == positive => Some(size),
            (Some(size), Some(side)) if side == negative => Some(-size),
            // No side: a camera without a fix writes the fields and leaves them blank.
            (_, None) => None,
            _ => {
                self.damaged(MetadataDamage::Form);
                None
            }
        }
    }

    /// Degrees, minutes and seconds, each a fraction, in 10⁻⁷ degrees.
    ///
    /// Carried with 20 bits behind the point, so that three roundings down cannot add up to one unit:
    /// 2³² · 10⁷ · 2²⁰ < 2⁷⁶.
    fn angle_e7(&self, value: &[u8], kind: u16) -> Option<u64> {
        let (fractions, _) = value.as_chunks::<8>();
        let mut sum: u128 = 0;
        for (fraction, share) in fractions.get(..3)?.iter().zip([1, 60, 3600]) {
            let [a, b, c, d, e, f, g, h] = *fraction;
            let numerator = u128::from(self.u32_of([a, b, c, d]));
            let denominator = u128::from(self.u32_of([e, f, g, h]));
            // The side is said apart, so a sign has no meaning here.
            if kind == SIGNED_RATIONAL && numerator.max(denominator) > i32::MAX as u128 {
                return None;
            }
            sum += ((numerator * 10_000_000) << 20).checked_div(denominator * share)?;
        }
        u64::try_from((sum + (1 << 19)) >> 20).ok()
    }

    fn damaged(&mut self, damage: MetadataDamage) {
        self.damage.get_or_insert(damage);
    }

    fn u16(&self, at: usize) -> Option<u16> {
        Some(self.u16_of(*self.block.get(at..)?.first_chunk()?))
    }

    fn u32(&self, at: usize) -> Option<u32> {
        Some(self.u32_of(*self.block.get(at..)?.first_chunk()?))
    }

    fn u16_of(&self, bytes: [u8; 2]) -> u16 {
        match self.big_endian {
            true => u16::from_be_bytes(bytes),
            false => u16::from_le_bytes(bytes),
        }
    }

    fn u32_of(&self, bytes: [u8; 4]) -> u32 {
        match self.big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        }
    }
}

/// `YYYY:MM:DD HH:MM:SS`, with or without a fraction of a second behind it.
fn parse_taken(text: &[u8]) -> Option<Taken> {
    let (date, rest) = text.split_at_checked(19)?;
    let separators = [date[4], date[7], date[10], date[13], date[16]];
    if &separators != b":: ::" || !(rest.is_empty() || rest[0] == b'.') {
        return None;
    }
    let year = digits(&date[..4])?;
    let [month, day, hour, minute, second] = [5, 8, 11, 14, 17].map(|at| digits(&date[at..at + 2]));
    let (month, day) = (month?, day?);
    let (hour, minute, second) = (hour?, minute?, second?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    let exists = year >= 1 && (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60;
    exists.then_some(Taken {
        year,
        month: month as u8,
        day: day as u8,
        hour: hour as u8,
        minute: minute as u8,
        second: second as u8,
        utc_offset_minutes: None,
    })
}

/// `+HH:MM`, `-HH:MM` or `Z`, up to 14 hours either way.
fn parse_offset(text: &[u8]) -> Option<i16> {
    let (sign, hours, minutes) = match *text {
        [b'Z'] => return Some(0),
        [b'+', a, b, b':', c, d] => (1, digits(&[a, b])?, digits(&[c, d])?),
        [b'-', a, b, b':', c, d] => (-1, digits(&[a, b])?, digits(&[c, d])?),
        _ => return None,
    };
    let offset = i16::try_from(hours * 60 + minutes).ok()?;
    (minutes < 60 && offset <= 14 * 60).then_some(sign * offset)
}

/// Up to four decimal digits, nothing else.
fn digits(text: &[u8]) -> Option<u16> {
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u16::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A little-endian block: one directory of (tag, type, count, value), then `tail`.
    fn block(entries: &[(u16, u16, u32, u32)], tail: &[u8]) -> Vec<u8> {
        let mut block = b"II\x2a\0\x08\0\0\0".to_vec();
        block.extend(directory(entries));
        block.extend(tail);
        block
    }

    fn directory(entries: &[(u16, u16, u32, u32)]) -> Vec<u8> {
        let mut bytes = (entries.len() as u16).to_le_bytes().to_vec();
        for (tag, kind, count, value) in entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(count.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend([0; 4]);
        bytes
    }

    #[test]
    fn a_date_is_taken_only_if_it_exists() {
        for (text, exists) in [
            ("2024:02:29 23:59:59", true),
            ("2024:02:29 23:59:59.847", true),
            ("2000:02:29 00:00:00", true),
            ("1900:02:29 00:00:00", false),
            ("2023:02:29 00:00:00", false),
            ("2023:13:01 00:00:00", false),
            ("2023:04:31 00:00:00", false),
            ("2023:04:00 00:00:00", false),
            ("0000:04:01 00:00:00", false),
            ("2023:04:01 24:00:00", false),
            ("2023:04:01 00:00:60", false),
            ("2023-04-01 00:00:00", false),
            ("2023:04:01 00:00:0", false),
            ("2023:04:01 00:00:00Z", false),
            ("+023:04:01 00:00:00", false),
        ] {
            assert_eq!(parse_taken(text.as_bytes()).is_some(), exists, "{text}");
        }
    }

    #[test]
    fn an_offset_is_minutes_within_fourteen_hours() {
        for (text, minutes) in [
            ("+05:45", Some(345)),
            ("-03:30", Some(-210)),
            ("+14:00", Some(840)),
            ("Z", Some(0)),
            ("+14:01", None),
            ("+01:60", None),
            ("0100", None),
            ("+1:00", None),
        ] {
            assert_eq!(parse_offset(text.as_bytes()), minutes, "{text}");
        }
    }

    #[test]
    fn a_position_is_exact_to_the_last_unit_and_needs_its_side() {
        let rationals = |values: [(u32, u32); 3]| -> Vec<u8> {
            values.iter().flat_map(|(n, d)| [n.to_le_bytes(), d.to_le_bytes()].concat()).collect()
        };
        let gps_at = 8 + 2 + 12 + 4;
        let values_at = gps_at + 2 + 4 * 12 + 4;
        let check_kind = |kind, latitude, longitude, sides: [u8; 2]| {
            let mut tail = directory(&[
                (LATITUDE_REF, ASCII, 2, sides[0].into()),
                (LATITUDE, kind, 3, values_at),
                (LONGITUDE_REF, ASCII, 2, sides[1].into()),
                (LONGITUDE, kind, 3, values_at + 24),
            ]);
            tail.extend(rationals(latitude));
            tail.extend(rationals(longitude));
            let facts = read(&block(&[(GPS_DIRECTORY, LONG, 1, gps_at)], &tail));
            (facts.place.map(|place| (place.latitude_e7, place.longitude_e7)), facts.damage)
        };
        let check = |latitude, longitude, sides| check_kind(RATIONAL, latitude, longitude, sides);
        let zero = [(0, 1); 3];
        let ten_thirty = [(10, 1), (30, 1), (3600, 100)];
        assert_eq!(check(ten_thirty, zero, *b"SW"), (Some((-105_100_000, 0)), None));
        assert_eq!(
            check([(90, 1), (0, 1), (0, 1)], [(180, 1), (0, 1), (0, 1)], *b"NE"),
            (Some((900_000_000, 1_800_000_000)), None)
        );
        // A third of a degree, and the largest numbers a fraction can hold.
        assert_eq!(check([(1, 3), (0, 1), (0, 1)], [(u32::MAX, u32::MAX); 3], *b"NE").0, Some((3_333_333, 10_169_444)));
        let refused = (None, Some(MetadataDamage::Form));
        assert_eq!(check([(91, 1), (0, 1), (0, 1)], zero, *b"NE"), refused);
        assert_eq!(check([(1, 0), (0, 1), (0, 1)], zero, *b"NE"), refused);
        assert_eq!(check([(u32::MAX, 1); 3], zero, *b"NE"), refused);
        assert_eq!(check(ten_thirty, zero, *b"XE"), refused);
        assert_eq!(check(ten_thirty, zero, *b"\0\0"), (None, None));
        let signed = |latitude| check_kind(SIGNED_RATIONAL, latitude, zero, *b"NE");
        assert_eq!(signed(ten_thirty), (Some((105_100_000, 0)), None));
        assert_eq!(signed([(u32::MAX, 1), (0, 1), (0, 1)]), refused);
        assert_eq!(check_kind(ASCII, ten_thirty, zero, *b"NE"), refused);
    }

    #[test]
    fn camera_names_are_bounded_and_clean() {
        let name = b"Evil\x1b[2J\xe2\x80\xae phone\0hidden";
        let facts = read(&block(&[(MAKE, ASCII, name.len() as u32, 26)], name));
        assert_eq!(facts.make.as_deref(), Some("Evil?[2J??? phone"));
        let long = [b'x'; 500];
        let facts = read(&block(&[(MODEL, ASCII, 500, 26)], &long));
        assert_eq!(facts.model.map(|model| model.len()), Some(64));
        let facts = read(&block(&[(MODEL, ASCII, 4, u32::from_le_bytes(*b"   \0"))], b""));
        assert_eq!((facts.model, facts.damage), (None, None));
    }

    #[test]
    fn damage_is_reported_and_the_rest_still_read() {
        let seven = (ORIENTATION, SHORT, 1, 7);
        let check = |entries: &[(u16, u16, u32, u32)], damage| {
            let facts = read(&block(entries, &[]));
            assert_eq!(facts.orientation.map(Orientation::number), Some(7));
            assert_eq!(facts.damage, damage, "{entries:x?}");
        };
        check(&[seven], None);
        check(&[(MAKE, ASCII, u32::MAX, 8), seven], Some(MetadataDamage::Value));
        check(&[(MAKE, ASCII, 9, u32::MAX), seven], Some(MetadataDamage::Value));
        check(&[(MAKE, 7, 4, 0), seven], Some(MetadataDamage::Form));
        check(&[(EXIF_DIRECTORY, LONG, 0, 0), seven], Some(MetadataDamage::Form));
        check(&[(GPS_DIRECTORY, LONG, 1, 70_000), seven], Some(MetadataDamage::Directory));
        // Directories that name themselves, or each other, are each visited once.
        check(&[(EXIF_DIRECTORY, LONG, 1, 8), (GPS_DIRECTORY, LONG, 1, 8), seven], None);
    }

    #[test]
    fn every_prefix_and_every_changed_byte_is_read_without_harm() {
        let whole = block(
            &[
                (MAKE, ASCII, 6, 74),
                (ORIENTATION, SHORT, 1, 3),
                (EXIF_DIRECTORY, LONG, 1, 8),
                (GPS_DIRECTORY, LONG, 1, 8),
                (TAKEN, ASCII, 20, 80),
            ],
            b"Maker\x002024:02:29 23:59:59\0",
        );
        for length in 0..whole.len() {
            read(&whole[..length]);
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] = value;
                read(&changed);
            }
        }
    }

    #[test]
    fn a_directory_of_65535_entries_is_read_up_to_its_bound() {
        let entries = vec![(0xffff, LONG, 1, 0); 65_535];
        assert_eq!(read(&block(&entries, &[])).damage, Some(MetadataDamage::Directory));
    }
}
