//! The writing thread of one conversation: makes durable what its session asks for, in the order in which it asked.
//!
//! It prepares batches and queues them with the store's writer, which commits many with one flush; only statements wait for
//! their flush here. A photo of which all chunks are written is made durable beside it.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use merestone_core::entry::VerifiedEntry;
use merestone_core::sync::frame::StatementClass;
use merestone_core::sync::{Agreement, Commit, Committed, Token};
use merestone_store::{CommitError, IncomingBlob};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::spawn_blocking;

use super::early::Early;
use super::host::{Answer, Arriving, Host, News};
use super::reading::FileKey;
use super::storing::WaitingChunk;

/// How often entries are looked at that wait for a certificate: it may come by another conversation.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// One thing to make durable.
pub(super) enum Job {
    Admit { token: Token, class: StatementClass, statements: Vec<Vec<u8>> },
    Commit { token: Token, commit: Commit },
    Remember(Option<Agreement>),
}

/// What came of it.
pub(super) enum Done {
    /// An answer for the conversation.
    Answer(Answer),
    /// The store's writer has answered a batch of entries; what follows from that is not drawn yet.
    Entries(News, Result<merestone_store::Committed, CommitError>),
}

/// The writing side of one conversation.
pub(super) struct Writing {
    pub(super) host: Host,
    pub(super) done: UnboundedSender<Done>,
}

impl Writing {
    /// Works until the conversation is over.
    pub(super) fn run(self, jobs: &Receiver<Job>) {
        let began = Instant::now();
        let now_ms = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut early = Early::default();
        loop {
            let wait = if early.is_empty() { Duration::MAX } else { LOOK_AGAIN };
            match jobs.recv_timeout(wait) {
                Ok(job) => self.work(job, &mut early, now_ms()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            for (token, ready) in early.take(&self.host, now_ms()) {
                match ready {
                    Ok(entries) => self.entries(token, entries),
                    Err(refused) => self.answer(Answer::committed(token, Committed::EntriesRefused(refused))),
                }
            }
        }
    }

    fn work(&self, job: Job, early: &mut Early, now_ms: u64) {
        match job {
            Job::Remember(agreement) => self.host.remember(agreement),
            Job::Admit { token, class, statements } => self.answer(self.host.admit(token, class, &statements)),
            Job::Commit { token, commit: Commit::Entries(entries) } => {
                if let Some(entries) = early.check(&self.host, token, entries, now_ms) {
                    self.entries(token, entries);
                }
            }
            Job::Commit { token, commit: Commit::ChunkHashes { hash, root, class: _, hashes } } => {
                self.answer(self.host.chunk_hashes(token, (hash, root), &hashes));
            }
            Job::Commit { token, commit: Commit::Chunk { hash, root, index, bytes } } => {
                let file = (hash, root);
                match self.host.write_chunk(&WaitingChunk { token, file, index, bytes }) {
                    Ok(answer) => self.answer(answer),
                    Err(blob) => self.make_whole(file, token, blob),
                }
            }
        }
    }

    fn entries(&self, token: Token, entries: Vec<VerifiedEntry>) {
        let Arriving { batch, news } = match self.host.prepare(token, entries) {
            Ok(arriving) => arriving,
            Err(answer) => return self.answer(*answer),
        };
        let done = self.done.clone();
        let queued = self.host.shared.store.commit_then(batch, move |result| {
            // Nobody waits for it any more when the conversation is over; the entries are durable all the same.
            let _ = done.send(Done::Entries(news, result));
        });
        if let Err(error) = queued {
            self.answer(Answer::failed(token, error.into()));
        }
    }

    /// Waits for the disk elsewhere, so that the chunks of the next blob are written meanwhile. As many are under way at once
    /// as the session has blobs outstanding.
    fn make_whole(&self, file: FileKey, token: Token, blob: Arc<Mutex<IncomingBlob>>) {
        let (host, done) = (self.host.clone(), self.done.clone());
        spawn_blocking(move || {
            // A conversation that is over waits for nothing.
            let _ = done.send(Done::Answer(host.make_whole(file, token, &blob)));
        });
    }

    fn answer(&self, answer: Answer) {
        // A conversation that is over waits for nothing.
        let _ = self.done.send(Done::Answer(answer));
    }
}
