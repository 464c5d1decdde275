//! A link in memory that can be slow, shuffled, lossy or cut.

use std::collections::{BTreeMap, VecDeque};

use super::Host;
use crate::id::LogId;
use crate::sync::frame::Frame;
use crate::sync::{Class, Close, CloseCode, Input, LocalChange, Session};

/// A link between two sessions.
pub(in crate::sync) struct Link {
    pub(in crate::sync) sessions: [Session; 2],
    /// What is on its way to each.
    wires: [BTreeMap<Class, VecDeque<Vec<u8>>>; 2],
    /// Answers that the host owes.
    answers: [Vec<Input>; 2],
    /// Frames carried, and their bytes.
    pub(in crate::sync) frames: usize,
    pub(in crate::sync) bytes: usize,
    /// The link breaks before this frame.
    pub(in crate::sync) cut_at: Option<usize>,
    /// Most frames that wait on a wire: a slow peer.
    pub(in crate::sync) window: usize,
    /// The second side acknowledges nothing: its control frames after the greeting are lost.
    pub(in crate::sync) is_mute: bool,
    pub(in crate::sync) entry_frames: usize,
    /// What happens to the frames of the first side on their way.
    pub(in crate::sync) tamper: Option<fn(Class, &mut Vec<u8>)>,
    chance: u64,
    is_shuffled: bool,
}

impl Link {
    pub(in crate::sync) fn new(a: Session, b: Session) -> Self {
        Self {
            sessions: [a, b],
            wires: Default::default(),
            answers: Default::default(),
            frames: 0,
            bytes: 0,
            cut_at: None,
            window: 4,
            is_mute: false,
            entry_frames: 0,
            tamper: None,
            chance: 0,
            is_shuffled: false,
        }
    }

    /// Lets answers of the hosts and frames of different classes come in an order that `seed` decides.
    pub(in crate::sync) fn shuffled(mut self, seed: u64) -> Self {
        (self.chance, self.is_shuffled) = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, true);
        self
    }

    /// Goes on until nothing moves, or both are closed, or the link is cut.
    pub(in crate::sync) fn run(&mut self, hosts: &mut [Host; 2]) {
        for round in 0.. {
            assert!(round < 1_000_000, "it does not end");
            let mut moves = false;
            for (side, host) in hosts.iter_mut().enumerate() {
                moves |= self.act(side, host);
                moves |= self.send(side);
            }
            for side in 0..2 {
                moves |= self.deliver(side);
                if self.is_cut() {
                    return;
                }
            }
            if !moves {
                return;
            }
        }
    }

    fn is_cut(&self) -> bool {
        self.cut_at.is_some_and(|at| self.frames >= at)
    }

    fn act(&mut self, side: usize, host: &mut Host) -> bool {
        let mut moves = false;
        while let Some(action) = self.sessions[side].poll() {
            self.answers[side].extend(host.act(action));
            moves = true;
        }
        while !self.answers[side].is_empty() {
            let at = if self.is_shuffled { self.chance(self.answers[side].len()) } else { 0 };
            let answer = self.answers[side].remove(at);
            self.sessions[side].handle(answer);
            moves = true;
            if self.is_shuffled {
                break;
            }
        }
        moves
    }

    fn send(&mut self, side: usize) -> bool {
        let mut moves = false;
        for class in Class::ALL {
            while self.wires[1 - side].get(&class).is_none_or(|wire| wire.len() < self.window)
                && let Some(mut frame) = self.sessions[side].poll_send(class)
            {
                if let Some(tamper) = self.tamper.filter(|_| side == 0) {
                    tamper(class, &mut frame);
                }
                assert!(frame.len() <= class.frame_bytes_max());
                self.entry_frames += usize::from(class == Class::Entries);
                let is_kept = || matches!(Frame::decode(&frame), Ok(Frame::Kept(_)));
                if self.is_mute && class == Class::Control && is_kept() {
                    continue;
                }
                self.wires[1 - side].entry(class).or_default().push_back(frame);
                moves = true;
            }
        }
        moves
    }

    fn deliver(&mut self, side: usize) -> bool {
        let session = &self.sessions[side];
        let is_ready = |class: &Class, wire: &VecDeque<_>| !wire.is_empty() && session.is_receiving(*class);
        let ready: Vec<_> =
            self.wires[side].iter().filter(|(class, wire)| is_ready(class, wire)).map(|(class, _)| *class).collect();
        if ready.is_empty() || self.is_cut() {
            return false;
        }
        let class = ready[if self.is_shuffled { self.chance(ready.len()) } else { 0 }];
        let frame = self.wires[side].get_mut(&class).and_then(VecDeque::pop_front).expect("it is not empty");
        self.frames += 1;
        self.bytes += frame.len();
        self.sessions[side].handle(Input::Frame(class, frame));
        true
    }

    fn chance(&mut self, below: usize) -> usize {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        (self.chance % below as u64) as usize
    }
}

