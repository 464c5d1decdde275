//! Every error of the rooms below: which exit code, and what to do.
//!
//! There is no wildcard arm where Rust lets us do without one, so a new failure below asks for a decision here.

mod carried;
mod device;
mod form;
mod ledger;
mod office;
mod said;
mod shown;
mod store;

pub(crate) use ledger::{LEDGER_DAMAGED, LEDGER_SPLIT};

const ROOM: &str = "make room on the disk and try again";
const DOCTOR: &str = "run `merestone doctor`";
const AGAIN: &str = "try again";
const NOT_EDITABLE: &str = "see `merestone record show` for what is missing or set aside";
