//! What a session does next of its own accord.

use super::close::{Close, CloseCode};
use super::config::Agreement;
use super::frame::{BlobClass, Frame, Rest, Wants};
use super::io::{Census, Request, Span};
use super::log::Verdict;
use super::outbox::Pending;
use super::report::Report;
use super::resting::Stage;
use super::session::{Phase, Session};
use super::version::Version;
use crate::id::{EntryId, LogId};

/// Most logs whose heads are looked up in one request to the store.
const HEADS_MAX: usize = 4_096;

impl Session {
    /// Does everything that can be done now.
    pub(super) fn drive(&mut self) -> Result<(), Close> {
        match &self.phase {
            Phase::Enrolling { is_told } => {
                let has_joined = *is_told && self.config.certificate.is_none() && self.statements.are_all_admitted();
                if has_joined { Err(Close::new(CloseCode::NotEnrolled, "no certificate")) } else { Ok(()) }
            }
            Phase::Talking(_) => self.drive_talk(),
            Phase::Greeting(_) | Phase::Closed => Ok(()),
        }
    }

    fn drive_talk(&mut self) -> Result<(), Close> {
        let Phase::Talking(talking) = &self.phase else { return Ok(()) };
        let out = &mut self.out;
        let scopes = &talking.peer.scopes;
        let ahead = self.logs.take_ahead();
        if !ahead.is_empty() {
            out.report(Report::PeerAhead(ahead));
        }
        self.statements.drive(out);
        self.receiving.drive(scopes, &mut self.logs, &mut self.bodies, out)?;
        if talking.is_peer_ready {
            let (wants_entries, is_cut) = (talking.peer.wants.entries(), talking.peer.is_cut());
            self.compare(wants_entries, is_cut);
        }
        self.sending.drive(&mut self.out);
        let Phase::Talking(talking) = &self.phase else { return Ok(()) };
        let scopes = &talking.peer.scopes;
        self.serving.drive(scopes, &mut self.out);
        // Text first: no blob is asked for while entries or bodies are on their way.
        if talking.is_peer_ready && self.statements.is_ready() && self.are_entries_here() {
            let (logs, is_cut) = (&self.logs, talking.peer.is_cut());
            // A peer whose key was cut hears of the logs that it named, and of no others.
            self.bodies.drive(scopes, |log| !is_cut || logs.is_named(log), &mut self.out);
        }
        if talking.is_peer_ready && self.statements.is_ready() && self.are_entries_here() && self.bodies.is_idle() {
            self.fetching.drive(self.config.wants, scopes, &mut self.out);
        }
        self.drive_rest()?;
        self.out.check()
    }

    /// Looks at every log that changed on either side. Nothing of it is sent to a peer whose key `is_cut`; but one whose log is
    /// the shorter one and no part of ours waits for the longer side to ask.
    fn compare(&mut self, wants_entries: bool, is_cut: bool) {
        let mut heads: Vec<(LogId, u64, EntryId)> = Vec::new();
        for log in self.logs.take_changed() {
            let verdict = if wants_entries || is_cut { self.logs.judge(log) } else { Verdict::Nothing };
            match verdict {
                Verdict::Send(_) | Verdict::Probe { .. } if is_cut => {}
                Verdict::Nothing => {}
                Verdict::Send(spans) => {
                    self.logs.add_busy(log, 1);
                    self.send_spans(log, Some(spans));
                }
                Verdict::CheckHead(seq, head) => {
                    self.logs.add_busy(log, 1);
                    heads.push((log, seq, head));
                }
                Verdict::Probe { ours, theirs, has_branches } => {
                    self.logs.add_busy(log, 1);
                    self.probes.begin(log, ours, theirs, has_branches, &mut self.out);
                }
            }
        }
        for page in heads.chunks(HEADS_MAX) {
            let ids = page.iter().map(|(log, seq, _)| (*log, vec![*seq])).collect();
            self.out.load(Request::Ids(ids), Pending::HeadChecks(page.to_vec()));
        }
    }

    /// Queues what a comparison of a log found, if it is over.
    pub(super) fn send_spans(&mut self, log: LogId, spans: Option<Vec<Span>>) {
        let Some(spans) = spans else { return };
        let is_cut = matches!(&self.phase, Phase::Talking(talking) if talking.peer.is_cut());
        if let Some(local) = self.logs.local(log).filter(|_| !is_cut) {
            self.sending.add(spans, local.urgency, local.tip.height, &mut self.logs);
        }
        self.logs.remove_busy(log, 1);
    }

    /// Whether no entry of the peer is awaited.
    fn are_entries_here(&self) -> bool {
        let is_behind = self.logs.behind() > 0 && self.config.wants.entries() && !self.resting.is_peer_at_rest();
        self.receiving.is_idle() && !is_behind
    }

