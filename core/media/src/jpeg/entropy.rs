//! Huffman codes and the bits they are read from (ITU-T T.81 Annexes C and F).

/// Codes of up to this many bits are found in one step; most are shorter.
const FAST_BITS: u32 = 9;

/// Where each coefficient, in the order it is coded, stands in a block of eight rows.
#[rustfmt::skip]
const ZIGZAG: [u8; 64] = [
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Coefficients of 8-bit pictures stay within ±1,024; beyond this bound, sums of them could overflow.
const COEFFICIENT_MAX: i32 = 4096;

/// A canonical Huffman table.
#[derive(Debug)]
pub(super) struct HuffmanTable {
    /// By the next [`FAST_BITS`] bits: length and symbol; length 0 means a longer code.
    fast: Vec<(u8, u8)>,
    /// By length: one more than the last code of that length, moved up to 16 bits.
    ends: [u32; 17],
    /// By length: what to add to a code to find its symbol.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl HuffmanTable {
    /// From the number of codes of each length 1 to 16, and their symbols in order.
    ///
    /// `None` if there are more codes than the lengths allow.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<HuffmanTable> {
        let mut table = HuffmanTable {
            fast: vec![(0, 0); 1 << FAST_BITS],
            ends: [0; 17],
            offsets: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut index) = (0_u32, 0_usize);
        for (length, count) in (1..).zip(counts) {
            table.offsets[length] = index as i32 - code as i32;
            for _ in 0..*count {
                let symbol = *symbols.get(index)?;
                if code >> length != 0 {
                    return None;
                }
                if length as u32 <= FAST_BITS {
                    let free = FAST_BITS - length as u32;
                    let from = (code << free) as usize;
                    table.fast[from..from + (1 << free)].fill((length as u8, symbol));
                }
                code += 1;
                index += 1;
            }
            table.ends[length] = code << (16 - length);
            code <<= 1;
        }
        Some(table)
    }
}

