//! Forms in; questions, checks and leaf tables out.
//!
//! Forms come as XLSForm (`.xlsx`, `.xls`, `.csv`, Markdown tables) or as XForm XML. Reading gives a [`model::Model`] and
//! refuses what is not understood, with its place; nothing of a form is dropped in silence.
//! A [`Form`] is a model that can be filled: it has the names of its answers in a record, and
//! [`Form::definition`] gives the signed definition whose leaf table fixes the position of each (`core/spec/claims.md`,
//! `core/spec/forms.md`). A [`Filling`] holds the answers of one record and what follows from them.
//!
//! This room is pure: no clock, no file, no network. It does not ask the questions and does not store the answers.
//!
//! ```
//! use std::sync::Arc;
//!
//! use merestone_forms::{Answer, Filling, Form, Occasion, standard};
//!
//! let form = Arc::new(Form::read_tables(standard::INCIDENT)?);
//! let mut filling = Filling::begin(form, Occasion::default());
//! filling.answer_typed("title", "Shots heard")?;
//! assert!(filling.answer_typed("casualties_low", "two").is_err());
//! filling.answer_typed("casualties_low", "2")?;
//! assert_eq!(filling.given("casualties_low"), Some(&Answer::Int(2)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
pub mod expr;
pub mod field;
pub mod filling;
mod form;
mod instances;
mod json;
#[cfg(test)]
mod limits;
pub mod marks;
pub mod markup;
pub mod model;
mod reading;
pub mod refused;
mod render;
pub mod standard;
mod workbook;
mod xform;
mod xlsform;

pub use answer::Answer;
pub use field::Refusal;
pub use filling::{Filling, Occasion, Problem, Wrong};
pub use form::{Form, IMPORTED};
pub use reading::NamedFile;
pub use refused::{FormRefused, Reason};
pub use workbook::{COLUMNS_MAX, FILE_BYTES_MAX, FILE_ROWS_MAX, FileKind};
