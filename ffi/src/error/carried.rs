//! Errors of meetings, bundles and bags, without a wildcard.

use merestone_node::bag::BagError;
use merestone_node::courier::{ReadCourierError, WriteCourierError};
use merestone_node::device::{AccessError, WipeError};
use merestone_node::nearby::{NearbyError, NoTicket};
use merestone_node::place::PlaceError;
use merestone_node::replica::{BindError, ServeError, SyncError};

use super::{PhoneError, StorageFault, whole};

impl PhoneError {
    fn unreachable(code: &str, is_worth_retrying: bool, reason: impl ToString) -> Self {
        Self::Unreachable { code: code.to_owned(), is_worth_retrying, reason: reason.to_string() }
    }

    fn asleep(reason: impl ToString) -> Self {
        Self::Closed { is_suspended: true, reason: reason.to_string() }
    }
}

impl From<SyncError> for PhoneError {
    fn from(error: SyncError) -> Self {
        let reason = format!("{}: {}", whole(&error), error.advice());
        match error {
            SyncError::Closed => Self::asleep(error),
            SyncError::NoAddress | SyncError::NoSocket { .. } | SyncError::NoLink { .. } => {
                Self::unreachable(error.code(), error.is_worth_retrying(), reason)
            }
            SyncError::Abandoned => Self::Internal { reason },
        }
    }
}

impl From<ServeError> for PhoneError {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Closed => Self::asleep(error),
            ServeError::NoAddress(_) => Self::unreachable("no-address", false, whole(&error)),
            ServeError::OtherKey => Self::internal(error),
        }
    }
}

impl From<BindError> for PhoneError {
    fn from(error: BindError) -> Self {
        let reason = whole(&error);
        match error {
            BindError::PortInUse { .. } => Self::unreachable("port-in-use", false, reason),
            BindError::AddressNotHere { .. } => Self::unreachable("address-not-here", false, reason),
            BindError::NoIpv6 => Self::unreachable("no-ipv6", false, reason),
            BindError::Forbidden { .. } => Self::unreachable("port-forbidden", false, reason),
            BindError::Carrier { .. } | BindError::System { .. } => Self::unreachable("no-socket", false, reason),
            BindError::Limits { .. } | BindError::NoRuntime => Self::Internal { reason },
        }
    }
}

impl From<PlaceError> for PhoneError {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::Ticket(_) => Self::refused("ticket", error),
            PlaceError::Key => Self::refused("transport-key", error),
            PlaceError::Shape => Self::refused("address", error),
            PlaceError::OtherMission { .. } => Self::refused("other-mission", error),
            PlaceError::UnknownHost { .. } => Self::unreachable("unknown-host", true, error),
        }
    }
}

impl From<NearbyError> for PhoneError {
    fn from(error: NearbyError) -> Self {
        match error {
            NearbyError::Discovery(_) => Self::unreachable("no-discovery", false, whole(&error)),
            NearbyError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<NoTicket> for PhoneError {
    fn from(error: NoTicket) -> Self {
        match error {
            NoTicket::NotEnrolled { .. } => Self::NotEnrolled { is_cut: false, reason: error.to_string() },
            NoTicket::NoAddress => Self::unreachable("no-address", false, error),
            NoTicket::Refused(_) => Self::refused("name", error),
        }
    }
}

impl From<WriteCourierError> for PhoneError {
    fn from(error: WriteCourierError) -> Self {
        let reason = whole(&error);
        match error {
            WriteCourierError::NotEnrolled { .. } => Self::NotEnrolled { is_cut: false, reason },
            WriteCourierError::Exists { .. } => Self::refused("exists", reason),
            WriteCourierError::UnknownDevice => Self::NotThere { reason },
            WriteCourierError::SeveralDevices { .. } => Self::refused("several-devices", reason),
            WriteCourierError::NoReceipt { .. } => Self::NotThere { reason },
            WriteCourierError::TooSmall { .. } => Self::refused("too-small", reason),
            WriteCourierError::TooMany { .. } => Self::refused("too-many-photos", reason),
            WriteCourierError::Full { .. } => Self::storage(StorageFault::Full, reason),
            WriteCourierError::Write { .. } => Self::storage(StorageFault::Failed, reason),
            WriteCourierError::Access(error) => error.into(),
        }
    }
}

impl From<ReadCourierError> for PhoneError {
    fn from(error: ReadCourierError) -> Self {
        let reason = whole(&error);
        match error {
            ReadCourierError::Foreign { .. } => Self::refused("no-bundle", reason),
            ReadCourierError::Cut { .. } => Self::refused("cut-off", reason),
            ReadCourierError::Damaged { .. } => Self::refused("damaged", reason),
            ReadCourierError::Refused { refused, .. } | ReadCourierError::Maker(refused) => {
                Self::refused(refused.check.code(), reason)
            }
            ReadCourierError::OtherMission { .. } => Self::refused("other-mission", reason),
            ReadCourierError::NotEnrolled => Self::NotEnrolled { is_cut: false, reason },
            ReadCourierError::Read { .. } => Self::NotThere { reason },
            ReadCourierError::Access(error) => error.into(),
        }
    }
}

impl From<BagError> for PhoneError {
    fn from(error: BagError) -> Self {
        let reason = whole(&error);
        match error {
            BagError::NotEmpty { .. } => Self::refused("exists", reason),
            BagError::NoName { .. } => Self::refused("path", reason),
            BagError::Full { .. } => Self::storage(StorageFault::Full, reason),
            BagError::Write { .. } => Self::storage(StorageFault::Failed, reason),
            BagError::Read(error) => error.into(),
            BagError::Ledger { .. } => Self::storage(StorageFault::Damaged, reason),
            BagError::Photo(error) => AccessError::from(error).into(),
        }
    }
}

impl From<WipeError> for PhoneError {
    fn from(error: WipeError) -> Self {
        let reason = whole(&error);
        match error {
            WipeError::Store(error) => error.into(),
            WipeError::Remove { .. } => Self::storage(StorageFault::Failed, reason),
        }
    }
}
