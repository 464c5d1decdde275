//! Carrying what this device holds on a stick, where no network reaches (`core/spec/courier.md`).
//!
//! ```text
//! Device::write_courier ──▶ one file ──▶ Device::inspect_courier    what is in it, and is it whole
//!                                   └──▶ Device::read_courier       take what is not held here
//! ```
//!
//! A bundle holds the frames that a live peer would have been sent, and what is taken from it is judged as if a peer had
//! sent it. It is not encrypted: whoever finds the stick reads what is on it.

mod error;
mod file;
mod reading;
mod writing;

pub use error::{ReadCourierError, WriteCourierError};
pub use reading::{CourierRead, CourierSeen, Fault, RefusedPart};
pub use writing::{CourierOrder, CourierWritten, LeftOutPhoto};
