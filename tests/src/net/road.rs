//! One direction of a bad link, as a function of time, size and chance.
//!
//! It decides when a datagram arrives, how often and how damaged; it has no clock and moves no bytes.

use crate::chance::Chance;

/// What a link does to datagrams in one direction. The default is a perfect link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// How long every datagram is under way, in µs.
    pub delay_us: u64,
    /// Up to this much longer, evenly, in µs. Alone it reorders nothing.
    pub jitter_us: u64,
    /// Of a million datagrams, how many disappear.
    pub lost_ppm: u32,
    /// Of a million datagrams, how many arrive twice.
    pub doubled_ppm: u32,
    /// Of a million datagrams, how many are held back so that later ones overtake them.
    pub overtaken_ppm: u32,
    /// Of a million datagrams, how many arrive with one bit turned.
    pub damaged_ppm: u32,
    /// What passes in a second, with [`HEADER_BYTES`] for each datagram; `None` without a bottleneck.
    pub bytes_per_s: Option<u64>,
    /// What may wait in front of the bottleneck; what comes then is dropped.
    pub queue_bytes: u64,
    /// The link is down at the end of each such period.
    pub period_us: u64,
    /// For how much of each period it is down; datagrams sent or leaving the bottleneck then disappear.
    pub down_us: u64,
}

/// IPv4 and UDP headers: they take room on the link too.
pub const HEADER_BYTES: u64 = 28;

/// How long an overtaken datagram is held back beyond its time, at most.
const OVERTAKEN_US: u64 = 200_000;

const MILLION: u64 = 1_000_000;

impl Weather {
    /// 600 ms round trip, 5 % loss, 256 kbit/s with a queue of 16 kB, down 3 s of every 10: each direction.
    pub fn rough() -> Self {
        Self {
            delay_us: 300_000,
            lost_ppm: 50_000,
            bytes_per_s: Some(32_000),
            queue_bytes: 16_000,
            period_us: 10_000_000,
            down_us: 3_000_000,
            ..Self::default()
        }
    }

    /// Only this much delay, each direction.
    pub fn slow(delay_us: u64) -> Self {
        Self { delay_us, ..Self::default() }
    }

    /// What a link of this weather carries at most within its first `elapsed_us`, headers included;
    /// `None` without a bottleneck.
    pub fn capacity_bytes(&self, elapsed_us: u64) -> Option<u64> {
        let up_us = match self.period_us {
            0 => elapsed_us,
            period_us => {
                let up_of_each_us = period_us.saturating_sub(self.down_us);
                elapsed_us / period_us * up_of_each_us + (elapsed_us % period_us).min(up_of_each_us)
            }
        };
        self.bytes_per_s.map(|rate| up_us * rate / MILLION)
    }

    fn is_down(&self, at_us: u64) -> bool {
        self.period_us > 0 && at_us % self.period_us >= self.period_us.saturating_sub(self.down_us)
    }
}

/// One direction, with what is waiting on it.
#[derive(Clone, Debug)]
pub struct Road {
    weather: Weather,
    chance: Chance,
    /// When the bottleneck has passed everything it took.
    free_us: u64,
    /// Nothing arrives before this: jitter alone keeps the order.
    last_us: u64,
    /// What passed the bottleneck, for figures.
    carried_bytes: u64,
}

/// What becomes of one datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// When it arrives; twice if doubled, never if lost.
    pub arrivals_us: [Option<u64>; 2],
    /// The bit turned on the way, counted from the first.
    pub damaged_bit: Option<u64>,
}

impl Fate {
    /// The datagram as it arrives.
    pub fn deliver(&self, datagram: &[u8]) -> Vec<u8> {
        let mut bytes = datagram.to_vec();
        if let Some(bit) = self.damaged_bit
            && let Some(byte) = usize::try_from(bit / 8).ok().and_then(|index| bytes.get_mut(index))
        {
            *byte ^= 1 << (bit % 8);
        }
        bytes
    }
}

impl Road {
    /// An empty road.
    pub fn new(weather: Weather, seed: u64) -> Self {
        Self { weather, chance: Chance::new(seed), free_us: 0, last_us: 0, carried_bytes: 0 }
    }

