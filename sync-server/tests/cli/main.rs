//! The command as people and scripts meet it: real processes, real files, QUIC on loopback.

mod agreeing;
mod amending;
mod bad_input;
mod courier;
mod exchange;
mod filling;
mod imports;
mod life;
mod manners;
mod mirror;
mod nearby;
mod outsiders;
mod publishing;
mod rendering;
mod replacing;
mod returned;
mod saying;
#[path = "../../../tests/src/skip.rs"]
#[allow(unreachable_pub, reason = "shared with the tests that lie above every room")]
mod skip;
mod texts;
mod ticket;
mod witnesses;
mod world;
