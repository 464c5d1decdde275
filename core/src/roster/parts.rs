//! A charter, or a proposed amendment, as texts that each fit a small QR code (`spec/roster.md`, Charter as text).
//!
//! Texts are collected in any order and as often as they come. What the bytes mean, and who signed them, is judged by
//! whoever reads a charter file.

use std::collections::BTreeMap;

use data_encoding::BASE32_NOPAD;

use super::transfer::{self, Carried, MistypedText};
use crate::id::sha256;

/// Bytes in each part but the last: its text is at most 475 characters, and its QR code (version 13) with its border
/// 77 modules wide, which a terminal of 80 columns shows.
pub const PART_BYTES: usize = 266;
/// Most parts of one charter.
pub const PARTS_MAX: usize = 999;
/// Most characters that are read as texts, white space not counted: twice what the most parts have.
pub const PARTS_CHARS_MAX: usize = 950_000;

/// Characters of an id: 80 bits of the hash, so that chance does not put parts of two charters together.
const ID_CHARS: usize = 16;
const ID_BYTES: usize = 10;

/// A charter or a proposed amendment, cut into parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    id: String,
    bytes: Vec<u8>,
}

/// There is nothing to carry, or more than [`PARTS_MAX`] parts hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes do not fit 1 to {PARTS_MAX} parts of {PART_BYTES} bytes: carry the file")]
pub struct TooManyParts {
    /// How many bytes there are.
    pub bytes: usize,
}

/// Why texts gave no charter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartsError {
    /// There is more than the texts of a charter can be.
    #[error("the texts are longer than {PARTS_CHARS_MAX} characters")]
    TooLong,
    /// They do not begin as such texts do.
    #[error(transparent)]
    Start(MistypedText),
    /// A text says no part number, number of parts and id, or holds more or less than that part does.
    #[error("text {at} is no part of a charter: numbers, id or length are wrong")]
    Part {
        /// Which text, from 1, in the order in which they were given.
        at: usize,
    },
    /// Something is missing or mistyped in one of them.
    #[error("text {at}, part {number} of {count}: {why}")]
    Mistyped {
        /// Which text, from 1, in the order in which they were given.
        at: usize,
        /// The part that it says it is.
        number: usize,
        /// Of how many.
        count: usize,
        /// What is wrong.
        why: MistypedText,
    },
    /// They are of two charters.
    #[error("these are parts of two charters: {one} and {other}")]
    Mixed {
        /// The number of parts and id of one.
        one: String,
        /// Those of the other.
        other: String,
    },
    /// One part is there with two contents.
    #[error("part {number} of {count} is there twice, and not the same")]
    Differs {
        /// The part.
        number: usize,
        /// Of how many.
        count: usize,
    },
    /// Not all are there.
    #[error("{}", missing_line(.missing, *.count))]
    Missing {
        /// The parts that are not, ascending.
        missing: Vec<usize>,
        /// Of how many.
        count: usize,
    },
    /// All are there, and together they have another id.
    #[error("the parts do not make up the charter that they name: get them again")]
    Id,
}

impl Parts {
    /// Of the bytes of a charter file or of an amendment.
    ///
    /// # Errors
    /// If there are none, or too many for [`PARTS_MAX`] parts.
    pub fn of(bytes: &[u8]) -> Result<Self, TooManyParts> {
        if bytes.is_empty() || bytes.len() > PARTS_MAX * PART_BYTES {
            return Err(TooManyParts { bytes: bytes.len() });
        }
        Ok(Self { id: id_of(bytes), bytes: bytes.to_vec() })
    }

