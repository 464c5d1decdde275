//! Every maximum of a link, and how it was found.

use std::{sync::Arc, time::Duration};

use quinn::{EndpointConfig, IdleTimeout, MtuDiscoveryConfig, TransportConfig, VarInt};

use crate::{BindError, Class, Version, carrier::DATAGRAM_BYTES_MAX, steady::SteadyFactory};

/// What may differ between a phone, a base camp and a test. The rest is fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkLimits {
    /// A link on which nothing arrives for this long is lost. The shorter of both sides' counts.
    ///
    /// 30 s, the default RFC 9308 §3.2 recommends: long enough for a phone carried behind a truck.
    pub idle: Duration,
    /// An idle link is kept open by one small packet this often, sent by the side that connected.
    ///
    /// 12 s: two of them may be lost within `idle`, and a home router forgets a silent UDP flow
    /// after some 30 s. Each wakes the radio, so a phone with nothing left to say closes instead.
    pub keep_alive: Duration,
    /// A handshake that takes longer has failed.
    ///
    /// 10 s: three attempts with doubling waits, and the round trips, over a bad satellite link.
    pub handshake: Duration,
    /// Connections and handshakes at one time, both directions; see [`MEMORY_PER_PEER_BYTES_MAX`].
    ///
    /// 48: forty phones that come in at once, and a few camps.
    pub connections_max: usize,
    /// Connections with one peer key at one time.
    ///
    /// 3: a phone that lost its link comes back before the old connection is known to be dead,
    /// perhaps twice. One that calls beyond that loses the oldest, or one on which it said nothing.
    pub connections_per_peer_max: usize,
    /// Handshakes in progress from which on a caller must first show that it receives at the
    /// address it sends from (QUIC Retry, one more round trip). Zero: always.
    ///
    /// 8: a team meeting is never that many at once; a flood with forged addresses is, and then
    /// costs no state.
    pub handshakes_unvalidated_max: usize,
    /// The newest version of the conversation offered; all older ones are offered too.
    ///
    /// The newest there is. An operator may hold a camp back while its other programs are older.
    pub version_max: Version,
    /// Whether much may be carried, so that it is worth 13 kB to find out how large datagrams may be.
    ///
    /// True: photos in datagrams of 1,452 bytes instead of 1,200 take 3 % fewer bytes and a fifth less of the processor,
    /// and the probes for that are four datagrams in each direction. A meeting that has little to say is a third of
    /// that; who calls for one says false, and then neither side probes.
    pub bulk: bool,
}

impl Default for LinkLimits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(30),
            keep_alive: Duration::from_secs(12),
            handshake: Duration::from_secs(10),
            connections_max: 48,
            connections_per_peer_max: 3,
            handshakes_unvalidated_max: 8,
            version_max: Version::NEWEST,
            bulk: true,
        }
    }
}

/// What a peer may send on one class before we have read it: 512 KiB.
///
/// It bounds what a class carries to one window per round trip. A long and wide link, 300 ms and 20 Mbit/s
/// (`tests/rough/goodput`), was used to 30 % with 256 KiB, 58 % with this, 86 % with 1 MiB, and 72 % with 2 MiB, when a
/// fifth was lost to the link's queue in the first seconds; on narrower links all four did the same.
/// What is unread is lost with a process that is killed: of photos at full speed 0.84 MB with 256 KiB and 1.2 MB with
/// 1 MiB, which is more than the 1 MiB that a kill may cost.
pub const STREAM_WINDOW_BYTES: u32 = 512 << 10;

/// What a peer may send on all classes together before we have read it: 1.5 MiB; quinn's own default is unbounded.
///
/// Photos are asked for class by class, so one window of them is unread at a time, and two remain for the rest.
/// A peer that fills three classes which nobody reads uses up the room for its own text; but whoever reads text here
/// reads everything, the most urgent first. A window for each class would cost each connection twice the memory.
pub const CONNECTION_WINDOW_BYTES: u32 = 3 * STREAM_WINDOW_BYTES;

/// What we keep of sent bytes until the peer acknowledged them: 1.5 MiB, as much as a peer of our kind takes.
///
/// A foreign peer that offers larger windows can let originals fill this; urgent frames then wait
/// for acknowledgements, not for the originals.
pub const SEND_WINDOW_BYTES: u32 = CONNECTION_WINDOW_BYTES;

/// The most one connection makes us hold, when a hostile peer and a slow link fill everything:
/// just under 14 MiB, so 48 connections stay below 660 MiB. An idle one holds next to nothing.
///
/// The sum: received and unread, times 5/2 and 32 KiB per stream, as quinn may hold fragments in
/// larger buffers up to that; a half-read frame per class; sent and unacknowledged; a frame
/// per class in the outbox and one being written; out-of-order handshake bytes.
pub const MEMORY_PER_PEER_BYTES_MAX: usize = CONNECTION_WINDOW_BYTES as usize * 5 / 2
    + Class::ALL.len() * (32 << 10)
    + FRAME_PER_CLASS_BYTES
    + SEND_WINDOW_BYTES as usize
    + 2 * FRAME_PER_CLASS_BYTES
    + HANDSHAKE_BYTES_MAX;