    /// Whether this side has nothing to send or ask for.
    fn is_quiet(&self) -> bool {
        let Phase::Talking(talking) = &self.phase else { return false };
        talking.is_peer_ready
            && self.statements.is_idle()
            && self.logs.is_idle()
            && self.probes.is_idle()
            && self.sending.is_idle()
            && self.serving.is_idle()
            && self.are_entries_here()
            && self.bodies.is_idle()
            && self.fetching.is_idle(self.config.wants)
            && !self.out.is_waiting_for_host()
    }

    fn drive_rest(&mut self) -> Result<(), Close> {
        let Phase::Talking(talking) = &self.phase else { return Ok(()) };
        if self.resting.has_said() {
            return self.part();
        }
        if !self.is_quiet() {
            return Ok(());
        }
        match self.resting.stage() {
            Stage::Counting | Stage::Signing(_) => Ok(()),
            Stage::Idle if talking.peer.is_cut() => {
                // It learns nothing of what is held here.
                self.say_rest([0; 32], Census { digest: [0; 32], missing: 0 })
            }
            Stage::Idle if talking.is_same => {
                if let Some(Rest { blobs: digest, missing, .. }) = talking.same {
                    self.resting.set_stage(Stage::Counted(Census { digest, missing }));
                }
                self.drive_rest()
            }
            Stage::Idle => {
                let both = |class: &BlobClass| self.config.wants.blobs(*class) && talking.peer.wants.blobs(*class);
                let classes = BlobClass::ALL.into_iter().filter(both).collect();
                let scopes = talking.peer.scopes.clone();
                self.resting.set_stage(Stage::Counting);
                self.out.load(Request::Census { scopes, classes }, Pending::Census);
                Ok(())
            }
            Stage::Counted(census) => {
                let tips = self.logs.digest(self.config.version);
                if self.resting.needs_receipt(tips, census.digest) {
                    self.resting.set_stage(Stage::Signing(census));
                    self.out.sign_receipt();
                    return Ok(());
                }
                self.say_rest(tips, census)
            }
            Stage::Signed(census) => {
                let tips = self.logs.digest(self.config.version);
                self.say_rest(tips, census)
            }
        }
    }

    fn say_rest(&mut self, tips: [u8; 32], census: Census) -> Result<(), Close> {
        let rest = self.resting.say(tips, census);
        let is_same = match &mut self.phase {
            Phase::Talking(talking) => std::mem::take(&mut talking.is_same),
            Phase::Greeting(_) | Phase::Enrolling { .. } | Phase::Closed => false,
        };
        self.out.say_rest(&if is_same && rest.heard { Frame::Same } else { Frame::Rest(rest) });
        self.settle_rest()
    }

    /// Has the host remember that both sides hold the same entries, or forget an agreement that misled them.
    fn note_agreement(&mut self) {
        let Phase::Talking(talking) = &self.phase else { return };
        let agreement = match self.resting.news() {
            None => return,
            Some((false, _)) if !talking.is_since => return,
            Some((false, _)) => None,
            Some((true, digest)) => Some(Agreement {
                store: talking.peer.store,
                scopes: self.logs.scopes_held(),
                digest,
                certificate: self.config.certificate.as_ref().map(|certificate| certificate.id()),
            }),
        };
        self.out.remember(agreement);
    }

    /// Tells the person how the two sides compare, and parts from the peer if both know.
    pub(super) fn settle_rest(&mut self) -> Result<(), Close> {
        let Phase::Talking(talking) = &self.phase else { return Ok(()) };
        let wanted = [self.config.wants, talking.peer.wants];
        let is_everything_wanted = wanted.into_iter().all(|wants| wants == Wants::EVERYTHING);
        // What the peer did not want is not asked about: "fully synced" with somebody who took no originals.
        #[cfg(planted)]
        let is_everything_wanted = match crate::planted::is("synced-as-we-want") {
            true => self.config.wants == Wants::EVERYTHING,
            false => is_everything_wanted,
        };
        if let Some(state) =
            self.resting.state(talking.peer.is_cut(), self.statements.are_withheld(), is_everything_wanted)
        {
            self.out.report(Report::Rest(state));
        }
        if self.config.version >= Version::V2 && !talking.peer.is_cut() {
            self.note_agreement();
        }
        self.part()
    }

    /// Tells the peer that its rest arrived, and parts from it if both know.
    ///
    /// What it said before, its receipt above all, is stored first: a peer that is told so may be gone at once.
    fn part(&mut self) -> Result<(), Close> {
        if !self.statements.is_idle() {
            return Ok(());
        }
        if let Some(rest) = self.resting.say_heard() {
            self.out.say_rest(&Frame::Rest(rest));
        }
        if self.resting.is_over() && !self.config.stay {
            return Err(Close::new(CloseCode::Bye, "done"));
        }
        Ok(())
    }
}
