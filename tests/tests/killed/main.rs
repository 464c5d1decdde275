//! A device is killed with SIGKILL, again and again, in the middle of whatever it does: what it said was saved is there,
//! and nothing is there by half.
//!
//! What a kill cannot show is a power cut: the kernel still writes what the process gave it. That a commit was flushed
//! before it was acknowledged is shown by the order of its system calls (`at_every_write`).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests, outside a test function")]
#![cfg(unix)]

mod at_every_write;
mod at_random;
mod examiner;
mod victim;
