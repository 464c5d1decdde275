//! What people carry as text, to scan, paste or type: requests and certificates (`spec/roster.md`, Enrolment request),
//! tickets (`spec/ticket.md`), and the parts of a charter (`spec/roster.md`, Charter as text). What the bytes mean is
//! none of its affair.

use data_encoding::BASE32_NOPAD;

use crate::id::sha256;

/// Longest text, in characters: one QR code of version 25 or so, which a cheap phone still reads.
pub const TRANSFER_CHARS_MAX: usize = 1_200;

const CHECKSUM_BYTES: usize = 4;

/// What a text carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// An enrolment request.
    Request,
    /// A certificate.
    Certificate,
    /// A ticket.
    Ticket,
    /// A part of a charter, or of a proposed amendment.
    Charter,
}

impl Carried {
    const ALL: [Self; 4] = [Self::Request, Self::Certificate, Self::Ticket, Self::Charter];

    /// What the text begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Carried::Request => "MERESTONE-REQUEST:",
            Carried::Certificate => "MERESTONE-CERTIFICATE:",
            Carried::Ticket => "MERESTONE-TICKET:",
            Carried::Charter => "MERESTONE-CHARTER:",
        }
    }
}

/// Why a text is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MistypedText {
    /// It begins with no prefix of ours.
    #[error("the text does not begin with {}", wanted.prefix())]
    Prefix {
        /// What was asked for.
        wanted: Carried,
    },
    /// It is something else of ours.
    #[error("the text begins with {} where {} belongs", found.prefix(), wanted.prefix())]
    Other {
        /// What was asked for.
        wanted: Carried,
        /// What it is.
        found: Carried,
    },
    /// A character outside A to Z and 2 to 7.
    #[error("character {position} cannot occur in it")]
    Character {
        /// Which one, from 1, white space not counted.
        position: usize,
    },
    /// More than 1,200 characters.
    #[error("the text is longer than {TRANSFER_CHARS_MAX} characters")]
    TooLong,
    /// Something is missing or mistyped.
    #[error("the checksum does not match: something is missing or mistyped")]
    Checksum,
}

/// `bytes` as text.
pub(crate) fn encode(carried: Carried, bytes: &[u8]) -> String {
    format!("{}{}", carried.prefix(), seal("", bytes))
}

/// The bytes in `text`. White space and lower case, which messengers and people add, are allowed.
pub(crate) fn decode(wanted: Carried, text: &str) -> Result<Vec<u8>, MistypedText> {
    let plain = plain(text, TRANSFER_CHARS_MAX).ok_or(MistypedText::TooLong)?;
    open("", after_prefix(wanted, &plain)?, wanted.prefix().len())
}

/// `bytes` and a checksum over `head` and them, in letters and digits.
pub(crate) fn seal(head: &str, bytes: &[u8]) -> String {
    let mut with_sum = bytes.to_vec();
    with_sum.extend(&sha256(&[head.as_bytes(), bytes])[..CHECKSUM_BYTES]);
    BASE32_NOPAD.encode(&with_sum)
}

/// The bytes that were sealed under `head`; `before` is how many characters stand in front of `coded`.
pub(crate) fn open(head: &str, coded: &str, before: usize) -> Result<Vec<u8>, MistypedText> {
    if let Some(at) = coded.chars().position(|c| !matches!(c, 'A'..='Z' | '2'..='7')) {
        return Err(MistypedText::Character { position: before + at + 1 });
    }
    let bytes = BASE32_NOPAD.decode(coded.as_bytes()).map_err(|_| MistypedText::Checksum)?;
    let (content, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(MistypedText::Checksum)?;
    if sha256(&[head.as_bytes(), content])[..CHECKSUM_BYTES] != *sum {
        return Err(MistypedText::Checksum);
    }
    Ok(content.to_vec())
}

/// `text` in capitals and without white space; `None` if more than `chars_max` characters are left.
pub(crate) fn plain(text: &str, chars_max: usize) -> Option<String> {
    let mut plain = String::with_capacity(text.len().min(chars_max));
    for (count, c) in text.chars().filter(|c| !c.is_whitespace()).enumerate() {
        if count == chars_max {
            return None;
        }
        plain.push(c.to_ascii_uppercase());
    }
    Some(plain)
}

/// What follows the prefix in a plain text.
pub(crate) fn after_prefix(wanted: Carried, plain: &str) -> Result<&str, MistypedText> {
    plain.strip_prefix(wanted.prefix()).ok_or_else(|| {
        match Carried::ALL.into_iter().find(|carried| plain.starts_with(carried.prefix())) {
            Some(found) => MistypedText::Other { wanted, found },
            None => MistypedText::Prefix { wanted },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_reads_back_however_it_was_copied() {
        let bytes = (0..200).collect::<Vec<u8>>();
        let text = encode(Carried::Request, &bytes);
        let broken = text.as_bytes().chunks(60).map(|line| String::from_utf8_lossy(line) + " \r\n").collect::<String>();
        for text in [text.clone(), text.to_lowercase(), broken] {
            assert_eq!(decode(Carried::Request, &text), Ok(bytes.clone()));
        }
        let is_qr_alphanumeric = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || " $%*+-./:".contains(c);
        assert!(text.chars().all(is_qr_alphanumeric));
    }

    #[test]
    fn a_mistyped_text_says_what_is_wrong() {
        let text = encode(Carried::Request, &[7; 20]);
        let certificate = encode(Carried::Certificate, &[7; 20]);
        let (wanted, found) = (Carried::Request, Carried::Certificate);
        let mut wrong = text.clone().into_bytes();
        wrong[25] = if wrong[25] == b'A' { b'B' } else { b'A' };
        let wrong = String::from_utf8(wrong).expect("ASCII");
        let mut one = text.clone();
        one.replace_range(19..20, "1");
        let rows = [
            ("another kind", certificate, MistypedText::Other { wanted, found }),
            ("another text", "hello".into(), MistypedText::Prefix { wanted }),
            ("nothing", String::new(), MistypedText::Prefix { wanted }),
            ("1 for I", one, MistypedText::Character { position: 20 }),
            ("one letter", wrong, MistypedText::Checksum),
            ("end missing", text[..text.len() - 1].into(), MistypedText::Checksum),
            ("prefix only", "MERESTONE-REQUEST:".into(), MistypedText::Checksum),
            ("without end", text.repeat(40), MistypedText::TooLong),
        ];
        for (name, text, wanted_error) in rows {
            assert_eq!(decode(Carried::Request, &text), Err(wanted_error), "{name}");
        }
    }
}
