//! Stories, vectors, loopback, house rules and figures across rooms.
//!
//! A test that needs a program or a file that may be absent calls [`skip`] with the reason and returns.
//! One that needs devices which can save founds a [`mission`].

pub mod chance;
pub mod examine;
pub mod mission;
pub mod outpost;
pub mod saving;
mod skip;

pub use skip::skip;
