//! Records out as tables, maps and documents; submissions of other systems in.
//!
//! A [`Schema`] is a form as tables: the record itself and one for each repeat. Out of it and of [`Record`]s come
//! [`tables`], and out of these [`csv`](export::csv), a workbook ([`xlsx`](export::xlsx)), and maps
//! ([`geojson`](export::geojson), [`kml`](export::kml), [`gpx`](export::gpx)). [`json`](export::json) holds everything
//! there is, and [`submission`](export::submission) writes the XML that ODK and Kobo understand. The other way,
//! [`read_xml`](import::read_xml) and [`read_csv`](import::read_csv) turn what these submit into the keys of records.
//!
//! What goes out says what is not settled: values in conflict stand side by side, each row says its standing, and what was
//! left blank differs from what was not asked. What comes in is stored exactly or refused by name.
//!
//! This room is pure: values and bytes in, values and bytes out. It opens no file, asks no clock, signs nothing and decides
//! no conflict. The formats are described in `core/spec/exchange.md`.
//!
//! ```
//! use merestone_exchange::import::{Exactness, read_xml};
//! use merestone_exchange::{Schema, Value};
//! use merestone_forms::Form;
//!
//! let form = "| survey |\n| | type | name | label |\n| | integer | cars | Cars |\n\
//!             | settings |\n| | form_id |\n| | queue |\n";
//! let schema = Schema::of(&Form::read_tables(form)?);
//! let xml = "<queue id='queue'><cars>12</cars><meta><instanceID>uuid:1</instanceID></meta></queue>";
//! let submission = read_xml(&schema, xml.as_bytes(), Exactness::Exact)?;
//! assert_eq!(submission.answers["cars"], Value::Int(12));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod export;
mod geo;
pub mod guard;
pub mod import;
mod record;
mod schema;
mod table;
mod time;
mod xml;

pub use record::{Answer, Author, Entry, Held, Made, Photo, Place, Record, Value, instance_of};
pub use schema::{Column, ColumnKind, Schema, Table};
pub use table::{Cell, Sheet, tables};
