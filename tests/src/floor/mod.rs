//! What a machine gives without us, measured beside our own figures: nobody gets below it.
//!
//! Nothing here touches a format or a rule of the project.

mod rows;
mod signatures;
mod wire;

pub use rows::{files_mb_per_s, rows_per_s};
pub use signatures::{Signatures, cores};
pub use wire::quinn_mb_per_s;
