//! Forms, and expressions of forms, against what nobody here wrote: forms that went to the field, the converter that
//! everybody uses, and the evaluator that Enketo uses; and files made to do harm.

mod bounds;
mod common;
mod compare;
mod converted;
mod engine;
mod expressions;
mod filled;
mod fixtures;
mod large;
mod page;
#[path = "../../../../tests/src/skip.rs"]
#[allow(unreachable_pub, reason = "shared with the tests that lie above every room")]
mod skip;
