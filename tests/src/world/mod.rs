//! The World: many devices, bad luck and one seed.
//!
//! Real devices, camps and stores, through their public items; only clocks, random bytes, disks and links are the World's.
//! [`run`] lives one world: hours of saves, meetings and faults from a seed, with what must hold [checked](check) at every
//! step against what people were told ([`model`]), then peace, in which everything must come together.
//!
//! Not here: packets (the conversation is pumped frame by frame on one thread, see [`link`]), and pages of the database that
//! rot.

pub mod check;
pub mod damage;
pub mod deeds;
pub mod disk;
pub mod lies;
pub mod link;
pub mod luck;
pub mod meeting;
pub mod model;
pub mod run;
pub mod senses;
pub mod site;
pub mod wire;
pub mod witnesses;
