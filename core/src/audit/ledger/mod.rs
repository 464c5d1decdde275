//! The ledger in a bag: its tree against every note, and every leaf against what the bag holds (`spec/bundle.md`, Ledger).
//!
//! ```text
//! note files ── Notes::admit ──▶ Notes          bundles ── read_bundle (any core) ──▶ LedgerPass::take (in order)
//!                                                                    LedgerPass::finish ──▶ LedgerView
//! each log:  LedgerView::take_log ──▶ LogWalk ──▶ LedgerView::put_back
//!                                         all of them ── LedgerView::say_missing ──▶ Completeness
//! ```
//!
//! While a log waits to be read, 36 bytes of each of its leaves are held; of a log that was read, 4.

mod logged;
mod notes;
mod pass;
mod view;

pub use logged::{Logged, Places};
pub use notes::{CosignedBy, NoteState, Notes, SeenNote};
pub use pass::{BUNDLE_BYTES_MAX, HashedLeaf, LedgerPass, read_bundle};
pub(super) use view::say_left_out;
pub use view::{AsOf, Completeness, LedgerView, LeftOutCounts};

/// Most leaves of a ledger that is judged: their places take 32 bits.
pub const LEAVES_MAX: u64 = u32::MAX as u64;

/// Most statements of a ledger that is judged.
pub const LEDGER_STATEMENTS_MAX: usize = 1 << 20;
