//! Stories, vectors, loopback, house rules and figures across rooms.
//!
//! A test that needs a program or a file that may be absent calls [`skip`] with the reason and returns.
//! One that needs devices which can save founds a [`mission`].

pub mod chance;
pub mod corpus;
pub mod examine;
pub mod floor;
pub mod haul;
pub mod mission;
pub mod net;
pub mod outpost;
pub mod relay;
pub mod saving;
pub mod shown;
mod skip;
pub mod timing;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub mod world;

pub use skip::skip;
