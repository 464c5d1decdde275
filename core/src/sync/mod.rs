//! The conversation of two peers, without any IO (`spec/sync.md`).
//!
//! A [`Session`] is one side of one conversation about one mission: phone with phone, phone with base camp, camp
//! with camp. Both sides run the same code. It decides what to say, what to believe,
//! what to make durable and when both hold the same; it does not carry frames, read or write a store, verify
//! signatures of entries, sign, or look at a clock. Those are [`Action`]s for the host, answered by [`Input`]s.
//!
//! ```text
//!            frames             Input::Frame ┌─────────┐ Action::Load, Commit, Admit    store
//!   peer ◀───────────▶ link ────────────────▶│ Session │───────────────────────────▶   roster
//!                          ◀──────────────── │         │ Action::Verify                 any thread
//!                           poll_send(class) └─────────┘ Action::SignReceipt            key
//! ```
//!
//! # How a host pumps it
//!
//! 1. [`Session::new`] with who we are and what we hold.
//! 2. After every input and every frame taken, take [`Session::poll`] until it is `None`, and do each action. Actions may be done on other
//!    threads and answered in any order, except that [`Action::Admit`] and [`Action::Commit`] take effect in order.
//! 3. Whenever the link takes more of a class, ask [`Session::poll_send`] for a frame of it, most urgent class first.
//!    Nothing is prepared far ahead, so a slow peer slows the reading of our store, and nothing piles up.
//! 4. While [`Session::is_receiving`] is false for a class, read nothing of it from the link: the disk is slower than the
//!    peer, or the peer is not known yet.
//! 5. Give it the time, once a second.
//! 6. After [`Action::Close`] end the link with that code and drop the session. Nothing is lost by dropping one at any moment.
//!
//! ```
//! use merestone_core::id::{MissionId, StoreId};
//! use merestone_core::sync::frame::{Frame, Wants};
//! use merestone_core::sync::{Action, Class, CloseCode, Input, Limits, LocalState, Session, SessionConfig, Version};
//!
//! // A device that is joining: it knows the mission's id and nothing else.
//! let config = SessionConfig {
//!     version: Version::NEWEST,
//!     mission: MissionId::from_bytes([1; 32]),
//!     charter: None,
//!     certificate: None,
//!     store: StoreId::from_bytes([2; 16]),
//!     peer_transport: [3; 32],
//!     calls: true,
//!     wants: Wants::EVERYTHING,
//!     stay: false,
//!     limits: Limits::default(),
//! };
//! let mut session = Session::new(config, LocalState::default());
//!
//! let hello = session.poll_send(Class::Control).expect("a session begins with its hello");
//! assert!(matches!(Frame::decode(&hello), Ok(Frame::HelloV2(_))));
//!
//! session.handle(Input::Wake(0));
//! session.handle(Input::Frame(Class::Control, b"GET / HTTP/1.1".to_vec()));
//! while let Some(action) = session.poll() {
//!     let Action::Close(close) = action else { panic!("nothing else is to be done") };
//!     assert_eq!(close.code, CloseCode::Malformed);
//! }
//! ```
//!
//! # What is held when
//!
//! A statement, entry or chunk counts as held when the host says that it is committed, and only then is it
//! acknowledged (`kept`). A session that ends in the middle leaves what was committed; the next one compares again
//! and goes on from there.
//!
//! # Memory
//!
//! For one peer, at most the sum of
//!
//! - 16 frames of entries received and not yet durable (1 MiB each; once verified, a frame of a hostile peer may have
//!   inflated to 4 MiB), and 4 MiB for each of the [`VERIFY_MAX`] being verified,
//! - 2 frames of entries to send, and 1 MiB of entries read for them, with one entry over it,
//! - [`Limits::chunk_bytes_max`] of chunks received, and one chunk over it,
//! - 3 × 16 chunks to send, and the chunk hashes of the 64 blobs in each direction (4 MiB at most, 100 KiB for photos of 3 MB),
//! - 2 MiB of small control frames that the peer does not read, after which the conversation ends,
//! - 1 MiB of statements on their way to the peer and 2 MiB on their way into the store,
//! - one receipt in each direction for differences to it (1 MiB each),
//! - about 500 bytes for each log of the shared scopes (32 MiB at 65,536 logs) and 64 for each statement.
//!
//! # What it does not do
//!
//! - It sends no entry before the chain it stands in: an urgent one waits for the earlier ones of its log.
//! - It does not hide what a certified peer could learn by asking: which logs of its scopes exist and how long they are.

mod answers;
mod bodies;
mod chunks;
mod close;
mod columns;
mod comparing;
mod config;
mod driving;
mod fetching;
pub mod frame;
mod hearing;
mod hello;
mod io;
mod log;
mod outbox;
mod peer;
mod probe;
mod receipts;
mod receiving;
mod report;
mod resting;
mod scope;
mod sending;
mod serving;
mod session;
mod statements;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tips;
mod tree;
mod verify;
mod version;
pub mod wire;

pub use chunks::BlobFrame;
pub use close::{Close, CloseCode};
pub use config::{
    Agreement, CutKey, LastAgreement, Limits, LocalState, LocalTip, SessionConfig, agreed_digest, blobs_digest,
    branches_digest, classes_digest, named_logs, statements_digest, tips_digest,
};
pub use io::{
    Action, Admission, BlobState, Census, Class, Commit, Committed, HeldAt, Input, Loaded, LocalChange, Part, Request,
    Span, StoredEntry, Token, WantedBlob,
};
pub use receiving::VERIFY_MAX;
pub use report::{BlobFailure, BlobProgress, Progress, Report, RestState};
pub use session::Session;
pub use verify::{UnverifiedBatch, VerifiedBatch};
pub use version::Version;
