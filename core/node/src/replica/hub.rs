//! What one conversation commits, the others send on; and so is what the person writes meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use merestone_core::id::{LogId, ScopeId, StatementId};
use merestone_core::roster::Class;
use merestone_core::sync::frame::StatementClass;
use merestone_core::sync::{CutKey, LocalChange, LocalTip};
use merestone_store::{ReadError, Store};
use tokio::sync::Notify;

use super::answer::local_tip;
use super::shared::cut_keys;
use crate::authority::Authority;

/// Names a conversation among those of one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member(u64);

#[derive(Default)]
pub(super) struct Hub {
    /// In the order in which they joined: they hear of a change in this order.
    members: Mutex<BTreeMap<u64, Arc<Mailbox>>>,
    next: AtomicU64,
    seen: Mutex<Seen>,
    /// Whoever is only told that something changed: the ledger.
    listener: Mutex<Option<SyncSender<()>>>,
}

/// What [`Hub::look`] saw the last time.
#[derive(Default)]
struct Seen {
    /// Number of the newest commit that changed a log.
    logs: u64,
    /// Version of the roster.
    roster: Option<u64>,
    statements: BTreeSet<(Class, StatementId)>,
    /// Number of commits that may have changed which blobs are held.
    blobs: Option<u64>,
}

/// What a conversation was not told yet. It holds each log and statement once, so it is no longer than the store's lists.
#[derive(Default)]
struct Mailbox {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Default)]
struct Waiting {
    tips: BTreeMap<LogId, LocalTip>,
    statements: BTreeSet<(StatementClass, StatementId)>,
    cuts: Vec<CutKey>,
    blobs: bool,
    bodies: bool,
}

/// A conversation's place in the hub; leaves it when dropped.
pub(super) struct Subscription {
    hub_of: Arc<super::Shared>,
    member: Member,
    mailbox: Arc<Mailbox>,
    scopes: Vec<ScopeId>,
}

impl Hub {
    /// Tells every conversation but `but` what changed.
    pub(super) fn publish(&self, but: Option<Member>, change: &LocalChange) {
        for (number, mailbox) in lock(&self.members).iter() {
            if but != Some(Member(*number)) {
                mailbox.put(change);
            }
        }
        if let Some(listener) = &*lock(&self.listener) {
            // A full channel says already that something changed.
            let _ = listener.try_send(());
        }
    }

    /// From now on `listener` hears of every change.
    pub(super) fn wake_on_change(&self, listener: SyncSender<()>) {
        *lock(&self.listener) = Some(listener);
    }

    /// From now on nobody does.
    pub(super) fn wake_nobody(&self) {
        *lock(&self.listener) = None;
    }

    /// Tells every conversation what was committed since the last look. What it costs grows with what is new.
    pub(super) fn look(&self, store: &Store, authority: &Authority) -> Result<(), ReadError> {
        let mut seen = lock(&self.seen);
        let mut change = LocalChange::default();
        // Counters first: what comes after them is found by the next look.
        let (blobs, version) = (store.blob_changes(), authority.version());
        let moved = store.tips_changed_since(seen.logs)?;
        seen.logs = moved.iter().map(|tip| tip.changed).max().unwrap_or(seen.logs);
        change.tips.extend(moved.iter().filter_map(local_tip));
        if seen.roster.replace(version) != Some(version) {
            let roster = authority.roster();
            for class in Class::ALL {
                let all = roster.ids(class).into_iter();
                let new: Vec<_> = all.filter(|id| seen.statements.insert((class, *id))).collect();
                if class == Class::Cut {
                    change.cuts = cut_keys(&roster, &new);
                }
                change.statements.extend(new.into_iter().map(|id| (class, id)));
            }
        }
        change.blobs = seen.blobs.replace(blobs) != Some(blobs);
        self.publish(None, &change);
        Ok(())
    }
}

impl Subscription {
    /// Joins the hub, for changes in `scopes`. Join before reading the store: a change may then be told twice, never missed.
    pub(super) fn join(shared: &Arc<super::Shared>, scopes: Vec<ScopeId>) -> Self {
        let member = Member(shared.hub.next.fetch_add(1, Ordering::Relaxed));
        let mailbox = Arc::new(Mailbox::default());
        lock(&shared.hub.members).insert(member.0, Arc::clone(&mailbox));
        Self { hub_of: Arc::clone(shared), member, mailbox, scopes }
    }

    pub(super) fn member(&self) -> Member {
        self.member
    }

    /// Waits for a change. Dropping the future loses nothing.
    pub(super) async fn next(&self) -> LocalChange {
        loop {
            let told = self.mailbox.wake.notified();
            if let Some(change) = self.take() {
                return change;
            }
            told.await;
        }
    }

    /// What changed since the last call, if anything did.
    pub(super) fn take(&self) -> Option<LocalChange> {
        let mut change = self.mailbox.take();
        change.tips.retain(|tip| self.scopes.contains(&tip.scope));
        let is_nothing = change.tips.is_empty()
            && change.statements.is_empty()
            && change.cuts.is_empty()
            && !change.blobs
            && !change.bodies;
        (!is_nothing).then_some(change)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        lock(&self.hub_of.hub.members).remove(&self.member.0);
    }
}

impl Mailbox {
    fn put(&self, change: &LocalChange) {
        let LocalChange { tips, statements, cuts, blobs, bodies } = change;
        let mut waiting = lock(&self.waiting);
        waiting.tips.extend(tips.iter().map(|tip| (tip.tip.log, *tip)));
        waiting.statements.extend(statements);
        waiting.cuts.extend(cuts);
        waiting.blobs |= blobs;
        waiting.bodies |= bodies;
        drop(waiting);
        self.wake.notify_one();
    }

    fn take(&self) -> LocalChange {
        let Waiting { tips, statements, cuts, blobs, bodies } = std::mem::take(&mut *lock(&self.waiting));
        let (tips, statements) = (tips.into_values().collect(), statements.into_iter().collect());
        LocalChange { tips, statements, cuts, blobs, bodies }
    }
}

/// Every value behind these locks is whole after each statement, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
