//! How much may be under way at a time: a congestion controller for links that lose what they like.
//!
//! The controllers that quinn brings take a loss for a full queue (CUBIC, NewReno), and starve on a
//! radio that loses one packet in twenty, or fill every queue and send half of everything twice
//! (its BBR). This one asks the delay instead. It knows nothing of classes or frames.
//!
//! Once per round trip it compares the shortest delay of that round with the shortest of the last
//! half minute. What is above is our own queue on the way. The window grows while that queue is
//! short, and gives back the excess when it is long; so a text never waits behind more than
//! [`QUEUE_MAX`] of photos. A lost packet changes nothing, unless much is lost while less of it
//! would pass as much: then the queue is too short to be felt, and the window shrinks to what passes.
//! After a silence (a tunnel, a satellite gone) the window is what it was, and what was lost in the
//! silence counts for nothing.
//!
//! Beside a stranger who fills the same queue it keeps what it delivers in one shortest round trip,
//! and asks for no more: on a shared link it is the modest one.
//!
//! Measured in the network in memory (`tests/rough`), a minute of photos with texts among them, at
//! 256 kbit/s with a queue of 16 kB: application bytes in percent of what the link could carry while
//! up / the slowest text in ms / datagram bytes lost in percent of those sent.
//!
//! | link | CUBIC | NewReno | quinn's BBR | this |
//! |---|---|---|---|---|
//! | 600 ms, 5 % lost, down 3 s of 10 | 18 / 25,106 / 21 | 9 / 24,919 / 25 | 66 / 7,675 / 51 | 78 / 5,131 / 24 |
//! | 600 ms, 5 % lost | 42 / 1,805 / 5 | 23 / 2,349 / 5 | 86 / 4,108 / 62 | 89 / 1,906 / 12 |
//! | 300 ms | 94 / 1,462 / 5 | 94 / 661 / 2 | 92 / 1,499 / 55 | 94 / 642 / 6 |
//! | 50 ms, queue of 64 kB | 94 / 2,052 / 11 | 94 / 2,052 / 3 | 93 / 2,007 / 23 | 94 / 1,127 / 0 |
//! | 300 ms, 30 % lost | 13 / 7,924 / 30 | 8 / 30,261 / 30 | 56 / 8,545 / 65 | 60 / 3,173 / 30 |
//!
//! On the loopback interface of a busy machine of two cores it carried what CUBIC did (126 to
//! 199 MB/s against 133 to 186, in turn) and lost a sixth as much to the socket's buffer.

