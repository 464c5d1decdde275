//! The crossing into Kotlin, Swift and Python.
//!
//! It decides nothing: each call is one call of `merestone-node`, with ids as hex, values as text and errors as the few things
//! an app can act on. A feature that is missing here is added in `merestone-node` first and then exposed.
//!
//! # How calls run
//!
//! A call that may touch the disk is `async` and runs on threads of this crate ([`runtime`]); the caller's thread never waits.
//! A foreign caller that is cancelled drops the Rust future: a meeting ends its link, and a step that the disk is taking is
//! finished or not, and its answer is dropped. A panic becomes [`PhoneError::Internal`]; the store stays sound.
//!
//! What the app brings (a keystore, clocks, a place) is called on these threads while nothing here is locked, so that it may
//! call back; what it throws becomes [`PhoneError::Provider`] or is done without, as each trait says.
//!
//! # Coarse
//!
//! A call costs some ten microseconds through JNA and a hundred in Python, so lists come in pages, a record comes whole, and
//! photos go by path.
#![allow(unsafe_code, reason = "uniffi's macros write the exported symbols")]

mod answering;
#[cfg(feature = "audit")]
mod audit;
mod carried;
mod error;
mod form;
mod ids;
mod interview;
mod keys;
mod log;
mod page;
mod person;
mod phone;
mod photo;
mod provided;
mod record;
mod runtime;
mod screen;
mod sync;
mod teller;
mod turn;
mod value;

pub use answering::Answering;
#[cfg(feature = "audit")]
pub use audit::{AuditOptions, AuditReport, EvidencePage, ExplanationLine, FindingLine, audit_bag, explain_code};
pub use carried::{BagLine, CourierLine, CourierOrderLine, CourierReadLine, CourierWrittenLine};
pub use error::{PhoneError, StorageFault};
pub use form::{DamagedDraftLine, DraftLine, FormLine, LanguageLine};
pub use interview::{Answered, AttachedLine, Interview, InterviewLine, PhotoFile};
pub use keys::{KeyVault, KeyVaultError};
pub use log::{LogLevel, LogSink, set_log_sink};
pub use person::{Asked, EnrolmentLine, ObserverLine, ObserverStanding, PersonLine, QrLine};
pub use phone::{
    Change, ChangeListener, MissionLine, PartyLine, Phone, PhoneHome, PhoneSettings, RoomLine, ScopeLine, StoreSecret,
    SuspendReport, create_phone, open_phone, wipe_phone,
};
pub use photo::{PhotoPlaceLine, PixelBoxLine};
pub use provided::{
    ClockKind, ClockLine, ClockProvider, ConnectivityProvider, LinkHint, LocationProvider, PlaceKind, PlaceLine,
    ProviderError,
};
pub use record::{
    AnswerLine, ChangedLine, CustodyLine, HeldAloneLine, PhotoLine, RecordLine, RecordQuery, RecordSheet,
    RecordStateKind, RecordsPage, SavedLine, SignedValue, SpeechKind, SpeechOrder, StandingLine, StepLine,
};
pub use screen::{ChoiceLine, ProblemLine, ScreenKind, ScreenLine};
pub use sync::{
    CallerLine, MissingLine, NearbyLine, NearbyListener, PeerLine, SyncListener, SyncOptions, SyncReport, SyncState,
    SyncTarget, TicketLine,
};
pub use value::AnswerValue;

uniffi::setup_scaffolding!();

/// The version of the library, as its packages name it.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Where the install marker lies when one folder holds everything, as on machines without system backups.
#[uniffi::export]
pub fn marker_in(folder: String) -> String {
    merestone_node::device::Home::new(std::path::Path::new(&folder)).marker.to_string_lossy().into_owned()
}
