//! What a session makes of the host's answers.

use super::close::{Close, CloseCode};
use super::frame::{Frame, StatementClass};
use super::io::{Admission, Committed, Loaded, Part, Span, Token};
use super::log::Verdict;
use super::outbox::Pending;
use super::report::Report;
use super::session::Session;

const OTHER_KIND: Close = Close::new(CloseCode::Storage, "answer of another kind");

impl Session {
    pub(super) fn on_loaded(&mut self, purpose: Pending, loaded: Loaded) -> Result<(), Close> {
        let out = &mut self.out;
        match (purpose, loaded) {
            (_, Loaded::Failed) => Err(Close::new(CloseCode::Storage, "read")),
            (Pending::Enrolment, Loaded::Enrolment { charter, certificates }) => {
                if let Some(charter) = charter {
                    out.say(&Frame::Statements(StatementClass::Charter, vec![charter]));
                }
                if !certificates.is_empty() {
                    out.say(&Frame::Statements(StatementClass::Certificate, certificates));
                }
                out.say(&Frame::Ready);
                Ok(())
            }
            (Pending::PeerCertificate, loaded) => self.on_peer_certificate(loaded),
            (Pending::StatementIds(class), Loaded::StatementIds(ids)) => {
                self.statements.on_own_ids(class, ids);
                Ok(())
            }
            (Pending::Statements(class, ids), Loaded::Statements(statements)) => {
                self.statements.on_loaded(class, &ids, statements)
            }
            (Pending::ReceiptBase, Loaded::Statements(found)) => {
                self.statements.on_receipt_base(found.into_iter().next().flatten());
                Ok(())
            }
            (Pending::DifferenceBase, Loaded::Statements(found)) => {
                self.statements.on_difference_base(found.into_iter().next().flatten(), out)
            }
            (Pending::HeadChecks(heads), Loaded::Ids(held)) if held.len() == heads.len() => {
                for ((log, seq, head), held) in heads.into_iter().zip(held) {
                    let is_ours = held.first().and_then(|held| held.main) == Some(head);
                    self.on_head_checked(log, seq, is_ours);
                }
                Ok(())
            }
            (Pending::OwnIds(log, seqs), Loaded::Ids(held)) if held.len() == 1 && held[0].len() == seqs.len() => {
                self.probes.on_own_ids(log, &seqs, &held[0], out);
                Ok(())
            }
            (Pending::AnswerIds(log, seqs), Loaded::Ids(mut held))
                if held.len() == 1 && held[0].len() == seqs.len() =>
            {
                self.probes.on_answer(log, seqs, held.remove(0), out);
                Ok(())
            }
            (Pending::Branches(log), Loaded::Branches { entries, next }) => {
                let spans = self.probes.on_branches(log, entries, next, out);
                self.send_spans(log, spans);
                Ok(())
            }
            (Pending::Entries | Pending::EntriesInFull, Loaded::Entries { entries, rest }) => {
                self.sending.on_loaded(entries, rest, &mut self.logs)
            }
            (Pending::EntriesWithBodies, Loaded::Entries { entries, rest }) => {
                self.sending.on_bodies_loaded(entries, &rest, &mut self.logs, out)
            }
            (Pending::MissingBodies, Loaded::MissingBodies(places)) => {
                self.bodies.on_missing(places);
                Ok(())
            }
            (Pending::Wanted(class), Loaded::Wanted(blobs)) => {
                self.fetching.on_wanted(class, blobs, self.config.limits.blob_bytes_max);
                Ok(())
            }
            (Pending::Described(class, hash), Loaded::Described(described)) => {
                self.fetching.on_described(class, hash, described, self.config.limits.blob_bytes_max, out);
                Ok(())
            }
            (Pending::ChunkHashes(class, hash), Loaded::ChunkHashes(hashes)) => {
                self.serving.on_hashes(class, hash, hashes, out);
                Ok(())
            }
            (Pending::Chunk(class, hash, index), Loaded::Chunk(bytes)) => {
                self.serving.on_chunk(class, hash, index, bytes, out);
                Ok(())
            }
            (Pending::Census, Loaded::Census(census)) => {
                self.resting.on_census(census);
                Ok(())
            }
            _ => Err(OTHER_KIND),
        }
    }

    pub(super) fn on_committed(&mut self, token: Token, purpose: Pending, committed: Committed) -> Result<(), Close> {
        match (purpose, committed) {
            (_, Committed::Failed) => Err(Close::new(CloseCode::Storage, "write")),
            (Pending::CommitEntries, Committed::Entries { tips, wants_blobs }) => {
                self.receiving.on_committed(token, tips);
                if wants_blobs {
                    self.fetching.look_again(false);
                }
                Ok(())
            }
            (Pending::CommitEntries, Committed::EntriesRefused(refused)) => Err(Close::refused_entry(refused)),
            (Pending::CommitChunkHashes, Committed::ChunkHashes) => Ok(()),
            (Pending::CommitChunk { hash, bytes }, Committed::Chunk(state)) => {
                self.fetching.on_committed(hash, bytes, state, &mut self.out);
                self.withdraw();
                Ok(())
            }
            _ => Err(OTHER_KIND),
        }
    }

    pub(super) fn on_admitted(&mut self, purpose: Pending, admission: Option<Admission>) -> Result<(), Close> {
        let Pending::Admit { class, ids, is_receipt } = purpose else { return Err(OTHER_KIND) };
        let Admission { refused, let_in, cuts } = admission.ok_or(Close::new(CloseCode::Storage, "write"))?;
        if is_receipt && refused.is_empty() {
            ids.into_iter().for_each(|id| self.out.report(Report::ReceiptHeld(id)));
        }
        let result = self.statements.on_admitted(&refused);
        for (id, refused) in refused {
            self.out.report(Report::StatementRefused { class, id, refused });
        }
        self.tell_statements(&let_in);
        self.on_cuts(&cuts);
        result
    }

    pub(super) fn on_receipt_signed(&mut self, receipt: Option<Vec<u8>>, earlier: Option<Vec<u8>>) {
        if let Some(receipt) = receipt {
            self.statements.give(receipt, earlier, &mut self.out);
            self.resting.say_more();
        }
        self.resting.on_signed();
    }

    fn on_head_checked(&mut self, log: crate::id::LogId, seq: u64, is_ours: bool) {
        if is_ours {
            let above = Span { log, from: seq + 1, until: u64::MAX, part: Part::Main };
            self.send_spans(log, Some(vec![above]));
            return;
        }
        self.logs.remove_busy(log, 1);
        if let Verdict::Probe { ours, theirs, has_branches } = self.logs.probe(log) {
            self.logs.add_busy(log, 1);
            self.probes.begin(log, ours, theirs, has_branches, &mut self.out);
        }
    }
}
