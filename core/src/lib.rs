//! The rules of Merestone: entries, records, roster, claims, ledger, sync conversation and audit.
//!
//! This crate decides and does nothing else: time and random bytes come in as arguments, bytes to store or send go out as values.
//! There is no clock, no randomness, no file, no socket, no thread and no SQL here.

pub mod audit;
pub mod cbor;
pub mod change;
pub mod check;
pub mod checkpoint;
pub mod claims;
pub mod cose;
pub mod entry;
pub mod erasure;
pub mod form;
pub mod id;
pub mod key;
pub mod merkle;
pub mod receipt;
pub mod record;
pub mod roster;
pub mod sync;
pub mod text;

pub use check::{Check, Refused};
