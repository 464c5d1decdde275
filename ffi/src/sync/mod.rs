//! What a meeting of two phones looks like to an app: whom to meet, how far it has come, what it came to.

mod found;
mod report;
mod target;

pub(crate) use found::Found;
pub use found::{CallerLine, NearbyLine, NearbyListener, TicketLine};
pub(crate) use report::progress_teller;
pub use report::{MissingLine, PeerLine, SyncListener, SyncReport, SyncState};
pub use target::{SyncOptions, SyncTarget};