    /// Puts texts together: every part at least once, in any order, with any white space, in either case.
    ///
    /// # Errors
    /// See [`PartsError`].
    pub fn from_texts(texts: &str) -> Result<Self, PartsError> {
        let prefix = Carried::Charter.prefix();
        let plain = transfer::plain(texts, PARTS_CHARS_MAX).ok_or(PartsError::TooLong)?;
        let first = transfer::after_prefix(Carried::Charter, &plain).map_err(PartsError::Start)?;
        let mut of: Option<(usize, &str)> = None;
        let mut held = BTreeMap::new();
        for (at, text) in (1..).zip(first.split(prefix)) {
            let part = Part::read(text).ok_or(PartsError::Part { at })?;
            let Part { number, count, id, head, coded } = part;
            let why = |why| PartsError::Mistyped { at, number, count, why };
            let bytes = transfer::open(head, coded, prefix.len() + head.len()).map_err(why)?;
            let is_length =
                if number < count { bytes.len() == PART_BYTES } else { (1..=PART_BYTES).contains(&bytes.len()) };
            if !is_length {
                return Err(PartsError::Part { at });
            }
            let (count_before, id_before) = *of.get_or_insert((count, id));
            if (count_before, id_before) != (count, id) {
                let name = |count, id| format!("{id} of {count} parts");
                return Err(PartsError::Mixed { one: name(count_before, id_before), other: name(count, id) });
            }
            if held.insert(number, bytes.clone()).is_some_and(|before| before != bytes) {
                return Err(PartsError::Differs { number, count });
            }
        }
        let (count, id) = of.ok_or(PartsError::Part { at: 1 })?;
        let missing: Vec<_> = (1..=count).filter(|number| !held.contains_key(number)).collect();
        if !missing.is_empty() {
            return Err(PartsError::Missing { missing, count });
        }
        let bytes: Vec<u8> = held.into_values().flatten().collect();
        if id_of(&bytes) != id {
            return Err(PartsError::Id);
        }
        Ok(Self { id: id.to_owned(), bytes })
    }

    /// Whether `text` holds something that people carry as text, be it a charter's parts or not.
    pub fn are_meant_by(text: &str) -> bool {
        text.to_ascii_uppercase().contains("MERESTONE-")
    }

    /// The texts in the order of their numbers, in the alphanumeric set of QR codes; at most 475 characters each.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = String> {
        let chunks = self.bytes.chunks(PART_BYTES);
        let count = chunks.len();
        chunks.enumerate().map(move |(at, bytes)| {
            let head = format!("{}/{count}/{}/", at + 1, self.id);
            format!("{}{head}{}", Carried::Charter.prefix(), transfer::seal(&head, bytes))
        })
    }

    /// The short id that every text of it says.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The bytes of the charter file or of the amendment.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A text behind its prefix.
struct Part<'a> {
    number: usize,
    count: usize,
    id: &'a str,
    /// Numbers and id as they stand, the last slash included.
    head: &'a str,
    coded: &'a str,
}

impl<'a> Part<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut fields = text.splitn(4, '/');
        let (number, count, id, coded) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let head = &text[..text.len() - coded.len()];
        let (number, count) = (plain_number(number)?, plain_number(count)?);
        let is_id = id.len() == ID_CHARS && id.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'));
        (number <= count && is_id).then_some(Self { number, count, id, head, coded })
    }
}

/// A number from 1 to [`PARTS_MAX`] in digits, the first of which is not 0.
fn plain_number(digits: &str) -> Option<usize> {
    let is_plain = !digits.starts_with('0') && digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain)
}

fn id_of(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(&sha256(&[bytes])[..ID_BYTES])
}

