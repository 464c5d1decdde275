//! What it costs to try a passphrase.

/// How much work one try of a passphrase is (Argon2id, RFC 9106). Stored in each key file, so that it can grow later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnlockCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes. One here: a phone that unlocks has other cores to draw its screen with, and a thief has thousands.
    pub lanes: u32,
}

impl UnlockCost {
    /// RFC 9106 §4, second recommended choice, with one lane: 64 MiB and three passes.
    ///
    /// A phone with 2 GB gives a foreground app about 200 MB before it kills others, so that 64 MiB for a moment is safe;
    /// the first recommended choice (2 GiB) is not. It takes about a second on such a phone and a fifth of one on a laptop.
    pub const PHONE: Self = Self { memory_kib: 65_536, passes: 3, lanes: 1 };

    /// The most that is done for a file whose author is unknown: 1 GiB, 16 passes, 16 lanes.
    pub const MAX: Self = Self { memory_kib: 1 << 20, passes: 16, lanes: 16 };

    /// Whether Argon2 defines it and it does not go beyond [`MAX`](Self::MAX).
    pub(crate) fn is_sane(self) -> bool {
        let Self { memory_kib, passes, lanes } = self;
        (1..=Self::MAX.lanes).contains(&lanes)
            && (1..=Self::MAX.passes).contains(&passes)
            && (8 * lanes..=Self::MAX.memory_kib).contains(&memory_kib)
    }
}
