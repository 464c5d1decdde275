//! Receiving: five streams in, one frame at a time out.
//!
//! Nothing is read before it is asked for, so a slow reader slows the peer and not our memory.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use quinn::{AcceptUni, ConnectionError, ReadError, RecvStream};

use crate::{Class, closing::Violation, frame::HEADER_BYTES};

/// Every so many frames the turn begins with a less urgent class, so that a flood of text slows
/// photos down but cannot stop them. Urgent frames never wait for more than that one frame.
const FRAMES_PER_TURN: usize = 16;

/// Room for a frame grows with the bytes that arrived, at least by this much: announcing a
/// megabyte costs us 64 KiB.
const GROW_BYTES_MIN: usize = 64 << 10;

/// The receiving end of a connection. One reader at a time.
#[derive(Default)]
pub(crate) struct Inbox {
    /// Streams whose class byte has not arrived.
    unnamed: Vec<RecvStream>,
    lanes: [Slot; Class::ALL.len()],
    frames: usize,
    /// The peer broke a rule: nothing of what it sent after that is read.
    broken: bool,
}

/// One class: before its stream, during, and after it ended well.
#[derive(Default)]
enum Slot {
    #[default]
    Unopened,
    Open(Lane),
    Ended,
}

/// A stream and the frame being read from it.
struct Lane {
    class: Class,
    stream: RecvStream,
    header: [u8; HEADER_BYTES],
    header_filled: usize,
    body: Vec<u8>,
    body_filled: usize,
}

/// Why there is no further frame.
pub(crate) enum Stop {
    /// The connection is over, and every frame that arrived whole was returned before.
    Closed(ConnectionError),
    /// The peer broke a rule; the caller closes the connection.
    Violation(Violation),
}

/// Why a read gave nothing.
enum ReadStop {
    Lost,
    Cut,
}

impl Inbox {
    /// The next frame of these classes. Dropping the future loses nothing: half a frame stays here.
    pub(crate) async fn next_frame(
        &mut self,
        quic: &quinn::Connection,
        classes: &[Class],
    ) -> Result<(Class, Vec<u8>), Stop> {
        if self.broken {
            return Err(Stop::Closed(quic.closed().await));
        }
        let mut accept = pin!(quic.accept_uni());
        let next = poll_fn(|cx| self.poll_next(cx, quic, classes, accept.as_mut())).await;
        if let Err(Stop::Violation(_)) = next {
            *self = Self { broken: true, ..Self::default() };
        }
        next
    }

    /// What was read of a frame of `class` that has not arrived whole.
    pub(crate) fn unfinished(&self, class: Class) -> usize {
        match &self.lanes[class.index()] {
            Slot::Open(lane) => lane.body_filled,
            Slot::Unopened | Slot::Ended => 0,
        }
    }

    fn poll_next<'a>(
        &mut self,
        cx: &mut Context<'_>,
        quic: &'a quinn::Connection,
        classes: &[Class],
        mut accept: Pin<&mut AcceptUni<'a>>,
    ) -> Poll<Result<(Class, Vec<u8>), Stop>> {
        loop {
            // Asked before reading: whatever had arrived by then is read below, so a connection
            // is reported closed only when its last whole frame has been handed over.
            let closed = quic.close_reason();
            self.poll_streams(cx, quic, accept.as_mut());
            if let Err(violation) = self.poll_class_bytes(cx) {
                return Poll::Ready(Err(Stop::Violation(violation)));
            }
            match self.poll_lanes(cx, classes) {
                Ok(Some(frame)) => return Poll::Ready(Ok(frame)),
                Ok(None) => {}
                Err(violation) => return Poll::Ready(Err(Stop::Violation(violation))),
            }
            match closed {
                Some(error) => return Poll::Ready(Err(Stop::Closed(error))),
                None if quic.close_reason().is_some() => {}
                None => return Poll::Pending,
            }
        }
    }

    /// Takes the streams the peer opened. QUIC allows it one per class at a time.
    fn poll_streams<'a>(
        &mut self,
        cx: &mut Context<'_>,
        quic: &'a quinn::Connection,
        mut accept: Pin<&mut AcceptUni<'a>>,
    ) {
        while let Poll::Ready(Ok(stream)) = accept.as_mut().poll(cx) {
            self.unnamed.push(stream);
            accept.set(quic.accept_uni());
        }
    }

    fn poll_class_bytes(&mut self, cx: &mut Context<'_>) -> Result<(), Violation> {
        let mut waiting = Vec::new();
        for mut stream in self.unnamed.drain(..) {
            let mut byte = [0];
            match read(&mut stream, cx, &mut byte) {
                Poll::Ready(Ok(0) | Err(ReadStop::Cut)) => return Err(Violation::StreamCut),
                Poll::Ready(Ok(_)) => {
                    let [byte] = byte;
                    let class = Class::from_byte(byte).ok_or(Violation::ClassUnknown { byte })?;
                    let slot = &mut self.lanes[class.index()];
                    if !matches!(slot, Slot::Unopened) {
                        return Err(Violation::ClassRepeated { class });
                    }
                    *slot = Slot::Open(Lane::new(class, stream));
                }
                Poll::Ready(Err(ReadStop::Lost)) | Poll::Pending => waiting.push(stream),
            }
        }
        self.unnamed = waiting;
        Ok(())
    }

    fn poll_lanes(&mut self, cx: &mut Context<'_>, classes: &[Class]) -> Result<Option<(Class, Vec<u8>)>, Violation> {
        for class in turn(self.frames).filter(|class| classes.contains(class)) {
            let slot = &mut self.lanes[class.index()];
            let Slot::Open(lane) = slot else { continue };
            match lane.poll_frame(cx)? {
                Progress::Frame(frame) => {
                    self.frames = self.frames.wrapping_add(1);
                    return Ok(Some((class, frame)));
                }
                Progress::Waiting => {}
                Progress::Ended => *slot = Slot::Ended,
            }
        }
        Ok(None)
    }
}

