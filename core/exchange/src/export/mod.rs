//! Records out. Each format is one function: the same records give the same bytes on any day and machine.

mod csv;
mod features;
mod geojson;
mod gpx;
mod json;
mod kml;
mod submission;
mod xlsx;

/// A file was not written: the library that writes the format refused what it was given.
#[derive(Debug, thiserror::Error)]
#[error("the {format} cannot be written")]
pub struct NotWritten {
    /// The format.
    pub format: &'static str,
    /// The library's reason.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl NotWritten {
    fn new(format: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { format, source: Box::new(source) }
    }
}

pub use csv::csv;
pub use geojson::geojson;
pub use gpx::gpx;
pub use json::json;
pub use kml::kml;
pub use submission::{AUDIT, INSTANCE, LeftOut, Submitted, Why, submission};
pub use xlsx::{Place as CutCell, Written as Workbook, XlsxRefused, xlsx};
