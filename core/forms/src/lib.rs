//! Forms in; questions, checks and leaf tables out.
//!
//! A form is written as XLSForm sheets (`survey`, `choices`, `settings`) in Markdown tables.
//! [`Form::read`] turns it into questions; [`Form::definition`] gives the signed definition whose leaf table fixes the
//! position of each answer (`core/spec/claims.md`); [`Form::check`] says what is missing or wrong in a set of answers.
//! Nothing of a form is dropped in silence: what is not understood is refused with its sheet, row and column.
//!
//! This room is pure: no clock, no file, no network. It does not ask the questions and does not store the answers.
//!
//! ```
//! use merestone_core::change::Value;
//! use merestone_forms::{Form, standard};
//!
//! let form = Form::read(standard::INCIDENT)?;
//! let answers = [("title", Value::Text("Shots heard")), ("casualties_low", Value::Text("two"))];
//! let problems = form.check(answers.iter().map(|(key, value)| (*key, *value)));
//! assert!(problems.iter().any(|problem| problem.key == "casualties_low"));
//! # Ok::<(), merestone_forms::FormRefused>(())
//! ```

mod answers;
pub mod expr;
mod form;
mod instances;
pub mod model;
mod reading;
pub mod refused;
mod sheet;
pub mod standard;
mod workbook;
mod xform;
mod xlsform;

pub use answers::{Problem, Wrong};
pub use form::{Choice, Form, IMPORTED, Question, QuestionKind};
pub use reading::NamedFile;
pub use sheet::{FormRefused, Reason};
pub use workbook::{COLUMNS_MAX, FILE_BYTES_MAX, FileKind, ROWS_MAX};
