//! Records out and submissions in: single rules, many of chance, and forms that nobody here made.

mod common;
mod dice;
mod many;
mod round_trip;
#[path = "../../../../tests/src/skip.rs"]
#[allow(unreachable_pub, reason = "shared with the tests that lie above every room")]
mod skip;
mod submissions;