    /// From now on the weather is another; what is under way is not touched.
    pub fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// Takes a datagram at a time that is not before the last one's.
    pub fn take(&mut self, now_us: u64, bytes: usize) -> Fate {
        let weather = self.weather;
        // Every decision takes its number, so that one more kind of trouble does not change the others.
        let [lost, doubled, overtaken, damaged] =
            [weather.lost_ppm, weather.doubled_ppm, weather.overtaken_ppm, weather.damaged_ppm]
                .map(|ppm| self.chance.below(MILLION) < u64::from(ppm));
        let (jitter, bit, held) = (self.chance.number(), self.chance.number(), self.chance.number());
        let Some(passed_us) = self.pass(now_us, bytes as u64 + HEADER_BYTES) else { return Fate::default() };
        if lost || weather.is_down(now_us) || weather.is_down(passed_us) {
            return Fate::default();
        }
        let jitter_us = if weather.jitter_us == 0 { 0 } else { jitter % weather.jitter_us };
        let mut at_us = passed_us + weather.delay_us + jitter_us;
        if overtaken {
            at_us += held % OVERTAKEN_US;
        } else {
            at_us = at_us.max(self.last_us);
            self.last_us = at_us;
        }
        Fate {
            arrivals_us: [Some(at_us), doubled.then_some(at_us + held % OVERTAKEN_US)],
            damaged_bit: damaged.then(|| bit % (bytes.max(1) as u64 * 8)),
        }
    }

    /// What passed the bottleneck so far, headers included, lost behind it or not.
    pub fn carried_bytes(&self) -> u64 {
        self.carried_bytes
    }

    /// When the bottleneck has passed this datagram; `None` if the queue is full.
    fn pass(&mut self, now_us: u64, bytes: u64) -> Option<u64> {
        let Some(rate) = self.weather.bytes_per_s.filter(|rate| *rate > 0) else {
            self.carried_bytes += bytes;
            return Some(now_us);
        };
        let begin_us = self.free_us.max(now_us);
        let waiting_bytes = (begin_us - now_us) * rate / MILLION;
        if waiting_bytes + bytes > self.weather.queue_bytes.max(bytes) {
            return None;
        }
        self.carried_bytes += bytes;
        self.free_us = begin_us + bytes * MILLION / rate;
        Some(self.free_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(weather: Weather, sent: impl IntoIterator<Item = (u64, usize)>) -> Vec<Fate> {
        let mut road = Road::new(weather, 7);
        sent.into_iter().map(|(now_us, bytes)| road.take(now_us, bytes)).collect()
    }

    #[test]
    fn a_bottleneck_passes_its_rate_and_drops_what_its_queue_cannot_hold() {
        let weather = Weather { bytes_per_s: Some(100_000), queue_bytes: 3_000, delay_us: 5, ..Weather::default() };
        // 972 bytes and their headers take 10 ms; one passes at once, two more wait.
        let fates = arrivals(weather, [(0, 972); 4]);
        let at: Vec<_> = fates.iter().map(|fate| fate.arrivals_us[0]).collect();
        assert_eq!(at, [Some(10_005), Some(20_005), Some(30_005), None]);
    }

    #[test]
    fn a_link_could_carry_its_rate_while_it_is_up() {
        let weather = Weather::rough();
        assert_eq!(weather.capacity_bytes(5_000_000), Some(160_000));
        assert_eq!(weather.capacity_bytes(10_000_000), Some(224_000));
        assert_eq!(weather.capacity_bytes(25_000_000), Some(608_000));
        assert_eq!(Weather::slow(5).capacity_bytes(1), None);
    }

    #[test]
    fn a_link_that_is_down_carries_nothing() {
        let weather = Weather { period_us: 10, down_us: 3, ..Weather::default() };
        for (fate, up) in arrivals(weather, (0..20).map(|at| (at, 1))).iter().zip((0..20).map(|at| at % 10 < 7)) {
            assert_eq!(fate.arrivals_us[0].is_some(), up);
        }
    }

    #[test]
    fn trouble_comes_as_often_as_asked_for_and_jitter_alone_keeps_the_order() {
        let weather = Weather {
            lost_ppm: 600_000,
            doubled_ppm: 100_000,
            damaged_ppm: 50_000,
            jitter_us: 1_000,
            ..Weather::default()
        };
        let fates = arrivals(weather, (0..100_000).map(|at| (at, 100)));
        let count = |holds: fn(&Fate) -> bool| fates.iter().filter(|fate| holds(fate)).count();
        assert!((39_000..41_000).contains(&count(|fate| fate.arrivals_us[0].is_some())));
        assert!((3_800..4_200).contains(&count(|fate| fate.arrivals_us[1].is_some())));
        assert!((1_900..2_100).contains(&count(|fate| fate.damaged_bit.is_some())));
        assert!(fates.iter().filter_map(|fate| fate.arrivals_us[0]).is_sorted());
    }

    #[test]
    fn a_seed_gives_the_same_fates_again() {
        let weather = Weather { overtaken_ppm: 300_000, jitter_us: 500, ..Weather::rough() };
        let sent = || (0..1_000).map(|at| (at * 20_000, 500));
        assert_eq!(arrivals(weather, sent()), arrivals(weather, sent()));
    }
}
