//! The command as people and scripts meet it: real processes, real files, QUIC on loopback.

mod bad_input;
mod life;
mod manners;
mod world;
