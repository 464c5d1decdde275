//! The conversation of two peers, without any IO (`spec/sync.md`).

pub mod frame;
pub mod wire;
