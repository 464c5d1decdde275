//! The numbers from which an order by chance is made (ODK XForms §randomize): the same for the same seed, everywhere.

/// The generator of Park and Miller, *minimal standard*.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParkMiller(i64);

const MODULUS: i64 = 2_147_483_647;
const MULTIPLIER: i64 = 16_807;

impl ParkMiller {
    /// Begins with a seed, whose fraction does not count; `None` if it is no finite number.
    pub(crate) fn new(seed: f64) -> Option<Self> {
        let seed = if seed.is_finite() { (seed.trunc() % MODULUS as f64) as i64 } else { return None };
        Some(Self(if seed <= 0 { seed + MODULUS - 1 } else { seed }))
    }

    /// The next number, at least 0 and below 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        self.0 = self.0 * MULTIPLIER % MODULUS;
        (self.0 - 1) as f64 / (MODULUS - 1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::ParkMiller;

    #[test]
    fn a_seed_that_is_no_number_begins_nothing_and_others_stay_below_one() {
        assert!(ParkMiller::new(f64::NAN).is_none() && ParkMiller::new(f64::INFINITY).is_none());
        for seed in [0.0, -0.0, 1.9, -3.0, 2_147_483_647.0, 1e300, -1e300] {
            let mut chance = ParkMiller::new(seed).expect("a number");
            assert!((0..100).all(|_| (0.0..1.0).contains(&chance.fraction())), "{seed}");
        }
        assert_eq!(ParkMiller::new(1.0).map(|mut chance| chance.fraction() * 2_147_483_646.0), Some(16_806.0));
    }
}
