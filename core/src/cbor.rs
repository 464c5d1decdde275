//! Deterministic CBOR (RFC 8949 §4.2.1, narrowed by `spec/entry.md`): one way to write each item, and a reader that refuses every other.
//!
//! The reader never allocates from a length it was told; it hands out slices of its input.

use crate::check::{Check, Full, Policy, Refused};
use crate::text;

/// Nesting beyond this is refused; a disclosed cell of the largest repeat needs all of it, other formats 6.
pub const DEPTH_MAX: u32 = 16;

/// Writes deterministic CBOR. The caller writes map keys in ascending order; debug builds check it by reading back in tests.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty writer with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes) }
    }

    /// The bytes written.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// The bytes written so far.
    pub fn written(&self) -> &[u8] {
        &self.out
    }

    fn head(&mut self, major: u8, argument: u64) -> &mut Self {
        let major = major << 5;
        match argument {
            0..=23 => self.out.push(major | argument as u8),
            24..=0xff => self.out.extend([major | 24, argument as u8]),
            0x100..=0xffff => {
                self.out.push(major | 25);
                self.out.extend((argument as u16).to_be_bytes());
            }
            0x1_0000..=0xffff_ffff => {
                self.out.push(major | 26);
                self.out.extend((argument as u32).to_be_bytes());
            }
            _ => {
                self.out.push(major | 27);
                self.out.extend(argument.to_be_bytes());
            }
        }
        self
    }

    /// An unsigned integer; also a map key.
    pub fn uint(&mut self, value: u64) -> &mut Self {
        self.head(0, value)
    }

    /// A signed integer.
    pub fn int(&mut self, value: i64) -> &mut Self {
        if value < 0 { self.head(1, !(value as u64)) } else { self.head(0, value as u64) }
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.head(2, value.len() as u64);
        self.out.extend_from_slice(value);
        self
    }

    /// A text string. The caller has checked it; see [`text::check`].
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.head(3, value.len() as u64);
        self.out.extend_from_slice(value.as_bytes());
        self
    }

    /// The head of an array of `len` items, which follow.
    pub fn array(&mut self, len: usize) -> &mut Self {
        self.head(4, len as u64)
    }

    /// The head of a map of `len` pairs, which follow.
    pub fn map(&mut self, len: usize) -> &mut Self {
        self.head(5, len as u64)
    }

    /// `false` or `true`.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.out.push(if value { 0xf5 } else { 0xf4 });
        self
    }

    /// `null`.
    pub fn null(&mut self) -> &mut Self {
        self.out.push(0xf6);
        self
    }

    /// An item that is already encoded.
    pub fn raw(&mut self, encoded: &[u8]) -> &mut Self {
        self.out.extend_from_slice(encoded);
        self
    }
}

/// What kind of item comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A non-negative integer.
    Uint,
    /// A negative integer.
    Nint,
    /// A byte string.
    Bytes,
    /// A text string.
    Text,
    /// An array.
    Array,
    /// A map.
    Map,
    /// `false` or `true`.
    Bool,
    /// `null`.
    Null,
}

/// Reads deterministic CBOR strictly.
///
/// Every method names the part it expects in `what`, so that a refusal says where.
#[derive(Clone, Debug)]
pub struct Reader<'a, P = Full> {
    input: &'a [u8],
    at: usize,
    depth: u32,
    policy: P,
}

impl<'a> Reader<'a, Full> {
    /// A reader that makes every check.
    pub fn new(input: &'a [u8]) -> Self {
        Self::with(input, Full)
    }
}

impl<'a, P: Policy> Reader<'a, P> {
    /// A reader under `policy`.
    pub fn with(input: &'a [u8], policy: P) -> Self {
        Self { input, at: 0, depth: 0, policy }
    }

    /// The policy this reader works under.
    pub fn policy(&self) -> P {
        self.policy
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The bytes read since `start`, a former [`position`](Self::position).
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.input[start..self.at]
    }

    /// Ends the item.
    ///
    /// # Errors
    /// `cbor-trailing` if bytes are left.
    pub fn finish(self, what: &'static str) -> Result<(), Refused> {
        self.policy.require(self.at == self.input.len(), Check::CborTrailing, what)
    }

