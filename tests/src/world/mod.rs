//! The World: many devices, bad luck and one seed.

pub mod check;
pub mod deeds;
pub mod disk;
pub mod link;
pub mod luck;
pub mod meeting;
pub mod model;
pub mod run;
pub mod senses;
pub mod site;
