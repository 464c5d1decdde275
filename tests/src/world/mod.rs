//! The World: many devices, bad luck and one seed.

pub mod disk;