    /// Whether all bytes have been read, for CBOR sequences (RFC 8742).
    pub fn is_at_end(&self) -> bool {
        self.at == self.input.len()
    }

    /// The kind of the next item.
    ///
    /// # Errors
    /// If there is none, or it is of a kind that is never allowed.
    pub fn peek(&self, what: &'static str) -> Result<Kind, Refused> {
        let first = *self.input.get(self.at).ok_or(Refused { check: Check::CborMalformed, what })?;
        match (first >> 5, first & 31) {
            (0, _) => Ok(Kind::Uint),
            (1, _) => Ok(Kind::Nint),
            (2, _) => Ok(Kind::Bytes),
            (3, _) => Ok(Kind::Text),
            (4, _) => Ok(Kind::Array),
            (5, _) => Ok(Kind::Map),
            (6, _) => Err(Refused { check: Check::CborTag, what }),
            (_, 20 | 21) => Ok(Kind::Bool),
            (_, 22) => Ok(Kind::Null),
            (_, 25..=27) => Err(Refused { check: Check::CborFloat, what }),
            (_, 31) => Err(Refused { check: Check::CborIndefinite, what }),
            (_, 28..=30) => Err(Refused { check: Check::CborMalformed, what }),
            _ => Err(Refused { check: Check::CborSimple, what }),
        }
    }

    /// An unsigned integer.
    ///
    /// # Errors
    /// If the next item is no unsigned integer in its only form.
    pub fn uint(&mut self, what: &'static str) -> Result<u64, Refused> {
        self.expect(Kind::Uint, what)?;
        self.argument(what)
    }

    /// A signed integer that fits 64 bits.
    ///
    /// # Errors
    /// If the next item is no integer, or does not fit.
    pub fn int(&mut self, what: &'static str) -> Result<i64, Refused> {
        let negative = match self.peek(what)? {
            Kind::Uint => false,
            Kind::Nint => true,
            _ => return Err(Refused { check: Check::Shape, what }),
        };
        let argument = self.argument(what)?;
        let value = i64::try_from(argument).map_err(|_| Refused { check: Check::Shape, what })?;
        Ok(if negative { !value } else { value })
    }