/// Entropy-coded data, bit by bit, up to the next marker.
#[derive(Debug)]
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    at: usize,
    /// The next bits, from the top; below `held` of them, zeros.
    bits: u64,
    held: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(data: &'a [u8]) -> BitReader<'a> {
        BitReader { data, at: 0, bits: 0, held: 0 }
    }

    /// Goes behind the next restart marker; `None` if another marker comes first.
    pub(super) fn restart(&mut self) -> Option<()> {
        (self.bits, self.held) = (0, 0);
        loop {
            match (self.data.get(self.at)?, self.data.get(self.at + 1)?) {
                (0xff, 0xd0..=0xd7) => {
                    self.at += 2;
                    return Some(());
                }
                (0xff, 0x00 | 0xff) => self.at += 1,
                (0xff, _) => return None,
                _ => self.at += 1,
            }
        }
    }

    /// Reads a block and multiplies it out, keeping the `scale` lowest frequencies each way.
    ///
    /// `None` if it is damaged or the data ends in it.
    pub(super) fn block(
        &mut self,
        dc_table: &HuffmanTable,
        ac_table: &HuffmanTable,
        quantizer: &[u16; 64],
        dc: &mut i32,
        scale: usize,
    ) -> Option<[i32; 16]> {
        let mut block = [0; 16];
        let multiplied = |value: i32, index: usize| {
            value.saturating_mul(quantizer[index].into()).clamp(-COEFFICIENT_MAX, COEFFICIENT_MAX)
        };
        let size = self.symbol(dc_table)?;
        if size > 11 {
            return None;
        }
        *dc = dc.saturating_add(self.signed(size.into())?);
        block[0] = multiplied(*dc, 0);
        let mut index = 1;
        while index < 64 {
            let symbol = self.symbol(ac_table)?;
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 {
                if run < 15 {
                    break;
                }
                index += 16;
                continue;
            }
            index += run;
            let value = self.signed(size)?;
            let natural = usize::from(*ZIGZAG.get(index)?);
            let (row, column) = (natural / 8, natural % 8);
            if row < scale && column < scale {
                block[row * 4 + column] = multiplied(value, index);
            }
            index += 1;
        }
        Some(block)
    }

    fn symbol(&mut self, table: &HuffmanTable) -> Option<u8> {
        self.fill();
        let (length, symbol) = table.fast[(self.bits >> (64 - FAST_BITS)) as usize];
        if length > 0 {
            self.consume(length.into())?;
            return Some(symbol);
        }
        let next = (self.bits >> 48) as u32;
        let length = (FAST_BITS as usize + 1..=16).find(|length| next < table.ends[*length])?;
        self.consume(length as u32)?;
        let index = (next >> (16 - length)) as i32 + table.offsets[length];
        table.symbols.get(usize::try_from(index).ok()?).copied()
    }

    /// A number of `size` bits (at most 15), where a leading zero means negative.
    fn signed(&mut self, size: u32) -> Option<i32> {
        if size == 0 {
            return Some(0);
        }
        self.fill();
        let value = (self.bits >> (64 - size)) as i32;
        self.consume(size)?;
        Some(if value < 1 << (size - 1) { value - (1 << size) + 1 } else { value })
    }

    fn consume(&mut self, count: u32) -> Option<()> {
        self.held = self.held.checked_sub(count)?;
        self.bits <<= count;
        Some(())
    }

    /// Takes in bytes while a whole one has room; stops in front of a marker.
    fn fill(&mut self) {
        while self.held <= 56 {
            let Some(&byte) = self.data.get(self.at) else {
                return;
            };
            if byte == 0xff {
                if self.data.get(self.at + 1) != Some(&0) {
                    return;
                }
                self.at += 1;
            }
            self.at += 1;
            self.bits |= u64::from(byte) << (56 - self.held);
            self.held += 8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_with_more_codes_than_bits_is_refused() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(HuffmanTable::new(&counts, &[1, 2, 3]).is_none());
        counts[0] = 2;
        assert!(HuffmanTable::new(&counts, &[1, 2]).is_some());
        assert!(HuffmanTable::new(&counts, &[1]).is_none());
    }

    #[test]
    fn short_and_long_codes_are_read_and_the_end_is_noticed() {
        // 0 is a code of one bit, 1111111111 of ten.
        let mut counts = [0; 16];
        (counts[0], counts[9]) = (1, 512);
        let mut counts_bytes = [0_u8; 16];
        (counts_bytes[0], counts_bytes[9]) = (1, 255);
        let symbols: Vec<u8> = (0..=255).collect();
        let table = HuffmanTable::new(&counts_bytes, &symbols).expect("room for 512");
        assert_eq!(counts[9], 512);
        // 0, then 1000000000, then 1000000001, then padding.
        let data = [0b0100_0000, 0b0001_0000, 0b0000_1111];
        let mut bits = BitReader::new(&data);
        assert_eq!(bits.symbol(&table), Some(0));
        assert_eq!(bits.symbol(&table), Some(1));
        assert_eq!(bits.symbol(&table), Some(2));
        assert_eq!(bits.symbol(&table), None);
    }

    #[test]
    fn stuffed_bytes_are_data_and_markers_end_it() {
        let mut bits = BitReader::new(&[0xff, 0x00, 0xff, 0xd9, 0x12]);
        assert_eq!(bits.signed(8), Some(255));
        assert_eq!(bits.signed(1), None);
    }

    #[test]
    fn only_a_restart_marker_restarts() {
        let mut bits = BitReader::new(&[0x12, 0xff, 0x00, 0xff, 0xd3, 0xc0]);
        assert_eq!(bits.restart(), Some(()));
        assert_eq!(bits.signed(2), Some(3));
        assert_eq!(BitReader::new(&[0xff, 0xd9, 0xff, 0xd0]).restart(), None);
        assert_eq!(BitReader::new(&[0x12]).restart(), None);
    }
}
