//! The rules of a log: one chain of entries for each (key, scope, epoch) (`spec/entry.md`, Log).

use super::VerifiedEntry;
use super::header::Position;
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::id::{EntryId, Epoch, LogId, ScopeId};

/// How far one log of a known key has come, as headers and cuts write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogHead {
    /// The log's scope.
    pub scope: ScopeId,
    /// The log's epoch.
    pub epoch: Epoch,
    /// The place of the entry in its log.
    pub seq: u64,
    /// The entry.
    pub id: EntryId,
}

impl LogHead {
    /// What tells logs of one key apart, in the order in which they are written.
    pub fn log(&self) -> (ScopeId, Epoch) {
        (self.scope, self.epoch)
    }

    /// Writes `[scope, epoch, seq, id]`.
    pub fn encode(&self, writer: &mut Writer) {
        let LogHead { scope, epoch, seq, id } = self;
        writer.array(4).bytes(scope.as_bytes()).bytes(epoch.as_bytes()).uint(*seq).bytes(id.as_bytes());
    }

    /// Reads `[scope, epoch, seq, id]`.
    ///
    /// # Errors
    /// If the next item is another, named `what`.
    pub fn decode<P: Policy>(reader: &mut Reader<'_, P>, what: &'static str) -> Result<Self, Refused> {
        reader.array_exact(4, what)?;
        let head = Self {
            scope: ScopeId::from_bytes(reader.array_of(what)?),
            epoch: Epoch::from_bytes(reader.array_of(what)?),
            seq: reader.uint(what)?,
            id: EntryId::from_bytes(reader.array_of(what)?),
        };
        reader.leave();
        Ok(head)
    }

    /// Reads an array of at most `heads_max` of them, in whatever order.
    ///
    /// # Errors
    /// If the next item is another, named `what`, or longer.
    pub fn decode_list<P: Policy>(
        reader: &mut Reader<'_, P>,
        heads_max: usize,
        what: &'static str,
    ) -> Result<Vec<Self>, Refused> {
        let len = reader.array(heads_max, what)?;
        let heads = (0..len).map(|_| Self::decode(reader, what)).collect::<Result<_, _>>()?;
        reader.leave();
        Ok(heads)
    }
}

/// The end of a log's contiguous, verified part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tip {
    /// The log.
    pub log: LogId,
    /// Number of entries, at least 1: one more than the seq of the head.
    pub height: u64,
    /// The last entry.
    pub head: EntryId,
}

impl Tip {
    /// The seq and position of the entry that would come next.
    pub fn next(&self) -> (u64, Position) {
        (self.height, Position::Later { prev: self.head })
    }
}

/// The tip after `entry`, if it continues the log that ends at `previous` (`None`: nothing of it is held).
///
/// The head itself again changes nothing. The caller looks up by id whether it holds an entry below the head:
/// a tip cannot tell the entry that is held at a position from another one.
/// (`log-start` and `log-full` need no other entry and were checked when the entry was verified.)
///
/// # Errors
/// - `log-gap`: an entry before it is not held;
/// - `log-prev`: it stands where the next entry does and names another one before it, or it is of another log;
/// - `log-fork`: its position is taken.
pub fn follows(previous: Option<&Tip>, entry: &VerifiedEntry) -> Result<Tip, Refused> {
    follows_under(previous, entry, Full)
}

/// [`follows`] under `policy`.
///
/// # Errors
/// As [`follows`].
pub fn follows_under<P: Policy>(previous: Option<&Tip>, entry: &VerifiedEntry, policy: P) -> Result<Tip, Refused> {
    let (seq, position) = (&entry.header().seq, &entry.header().position);
    let after = Tip { log: entry.log(), height: seq.saturating_add(1), head: entry.id() };
    let Some(tip) = previous else {
        policy.require(*seq == 0, Check::LogGap, "seq")?;
        return Ok(after);
    };
    policy.require(tip.log == after.log, Check::LogPrev, "log")?;
    if tip.head == after.head {
        return Ok(*tip);
    }
    policy.require(*seq >= tip.height, Check::LogFork, "seq")?;
    policy.require(*seq <= tip.height, Check::LogGap, "seq")?;
    let follows_head = match position {
        Position::First { certificate: _, earlier: _ } => false,
        Position::Later { prev } => *prev == tip.head,
    };
    policy.require(follows_head, Check::LogPrev, "prev")?;
    Ok(after)
}
