"""Merestone for scripts: judging bags as an auditor, and using a device as an observer does.

    import merestone

    audit = merestone.audit("evidence", mission="4e17…")
    print(audit.verdict, audit.completeness.words)
    for gap in audit.gaps:
        print(gap.kind, gap.words)
    incidents = audit.records.to_dataframe("incident")

A verdict rests on the mission id, which comes from two parties that do not trust each other and never from the bag.
A signature shows who signed what, and in which order. It does not show that it is true.
"""

from ._crossing import (
    CallerLine,
    Change,
    ClockKind,
    ClockLine,
    CustodyLine,
    KeyVault,
    LinkHint,
    LogLevel,
    LogSink,
    ObserverStanding,
    PlaceKind,
    PlaceLine,
    RecordQuery,
    RecordStateKind,
    SpeechKind,
    SyncReport,
    SyncState,
    SyncTarget,
    set_log_sink,
    version,
)
from .auditing import Audit, Cut, Explanation, audit, audit_async, explain
from .contents import Entries, Findings, Records
from .drafts import Drafts, Forms, Interview
from .errors import (
    Closed,
    Internal,
    Locked,
    MerestoneError,
    NotEnrolled,
    NotThere,
    ProviderFailed,
    Refused,
    Storage,
    Unreachable,
)
from .evidence import Answer, Bound, Conflict, Entry, PhotoState, Position, Record, Value
from .gaps import Gap, GapKind
from .people import Author, Copy, Log, Person
from .phone import CLEAR_STORE_KEY, Phone, wipe
from .providers import (
    ClockProvider,
    ConnectivityProvider,
    KeystoreGone,
    KeystoreRefused,
    LocationProvider,
    NotKnown,
    Providers,
)
from .report import Charter, Checkpoint, Completeness, Cosignature, Erasure, Finding, Scope, Verdict, Weight
from .sync import Answering, Sync, by_address, by_ticket, by_typed, found

__all__ = [
    "CLEAR_STORE_KEY",
    "Answer",
    "Answering",
    "Audit",
    "Author",
    "Bound",
    "CallerLine",
    "Change",
    "Charter",
    "Checkpoint",
    "ClockKind",
    "ClockLine",
    "ClockProvider",
    "Closed",
    "Completeness",
    "Conflict",
    "ConnectivityProvider",
    "Copy",
    "Cosignature",
    "CustodyLine",
    "Cut",
    "Drafts",
    "Entries",
    "Entry",
    "Erasure",
    "Explanation",
    "Finding",
    "Findings",
    "Forms",
    "Gap",
    "GapKind",
    "Internal",
    "Interview",
    "KeyVault",
    "KeystoreGone",
    "KeystoreRefused",
    "LinkHint",
    "LocationProvider",
    "Locked",
    "Log",
    "LogLevel",
    "LogSink",
    "MerestoneError",
    "NotEnrolled",
    "NotKnown",
    "NotThere",
    "ObserverStanding",
    "Person",
    "Phone",
    "PhotoState",
    "PlaceKind",
    "PlaceLine",
    "Position",
    "ProviderFailed",
    "Providers",
    "Record",
    "RecordQuery",
    "RecordStateKind",
    "Records",
    "Refused",
    "Scope",
    "SpeechKind",
    "Storage",
    "Sync",
    "SyncReport",
    "SyncState",
    "SyncTarget",
    "Unreachable",
    "Value",
    "Verdict",
    "Weight",
    "audit",
    "audit_async",
    "by_address",
    "by_ticket",
    "by_typed",
    "explain",
    "found",
    "set_log_sink",
    "version",
    "wipe",
]

__version__ = version()
