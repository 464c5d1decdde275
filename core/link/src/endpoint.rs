//! One UDP socket that both calls and is called.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::SystemTime};

use quinn::{Runtime, StdSystemTime, TimeSource, TokioRuntime, TransportConfig, ValidationTokenConfig, VarInt};
use tokio::time::{Instant, timeout};

use crate::{
    AcceptError, BindError, Carrier, ConnectError, Connection, LinkLimits, PeerKey, TransportKey,
    calling::{ADDRESSES_MAX, Calls},
    carrier::Carried,
    closing::{Goodbye, close_code},
    connection::Proved,
    insist::{FirstWords, Insisting, Listening},
    limits::{INCOMING_BYTES_MAX, INCOMING_MAX},
    slots::{HandshakeSlot, Lodger, Slots},
    socket,
    tls::{Identity, agreed_version, proved_key},
};

/// One UDP socket and one transport key: connects to peers and accepts them.
///
/// Clones are handles to the same endpoint. Connections outlive it; [`Endpoint::close`] ends them.
#[derive(Clone)]
pub struct Endpoint(Arc<Shared>);

struct Shared {
    quic: quinn::Endpoint,
    identity: Identity,
    public: PeerKey,
    limits: LinkLimits,
    connecting: Arc<TransportConfig>,
    slots: Arc<Slots>,
    goodbye: Goodbye,
    words: Arc<FirstWords>,
}

/// A caller whose handshake has not begun. Dropping it refuses the caller.
pub struct Incoming {
    quic: quinn::Incoming,
    slot: HandshakeSlot,
    endpoint: Endpoint,
}

impl Endpoint {
    /// Binds `address` and answers there. Port 0 lets the system choose; `[::]` serves IPv4 too
    /// where the system can.
    ///
    /// # Errors
    /// If the port is taken, the address is not this machine's, or the limits make no sense.
    pub fn bind(address: SocketAddr, key: &TransportKey, limits: LinkLimits) -> Result<Self, BindError> {
        check(&limits)?;
        let words = Arc::new(FirstWords::default());
        let quic = insisting(address, &words)
            .and_then(|socket| {
                let config = limits.endpoint();
                quinn::Endpoint::new_with_abstract_socket(config, None, socket, Arc::new(TokioRuntime))
            })
            .map_err(|source| BindError::from_io(address, source))?;
        Ok(Self::answering(quic, key, limits, Arc::new(StdSystemTime), words))
    }

    /// Answers where `carrier` ends, instead of at a socket of this system.
    ///
    /// With a `seed`, what the endpoint decides by chance follows from it, and time is the
    /// runtime's: on a runtime of one thread whose clock is paused, the same carrier gives the same
    /// datagrams at the same times, but for their encrypted bytes. A seed that others know gives
    /// away nothing secret, yet makes the order of some internal choices foreseeable; leave it out
    /// where that is not wanted.
    ///
    /// # Errors
    /// If the limits make no sense, or the carrier has no address.
    pub fn over(
        carrier: Arc<dyn Carrier>,
        seed: Option<[u8; 32]>,
        key: &TransportKey,
        limits: LinkLimits,
    ) -> Result<Self, BindError> {
        check(&limits)?;
        let mut config = limits.endpoint();
        config.rng_seed(seed);
        let words = Arc::new(FirstWords::default());
        let socket = Insisting::over(Arc::new(Carried(carrier)), &words);
        let quic = quinn::Endpoint::new_with_abstract_socket(config, None, socket, Arc::new(TokioRuntime))
            .map_err(|source| BindError::Carrier { source })?;
        Ok(Self::answering(quic, key, limits, Arc::new(RuntimeTime::default()), words))
    }

    /// `time` dates the tokens of callers that had to show their address.
    fn answering(
        quic: quinn::Endpoint,
        key: &TransportKey,
        limits: LinkLimits,
        time: Arc<dyn TimeSource>,
        words: Arc<FirstWords>,
    ) -> Self {
        let identity = Identity::new(key);
        let mut server = quinn::ServerConfig::with_crypto(identity.server_config(limits.version_max));
        // Tokens for a later call would save a flooded camp's callers a round trip; but callers keep none, and
        // two of them are a fifth of what a meeting without news takes after its handshake.
        let mut tokens = ValidationTokenConfig::default();
        tokens.sent(0);
        server
            .validation_token_config(tokens)
            .transport_config(limits.accepting())
            .time_source(time)
            .max_incoming(INCOMING_MAX)
            .incoming_buffer_size(INCOMING_BYTES_MAX)
            .incoming_buffer_size_total(INCOMING_BYTES_MAX * INCOMING_MAX as u64)
            // A phone that changes networks keeps its link; QUIC checks the new address first.
            .migration(true);
        quic.set_server_config(Some(server));
        Self(Arc::new(Shared {
            quic,
            identity,
            public: key.public(),
            connecting: limits.connecting(),
            slots: Slots::new(limits.connections_max, limits.connections_per_peer_max),
            limits,
            goodbye: Goodbye::default(),
            words,
        }))
    }

