//! Noticing soon that a link which fell silent carries again.
//!
//! QUIC asks a silent peer after one probe timeout, then after two, four, eight. On a link that is
//! down three seconds of every ten the next question comes seconds after the link is back, and half
//! of what it could carry is gone. So while acknowledgements are overdue one more datagram than the
//! window allows is sent every half round trip, for a while: the link's return is noticed within
//! that, at a cost of a few datagrams. It decides nothing else; how much is sent once the link
//! answers is the controller's part.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use quinn::VarInt;
use tokio::{sync::Notify, time};

use crate::{limits::CONNECTION_WINDOW_BYTES, steady::Steady};

/// Pulses closer than this gain less than a datagram costs on the slowest links we know (32 kbit/s).
const PULSE_MIN: Duration = Duration::from_millis(250);

/// After this long without an answer QUIC's own, ever rarer probes are enough: forty pulses of
/// 1,200 bytes are spent, and a radio that is searched for this long is gone for longer.
const PULSES_END: Duration = Duration::from_secs(12);

/// A shorter datagram is an acknowledgement, which nobody answers, or too small to hurry for.
const WORTH_BYTES: u64 = 200;

/// What is known of one path's liveliness; shared by its controller and its connection's pulse.
#[derive(Debug)]
pub(crate) struct Vital {
    state: Mutex<State>,
    /// Something that wants an answer was sent, and nothing was under way before.
    busy: Notify,
}

#[derive(Debug, Clone, Copy)]
struct State {
    under_way: u64,
    /// When the wait for an answer began, or the last answer came.
    quiet_since: Instant,
    round_trip: Duration,
    /// Whether one more datagram than the window may leave.
    pulse: bool,
}

impl Vital {
    pub(crate) fn new(now: Instant) -> Self {
        let state = State { under_way: 0, quiet_since: now, round_trip: PULSE_MIN, pulse: false };
        Self { state: Mutex::new(state), busy: Notify::new() }
    }

    pub(crate) fn sent(&self, now: Instant, bytes: u64) {
        if bytes < WORTH_BYTES {
            return;
        }
        let mut state = self.state();
        state.pulse = false;
        if state.under_way == 0 {
            state.quiet_since = now;
            self.busy.notify_one();
        }
        state.under_way += bytes;
    }

    /// An acknowledgement came; true if it ended a silence.
    pub(crate) fn heard(&self, now: Instant, round_trip: Duration) -> bool {
        let mut state = self.state();
        let was_silent = now.saturating_duration_since(state.quiet_since) > state.patience();
        state.quiet_since = now;
        state.round_trip = round_trip;
        state.pulse = false;
        was_silent
    }

    pub(crate) fn under_way(&self, now: Instant, bytes: u64) {
        let mut state = self.state();
        state.under_way = bytes;
        state.quiet_since = now;
    }

    /// What may be under way because a pulse is due; nothing extra most of the time.
    pub(crate) fn allowed(&self, datagram_bytes: u64) -> u64 {
        let state = self.state();
        if state.pulse { state.under_way + 2 * datagram_bytes } else { 0 }
    }

    /// When to look again, and whether a pulse is due now; `None` while nothing is under way.
    fn look(&self, now: Instant) -> Option<(Duration, bool)> {
        let mut state = self.state();
        if state.under_way == 0 {
            return None;
        }
        let quiet = now.saturating_duration_since(state.quiet_since);
        let patience = state.patience();
        if quiet < patience {
            return Some((patience - quiet, false));
        }
        let due = quiet < PULSES_END;
        state.pulse = due;
        let wait = if due { (state.round_trip / 2).max(PULSE_MIN) } else { PULSES_END };
        Some((wait, due))
    }

    /// Numbers, valid after every statement, so a panic elsewhere spoils nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long an answer may take before it is overdue.
    fn patience(&self) -> Duration {
        self.round_trip + (self.round_trip / 4).max(PULSE_MIN / 2)
    }
}

/// Looks after one connection until it ends.
pub(crate) async fn keep(quic: quinn::Connection) {
    let ended = quic.closed();
    let beating = async {
        while let Some(vital) = vital(&quic) {
            let now = time::Instant::now().into_std();
            match vital.look(now) {
                // A path that was left behind is busy no more; its successor has a state of its own.
                None => drop(time::timeout(PULSES_END, vital.busy.notified()).await),
                Some((wait, due)) => {
                    if due {
                        beat(&quic);
                    }
                    time::sleep(wait).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        _ = ended => {}
        () = beating => {}
    }
}

fn vital(quic: &quinn::Connection) -> Option<std::sync::Arc<Vital>> {
    let steady = quic.congestion_state().into_any().downcast::<Steady>().ok()?;
    Some(std::sync::Arc::clone(steady.vital()))
}

/// Makes QUIC look whether it may send, and gives it something that the peer must answer: the same
/// credit once more. Without that, a pulse after the last frame would have nothing to carry.
fn beat(quic: &quinn::Connection) {
    quic.set_receive_window(VarInt::from_u32(CONNECTION_WINDOW_BYTES + 1));
    quic.set_receive_window(VarInt::from_u32(CONNECTION_WINDOW_BYTES));
}
