//! Records out. Each format is one function: the same records give the same bytes on any day and machine.

mod csv;
mod features;
mod geojson;
mod gpx;
mod json;
mod kml;
mod submission;
mod xlsx;

pub use csv::csv;
pub use geojson::geojson;
pub use gpx::gpx;
pub use json::json;
pub use kml::kml;
pub use submission::{AUDIT, INSTANCE, LeftOut, Submitted, Why, submission};
pub use xlsx::{Place as CutCell, Written as Workbook, XlsxRefused, xlsx};
