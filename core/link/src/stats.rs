//! What a connection carried so far: for people on metered links, and for tests.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::Class;

/// Totals of one connection since it began. They stay readable after it closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkStats {
    classes: [ClassStats; Class::ALL.len()],
    /// Everything sent: frames, handshake, acknowledgements, repeats.
    pub udp_sent: UdpStats,
    /// Everything received.
    pub udp_received: UdpStats,
    /// Bytes sent that had to be sent again.
    pub bytes_lost: u64,
    /// Current estimate of the round trip.
    pub round_trip: Duration,
}

/// Frames of one class. Bytes are the frames' own, without headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClassStats {
    /// Frames handed to QUIC completely. The peer may not have them yet.
    pub frames_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Frames returned by `recv`.
    pub frames_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// What was read of the frame under way; zero while a task waits for it.
    pub bytes_unfinished: u64,
}

/// UDP payloads in one direction, without IP and UDP headers (28 or 48 bytes each).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UdpStats {
    /// How many.
    pub datagrams: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl LinkStats {
    /// The totals of one class.
    pub fn class(&self, class: Class) -> ClassStats {
        self.classes[class.index()]
    }

    pub(crate) fn set_unfinished(&mut self, bytes: impl Fn(Class) -> usize) {
        for class in Class::ALL {
            self.classes[class.index()].bytes_unfinished = bytes(class) as u64;
        }
    }
}

/// The counters behind [`ClassStats`], written by the outbox and the inbox.
#[derive(Default)]
pub(crate) struct Counters([ClassCounters; Class::ALL.len()]);

#[derive(Default)]
struct ClassCounters {
    frames_sent: AtomicU64,
    bytes_sent: AtomicU64,
    frames_received: AtomicU64,
    bytes_received: AtomicU64,
}

impl Counters {
    pub(crate) fn sent(&self, class: Class, bytes: usize) {
        let counters = &self.0[class.index()];
        counters.frames_sent.fetch_add(1, Ordering::Relaxed);
        counters.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn received(&self, class: Class, bytes: usize) {
        let counters = &self.0[class.index()];
        counters.frames_received.fetch_add(1, Ordering::Relaxed);
        counters.bytes_received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn read(&self, quic: &quinn::Connection) -> LinkStats {
        let totals = quic.stats();
        LinkStats {
            classes: std::array::from_fn(|index| self.0[index].read()),
            udp_sent: totals.udp_tx.into(),
            udp_received: totals.udp_rx.into(),
            bytes_lost: totals.path.lost_bytes,
            round_trip: totals.path.rtt,
        }
    }
}

impl ClassCounters {
    fn read(&self) -> ClassStats {
        ClassStats {
            frames_sent: self.frames_sent.load(Ordering::Relaxed),
            bytes_sent: self.bytes_sent.load(Ordering::Relaxed),
            frames_received: self.frames_received.load(Ordering::Relaxed),
            bytes_received: self.bytes_received.load(Ordering::Relaxed),
            bytes_unfinished: 0,
        }
    }
}

impl From<quinn::UdpStats> for UdpStats {
    fn from(stats: quinn::UdpStats) -> Self {
        Self { datagrams: stats.datagrams, bytes: stats.bytes }
    }
}
