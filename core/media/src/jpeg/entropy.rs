//! Huffman codes and the bits they are read from (ITU-T T.81 Annexes C and F).

/// Codes of up to this many bits are found in one step; most are shorter.
const FAST_BITS: u32 = 9;

/// What fits into this many bits is passed over in one step, several coefficients at once.
const SKIP_BITS: u32 = 12;

/// The longest code and the longest value.
const CODED_BITS_MAX: u32 = 16 + 15;

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
    /// By the next [`FAST_BITS`] bits; a length of 0 means a longer code.
    fast: Vec<Code>,
    /// By length: one more than the last code of that length, moved up to 16 bits.
    ends: [u32; 17],
    /// By length: what to add to a code to find its symbol.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

/// A code, as it is found by its first bits.
#[derive(Debug, Clone, Copy, Default)]
struct Code {
    /// In bits.
    length: u8,
    /// In bits, with the value behind it: the next code is found by nothing else.
    with_value: u8,
    /// Zeros in front of the value, and its bits.
    symbol: u8,
}

impl Code {
    const fn new(length: u8, symbol: u8) -> Code {
        Code { length, with_value: length + (symbol & 15), symbol }
    }
}

impl HuffmanTable {
    /// From the number of codes of each length 1 to 16, and their symbols in order.
    ///
    /// `None` if there are more codes than the lengths allow.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<HuffmanTable> {
        let mut table = HuffmanTable {
            fast: vec![Code::default(); 1 << FAST_BITS],
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
                    table.fast[from..from + (1 << free)].fill(Code::new(length as u8, symbol));
                }
                code += 1;
                index += 1;
            }
            table.ends[length] = code << (16 - length);
            code <<= 1;
        }
        Some(table)
    }

    /// A code of more than [`FAST_BITS`] bits, by the next 16.
    #[cold]
    #[inline(never)]
    fn long_code(&self, next: u32) -> Option<Code> {
        let length = (FAST_BITS as usize + 1..=16).find(|length| next < self.ends[*length])?;
        let index = (next >> (16 - length)) as i32 + self.offsets[length];
        let symbol = self.symbols.get(usize::try_from(index).ok()?)?;
        Some(Code::new(length as u8, *symbol))
    }
}

/// A table for the coefficients behind the first.
#[derive(Debug)]
pub(super) struct CoefficientTable {
    codes: HuffmanTable,
    /// By the next [`SKIP_BITS`] bits.
    skips: Vec<Skip>,
}

/// Coefficients that nobody wants, as many as are whole within the bits looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Skip {
    /// With the zeros in front of each.
    coefficients: u8,
    /// 0 if already the first is longer.
    bits: u8,
    /// The block ends behind them.
    ends: bool,
}

/// A code and the value behind it.
struct Coded {
    /// Zeros in front of the value; 15 without a value are 16 of them, fewer without one end the block.
    run: usize,
    value: i32,
}

impl CoefficientTable {
    pub(super) fn new(codes: HuffmanTable) -> CoefficientTable {
        let skips = (0..1 << SKIP_BITS).map(|bits| Skip::of(&codes, bits)).collect();
        CoefficientTable { codes, skips }
    }
}

impl Skip {
    /// What `bits`, the next [`SKIP_BITS`], begin with.
    fn of(codes: &HuffmanTable, bits: u64) -> Skip {
        let mut skip = Skip::default();
        let mut window = BitReader { data: &[], at: 0, bits: bits << (64 - SKIP_BITS), held: SKIP_BITS };
        while !skip.ends {
            let Some(coded) = window.coded(codes) else { break };
            match coded {
                Coded { run: 0..15, value: 0 } => skip.ends = true,
                Coded { run, .. } => skip.coefficients += run as u8 + 1,
            }
            skip.bits = (SKIP_BITS - window.held) as u8;
        }
        skip
    }
}

/// Which coefficients of a block are kept, and what they are multiplied with.
#[derive(Debug)]
pub(super) struct Sieve {
    /// By the order in which they are coded: the place among the sixteen.
    places: [u8; 64],
    /// The last one, in that order, that is kept.
    last: usize,
    /// By the same order; 0 for those that are dropped.
    factors: [i32; 64],
}

impl Sieve {
    /// Keeps the `scale` lowest frequencies each way.
    pub(super) fn new(quantizer: &[u16; 64], scale: usize) -> Sieve {
        let mut sieve = Sieve { places: [0; 64], last: 0, factors: [0; 64] };
        for (index, natural) in ZIGZAG.iter().enumerate() {
            let (row, column) = (usize::from(natural / 8), usize::from(natural % 8));
            if row < scale && column < scale {
                sieve.places[index] = (row * 4 + column) as u8;
                sieve.factors[index] = quantizer[index].into();
                sieve.last = index;
            }
        }
        sieve
    }

    fn multiplied(&self, value: i32, index: usize) -> i32 {
        value.saturating_mul(self.factors[index]).clamp(-COEFFICIENT_MAX, COEFFICIENT_MAX)
    }
}