    /// Connects to the peer at `address`. With `expected`, only to the one that proves this key,
    /// and our own key is not shown to anybody else; without, whoever answers learns it.
    ///
    /// Success means that the *peer's* key is proved. The peer checks ours after this returns, and
    /// decides after that whether it wants us; if not, the first `send` or `recv` says so. Take
    /// nothing for agreed before the peer's first reply.
    ///
    /// # Errors
    /// If nobody answers, somebody else does, or a limit is reached on either side.
    pub async fn connect(&self, address: SocketAddr, expected: Option<PeerKey>) -> Result<Connection, ConnectError> {
        self.connect_any(&[address], expected).await
    }

    /// As [`Endpoint::connect`], to the peer that may be at any of `addresses`, the likeliest first:
    /// the next is called a quarter of a second later while nobody has answered, and the first
    /// answer wins. An address that is silent is called again, beside the first call, while the
    /// handshake time lasts.
    ///
    /// Of more than sixteen addresses the first are called. Without `expected`, whoever answers at
    /// any of them may learn our key.
    ///
    /// # Errors
    /// If no address answers as it should; said is what the first answer was that did not.
    pub async fn connect_any(
        &self,
        addresses: &[SocketAddr],
        expected: Option<PeerKey>,
    ) -> Result<Connection, ConnectError> {
        let Shared { quic, identity, limits, connecting, slots, .. } = &*self.0;
        let slot = slots.take(None).ok_or(ConnectError::TooManyConnections)?;
        let calls = Calls { quic, identity, limits, transport: connecting, expected };
        let mut listening: Vec<Listening> =
            addresses.iter().take(ADDRESSES_MAX).map(|address| self.0.words.listen(*address)).collect();
        let quic = calls.first(addresses).await?;
        if let Some(at) = listening.iter().position(|call| call.address() == quic.remote_address()) {
            listening.swap_remove(at).insist(quic.rtt());
        }
        let proved = proved(&quic).map_err(|refusal| match refusal {
            NotProved::Key => ConnectError::NoRawKey,
            NotProved::Version => ConnectError::NoCommonVersion,
        })?;
        match slot.admit(proved.peer, Box::new(quic.clone())) {
            Ok(slot) => Ok(Connection::new(quic, proved, slot, Arc::clone(&self.0.goodbye))),
            Err(_full) => {
                quic.close(VarInt::from_u32(close_code::TOO_MANY_FROM_PEER), b"too many connections with this key");
                Err(ConnectError::TooManyConnections)
            }
        }
    }

    /// The next caller, or `None` once the endpoint is closed.
    ///
    /// A full endpoint refuses here, at no cost and by name (the caller sees
    /// [`ConnectError::Busy`]), unless a stranger makes room: see [`Connection::vouch`]. With many handshakes open, callers must first show that they
    /// receive at their address; before that they cost nothing.
    pub async fn accept(&self) -> Option<Incoming> {
        loop {
            let quic = self.0.quic.accept().await?;
            let Some(slot) = self.0.slots.take(Some(quic.remote_address().ip())) else {
                quic.refuse();
                continue;
            };
            // The caller's own handshake is already counted.
            let many = self.0.slots.handshakes() > self.0.limits.handshakes_unvalidated_max;
            if many && !quic.remote_address_validated() {
                drop(slot);
                // An unvalidated address may always be asked to try again; if quinn thinks
                // otherwise the caller is refused by the drop of its error.
                let _ = quic.retry();
                continue;
            }
            return Some(Incoming { quic, slot, endpoint: self.clone() });
        }
    }

    /// Goes on from another local address: the phone joined another network.
    ///
    /// Connections that this side opened stay what they are; their peers see the new address and
    /// check it. Until this is called, QUIC notices a change only when the old socket fails.
    ///
    /// # Errors
    /// As [`Endpoint::bind`]; then the old address stays in use.
    pub fn rebind(&self, address: SocketAddr) -> Result<(), BindError> {
        let rebound = insisting(address, &self.0.words).and_then(|socket| self.0.quic.rebind_abstract(socket));
        rebound.map_err(|source| BindError::from_io(address, source))
    }