use std::{
    any::Any,
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use quinn::congestion::{Controller, ControllerFactory};
use quinn_proto::RttEstimator;

use crate::pulse::Vital;

/// The longest queue of our own that is asked for, in time.
///
/// A quarter of the shortest round trip, since a loop that long cannot steer finer, within 25 ms
/// (a busy radio schedules in steps of 10) and 150 ms (nobody waits for that much).
const QUEUE_MIN: Duration = Duration::from_millis(25);
/// See [`QUEUE_MIN`].
const QUEUE_MAX: Duration = Duration::from_millis(150);

/// Datagrams that may always be under way: fewer, and one loss is only found by a timer.
const WINDOW_DATAGRAMS_MIN: u64 = 4;

/// Datagrams of a first flight (RFC 9002 §7.2).
const WINDOW_DATAGRAMS_FIRST: u64 = 10;

/// Above any path that a field has; a limit so that sums cannot overflow.
const WINDOW_BYTES_MAX: u64 = 64 << 20;

/// Loss above which it is asked whether less would pass as much: one in eight.
///
/// A bad radio loses one in twenty; a queue of a few packets that we overfill loses more.
const LOSS_DIVISOR: u64 = 8;

/// The same on a short path: one in sixty-four.
const LOSS_DIVISOR_SHORT: u64 = 64;

/// A path below this is a cable, a loopback or the next chair. Its own layers repeat what a radio
/// loses, so loss is a queue (on a loopback the receiver's socket buffer, too short to be felt as
/// delay), and what is given up is won back in no time.
const SHORT: Duration = Duration::from_millis(10);

/// How long a shortest round trip stands for its path: the path changes under a phone that moves.
const BASE_LIFE: Duration = Duration::from_secs(30);

/// Rounds over which the best delivery is remembered.
const BEST_ROUNDS: usize = 8;

/// The state of one path.
#[derive(Debug, Clone)]
pub(crate) struct Steady {
    window: u64,
    datagram_bytes: u64,
    /// Doubles every round until the path says no.
    starting: bool,
    base: Base,
    round: Round,
    loss: Loss,
    /// Bytes per second delivered in each of the last rounds.
    delivered: VecDeque<u64>,
    /// What was sent before this was sent into a silence: its loss says nothing about a queue.
    silence_until: Option<Instant>,
    vital: Arc<Vital>,
}

/// The shortest round trip of this half minute and of the one before.
#[derive(Debug, Clone)]
struct Base {
    since: Instant,
    current: Duration,
    before: Duration,
}

/// What was seen since a round trip began.
#[derive(Debug, Clone)]
struct Round {
    began: Instant,
    acked_bytes: u64,
    lost_bytes: u64,
    shortest: Duration,
    /// Whether the window, and not a lack of bytes to send, was what held us.
    filled: bool,
}

/// Bytes acknowledged and lost, older rounds counting less.
#[derive(Debug, Clone, Default)]
struct Loss {
    acked: u64,
    lost: u64,
}

impl Steady {
    fn new(now: Instant, datagram_bytes: u64, vital: Arc<Vital>) -> Self {
        Self {
            window: WINDOW_DATAGRAMS_FIRST * datagram_bytes,
            datagram_bytes,
            starting: true,
            base: Base { since: now, current: Duration::MAX, before: Duration::MAX },
            round: Round::new(now),
            loss: Loss::default(),
            delivered: VecDeque::with_capacity(BEST_ROUNDS),
            silence_until: None,
            vital,
        }
    }

    /// The state that the connection's pulse looks at.
    pub(crate) fn vital(&self) -> &Arc<Vital> {
        &self.vital
    }

    fn is_short(&self) -> bool {
        self.base.shortest() < SHORT
    }

    fn floor(&self) -> u64 {
        WINDOW_DATAGRAMS_MIN * self.datagram_bytes
    }

    fn set_window(&mut self, bytes: u64) {
        self.window = bytes.clamp(self.floor(), WINDOW_BYTES_MAX);
    }

    /// What must be under way so that the best delivery of the last rounds is delivered again
    /// when as much is lost as now.
    fn needed(&self) -> u64 {
        let best = self.delivered.iter().copied().max().unwrap_or(0);
        let at_once = bytes_in(best, self.base.shortest());
        let (acked, all) = (self.loss.acked.max(1), self.loss.acked + self.loss.lost);
        u64::try_from(u128::from(at_once) * u128::from(all.max(1)) / u128::from(acked)).unwrap_or(u64::MAX)
    }

    /// The queue that is asked for: never less than a few datagrams take at this rate.
    fn target(&self, rate: u64) -> Duration {
        let few = Duration::from_secs_f64(3.0 * self.datagram_bytes as f64 / rate.max(1) as f64);
        (self.base.shortest() / 4).clamp(QUEUE_MIN, QUEUE_MAX).max(few.min(Duration::from_secs(1)))
    }

    fn end_round(&mut self, now: Instant) {
        let round = std::mem::replace(&mut self.round, Round::new(now));
        let took = now.saturating_duration_since(round.began);
        self.loss.add(round.acked_bytes, round.lost_bytes);
        if round.shortest == Duration::MAX || took.is_zero() {
            return;
        }
        self.base.add(now, round.shortest);
        let rate = (round.acked_bytes as f64 / took.as_secs_f64()) as u64;
        if self.delivered.len() == BEST_ROUNDS {
            self.delivered.pop_front();
        }
        self.delivered.push_back(rate);

        let queue = round.shortest.saturating_sub(self.base.shortest());
        let target = self.target(rate);
        if queue > target {
            // Half of the excess: what is acknowledged now shows the window of a round ago.
            let excess = self.window as f64 * (queue - target).as_secs_f64() / round.shortest.as_secs_f64();
            self.starting = false;
            let kept = self.window - (excess / 2.0) as u64;
            self.set_window(kept.max(self.needed().min(self.window)));
            return;
        }
        let divisor = if self.is_short() { LOSS_DIVISOR_SHORT } else { LOSS_DIVISOR };
        if self.loss.is_above(divisor) && round.lost_bytes * divisor > round.acked_bytes {
            self.starting = false;
            let less = self.window - self.window / 6;
            self.set_window(less.max(self.needed().min(self.window)));
        }
        if round.filled {
            self.grow(queue, target);
        }
    }

    /// A round that filled its window and left room in the queue.
    fn grow(&mut self, queue: Duration, target: Duration) {
        let room = 1.0 - queue.as_secs_f64() / target.as_secs_f64();
        let step = if self.starting || self.is_short() {
            // Acknowledgements doubled it already; or rounds are so many that small steps are fast.
            0
        } else {
            // An eighth reaches any rate in a few seconds and overshoots by less than the target.
            ((self.window / 8) as f64 * room) as u64
        };
        self.set_window(self.window + step.max(self.datagram_bytes / 2));
    }
}

impl Controller for Steady {
    fn on_sent(&mut self, now: Instant, bytes: u64, _last_packet_number: u64) {
        self.vital.sent(now, bytes);
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, app_limited: bool, rtt: &RttEstimator) {
        if self.vital.heard(now, rtt.get()) {
            self.silence_until = Some(now);
        }
        self.round.acked_bytes += bytes;
        self.round.filled |= !app_limited;
        self.round.shortest = self.round.shortest.min(now.saturating_duration_since(sent));
        if self.starting && !app_limited {
            self.set_window(self.window + bytes);
        }
        if sent >= self.round.began {
            self.end_round(now);
        }
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, _app_limited: bool, _largest: Option<u64>) {
        self.vital.under_way(now, in_flight);
    }

    fn on_congestion_event(&mut self, _now: Instant, sent: Instant, _is_persistent: bool, lost_bytes: u64) {
        match self.silence_until {
            Some(until) if sent <= until => {}
            _ if lost_bytes == 0 => {
                // A router marked instead of dropping (ECN): it knows its queue.
                self.starting = false;
                self.set_window(self.window - self.window / 8);
            }
            _ => self.round.lost_bytes += lost_bytes,
        }
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.datagram_bytes = new_mtu.into();
        self.set_window(self.window);
    }

    fn window(&self) -> u64 {
        self.window.max(self.vital.allowed(self.datagram_bytes))
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        WINDOW_DATAGRAMS_FIRST * self.datagram_bytes
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl Base {
    fn shortest(&self) -> Duration {
        self.current.min(self.before)
    }

    fn add(&mut self, now: Instant, shortest: Duration) {
        if now.saturating_duration_since(self.since) > BASE_LIFE {
            self.before = self.current;
            self.current = Duration::MAX;
            self.since = now;
        }
        self.current = self.current.min(shortest);
    }
}

impl Round {
    fn new(began: Instant) -> Self {
        Self { began, acked_bytes: 0, lost_bytes: 0, shortest: Duration::MAX, filled: false }
    }
}

impl Loss {
    fn add(&mut self, acked: u64, lost: u64) {
        self.acked = self.acked / 4 * 3 + acked;
        self.lost = self.lost / 4 * 3 + lost;
    }

    fn is_above(&self, divisor: u64) -> bool {
        self.lost * divisor > self.acked
    }
}

fn bytes_in(bytes_per_s: u64, time: Duration) -> u64 {
    (bytes_per_s as f64 * time.min(Duration::from_secs(10)).as_secs_f64()) as u64
}

/// Makes the controllers of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct SteadyFactory;

impl ControllerFactory for SteadyFactory {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(Steady::new(now, current_mtu.into(), Arc::new(Vital::new(now))))
    }
}
