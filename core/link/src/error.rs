//! What can go wrong, one enum per operation.

use std::{io, net::SocketAddr};

use quinn::{ConnectionError, TransportErrorCode};

use crate::{
    Class,
    closing::{CloseInfo, Loss, Violation, printable},
};

/// An endpoint could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program, or another endpoint of this one, holds the port.
    #[error("udp port {port} is in use")]
    PortInUse {
        /// The port asked for.
        port: u16,
    },
    /// No interface of this machine has the address.
    #[error("{address} is not an address of this machine")]
    AddressNotHere {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The system has no IPv6; an IPv4 address may do.
    #[error("this system has no ipv6")]
    NoIpv6,
    /// The system does not let this program use the port (often one below 1024).
    #[error("udp port {port} may not be used by this program")]
    Forbidden {
        /// The port asked for.
        port: u16,
    },
    /// The limits contradict themselves.
    #[error("limits allow no link: {rule} does not hold")]
    Limits {
        /// What must hold.
        rule: &'static str,
    },
    /// Called outside a tokio runtime.
    #[error("no async runtime")]
    NoRuntime,
    /// The carrier cannot be used.
    #[error("the carrier cannot be used")]
    Carrier {
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// Something else the system said.
    #[error("{address} could not be bound")]
    System {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A peer could not be reached, or was not the one expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be connected to from this socket: port 0, or IPv6 from IPv4.
    #[error("{address} cannot be connected to from this socket")]
    BadAddress {
        /// The address asked for.
        address: SocketAddr,
    },
    /// Nobody answered within the handshake time: not there, switched off, or filtered.
    #[error("no answer")]
    NoAnswer,
    /// The peer answered that it takes no more connections now.
    #[error("the peer takes no more connections now")]
    Busy,
    /// This endpoint, or this peer on it, has all the connections it may have.
    #[error("this side takes no more connections, with this peer or at all")]
    TooManyConnections,
    /// Somebody else answers at this address. Our own key was not shown to them.
    #[error("another key than the expected one answered")]
    WrongKey,
    /// No version is spoken by both: one side is older than what the other still speaks, or what
    /// answers is another program.
    #[error("the other side speaks no version of merestone that this side speaks: update the older one")]
    NoCommonVersion,
    /// The other side shows or takes no raw public key.
    #[error("the other side uses no raw public keys")]
    NoRawKey,
    /// The handshake failed in another way.
    #[error("handshake failed with transport code {transport_code:#x}")]
    Handshake {
        /// RFC 9000 §20.1; 0x100 and up carry a TLS alert in the low byte.
        transport_code: u64,
    },
    /// The peer closed at once, with a code.
    #[error("closed by the peer with code {code}")]
    ClosedByPeer {
        /// See [`close_code`](crate::close_code).
        code: u32,
        /// For a log: printable ASCII, at most 128 bytes.
        reason: String,
    },
    /// This endpoint was closed.
    #[error("this endpoint is closed")]
    EndpointClosed,
}

/// A caller did not become a connection. The endpoint goes on accepting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// The handshake did not end within its time.
    #[error("the handshake did not end in time")]
    TimedOut,
    /// No version is spoken by both: one side is older than what the other still speaks, or the
    /// caller is another program.
    #[error("the caller speaks no version of merestone that this side speaks: update the older one")]
    NoCommonVersion,
    /// The caller shows or takes no raw public key.
    #[error("the caller uses no raw public keys")]
    NoRawKey,
    /// Every place was taken, and this caller's was given to one of another network.
    #[error("the place was given to another caller")]
    MadeRoom,
    /// The handshake failed in another way.
    #[error("handshake failed with transport code {transport_code:#x}")]
    Handshake {
        /// RFC 9000 §20.1; 0x100 and up carry a TLS alert in the low byte.
        transport_code: u64,
    },
    /// The caller changed its mind.
    #[error("the caller hung up")]
    HungUp,
    /// This endpoint was closed.
    #[error("this endpoint is closed")]
    EndpointClosed,
}

/// A frame could not be sent, or none will come any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Our own frame is longer than its class allows; nothing was sent and the link is unharmed.
    #[error("a {class} frame of {bytes} bytes is over the limit of {bytes_max}")]
    FrameTooLarge {
        /// Its class.
        class: Class,
        /// Its length.
        bytes: usize,
        /// The length allowed.
        bytes_max: usize,
    },
    /// The peer broke the framing; the link was closed with [`Violation::code`].
    #[error("the peer broke the framing")]
    Misbehaved {
        /// The rule it broke.
        #[source]
        violation: Violation,
    },
    /// The peer closed the link and said why: trying again at once is of no use.
    #[error("closed by the peer with code {code}")]
    ClosedByPeer {
        /// See [`close_code`](crate::close_code).
        code: u32,
        /// For a log: printable ASCII, at most 128 bytes.
        reason: String,
    },
    /// This side closed the link.
    #[error("closed on this side with code {code}")]
    ClosedHere {
        /// See [`close_code`](crate::close_code).
        code: u32,
        /// As it was given.
        reason: String,
    },
    /// The link is gone and nobody said why: connect again and resume.
    #[error("the link is lost")]
    Lost {
        /// What was noticed.
        #[source]
        cause: Loss,
    },
    /// QUIC or TLS gave up. Right after `connect`: the server did not take our key.
    #[error("the link was aborted with transport code {transport_code:#x}")]
    Aborted {
        /// RFC 9000 §20.1; 0x100 and up carry a TLS alert in the low byte.
        transport_code: u64,
    },
}

