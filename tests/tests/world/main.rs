//! The World: that its disks fail as disks do, and that the product stands it.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

mod counted;
mod disks;
#[path = "../../src/world/disk/exports.rs"]
mod exports;
#[path = "../../src/world/wire/exports.rs"]
mod exports_wire;
mod memory;
mod mended;
mod seeds;
mod wires;
