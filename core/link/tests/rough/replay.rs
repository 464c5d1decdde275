//! The same seed gives the same datagrams at the same times.

use std::time::{Duration, Instant};

use merestone_link::{Class, LinkLimits, close_code};

use crate::{
    Pair,
    net::{Sent, Traffic, Weather, paused},
};

/// Everything at once.
fn awful() -> Weather {
    Weather { jitter_us: 40_000, doubled_ppm: 30_000, overtaken_ppm: 30_000, damaged_ppm: 20_000, ..Weather::rough() }
}

/// A hundred texts one way and forty chunks of photos the other; the trace, and how long it took in the link's time.
fn exchange(seed: u64, weather: Weather) -> (Vec<Sent>, Traffic, Duration) {
    const TEXTS: u8 = 100;
    const CHUNKS: u8 = 10;
    paused().block_on(async {
        let pair = Pair::new(seed, weather, LinkLimits::default());
        pair.net.record();
        let (phone, camp) = pair.link().await;
        let texts = async {
            for number in 0..TEXTS {
                phone.send(Class::Entries, vec![number; 300]).await.unwrap();
            }
            for number in 0..CHUNKS {
                assert_eq!(phone.recv().await.unwrap(), (Class::Originals, vec![number; 65_536]));
            }
        };
        let photos = async {
            for number in 0..CHUNKS {
                camp.send(Class::Originals, vec![number; 65_536]).await.unwrap();
            }
            for number in 0..TEXTS {
                assert_eq!(camp.recv().await.unwrap(), (Class::Entries, vec![number; 300]));
            }
        };
        tokio::join!(texts, photos);
        phone.close(close_code::DONE, "");
        (pair.net.trace(), pair.net.traffic(), pair.net.elapsed())
    })
}

#[test]
fn a_seed_gives_the_same_datagrams_at_the_same_times() {
    for seed in 0..3 {
        let real = Instant::now();
        let first = exchange(seed, awful());
        let real = real.elapsed();
        assert!(first == exchange(seed, awful()), "seed {seed}");
        assert!(first.1.sent > 1_000 && first.2 > Duration::from_secs(20), "{:?} in {:?}", first.1, first.2);
        eprintln!("seed {seed}: {:?} passed in {real:?}, {:?}", first.2, first.1);
    }
    assert_ne!(exchange(0, awful()).0, exchange(1, awful()).0);
}