    /// As [`Endpoint::rebind`], from another carrier.
    ///
    /// # Errors
    /// If the carrier has no address; then the old one stays in use.
    pub fn rebind_over(&self, carrier: Arc<dyn Carrier>) -> Result<(), BindError> {
        let socket = Insisting::over(Arc::new(Carried(carrier)), &self.0.words);
        self.0.quic.rebind_abstract(socket).map_err(|source| BindError::Carrier { source })
    }

    /// Closes every connection with `code`, and connects and accepts no more.
    pub fn close(&self, code: u32, reason: &str) {
        let _ = self.0.goodbye.set((code, reason.to_owned()));
        self.0.quic.close(VarInt::from_u32(code), reason.as_bytes());
    }

    /// Waits until peers had time to hear that their connections were closed. Exiting sooner
    /// leaves them to find out by timing out.
    pub async fn wait_idle(&self) {
        self.0.quic.wait_idle().await;
    }

    /// Where this endpoint answers; with port 0 asked for, here is the one given.
    ///
    /// # Errors
    /// If the system cannot say, which a bound socket should not meet.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.0.quic.local_addr()
    }

    /// The key that peers see.
    pub fn public_key(&self) -> PeerKey {
        self.0.public
    }
}

/// The runtime's time since the endpoint came about, as a date: tokens are compared with each other only.
#[derive(Debug)]
struct RuntimeTime(Instant);

impl Default for RuntimeTime {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl TimeSource for RuntimeTime {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.0.elapsed()
    }
}

/// A UDP socket at `address` whose first words are said again.
fn insisting(address: SocketAddr, words: &Arc<FirstWords>) -> io::Result<Arc<Insisting>> {
    let socket = TokioRuntime.wrap_udp_socket(socket::bind(address)?)?;
    Ok(Insisting::over(socket, words))
}

/// What must hold before anything is bound.
fn check(limits: &LinkLimits) -> Result<(), BindError> {
    limits.check()?;
    match tokio::runtime::Handle::try_current() {
        Ok(_) => Ok(()),
        Err(_) => Err(BindError::NoRuntime),
    }
}

/// What a complete handshake lacks, though those who verify it let none without complete.
enum NotProved {
    /// TLS reports no single raw key.
    Key,
    /// TLS reports no version of ours.
    Version,
}

fn proved(quic: &quinn::Connection) -> Result<Proved, NotProved> {
    let peer = proved_key(quic).ok_or(NotProved::Key)?;
    let version = agreed_version(quic).ok_or(NotProved::Version)?;
    Ok(Proved { peer, version })
}

impl Lodger for quinn::Connection {
    fn is_mute(&self) -> bool {
        self.stats().frame_rx.stream == 0
    }

    fn make_room(&self, code: u32) {
        self.close(VarInt::from_u32(code), b"made room");
    }
}

impl Incoming {
    /// Completes the handshake. Do this in a task of its own: a slow caller should keep nobody
    /// waiting.
    ///
    /// # Errors
    /// If the caller proves no key, speaks no version that we speak, or is too slow. One that has as many connections as it
    /// may have loses one of them.
    pub async fn accept(self) -> Result<Connection, AcceptError> {
        let limits = &self.endpoint.0.limits;
        let connecting = self.quic.accept()?;
        let quic = tokio::select! {
            biased;
            handshake = timeout(limits.handshake, connecting) => handshake.map_err(|_elapsed| AcceptError::TimedOut)??,
            () = self.slot.made_room() => return Err(AcceptError::MadeRoom),
        };
        let proved = proved(&quic).map_err(|refusal| match refusal {
            NotProved::Key => AcceptError::NoRawKey,
            NotProved::Version => AcceptError::NoCommonVersion,
        })?;
        let slot = self.slot.admit_caller(proved.peer, Box::new(quic.clone()));
        Ok(Connection::new(quic, proved, slot, Arc::clone(&self.endpoint.0.goodbye)))
    }

    /// Refuses the caller before its handshake; it sees [`ConnectError::Busy`].
    pub fn refuse(self) {
        self.quic.refuse();
    }

    /// Where the call says it comes from; true if [`Incoming::address_is_validated`].
    pub fn remote_address(&self) -> SocketAddr {
        self.quic.remote_address()
    }

    /// Whether the caller has shown that it receives at its address, as it must when
    /// [`LinkLimits::handshakes_unvalidated_max`] is passed.
    pub fn address_is_validated(&self) -> bool {
        self.quic.remote_address_validated()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("public_key", &self.0.public)
            .field("local_address", &self.local_address().ok())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("remote_address", &self.remote_address()).finish_non_exhaustive()
    }
}