/// What polling a lane gave.
enum Progress {
    Frame(Vec<u8>),
    Waiting,
    Ended,
}

impl Lane {
    fn new(class: Class, stream: RecvStream) -> Self {
        Self { class, stream, header: [0; HEADER_BYTES], header_filled: 0, body: Vec::new(), body_filled: 0 }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Result<Progress, Violation> {
        while self.header_filled < HEADER_BYTES {
            let room = &mut self.header[self.header_filled..];
            match read(&mut self.stream, cx, room) {
                Poll::Ready(Ok(0)) if self.header_filled == 0 => return Ok(Progress::Ended),
                Poll::Ready(Ok(0) | Err(ReadStop::Cut)) => return Err(Violation::StreamCut),
                Poll::Ready(Ok(bytes)) => self.header_filled += bytes,
                Poll::Ready(Err(ReadStop::Lost)) | Poll::Pending => return Ok(Progress::Waiting),
            }
        }
        let wanted = self.announced()?;
        while self.body_filled < wanted {
            self.make_room(wanted);
            let room = &mut self.body[self.body_filled..];
            match read(&mut self.stream, cx, room) {
                Poll::Ready(Ok(0) | Err(ReadStop::Cut)) => return Err(Violation::StreamCut),
                Poll::Ready(Ok(bytes)) => self.body_filled += bytes,
                Poll::Ready(Err(ReadStop::Lost)) | Poll::Pending => return Ok(Progress::Waiting),
            }
        }
        self.header_filled = 0;
        self.body_filled = 0;
        Ok(Progress::Frame(std::mem::take(&mut self.body)))
    }

    /// The length in the header, checked before anything is allocated for it.
    fn announced(&self) -> Result<usize, Violation> {
        let bytes = u32::from_be_bytes(self.header);
        let bytes_max = self.class.frame_bytes_max();
        match usize::try_from(bytes) {
            Ok(wanted) if wanted <= bytes_max => Ok(wanted),
            _ => Err(Violation::FrameTooLarge { class: self.class, bytes, bytes_max }),
        }
    }

    fn make_room(&mut self, wanted: usize) {
        if self.body_filled < self.body.len() {
            return;
        }
        let grown = wanted.min(self.body_filled * 2).max(self.body_filled + GROW_BYTES_MIN);
        let grown = grown.min(wanted);
        self.body.reserve_exact(grown - self.body.len());
        self.body.resize(grown, 0);
    }
}

/// The order in which classes are asked for the frame after `frames` frames.
fn turn(frames: usize) -> impl Iterator<Item = Class> {
    let favoured = if frames % FRAMES_PER_TURN == FRAMES_PER_TURN - 1 {
        let turns = frames / FRAMES_PER_TURN;
        Class::ALL[1 + turns % (Class::ALL.len() - 1)]
    } else {
        Class::Control
    };
    let others = Class::ALL.into_iter().filter(move |class| *class != favoured);
    std::iter::once(favoured).chain(others)
}

/// Reads what is there; zero bytes mean that the stream ended. `room` is not empty.
fn read(stream: &mut RecvStream, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<Result<usize, ReadStop>> {
    stream.poll_read(cx, room).map_err(|error| match error {
        ReadError::ConnectionLost(_) => ReadStop::Lost,
        ReadError::Reset(_) => ReadStop::Cut,
        // We neither stop streams, read out of order, nor use 0-RTT.
        ReadError::ClosedStream | ReadError::IllegalOrderedRead | ReadError::ZeroRttRejected => ReadStop::Cut,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_turns_in_sixteen_go_by_urgency_and_every_class_gets_its_share() {
        let firsts: Vec<Class> =
            (0..4 * FRAMES_PER_TURN).map(|frames| turn(frames).next().expect("five classes")).collect();
        for class in Class::ALL {
            let share = firsts.iter().filter(|first| **first == class).count();
            let expected = if class == Class::Control { 60 } else { 1 };
            assert_eq!(share, expected, "{class}");
        }
        for frames in 0..64 {
            let mut order: Vec<Class> = turn(frames).collect();
            assert!(order[1..].is_sorted());
            order.sort();
            assert_eq!(order, Class::ALL);
        }
    }
}