/// Syncs two hosts until both part.
pub(in crate::sync) fn sync(hosts: &mut [Host; 2]) -> Link {
    let mut link = join(hosts);
    link.run(hosts);
    link
}

/// They meet on a link where each frame comes when chance lets it, classes in any order.
pub(in crate::sync) fn sync_shuffled(hosts: &mut [Host; 2], seed: u64) {
    join(hosts).shuffled(seed).run(hosts);
}

/// They meet on a link that dies after so many frames.
pub(in crate::sync) fn sync_until(hosts: &mut [Host; 2], frames: usize) {
    let mut link = join(hosts);
    link.cut_at = Some(frames);
    link.run(hosts);
}

pub(in crate::sync) fn join(hosts: &mut [Host; 2]) -> Link {
    for host in hosts.iter_mut() {
        (host.closed, host.reports) = (None, Vec::new());
    }
    Link::new(hosts[0].session(hosts[1].seed), hosts[1].called(hosts[0].seed))
}

/// Two hosts that hold the same, and know it.
pub(in crate::sync) fn assert_synced(hosts: &[Host; 2]) {
    let [a, b] = hosts;
    let code = |host: &Host| host.closed.map(|close| close.code);
    assert!(code(a) == Some(CloseCode::Bye) || code(b) == Some(CloseCode::Bye), "{:?} {:?}", a.closed, b.closed);
    let ((a_entries, a_blobs, a_statements), (b_entries, b_blobs, b_statements)) = (a.contents(), b.contents());
    assert_eq!(a_entries, b_entries);
    assert_eq!(a_blobs, b_blobs);
    assert_eq!(a_statements, b_statements);
    for host in hosts {
        assert!(host.rest().is_some_and(|rest| rest.is_fully_synced), "{:?} {:?}", host.seed, host.rest());
    }
}

/// What a session does with frames sent by hand, answered by a host.
pub(in crate::sync) struct Alone {
    pub(in crate::sync) session: Session,
    pub(in crate::sync) host: Host,
}

impl Alone {
    pub(in crate::sync) fn new(host: Host, peer: u8) -> Self {
        Self { session: host.session(peer), host }
    }

    /// Hands over a frame and does what follows; the close, if there is one.
    pub(in crate::sync) fn hear(&mut self, class: Class, frame: Vec<u8>) -> Option<Close> {
        self.session.handle(Input::Frame(class, frame));
        self.settle()
    }

    pub(in crate::sync) fn settle(&mut self) -> Option<Close> {
        while let Some(action) = self.session.poll() {
            if let Some(input) = self.host.act(action) {
                self.session.handle(input);
            }
        }
        self.host.closed
    }

    /// Everything it has to say on control.
    pub(in crate::sync) fn said(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(bytes) = self.session.poll_send(Class::Control) {
            frames.push(Frame::decode(&bytes).expect("its own frame"));
            self.settle();
        }
        frames
    }
}

pub(in crate::sync) fn change(host: &Host, log: LogId) -> Input {
    Input::LocalChange(LocalChange { tips: host.tip(log).into_iter().collect(), blobs: true, ..LocalChange::default() })
}