/// Entropy-coded data, bit by bit, up to the next marker.
#[derive(Debug, Clone, Copy)]
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

    /// Reads a block and multiplies out what the sieve keeps of it: rows of four.
    ///
    /// `None` if it is damaged or the data ends in it.
    #[inline(never)]
    pub(super) fn block(
        &mut self,
        means: &HuffmanTable,
        table: &CoefficientTable,
        sieve: &Sieve,
        mean: &mut i32,
    ) -> Option<[i32; 16]> {
        // A copy stays in registers.
        let mut bits = *self;
        let Coded { run: 0, value } = bits.coded(means)? else { return None };
        *mean = mean.saturating_add(value);
        let mut block = [0; 16];
        block[0] = sieve.multiplied(*mean, 0);
        let mut index = 1;
        while index <= sieve.last {
            let coded = bits.coded(&table.codes)?;
            index += coded.run;
            if coded.value == 0 && coded.run < 15 {
                index = 64;
                break;
            }
            // What is dropped is multiplied with 0: that is cheaper than to ask.
            let place = *sieve.places.get(index)?;
            block[usize::from(place) & 15] += sieve.multiplied(coded.value, index);
            index += 1;
        }
        bits.skip_block(table, index)?;
        *self = bits;
        Some(block)
    }

    /// Passes over what is left of a block whose next coefficient is `index`.
    fn skip_block(&mut self, table: &CoefficientTable, mut index: usize) -> Option<()> {
        while index < 64 {
            self.fill();
            let skip = table.skips[(self.bits >> (64 - SKIP_BITS)) as usize];
            let behind = index + usize::from(skip.coefficients);
            // Bits behind the 64th coefficient belong to the next block.
            if skip.bits > 0 && behind < 64 {
                self.consume(skip.bits.into())?;
                index = if skip.ends { 64 } else { behind };
                continue;
            }
            let coded = self.coded(&table.codes)?;
            index += coded.run + 1;
            if coded.value == 0 && coded.run < 15 {
                return Some(());
            }
        }
        (index == 64).then_some(())
    }

    /// The next code with its value.
    #[inline(always)]
    fn coded(&mut self, table: &HuffmanTable) -> Option<Coded> {
        self.fill();
        let mut code = table.fast[(self.bits >> (64 - FAST_BITS)) as usize];
        if code.length == 0 {
            code = table.long_code((self.bits >> 48) as u32)?;
        }
        let value = signed(self.bits << code.length, (code.symbol & 15).into());
        self.consume(code.with_value.into())?;
        Some(Coded { run: usize::from(code.symbol >> 4), value })
    }

    fn consume(&mut self, count: u32) -> Option<()> {
        self.held = self.held.checked_sub(count)?;
        self.bits <<= count;
        Some(())
    }

    /// Takes in bytes until a code and its value are there; stops in front of a marker.
    fn fill(&mut self) {
        if self.held > CODED_BITS_MAX {
            return;
        }
        if let Some(next) = self.data.get(self.at..).and_then(|rest| rest.first_chunk()) {
            let word = u64::from_be_bytes(*next);
            // None of the eight is 0xff: each byte of its complement would be zero.
            if (!word).wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 == 0 {
                let bytes = (64 - self.held) / 8;
                self.bits |= word >> self.held;
                self.held += 8 * bytes;
                self.at += bytes as usize;
                return;
            }
        }
        *self = self.filled_by_bytes();
    }

    /// By value, so that a copy in registers stays there.
    #[cold]
    #[inline(never)]
    fn filled_by_bytes(mut self) -> BitReader<'a> {
        while self.held <= 56 {
            let Some(&byte) = self.data.get(self.at) else { break };
            if byte == 0xff {
                if self.data.get(self.at + 1) != Some(&0) {
                    break;
                }
                self.at += 1;
            }
            self.at += 1;
            self.bits |= u64::from(byte) << (56 - self.held);
            self.held += 8;
        }
        self
    }
}

/// The number in the first `size` of `bits`, at most 15, where a leading zero means negative.
fn signed(bits: u64, size: u32) -> i32 {
    let value = (bits >> 1 >> (63 - size)) as i32;
    // All ones where it is negative: signs are as good as random, and a branch would be guessed wrong half of the time.
    let negative = !((bits as i64 >> 63) as i32);
    value + (negative & (1 - (1 << size)))
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
        // Runs of 0, 1, 2 and so on, without values.
        let symbols: Vec<u8> = (0..=255_u8).map(|index| index << 4).collect();
        let table = HuffmanTable::new(&counts_bytes, &symbols).expect("room for 512");
        assert_eq!(counts[9], 512);
        // 0, then 1000000000, then 1000000001, then padding.
        let data = [0b0100_0000, 0b0001_0000, 0b0000_1111];
        let mut bits = BitReader::new(&data);
        let run = |bits: &mut BitReader<'_>| bits.coded(&table).map(|coded| coded.run);
        assert_eq!(run(&mut bits), Some(0));
        assert_eq!(run(&mut bits), Some(1));
        assert_eq!(run(&mut bits), Some(2));
        assert_eq!(run(&mut bits), None);
    }

    #[test]
    fn stuffed_bytes_are_data_and_markers_end_it() {
        let mut bits = BitReader::new(&[0xff, 0x00, 0xff, 0xd9, 0x12]);
        bits.fill();
        assert_eq!(signed(bits.bits, 8), 255);
        assert_eq!(bits.consume(8), Some(()));
        bits.fill();
        assert_eq!(bits.consume(1), None);
    }

    #[test]
    fn numbers_are_read_as_they_are_coded() {
        for (bits, size, value) in
            [(0, 0, 0), (0, 1, -1), (1, 1, 1), (0, 3, -7), (3, 3, -4), (4, 3, 4), (0, 15, -32_767)]
        {
            let first = (bits as u64).checked_shl(64 - size).unwrap_or(0);
            assert_eq!(signed(first, size), value);
        }
    }

    #[test]
    fn only_a_restart_marker_restarts() {
        let mut bits = BitReader::new(&[0x12, 0xff, 0x00, 0xff, 0xd3, 0xc0]);
        assert_eq!(bits.restart(), Some(()));
        bits.fill();
        assert_eq!(signed(bits.bits, 2), 3);
        assert_eq!(BitReader::new(&[0xff, 0xd9, 0xff, 0xd0]).restart(), None);
        assert_eq!(BitReader::new(&[0x12]).restart(), None);
    }
}
