//! How much of a bad link a transfer uses, and how long a text waits beside it.

use std::time::Duration;

use merestone_link::{Class, LinkLimits, close_code};
use tokio::time::{Instant, sleep};

use crate::{
    Pair,
    net::{HEADER_BYTES, Weather, paused},
};

const CHUNK_BYTES: usize = 64 << 10;
const TEXT_BYTES: usize = 700;

/// Long enough that no beat of it falls in step with a link's period.
const TEXT_EVERY: Duration = Duration::from_millis(1_700);

/// A link, and what is asked of it.
struct Case {
    name: &'static str,
    weather: Weather,
    chunks: usize,
    /// Application bytes that arrived, of what the link could carry while up, in percent.
    goodput_percent_min: u64,
    /// The slowest but one in a hundred of the texts sent beside the photos.
    text_ms_max: u64,
}

#[derive(Debug)]
struct Seen {
    goodput_percent: u64,
    text_ms: u64,
    lost_percent: u64,
    took: Duration,
}

fn cases() -> [Case; 8] {
    let up = Weather { down_us: 0, ..Weather::rough() };
    let clean = Weather { lost_ppm: 0, delay_us: 150_000, ..up };
    let fast = Weather { delay_us: 50_000, bytes_per_s: Some(250_000), queue_bytes: 64_000, lost_ppm: 20_000, ..up };
    let long = Weather { delay_us: 150_000, bytes_per_s: Some(2_500_000), queue_bytes: 375_000, lost_ppm: 0, ..up };
    let mut cases = [
        // A text written when the link goes down waits three seconds for it, whatever we do.
        ("600 ms, 5 %, 256 kbit/s, down 3 s of 10", Weather::rough(), 30, 60, 6_000),
        // Lost twice, a text takes two more round trips.
        ("600 ms, 5 %, 256 kbit/s", up, 30, 75, 4_000),
        ("300 ms, 256 kbit/s", clean, 30, 85, 2_000),
        ("50 ms, 256 kbit/s, queue of 2 s", Weather { delay_us: 25_000, queue_bytes: 64_000, ..clean }, 30, 85, 2_000),
        ("300 ms, 30 %, 256 kbit/s", Weather { lost_ppm: 300_000, ..clean }, 20, 45, 4_000),
        ("100 ms, 2 %, 2 Mbit/s", fast, 200, 75, 1_000),
        // What is under way at once is 750 kB.
        ("300 ms, 20 Mbit/s", long, 600, 50, 1_000),
        ("100 ms, jitter 50, 2 %, 2 Mbit/s", Weather { jitter_us: 50_000, ..fast }, 200, 55, 1_000),
    ]
    .map(|(name, weather, chunks, goodput_percent_min, text_ms_max)| Case {
        name,
        weather,
        chunks,
        goodput_percent_min,
        text_ms_max,
    });
    cases.sort_by_key(|case| case.chunks);
    cases
}

/// Photos one way as fast as they go, a text among them every while.
fn transfer(seed: u64, case: &Case) -> Seen {
    paused().block_on(async {
        let pair = Pair::new(seed, case.weather, LinkLimits::default());
        let (phone, camp) = pair.link().await;
        let (began, begun) = (Instant::now(), pair.net.elapsed());
        let (photos, texts, chunks) = (phone.clone(), phone.clone(), case.chunks);
        let sending = tokio::spawn(async move {
            for _ in 0..chunks {
                photos.send(Class::Originals, vec![7; CHUNK_BYTES]).await.unwrap();
            }
        });
        let texting = tokio::spawn(async move {
            loop {
                sleep(TEXT_EVERY).await;
                let mut text = (began.elapsed().as_millis() as u64).to_be_bytes().to_vec();
                text.resize(TEXT_BYTES, 0);
                texts.send(Class::Entries, text).await.unwrap();
            }
        });
        let (mut arrived, mut waits_ms) = (0, Vec::new());
        while arrived < chunks {
            match camp.recv().await.unwrap() {
                (Class::Entries, text) => {
                    let sent_ms = u64::from_be_bytes(text[..8].try_into().unwrap());
                    waits_ms.push(began.elapsed().as_millis() as u64 - sent_ms);
                }
                _ => arrived += 1,
            }
        }
        texting.abort();
        sending.await.unwrap();
        let took = began.elapsed();
        let stats = phone.stats();
        camp.close(close_code::DONE, "");

        let could = |until: Duration| case.weather.capacity_bytes(until.as_micros() as u64).unwrap();
        waits_ms.sort_unstable();
        let carried = chunks * CHUNK_BYTES + waits_ms.len() * TEXT_BYTES;
        let sent = stats.udp_sent.bytes + stats.udp_sent.datagrams * HEADER_BYTES;
        Seen {
            goodput_percent: carried as u64 * 100 / (could(begun + took) - could(begun)),
            text_ms: waits_ms[waits_ms.len() * 99 / 100],
            lost_percent: stats.bytes_lost * 100 / sent,
            took,
        }
    })
}

#[test]
fn a_bad_link_is_used_and_texts_do_not_wait_behind_photos() {
    for case in cases() {
        for seed in 0..2 {
            let seen = transfer(seed, &case);
            eprintln!(
                "{:42} {:3} % used, text {:5} ms, {:2} % lost, {:6.1} s",
                case.name,
                seen.goodput_percent,
                seen.text_ms,
                seen.lost_percent,
                seen.took.as_secs_f64()
            );
            assert!(seen.goodput_percent >= case.goodput_percent_min, "{}, seed {seed}: {seen:?}", case.name);
            assert!(seen.text_ms <= case.text_ms_max, "{}, seed {seed}: {seen:?}", case.name);
        }
    }
}
