"""What an audit found out about a bag as a whole, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from .evidence import Bound


class Verdict(str, Enum):
    """What the findings add up to."""

    PASSED = "PASSED"
    """Nothing in the bag contradicts anything else in it."""
    FAILED = "FAILED"
    """Evidence contradicts itself, is not authentic, or was left out."""
    INDETERMINATE = "INDETERMINATE"
    """Something cannot be decided from this bag; the findings say what to ask for."""

    def __str__(self) -> str:
        return self.value


class Weight(str, Enum):
    """What a finding does to the verdict."""

    FAILURE = "failure"
    """The verdict is FAILED."""
    DOUBT = "doubt"
    """INDETERMINATE, unless something fails."""
    NOTE = "note"
    """True and worth reading; changes no verdict."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the audit has to say, and what it is about as far as that is known."""

    weight: Weight
    code: str
    """Stable; ``merestone.explain(code)`` says what it means and what to do."""
    detail: str
    log: str | None
    seq: int | None
    entry: str | None
    record: str | None
    statement: str | None
    leaf: int | None
    file: str | None

    @classmethod
    def read(cls, shown: Mapping[str, Any]) -> Finding:
        """A finding of ``report.json``."""
        places = ("log", "seq", "entry", "record", "statement", "leaf", "file")
        return cls(Weight(shown["weight"]), shown["code"], shown["detail"], *(shown.get(place) for place in places))

    @property
    def place(self) -> str:
        """What it is about, in a few words."""
        named = [(name, getattr(self, name)) for name in ("entry", "record", "log", "statement", "leaf", "file")]
        name, value = next(((name, value) for name, value in named if value is not None), ("the bag", None))
        words = name if value is None else f"{name} {value}"
        return f"{words}, seq {self.seq}" if self.seq is not None else words


@dataclass(frozen=True, slots=True)
class Completeness:
    """Whether something was left out."""

    is_complete: bool | None
    """``None`` where the bag shows no ledger: whoever made it could have left anything out."""
    as_of: int | None
    """The size of the checkpoint that this is judged by."""
    confirmation: str | None
    """``final``, ``provisional`` or ``unconfirmed``."""
    not_after: Bound | None
    """By when the last leaf of that checkpoint was there."""
    scopes: tuple[str, ...] | None
    """``None`` for all."""
    entries_left_out: int
    logs_left_out: int
    statements_left_out: int
    entries_beyond: int
    """Entries of the bag that are not in that checkpoint."""
    words: str
    """The line that an auditor reads."""

    @classmethod
    def read(cls, shown: Mapping[str, Any]) -> Completeness:
        """Of ``report.json``."""
        scopes = shown.get("scopes")
        return cls(
            is_complete={"complete": True, "not complete": False, "not assessed": None}[shown["is"]],
            as_of=shown.get("as_of"),
            confirmation=shown.get("confirmation"),
            not_after=Bound.read(shown.get("not_after")),
            scopes=None if scopes is None else tuple(scopes),
            entries_left_out=shown["entries_left_out"],
            logs_left_out=shown["logs_left_out"],
            statements_left_out=shown["statements_left_out"],
            entries_beyond=shown["entries_beyond"],
            words=shown["words"],
        )


@dataclass(frozen=True, slots=True)
class Charter:
    """Which charter the bag was judged by."""

    id: str
    amendments: int
    """How many amendments led to it; 0 is the one that the mission was founded with."""
    is_frozen: bool
    """Whether parties signed two amendments that contradict each other: neither acts then."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the bag holds of one scope."""

    id: str
    name: str
    is_claimed: bool
    """Whether the bag claims to hold it; of others nothing is said."""
    logs: int
    entries: int
    bodies_withheld: int
    bodies_erased: int
    entries_left_out: int


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness that saw a checkpoint."""

    party: int
    witness: str
    time: datetime | None
    """By the witness's own clock, in UTC; ``None`` for one that no calendar has."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the ledger's key signed at one size, and who confirmed it."""

    size: int
    root: str
    leaves: str
    """How it compares with the bag's leaves: ``matching``, ``differing`` or ``not compared``."""
    confirmation: str
    signed_by_parties: tuple[int, ...]
    silent_parties: tuple[int, ...]
    cosignatures: tuple[Cosignature, ...]

    @classmethod
    def read(cls, shown: Mapping[str, Any]) -> Checkpoint:
        """A checkpoint of ``report.json``."""
        return cls(
            size=shown["size"],
            root=shown["root"],
            leaves=shown["leaves"],
            confirmation=shown["confirmation"],
            signed_by_parties=tuple(shown["signed_by_parties"]),
            silent_parties=tuple(shown["silent_parties"]),
            cosignatures=tuple(
                Cosignature(by["party"], by["witness"], _utc(by["time"])) for by in shown["cosignatures"]
            ),
        )


@dataclass(frozen=True, slots=True)
class Erasure:
    """A record or a photo that the parties agreed to forget."""

    id: str
    record: str
    what: str
    """``record`` or ``photo``."""
    reason: str
    parties: tuple[int, ...]


def _utc(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
