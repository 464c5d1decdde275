//! Every error of the rooms below: which exit code, and what to do.
//!
//! There is no wildcard arm where Rust lets us do without one, so a new failure below asks for a decision here.

mod said;

use std::io;

use merestone_core::publication::NotPublished;
use merestone_core::roster::{MakeError, ReadTextError};
use merestone_forms::FormRefused;
use merestone_link::BindError;
use merestone_node::bag::BagError;
use merestone_node::capture::{BeginError, PhotoError, SaveError};
use merestone_node::clock::NoEntropy;
use merestone_node::courier::{ReadCourierError, WriteCourierError};
use merestone_node::device::{AccessError, CreateError, NoReplica, OpenDeviceError, PenError, UnlockError};
use merestone_node::draft::DraftError;
use merestone_node::enrolment::{AcceptError, RequestError};
use merestone_node::filling::WorkOutError;
use merestone_node::forms::{AddFormError, FillError};
use merestone_node::nearby::{NearbyError, NoTicket};
use merestone_node::publish::PublishError;
use merestone_node::redaction::RedactError;
use merestone_node::replica::{CampError, LedgerError, NotForReceipts, ServeError, SyncError};
use merestone_node::succession::SuccessionError;
use merestone_node::vault::{KeyFileFault, VaultError};
use merestone_store::{BlobError, CommitError, OpenError, ReadError};

use super::{Code, Failure, advise};
use crate::witness::{MirrorError, StateError, WitnessError};

const ROOM: &str = "make room on the disk and try again";
const DOCTOR: &str = "run `merestone doctor`";
const AGAIN: &str = "try again";
const NOT_EDITABLE: &str = "see `merestone record show` for what is missing or set aside";

impl From<NoEntropy> for Failure {
    fn from(error: NoEntropy) -> Self {
        Self::storage(&error, "no key can be made on this machine now")
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match &error {
            OpenError::Missing { .. } => {
                Self::input(&error, "name the device's folder with --home, or make one with `merestone device init`")
            }
            OpenError::Exists { .. } => Self::input(&error, "name another folder with --home"),
            OpenError::AlreadyOpen { .. } => Self::storage(&error, "end the other program (`merestone serve`?) first"),
            OpenError::Newer { .. } => Self::input(&error, "use the newer program; nothing was changed"),
            OpenError::Foreign { .. } => Self::input(&error, "name the device's folder with --home"),
            OpenError::Damaged { .. } => Self::storage(
                &error,
                "it was left as it is: keep a copy of the folder, and sync a new device from a peer",
            ),
            OpenError::Full { .. } => Self::storage(&error, ROOM),
            OpenError::Io { .. } => Self::storage(&error, ""),
        }
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        match &error {
            CommitError::Full => Self::storage(&error, ROOM),
            CommitError::Damaged => Self::storage(&error, DOCTOR),
            CommitError::Broken | CommitError::Closed | CommitError::Ledger { .. } => Self::storage(&error, AGAIN),
            CommitError::TooLong { .. } | CommitError::Seq { .. } | CommitError::Body => Self::input(&error, ""),
            CommitError::Io(_) => Self::storage(&error, ""),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::Damaged | ReadError::SetAside(_) => Self::storage(&error, DOCTOR),
            ReadError::Io(_) => Self::storage(&error, ""),
        }
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full => Self::storage(&error, ROOM),
            BlobError::Commit(error) => error.into(),
            BlobError::Read(error) => error.into(),
            BlobError::Mismatch { .. }
            | BlobError::TooLong { .. }
            | BlobError::NotWanted { .. }
            | BlobError::Chunk { .. }
            | BlobError::Incomplete { .. } => Self::input(&error, ""),
            BlobError::Io(_) => Self::storage(&error, ""),
        }
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        match &error {
            AccessError::Full => Self::storage(&error, ROOM),
            AccessError::Damaged => Self::storage(&error, DOCTOR),
            AccessError::Broken => Self::storage(&error, AGAIN),
            AccessError::Internal => Self::new(Code::Storage, advise(&error, "try again, and report it")),
            AccessError::Read(_) | AccessError::Write(_) | AccessError::Blob(_) => Self::storage(&error, ""),
        }
    }
}

