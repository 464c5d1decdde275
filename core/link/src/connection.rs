//! A link with one proved peer.

use std::{
    fmt,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use tokio::sync::Mutex;

use crate::{
    Class, LinkError, LinkStats, PeerKey, Version,
    closing::{CloseInfo, Closing, Goodbye, close_code},
    inbox::{Inbox, Stop},
    outbox::{Closed, Outbox, WriterParts},
    pulse,
    slots::{PeerSlot, Vouch},
    stats::Counters,
};

/// A link with one peer whose key TLS proved: frames out, frames in.
///
/// Clones are handles to the same link. Any number of tasks may send, one receives. When the last
/// handle is dropped the link is closed with [`close_code::DONE`], whatever is still on its way.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

/// What the handshake showed.
#[derive(Clone, Copy)]
pub(crate) struct Proved {
    pub(crate) peer: PeerKey,
    pub(crate) version: Version,
}

struct Inner {
    proved: Proved,
    vouch: Vouch,
    parts: WriterParts,
    outbox: Outbox,
    inbox: Mutex<Inbox>,
}

impl Connection {
    pub(crate) fn new(quic: quinn::Connection, proved: Proved, slot: PeerSlot, endpoint: Goodbye) -> Self {
        let (over, vouch) = (quic.clone(), slot.vouch());
        // The place is given back when the link ends, even if somebody keeps its handle to ask
        // for statistics. The task ends with the link, because dropping the last handle closes it.
        tokio::spawn(async move {
            pulse::keep(over).await;
            drop(slot);
        });
        Self(Arc::new(Inner {
            proved,
            vouch,
            parts: WriterParts {
                closing: Closing::new(quic.clone(), endpoint),
                quic,
                counters: Arc::new(Counters::default()),
            },
            outbox: Outbox::default(),
            inbox: Mutex::default(),
        }))
    }

    /// Hands `frame` to the link, and waits while its class is full: until the peer reads.
    ///
    /// Frames of one class arrive in the order of these calls, frames of different classes by
    /// urgency. Returned does not mean arrived: what the peer holds, it says itself in a frame.
    /// Dropping the future before it returns sends nothing; never a part of a frame.
    ///
    /// # Errors
    /// If the frame is longer than [`Class::frame_bytes_max`], or the link is over.
    pub async fn send(&self, class: Class, frame: Vec<u8>) -> Result<(), LinkError> {
        let bytes_max = class.frame_bytes_max();
        if frame.len() > bytes_max {
            return Err(LinkError::FrameTooLarge { class, bytes: frame.len(), bytes_max });
        }
        // A writer that waits for frames does not notice the end of its link.
        if let Some(info) = self.close_info() {
            return Err(info.into());
        }
        match self.0.outbox.send(&self.0.parts, class, frame).await {
            Ok(()) => Ok(()),
            // A writer stops only when the link ends, or just before it ends it.
            Err(Closed) => Err(self.closed().await.into()),
        }
    }

    /// The next frame: the most urgent that is here, with a small share for the others.
    ///
    /// Nothing is read ahead of these calls, so a reader that is slow slows the peer down.
    /// Frames that arrived whole are still returned after the link has ended. Dropping the future
    /// loses nothing. Calls from several tasks take turns, in no useful order.
    ///
    /// # Errors
    /// If the link is over, or the peer broke the framing; then it is closed with the code of that
    /// [`Violation`](crate::Violation).
    pub async fn recv(&self) -> Result<(Class, Vec<u8>), LinkError> {
        self.recv_of(&Class::ALL).await
    }

    /// As [`recv`](Self::recv), of these classes only; the others wait, on the peer's side once their windows are full.
    ///
    /// # Errors
    /// As [`recv`](Self::recv). After the link has ended, frames of other classes are not returned any more.
    pub async fn recv_of(&self, classes: &[Class]) -> Result<(Class, Vec<u8>), LinkError> {
        let mut inbox = self.0.inbox.lock().await;
        match inbox.next_frame(&self.0.parts.quic, classes).await {
            Ok((class, frame)) => {
                self.0.parts.counters.received(class, frame.len());
                Ok((class, frame))
            }
            Err(Stop::Closed(error)) => Err(self.0.parts.closing.describe(error).into()),
            Err(Stop::Violation(violation)) => {
                self.0.parts.closing.close_for(violation);
                Err(LinkError::Misbehaved { violation })
            }
        }
    }

    /// A frame that has arrived whole, without waiting for one; also after the link has ended, on whichever side.
    /// `None`, too, while another task waits in [`recv`](Self::recv).
    pub fn try_recv(&self) -> Option<(Class, Vec<u8>)> {
        let mut inbox = self.0.inbox.try_lock().ok()?;
        let next = pin!(inbox.next_frame(&self.0.parts.quic, &Class::ALL));
        match next.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok((class, frame))) => {
                self.0.parts.counters.received(class, frame.len());
                Some((class, frame))
            }
            Poll::Ready(Err(Stop::Violation(violation))) => {
                self.0.parts.closing.close_for(violation);
                None
            }
            Poll::Ready(Err(Stop::Closed(_))) | Poll::Pending => None,
        }
    }

    /// Closes the link at once; frames on their way in either direction are dropped.
    ///
    /// So the side that received last closes. Codes from [`close_code::SESSION_FROM`] are the
    /// caller's; of `reason`, the first 128 bytes travel. A second close changes nothing.
    pub fn close(&self, code: u32, reason: &str) {
        self.0.parts.closing.close(code, reason);
    }

    /// Waits until the link has ended, and says how.
    pub async fn closed(&self) -> CloseInfo {
        self.0.parts.closing.closed().await
    }

    /// How the link ended; `None` while it is open.
    pub fn close_info(&self) -> Option<CloseInfo> {
        self.0.parts.closing.info()
    }

    /// Says that the peer is no stranger: that its place is its own from now on.
    ///
    /// Until then it may be closed with [`close_code::MADE_ROOM`] when every place is taken and its
    /// network has most of them. Peers that this side called are no strangers.
    pub fn vouch(&self) {
        self.0.vouch.give();
    }

    /// The key the peer proved. Whose key that is, this room does not know.
    pub fn peer(&self) -> PeerKey {
        self.0.proved.peer
    }

    /// The version of the conversation that both sides agreed on: the newest that both speak.
    pub fn version(&self) -> Version {
        self.0.proved.version
    }

    /// Where the peer's packets come from now. It may change: a phone leaves one Wi-Fi for
    /// another and the link goes on.
    pub fn remote_address(&self) -> SocketAddr {
        self.0.parts.quic.remote_address()
    }

    /// What was carried so far.
    pub fn stats(&self) -> LinkStats {
        let mut stats = self.0.parts.counters.read(&self.0.parts.quic);
        if let Ok(inbox) = self.0.inbox.try_lock() {
            stats.set_unfinished(|class| inbox.unfinished(class));
        }
        stats
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Writers and the place's task hold QUIC's own handles, which would keep the link open.
        self.parts.closing.close(close_code::DONE, "");
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("peer", &self.0.proved.peer)
            .field("version", &self.0.proved.version)
            .field("closed", &self.close_info())
            .finish_non_exhaustive()
    }
}