const FRAME_PER_CLASS_BYTES: usize = {
    let mut sum = 0;
    let mut index = 0;
    while index < Class::ALL.len() {
        sum += Class::ALL[index].frame_bytes_max();
        index += 1;
    }
    sum
};

/// A handshake with raw keys is under 1 KiB per flight; 16 KiB is quinn's default and RFC 9000
/// §7.5 asks for at least 4 KiB.
const HANDSHAKE_BYTES_MAX: usize = 16 << 10;

/// Calls that wait for [`Endpoint::accept`](crate::Endpoint::accept); the next is refused.
pub(crate) const INCOMING_MAX: usize = 64;

/// What a waiting call may send beyond its first packet. There is no 0-RTT, so this holds a
/// repeated first packet and nothing useful more.
pub(crate) const INCOMING_BYTES_MAX: u64 = 16 << 10;

impl LinkLimits {
    /// Refuses limits under which no link could work.
    pub(crate) fn check(&self) -> Result<(), BindError> {
        let rules = [
            (!self.idle.is_zero(), "idle is more than zero"),
            (self.keep_alive < self.idle, "keep_alive is less than idle"),
            (!self.keep_alive.is_zero(), "keep_alive is more than zero"),
            (!self.handshake.is_zero(), "handshake is more than zero"),
            (self.connections_max > 0, "connections_max is at least 1"),
            (self.connections_per_peer_max > 0, "connections_per_peer_max is at least 1"),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(BindError::Limits { rule }),
            None => Ok(()),
        }
    }

    /// QUIC's parameters of an endpoint.
    pub(crate) fn endpoint(&self) -> EndpointConfig {
        let mut config = EndpointConfig::default();
        if !self.bulk {
            // A peer that is told so looks for nothing larger.
            config.max_udp_payload_size(DATAGRAM_BYTES_MAX).expect("QUIC takes 1,200 bytes and more");
        }
        config
    }

    /// QUIC's parameters for connections that we open.
    pub(crate) fn connecting(&self) -> Arc<TransportConfig> {
        let mut config = self.transport();
        // One side is enough, and the side that connected is the one behind a router.
        config.keep_alive_interval(Some(self.keep_alive));
        Arc::new(config)
    }

    /// QUIC's parameters for connections that peers open.
    pub(crate) fn accepting(&self) -> Arc<TransportConfig> {
        Arc::new(self.transport())
    }

    fn transport(&self) -> TransportConfig {
        let idle_ms = u32::try_from(self.idle.as_millis()).unwrap_or(u32::MAX);
        let mut config = TransportConfig::default();
        config
            .max_concurrent_bidi_streams(VarInt::from_u32(0))
            .max_concurrent_uni_streams(VarInt::from_u32(Class::ALL.len() as u32))
            .stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES))
            .receive_window(VarInt::from_u32(CONNECTION_WINDOW_BYTES))
            .send_window(SEND_WINDOW_BYTES.into())
            // Below one millisecond would round to zero, which QUIC reads as "never".
            .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(idle_ms.max(1)))))
            .crypto_buffer_size(HANDSHAKE_BYTES_MAX)
            // Every byte of a record has an acknowledgement; datagrams have none.
            .datagram_receive_buffer_size(None)
            .datagram_send_buffer_size(0)
            // Radios and tunnels differ in what they carry: start at the 1200 bytes that QUIC
            // requires of any path and probe upward.
            .mtu_discovery_config(self.bulk.then(MtuDiscoveryConfig::default))
            .min_mtu(DATAGRAM_BYTES_MAX)
            .initial_mtu(DATAGRAM_BYTES_MAX)
            // RFC 9002 §6.2.2 says 333 ms, so that a lost first packet costs a second; a link that lives
            // for two has no second to lose. This asks again after 330 ms, just above the round trip of
            // such links; a satellite is sent its first packet twice for it.
            .initial_rtt(Duration::from_millis(110))
            .congestion_controller_factory(Arc::new(SteadyFactory))
            // The spin bit tells an observer the round trip, hence roughly the distance.
            .allow_spin(false);
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_per_peer_is_what_its_documentation_says() {
        const { assert!(MEMORY_PER_PEER_BYTES_MAX < 14 << 20) };
        let all = MEMORY_PER_PEER_BYTES_MAX * LinkLimits::default().connections_max;
        assert!(all < 660 << 20, "{all}");
    }

    #[test]
    fn limits_under_which_no_link_works_are_refused_by_name() {
        let good = LinkLimits::default();
        assert_eq!(good.check().ok(), Some(()));
        let zero = Duration::ZERO;
        for (bad, field) in [
            (LinkLimits { idle: zero, ..good.clone() }, "idle"),
            (LinkLimits { keep_alive: good.idle, ..good.clone() }, "keep_alive"),
            (LinkLimits { keep_alive: zero, ..good.clone() }, "keep_alive"),
            (LinkLimits { handshake: zero, ..good.clone() }, "handshake"),
            (LinkLimits { connections_max: 0, ..good.clone() }, "connections_max"),
            (LinkLimits { connections_per_peer_max: 0, ..good.clone() }, "connections_per_peer_max"),
        ] {
            match bad.check() {
                Err(BindError::Limits { rule }) => assert!(rule.starts_with(field), "{rule}"),
                other => panic!("{field}: {other:?}"),
            }
        }
    }
}
