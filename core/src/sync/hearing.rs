//! What a session makes of the peer's frames.

use super::close::{Close, CloseCode};
use super::frame::{Frame, Hello, StatementClass};
use super::io::{Class, Request};
use super::outbox::Pending;
use super::peer::Peer;
use super::report::Report;
use super::session::{Greeting, Phase, Session, Talking};

impl Session {
    pub(super) fn hear(&mut self, class: Class, bytes: Vec<u8>) -> Result<(), Close> {
        if bytes.len() > class.frame_bytes_max() {
            return Err(Close::new(CloseCode::FrameTooLong, "frame"));
        }
        match &self.phase {
            Phase::Greeting(_) => match (class, Frame::decode(&bytes)?) {
                (Class::Control, Frame::Hello(hello)) => self.on_hello(&hello),
                _ => Err(Close::malformed("no hello")),
            },
            Phase::Enrolling { .. } => match class {
                Class::Control => self.on_enrolment_frame(Frame::decode(&bytes)?),
                Class::Entries | Class::Blobs(_) => Err(Close::new(CloseCode::NotEnrolled, "no certificate")),
            },
            Phase::Talking(_) => match class {
                Class::Control => self.on_frame(Frame::decode(&bytes)?),
                Class::Entries if !self.statements.is_ready() => Err(Close::malformed("entries before ready")),
                Class::Entries => {
                    self.resting.withdraw_both();
                    self.receiving.on_frame(self.config.mission, bytes)
                }
                Class::Blobs(class) => {
                    let frame = super::fetching::decode(&bytes)?;
                    self.fetching.on_frame(class, frame, &mut self.out);
                    Ok(())
                }
            },
            Phase::Closed => Ok(()),
        }
    }

    fn on_hello(&mut self, hello: &Hello) -> Result<(), Close> {
        let Phase::Greeting(greeting) = std::mem::replace(&mut self.phase, Phase::Closed) else {
            return Err(Close::malformed("hello twice"));
        };
        let Greeting { local, tips, changes } = *greeting;
        let Some(peer) = Peer::judge(&self.config, hello, &local.cuts)? else {
            self.phase = Phase::Enrolling { is_told: false };
            self.out.load(Request::Enrolment { transport: self.config.peer_transport }, Pending::Enrolment);
            return Ok(());
        };
        let only = peer.is_cut().then_some(peer.cuts.as_slice());
        self.statements.begin(&local.statements, &hello.statements, only, &mut self.out);
        self.logs.begin(&peer.scopes, &tips, &hello.tips, peer.is_cut());
        self.out.report(Report::Peer {
            store: peer.store,
            certificate: Box::new(peer.certificate.clone()),
            is_cut: peer.is_cut(),
        });
        self.phase = Phase::Talking(Box::new(Talking { peer, is_peer_ready: false }));
        changes.into_iter().try_for_each(|change| self.on_local_change(change))
    }

    fn on_enrolment_frame(&mut self, frame: Frame) -> Result<(), Close> {
        let is_joining = self.config.certificate.is_none();
        match frame {
            Frame::Ready => {
                self.phase = Phase::Enrolling { is_told: true };
                Ok(())
            }
            Frame::Statements(class @ (StatementClass::Charter | StatementClass::Certificate), statements)
                if is_joining =>
            {
                self.statements.on_statements(class, statements, &mut self.out)
            }
            // A joining device that holds the charter gives it to everybody.
            Frame::Statements(..) => Ok(()),
            _ => Err(Close::new(CloseCode::NotEnrolled, "no certificate")),
        }
    }

    fn on_frame(&mut self, frame: Frame) -> Result<(), Close> {
        let Phase::Talking(talking) = &mut self.phase else { return Ok(()) };
        let is_cut = talking.peer.is_cut();
        let out = &mut self.out;
        match frame {
            Frame::Hello(_) => Err(Close::malformed("hello twice")),
            Frame::StatementIds(class, ids) => self.statements.on_ids(class, ids),
            Frame::Statements(class, statements) => self.statements.on_statements(class, statements, out),
            Frame::Ready if talking.is_peer_ready => Err(Close::malformed("ready twice")),
            Frame::Ready => {
                talking.is_peer_ready = true;
                Ok(())
            }
            Frame::Tips { scope, last, tips } => self.logs.on_tips(scope, last, tips, is_cut),
            // The ids a key that is cut asks for are not its own evidence.
            Frame::Probe(log, seqs) => {
                let is_held = !is_cut && self.logs.local(log).is_some();
                self.probes.on_question(log, seqs, is_held, out)?;
                self.logs.doubt(log);
                Ok(())
            }
            Frame::Probed(log, found) => {
                let spans = self.probes.on_probed(log, &found, out)?;
                self.send_spans(log, spans);
                Ok(())
            }
            Frame::Kept(tips) => {
                self.logs.on_kept(tips)?;
                self.sending.on_kept(&mut self.logs)
            }
            Frame::Again { .. } if is_cut => Ok(()),
            Frame::Again { log, from, count } if self.logs.local(log).is_some() => {
                self.sending.add_again(log, from, count)
            }
            Frame::Again { .. } => Err(Close::malformed("again of a log that was not sent")),
            Frame::Want(wants) if is_cut => {
                self.serving.refuse(wants, out);
                Ok(())
            }
            Frame::Want(wants) => self.serving.on_want(wants),
            Frame::Absent(hash) => {
                self.fetching.on_absent(hash, out);
                Ok(())
            }
            Frame::Receipt(receipt) => self.statements.on_receipt(receipt, out),
            Frame::Rest(rest) => {
                if self.resting.on_rest(rest) && self.fetching.has_failed() {
                    self.fetching.look_again(true);
                    self.resting.withdraw();
                }
                self.settle_rest()
            }
        }
    }
}
