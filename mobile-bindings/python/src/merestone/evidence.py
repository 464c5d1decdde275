"""Records, entries and what they say: the shape of an audited bag's contents.

Every class here is a plain, immutable value.  Ids are lowercase hex: 64 digits for records,
entries, keys, logs and photos, 16 for scopes.  Times of witnesses are in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias

from .people import Author, Roll

Answer: TypeAlias = bool | int | str | None
"""An answer: ``None`` was asked and left blank, otherwise yes/no, a whole number, or a text."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of the interval in which an entry was signed, by the clocks of witnesses."""

    time: datetime
    """The time, in UTC."""
    by_parties: tuple[int, ...]
    """The parties whose witnesses say so."""
    holds: bool
    """Whether they are more than may lie; otherwise the bound follows only from trusting them."""

    @classmethod
    def read(cls, shown: Mapping[str, Any] | None) -> Bound | None:
        """A bound of ``report.json``; ``None`` where no witness says anything, or a time no calendar has."""
        if shown is None:
            return None
        try:
            time = datetime.fromtimestamp(shown["time"], timezone.utc)
        except (OverflowError, OSError, ValueError):
            return None
        return cls(time, tuple(shown["by_parties"]), shown["holds"])


@dataclass(frozen=True, slots=True)
class Position:
    """Where a device was when the entry was signed, as the device says."""

    lat: float
    """Degrees north."""
    lon: float
    """Degrees east."""
    accuracy_m: int
    """How far off it may be, in metres, as the device says."""
    source: str
    """``satellite``, ``by hand``, ``registry`` or ``flagged as mocked``."""

    @classmethod
    def read(cls, shown: Mapping[str, Any] | None) -> Position | None:
        """A position of ``report.json``."""
        if shown is None:
            return None
        return cls(shown["lat_e7"] / 1e7, shown["lon_e7"] / 1e7, shown["accuracy_m"], shown["source"])


@dataclass(frozen=True, slots=True)
class PhotoState:
    """A photo that an entry names."""

    original: str
    """The SHA-256 of the camera file; its bytes lie in the bag at ``data/photos/<original>``."""
    state: str
    """``held``, ``missing``, ``other bytes`` or ``erased``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One signed step of a record."""

    id: str
    record: str
    log: str | None
    """``None`` when it was read from a device's store, which names entries without their logs."""
    seq: int
    kind: str
    """``change``, or what somebody said as a role: ``concurrence``, ``objection`` and so on."""
    standing: str
    """What the entry counts for, in the word of ``record.md``: ``accepted``, ``set-aside`` and so on."""
    author: Author | None
    """Who signed it; ``None`` where no certificate of the key is in the bag."""
    party: int | None
    observer: str | None
    device: str | None
    leaf: int | None
    """The place of its leaf in the ledger, counted from 0; ``None`` if it is not in the bag's ledger."""
    not_before: Bound | None
    """Signed after this, by witnesses' clocks."""
    not_after: Bound | None
    """Signed before this, by witnesses' clocks."""
    device_clock: datetime | None
    """What the device's own clock showed, in its own offset: it is shown and proves nothing."""
    device_clock_source: str | None
    position: Position | None
    post: str | None
    text: str | None
    """What somebody said as a role, in words."""
    reason: int | None
    names: tuple[str, ...]
    """The entries that a signature role is about."""
    voided_by: tuple[str, ...]
    """Later edits that void what somebody said."""
    photos: tuple[PhotoState, ...]
    not_applied: Mapping[str, Answer]
    """What a change wrote that does not stand, so that it is seen nonetheless."""

    @classmethod
    def read(cls, record: str, shown: Mapping[str, Any], roll: Roll) -> Entry:
        """An entry of ``report.json``."""
        return cls(
            id=shown["entry"],
            record=record,
            log=shown["log"],
            seq=shown["seq"],
            kind=shown["kind"],
            standing=shown["standing"],
            author=roll.author(shown["log"], shown["party"]),
            party=shown["party"],
            observer=shown["observer"],
            device=shown["device"],
            leaf=shown["leaf"],
            not_before=Bound.read(shown["not_before"]),
            not_after=Bound.read(shown["not_after"]),
            device_clock=device_clock(shown["device_clock_ms"], shown["device_clock_offset_min"]),
            device_clock_source=shown["device_clock_source"],
            position=Position.read(shown["position"]),
            post=shown["post"],
            text=shown["text"],
            reason=shown["reason"],
            names=tuple(shown["names"]),
            voided_by=tuple(shown["voided_by"]),
            photos=tuple(PhotoState(photo["original"], photo["state"]) for photo in shown["photos"]),
            not_applied={written["key"]: written["value"] for written in shown["not_applied"]},
        )


