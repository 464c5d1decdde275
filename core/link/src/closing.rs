//! How a connection ended: said by the peer, said by us, or not said at all.

use std::sync::{Arc, OnceLock};

use quinn::{ConnectionError, TransportErrorCode, VarInt};

use crate::Class;

/// Codes that travel when a connection is closed.
///
/// Codes below [`SESSION_FROM`](close_code::SESSION_FROM) belong to this room; those above are the
/// conversation's, and this room carries them without knowing what they mean.
pub mod close_code {
    /// Nothing left to say. Also sent when the last handle of a connection is dropped.
    pub const DONE: u32 = 0;
    /// A frame was announced that is longer than its class allows.
    pub const FRAME_TOO_LARGE: u32 = 1;
    /// A stream began with a byte that names no class.
    pub const CLASS_UNKNOWN: u32 = 2;
    /// A second stream was opened for a class.
    pub const CLASS_REPEATED: u32 = 3;
    /// A stream was reset, stopped, or ended inside a frame.
    pub const STREAM_CUT: u32 = 4;
    /// This key has as many connections as it may have, and came again.
    pub const TOO_MANY_FROM_PEER: u32 = 5;
    /// Every place is taken, nobody vouched for this peer, and its place was given to a caller of another network.
    pub const MADE_ROOM: u32 = 6;
    /// The first code that is the conversation's own.
    pub const SESSION_FROM: u32 = 0x100;
}

/// Longest reason sent or kept, in bytes.
const REASON_BYTES_MAX: usize = 128;

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseInfo {
    /// The peer closed it and said why.
    ByPeer {
        /// See [`close_code`].
        code: u32,
        /// For a log: printable ASCII, at most 128 bytes, whatever the peer sent.
        reason: String,
    },
    /// This side closed it.
    Here {
        /// See [`close_code`].
        code: u32,
        /// As it was given.
        reason: String,
    },
    /// Nobody said anything: try again later.
    Lost {
        /// What was noticed.
        cause: Loss,
    },
    /// The QUIC or TLS of one side gave up on the other. A server that does not accept our key in
    /// the handshake ends this way, after `connect` returned.
    Aborted {
        /// RFC 9000 §20.1; 0x100 and up carry a TLS alert in the low byte.
        transport_code: u64,
    },
}

/// What was noticed of a peer that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// Nothing arrived for the idle time.
    #[error("nothing arrived within the idle time")]
    TimedOut,
    /// The peer ended it before it knew that we are who we are. QUIC carries no reason so early (RFC 9000 §10.2.3).
    #[error("the peer ended it early")]
    EndedEarly,
    /// Somebody answers there who does not know of this connection.
    #[error("the peer restarted")]
    PeerRestarted,
    /// Our own socket stopped working, or the runtime is shutting down.
    #[error("this side's socket stopped working")]
    SocketGone,
}

/// A rule of the framing that a peer broke. The connection is closed with [`Violation::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A frame longer than its class allows was announced; nothing of it was read.
    #[error("a {class} frame of {bytes} bytes was announced, the limit is {bytes_max}")]
    FrameTooLarge {
        /// The stream's class.
        class: Class,
        /// The length announced.
        bytes: u32,
        /// The length allowed.
        bytes_max: usize,
    },
    /// A stream began with a byte that names no class.
    #[error("a stream began with {byte}, which names no class")]
    ClassUnknown {
        /// That byte.
        byte: u8,
    },
    /// A second stream was opened for a class.
    #[error("a second stream was opened for {class}")]
    ClassRepeated {
        /// The class.
        class: Class,
    },
    /// A stream was reset, stopped, or ended inside a frame.
    #[error("a stream was cut")]
    StreamCut,
}

impl Violation {
    /// The code with which the connection is closed.
    pub const fn code(&self) -> u32 {
        match self {
            Self::FrameTooLarge { .. } => close_code::FRAME_TOO_LARGE,
            Self::ClassUnknown { .. } => close_code::CLASS_UNKNOWN,
            Self::ClassRepeated { .. } => close_code::CLASS_REPEATED,
            Self::StreamCut => close_code::STREAM_CUT,
        }
    }
}

