//! Records out and submissions in: single rules, many of chance, and forms that nobody here made.

mod common;
mod dice;
mod many;
mod round_trip;
#[path = "../../../../tests/src/skip.rs"]
mod skip;
mod submissions;
