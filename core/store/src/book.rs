//! How far every log has come, kept in memory: read from the disk once, and after that brought on by each commit.
//!
//! Every meeting begins and ends with all tips. From the disk each costs two searches and a walk over what its row does
//! not say yet; here it is copied. A log takes some 250 bytes, so the most a mission may have (65,536) take 16 MiB.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use merestone_core::id::{LogId, ScopeId};

use crate::tips::LogTip;

/// The tips of all logs; empty until somebody asks for all of them.
#[derive(Debug, Default)]
pub(crate) struct Book {
    tips: Mutex<Option<BTreeMap<LogId, LogTip>>>,
}

impl Book {
    /// Takes over what a commit made of logs. Called after the commit and before anybody hears of it.
    pub(crate) fn follow(&self, moved: impl IntoIterator<Item = LogTip>) {
        if let Some(tips) = &mut *self.lock() {
            tips.extend(moved.into_iter().map(|tip| (tip.log, tip)));
        }
    }

    /// The tip of one log, in case all are known; `None`: look on the disk.
    pub(crate) fn tip(&self, log: LogId) -> Option<Option<LogTip>> {
        self.lock().as_ref().map(|tips| tips.get(&log).copied())
    }

    /// Looks at all tips, after reading them with `read` if nobody did before.
    ///
    /// A commit that comes while they are read waits here with what it made of them, so that nothing older is put over it.
    pub(crate) fn all<T, E>(
        &self,
        read: impl FnOnce() -> Result<Vec<LogTip>, E>,
        look: impl FnOnce(Tips<'_>) -> T,
    ) -> Result<T, E> {
        let mut known = self.lock();
        if let Some(tips) = &*known {
            return Ok(look(Tips(tips)));
        }
        let tips = known.insert(read()?.into_iter().map(|tip| (tip.log, tip)).collect());
        Ok(look(Tips(tips)))
    }

    fn lock(&self) -> MutexGuard<'_, Option<BTreeMap<LogId, LogTip>>> {
        // Each tip is put in whole.
        self.tips.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All tips, by log.
#[derive(Clone, Copy)]
pub(crate) struct Tips<'a>(&'a BTreeMap<LogId, LogTip>);

impl<'a> Tips<'a> {
    /// Those of a scope (`None`: of all) after a log, ascending.
    pub(crate) fn after(self, scope: Option<ScopeId>, after: Option<LogId>) -> impl Iterator<Item = &'a LogTip> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let tips = self.0.range((from, Bound::Unbounded)).map(|(_, tip)| tip);
        tips.filter(move |tip| scope.is_none_or(|scope| tip.scope == scope))
    }
}
