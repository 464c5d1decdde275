//! Numbers and columns of the Automerge format, read within bounds.
//!
//! A run of a few bytes may claim a billion rows, so every reader here is told beforehand how many rows there may be.

use crate::check::{Check, Policy, Refused};

pub(super) fn malformed(what: &'static str) -> Refused {
    Refused { check: Check::ChangeMalformed, what }
}

/// A position in bytes.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a, P> {
    rest: &'a [u8],
    policy: P,
}

impl<'a, P: Policy> Cursor<'a, P> {
    pub(super) fn new(input: &'a [u8], policy: P) -> Self {
        Self { rest: input, policy }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn take(&mut self, len: u64, what: &'static str) -> Result<&'a [u8], Refused> {
        let len = usize::try_from(len).map_err(|_| malformed(what))?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(malformed(what))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Refused> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(malformed(what))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Bytes behind their own length.
    pub(super) fn prefixed(&mut self, what: &'static str) -> Result<&'a [u8], Refused> {
        let len = self.unsigned(what)?;
        self.take(len, what)
    }

    /// An unsigned LEB128 number of at most 64 bits, in its shortest form.
    pub(super) fn unsigned(&mut self, what: &'static str) -> Result<u64, Refused> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array(what)?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                self.policy.require(byte != 0 || shift == 0, Check::ChangeMalformed, what)?;
                return Ok(value);
            }
        }
        Err(malformed(what))
    }

    /// A signed LEB128 number of at most 64 bits, in its shortest form.
    pub(super) fn signed(&mut self, what: &'static str) -> Result<i64, Refused> {
        let mut value = 0;
        let mut before = None;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array(what)?;
            if shift == 63 && byte != 0 && byte != 0x7f {
                break;
            }
            value |= i64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                let needless = match before {
                    None => false,
                    Some(before) if before & 0x40 == 0 => byte == 0,
                    Some(_) => byte == 0x7f,
                };
                self.policy.require(!needless, Check::ChangeMalformed, what)?;
                if byte & 0x40 != 0 && shift < 57 {
                    value |= -1 << (shift + 7);
                }
                return Ok(value);
            }
            before = Some(byte);
        }
        Err(malformed(what))
    }
}

/// How many rows a column may have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rows {
    /// Exactly so many, else the column is malformed.
    Exactly(usize),
    /// At most so many, else the change is too large.
    AtMost(usize),
}

/// Reads a run-length column; `read` reads one value, `row` gets each row, null or not.
pub(super) fn runs<'a, P: Policy, T: Copy>(
    column: &'a [u8],
    rows: Rows,
    policy: P,
    what: &'static str,
    read: impl Fn(&mut Cursor<'a, P>) -> Result<T, Refused>,
    mut row: impl FnMut(Option<T>) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let (Rows::Exactly(limit) | Rows::AtMost(limit)) = rows;
    let too_many = match rows {
        Rows::Exactly(_) => malformed(what),
        Rows::AtMost(_) => Refused { check: Check::ChangeSize, what },
    };
    let mut left = limit;
    let mut cursor = Cursor::new(column, policy);
    let mut take_rows = |count: u64| {
        let count = usize::try_from(count).ok().filter(|&count| count <= left).ok_or(too_many)?;
        left -= count;
        Ok(count)
    };
    while !cursor.is_at_end() {
        match cursor.signed(what)? {
            0 => {
                let count = cursor.unsigned(what)?;
                policy.require(count > 0, Check::ChangeMalformed, what)?;
                for _ in 0..take_rows(count)? {
                    row(None)?;
                }
            }
            count @ 1.. => {
                let count = take_rows(count.unsigned_abs())?;
                let value = read(&mut cursor)?;
                for _ in 0..count {
                    row(Some(value))?;
                }
            }
            count => {
                for _ in 0..take_rows(count.unsigned_abs())? {
                    row(Some(read(&mut cursor)?))?;
                }
            }
        }
    }
    match rows {
        Rows::Exactly(_) if left > 0 => Err(malformed(what)),
        Rows::Exactly(_) | Rows::AtMost(_) => Ok(()),
    }
}

/// Reads a column of booleans with exactly `rows` rows; whether any is true.
pub(super) fn any_true<P: Policy>(column: &[u8], rows: usize, policy: P, what: &'static str) -> Result<bool, Refused> {
    let mut cursor = Cursor::new(column, policy);
    let (mut left, mut value, mut any) = (rows, false, false);
    while !cursor.is_at_end() {
        let count = usize::try_from(cursor.unsigned(what)?).ok().filter(|&count| count <= left);
        let count = count.ok_or(malformed(what))?;
        left -= count;
        any |= value && count > 0;
        value = !value;
    }
    if left == 0 { Ok(any) } else { Err(malformed(what)) }
}