impl From<OpenDeviceError> for Failure {
    fn from(error: OpenDeviceError) -> Self {
        match error {
            OpenDeviceError::Store(error) => error.into(),
            OpenDeviceError::Access(error) => error.into(),
            OpenDeviceError::NoCharter { .. } => Self::storage(&error, DOCTOR),
            OpenDeviceError::Marker { .. } => Self::storage(&error, ""),
            OpenDeviceError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Charter(_) => {
                Self::input(&error, "every party must sign it: see `merestone mission show FILE`")
            }
            CreateError::Store(error) => error.into(),
            CreateError::Open(error) => error.into(),
            CreateError::Access(error) => error.into(),
            CreateError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        match &error {
            VaultError::WrongPassphrase => Self::input(&error, AGAIN),
            VaultError::Missing { .. } => Self::input(&error, "its file in the folder `keys` of the device is gone"),
            VaultError::KeyFile { fault, .. } => Self::input(
                &error,
                match fault {
                    KeyFileFault::Foreign => "name the file that `merestone mission key` made",
                    KeyFileFault::Newer { .. } => "use the newer program",
                    KeyFileFault::Damaged => "use a copy of it",
                    KeyFileFault::TooCostly => "no program of ours made it so",
                    KeyFileFault::OtherPurpose => "party keys and observers' keys cannot stand in for each other",
                },
            ),
            VaultError::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => Self::input(&error, "make a key with `merestone mission key`"),
                io::ErrorKind::AlreadyExists => Self::input(&error, "a key is never replaced: name another file"),
                io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory => Self::input(&error, ""),
                // What else a disk can say: nothing that another argument would mend.
                _ => Self::storage(&error, ""),
            },
            VaultError::NoEntropy(error) => (*error).into(),
            VaultError::Refused => Self::storage(&error, AGAIN),
        }
    }
}

impl From<UnlockError> for Failure {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::Unknown { .. } => Self::input(&error, "see `merestone device show`"),
            UnlockError::Vault(error) => error.into(),
        }
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Name(_) => Self::input(&error, "names have 1 to 64 bytes on one line"),
            RequestError::TooMany => Self::input(&error, "use another device"),
            RequestError::Vault(error) => error.into(),
            RequestError::NoEntropy(error) => error.into(),
            RequestError::Access(error) => error.into(),
        }
    }
}

impl From<AcceptError> for Failure {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Mistyped(_) => Self::input(&error, "scan or copy it again"),
            AcceptError::OtherMission { .. } => Self::input(&error, "it belongs to a device of another mission"),
            AcceptError::OtherKey { .. } => Self::input(&error, "accept it on the device that made the request"),
            AcceptError::NoParty | AcceptError::Refused(_) => Self::input(&error, "ask the officer for another"),
            AcceptError::Access(error) => error.into(),
        }
    }
}

impl From<SuccessionError> for Failure {
    fn from(error: SuccessionError) -> Self {
        match error {
            SuccessionError::Locked { .. } => Self::input(&error, "use the device that has the key"),
            SuccessionError::Refused(_) => {
                Self::input(&error, "both keys must be certified by one party, and sync may bring the certificates")
            }
            SuccessionError::Make(error) => error.into(),
            SuccessionError::Access(error) => error.into(),
        }
    }
}

impl From<ReadTextError> for Failure {
    fn from(error: ReadTextError) -> Self {
        match &error {
            ReadTextError::Mistyped(_) => Self::input(&error, "scan or copy it again"),
            ReadTextError::Refused(_) => Self::input(&error, "ask for another"),
        }
    }
}

impl From<MakeError> for Failure {
    fn from(error: MakeError) -> Self {
        match &error {
            MakeError::Refused(_) => Self::input(&error, ""),
            MakeError::Signer(_) => Self::storage(&error, ""),
        }
    }
}

impl From<FormRefused> for Failure {
    fn from(error: FormRefused) -> Self {
        let has_place = error.row > 0 || !error.sheet.is_empty();
        Self::input(&error, if has_place { "mend the form there" } else { "" })
    }
}

