//! What a session makes of the peer's frames.

use super::close::{Close, CloseCode};
use super::frame::{Frame, Rest, StatementClass};
use super::io::Class;
use super::session::{Phase, Session};
use super::version::Version;

impl Session {
    pub(super) fn hear(&mut self, class: Class, bytes: Vec<u8>) -> Result<(), Close> {
        if bytes.len() > class.frame_bytes_max() {
            return Err(Close::new(CloseCode::FrameTooLong, "frame"));
        }
        match &self.phase {
            Phase::Greeting(_) => self.on_greeting(class, bytes),
            Phase::Enrolling { .. } => match class {
                Class::Control => self.on_enrolment_frame(Frame::decode(&bytes)?),
                Class::Entries | Class::Blobs(_) => Err(Close::new(CloseCode::NotEnrolled, "no certificate")),
            },
            Phase::Talking(_) => match class {
                Class::Control => self.on_frame(Frame::decode(&bytes)?),
                Class::Entries if !self.statements.is_ready() => Err(Close::malformed("entries before ready")),
                Class::Entries => {
                    self.withdraw_both();
                    self.receiving.on_frame(self.config.mission, self.config.version, bytes)
                }
                Class::Blobs(class) => {
                    let frame = super::fetching::decode(&bytes)?;
                    if let Phase::Talking(talking) = &self.phase {
                        self.fetching.on_frame(class, frame, &talking.peer.scopes, &mut self.out);
                    }
                    Ok(())
                }
            },
            Phase::Closed => Ok(()),
        }
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
            Frame::Statements(..) | Frame::LaterStatements(..) => Ok(()),
            // What is compared does not matter to a device that is only joining.
            Frame::Classes(_) => Ok(()),
            Frame::Show if self.config.version >= Version::V2 => self.on_show(),
            _ => Err(Close::new(CloseCode::NotEnrolled, "no certificate")),
        }
    }

    fn on_frame(&mut self, frame: Frame) -> Result<(), Close> {
        if !frame.is_of(self.config.version) {
            return Err(Close::malformed("frame of another version"));
        }
        let Phase::Talking(talking) = &mut self.phase else { return Ok(()) };
        let is_cut = talking.peer.is_cut();
        let out = &mut self.out;
        match frame {
            Frame::Hello(_) | Frame::HelloV2(_) => Err(Close::malformed("hello twice")),
            Frame::Certificate(_) => Err(Close::malformed("certificate")),
            Frame::Show => self.on_show(),
            Frame::Classes(theirs) => {
                let ours = talking.classes.take().ok_or(Close::malformed("classes"))?;
                let only = is_cut.then_some(&talking.peer.cuts);
                self.statements.begin(&ours, &theirs, only, out);
                Ok(())
            }
            Frame::Nodes(scope, nodes) => self.logs.on_nodes(scope, nodes, is_cut),
            Frame::Also { scope, last, tips } => self.logs.on_also(scope, last, tips),
            Frame::List(scope) => self.logs.on_list(scope, is_cut),
            Frame::Same => {
                let rest = talking.same.ok_or(Close::malformed("same"))?;
                self.resting.on_rest(Rest { heard: true, ..rest });
                self.settle_rest()
            }
            Frame::StatementIds(class, ids) => self.statements.on_ids(class, ids),
            Frame::Statements(class, statements) => self.statements.on_statements(class, statements, out),
            // A later program may say more; what is not known here is judged where it is.
            Frame::LaterIds(..) | Frame::LaterStatements(..) => Ok(()),
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
            // What is not shared is as good as not held.
            Frame::Bodies(log, seqs) if is_cut || self.logs.local(log).is_none() => {
                out.say(&Frame::Bodiless(log, seqs));
                Ok(())
            }
            Frame::Bodies(log, seqs) => self.sending.add_bodies(log, seqs),
            Frame::Bodiless(log, seqs) => {
                self.bodies.on_bodiless(log, &seqs);
                Ok(())
            }
            Frame::Want(wants) if is_cut => {
                self.serving.refuse(wants, out);
                Ok(())
            }
            Frame::Want(wants) => self.serving.on_want(wants),
            Frame::Absent(hash) => {
                self.fetching.on_absent(hash, out);
                Ok(())
            }
            Frame::Difference(difference) => {
                self.resting.hear_more();
                self.statements.on_difference(difference, out)
            }
            Frame::Whole(_) if is_cut => Ok(()),
            Frame::Whole(id) => self.statements.on_whole(id),
            Frame::Receipt(receipt) => {
                self.resting.hear_more();
                self.statements.on_receipt(receipt, out)
            }
            Frame::Rest(rest) => {
                let news = self.resting.on_rest(rest);
                if news.are_blobs_others && self.fetching.has_failed() {
                    self.fetching.look_again(true);
                    self.withdraw();
                }
                if news.is_less_missing && self.bodies.on_peers_news() {
                    self.withdraw();
                }
                self.settle_rest()
            }
        }
    }
}
