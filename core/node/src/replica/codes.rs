//! Closing codes: the conversation's own under the numbers of the link, and what the end of a link means.

use merestone_core::sync::CloseCode;
use merestone_link::{LinkError, close_code};

use super::outcome::End;

/// The conversation's codes stand above the link's own, except good-bye, which both have as 0.
pub(super) fn wire_code(code: CloseCode) -> u32 {
    match code {
        CloseCode::Bye => close_code::DONE,
        other => {
            close_code::SESSION_FROM + u32::try_from(other.number()).unwrap_or(u32::MAX - close_code::SESSION_FROM)
        }
    }
}

/// Good-bye under its number in the conversation. We say it with the link's own code, and understand both.
const BYE: u32 = close_code::SESSION_FROM;

/// How a link ended that the conversation did not close.
pub(super) fn end_of(error: LinkError) -> End {
    match error {
        LinkError::ClosedByPeer { code: close_code::DONE | BYE, reason: _ } => End::Done,
        LinkError::ClosedByPeer { code: number, reason } if number < close_code::SESSION_FROM => {
            End::RefusedByLink { number, reason }
        }
        LinkError::ClosedByPeer { code: number, reason } => {
            End::ClosedByPeer { code: session_code(number), number, reason }
        }
        LinkError::Lost { cause } => End::Lost { cause },
        LinkError::Misbehaved { violation } => End::Misbehaved { violation },
        LinkError::Aborted { transport_code } => End::Aborted { transport_code },
        // The endpoint was closed under us, by whoever serves it.
        LinkError::ClosedHere { .. } => End::Stopped,
        // Our own frame; the session keeps to the limits of the classes.
        LinkError::FrameTooLarge { class: _, bytes: _, bytes_max: _ } => {
            End::ClosedHere { code: CloseCode::FrameTooLong, reason: "frame" }
        }
    }
}

fn session_code(number: u32) -> Option<CloseCode> {
    let number = number.checked_sub(close_code::SESSION_FROM)?;
    CloseCode::from_number(number.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_travel_above_those_of_the_link_and_read_back() {
        for code in CloseCode::ALL.into_iter().filter(|code| *code != CloseCode::Bye) {
            assert!(wire_code(code) > close_code::TOO_MANY_FROM_PEER);
            assert_eq!(session_code(wire_code(code)), Some(code));
        }
        assert_eq!(wire_code(CloseCode::Bye), close_code::DONE);
        assert_eq!(session_code(close_code::FRAME_TOO_LARGE), None);
    }

    fn closed_with(code: u32) -> End {
        end_of(LinkError::ClosedByPeer { code, reason: String::new() })
    }

    #[test]
    fn good_bye_under_either_number_is_one() {
        assert!(matches!(closed_with(close_code::DONE), End::Done));
        assert!(matches!(closed_with(256), End::Done));
        assert!(matches!(closed_with(257), End::ClosedByPeer { code: Some(CloseCode::Malformed), .. }));
    }

    #[test]
    fn what_the_link_refuses_is_no_code_of_a_later_version() {
        for code in close_code::FRAME_TOO_LARGE..=close_code::TOO_MANY_FROM_PEER {
            let end = closed_with(code);
            assert!(!end.is_worth_retrying() && matches!(end, End::RefusedByLink { .. }), "{end}");
        }
        assert_eq!(closed_with(close_code::TOO_MANY_FROM_PEER).code(), "too-many-connections");
        assert_eq!(closed_with(400).code(), "unknown-code");
    }
}
