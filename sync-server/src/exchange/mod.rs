//! Between the device and the formats of other programs: records out of a device, submissions into it.
//!
//! The formats are the business of `merestone-exchange`; what is here asks the device and saves to it.

mod find;
mod gather;
mod take;

pub(crate) use find::{Finder, Found, Other, differing};
pub(crate) use gather::{Gathered, gather};
pub(crate) use take::{How, Outcome, Taker, What, is_file};
