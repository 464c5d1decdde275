//! The rules of Merestone: entries, records, roster, claims, ledger, sync conversation and audit.
//!
//! This crate decides and does nothing else: time and random bytes come in as arguments, bytes to store or send go out as values.
//! There is no clock, no randomness, no file, no socket, no thread and no SQL here.
//!
//! # In the order in which one thing rests on another
//!
//! - [`cbor`] and [`text`] read and write the one form that bytes may have; [`cose`] and [`key`] put a signature around
//!   them; [`id`] names them by their hash; [`merkle`] makes trees of hashes.
//! - [`check`] has a stable code for each rule. A refusal is a [`Refused`]: the code, and the part it is about.
//! - [`entry`] is one signed step. [`SignedEntry`](entry::SignedEntry) is bytes from outside and has no way to its
//!   content; only verification gives a [`VerifiedEntry`](entry::VerifiedEntry).
//! - [`change`] reads what an entry writes, strictly, before Automerge sees it; [`form`] and [`claims`] commit each
//!   answer on its own, so that a [`disclosure`] can show one alone, and a [`publication`] many.
//! - [`roster`] says who may sign, from the charter down; [`erasure`], [`receipt`] and [`checkpoint`] are the other
//!   statements of a mission.
//! - [`record`] judges the entries about one record: what is applied, and the standing of the rest.
//! - [`ledger`] cuts the mission's ledger into tiles and shows from them what is in it; [`witness`] is what the parties'
//!   witnesses check before they cosign a checkpoint, and when enough of them have; [`bounds`] says from their times
//!   between which an entry was signed; an [`exhibit`] shows one entry to somebody who holds nothing else, and
//!   a [`fork`](fork::Fork) that one key signed two for one position.
//! - [`sync`] is one side of a conversation of two devices; [`ticket`] and [`nearby`] say where one of them answers;
//!   [`audit`] judges a bag.
//!
//! The formats are in `core/spec/`, and each module names its page.
//!
//! # Example
//!
//! Whoever was told a mission's id needs nobody else to tell its charter from a forged one.
//!
//! ```
//! use merestone_core::Check;
//! use merestone_core::id::ScopeId;
//! use merestone_core::key::SigningKey;
//! use merestone_core::roster::{Charter, CompleteCharter, Party, PartyNumber, Scope, SignedCharter};
//!
//! let root = SigningKey::from_seed(&[1; 32]);
//! let state = Party { number: PartyNumber(1), name: "State A".into(), root: *root.public(), witnesses: vec![] };
//! let north = Scope { id: ScopeId::from_bytes([1; 8]), name: "North".into() };
//! let charter = Charter {
//!     name: "Border mission".into(),
//!     nonce: [7; 16],
//!     parties: vec![state],
//!     scopes: vec![north],
//!     forms: vec![],
//!     ledger: None,
//!     quorum: 1,
//! };
//! let signed = SignedCharter::begin(&charter, &root)?;
//! let (mission, bytes) = (signed.mission(), signed.encode());
//! assert_eq!(CompleteCharter::verify(&bytes, mission)?.charter().name, "Border mission");
//!
//! let mut forged = bytes;
//! *forged.last_mut().expect("a charter ends with a signature") ^= 1;
//! let refused = CompleteCharter::verify(&forged, mission).expect_err("another signature");
//! assert_eq!(refused.check, Check::SignatureInvalid);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod audit;
pub mod bounds;
pub mod cbor;
pub mod change;
pub mod check;
pub mod checkpoint;
pub mod claims;
pub mod cose;
pub mod courier;
pub mod disclosure;
pub mod entry;
pub mod erasure;
pub mod exhibit;
pub mod fork;
pub mod form;
pub mod id;
pub mod key;
pub mod ledger;
pub mod merkle;
pub mod nearby;
#[cfg(planted)]
pub mod planted;
pub mod publication;
pub mod receipt;
pub mod record;
pub mod roster;
pub mod sync;
pub mod text;
pub mod ticket;
pub mod witness;

pub use check::{Check, Refused};