fn missing_line(missing: &[usize], count: usize) -> String {
    /// More are not named one by one: they are asked for again anyway.
    const NAMED: usize = 10;
    let named: Vec<_> = missing.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if missing.len() > NAMED { format!(" and {} more", missing.len() - NAMED) } else { String::new() };
    match missing.len() {
        1 => format!("part {} of {count} is missing", named.join("")),
        _ => format!("parts {}{more} of {count} are missing", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(bytes: usize, seed: u8) -> Parts {
        Parts::of(&(0..bytes).map(|at| (at as u8).wrapping_mul(7) ^ seed).collect::<Vec<_>>()).expect("it fits")
    }

    #[test]
    fn parts_come_together_in_any_order_and_as_often_as_they_were_given() {
        for bytes in [1, 265, 266, 267, 532, 1_400] {
            let whole = parts(bytes, 0);
            let mut texts: Vec<_> = whole.texts().collect();
            assert_eq!(texts.len(), bytes.div_ceil(PART_BYTES));
            texts.reverse();
            texts.push(texts[0].to_lowercase());
            assert_eq!(Parts::from_texts(&texts.join("\r\n\r\n")), Ok(whole.clone()), "{bytes}");
            let broken: String = texts.concat().chars().flat_map(|c| [c, ' ']).collect();
            assert_eq!(Parts::from_texts(&broken), Ok(whole), "{bytes}");
        }
    }

    #[test]
    fn every_part_of_the_largest_charter_is_a_small_code() {
        let largest = parts(PARTS_MAX * PART_BYTES, 1);
        let is_qr_alphanumeric = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || " $%*+-./:".contains(c);
        assert!(largest.texts().all(|text| text.len() <= 475 && text.chars().all(is_qr_alphanumeric)));
        assert!(largest.texts().map(|text| text.len()).sum::<usize>() <= PARTS_CHARS_MAX / 2);
        assert_eq!(Parts::from_texts(&largest.texts().collect::<String>()), Ok(largest));
        assert_eq!(Parts::of(&[0; PARTS_MAX * PART_BYTES + 1]).map_err(|error| error.bytes), Err(265_735));
        assert!(Parts::of(&[]).is_err());
    }

    #[test]
    fn what_is_missing_mixed_or_mistyped_is_named() {
        let (whole, other) = (parts(1_300, 0), parts(1_300, 1));
        let (texts, others): (Vec<_>, Vec<_>) = (whole.texts().collect(), other.texts().collect());
        let said = |texts: &[String]| Parts::from_texts(&texts.join("\n")).expect_err("not whole").to_string();
        assert_eq!(said(&[&texts[..2], &texts[3..]].concat()), "part 3 of 5 is missing");
        assert_eq!(said(&texts[3..4]), "parts 1, 2, 3, 5 of 5 are missing");
        let mixed = said(&[texts[0].clone(), others[1].clone()]);
        assert!(mixed.contains(whole.id()) && mixed.contains(other.id()), "{mixed}");
        let mut wrong = texts.clone();
        let letter = if &wrong[1][60..61] == "A" { "B" } else { "A" };
        wrong[1].replace_range(60..61, letter);
        assert!(said(&wrong).starts_with("text 2, part 2 of 5: the checksum"), "{}", said(&wrong));
        // The checksum covers the numbers.
        let renumbered = texts[0].replace(":1/5/", ":2/5/");
        assert!(said(&[renumbered]).contains("part 2 of 5: the checksum"));
        for head in ["0/5/", "6/5/", "01/5/", "1/1000/", "+1/5/", "1/", "/5/"] {
            assert_eq!(said(&[texts[0].replace("1/5/", head)]), PartsError::Part { at: 1 }.to_string(), "{head}");
        }
        assert!(matches!(Parts::from_texts("hello"), Err(PartsError::Start(MistypedText::Prefix { .. }))));
        assert!(matches!(Parts::from_texts("MERESTONE-TICKET:AA"), Err(PartsError::Start(MistypedText::Other { .. }))));
        assert_eq!(Parts::from_texts(&texts[0].repeat(2_100)), Err(PartsError::TooLong));
    }

    #[test]
    fn parts_that_somebody_changed_and_summed_again_are_not_the_charter() {
        let whole = parts(300, 0);
        let head = format!("2/2/{}/", whole.id());
        let forged = format!("MERESTONE-CHARTER:{head}{}", transfer::seal(&head, &[9; 34]));
        let texts: Vec<_> = whole.texts().collect();
        assert_eq!(Parts::from_texts(&format!("{}{forged}", texts[0])), Err(PartsError::Id));
        assert_eq!(Parts::from_texts(&(texts.concat() + &forged)), Err(PartsError::Differs { number: 2, count: 2 }));
        let short = format!("1/2/{}/", whole.id());
        let short = format!("MERESTONE-CHARTER:{short}{}", transfer::seal(&short, &[9; 265]));
        assert_eq!(Parts::from_texts(&short), Err(PartsError::Part { at: 1 }));
    }
}
