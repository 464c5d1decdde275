//! Records as a person sees them: lists, one record, its history, who holds a copy.
//!
//! Everything here is worked out from the entries and can be dropped at any time.

mod erasure;
mod sheet;
mod shelf;

pub(crate) use sheet::{Sheet, Standing as StandingValue, Values, values_at};
pub(crate) use shelf::Shelf;
