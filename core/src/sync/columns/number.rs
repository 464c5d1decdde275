//! Numbers of any length in columns (LEB128, as in a change), and the reading of a column.

use crate::check::Refused;
use crate::sync::wire::refused;

pub(super) fn write(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A number and its sign: small ones of either sign are short.
pub(super) fn write_signed(out: &mut Vec<u8>, value: i64) {
    write(out, (value << 1 ^ value >> 63) as u64);
}

/// A column being read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Column<'a>(pub(super) &'a [u8]);

impl<'a> Column<'a> {
    pub(super) fn number(&mut self) -> Result<u64, Refused> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.take(1)? else { break };
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(refused("number"))
    }

    pub(super) fn signed(&mut self) -> Result<i64, Refused> {
        self.number().map(|value| (value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Refused> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(refused("column"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Refused> {
        self.take(N)?.try_into().map_err(|_| refused("column"))
    }

    /// A count of things that the receiver makes room for.
    pub(super) fn count(&mut self, most: usize) -> Result<usize, Refused> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= most).ok_or(refused("count"))
    }

    pub(super) fn finish(self) -> Result<(), Refused> {
        if self.0.is_empty() { Ok(()) } else { Err(refused("column")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_and_longer_ones_are_refused() {
        for value in [0, 1, 127, 128, 1 << 20, u64::MAX] {
            let mut out = Vec::new();
            write(&mut out, value);
            write_signed(&mut out, value as i64);
            write_signed(&mut out, (value as i64).wrapping_neg());
            let mut column = Column(&out);
            assert_eq!(column.number(), Ok(value));
            assert_eq!(column.signed(), Ok(value as i64));
            assert_eq!(column.signed(), Ok((value as i64).wrapping_neg()));
            assert_eq!(column.finish(), Ok(()));
        }
        for bad in [&[][..], &[0x80], &[0xff; 10], &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2]] {
            assert!(Column(bad).number().is_err(), "{bad:x?}");
        }
    }
}
