//! Two sessions joined in memory, each with a host in memory.

mod host;
mod link;
mod writing;

pub(super) use host::{EPOCH, Host, in_each_version, speak};
pub(super) use link::{Alone, Link, assert_synced, change, join, sync, sync_shuffled, sync_until};
pub(super) use writing::{entry, file};
