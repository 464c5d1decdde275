//! Sending: one writer per class, each with its own stream.

use std::sync::{Arc, OnceLock};

use quinn::WriteError;
use tokio::sync::mpsc;

use crate::{
    Class,
    closing::{Closing, Violation},
    frame::HEADER_BYTES,
    stats::Counters,
};

/// Frames waiting behind the one being written. One keeps the stream busy; more would only move
/// the caller's queue in here, where nobody can reorder it.
const FRAMES_WAITING_MAX: usize = 1;

/// Frames are written in pieces, because quinn keeps a piece whole until its last byte is
/// acknowledged; with small pieces the send window counts what is really outstanding.
const PIECE_BYTES: usize = 16 << 10;

/// The sending end of a connection. A class costs nothing until it is first used.
#[derive(Default)]
pub(crate) struct Outbox {
    lanes: [OnceLock<mpsc::Sender<Vec<u8>>>; Class::ALL.len()],
}

/// What a writer needs of its connection. It does not keep the connection open: the last
/// [`Connection`](crate::Connection) closes when dropped, and writers end with that.
#[derive(Clone)]
pub(crate) struct WriterParts {
    pub(crate) quic: quinn::Connection,
    pub(crate) closing: Closing,
    pub(crate) counters: Arc<Counters>,
}

/// The connection is over.
pub(crate) struct Closed;

impl Outbox {
    /// Waits until the class takes another frame. Dropped before it returns, nothing was sent;
    /// a frame is never sent in part.
    pub(crate) async fn send(&self, parts: &WriterParts, class: Class, frame: Vec<u8>) -> Result<(), Closed> {
        let lane = self.lanes[class.index()].get_or_init(|| {
            let (lane, frames) = mpsc::channel(FRAMES_WAITING_MAX);
            tokio::spawn(write_lane(parts.clone(), class, frames));
            lane
        });
        lane.send(frame).await.map_err(|_| Closed)
    }
}

async fn write_lane(parts: WriterParts, class: Class, frames: mpsc::Receiver<Vec<u8>>) {
    match write_frames(&parts, class, frames).await {
        // The connection says itself why it ended.
        Ok(()) | Err(WriteError::ConnectionLost(_)) => {}
        Err(WriteError::Stopped(_)) => parts.closing.close_for(Violation::StreamCut),
        // We never finish a stream before its connection, and use no 0-RTT.
        Err(WriteError::ClosedStream | WriteError::ZeroRttRejected) => {
            parts.closing.close_for(Violation::StreamCut);
        }
    }
}

async fn write_frames(
    parts: &WriterParts,
    class: Class,
    mut frames: mpsc::Receiver<Vec<u8>>,
) -> Result<(), WriteError> {
    let mut stream = parts.quic.open_uni().await.map_err(WriteError::ConnectionLost)?;
    stream.set_priority(class.stream_priority())?;
    let mut head = vec![class.byte()];
    while let Some(frame) = frames.recv().await {
        let length = u32::try_from(frame.len()).expect("checked against its class's maximum");
        head.extend_from_slice(&length.to_be_bytes());
        // Header and first piece in one write: a short frame is one packet, not two.
        let (first, rest) = frame.split_at(frame.len().min(PIECE_BYTES - HEADER_BYTES));
        head.extend_from_slice(first);
        stream.write_all(&head).await?;
        for piece in rest.chunks(PIECE_BYTES) {
            stream.write_all(piece).await?;
        }
        parts.counters.sent(class, frame.len());
        head.clear();
    }
    Ok(())
}
