//! What an entry is before anybody decides about it: the same for whoever makes a publication and whoever compares one.

use super::account::State;
use crate::disclosure::{Chosen, Fact, make};
use crate::entry::Kind;
use crate::form::FormDefinition;
use crate::record::{HeldEntry, Standing, WaitingFor};

/// What an entry is, as far as a publication cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It is applied and can be disclosed.
    Shown,
    /// It has this state, whatever is decided.
    Fixed(State),
}

/// The condition of an entry with this standing; `definition` is that of the form it names, if that is held.
pub fn condition(held: &HeldEntry, standing: Option<Standing>, definition: Option<&FormDefinition>) -> Condition {
    let kind = held.entry().header().kind;
    let state = match standing {
        None | Some(Standing::Waiting(WaitingFor::Body)) => State::NotHeld,
        Some(Standing::Erased) => State::Erased,
        Some(Standing::UnknownKind) => State::UnknownKind,
        Some(Standing::Accepted | Standing::Provisional) if kind == Kind::Change => {
            return match definition.map(|definition| make(held.entry(), definition, &[Chosen::Fact(Fact::Reserved)])) {
                Some(Ok(_)) => Condition::Shown,
                Some(Err(_)) | None => Condition::Fixed(State::Void),
            };
        }
        Some(Standing::Accepted | Standing::Provisional | Standing::Voided) => State::Role(kind),
        Some(
            Standing::SetAside
            | Standing::Held(_)
            | Standing::Unappliable(_)
            | Standing::OutOfRole(_)
            | Standing::Waiting(WaitingFor::Certificate | WaitingFor::Creation | WaitingFor::Entry(_)),
        ) => State::NotApplied,
    };
    Condition::Fixed(state)
}
