//! Records as a person sees them: lists, one record, its history, who holds a copy.
//!
//! Everything here is worked out from the entries and can be dropped at any time.

mod alone;
mod author;
mod custody;
mod erasure;
mod exhibit;
mod fork;
mod history;
mod list;
mod photos;
mod sheet;
mod shelf;
mod view;
mod words;

pub use alone::HeldAlone;
pub use author::{Author, Certified};
pub use custody::Custody;
pub use exhibit::ExhibitError;
pub use fork::ForkError;
pub use history::{Changed, Step};
pub use list::{RecordFilter, RecordLine, RecordPage, RecordState};
pub use photos::SavePhotoError;
pub(crate) use sheet::{Sheet, Standing as StandingValue, Values, values_at};
pub(crate) use shelf::Shelf;
pub use view::{AnswerView, PhotoView, RecordView, ValueView};
pub use words::RecordWords;
