//! Entries that overtook the certificate of their key, and wait for it.
//!
//! A peer passes on what it gets while connected, statements and entries on streams of their own, so entries may overtake.

use std::collections::VecDeque;

use merestone_core::check::Refused;
use merestone_core::entry::VerifiedEntry;
use merestone_core::sync::Token;

use super::host::Host;

/// How long entries wait for the certificate of their key, in milliseconds. Statements are more urgent than entries, and a
/// link that takes longer for them than this is lost anyway.
const PATIENCE_MS: u64 = 10_000;

/// Entries of keys that no certificate names yet.
#[derive(Default)]
pub(super) struct Early {
    waiting: VecDeque<Batch>,
}

struct Batch {
    token: Token,
    entries: Vec<VerifiedEntry>,
    /// The version of the roster that did not know the key.
    seen: u64,
    since_ms: u64,
}

impl Early {
    /// Gives the entries back if their keys are known, and keeps them otherwise.
    pub(super) fn check(
        &mut self,
        host: &Host,
        token: Token,
        entries: Vec<VerifiedEntry>,
        now_ms: u64,
    ) -> Option<Vec<VerifiedEntry>> {
        // Read first: a certificate that comes in between is then looked for once more.
        let seen = host.shared.authority.version();
        if host.unknown_key(&entries).is_none() {
            return Some(entries);
        }
        self.waiting.push_back(Batch { token, entries, seen, since_ms: now_ms });
        None
    }

    /// Takes out what need not wait any more: entries whose certificate has come, and refusals of those that waited long enough.
    pub(super) fn take(&mut self, host: &Host, now_ms: u64) -> Vec<(Token, Result<Vec<VerifiedEntry>, Refused>)> {
        let version = host.shared.authority.version();
        let mut taken = Vec::new();
        for _ in 0..self.waiting.len() {
            let Some(mut batch) = self.waiting.pop_front() else { break };
            let is_over = now_ms.saturating_sub(batch.since_ms) >= PATIENCE_MS;
            if batch.seen == version && !is_over {
                self.waiting.push_back(batch);
                continue;
            }
            batch.seen = version;
            match host.unknown_key(&batch.entries) {
                None => taken.push((batch.token, Ok(batch.entries))),
                Some(refused) if is_over => taken.push((batch.token, Err(refused))),
                Some(_) => self.waiting.push_back(batch),
            }
        }
        taken
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
