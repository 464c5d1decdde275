//! Why there was no conversation, and what a person can do about it.

use std::net::SocketAddr;

use merestone_link::{BindError, ConnectError, close_code};

/// No conversation came about; nothing changed on either side.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Nobody said where the peer answers.
    #[error("the peer has no address")]
    NoAddress,
    /// This machine gives no socket.
    #[error("no socket for {address}")]
    NoSocket {
        /// Where the peer most likely answers.
        address: SocketAddr,
        /// The system's reason.
        #[source]
        source: BindError,
    },
    /// The peer could not be reached, or was not the one expected.
    #[error("no link to {address}")]
    NoLink {
        /// Where it most likely answers.
        address: SocketAddr,
        /// What happened.
        #[source]
        source: ConnectError,
    },
    /// The device was suspended or closed.
    #[error("the device is closed")]
    Closed,
    /// The task ended without an answer: a bug of ours, or the runtime is shutting down.
    #[error("the conversation was abandoned")]
    Abandoned,
}

impl SyncError {
    /// A name that programs may rely on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoAddress => "no-address",
            Self::NoSocket { .. } => "no-socket",
            Self::NoLink { source, .. } => connect_code(source),
            Self::Closed => "closed",
            Self::Abandoned => "internal",
        }
    }

    /// What a person can do.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NoAddress => "ask for the peer's address or ticket",
            Self::NoSocket { source, .. } => match source {
                BindError::NoIpv6 => "this system has no ipv6: use the peer's ipv4 address",
                BindError::PortInUse { .. } => "another program uses the port: choose another",
                BindError::AddressNotHere { .. }
                | BindError::Forbidden { .. }
                | BindError::Limits { .. }
                | BindError::NoRuntime
                | BindError::Carrier { .. }
                | BindError::System { .. } => "check that this device has a network",
            },
            Self::NoLink { source, .. } => connect_advice(source),
            Self::Closed => "open the device, then try again",
            Self::Abandoned => "try again",
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_worth_retrying(&self) -> bool {
        match self {
            Self::NoAddress | Self::NoSocket { .. } | Self::Closed | Self::Abandoned => false,
            Self::NoLink { source, .. } => {
                matches!(source, ConnectError::NoAnswer | ConnectError::Busy | ConnectError::TooManyConnections)
            }
        }
    }
}

fn connect_code(error: &ConnectError) -> &'static str {
    match error {
        ConnectError::BadAddress { .. } => "bad-address",
        ConnectError::NoAnswer => "no-answer",
        ConnectError::Busy => "busy",
        ConnectError::TooManyConnections => "too-many-connections-here",
        ConnectError::WrongKey => "wrong-key",
        ConnectError::NoCommonVersion => "version",
        ConnectError::NoRawKey => "no-raw-key",
        ConnectError::Handshake { .. } => "handshake",
        ConnectError::ClosedByPeer { code: close_code::TOO_MANY_FROM_PEER, .. } => "too-many-connections",
        ConnectError::ClosedByPeer { .. } => "closed-by-peer",
        ConnectError::EndpointClosed => "stopped",
    }
}

fn connect_advice(error: &ConnectError) -> &'static str {
    match error {
        ConnectError::BadAddress { .. } => "check the address and the port",
        ConnectError::NoAnswer => {
            "check that the other device is on, serves, and is on the same network; then the address"
        }
        ConnectError::Busy => "the other side is full: try again in a minute",
        ConnectError::TooManyConnections => "too many connections are open here: end one",
        ConnectError::WrongKey => {
            "another device answers at this address: check the address, or compare keys with its holder"
        }
        ConnectError::NoCommonVersion => {
            "no version of merestone is spoken by both: update the older side (or check the port: it may be another program)"
        }
        ConnectError::NoRawKey => "what answers there shows no key: check the port",
        ConnectError::Handshake { .. } => "the handshake failed: update both sides, then try again",
        ConnectError::ClosedByPeer { code: close_code::TOO_MANY_FROM_PEER, .. } => {
            "newer links of this device go on in its place: there is nothing to do"
        }
        ConnectError::ClosedByPeer { .. } => "the other side refused this device",
        ConnectError::EndpointClosed => "this side is shutting down",
    }
}

/// An endpoint cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It shows another transport key than the replica's, which no peer would find in the replica's certificate.
    #[error("the endpoint has another transport key than this replica")]
    OtherKey,
    /// The device was suspended or closed.
    #[error("the device is closed")]
    Closed,
    /// It has no address.
    #[error("the endpoint has no address")]
    NoAddress(#[source] std::io::Error),
}
