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

/// How a link ended that the conversation did not close.
pub(super) fn end_of(error: LinkError) -> End {
    match error {
        LinkError::ClosedByPeer { code: close_code::DONE, reason: _ } => End::Done,
        LinkError::ClosedByPeer { code: number, reason } => {
            End::ClosedByPeer { code: session_code(number), number, reason }
        }
        LinkError::Lost { cause } => End::Lost { cause },
        LinkError::Misbehaved { violation } => End::Misbehaved { violation },
        LinkError::Aborted { transport_code } => End::Aborted { transport_code },
        // The endpoint was closed under us, by whoever serves it.
        LinkError::ClosedHere { .. } => End::Stopped,
        // Our own frame; the session keeps to the limits of the classes.
        _ => End::ClosedHere { code: CloseCode::FrameTooLong, reason: "frame" },
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
}