@dataclass(frozen=True, slots=True)
class Value:
    """A value that stands, and who signed it."""

    value: Answer
    entry: Entry
    """The entry that put it: its standing, its author and its times are those of the value."""

    @property
    def standing(self) -> str:
        """What the entry that put it counts for."""
        return self.entry.standing

    @property
    def author(self) -> Author | None:
        """Who signed it."""
        return self.entry.author


@dataclass(frozen=True, slots=True)
class Record:
    """One observation with its whole history: an inspection, an incident, a patrol."""

    id: str
    kind: str | None
    """The kind of its form; ``None`` while the bag lacks the form or the entry that creates it."""
    scope: str | None
    scope_name: str | None
    answers: Mapping[str, tuple[Value, ...]]
    """What stands, by the name of the answer; several values are a conflict that nobody resolved."""
    entries: tuple[Entry, ...]

    @classmethod
    def read(cls, shown: Mapping[str, Any], roll: Roll) -> Record:
        """A record of ``report.json``."""
        entries = tuple(Entry.read(shown["record"], entry, roll) for entry in shown["entries"])
        by_id = {entry.id: entry for entry in entries}
        answers = {
            answered["key"]: tuple(Value(given["value"], by_id[given["entry"]]) for given in answered["values"])
            for answered in shown["answers"]
        }
        return cls(shown["record"], shown["kind"], shown["scope"], shown["scope_name"], answers, entries)

    def __getitem__(self, key: str) -> Answer:
        """The one value of an answer.

        Raises:
            KeyError: nobody answered this.
            Conflict: several values stand; nothing here chooses between them.
        """
        values = self.answers[key]
        if len(values) != 1:
            raise Conflict(self.id, key, values)
        return values[0].value

    def get(self, key: str, default: Answer = None) -> Answer:
        """The one value of an answer, or ``default`` where nobody answered. Raises `Conflict` like ``[]``."""
        return self[key] if key in self.answers else default

    @property
    def conflicts(self) -> tuple[str, ...]:
        """The answers with several values that stand."""
        return tuple(key for key, values in self.answers.items() if len(values) > 1)

    @property
    def creation(self) -> Entry | None:
        """The entry that created the record; ``None`` if the bag lacks it."""
        return next((entry for entry in self.entries if entry.id == self.id), None)

    @property
    def authors(self) -> tuple[Author, ...]:
        """Everybody who signed an entry of it, each once."""
        return tuple(dict.fromkeys(entry.author for entry in self.entries if entry.author is not None))


class Conflict(LookupError):
    """One value was asked for where several stand."""

    def __init__(self, record: str, key: str, values: tuple[Value, ...]) -> None:
        super().__init__(f"record {record}: {len(values)} values of {key!r} stand, and nobody resolved them")
        self.record = record
        self.key = key
        self.values = values


def device_clock(wall_ms: int | None, offset_min: int | None) -> datetime | None:
    """What a clock showed; ``None`` also for one so broken that no calendar has its time."""
    if wall_ms is None or offset_min is None:
        return None
    try:
        zone = timezone(timedelta(minutes=offset_min))
        return (datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=wall_ms)).astimezone(zone)
    except (OverflowError, ValueError):
        return None
