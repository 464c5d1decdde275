//! One side of a conversation.

use std::collections::VecDeque;

use super::config::{LocalState, SessionConfig};
use super::frame::{Frame, Hello, VERSION};
use super::io::{Action, Class, Input};
use super::report::Progress;
use super::{Close, CloseCode};

/// Most batches being verified at once: more would only wait, phones have four fast cores at most.
pub const VERIFY_MAX: usize = 4;

/// One side of one conversation; see the [module](super).
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    actions: VecDeque<Action>,
    control: VecDeque<Vec<u8>>,
    progress: Progress,
    is_closed: bool,
}

impl Session {
    /// Begins a conversation. The hello is ready to be sent at once.
    pub fn new(config: SessionConfig, local: LocalState) -> Self {
        let hello = Frame::Hello(Hello {
            version: VERSION,
            mission: config.mission,
            certificate: config.certificate.as_ref().map(|certificate| certificate.as_bytes().to_vec()),
            store: config.store,
            statements: local.statements.into_iter().collect(),
            tips: Vec::new(),
            wants: config.wants,
        });
        let control = VecDeque::from([hello.encode()]);
        Self { config, actions: VecDeque::new(), control, progress: Progress::default(), is_closed: false }
    }

    /// Takes notice of what happened. Never fails: what a peer must not do ends in [`Action::Close`].
    pub fn handle(&mut self, input: Input) {
        if self.is_closed {
            return;
        }
        let close = match input {
            Input::Stop => Some(Close::new(CloseCode::Bye, "stopped")),
            Input::Frame(Class::Control, bytes) => match Frame::decode(&bytes) {
                Ok(Frame::Hello(hello)) if hello.mission != self.config.mission => {
                    Some(Close::new(CloseCode::MissionMismatch, "mission"))
                }
                Ok(_) => None,
                Err(refused) => Some(refused.into()),
            },
            _ => None,
        };
        if let Some(close) = close {
            self.is_closed = true;
            self.actions.push_back(Action::Close(close));
        }
    }

    /// The next thing to do; `None`: wait for an input.
    pub fn poll(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next frame of `class`, to be asked for when the link takes more of this class.
    pub fn poll_send(&mut self, class: Class) -> Option<Vec<u8>> {
        if class == Class::Control { self.control.pop_front() } else { None }
    }

    /// Whether frames should be read from the link.
    pub fn is_receiving(&self) -> bool {
        !self.is_closed
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        self.progress
    }
}
