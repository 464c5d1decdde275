//! A device's folder that is not as it should be: in use, newer, cut short, of something else, damaged, copied, or on a
//! full disk. One clear error, and nothing that was there is touched.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests, outside a test function")]

mod clock;
mod copied;
mod damaged;
mod folder;
mod full;
mod held;
