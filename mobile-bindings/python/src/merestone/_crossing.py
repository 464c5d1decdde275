"""The generated module, its errors as those of `merestone.errors`. Nothing else here imports it."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from . import errors, merestone_ffi
from .merestone_ffi import (
    Answered,
    Answering,
    AnswerLine,
    AnswerValue,
    Asked,
    AttachedLine,
    AuditOptions,
    AuditReport,
    BagLine,
    CallerLine,
    Change,
    ChangedLine,
    ChangeListener,
    ChoiceLine,
    ClockKind,
    ClockLine,
    ClockProvider,
    ConnectivityProvider,
    CourierLine,
    CourierOrderLine,
    CourierReadLine,
    CourierWrittenLine,
    CustodyLine,
    DamagedDraftLine,
    DraftLine,
    EnrolmentLine,
    FormLine,
    HeldAloneLine,
    Interview,
    InterviewLine,
    KeyVault,
    KeyVaultError,
    LanguageLine,
    LinkHint,
    LocationProvider,
    LogLevel,
    LogSink,
    MissingLine,
    MissionLine,
    NearbyLine,
    NearbyListener,
    ObserverLine,
    ObserverStanding,
    PartyLine,
    PeerLine,
    PersonLine,
    Phone,
    PhoneError,
    PhoneHome,
    PhoneSettings,
    PhotoFile,
    PhotoLine,
    PhotoPlaceLine,
    PixelBoxLine,
    PlaceKind,
    PlaceLine,
    ProblemLine,
    ProviderError,
    QrLine,
    RecordLine,
    RecordQuery,
    RecordSheet,
    RecordsPage,
    RecordStateKind,
    RoomLine,
    SavedLine,
    ScopeLine,
    ScreenKind,
    ScreenLine,
    SignedValue,
    SpeechKind,
    SpeechOrder,
    StandingLine,
    StepLine,
    StorageFault,
    StoreSecret,
    SuspendReport,
    SyncListener,
    SyncOptions,
    SyncReport,
    SyncState,
    SyncTarget,
    TicketLine,
    audit_bag,
    create_phone,
    explain_code,
    marker_in,
    open_phone,
    set_log_sink,
    version,
    wipe_phone,
)

__all__ = [
    "AnswerLine",
    "AnswerValue",
    "Answered",
    "Answering",
    "Asked",
    "AttachedLine",
    "AuditOptions",
    "AuditReport",
    "BagLine",
    "CallerLine",
    "Change",
    "ChangeListener",
    "ChangedLine",
    "ChoiceLine",
    "ClockKind",
    "ClockLine",
    "ClockProvider",
    "ConnectivityProvider",
    "CourierLine",
    "CourierOrderLine",
    "CourierReadLine",
    "CourierWrittenLine",
    "CustodyLine",
    "DamagedDraftLine",
    "DraftLine",
    "EnrolmentLine",
    "FormLine",
    "HeldAloneLine",
    "Interview",
    "InterviewLine",
    "KeyVault",
    "KeyVaultError",
    "LanguageLine",
    "LinkHint",
    "LocationProvider",
    "LogLevel",
    "LogSink",
    "MissingLine",
    "MissionLine",
    "NearbyLine",
    "NearbyListener",
    "ObserverLine",
    "ObserverStanding",
    "PartyLine",
    "PeerLine",
    "PersonLine",
    "Phone",
    "PhoneError",
    "PhoneHome",
    "PhoneSettings",
    "PhotoFile",
    "PhotoLine",
    "PhotoPlaceLine",
    "PixelBoxLine",
    "PlaceKind",
    "PlaceLine",
    "ProblemLine",
    "ProviderError",
    "QrLine",
    "RecordLine",
    "RecordQuery",
    "RecordSheet",
    "RecordStateKind",
    "RecordsPage",
    "RoomLine",
    "SavedLine",
    "ScopeLine",
    "ScreenKind",
    "ScreenLine",
    "SignedValue",
    "SpeechKind",
    "SpeechOrder",
    "StandingLine",
    "StepLine",
    "StorageFault",
    "StoreSecret",
    "SuspendReport",
    "SyncListener",
    "SyncOptions",
    "SyncReport",
    "SyncState",
    "SyncTarget",
    "TicketLine",
    "asked",
    "audit_bag",
    "create_phone",
    "explain_code",
    "marker_in",
    "open_phone",
    "set_log_sink",
    "typed",
    "version",
    "wipe_phone",
]

T = TypeVar("T")


async def asked(call: Awaitable[T]) -> T:
    """The answer of an async call, with typed errors."""
    with typed():
        return await call


@contextmanager
def typed() -> Iterator[None]:
    """Turns what the generated module raises into the errors of this package."""
    try:
        yield
    except KINDS as error:
        raise _typed(error) from None
    except UnicodeEncodeError as error:
        raise errors.Refused("not-unicode", f"a text is no Unicode: {error.reason}") from None
    except merestone_ffi.InternalError:
        # A panic, whose own text may hold what belongs in no error.
        raise errors.Internal("the library failed unexpectedly") from None


KINDS: Any = PhoneError
"""The generated classes of errors, as a tree that no type checker follows."""


def _typed(crossed: Exception) -> errors.MerestoneError:
    error: Any = crossed
    match error:
        case KINDS.Locked():
            return errors.Locked(error.reason)
        case KINDS.NotEnrolled():
            return errors.NotEnrolled(error.reason, error.is_cut)
        case KINDS.NotThere():
            return errors.NotThere(error.reason)
        case KINDS.Refused():
            return errors.Refused(error.code, error.reason)
        case KINDS.Storage():
            return errors.Storage(FAULTS[error.fault], error.reason)
        case KINDS.Unreachable():
            return errors.Unreachable(error.code, error.is_worth_retrying, error.reason)
        case KINDS.Provider():
            return errors.ProviderFailed(error.reason, error.is_gone)
        case KINDS.Closed():
            return errors.Closed(error.reason, error.is_suspended)
        case KINDS.Internal():
            return errors.Internal(error.reason)
    return errors.Internal(f"an error of a newer library: {type(error).__name__}")


FAULTS = {
    StorageFault.FULL: "full",
    StorageFault.DAMAGED: "damaged",
    StorageFault.IN_USE: "in-use",
    StorageFault.NEWER: "newer",
    StorageFault.FAILED: "failed",
}
"""Words for what is the matter with the disk."""
