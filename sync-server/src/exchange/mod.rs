//! Between the device and the formats of other programs: records out of a device, submissions into it.
//!
//! The formats are the business of `merestone-exchange`; what is here asks the device and saves to it.

mod find;
mod gather;
mod own;
mod take;

pub(crate) use find::{Finder, Found, Other};
pub(crate) use gather::{Gathered, gather};
pub(crate) use own::compare;
pub(crate) use take::{Edited, How, Outcome, Taker, What, is_file};
