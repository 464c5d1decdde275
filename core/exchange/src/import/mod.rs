//! Submissions of ODK and Kobo in: what one says, under the keys of the form's records, with nothing dropped in silence.
//!
//! What the form has no question for is kept beside the answers; what cannot be stored exactly refuses its submission by
//! name, unless the caller allows tidying, and then the keys that were tidied are named.

mod csv;
mod known;
mod refused;
mod submission;
mod xml;

pub use csv::{CsvRead, CsvRefused, NamedCsv, Orphan, TABLE_BYTES_MAX, csv_repeats, read_csv};
pub(crate) use known::EDIT;
pub use known::{Comparison, Difference, Here, Known};
pub use refused::ImportRefused;
pub use submission::{Arrival, Attachment, Exactness, Extra, Source, Submission};
pub use xml::{FormName, INSTANCE_BYTES_MAX, peek, read_edit, read_xml};
