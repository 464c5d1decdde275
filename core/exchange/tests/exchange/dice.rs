//! Chance that a seed decides.

/// Numbers that follow from a seed (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).expect("less than a usize")
    }

    /// A text of characters that programs along the way like to change. None is there that cannot be signed.
    pub(crate) fn text(&mut self) -> String {
        const PIECES: [&str; 24] = [
            "=", "+", "-", "@", "'", "\"", "&", "<", ">", "]]>", "\n", " ", ",", ";", "\\", "ї", "é", "بدر", "😀",
            "\u{200d}", "\u{a0}", "0", "x", "\u{feff}",
        ];
        (0..self.below(9)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }
}