impl BindError {
    pub(crate) fn from_io(address: SocketAddr, source: io::Error) -> Self {
        let port = address.port();
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::PortInUse { port },
            io::ErrorKind::AddrNotAvailable if no_ipv6_loopback(address) => Self::NoIpv6,
            io::ErrorKind::AddrNotAvailable => Self::AddressNotHere { address },
            io::ErrorKind::PermissionDenied => Self::Forbidden { port },
            _ if address.is_ipv6() && is_family_missing(&source) => Self::NoIpv6,
            _ => Self::System { address, source },
        }
    }
}

/// A system with IPv6 switched off knows the family but has not even `::` and `::1`.
fn no_ipv6_loopback(address: SocketAddr) -> bool {
    match address {
        SocketAddr::V6(v6) => v6.ip().is_unspecified() || v6.ip().is_loopback(),
        SocketAddr::V4(_) => false,
    }
}

/// EAFNOSUPPORT, which the standard library gives no kind: Linux and Android, Apple, Windows.
fn is_family_missing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(97 | 47 | 10047))
}

/// TLS alert `handshake_failure` (RFC 8446 §6.2) in QUIC's numbering. In our handshake it has one
/// cause: no agreement on raw public keys.
const HANDSHAKE_FAILURE: u64 = 0x100 + 40;
/// TLS alert `no_application_protocol` (RFC 7301 §3.2, RFC 9001 §8.1).
const NO_APPLICATION_PROTOCOL: u64 = 0x100 + 120;

impl From<quinn::ConnectError> for ConnectError {
    fn from(error: quinn::ConnectError) -> Self {
        match error {
            quinn::ConnectError::EndpointStopping => Self::EndpointClosed,
            quinn::ConnectError::CidsExhausted => Self::TooManyConnections,
            quinn::ConnectError::InvalidRemoteAddress(address) => Self::BadAddress { address },
            // These three come from our own constants, so no address or peer causes them.
            quinn::ConnectError::InvalidServerName(_)
            | quinn::ConnectError::NoDefaultClientConfig
            | quinn::ConnectError::UnsupportedVersion => Self::Handshake { transport_code: 1 },
        }
    }
}

impl From<ConnectionError> for ConnectError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::TimedOut | ConnectionError::Reset => Self::NoAnswer,
            ConnectionError::VersionMismatch => Self::NoCommonVersion,
            ConnectionError::CidsExhausted => Self::TooManyConnections,
            ConnectionError::LocallyClosed => Self::EndpointClosed,
            ConnectionError::ApplicationClosed(close) => Self::ClosedByPeer {
                code: u32::try_from(close.error_code.into_inner()).unwrap_or(u32::MAX),
                reason: printable(&close.reason),
            },
            ConnectionError::ConnectionClosed(close) if close.error_code == TransportErrorCode::CONNECTION_REFUSED => {
                Self::Busy
            }
            // Ended early, and QUIC does not say why: calling again is all there is to do.
            ConnectionError::ConnectionClosed(close) if close.error_code == TransportErrorCode::APPLICATION_ERROR => {
                Self::NoAnswer
            }
            ConnectionError::ConnectionClosed(close) => close.error_code.into(),
            ConnectionError::TransportError(error) => error.code.into(),
        }
    }
}

impl From<TransportErrorCode> for ConnectError {
    fn from(code: TransportErrorCode) -> Self {
        match code.into() {
            HANDSHAKE_FAILURE => Self::NoRawKey,
            NO_APPLICATION_PROTOCOL => Self::NoCommonVersion,
            transport_code => Self::Handshake { transport_code },
        }
    }
}

impl From<ConnectionError> for AcceptError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::Reset | ConnectionError::ApplicationClosed(_) => Self::HungUp,
            ConnectionError::VersionMismatch => Self::NoCommonVersion,
            ConnectionError::LocallyClosed | ConnectionError::CidsExhausted => Self::EndpointClosed,
            ConnectionError::ConnectionClosed(close) => close.error_code.into(),
            ConnectionError::TransportError(error) => error.code.into(),
        }
    }
}

impl From<TransportErrorCode> for AcceptError {
    fn from(code: TransportErrorCode) -> Self {
        match code.into() {
            HANDSHAKE_FAILURE => Self::NoRawKey,
            NO_APPLICATION_PROTOCOL => Self::NoCommonVersion,
            transport_code => Self::Handshake { transport_code },
        }
    }
}

impl From<CloseInfo> for LinkError {
    fn from(info: CloseInfo) -> Self {
        match info {
            CloseInfo::ByPeer { code, reason } => Self::ClosedByPeer { code, reason },
            CloseInfo::Here { code, reason } => Self::ClosedHere { code, reason },
            CloseInfo::Lost { cause } => Self::Lost { cause },
            CloseInfo::Aborted { transport_code } => Self::Aborted { transport_code },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_becomes_what_a_person_can_act_on() {
        let v4: SocketAddr = "10.0.0.1:4433".parse().unwrap();
        let v6: SocketAddr = "[::]:4433".parse().unwrap();
        let kinds = |address, kind: io::ErrorKind| BindError::from_io(address, kind.into());
        assert!(matches!(kinds(v4, io::ErrorKind::AddrInUse), BindError::PortInUse { port: 4433 }));
        assert!(matches!(kinds(v4, io::ErrorKind::AddrNotAvailable), BindError::AddressNotHere { .. }));
        assert!(matches!(kinds(v6, io::ErrorKind::AddrNotAvailable), BindError::NoIpv6));
        assert!(matches!(kinds(v4, io::ErrorKind::PermissionDenied), BindError::Forbidden { port: 4433 }));
        let missing = BindError::from_io(v6, io::Error::from_raw_os_error(97));
        assert!(matches!(missing, BindError::NoIpv6));
        assert!(matches!(kinds(v4, io::ErrorKind::Other), BindError::System { .. }));
    }
}