    /// A byte string.
    ///
    /// # Errors
    /// If the next item is no byte string.
    pub fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], Refused> {
        self.expect(Kind::Bytes, what)?;
        self.string(what)
    }

    /// A byte string of exactly `N` bytes.
    ///
    /// # Errors
    /// If the next item is no such byte string.
    pub fn array_of<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Refused> {
        self.bytes(what)?.try_into().map_err(|_| Refused { check: Check::Shape, what })
    }

    /// A text on one line, of at most `bytes_max` bytes.
    ///
    /// # Errors
    /// If the next item is no text, too long, or not as the spec wants text.
    pub fn text(&mut self, bytes_max: usize, what: &'static str) -> Result<&'a str, Refused> {
        self.text_of(bytes_max, text::Lines::One, what)
    }

    /// A text that may hold line feeds, of at most `bytes_max` bytes.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    pub fn note(&mut self, bytes_max: usize, what: &'static str) -> Result<&'a str, Refused> {
        self.text_of(bytes_max, text::Lines::Many, what)
    }

    fn text_of(&mut self, bytes_max: usize, lines: text::Lines, what: &'static str) -> Result<&'a str, Refused> {
        self.expect(Kind::Text, what)?;
        let bytes = self.string(what)?;
        self.policy.require(bytes.len() <= bytes_max, Check::SizeLimit, what)?;
        let text = std::str::from_utf8(bytes).map_err(|_| Refused { check: Check::TextUtf8, what })?;
        text::check_under(text, lines, self.policy, what)?;
        Ok(text)
    }

    /// `false` or `true`.
    ///
    /// # Errors
    /// If the next item is neither.
    pub fn bool(&mut self, what: &'static str) -> Result<bool, Refused> {
        self.expect(Kind::Bool, what)?;
        self.at += 1;
        Ok(self.input[self.at - 1] == 0xf5)
    }

    /// `null`.
    ///
    /// # Errors
    /// If the next item is another.
    pub fn null(&mut self, what: &'static str) -> Result<(), Refused> {
        self.expect(Kind::Null, what)?;
        self.at += 1;
        Ok(())
    }

    /// Enters an array and gives its length, at most `len_max`. Call [`leave`](Self::leave) after its items.
    ///
    /// # Errors
    /// If the next item is no array, too long or too deep.
    pub fn array(&mut self, len_max: usize, what: &'static str) -> Result<usize, Refused> {
        self.expect(Kind::Array, what)?;
        self.container(len_max, 1, what)
    }

    /// Enters an array of exactly `len` items.
    ///
    /// # Errors
    /// If the next item is no such array.
    pub fn array_exact(&mut self, len: usize, what: &'static str) -> Result<(), Refused> {
        self.expect(Kind::Array, what)?;
        if self.container(usize::MAX, 1, what)? == len { Ok(()) } else { Err(Refused { check: Check::Shape, what }) }
    }

    /// Enters a map; read its pairs with [`Fields`].
    ///
    /// # Errors
    /// If the next item is no map, or too deep.
    pub fn map(&mut self, what: &'static str) -> Result<Fields, Refused> {
        self.expect(Kind::Map, what)?;
        let left = self.container(usize::MAX, 2, what)?;
        Ok(Fields { left, last: None, what })
    }

    /// Leaves an array after its last item.
    pub fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Reads one item of any allowed kind, checking it through, and gives its bytes.
    ///
    /// # Errors
    /// If anything in it is not deterministic CBOR.
    pub fn skip(&mut self, what: &'static str) -> Result<&'a [u8], Refused> {
        let start = self.at;
        match self.peek(what)? {
            Kind::Uint | Kind::Nint => {
                self.argument(what)?;
            }
            Kind::Bytes => {
                self.string(what)?;
            }
            Kind::Text => {
                self.note(usize::MAX, what)?;
            }
            Kind::Bool | Kind::Null => self.at += 1,
            Kind::Array => {
                for _ in 0..self.array(usize::MAX, what)? {
                    self.skip(what)?;
                }
                self.leave();
            }
            Kind::Map => {
                let mut fields = self.map(what)?;
                while fields.next(self)?.is_some() {
                    self.skip(what)?;
                }
            }
        }
        Ok(self.since(start))
    }

    fn expect(&self, kind: Kind, what: &'static str) -> Result<(), Refused> {
        if self.peek(what)? == kind { Ok(()) } else { Err(Refused { check: Check::Shape, what }) }
    }

    fn container(&mut self, len_max: usize, items_each: usize, what: &'static str) -> Result<usize, Refused> {
        self.depth += 1;
        // Never switched off beyond twice the limit: recursion must stay bounded under any policy.
        if self.depth > 2 * DEPTH_MAX {
            return Err(Refused { check: Check::CborDepth, what });
        }
        self.policy.require(self.depth <= DEPTH_MAX, Check::CborDepth, what)?;
        let len = usize::try_from(self.argument(what)?).map_err(|_| Refused { check: Check::CborMalformed, what })?;
        // Each item takes at least one byte, so a length beyond the input is a lie told to make us allocate.
        if len.saturating_mul(items_each) > self.input.len() - self.at {
            return Err(Refused { check: Check::CborMalformed, what });
        }
        self.policy.require(len <= len_max, Check::SizeLimit, what)?;
        Ok(len)
    }

    fn string(&mut self, what: &'static str) -> Result<&'a [u8], Refused> {
        let len = usize::try_from(self.argument(what)?).map_err(|_| Refused { check: Check::CborMalformed, what })?;
        let end = self.at.checked_add(len).filter(|&end| end <= self.input.len());
        let end = end.ok_or(Refused { check: Check::CborMalformed, what })?;
        let bytes = &self.input[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    fn argument(&mut self, what: &'static str) -> Result<u64, Refused> {
        let malformed = Refused { check: Check::CborMalformed, what };
        let first = *self.input.get(self.at).ok_or(malformed)?;
        self.at += 1;
        let (len, least) = match first & 31 {
            small @ 0..=23 => return Ok(u64::from(small)),
            24 => (1, 24),
            25 => (2, 0x100),
            26 => (4, 0x1_0000),
            27 => (8, 0x1_0000_0000),
            31 => return Err(Refused { check: Check::CborIndefinite, what }),
            _ => return Err(malformed),
        };
        let bytes = self.input.get(self.at..self.at + len).ok_or(malformed)?;
        self.at += len;
        let value = bytes.iter().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
        self.policy.require(value >= least, Check::CborNonMinimal, what)?;
        Ok(value)
    }
}

/// The pairs of a map being read, in ascending order of their integer keys.
#[derive(Debug)]
pub struct Fields {
    left: usize,
    last: Option<i64>,
    what: &'static str,
}

impl Fields {
    /// The next key, or `None` after the last pair (which also leaves the map). The caller reads the value.
    ///
    /// # Errors
    /// If the key is no integer, repeated or out of order.
    pub fn next<P: Policy>(&mut self, reader: &mut Reader<'_, P>) -> Result<Option<i64>, Refused> {
        if self.left == 0 {
            reader.leave();
            return Ok(None);
        }
        self.left -= 1;
        let key = reader.int(self.what)?;
        if let Some(last) = self.last {
            reader.policy.require(key != last, Check::CborDuplicateKey, self.what)?;
            reader.policy.require(order(last) <= order(key), Check::CborKeyOrder, self.what)?;
        }
        self.last = Some(key);
        Ok(Some(key))
    }
}

/// Bytewise order of encoded integers: all non-negative ones first, each sign by magnitude.
fn order(key: i64) -> (bool, u64) {
    if key < 0 { (true, !(key as u64)) } else { (false, key as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex in a test")).collect()
    }

    #[test]
    fn every_deviation_from_the_one_form_is_refused_by_name() {
        let rows: &[(&str, Option<Check>)] = &[
            ("a201020304", None),
            ("83f4f5f6", None),
            ("1817", Some(Check::CborNonMinimal)),
            ("190017", Some(Check::CborNonMinimal)),
            ("1b00000000ffffffff", Some(Check::CborNonMinimal)),
            ("9f01ff", Some(Check::CborIndefinite)),
            ("5f4101ff", Some(Check::CborIndefinite)),
            ("f97e00", Some(Check::CborFloat)),
            ("c101", Some(Check::CborTag)),
            ("f7", Some(Check::CborSimple)),
            ("f820", Some(Check::CborSimple)),
            ("a203040102", Some(Check::CborKeyOrder)),
            ("a220010102", Some(Check::CborKeyOrder)),
            ("a201020103", Some(Check::CborDuplicateKey)),
            ("a1616102", Some(Check::Shape)),
            ("0101", Some(Check::CborTrailing)),
            ("4301", Some(Check::CborMalformed)),
            ("9bffffffffffffffff", Some(Check::CborMalformed)),
            ("1c", Some(Check::CborMalformed)),
            ("61ff", Some(Check::TextUtf8)),
            ("6365cc81", Some(Check::TextNotNfc)),
            ("63e280ae", Some(Check::TextForbidden)),
            ("818181818181818181818181818181818101", Some(Check::CborDepth)),
        ];
        for (input, wanted) in rows {
            let bytes = hex(input);
            let mut reader = Reader::new(&bytes);
            let result = reader.skip("item").map(|_| ()).and_then(|()| reader.finish("item"));
            assert_eq!(result.err().map(|refused| refused.check), *wanted, "{input}");
        }
    }

    #[test]
    fn what_the_writer_writes_the_reader_reads() {
        let mut writer = Writer::new();
        writer.map(3).uint(1).int(-500).uint(300).bytes(b"abc").uint(70_000).array(2).text("Ягодин").null();
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes);
        let mut fields = reader.map("map").expect("a map");
        assert_eq!(fields.next(&mut reader), Ok(Some(1)));
        assert_eq!(reader.int("one"), Ok(-500));
        assert_eq!(fields.next(&mut reader), Ok(Some(300)));
        assert_eq!(reader.array_of::<3>("three"), Ok(*b"abc"));
        assert_eq!(fields.next(&mut reader), Ok(Some(70_000)));
        reader.array_exact(2, "two").expect("an array of two");
        assert_eq!(reader.text(64, "text"), Ok("Ягодин"));
        reader.null("null").expect("null");
        reader.leave();
        assert_eq!(fields.next(&mut reader), Ok(None));
        assert_eq!(reader.finish("map"), Ok(()));
    }
}
