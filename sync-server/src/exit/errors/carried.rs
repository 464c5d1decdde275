//! What did not come through, on a network or a stick.

use merestone_link::BindError;
use merestone_node::courier::{ReadCourierError, WriteCourierError};
use merestone_node::nearby::{NearbyError, NoTicket};
use merestone_node::place::PlaceError;
use merestone_node::replica::{ServeError, SyncError};

use super::AGAIN;
use crate::exit::{Code, Failure, advise};

impl From<BindError> for Failure {
    fn from(error: BindError) -> Self {
        let advice = match &error {
            BindError::PortInUse { .. } => "end the other program, or choose another port with --listen",
            BindError::AddressNotHere { .. } => "choose another with --listen",
            BindError::NoIpv6 => "choose an IPv4 address with --listen",
            BindError::Forbidden { .. } => "choose one above 1023 with --listen",
            BindError::Limits { .. } | BindError::NoRuntime | BindError::Carrier { .. } | BindError::System { .. } => {
                ""
            }
        };
        Self::new(Code::Unreachable, advise(&error, advice))
    }
}

impl From<WriteCourierError> for Failure {
    fn from(error: WriteCourierError) -> Self {
        match error {
            WriteCourierError::NotEnrolled { .. } => {
                Self::input(&error, "take up the certificate with `merestone device accept`")
            }
            WriteCourierError::Exists { .. } => Self::input(&error, "choose another name or remove it"),
            WriteCourierError::UnknownDevice | WriteCourierError::SeveralDevices { .. } => {
                Self::input(&error, "name one by its key: see `merestone roster show`")
            }
            WriteCourierError::NoReceipt { .. } => Self::input(&error, "write a bundle for everybody, without --for"),
            WriteCourierError::TooSmall { .. } => Self::input(&error, "name a greater --bytes-max"),
            WriteCourierError::TooMany { .. } => Self::input(&error, "use --no-originals, or --for one device"),
            WriteCourierError::Full { .. } => Self::storage(&error, "use --bytes-max, or another stick"),
            WriteCourierError::Write { .. } => Self::storage(&error, ""),
            WriteCourierError::Access(error) => error.into(),
        }
    }
}

impl From<ReadCourierError> for Failure {
    fn from(error: ReadCourierError) -> Self {
        match error {
            ReadCourierError::Foreign { .. } => Self::input(&error, "name a file of `merestone courier write`"),
            ReadCourierError::Cut { .. } | ReadCourierError::Damaged { .. } => {
                Self::input(&error, "nothing was taken: copy it again")
            }
            ReadCourierError::Refused { .. } | ReadCourierError::Maker(_) => {
                Self::input(&error, "nothing was taken: ask who made it for another")
            }
            ReadCourierError::OtherMission { .. } => Self::input(&error, "use the device of that mission"),
            ReadCourierError::NotEnrolled => {
                Self::input(&error, "take up the certificate with `merestone device accept`")
            }
            ReadCourierError::Read { .. } => Self::input(&error, ""),
            ReadCourierError::Access(error) => error.into(),
        }
    }
}

impl From<NearbyError> for Failure {
    fn from(error: NearbyError) -> Self {
        match error {
            NearbyError::Discovery(error) => {
                Self::new(Code::Unreachable, advise(&error, "use the ticket of the other device"))
            }
            NearbyError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<NoTicket> for Failure {
    fn from(error: NoTicket) -> Self {
        match &error {
            NoTicket::NotEnrolled { .. } => {
                Self::input(&error, "take up the certificate with `merestone device accept`")
            }
            NoTicket::NoAddress => {
                Self::new(Code::Unreachable, advise(&error, "join a network, or name one with --address"))
            }
            NoTicket::Refused(_) => Self::input(&error, "name another address with --address"),
        }
    }
}

impl From<PlaceError> for Failure {
    fn from(error: PlaceError) -> Self {
        let code = match &error {
            PlaceError::Ticket(_) | PlaceError::Key | PlaceError::Shape | PlaceError::OtherMission { .. } => {
                Code::BadInput
            }
            PlaceError::UnknownHost { .. } => Code::Unreachable,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match &error {
            ServeError::OtherKey | ServeError::Closed | ServeError::NoAddress(_) => {
                Self::new(Code::Unreachable, advise(&error, AGAIN))
            }
        }
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        let advice = error.advice();
        match &error {
            SyncError::NoAddress
            | SyncError::NoSocket { .. }
            | SyncError::NoLink { .. }
            | SyncError::Closed
            | SyncError::Abandoned => Self::new(Code::Unreachable, advise(&error, advice)),
        }
    }
}