impl From<FillError> for Failure {
    fn from(error: FillError) -> Self {
        match error {
            FillError::Access(error) => error.into(),
            FillError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<AddFormError> for Failure {
    fn from(error: AddFormError) -> Self {
        match error {
            AddFormError::Document(error) => error.into(),
            AddFormError::NotListed { .. } => Self::input(&error, "the parties list forms when they found a mission"),
            AddFormError::Access(error) => error.into(),
        }
    }
}

impl From<WorkOutError> for Failure {
    fn from(error: WorkOutError) -> Self {
        match error {
            WorkOutError::Refused { key, refusal } => Self::bad_input(format!("--set {key}: {refusal}")),
            WorkOutError::Fill(error) => error.into(),
        }
    }
}

impl From<DraftError> for Failure {
    fn from(error: DraftError) -> Self {
        match error {
            DraftError::Missing => Self::input(&error, AGAIN),
            DraftError::Damaged { .. } => {
                Self::input(&error, "copy the home folder before anything else; a newer version may read it")
            }
            DraftError::Key => Self::input(&error, "see `merestone form check` for the names of a form"),
            DraftError::TooLong { .. } | DraftError::TooLarge => Self::input(&error, ""),
            DraftError::Access(error) => error.into(),
        }
    }
}

impl From<PenError> for Failure {
    fn from(error: PenError) -> Self {
        match error {
            PenError::NotEnrolled { .. } => {
                Self::input(&error, "take up the certificate with `merestone device accept`")
            }
            PenError::Locked { .. } => Self::input(&error, AGAIN),
            PenError::Cut { .. } => Self::input(&error, "what it signed stays; ask the party for a new certificate"),
            PenError::NotGranted { .. } => Self::input(&error, "see `merestone device show` for what it grants"),
            PenError::WornOut { .. } => Self::input(&error, ""),
            PenError::Rule(_) => Self::input(&error, ""),
            PenError::Access(error) => error.into(),
            PenError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<BeginError> for Failure {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::NotEditable { .. } => Self::input(&error, NOT_EDITABLE),
            BeginError::Access(error) => error.into(),
            BeginError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<SaveError> for Failure {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::NothingChanged => Self::input(&error, "the record says so already; nothing was signed"),
            SaveError::TooLarge => Self::input(&error, "save a part, and go on with `merestone record edit`"),
            SaveError::NotEditable { .. } => Self::input(&error, NOT_EDITABLE),
            SaveError::NotAWriter { .. } => {
                Self::input(&error, "only the parties named with --writer when it was created can; nothing was signed")
            }
            SaveError::NoForm { .. } => Self::input(&error, "sync with a device that has it"),
            SaveError::Pen(error) => error.into(),
        }
    }
}

impl From<RedactError> for Failure {
    fn from(error: RedactError) -> Self {
        match error {
            RedactError::NoPhoto { .. } => Self::input(&error, "see `merestone record show` for the photos"),
            RedactError::NotHeld { .. } => Self::input(&error, "sync with a peer that holds it"),
            RedactError::NoForm => Self::input(&error, "found the mission with it, or publish without photos"),
            RedactError::Picture(_) => Self::input(&error, "give each rectangle as x,y,width,height in its pixels"),
            RedactError::Begin(error) => error.into(),
            RedactError::Draft(error) => error.into(),
            RedactError::Photo(error) => error.into(),
            RedactError::Save(error) => error.into(),
            RedactError::Access(error) => error.into(),
        }
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Plan(NotPublished::NotDecided { .. }) => {
                Self::input(&error, "disclose it, withhold it with a reason, or say --withhold-rest REASON")
            }
            PublishError::Plan(NotPublished::MustBeDisclosed { .. }) => {
                Self::input(&error, "disclose it, or leave the records out whole")
            }
            PublishError::Plan(NotPublished::NoRepeat { .. }) => Self::input(&error, "name the answer without a slash"),
            PublishError::UnknownLabel { .. } => Self::input(&error, "see `merestone form check` for the names"),
            PublishError::UnknownRecord { .. } => Self::input(&error, "see `merestone record list`"),
            PublishError::Account(error) => error.into(),
            PublishError::Disclosure(_) | PublishError::Faulty { .. } => Self::storage(&error, DOCTOR),
            PublishError::Folder(error) => error.into(),
            PublishError::Access(error) => error.into(),
            PublishError::Photo(_) => Self::storage(&error, DOCTOR),
        }
    }
}

impl From<PhotoError> for Failure {
    fn from(error: PhotoError) -> Self {
        match error {
            PhotoError::Refused(_) | PhotoError::Preview(_) => Self::input(&error, "choose another file"),
            PhotoError::TooMany => Self::input(&error, ""),
            PhotoError::File { .. } => Self::input(&error, ""),
            PhotoError::NoEntropy(error) => error.into(),
            PhotoError::Draft(error) => error.into(),
        }
    }
}

impl From<BagError> for Failure {
    fn from(error: BagError) -> Self {
        match error {
            BagError::NotEmpty { .. } | BagError::NoName { .. } => Self::input(&error, ""),
            BagError::Full { .. } => Self::storage(&error, ROOM),
            BagError::Write { .. } => Self::storage(&error, ""),
            BagError::Read(error) => error.into(),
            BagError::Photo(_) | BagError::Ledger { .. } => Self::storage(&error, DOCTOR),
        }
    }
}

impl From<NoReplica> for Failure {
    fn from(error: NoReplica) -> Self {
        match &error {
            NoReplica::Locked { .. } => Self::input(&error, AGAIN),
        }
    }
}

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

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match &error {
            ServeError::OtherKey | ServeError::NoAddress(_) => Self::new(Code::Unreachable, advise(&error, AGAIN)),
        }
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        let advice = error.advice();
        match &error {
            SyncError::NoAddress | SyncError::NoSocket { .. } | SyncError::NoLink { .. } | SyncError::Abandoned => {
                Self::new(Code::Unreachable, advise(&error, advice))
            }
        }
    }
}

impl From<NotForReceipts> for Failure {
    fn from(error: NotForReceipts) -> Self {
        Self::input(&error, "ask the officer for a certificate of another role")
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::OtherKey => Self::input(&error, "use the key that the charter names"),
            LedgerError::Behind { .. } | LedgerError::Lost { .. } | LedgerError::Split { .. } => {
                Self::storage(&error, "it signs nothing until this is cleared up: ask the parties")
            }
            LedgerError::Unconfirmed { .. } => {
                Self::new(Code::Undecided, advise(&error, "ask them: `merestone serve --witness URL`"))
            }
            LedgerError::Tiles(_) | LedgerError::Damaged => Self::storage(&error, DOCTOR),
            LedgerError::Sign(_) | LedgerError::Refused(_) => Self::storage(&error, ""),
            LedgerError::Read(error) => error.into(),
            LedgerError::Commit(error) => error.into(),
        }
    }
}

impl From<WitnessError> for Failure {
    fn from(error: WitnessError) -> Self {
        match &error {
            WitnessError::State(StateError::InUse(_)) => Self::storage(&error, "end the other program first"),
            WitnessError::State(StateError::Foreign(_)) => {
                Self::input(&error, "name the folder that this witness used before, or a new one if it never cosigned")
            }
            WitnessError::State(StateError::Broken | StateError::Io(_)) => Self::storage(&error, ""),
            WitnessError::Sign(_) => Self::new(Code::Failed, advise(&error, "")),
        }
    }
}

impl From<MirrorError> for Failure {
    fn from(error: MirrorError) -> Self {
        match error {
            MirrorError::NoLedger => Self::input(&error, ""),
            MirrorError::Http { .. } | MirrorError::Status { .. } => {
                Self::new(Code::Unreachable, advise(&error, "ask who shows the ledger there; what came before is kept"))
            }
            MirrorError::Malformed { .. } | MirrorError::TooMany { .. } => {
                Self::input(&error, "nothing of it was kept")
            }
            MirrorError::Ledger(error) => error.into(),
            MirrorError::Access(error) => error.into(),
        }
    }
}

impl From<CampError> for Failure {
    fn from(error: CampError) -> Self {
        match error {
            CampError::Authority(_) => Self::storage(&error, DOCTOR),
            CampError::NotACamp => Self::input(&error, "ask the officer for a certificate of role camp"),
            CampError::Ledger(error) => error.into(),
            CampError::Thread(_) => Self::storage(&error, AGAIN),
        }
    }
}