/// The first goodbye said on this side. QUIC reports only that it was us.
pub(crate) type Goodbye = Arc<OnceLock<(u32, String)>>;

/// The part of a connection that knows how it ended; shared with its writers.
#[derive(Clone)]
pub(crate) struct Closing {
    quic: quinn::Connection,
    here: Goodbye,
    /// Said to all connections at once when their endpoint closes.
    endpoint: Goodbye,
}

impl Closing {
    pub(crate) fn new(quic: quinn::Connection, endpoint: Goodbye) -> Self {
        Self { quic, here: Goodbye::default(), endpoint }
    }

    pub(crate) fn close(&self, code: u32, reason: &str) {
        let reason = trimmed(reason);
        if self.quic.close_reason().is_none() {
            // A second close changes nothing, as in QUIC.
            let _ = self.here.set((code, reason.to_owned()));
        }
        self.quic.close(VarInt::from_u32(code), reason.as_bytes());
    }

    pub(crate) fn close_for(&self, violation: Violation) {
        self.close(violation.code(), &violation.to_string());
    }

    /// `None` while the connection is open.
    pub(crate) fn info(&self) -> Option<CloseInfo> {
        Some(self.describe(self.quic.close_reason()?))
    }

    pub(crate) async fn closed(&self) -> CloseInfo {
        let error = self.quic.closed().await;
        self.describe(error)
    }

    pub(crate) fn describe(&self, error: ConnectionError) -> CloseInfo {
        match error {
            ConnectionError::ApplicationClosed(close) => CloseInfo::ByPeer {
                code: u32::try_from(close.error_code.into_inner()).unwrap_or(u32::MAX),
                reason: printable(&close.reason),
            },
            ConnectionError::LocallyClosed => {
                let said = self.here.get().or_else(|| self.endpoint.get()).cloned();
                let (code, reason) = said.unwrap_or_default();
                CloseInfo::Here { code, reason }
            }
            ConnectionError::TimedOut => Loss::TimedOut.into(),
            ConnectionError::Reset => Loss::PeerRestarted.into(),
            ConnectionError::TransportError(error) if error.code == TransportErrorCode::INTERNAL_ERROR => {
                Loss::SocketGone.into()
            }
            ConnectionError::TransportError(error) => CloseInfo::Aborted { transport_code: error.code.into() },
            ConnectionError::ConnectionClosed(close) if close.error_code == TransportErrorCode::APPLICATION_ERROR => {
                Loss::EndedEarly.into()
            }
            ConnectionError::ConnectionClosed(close) => CloseInfo::Aborted { transport_code: close.error_code.into() },
            // These two end a handshake, never a connection.
            ConnectionError::VersionMismatch | ConnectionError::CidsExhausted => Loss::SocketGone.into(),
        }
    }
}

impl From<Loss> for CloseInfo {
    fn from(cause: Loss) -> Self {
        Self::Lost { cause }
    }
}

fn trimmed(reason: &str) -> &str {
    let mut end = reason.len().min(REASON_BYTES_MAX);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}

/// A peer's text ends up in logs and on terminals, so nothing in it may act there.
pub(crate) fn printable(reason: &[u8]) -> String {
    reason
        .iter()
        .take(REASON_BYTES_MAX)
        .map(|&byte| match byte {
            b' '..=b'~' => char::from(byte),
            _ => '?',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_reason_cannot_act_on_a_terminal() {
        assert_eq!(printable(b"cut at 12\x1b[2J\n\xff"), "cut at 12?[2J??");
        assert_eq!(printable(&[b'a'; 500]).len(), REASON_BYTES_MAX);
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let long = "ä".repeat(100);
        assert_eq!(trimmed(&long).len(), REASON_BYTES_MAX);
        assert_eq!(trimmed(&format!("a{long}")).len(), REASON_BYTES_MAX - 1);
        assert_eq!(trimmed("short"), "short");
    }
}
